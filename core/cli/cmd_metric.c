/* lethe metric: a metric or an audit on outputs and models in files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "csv.h"
#include "file_command.h"
#include "fs.h"
#include "log.h"
#include "plugin_choice.h"
#include "text.h"

enum {
    OPT_TARGET = 1280,
    OPT_LABELS,
    OPT_SPLIT,
    OPT_ORIGINAL,
    OPT_RETRAINED,
    OPT_RANDOM,
    OPT_ADVERSARIAL,
    OPT_SOURCE,
    OPT_SOURCE_ADVERSARIAL,
    OPT_MODEL,
    OPT_ORIGINAL_MODEL,
    OPT_RETRAINED_MODEL,
    OPT_ARCH,
    OPT_OUT,
    OPT_CURVES,
    OPT_PLUGIN
};

/* Files of one array or model each: option, key of the job. */
static const struct input {
    int option;
    const char *name, *key;
} inputs[] = {
    {OPT_TARGET, "--target", "target"},
    {OPT_LABELS, "--labels", "labels"},
    {OPT_SPLIT, "--split", "split"},
    {OPT_ORIGINAL, "--original", "original"},
    {OPT_RETRAINED, "--retrained", "retrained"},
    {OPT_RANDOM, "--random", "random"},
    {OPT_ADVERSARIAL, "--adversarial", "adversarial"},
    {OPT_SOURCE, "--source", "source"},
    {OPT_SOURCE_ADVERSARIAL, "--source-adversarial", "source_adversarial"},
    {OPT_MODEL, "--model", "model"},
    {OPT_ORIGINAL_MODEL, "--original-model", "original_model"},
};
enum { TARGET = 0, ORIGINAL = 3, RETRAINED, RANDOM, ADVERSARIAL, MODEL = 9, ORIGINAL_MODEL };
enum { N_INPUTS = sizeof(inputs) / sizeof(inputs[0]), MAX_MODELS = 256 };

struct metric_options {
    struct file_options file;
    const char *id, *curves;
    const char *input[N_INPUTS];
    const char *oracle[MAX_MODELS];
    unsigned n_oracles;
    const char *plugin; /* --plugin, or NULL */
};

