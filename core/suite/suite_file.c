#include "suite_file.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "suite_extend.h"
#include "suite_internal.h"
#include "text.h"

static const char *const suite_keys[] = {"suite",  "data",       "model",    "train",   "seeds",
                                         "forget", "references", "unlearn",  "attacks", "metrics",
                                         "limits", "report",     "transfer", "budget",  "variants",
                                         "tune",   NULL};

const char *entry_settings_name(enum entry_settings s)
{
    static const char *const names[] = {"default", "given", "tuned"};
    return names[s];
}

static int64_t seed_limit(void)
{
    return INT64_C(1) << 53; /* exact in JSON readers that use doubles */
}

int suite_parse_seeds(const struct yaml_node *node, const char *what, int64_t otherwise,
                      struct suite_seeds *ret, struct error *err)
{
    unsigned n = node && node->kind == YAML_LIST ? (unsigned)node->n : 1;
    if (n == 0)
        return yaml_error(node, err, "%s: expected at least one seed, found an empty list", what);
    ret->v = calloc(n, sizeof(*ret->v));
    if (!ret->v)
        return error_nomem(err);
    ret->n = n;
    ret->v[0] = otherwise;
    for (unsigned i = 0; node && i < n; i++) {
        const struct yaml_node *item = node->kind == YAML_LIST ? node->child[i].value : node;
        TRY(yaml_int(item, what, &ret->v[i], err));
        if (ret->v[i] < 0 || ret->v[i] > seed_limit())
            return yaml_error(item, err, "%s: expected a seed from 0 to 2^53, found %lld", what,
                              (long long)ret->v[i]);
        for (unsigned j = 0; j < i; j++)
            if (ret->v[j] == ret->v[i])
                return yaml_error(item, err, "%s: seed %lld stands twice", what,
                                  (long long)ret->v[i]);
    }
    return 0;
}

static int parse_seeds(struct suite *s, struct error *err)
{
    static const char *const keys[] = {"model", "forget", "unlearn", NULL};
    const struct yaml_node *node = yaml_get(s->root, "seeds");
    if (node)
        TRY(yaml_known_keys(node, "seeds", keys, err));
    TRY(suite_parse_seeds(yaml_get(node, "model"), "seeds.model", 1, &s->seed_model, err));
    TRY(suite_parse_seeds(yaml_get(node, "forget"), "seeds.forget", 1, &s->seed_forget, err));
    return suite_parse_seeds(yaml_get(node, "unlearn"), "seeds.unlearn", 1, &s->seed_unlearn, err);
}

int suite_parse_scenarios(const struct yaml_node *node, const char *what, const char *dir,
                          struct forget_spec **ret, unsigned *ret_n, struct error *err)
{
    if (node->kind != YAML_LIST || node->n == 0)
        return yaml_error(node, err, "%s: expected a list of scenarios such as [{random: 0.1}]",
                          what);
    struct forget_spec *list = *ret = calloc(node->n, sizeof(*list));
    if (!list)
        return error_nomem(err);
    for (size_t i = 0; i < node->n; i++) {
        TRY(forget_parse(node->child[i].value, dir, &list[i], err));
        ++*ret_n;
        for (size_t j = 0; j < i; j++)
            if (strcmp(list[i].name, list[j].name) == 0)
                return yaml_error(node->child[i].value, err, "%s: scenario %s stands twice", what,
                                  list[i].name);
    }
    return 0;
}

static int parse_scenarios(struct suite *s, struct error *err)
{
    const struct yaml_node *node = yaml_get(s->root, "forget");
    return suite_parse_scenarios(node ? node : s->root, "forget", s->dir, &s->scenario,
                                 &s->n_scenarios, err);
}

static int parse_entry_import(const struct suite *s, struct suite_entry *e,
                              const struct yaml_node *node, struct error *err)
{
    static const char *const words[] = {"{scenario}", "{forget}", "{seed}", "{unlearn}", NULL};
    struct suite_import im = {0};
    TRY(suite_parse_import(s, node, words, &im, err));
    e->import = im.files;
    e->import_logits = im.logits;
    return 0;
}

