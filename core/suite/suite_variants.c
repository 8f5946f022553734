/* suite_variants.c: `variants:`: the same scenarios for models that were trained differently.
 *
 *   variants:
 *     - plain: {}
 *     - clipped: {spectral_clip: {value: 1.0}}
 *
 * turns scenario random-0.1 into random-0.1-plain and random-0.1-clipped, each a block of the
 * board with originals, oracles and shadow models of its own recipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite_internal.h"
#include "text.h"

static int check_name(const struct suite *s, unsigned i, const struct yaml_node *item,
                      struct error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *name = item->child[0].key;
    if (!*name || strspn(name, allowed) != strlen(name))
        return yaml_error(item, err,
                          "variants: expected a name of letters, digits, '.', '_' and '-', found "
                          "\"%s\"",
                          name);
    for (unsigned j = 0; j < i; j++)
        if (strcmp(s->variant[j].name, name) == 0)
            return yaml_error(item, err, "variants: \"%s\" stands twice", name);
    return 0;
}

static int parse_variant(struct suite *s, const struct yaml_node *item, unsigned i,
                         struct error *err)
{
    struct suite_variant *v = &s->variant[i];
    if (item->kind != YAML_MAP || item->n != 1)
        return yaml_error(item, err,
                          "variants: expected {NAME: {what it changes of train}}, as {clipped: "
                          "{spectral_clip: {value: 1}}}");
    TRY(check_name(s, i, item, err));
    const struct yaml_node *train = item->child[0].value;
    v->name = text_dup(item->child[0].key);
    v->train = s->train;
    if (!v->name)
        return error_nomem(err);
    bool empty = train->kind == YAML_SCALAR && !*train->text;
    return empty ? 0 : recipe_parse(train, &v->train, err);
}

/* The scenario of list item `item` for variant v. */
static int make_scenario(const struct suite *s, const struct yaml_node *item,
                         const struct suite_variant *v, struct forget_spec *ret, struct error *err)
{
    TRY(forget_parse(item, s->dir, ret, err));
    size_t have = strlen(ret->name), size = sizeof(ret->name);
    int n = snprintf(ret->name + have, size - have, "-%s", v->name);
    if (n >= 0 && (size_t)n < size - have)
        return 0;
    ret->name[have] = '\0';
    return yaml_error(item, err, "variants: the name %s-%s is too long; shorten it", ret->name,
                      v->name);
}

static int multiply(struct suite *s, struct error *err)
{
    const struct yaml_node *forget = yaml_get(s->root, "forget");
    unsigned n = s->n_scenarios * s->n_variants, at = 0;
    struct forget_spec *all = calloc(n, sizeof(*all));
    int rc = all ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < s->n_scenarios; i++)
        for (unsigned v = 0; rc == 0 && v < s->n_variants; v++) {
            rc = make_scenario(s, forget->child[i].value, &s->variant[v], &all[at], err);
            s->variant_of[at++] = v;
        }
    if (rc < 0) {
        for (unsigned i = 0; i < at; i++)
            forget_release(&all[i]);
        free(all);
        return rc;
    }
    for (unsigned i = 0; i < s->n_scenarios; i++)
        forget_release(&s->scenario[i]);
    free(s->scenario);
    s->scenario = all;
    s->n_scenarios = n;
    return 0;
}

int suite_parse_variants(struct suite *s, struct error *err)
{
    const struct yaml_node *list = yaml_get(s->root, "variants");
    if (list && (list->kind != YAML_LIST || list->n == 0))
        return yaml_error(list, err,
                          "variants: expected a list, as [{plain: {}}, {clipped: {spectral_clip: "
                          "{value: 1}}}]");
    s->n_variants = list ? (unsigned)list->n : 1;
    s->variant = calloc(s->n_variants, sizeof(*s->variant));
    s->variant_of = calloc((size_t)s->n_scenarios * s->n_variants, sizeof(*s->variant_of));
    if (!s->variant || !s->variant_of)
        return error_nomem(err);
    if (list) {
        for (unsigned i = 0; i < s->n_variants; i++)
            TRY(parse_variant(s, list->child[i].value, i, err));
        return multiply(s, err);
    }
    s->variant[0].train = s->train;
    s->variant[0].name = text_dup("");
    return s->variant[0].name ? 0 : error_nomem(err);
}

void suite_variants_release(struct suite *s)
{
    for (unsigned i = 0; s->variant && i < s->n_variants; i++)
        free(s->variant[i].name);
    free(s->variant);
    free(s->variant_of);
}
