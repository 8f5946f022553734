/* lethe unlearn: one unlearning method on a model, images and a list of rows in files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "file_command.h"
#include "fs.h"
#include "plugin_choice.h"
#include "text.h"
#include "train.h"

enum { OPT_MODEL = 1024, OPT_LABELS, OPT_FORGET, OPT_COLUMN, OPT_PLUGIN };

struct unlearn_options {
    struct file_options file;
    const char *id, *forget, *column, *plugin;
};

static const struct argp_option options[] = {
    {"model", OPT_MODEL, "M.safetensors", 0, "The original model, Lethe's or PyTorch's", 0},
    {"labels", OPT_LABELS, "Y.npy", 0, "Labels (N) of any integer type", 0},
    {"forget", OPT_FORGET, "IDX.csv", 0,
     "Rows of X.npy to forget, from 0: the column unlearn_idx, or the only one", 0},
    {"column", OPT_COLUMN, "NAME", 0, "Another column of IDX.csv", 0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Look for the method in this file first", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct unlearn_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->file;
        break;
    case OPT_MODEL:
        o->file.model = arg;
        break;
    case OPT_LABELS:
        o->file.labels = arg;
        break;
    case OPT_FORGET:
        o->forget = arg;
        break;
    case OPT_COLUMN:
        o->column = arg;
        break;
    case OPT_PLUGIN:
        o->plugin = arg;
        break;
    case ARGP_KEY_ARG:
        if (o->id)
            argp_error(state, "one method at a time: found both %s and %s", o->id, arg);
        o->id = arg;
        break;
    case ARGP_KEY_END:
        if (!o->id)
            argp_error(state, "which method? `lethe plugins` lists them");
        if (!o->file.model || !o->file.labels || !o->forget)
            argp_error(state, "needs --model M.safetensors, --labels Y.npy and --forget IDX.csv");
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
    "ID --model M.safetensors --images X.npy --labels Y.npy --forget IDX.csv --out OUT.safetensors",
    "Makes a model forget rows of its training images by the method ID, as a suite\n"
    "does: the same bytes for the same model, images, rows, parameters and seed.\n"
    "The rows that are not named are the retain set.\v"
    "Settings (--set KEY=VALUE): the method's parameters (`lethe plugins ID`), seed=1,\n"
    "and train.KEY=VALUE, the original's recipe, for methods that ask for it.\n"
    "\nExample:\n"
    "  lethe unlearn amun --model torch.safetensors --arch resnet18 --images x.npy \\\n"
    "      --labels y.npy --forget idx.csv --set epochs=10 --set lr=0.01 \\\n"
    "      --out unlearned.safetensors\n"
    "\nExit codes: 0 done; 1 the method failed or does not serve this; 2 wrong options\n"
    "or files; 3 something is missing on this machine; 128+n ended by signal n.",
    children,
    NULL,
    NULL,
};

/* ---- settings ---- */

/* Takes the child `key` out of a map; NULL when it is not there. */
static struct yaml_node *take_child(struct yaml_node *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++) {
        if (strcmp(map->child[i].key, key) != 0)
            continue;
        struct yaml_node *taken = map->child[i].value;
        free(map->child[i].key);
        map->n--;
        memmove(&map->child[i], &map->child[i + 1], (map->n - i) * sizeof(*map->child));
        return taken;
    }
    return NULL;
}

static int read_recipe(struct yaml_node *map, struct strbuf *ret, struct error *err)
{
    struct recipe recipe;
    struct yaml_node *train = take_child(map, "train");
    recipe_defaults(&recipe);
    int rc = train ? recipe_parse(train, &recipe, err) : 0;
    yaml_free(train);
    TRY(rc);
    recipe_text(&recipe, ret);
    return ret->failed ? error_nomem(err) : 0;
}

struct settings {
    int64_t seed;
    struct strbuf recipe;
    json_t *params;
};

static int read_settings(const struct unlearn_options *o, const struct plugin_desc *p,
                         struct settings *s, struct error *err)
{
    struct yaml_node *map = NULL;
    TRY(file_settings(&o->file, &map, err));
    int rc = file_take_int(map, "seed", 0, INT64_C(1) << 53, &s->seed, err);
    if (rc == 0)
        rc = read_recipe(map, &s->recipe, err);
    if (rc == 0)
        rc = desc_params(p, map, &s->params, err);
    yaml_free(map);
    return rc;
}

/* ---- the job ---- */

static json_t *plugin_json(const struct plugin_desc *p, const json_t *params)
{
    return json_pack("{s:s,s:s,s:O}", "path", p->path, "id", p->id, "params", params);
}