/* How many test rows an example attack gets. */
static int parse_rows(struct suite_entry *e, const struct yaml_node *value, struct error *err)
{
    int64_t n = 0;
    bool all = value->kind == YAML_SCALAR && strcmp(value->text, "all") == 0;
    if (!all)
        TRY(yaml_int(value, "rows", &n, err));
    if (!all && (n < 1 || n > INT32_MAX))
        return yaml_error(value, err, "rows: expected all or a number of test rows, found %lld",
                          (long long)n);
    e->rows = (uint32_t)n;
    e->rows_at = value;
    return 0;
}

/* The entry's keys other than id: label, plugin, params, expect, import, rows, budget. */
static int parse_entry_option(struct suite *s, struct suite_entry *e, const char *key,
                              const struct yaml_node *value, struct error *err)
{
    const char *text;
    if (strcmp(key, "label") == 0) {
        TRY(yaml_string(value, "label", &text, err));
        if (!*text || strpbrk(text, ";\n"))
            return yaml_error(value, err, "label: expected text without ';' or line ends");
        e->label = text_dup(text);
        return e->label ? 0 : error_nomem(err);
    }
    if (strcmp(key, "plugin") == 0) {
        TRY(yaml_string(value, "plugin", &text, err));
        char *joined = fs_join(s->dir, text);
        int rc = joined ? fs_absolute(joined, &e->file, err) : error_nomem(err);
        free(joined);
        return rc;
    }
    if (strcmp(key, "import") == 0)
        return parse_entry_import(s, e, value, err);
    if (strcmp(key, "rows") == 0)
        return parse_rows(e, value, err);
    if (strcmp(key, "budget") == 0) {
        e->has_budget = true;
        return suite_parse_budget(value, &e->budget, err);
    }
    if (strcmp(key, "expect") == 0) {
        TRY(yaml_string(value, "expect", &text, err));
        if (strcmp(text, "unsupported") != 0)
            return yaml_error(value, err, "expect: expected unsupported, found \"%s\"", text);
        e->expect_unsupported = true;
        return 0;
    }
    e->given = value; /* params */
    return 0;
}

static int set_entry_id(struct suite_entry *e, const struct yaml_node *at, const char *id,
                        struct error *err)
{
    if (e->id)
        return yaml_error(at, err, "one plugin an item: found both %s and %s", e->id, id);
    if (!text_is_plugin_id(id))
        return yaml_error(at, err, "\"%s\" is no plugin id", id);
    e->id = text_dup(id);
    return e->id ? 0 : error_nomem(err);
}

static bool is_option(const char *key)
{
    static const char *const options[] = {"label",  "plugin", "params", "expect",
                                          "import", "rows",   "budget", NULL};
    for (size_t i = 0; options[i]; i++)
        if (strcmp(key, options[i]) == 0)
            return true;
    return false;
}

static int parse_entry(struct suite *s, const struct yaml_node *node, struct suite_entry *e,
                       struct error *err)
{
    e->node = node;
    e->budget = s->budget;
    if (node->kind == YAML_SCALAR) {
        TRY(set_entry_id(e, node, node->text, err));
    } else if (node->kind == YAML_MAP) {
        for (size_t i = 0; i < node->n; i++) {
            const struct yaml_pair *p = &node->child[i];
            if (is_option(p->key)) {
                TRY(parse_entry_option(s, e, p->key, p->value, err));
                continue;
            }
            TRY(set_entry_id(e, p->value, p->key, err));
            bool empty = p->value->kind == YAML_SCALAR && !*p->value->text;
            e->given = empty ? NULL : p->value;
        }
    }
    if (e->import && (e->id || e->file || e->given || !e->label))
        return yaml_error(node, err, "import: expected {label: NAME, import: {models: FILES}}");
    if (e->import)
        return set_entry_id(e, node, "import", err);
    if (!e->id && !e->file)
        return yaml_error(node, err, "expected a plugin id, {id: {parameters}} or {plugin: FILE}");
    if (!e->id)
        e->id = text_dup("");
    if (!e->label && e->id)
        e->label = text_dup(*e->id ? e->id : fs_basename(e->file));
    return e->label ? 0 : error_nomem(err);
}

