/* The lists of a manifest: parameters, scores, outputs. */
#include <math.h>
#include <string.h>

#include "external_internal.h"
#include "param_spec.h"
#include "text.h"

/* A list of maps under `key`; n 0 where there is none. */
static int list_of(const struct external_reader *r, const char *key, const struct yaml_node **ret,
                   struct error *err)
{
    const struct yaml_node *list = yaml_get(r->root, key);
    if (list && list->kind != YAML_LIST)
        return yaml_error(list, err, "%s: expected a list of maps", key);
    for (size_t i = 0; list && i < list->n; i++)
        if (list->child[i].value->kind != YAML_MAP)
            return yaml_error(list->child[i].value, err, "%s: expected a map with a name", key);
    *ret = list;
    return 0;
}

/* ---- parameters ---- */

static const char *const param_keys[] = {"name",    "type",   "default",   "min",
                                         "max",     "unit",   "doc",       "choices",
                                         "tunable", "search", "log_scale", NULL};

static int read_flag(const struct yaml_node *map, const char *key, uint64_t flag, uint64_t *io,
                     struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    bool on = false;
    if (node)
        TRY(yaml_bool(node, key, &on, err));
    *io |= on ? flag : 0;
    return 0;
}

static int read_choices(struct external_reader *r, const struct yaml_node *map, lethe_param *p,
                        struct error *err)
{
    const struct yaml_node *list = yaml_get(map, "choices");
    if (!list || list->kind != YAML_LIST || list->n == 0)
        return yaml_error(list ? list : map, err, "choices: expected a list of words");
    const char **words = external_alloc(r, (list->n + 1) * sizeof(*words));
    if (!words)
        return error_nomem(err);
    for (size_t i = 0; i < list->n; i++) {
        const char *text;
        TRY(yaml_string(list->child[i].value, "choices", &text, err));
        words[i] = external_copy(r, text);
    }
    p->choices = words;
    return 0;
}

/* A value written as in suites: by the parameter's own type, without bounds. */
static int read_value(const struct yaml_node *node, const char *key, const lethe_param *p,
                      lethe_value *ret, struct error *err)
{
    struct error why = ERROR_INIT;
    struct param_value v = {0, 0, NULL};
    struct param_spec spec = {.name = p->name,
                              .type = (enum param_type)p->type,
                              .min_i = INT64_MIN,
                              .max_i = INT64_MAX,
                              .min_r = -HUGE_VAL,
                              .max_r = HUGE_VAL,
                              .choices = p->choices};
    if (node->kind != YAML_SCALAR)
        return yaml_error(node, err, "%s: expected a single value", key);
    if (param_parse(&spec, node->text, &v, &why) < 0)
        return yaml_error(node, err, "%s: %s", key, why.text);
    if (p->type == LETHE_PARAM_REAL)
        ret->r = v.r;
    else if (p->type == LETHE_PARAM_STRING)
        ret->s = v.s;
    else
        ret->i = v.i;
    return 0;
}

static int read_bounds(const struct yaml_node *map, lethe_param *p, struct error *err)
{
    const struct yaml_node *min = yaml_get(map, "min"), *max = yaml_get(map, "max");
    bool real = p->type == LETHE_PARAM_REAL, number = real || p->type == LETHE_PARAM_INT;
    if ((min || max) && !number)
        return yaml_error(min ? min : max, err, "only int and real have bounds");
    if (real) {
        p->min.r = -HUGE_VAL;
        p->max.r = HUGE_VAL;
    } else if (number) {
        p->min.i = INT64_MIN;
        p->max.i = INT64_MAX;
    }
    if (min)
        TRY(read_value(min, "min", p, &p->min, err));
    return max ? read_value(max, "max", p, &p->max, err) : 0;
}

/* The values to try, "0.1,0.01", from a list or a text. */
static int read_search(struct external_reader *r, const struct yaml_node *map, lethe_param *p,
                       struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "search");
    struct strbuf text;
    lethe_value v;
    if (!node)
        return 0;
    strbuf_init(&text);
    int rc = node->kind == YAML_LIST
                 ? 0
                 : yaml_error(node, err, "search: expected a list of values to try");
    for (size_t i = 0; rc == 0 && i < node->n; i++) {
        rc = read_value(node->child[i].value, "search", p, &v, err);
        if (rc == 0)
            strbuf_addf(&text, "%s%s", i ? "," : "", node->child[i].value->text);
    }
    if (rc == 0)
        p->search = external_copy(r, text.s);
    strbuf_release(&text);
    return rc;
}

