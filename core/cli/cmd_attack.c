/* lethe attack: a membership attack on logits, or an example attack on images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "file_command.h"
#include "fs.h"
#include "log.h"
#include "plugin_choice.h"
#include "text.h"

enum {
    OPT_TARGET = 1536,
    OPT_LABELS,
    OPT_REFERENCES,
    OPT_INCLUSION,
    OPT_SPLIT,
    OPT_MODEL,
    OPT_ARCH,
    OPT_IMAGES,
    OPT_GOALS,
    OPT_OUT,
    OPT_PLUGIN
};

enum { IN_TARGET, IN_LABELS, IN_REFERENCES, IN_INCLUSION, IN_SPLIT, IN_MODEL, IN_IMAGES, IN_GOALS };

/* Files of one array or model each: option and key of the job. */
static const struct input {
    int option;
    const char *name, *key;
} inputs[] = {
    [IN_TARGET] = {OPT_TARGET, "--target", "target"},
    [IN_LABELS] = {OPT_LABELS, "--labels", "labels"},
    [IN_REFERENCES] = {OPT_REFERENCES, "--references", "references"},
    [IN_INCLUSION] = {OPT_INCLUSION, "--inclusion", "inclusion"},
    [IN_SPLIT] = {OPT_SPLIT, "--split", "split"},
    [IN_MODEL] = {OPT_MODEL, "--model", "model"},
    [IN_IMAGES] = {OPT_IMAGES, "--images", "images"},
    [IN_GOALS] = {OPT_GOALS, "--targets", "targets"},
};
enum { N_INPUTS = sizeof(inputs) / sizeof(inputs[0]) };

struct attack_options {
    struct file_options file;
    const char *id;
    const char *input[N_INPUTS];
    const char *plugin; /* --plugin, or NULL */
};