static int parse_entries(struct suite *s, const char *key, struct suite_entry **ret,
                         unsigned *ret_n, struct error *err)
{
    const struct yaml_node *node = yaml_get(s->root, key);
    if (!node)
        return 0;
    if (node->kind != YAML_LIST)
        return yaml_error(node, err, "%s: expected a list of plugins", key);
    *ret = calloc(node->n ? node->n : 1, sizeof(**ret));
    if (!*ret)
        return error_nomem(err);
    for (size_t i = 0; i < node->n; i++) {
        struct suite_entry *e = &(*ret)[i];
        *ret_n = (unsigned)i + 1;
        TRY(parse_entry(s, node->child[i].value, e, err));
        if ((e->import || e->has_budget) && strcmp(key, "unlearn") != 0)
            return yaml_error(e->node, err, "%s: %s belongs to unlearn", key,
                              e->import ? "import" : "budget");
        for (size_t j = 0; j < i; j++)
            if (strcmp((*ret)[j].label, e->label) == 0)
                return yaml_error(e->node, err,
                                  "%s: \"%s\" stands twice; give one of them another label: "
                                  "{label: NAME, %s: {...}}",
                                  key, e->label, *e->id ? e->id : "ID");
    }
    return 0;
}

static int default_metrics(struct suite *s, struct error *err)
{
    static const char *const ids[] = {"accuracy", "confidence"};
    if (yaml_get(s->root, "metrics"))
        return 0;
    s->metric = calloc(2, sizeof(*s->metric));
    if (!s->metric)
        return error_nomem(err);
    for (unsigned i = 0; i < 2; i++) {
        struct suite_entry *e = &s->metric[s->n_metrics++];
        e->node = s->root;
        e->id = text_dup(ids[i]);
        e->label = text_dup(ids[i]);
        if (!e->id || !e->label)
            return error_nomem(err);
    }
    return 0;
}

static int check_reserved(const struct suite *s, struct error *err)
{
    for (unsigned i = 0; i < s->n_unlearn; i++) {
        const struct suite_entry *e = &s->unlearn[i];
        if (strcmp(e->id, "original") == 0 || strcmp(e->id, "retrain") == 0)
            return yaml_error(e->node, err,
                              "unlearn: %s is always on the board; references: {retrain: K} sets "
                              "the number of oracles",
                              e->id);
        if (strcmp(e->label, "original") == 0 || strcmp(e->label, "retrain") == 0)
            return yaml_error(e->node, err, "unlearn: the label %s is reserved", e->label);
    }
    return 0;
}

/* Large enough for any model or log, small enough for most disks. */
static const uint64_t default_file_limit = UINT64_C(8) << 30;

static int parse_size(const struct yaml_node *node, const char *what, uint64_t *ret,
                      struct error *err)
{
    const char *text;
    if (!node)
        return 0;
    TRY(yaml_string(node, what, &text, err));
    if (!text_to_bytes(text, ret))
        return yaml_error(node, err, "%s: expected a size such as 512MiB or 4GiB, found \"%s\"",
                          what, text);
    return 0;
}