static int read_param(struct external_reader *r, const struct yaml_node *map, lethe_param *p,
                      struct error *err)
{
    const struct yaml_node *type = yaml_get(map, "type"), *def = yaml_get(map, "default");
    const char *word;
    TRY(yaml_known_keys(map, "params", param_keys, err));
    p->struct_size = sizeof(*p);
    TRY(external_text(r, map, "name", true, &p->name, err));
    TRY(external_text(r, map, "unit", false, &p->unit, err));
    TRY(external_text(r, map, "doc", false, &p->doc, err));
    if (!type || !def)
        return yaml_error(map, err, "params: %s has no %s", p->name, type ? "default" : "type");
    TRY(yaml_string(type, "type", &word, err));
    p->type = (uint32_t)param_type_from_name(word);
    if (p->type == 0)
        return yaml_error(type, err,
                          "type: expected bool, int, real, choice or string, found "
                          "\"%s\"",
                          word);
    if (p->type == LETHE_PARAM_CHOICE)
        TRY(read_choices(r, map, p, err));
    TRY(read_bounds(map, p, err));
    TRY(read_value(def, "default", p, &p->def, err));
    if (p->type == LETHE_PARAM_STRING)
        p->def.s = external_copy(r, def->text);
    TRY(read_flag(map, "tunable", LETHE_PARAM_TUNABLE, &p->flags, err));
    TRY(read_flag(map, "log_scale", LETHE_PARAM_LOG_SCALE, &p->flags, err));
    return read_search(r, map, p, err);
}

int external_params(struct external_reader *r, struct error *err)
{
    const struct yaml_node *list = NULL;
    TRY(list_of(r, "params", &list, err));
    if (!list || list->n == 0)
        return 0;
    lethe_param *params = external_alloc(r, list->n * sizeof(*params));
    if (!params)
        return error_nomem(err);
    for (size_t i = 0; i < list->n; i++)
        TRY(read_param(r, list->child[i].value, &params[i], err));
    r->out->plugin.params = params;
    r->out->plugin.n_params = (uint32_t)list->n;
    return 0;
}

/* ---- scores and outputs ---- */

int external_scores(struct external_reader *r, const lethe_score **ret, uint32_t *ret_n,
                    struct error *err)
{
    static const char *const keys[] = {"name", "doc", NULL};
    const struct yaml_node *list = NULL;
    TRY(list_of(r, "scores", &list, err));
    size_t n = list && list->n ? list->n : 1;
    lethe_score *scores = external_alloc(r, n * sizeof(*scores));
    if (!scores)
        return error_nomem(err);
    scores[0] = (lethe_score){sizeof(lethe_score), 0, "", r->out->info.summary};
    for (size_t i = 0; list && i < list->n; i++) {
        const struct yaml_node *map = list->child[i].value;
        scores[i].struct_size = sizeof(*scores);
        TRY(yaml_known_keys(map, "scores", keys, err));
        TRY(external_text(r, map, "name", true, &scores[i].name, err));
        TRY(external_text(r, map, "doc", false, &scores[i].doc, err));
    }
    *ret = scores;
    *ret_n = (uint32_t)n;
    return 0;
}

static int read_real(const struct yaml_node *map, const char *key, double *io, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node ? yaml_real(node, key, io, err) : 0;
}

static int read_output(struct external_reader *r, const struct yaml_node *map, lethe_output *o,
                       struct error *err)
{
    static const char *const keys[] = {"name",      "unit", "doc",      "better", "min",
                                       "reference", "max",  "constant", NULL};
    uint64_t better, reference;
    TRY(yaml_known_keys(map, "outputs", keys, err));
    TRY(external_text(r, map, "name", true, &o->name, err));
    TRY(external_text(r, map, "unit", false, &o->unit, err));
    TRY(external_text(r, map, "doc", false, &o->doc, err));
    TRY(external_word(map, "better", plugin_better_words, LETHE_BETTER_NEITHER, &better, err));
    TRY(external_word(map, "reference", plugin_reference_words, LETHE_REF_NONE, &reference, err));
    o->struct_size = sizeof(*o);
    o->shape = LETHE_SHAPE_SCALAR;
    o->better = (uint32_t)better;
    o->reference = (uint32_t)reference;
    o->x_name = "";
    o->lo = -HUGE_VAL;
    o->hi = HUGE_VAL;
    TRY(read_real(map, "min", &o->lo, err));
    TRY(read_real(map, "max", &o->hi, err));
    return read_real(map, "constant", &o->constant, err);
}

int external_outputs(struct external_reader *r, const lethe_output **ret, uint32_t *ret_n,
                     struct error *err)
{
    const struct yaml_node *list = NULL;
    TRY(list_of(r, "outputs", &list, err));
    if (!list || list->n == 0)
        return yaml_error(list ? list : r->root, err,
                          "outputs: expected a list such as [{name: distance, min: 0}]");
    lethe_output *outputs = external_alloc(r, list->n * sizeof(*outputs));
    if (!outputs)
        return error_nomem(err);
    for (size_t i = 0; i < list->n; i++)
        TRY(read_output(r, list->child[i].value, &outputs[i], err));
    *ret = outputs;
    *ret_n = (uint32_t)list->n;
    return 0;
}
