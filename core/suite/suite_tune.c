/* The `tune:` part of a suite. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "suite_internal.h"
#include "text.h"

enum { MAX_TRIALS = 1000, DEFAULT_TRIALS = 8, DEFAULT_SEED = 100 };

static int check_apart(const struct yaml_node *at, const char *what, const struct suite_seeds *tune,
                       const struct suite_seeds *reported, struct error *err)
{
    for (unsigned i = 0; i < tune->n; i++)
        for (unsigned k = 0; k < reported->n; k++)
            if (tune->v[i] == reported->v[k])
                return yaml_error(at, err,
                                  "tune.%s_seed: %lld is one of seeds.%s; methods are tuned on "
                                  "what is never reported, so choose another",
                                  what, (long long)tune->v[i], what);
    return 0;
}

static int parse_method(struct suite_tune *t, const struct yaml_node *node, struct error *err)
{
    static const char *const words[] = {"quasi-random", "grid"};
    const char *text;
    if (!node)
        return 0;
    TRY(yaml_string(node, "tune.method", &text, err));
    for (unsigned i = 0; i < 2; i++)
        if (strcmp(words[i], text) == 0) {
            t->method = (enum tune_method)i;
            return 0;
        }
    return yaml_error(node, err, "tune.method: expected quasi-random or grid, found \"%s\"", text);
}

/* The suite's own scenarios that draw another set from another seed. */
static int take_scenarios(struct suite *s, const struct yaml_node *at, struct error *err)
{
    struct suite_tune *t = &s->tune;
    t->scenario = calloc(s->n_scenarios, sizeof(*t->scenario));
    t->variant_of = calloc(s->n_scenarios, sizeof(*t->variant_of));
    if (!t->scenario || !t->variant_of)
        return error_nomem(err);
    for (unsigned i = 0; i < s->n_scenarios; i++)
        if (s->scenario[i].kind == FORGET_RANDOM) {
            t->variant_of[t->n_scenarios] = s->variant_of[i];
            t->scenario[t->n_scenarios++] = s->scenario[i];
        }
    if (t->n_scenarios == 0)
        return yaml_error(at, err,
                          "tune: no scenario of this suite is drawn by a seed, so name forget sets "
                          "that are not reported: tune: {forget: [{class: 5}]}");
    return 0;
}

static bool same_set(const struct forget_spec *a, const struct forget_spec *b)
{
    json_t *x = forget_identity(a, 0), *y = forget_identity(b, 0);
    bool same = x && y && json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

static int parse_scenarios(struct suite *s, const struct yaml_node *tune, struct error *err)
{
    struct suite_tune *t = &s->tune;
    const struct yaml_node *node = yaml_get(tune, "forget");
    if (!node)
        return take_scenarios(s, tune, err);
    TRY(suite_parse_scenarios(node, "tune.forget", s->dir, &t->scenario, &t->n_scenarios, err));
    t->variant_of = calloc(t->n_scenarios, sizeof(*t->variant_of)); /* the first variant */
    if (!t->variant_of)
        return error_nomem(err);
    for (unsigned i = 0; i < t->n_scenarios; i++)
        for (unsigned k = 0; k < s->n_scenarios; k++)
            if (!forget_depends_on_seed(&t->scenario[i]) &&
                same_set(&t->scenario[i], &s->scenario[k]))
                return yaml_error(node, err,
                                  "tune.forget: %s is reported; methods are tuned on forget sets "
                                  "that are never reported",
                                  t->scenario[i].name);
    return 0;
}

int suite_parse_tune(struct suite *s, struct error *err)
{
    static const char *const keys[] = {"trials", "forget_seed", "model_seed", "select",
                                       "method", "forget",      "retrain",    NULL};
    const struct yaml_node *node = yaml_get(s->root, "tune");
    struct suite_tune *t = &s->tune;
    const char *select = "gap";
    if (!node)
        return 0;
    TRY(yaml_known_keys(node, "tune", keys, err));
    t->on = true;
    t->trials = DEFAULT_TRIALS;
    t->n_retrain = s->n_retrain;
    TRY(suite_parse_count(yaml_get(node, "trials"), "tune.trials", 1, MAX_TRIALS, &t->trials, err));
    TRY(suite_parse_count(yaml_get(node, "retrain"), "tune.retrain", 1, 1000, &t->n_retrain, err));
    const struct yaml_node *model = yaml_get(node, "model_seed"),
                           *forget = yaml_get(node, "forget_seed");
    TRY(suite_parse_seeds(model, "tune.model_seed", DEFAULT_SEED, &t->seed_model, err));
    TRY(suite_parse_seeds(forget, "tune.forget_seed", DEFAULT_SEED, &t->seed_forget, err));
    TRY(check_apart(model ? model : node, "model", &t->seed_model, &s->seed_model, err));
    TRY(check_apart(forget ? forget : node, "forget", &t->seed_forget, &s->seed_forget, err));
    TRY(parse_method(t, yaml_get(node, "method"), err));
    TRY(parse_scenarios(s, node, err));
    if (yaml_get(node, "select"))
        TRY(yaml_string(yaml_get(node, "select"), "tune.select", &select, err));
    t->select = text_dup(select);
    return t->select ? 0 : error_nomem(err);
}

void suite_tune_release(struct suite_tune *t)
{
    for (unsigned i = 0; i < t->n_scenarios; i++) /* those of the suite have no rows */
        forget_release(&t->scenario[i]);
    free(t->scenario);
    free(t->variant_of);
    free(t->seed_model.v);
    free(t->seed_forget.v);
    free(t->select);
}

/* ---- after binding ---- */

bool suite_tune_is_gap(const char *select)
{
    return strcmp(select, "gap") == 0 || strcmp(select, "gap_worst") == 0;
}

int suite_check_select(const struct suite *s, struct error *err)
{
    struct columns columns;
    if (!s->tune.on || suite_tune_is_gap(s->tune.select))
        return 0;
    TRY(columns_make(s, &columns, err));
    const char **names = calloc(columns.n + 3, sizeof(*names));
    int rc = names ? 0 : error_nomem(err);
    bool found = false;
    for (size_t i = 0; rc == 0 && i < columns.n; i++) {
        names[i] = columns.column[i].name;
        found = found || strcmp(names[i], s->tune.select) == 0;
    }
    if (rc == 0 && !found) {
        names[columns.n] = "gap";
        names[columns.n + 1] = "gap_worst";
        const char *near = text_did_you_mean(s->tune.select, names);
        rc = yaml_error(yaml_get(yaml_get(s->root, "tune"), "select"), err,
                        "tune.select: expected gap, gap_worst or a column of runs.csv, found "
                        "\"%s\"%s%s%s",
                        s->tune.select, near ? "; did you mean \"" : "", near ? near : "",
                        near ? "\"?" : "");
    }
    free(names);
    columns_release(&columns);
    return rc;
}