static int parse_limits(struct suite *s, struct error *err)
{
    static const char *const keys[] = {"wall", "memory", "file", NULL};
    const struct yaml_node *node = yaml_get(s->root, "limits");
    const char *text;
    s->wall_limit_s = 3600;
    s->file_limit = default_file_limit;
    if (!node)
        return 0;
    TRY(yaml_known_keys(node, "limits", keys, err));
    const struct yaml_node *wall = yaml_get(node, "wall");
    if (wall) {
        TRY(yaml_string(wall, "limits.wall", &text, err));
        if (!text_to_seconds(text, &s->wall_limit_s) || s->wall_limit_s <= 0)
            return yaml_error(wall, err,
                              "limits.wall: expected a time such as 90s, 30m or 2h, found \"%s\"",
                              text);
    }
    TRY(parse_size(yaml_get(node, "memory"), "limits.memory", &s->memory_limit, err));
    return parse_size(yaml_get(node, "file"), "limits.file", &s->file_limit, err);
}

static int parse_name(struct suite *s, struct error *err)
{
    const struct yaml_node *node = yaml_get(s->root, "suite");
    const char *text;
    if (!node)
        return yaml_error(s->root, err, "suite: expected a name for the suite, found none");
    TRY(yaml_string(node, "suite", &text, err));
    for (const char *p = text; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p))
            return yaml_error(node, err,
                              "suite: expected letters, digits, '.', '_' and '-' (it names the "
                              "output folder), found \"%s\"",
                              text);
    if (!*text || *text == '.')
        return yaml_error(node, err, "suite: expected a name, found \"%s\"", text);
    s->name = text_dup(text);
    return s->name ? 0 : error_nomem(err);
}

static int parse_data_and_model(struct suite *s, struct error *err)
{
    const struct yaml_node *data = yaml_get(s->root, "data");
    const struct yaml_node *model = yaml_get(s->root, "model");
    uint32_t shape[3], classes;
    if (!data)
        return yaml_error(s->root, err,
                          "data: missing; for example data: {name: fashion-mnist, train: 5000}");
    if (!model)
        return yaml_error(s->root, err, "model: missing; for example model: {arch: cnn}");
    TRY(data_spec_parse(data, s->dir, &s->data, err));
    TRY(data_spec_shape(&s->data, shape, &classes, err));
    return arch_parse(model, shape, classes, &s->arch, err);
}

/* Oracles are retrained after every request; a file name has no word for that. */
static int check_consecutive(const struct suite *s, struct error *err)
{
    for (unsigned i = 0; i < s->n_scenarios && s->oracles.files; i++)
        if (s->scenario[i].kind == FORGET_CONSECUTIVE)
            return yaml_error(s->oracles.node, err,
                              "references.retrain.import: scenario %s needs oracles of every "
                              "request; let them be trained, or use {random: SHARE}",
                              s->scenario[i].name);
    return 0;
}

static int parse_suite(struct suite *s, struct error *err)
{
    const struct yaml_node *train = yaml_get(s->root, "train");
    if (s->root->kind != YAML_MAP)
        return yaml_error(s->root, err, "expected a map with the keys of a suite");
    TRY(yaml_known_keys(s->root, "the suite", suite_keys, err));
    TRY(parse_name(s, err));
    TRY(parse_data_and_model(s, err));
    recipe_defaults(&s->train);
    if (train)
        TRY(recipe_parse(train, &s->train, err));
    TRY(parse_seeds(s, err));
    TRY(parse_scenarios(s, err));
    TRY(suite_parse_variants(s, err));
    TRY(suite_parse_references(s, err));
    s->budget = (struct budget)BUDGET_NONE;
    TRY(suite_parse_budget(yaml_get(s->root, "budget"), &s->budget, err));
    TRY(check_consecutive(s, err));
    TRY(suite_parse_tune(s, err));
    TRY(parse_entries(s, "unlearn", &s->unlearn, &s->n_unlearn, err));
    TRY(parse_entries(s, "attacks", &s->attack, &s->n_attacks, err));
    TRY(parse_entries(s, "metrics", &s->metric, &s->n_metrics, err));
    TRY(parse_entries(s, "transfer", &s->transfer, &s->n_transfer, err));
    TRY(default_metrics(s, err));
    TRY(check_reserved(s, err));
    TRY(parse_limits(s, err));
    return suite_parse_report(s, err);
}

