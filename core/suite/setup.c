#include "setup.h"

#include <string.h>

#include "strbuf.h"
#include "version.h"

static const char *text_of(const struct suite_entry *e, const char *key)
{
    const char *s = e->desc ? json_string_value(json_object_get(e->desc->json, key)) : NULL;
    return s ? s : "";
}

json_t *setup_entries(const struct suite_entry *e, unsigned n)
{
    json_t *list = json_array();
    for (unsigned i = 0; list && i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "label", e[i].label, "id",
                            e[i].desc ? e[i].desc->id : e[i].id, "name", text_of(&e[i], "name"),
                            "version", e[i].desc ? e[i].desc->version : "", "sha256",
                            e[i].desc ? e[i].desc->sha256 : "", "params",
                            e[i].params ? json_incref(e[i].params) : json_object()));
    return list;
}

static uint64_t count_parameters(const struct arch_layer *layer, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct arch_layer *l = &layer[i];
        uint64_t in = l->in[0], out = l->out[0], taps = (uint64_t)l->kernel * l->kernel;
        if (l->kind == LAYER_CONV)
            sum += out * in * taps + (l->bias ? out : 0);
        else if (l->kind == LAYER_LINEAR)
            sum += out * in + (l->bias ? out : 0);
        else if (l->kind == LAYER_BATCHNORM)
            sum += 2 * out;
        else if (l->kind == LAYER_RESIDUAL)
            sum +=
                count_parameters(l->body, l->n_body) + count_parameters(l->shortcut, l->n_shortcut);
    }
    return sum;
}

static json_t *seeds(const struct suite_seeds *s)
{
    json_t *list = json_array();
    for (unsigned i = 0; list && i < s->n; i++)
        json_array_append_new(list, json_integer((json_int_t)s->v[i]));
    return list;
}

static json_t *words(char *const *word, unsigned n)
{
    json_t *list = json_array();
    for (unsigned i = 0; list && i < n; i++)
        json_array_append_new(list, json_string(word[i]));
    return list;
}

static json_t *scenarios(const struct suite *s)
{
    json_t *list = json_array();
    for (unsigned i = 0; list && i < s->n_scenarios; i++)
        json_array_append_new(list, json_string(s->scenario[i].name));
    return list;
}

static json_t *pack(const struct plan *p, const json_t *resolved, const char *arch,
                    const char *recipe)
{
    const struct suite *s = p->suite;
    const struct arch *a = s->arch;
    return json_pack(
        "{s:s,s:s,s:O,s:s,s:s,s:I,s:i,s:i,s:i,s:o,s:{s:o,s:o,s:o},s:i,s:i,s:o,s:o,s:o,s:o,s:O*}",
        "lethe", LETHE_VERSION, "suite", s->name, "resolved", resolved, "arch", arch, "recipe",
        recipe, "parameters", (json_int_t)count_parameters(a->layer, a->n_layers), "train_rows",
        (int)p->n_train_rows, "test_rows", (int)p->n_test_rows, "classes", (int)a->classes,
        "scenarios", scenarios(s), "seeds", "model", seeds(&s->seed_model), "forget",
        seeds(&s->seed_forget), "unlearn", seeds(&s->seed_unlearn), "retrain", (int)s->n_retrain,
        "shadow", (int)s->n_shadow, "gap", words(s->gap, s->n_gap), "unlearn_methods",
        setup_entries(s->unlearn, s->n_unlearn), "attacks", setup_entries(s->attack, s->n_attacks),
        "metrics", setup_entries(s->metric, s->n_metrics), "worker", p->machine);
}

int setup_json(const struct plan *p, json_t **ret, struct error *err)
{
    const struct suite *s = p->suite;
    struct strbuf suite, arch, recipe;
    json_t *resolved = NULL, *setup = NULL;
    strbuf_init(&suite);
    strbuf_init(&arch);
    strbuf_init(&recipe);
    yaml_to_json(s->root, &suite);
    arch_text(s->arch, &arch);
    recipe_text(&s->train, &recipe);
    int rc = json_parse_text("the suite", suite.s, suite.len, &resolved, err);
    if (rc == 0)
        setup = pack(p, resolved, arch.s, recipe.s);
    if (rc == 0 && !setup)
        rc = error_nomem(err);
    json_decref(resolved);
    strbuf_release(&suite);
    strbuf_release(&arch);
    strbuf_release(&recipe);
    if (rc == 0)
        *ret = setup;
    return rc;
}