static const struct argp_option options[] = {
    {"target", OPT_TARGET, "LOGITS.npy", 0,
     "Membership: logits of the model under attack, (N, C), or (N, A, C) for A views of a sample",
     0},
    {"labels", OPT_LABELS, "Y.npy", 0, "True labels (N)", 0},
    {"references", OPT_REFERENCES, "R.npy", 0,
     "Membership: logits of shadow models, (R, N, C) or (R, N, A, C)", 0},
    {"inclusion", OPT_INCLUSION, "I.npy", 0,
     "(R, N): 1 where the shadow model was trained on the sample, 0 where not, 2 to leave it out",
     0},
    {"split", OPT_SPLIT, "SPLIT.npy", 0,
     "(N): 0 retain, 1 forget, 2 test, 3 test samples of the forgotten classes", 0},
    {"model", OPT_MODEL, "M.safetensors", 0, "Examples: the model to attack", 0},
    {"arch", OPT_ARCH, "NAME|FILE", 0, "The architecture, where the model's file does not say it",
     0},
    {"images", OPT_IMAGES, "X.npy", 0, "Examples: images (N, C, H, W) in [0, 1], or uint8", 0},
    {"targets", OPT_GOALS, "T.npy", 0, "Examples: classes (N) to reach, for targeted attacks", 0},
    {"out", OPT_OUT, "SCORES.csv|DIR", 0,
     "Where scores go (a file), or adversarial images (a folder)", 0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Look for the attack in this file first", 0},
    {0},
};

static bool take_input(struct attack_options *o, int key, const char *arg)
{
    for (unsigned i = 0; i < N_INPUTS; i++)
        if (inputs[i].option == key) {
            o->input[i] = arg;
            return true;
        }
    return false;
}

static void take_argument(struct attack_options *o, const char *arg, const struct argp_state *state)
{
    if (o->id)
        argp_error(state, "one attack at a time: found both %s and %s", o->id, arg);
    o->id = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct attack_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->file;
        break;
    case OPT_ARCH:
        o->file.arch = arg;
        break;
    case OPT_OUT:
        o->file.out = arg;
        break;
    case OPT_PLUGIN:
        o->plugin = arg;
        break;
    case ARGP_KEY_ARG:
        take_argument(o, arg, state);
        break;
    case ARGP_KEY_END:
        if (!o->id)
            argp_error(state, "which attack? `lethe plugins` lists them");
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
    "ID --target LOGITS.npy --labels Y.npy [--references R.npy --inclusion I.npy]\n"
    "ID --model M.safetensors --images X.npy --labels Y.npy --out DIR",
    "Runs an attack on files. Membership attacks write sample,score rows (larger means\n"
    "member) and, with --split, print the AUCs; attacks that are fitted learn from split 0\n"
    "(members) and 2 (non-members) and judge split 1. Example attacks write\n"
    "adversarial.npy, labels.npy and perturbation.csv.\v"
    "Settings (--set KEY=VALUE): the attack's parameters, which `lethe plugins ID` lists and\n"
    "docs/ATTACKS.md explains, and seed=1 of its draws.\n"
    "\nExamples:\n"
    "  lethe attack rmia --target t.npy --labels y.npy --references r.npy \\\n"
    "      --inclusion i.npy --split s.npy --out scores.csv\n"
    "  lethe attack svc-mia --target t.npy --labels y.npy --split s.npy --json\n"
    "  lethe attack pgd-linf --model m.safetensors --images x.npy --labels y.npy \\\n"
    "      --set eps=8/255 --set steps=20 --out adversarial\n"
    "\nExit codes: 0 done; 1 the attack failed or is undefined; 2 wrong options or files;\n"
    "3 something is missing on this machine; 128+n ended by signal n.",
    children,
    NULL,
    NULL,
};

/* ---- the job ---- */

/* Options of the other kind of attack are mistakes. */
static int check_options(const struct attack_options *o, bool example, struct error *err)
{
    static const bool of_examples[N_INPUTS] = {
        [IN_LABELS] = true, [IN_MODEL] = true, [IN_IMAGES] = true, [IN_GOALS] = true};
    static const int needed[2][3] = {{IN_TARGET, IN_LABELS, IN_LABELS},
                                     {IN_MODEL, IN_IMAGES, IN_LABELS}};
    const char *kind = example ? "an example attack" : "a membership attack";
    for (int i = 0; i < N_INPUTS; i++)
        if (o->input[i] && i != IN_LABELS && of_examples[i] != example)
            return error_set(err, ERR_INVALID, "%s is %s; %s does not apply to it", o->id, kind,
                             inputs[i].name);
    for (int i = 0; i < 3; i++)
        if (!o->input[needed[example][i]])
            return error_set(err, ERR_INVALID, "%s is %s and needs %s", o->id, kind,
                             inputs[needed[example][i]].name);
    for (int i = 0; i < N_INPUTS; i++)
        if (o->input[i])
            TRY(file_check_input(inputs[i].name, o->input[i], err));
    if (example && !o->file.out)
        return error_set(err, ERR_INVALID, "where to? Give --out DIR");
    if (example && fs_exists(o->file.out) && !fs_is_dir(o->file.out))
        return error_set(err, ERR_INVALID, "--out %s: that is a file; %s writes a folder",
                         o->file.out, o->id);
    return !example && o->file.out ? file_check_out(o->file.out, err) : 0;
}

/* "none", "required" or "population": what the attack is told (attack.h, wants_fit). */
static const char *fit_of(const struct plugin_desc *p, const json_t *params)
{
    const char *population = json_string_value(json_object_get(params, "population"));
    if (json_is_true(json_object_get(p->json, "wants_fit")))
        return "required";
    return json_is_true(json_object_get(p->json, "takes_population")) && population &&
                   strcmp(population, "nonmembers") == 0
               ? "population"
               : "none";
}

static int check_member(const struct attack_options *o, const struct plugin_desc *p,
                        const char *fit, struct error *err)
{
    if (!o->input[IN_REFERENCES] != !o->input[IN_INCLUSION])
        return error_set(err, ERR_INVALID, "--references and --inclusion go together");
    const json_t *cap;
    size_t i;
    json_array_foreach(json_object_get(p->json, "needs"), i, cap)
    {
        if (strcmp(json_string_value(cap), "shadows") == 0 && !o->input[IN_REFERENCES])
            return error_set(err, ERR_INVALID,
                             "%s needs shadow models: --references R.npy --inclusion I.npy", o->id);
    }
    if (strcmp(fit, "none") != 0 && !o->input[IN_SPLIT])
        return error_set(err, ERR_INVALID,
                         "%s needs samples of known membership: --split SPLIT.npy with 0 for "
                         "members, 2 for non-members, 1 for those to judge",
                         o->id);
    return 0;
}

static int add_plugin(const struct attack_options *o, const struct plugin_desc *p, int64_t seed,
                      const json_t *params, json_t *job, struct error *err)
{
    json_t *plugin = json_pack("{s:s,s:s,s:O}", "path", p->path, "id", p->id, "params", params);
    int bad = json_object_set_new(job, "plugin", plugin) |
              json_object_set_new(job, "seed", json_integer(seed));
    for (int i = 0; i < N_INPUTS; i++)
        if (o->input[i])
            bad |= json_object_set_new(job, inputs[i].key, json_string(o->input[i]));
    if (o->file.out)
        bad |= json_object_set_new(job, "out", json_string(o->file.out));
    return bad ? error_nomem(err) : 0;
}

static int member_job(const struct attack_options *o, const struct plugin_desc *p,
                      const json_t *params, json_t **ret, struct error *err)
{
    const char *fit = fit_of(p, params);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = o->file.threads            ? (int)o->file.threads
                  : cores > 0 && cores < 256 ? (int)cores
                                             : 1;
    TRY(check_member(o, p, fit, err));
    *ret = json_pack("{s:i,s:s,s:s,s:i}", "lethe_files", 1, "kind", "attack-member", "fit", fit,
                     "threads", threads);
    return *ret ? 0 : error_nomem(err);
}

static int example_job(struct attack_options *o, json_t **ret, struct error *err)
{
    struct file_images images;
    struct strbuf arch;
    o->file.model = o->input[IN_MODEL];
    o->file.images = o->input[IN_IMAGES];
    TRY(file_images_open(o->file.images, &images, err));
    strbuf_init(&arch);
    int rc = file_arch(&o->file, "--model", &images, 0, &arch, NULL, err);
    file_images_release(&images);
    if (rc == 0)
        rc = (*ret = file_job(&o->file, "attack-example", arch.s)) ? 0 : error_nomem(err);
    strbuf_release(&arch);
    return rc;
}

/* The seed of draws is no parameter of the plugin. */
static int read_settings(const struct attack_options *o, const struct plugin_desc *p,
                         int64_t *ret_seed, json_t **ret_params, struct error *err)
{
    struct yaml_node *map = NULL;
    *ret_seed = 1;
    TRY(file_settings(&o->file, &map, err));
    int rc = file_take_int(map, "seed", 0, INT64_MAX, ret_seed, err);
    if (rc == 0)
        rc = desc_params(p, map, ret_params, err);
    yaml_free(map);
    return rc;
}

static int make_job(struct attack_options *o, const struct plugin_desc *p, json_t **ret,
                    struct error *err)
{
    bool example = p->kind == PLUGIN_EXAMPLE_ATTACK;
    json_t *params = NULL, *job = NULL;
    int64_t seed;
    TRY(check_options(o, example, err));
    TRY(read_settings(o, p, &seed, &params, err));
    int rc = example ? example_job(o, &job, err) : member_job(o, p, params, &job, err);
    if (rc == 0)
        rc = add_plugin(o, p, seed, params, job, err);
    json_decref(params);
    if (rc < 0)
        json_decref(job);
    else
        *ret = job;
    return rc;
}

/* ---- what comes back ---- */

/* "key  value" lines of an object's numbers, in order of insertion. */
static void print_numbers(const char *title, const json_t *o, const json_t *notes)
{
    const char *key;
    json_t *v;
    if (json_object_size(o) > 0 && title)
        printf("%s\n", title);
    json_object_foreach((json_t *)o, key, v)
    {
        const char *note = json_string_value(json_object_get(notes, key));
        if (json_is_number(v))
            printf("%-36s %.10g\n", key, json_number_value(v));
        else if (json_is_null(v))
            printf("%-36s undefined%s%s%s\n", key, note ? " (" : "", note ? note : "",
                   note ? ")" : "");
    }
}

static void print_result(const json_t *result)
{
    print_numbers("share of the judged taken for non-members", json_object_get(result, "scores"),
                  NULL);
    print_numbers(NULL, json_object_get(result, "roc"), json_object_get(result, "notes"));
    print_numbers(NULL, result, NULL);
}

static int show(const struct attack_options *o, json_t *result, struct error *err)
{
    json_t *notes = json_object_get(result, "notes");
    if (json_object_size(notes) == 0)
        json_object_del(result, "notes");
    if (!o->file.json) {
        print_result(result);
        return 0;
    }
    if (json_object_set_new(result, "attack", json_string(o->id)) != 0)
        return error_nomem(err);
    file_print_json(result);
    return 0;
}

static int attack(struct attack_options *o)
{
    struct error err = ERROR_INIT;
    struct plugin_set set = {0};
    const struct plugin_desc *p = NULL;
    json_t *job = NULL, *result = NULL;
    static const enum plugin_kind kinds[] = {PLUGIN_MEMBERSHIP_ATTACK, PLUGIN_EXAMPLE_ATTACK, 0};
    int signal = 0, rc = plugin_choice_discover(o->plugin, &set, &err);
    if (rc == 0)
        rc = plugin_choice_find(&set, o->id, o->plugin, kinds, "attack", &p, &err);
    if (rc == 0)
        rc = make_job(o, p, &job, &err);
    if (rc == 0)
        rc = file_run(&o->file, o->id, job, &result, &signal, &err);
    if (rc == 0 && !signal)
        rc = show(o, result, &err);
    json_decref(result);
    plugins_release(&set);
    if (rc < 0)
        return cli_fail(&err);
    if (signal)
        log_info("stopped by signal %d", signal);
    return signal ? 128 + signal : EXIT_OK;
}

int cmd_attack(int argc, char **argv)
{
    struct attack_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = attack(&o);
    file_options_release(&o.file);
    return code;
}