static const struct argp_option options[] = {
    {"target", OPT_TARGET, "LOGITS.npy", 0,
     "Outputs of the model to measure: (N, C), or (M, N, C) for M models of one population", 0},
    {"labels", OPT_LABELS, "Y.npy", 0, "True labels (N)", 0},
    {"split", OPT_SPLIT, "SPLIT.npy", 0,
     "(N): 0 retain, 1 forget, 2 test, 3 test samples of the forgotten classes; without it every "
     "sample is in the forget set",
     0},
    {"original", OPT_ORIGINAL, "O.npy", 0, "Outputs (N, C) of the original model", 0},
    {"retrained", OPT_RETRAINED, "R.npy", 0, "Outputs of the oracles: (K, N, C), or (N, C)", 0},
    {"random", OPT_RANDOM, "R.npy", 0, "Outputs (N, C) of a randomly initialised model (zrf)", 0},
    {"adversarial", OPT_ADVERSARIAL, "A.npy", 0,
     "Outputs (N, C) of the target on adversarial samples (robustness, transfer)", 0},
    {"source", OPT_SOURCE, "S.npy", 0, "Outputs (N, C) of the attacked source model (transfer)", 0},
    {"source-adversarial", OPT_SOURCE_ADVERSARIAL, "S.npy", 0,
     "Outputs (N, C) of the source model on the adversarial samples (transfer)", 0},
    {"model", OPT_MODEL, "M.safetensors", 0, "The model to measure, for metrics on weights", 0},
    {"original-model", OPT_ORIGINAL_MODEL, "M.safetensors", 0, "The original model", 0},
    {"retrained-model", OPT_RETRAINED_MODEL, "M.safetensors", 0, "An oracle; may be repeated", 0},
    {"arch", OPT_ARCH, "NAME|FILE", 0,
     "The architecture of model files that do not say it, as a YAML file with input and classes",
     0},
    {"out", OPT_OUT, "VALUES.csv", 0, "Write name,value rows; replaced in one piece", 0},
    {"curves", OPT_CURVES, "CURVES.csv", 0, "Write curves as curve,x,y rows", 0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Look for the metric in this file first", 0},
    {0},
};

static bool take_input(struct metric_options *o, int key, const char *arg)
{
    for (unsigned i = 0; i < N_INPUTS; i++)
        if (inputs[i].option == key) {
            o->input[i] = arg;
            return true;
        }
    return false;
}

static void take_argument(struct metric_options *o, const char *arg, const struct argp_state *state)
{
    if (o->id)
        argp_error(state, "one metric at a time: found both %s and %s", o->id, arg);
    o->id = arg;
}

static void take_oracle(struct metric_options *o, const char *arg, const struct argp_state *state)
{
    if (o->n_oracles == MAX_MODELS)
        argp_error(state, "--retrained-model: more than %d", MAX_MODELS);
    o->oracle[o->n_oracles++] = arg;
}

static void check_complete(const struct metric_options *o, const struct argp_state *state)
{
    if (!o->id)
        argp_error(state, "which metric? `lethe plugins` lists them");
    if (!o->input[TARGET] && !o->input[MODEL])
        argp_error(state, "measure what? Give --target LOGITS.npy or --model M.safetensors");
    if (o->input[TARGET] && o->input[MODEL])
        argp_error(state, "--target and --model: one of them at a time");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct metric_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->file;
        break;
    case OPT_RETRAINED_MODEL:
        take_oracle(o, arg, state);
        break;
    case OPT_ARCH:
        o->file.arch = arg;
        break;
    case OPT_OUT:
        o->file.out = arg;
        break;
    case OPT_CURVES:
        o->curves = arg;
        break;
    case OPT_PLUGIN:
        o->plugin = arg;
        break;
    case ARGP_KEY_ARG:
        take_argument(o, arg, state);
        break;
    case ARGP_KEY_END:
        check_complete(o, state);
        break;
    default:
        return take_input(o, key, arg) ? 0 : ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_child children[] = {{&file_run_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "ID --target LOGITS.npy [--labels Y.npy] [--split SPLIT.npy] [--retrained R.npy]",
    "Computes a metric (or runs an audit) on outputs that were made elsewhere, or on model files.\n"
    "`lethe plugins ID` lists its parameters and the names of its values; docs/METRICS.md\n"
    "explains them. A metric of single runs is averaged over the models of a 3-D target.\v"
    "Examples:\n"
    "  lethe metric divergence --target logits.npy --retrained oracles.npy \\\n"
    "      --split split.npy --out values.csv\n"
    "  lethe metric klom --target (M,N,C).npy --retrained (K,N,C).npy --labels y.npy --json\n"
    "  lethe metric lipschitz --model m.safetensors --json\n"
    "\nValues that are undefined are empty cells; the reason is printed, and in --json's notes.\n"
    "Exit codes: 0 done; 1 the metric failed; 2 wrong options or files; 3 something is missing\n"
    "on this machine; 128+n ended by signal n.",
    children,
    NULL,
    NULL,
};

/* ---- the job ---- */

static int check_files(const struct metric_options *o, struct error *err)
{
    for (unsigned i = 0; i < N_INPUTS; i++)
        if (o->input[i])
            TRY(file_check_input(inputs[i].name, o->input[i], err));
    for (unsigned i = 0; i < o->n_oracles; i++)
        TRY(file_check_input("--retrained-model", o->oracle[i], err));
    if (o->file.out)
        TRY(file_check_out(o->file.out, err));
    return o->curves ? file_check_out(o->curves, err) : 0;
}

/* What a metric needs must be there; some of it files cannot give. */
static int check_needs(const struct metric_options *o, const struct plugin_desc *p,
                       struct error *err)
{
    const bool models = o->input[MODEL] != NULL;
    const struct {
        const char *cap, *option;
        bool there;
    } table[] = {
        {"model", "--model M.safetensors", models},
        {"logits", "--target LOGITS.npy", !models},
        {"references", models ? "--retrained-model M.safetensors" : "--retrained R.npy",
         models ? o->n_oracles > 0 : o->input[RETRAINED] != NULL},
        {"original", models ? "--original-model M.safetensors" : "--original O.npy",
         o->input[models ? ORIGINAL_MODEL : ORIGINAL] != NULL},
        {"random", "--random R.npy", o->input[RANDOM] != NULL},
        {"adversarial", "--adversarial A.npy", o->input[ADVERSARIAL] != NULL},
        {"forget", NULL, false},
        {"retain", NULL, false},
        {"recipe", NULL, false},
        {"cost", NULL, false},
    };
    const json_t *needs = json_object_get(p->json, "needs");
    size_t i;
    json_t *cap;
    json_array_foreach(needs, i, cap)
    {
        for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++) {
            if (table[k].there || strcmp(table[k].cap, json_string_value(cap)) != 0)
                continue;
            if (table[k].option)
                return error_set(err, ERR_INVALID, "%s needs %s", p->id, table[k].option);
            return error_set(err, ERR_INVALID,
                             "%s needs %s, which no file gives; use it in a suite: `lethe run`",
                             p->id,
                             *table[k].cap == 'c' ? "what runs have cost" : "training samples");
        }
    }
    return 0;
}

/* The text of --arch: a YAML file with input and, for named architectures, classes. */
static int read_arch(const char *path, struct strbuf *ret, struct error *err)
{
    static const uint32_t unknown[3] = {0, 0, 0};
    struct yaml_node *node = NULL;
    struct arch *arch = NULL;
    if (!fs_exists(path))
        return error_set(err, ERR_INVALID,
                         "--arch %s: expected a YAML file such as {arch: cnn, width: 16, classes: "
                         "10, input: [1, 28, 28]}",
                         path);
    TRY(yaml_load(path, &node, err));
    int rc = arch_parse(node, unknown, 0, &arch, err);
    yaml_free(node);
    if (rc < 0)
        return rc;
    arch_text(arch, ret);
    arch_free(arch);
    return ret->failed ? error_nomem(err) : 0;
}

static int add_inputs(const struct metric_options *o, json_t *job, struct error *err)
{
    json_t *oracles = json_array();
    int bad = !oracles;
    for (unsigned i = 0; i < N_INPUTS; i++)
        if (o->input[i])
            bad |= json_object_set_new(job, inputs[i].key, json_string(o->input[i]));
    for (unsigned i = 0; i < o->n_oracles; i++)
        bad |= json_array_append_new(oracles, json_string(o->oracle[i]));
    bad |= json_object_set_new(job, "retrained_models", oracles);
    return bad ? error_nomem(err) : 0;
}

static int make_job(const struct metric_options *o, const struct plugin_desc *p,
                    const json_t *params, json_t **ret, struct error *err)
{
    const char *scope = json_string_value(json_object_get(p->json, "scope"));
    bool group = scope && strcmp(scope, "group") == 0;
    json_t *job = json_pack("{s:i,s:s,s:s,s:s,s:O,s:b,s:i}", "lethe_files", 1, "kind", "metric",
                            "plugin_path", p->path, "plugin_id", p->id, "params", params, "group",
                            (int)group, "threads", (int)(o->file.threads ? o->file.threads : 1));
    struct strbuf arch;
    strbuf_init(&arch);
    int rc = job ? add_inputs(o, job, err) : error_nomem(err);
    if (rc == 0 && o->file.arch)
        rc = read_arch(o->file.arch, &arch, err);
    if (rc == 0 && o->file.arch && json_object_set_new(job, "arch", json_string(arch.s)) != 0)
        rc = error_nomem(err);
    strbuf_release(&arch);
    if (rc < 0)
        json_decref(job);
    else
        *ret = job;
    return rc;
}

/* ---- what comes back ---- */

/* Calls f for every declared output of that shape, in declared order. */
typedef void row_fn(void *arg, const char *name, const json_t *result);

static void each_output(const struct plugin_desc *p, const char *shape, const json_t *result,
                        row_fn *f, void *arg)
{
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(p->json, "outputs"), i, o)
    {
        const char *s = json_string_value(json_object_get(o, "shape"));
        if (s && strcmp(s, shape) == 0)
            f(arg, json_string_value(json_object_get(o, "name")), result);
    }
}

static void csv_value(void *arg, const char *name, const json_t *result)
{
    csv_cell(arg, name);
    csv_cell_double(arg,
                    json_number_or_nan(json_object_get(json_object_get(result, "values"), name)));
    csv_end_row(arg);
}

static void csv_curve(void *arg, const char *name, const json_t *result)
{
    const json_t *curve = json_object_get(json_object_get(result, "curves"), name);
    const json_t *x = json_object_get(curve, "x"), *y = json_object_get(curve, "y");
    for (size_t i = 0; i < json_array_size(x); i++) {
        csv_cell(arg, name);
        csv_cell_double(arg, json_number_or_nan(json_array_get(x, i)));
        csv_cell_double(arg, json_number_or_nan(json_array_get(y, i)));
        csv_end_row(arg);
    }
}

static void print_value(void *arg, const char *name, const json_t *result)
{
    const json_t *v = json_object_get(json_object_get(result, "values"), name);
    const char *note = json_string_value(json_object_get(json_object_get(result, "notes"), name));
    if (json_is_number(v))
        printf("%-36s %.10g%s%s%s\n", name, json_number_value(v), note ? "  (" : "",
               note ? note : "", note ? ")" : "");
    else
        printf("%-36s undefined (%s)\n", name, note ? note : "no reason given");
}

static int write_table(const struct plugin_desc *p, const json_t *result, const char *path,
                       const char *const *header, const char *shape, row_fn *row, struct error *err)
{
    struct csv_writer w;
    if (!path)
        return 0;
    csv_writer_init(&w);
    for (; *header; header++)
        csv_cell(&w, *header);
    csv_end_row(&w);
    each_output(p, shape, result, row, &w);
    int rc = csv_writer_save(&w, path, err);
    csv_writer_release(&w);
    return rc;
}

static int show(const struct metric_options *o, const struct plugin_desc *p, json_t *result,
                struct error *err)
{
    static const char *const values[] = {"name", "value", NULL};
    static const char *const curves[] = {"curve", "x", "y", NULL};
    TRY(write_table(p, result, o->file.out, values, "scalar", csv_value, err));
    TRY(write_table(p, result, o->curves, curves, "curve", csv_curve, err));
    if (!o->file.json) {
        each_output(p, "scalar", result, print_value, NULL);
        return 0;
    }
    if (json_object_set_new(result, "metric", json_string(p->id)) != 0)
        return error_nomem(err);
    file_print_json(result);
    return 0;
}

static int run(const struct metric_options *o, const struct plugin_set *set, int *ret_signal,
               struct error *err)
{
    const struct plugin_desc *p = NULL;
    struct yaml_node *given = NULL;
    json_t *params = NULL, *job = NULL, *result = NULL;
    static const enum plugin_kind kinds[] = {PLUGIN_METRIC, PLUGIN_AUDIT, 0};
    int rc = plugin_choice_find(set, o->id, o->plugin, kinds, "metric", &p, err);
    if (rc == 0)
        rc = check_needs(o, p, err);
    if (rc == 0)
        rc = file_settings(&o->file, &given, err);
    if (rc == 0)
        rc = desc_params(p, given, &params, err);
    if (rc == 0)
        rc = make_job(o, p, params, &job, err);
    if (rc == 0)
        rc = file_run(&o->file, p->id, job, &result, ret_signal, err);
    if (rc == 0 && result)
        rc = show(o, p, result, err);
    json_decref(result);
    json_decref(params);
    yaml_free(given);
    return rc;
}

static int metric(const struct metric_options *o)
{
    struct error err = ERROR_INIT;
    struct plugin_set set = {0};
    int signal = 0;
    int rc = check_files(o, &err);
    if (rc == 0)
        rc = plugin_choice_discover(o->plugin, &set, &err);
    if (rc == 0)
        rc = run(o, &set, &signal, &err);
    plugins_release(&set);
    if (rc < 0)
        return cli_fail(&err);
    return signal ? 128 + signal : EXIT_OK;
}

int cmd_metric(int argc, char **argv)
{
    struct metric_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = metric(&o);
    file_options_release(&o.file);
    return code;
}