static int apply_settings(struct suite *s, const char *const *settings, unsigned n,
                          struct error *err)
{
    for (unsigned i = 0; i < n; i++) {
        const char *eq = strchr(settings[i], '=');
        char *path = eq && eq != settings[i] ? text_dup(settings[i]) : NULL;
        if (!path)
            return error_set(err, ERR_INVALID, "--set %s: expected key.path=value", settings[i]);
        path[eq - settings[i]] = '\0';
        int rc = yaml_set(s->root, path, eq + 1, err);
        free(path);
        TRY(rc);
    }
    return 0;
}

int suite_load(const char *path, const char *const *settings, unsigned n_settings,
               struct suite *ret, struct error *err)
{
    struct suite s = {0};
    int rc = fs_absolute(path, &s.path, err);
    if (rc == 0)
        s.dir = fs_dirname(s.path);
    if (rc == 0 && !s.dir)
        rc = error_nomem(err);
    if (rc == 0)
        rc = yaml_load(path, &s.root, err);
    if (rc == 0)
        rc = suite_extend(path, &s.root, err);
    if (rc == ERR_IO && err) /* a suite that is not there is a mistake in the command */
        rc = err->code = ERR_INVALID;
    if (rc == 0)
        rc = apply_settings(&s, settings, n_settings, err);
    if (rc == 0)
        rc = suite_expand_grids(s.root, err);
    if (rc == 0)
        rc = parse_suite(&s, err);
    if (rc < 0) {
        suite_release(&s);
        return rc;
    }
    *ret = s;
    return 0;
}

static void entries_free(struct suite_entry *e, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(e[i].label);
        free(e[i].id);
        free(e[i].file);
        free(e[i].import);
        json_decref(e[i].params);
    }
    free(e);
}

void suite_release(struct suite *s)
{
    entries_free(s->unlearn, s->n_unlearn);
    entries_free(s->attack, s->n_attacks);
    entries_free(s->metric, s->n_metrics);
    entries_free(s->transfer, s->n_transfer);
    for (unsigned i = 0; i < s->n_scenarios; i++)
        forget_release(&s->scenario[i]);
    for (unsigned i = 0; i < s->n_gap; i++)
        free(s->gap[i]);
    free(s->gap);
    for (unsigned i = 0; i < s->n_baselines; i++)
        free(s->baseline[i]);
    free(s->baseline);
    report_choice_release(&s->report);
    suite_names_release(s);
    suite_tune_release(&s->tune);
    free(s->scenario);
    suite_variants_release(s);
    suite_import_release(&s->originals);
    suite_import_release(&s->oracles);
    suite_import_release(&s->shadows);
    free(s->seed_model.v);
    free(s->seed_forget.v);
    free(s->seed_unlearn.v);
    arch_free(s->arch);
    data_spec_release(&s->data);
    yaml_free(s->root);
    free(s->name);
    free(s->path);
    free(s->dir);
    memset(s, 0, sizeof(*s));
}

const char **suite_plugin_files(const struct suite *s)
{
    const char **files =
        calloc(s->n_unlearn + s->n_attacks + s->n_metrics + s->n_transfer + 1, sizeof(*files));
    size_t n = 0;
    if (!files)
        return NULL;
    const struct suite_entry *const lists[] = {s->unlearn, s->attack, s->metric, s->transfer};
    const unsigned counts[] = {s->n_unlearn, s->n_attacks, s->n_metrics, s->n_transfer};
    for (unsigned k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
        for (unsigned i = 0; i < counts[k]; i++) {
            bool seen = !lists[k][i].file;
            for (size_t j = 0; j < n && !seen; j++)
                seen = strcmp(files[j], lists[k][i].file) == 0;
            if (!seen)
                files[n++] = lists[k][i].file;
        }
    return files;
}
