/* lethe train: a model from images and labels in files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "file_command.h"
#include "text.h"

enum { OPT_INIT = 1024, OPT_LABELS };

static const struct argp_option options[] = {
    {"init", OPT_INIT, "M.safetensors", 0,
     "Start from these weights (Lethe's or PyTorch's) instead of drawing them from the seed", 0},
    {"labels", OPT_LABELS, "Y.npy", 0, "Labels (N) of any integer type", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct file_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        break;
    case OPT_INIT:
        o->model = arg;
        break;
    case OPT_LABELS:
        o->labels = arg;
        break;
    case ARGP_KEY_END:
        if (!o->labels)
            argp_error(state, "which labels? Give --labels Y.npy");
        if (!o->arch && !o->model)
            argp_error(state, "which architecture? Give --arch NAME, --arch FILE.yaml, or --init "
                              "with a model that Lethe wrote");
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
    "--arch NAME|FILE --images X.npy --labels Y.npy --out M.safetensors",
    "Trains a model on images in a file by the recipe of a suite's `train:`, and\n"
    "writes its weights with PyTorch's tensor names and layouts.\v"
    "Settings (--set KEY=VALUE) and their defaults:\n"
    "  epochs=1 (0 writes the weights untrained) batch=128 shuffle=true seed=1\n"
    "  optimizer=sgd (adam, adamw) lr=0.1 momentum=0 weight_decay=0 clip_norm=0\n"
    "  schedule=constant (cosine; schedule.step=8 schedule.gamma=0.1)\n"
    "  augment=none (crop-flip)\n"
    "  spectral_clip=off (spectral_clip.value=1 spectral_clip.every=100\n"
    "  spectral_clip.method=fastclip, gouk, miyato, none; docs/SMOOTHNESS.md)\n"
    "\nExamples:\n"
    "  lethe train --arch cnn --images x.npy --labels y.npy --set epochs=5 \\\n"
    "      --out m.safetensors\n"
    "  lethe train --arch resnet18 --init torch.safetensors --images x.npy \\\n"
    "      --labels y.npy --set lr=0.05 --set augment=crop-flip \\\n"
    "      --out m.safetensors\n"
    "One step after which the difference of the weights is the gradient of the\n"
    "mean loss over N images:\n"
    "  ... --set batch=N --set lr=1\n"
    "\nPrints the last epoch's loss and accuracy, with --json those of each epoch.\n"
    "\nExit codes: 0 done; 1 training failed; 2 wrong options or files; 3 something\n"
    "is missing on this machine; 128+n ended by signal n.",
    children,
    NULL,
    NULL,
};

enum { MAX_CLASSES = 65536 };

static int check_files(const struct file_options *o, struct error *err)
{
    TRY(file_check_input("--images", o->images, err));
    TRY(file_check_input("--labels", o->labels, err));
    if (o->model)
        TRY(file_check_input("--init", o->model, err));
    return file_check_out(o->out, err);
}

/* The recipe's canonical text, and the seed. */
static int read_settings(const struct file_options *o, struct strbuf *ret_recipe, int64_t *ret_seed,
                         struct error *err)
{
    struct yaml_node *map = NULL;
    struct recipe recipe;
    int64_t seed = 1;
    recipe_defaults(&recipe);
    TRY(file_settings(o, &map, err));
    int rc = file_take_int(map, "seed", 0, INT64_C(1) << 53, &seed, err);
    if (rc == 0)
        rc = recipe_parse(map, &recipe, err);
    yaml_free(map);
    TRY(rc);
    recipe_text(&recipe, ret_recipe);
    *ret_seed = seed;
    return ret_recipe->failed ? error_nomem(err) : 0;
}

static uint32_t classes_in(const int32_t *labels, uint32_t n)
{
    int32_t most = 1; /* one class alone cannot be told from anything */
    for (uint32_t i = 0; i < n; i++)
        most = labels[i] > most ? labels[i] : most;
    return (uint32_t)most + 1;
}

/* The architecture's text; images and labels fit it and each other. */
static int read_arch(const struct file_options *o, struct strbuf *ret, struct error *err)
{
    struct file_images images;
    int32_t *labels = NULL;
    uint32_t classes = 0;
    TRY(file_images_open(o->images, &images, err));
    int rc = file_labels_read(o->labels, &images, &labels, err);
    if (rc == 0)
        rc = file_labels_check(o->labels, labels, images.n, MAX_CLASSES, err);
    if (rc == 0)
        rc = file_arch(o, "--init", &images, classes_in(labels, images.n), ret, &classes, err);
    if (rc == 0)
        rc = file_labels_check(o->labels, labels, images.n, classes, err);
    free(labels);
    file_images_release(&images);
    return rc;
}

static json_t *make_job(const struct file_options *o, const char *arch, const char *recipe,
                        int64_t seed)
{
    json_t *job = file_job(o, "train", arch);
    json_t *more = json_pack("{s:s,s:s?,s:s,s:I}", "labels", o->labels, "init", o->model, "recipe",
                             recipe, "seed", (json_int_t)seed);
    if (!job || !more || json_object_update(job, more) != 0) {
        json_decref(job);
        job = NULL;
    }
    json_decref(more);
    return job;
}

static void print_last_epoch(const json_t *result)
{
    const json_t *loss = json_object_get(result, "loss");
    const json_t *accuracy = json_object_get(result, "accuracy");
    size_t n = json_array_size(loss);
    char number[32];
    if (n == 0) {
        puts("0 epochs: the weights are untrained");
        return;
    }
    text_from_double(json_number_or_nan(json_array_get(loss, n - 1)), number);
    printf("epoch %zu/%zu: loss %s, accuracy %.2f %%\n", n, n, number,
           json_number_or_nan(json_array_get(accuracy, n - 1)));
}

static int train(const struct file_options *o)
{
    struct error err = ERROR_INIT;
    struct strbuf arch, recipe;
    json_t *result = NULL;
    int64_t seed = 1;
    int signal = 0;
    strbuf_init(&arch);
    strbuf_init(&recipe);
    int rc = check_files(o, &err);
    if (rc == 0)
        rc = read_settings(o, &recipe, &seed, &err);
    if (rc == 0)
        rc = read_arch(o, &arch, &err);
    if (rc == 0)
        rc = file_run(o, "train", make_job(o, arch.s, recipe.s, seed), &result, &signal, &err);
    strbuf_release(&arch);
    strbuf_release(&recipe);
    int code = file_outcome(o, rc, signal, &err);
    if (code >= 0)
        return code;
    if (o->json)
        file_print_json(result);
    else
        print_last_epoch(result);
    json_decref(result);
    return EXIT_OK;
}

int cmd_train(int argc, char **argv)
{
    struct file_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = train(&o);
    file_options_release(&o);
    return code;
}
