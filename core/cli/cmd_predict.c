/* lethe predict: logits of a model for images in a file. */
#include <stdio.h>

#include "cli.h"
#include "file_command.h"

enum { OPT_MODEL = 1024 };

static const struct argp_option options[] = {
    {"model", OPT_MODEL, "M.safetensors", 0, "Weights, Lethe's or PyTorch's", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct file_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        break;
    case OPT_MODEL:
        o->model = arg;
        break;
    case ARGP_KEY_END:
        if (!o->model)
            argp_error(state, "which model? Give --model M.safetensors");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_child children[] = {{&file_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "--model M.safetensors --images X.npy --out LOGITS.npy",
    "Writes the logits (N, classes) of a model, in evaluation mode, as float32.\n"
    "--arch is needed only for files that do not say their architecture, as those\n"
    "of PyTorch.\v"
    "Settings (--set KEY=VALUE) and their defaults: batch=128\n"
    "\nExamples:\n"
    "  lethe predict --model m.safetensors --images x.npy --out logits.npy\n"
    "  lethe predict --model torch.safetensors --arch resnet18 --images x.npy \\\n"
    "      --out logits.npy\n"
    "\nExit codes: 0 done; 1 prediction failed; 2 wrong options or files;\n"
    "3 something is missing on this machine; 128+n ended by signal n.",
    children,
    NULL,
    NULL,
};

static int read_batch(const struct file_options *o, int64_t *ret, struct error *err)
{
    static const char *const keys[] = {"batch", NULL};
    struct yaml_node *map = NULL;
    int64_t batch = 128;
    TRY(file_settings(o, &map, err));
    int rc = file_take_int(map, "batch", 1, 1000000, &batch, err);
    if (rc == 0)
        rc = yaml_known_keys(map, "predict", keys, err);
    yaml_free(map);
    if (rc == 0)
        *ret = batch;
    return rc;
}

static int check_files(const struct file_options *o, struct error *err)
{
    TRY(file_check_input("--model", o->model, err));
    TRY(file_check_input("--images", o->images, err));
    return file_check_out(o->out, err);
}

static json_t *make_job(const struct file_options *o, const char *arch, int64_t batch)
{
    json_t *job = file_job(o, "predict", arch);
    if (!job || json_object_set_new(job, "model", json_string(o->model)) != 0 ||
        json_object_set_new(job, "batch", json_integer(batch)) != 0) {
        json_decref(job);
        return NULL;
    }
    return job;
}

static int predict(const struct file_options *o)
{
    struct error err = ERROR_INIT;
    struct strbuf arch;
    json_t *result = NULL;
    int64_t batch = 0;
    int signal = 0;
    strbuf_init(&arch);
    int rc = check_files(o, &err);
    if (rc == 0)
        rc = read_batch(o, &batch, &err);
    if (rc == 0)
        rc = file_arch_of_model(o, &arch, &err);
    if (rc == 0)
        rc = file_run(o, "predict", make_job(o, arch.s, batch), &result, &signal, &err);
    strbuf_release(&arch);
    int code = file_outcome(o, rc, signal, &err);
    if (code >= 0)
        return code;
    if (o->json)
        file_print_json(result);
    json_decref(result);
    return EXIT_OK;
}

int cmd_predict(int argc, char **argv)
{
    struct file_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = predict(&o);
    file_options_release(&o);
    return code;
}