/* The attacks whose sets the method declares, with the parameters it hands on. */
static int declared_attacks(const struct plugin_set *set, const struct plugin_desc *p,
                            const json_t *params, json_t *ret, struct error *err)
{
    const json_t *use;
    size_t i;
    json_array_foreach(json_object_get(p->json, "attacks"), i, use)
    {
        const char *id;
        json_t *own = NULL;
        TRY(json_get_string(use, p->id, "attack", &id, err));
        const struct plugin_desc *attack = plugins_find(set, PLUGIN_EXAMPLE_ATTACK, id);
        if (!attack)
            return error_set(err, ERR_ENVIRONMENT,
                             "%s needs the example attack %s, which is not installed", p->id, id);
        TRY(desc_attack_params(attack, use, params, &own, err));
        int bad = json_array_append_new(ret, plugin_json(attack, own));
        json_decref(own);
        if (bad)
            return error_nomem(err);
    }
    return 0;
}

static int check_files(const struct unlearn_options *o, struct error *err)
{
    TRY(file_check_input("--model", o->file.model, err));
    TRY(file_check_input("--images", o->file.images, err));
    TRY(file_check_input("--labels", o->file.labels, err));
    TRY(file_check_input("--forget", o->forget, err));
    return file_check_out(o->file.out, err);
}

static json_t *pack_job(const struct unlearn_options *o, const struct plugin_desc *p,
                        const struct settings *s, const char *arch, json_t *attacks)
{
    json_t *job = file_job(&o->file, "unlearn", arch);
    json_t *more = json_pack("{s:o,s:O,s:s,s:s,s:s,s:s?,s:s,s:I}", "plugin",
                             plugin_json(p, s->params), "attacks", attacks, "model", o->file.model,
                             "labels", o->file.labels, "forget", o->forget, "column", o->column,
                             "recipe", s->recipe.s, "seed", (json_int_t)s->seed);
    if (!job || !more || json_object_update(job, more) != 0) {
        json_decref(job);
        job = NULL;
    }
    json_decref(more);
    return job;
}

static int make_job(const struct unlearn_options *o, const struct plugin_set *set, json_t **ret,
                    struct error *err)
{
    static const enum plugin_kind kinds[] = {PLUGIN_UNLEARNER, 0};
    const struct plugin_desc *p = NULL;
    struct settings s = {.seed = 1};
    struct strbuf arch;
    json_t *attacks = json_array();
    strbuf_init(&arch);
    strbuf_init(&s.recipe);
    int rc = attacks ? plugin_choice_find(set, o->id, o->plugin, kinds, "unlearner", &p, err)
                     : error_nomem(err);
    if (rc == 0)
        rc = read_settings(o, p, &s, err);
    if (rc == 0)
        rc = declared_attacks(set, p, s.params, attacks, err);
    if (rc == 0)
        rc = file_arch_of_model(&o->file, &arch, err);
    if (rc == 0)
        rc = (*ret = pack_job(o, p, &s, arch.s, attacks)) ? 0 : error_nomem(err);
    json_decref(attacks);
    json_decref(s.params);
    strbuf_release(&s.recipe);
    strbuf_release(&arch);
    return rc;
}

static void show(const struct unlearn_options *o, const json_t *result)
{
    if (o->file.json) {
        file_print_json(result);
        return;
    }
    printf("%s: %" JSON_INTEGER_FORMAT " rows forgotten, %" JSON_INTEGER_FORMAT " retained; %s\n",
           o->id, json_integer_value(json_object_get(result, "forget")),
           json_integer_value(json_object_get(result, "retain")), o->file.out);
}

static int unlearn(const struct unlearn_options *o)
{
    struct error err = ERROR_INIT;
    struct plugin_set set = {0};
    json_t *job = NULL, *result = NULL;
    int signal = 0, rc = check_files(o, &err);
    if (rc == 0)
        rc = plugin_choice_discover(o->plugin, &set, &err);
    if (rc == 0)
        rc = make_job(o, &set, &job, &err);
    if (rc == 0)
        rc = file_run(&o->file, o->id, job, &result, &signal, &err);
    plugins_release(&set);
    int code = file_outcome(&o->file, rc, signal, &err);
    if (code >= 0)
        return code;
    show(o, result);
    json_decref(result);
    return EXIT_OK;
}

int cmd_unlearn(int argc, char **argv)
{
    struct unlearn_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = unlearn(&o);
    file_options_release(&o.file);
    return code;
}
