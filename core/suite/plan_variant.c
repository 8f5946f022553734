/* plan_variant.c: what the tasks of one variant of a suite share. */
#include <stdlib.h>

#include "plan_internal.h"
#include "strbuf.h"

struct plan_variant {
    char *recipe, *original;
    uint32_t *shadow, *shadow_model;
    bool shadows_planned;
};

static char *text_of(const struct recipe *r)
{
    struct strbuf text;
    strbuf_init(&text);
    recipe_text(r, &text);
    return strbuf_detach(&text);
}

int plan_variants_make(struct planner *b, struct error *err)
{
    const struct suite *s = b->suite;
    b->variant = calloc(s->n_variants, sizeof(*b->variant));
    if (!b->variant)
        return error_nomem(err);
    for (unsigned i = 0; i < s->n_variants; i++) {
        struct recipe alone = s->variant[i].train;
        alone.lotos.on = false;
        b->variant[i].original = text_of(&s->variant[i].train);
        b->variant[i].recipe = text_of(&alone);
        if (!b->variant[i].original || !b->variant[i].recipe)
            return error_nomem(err);
    }
    return 0;
}

void plan_variants_release(struct planner *b)
{
    for (unsigned i = 0; b->variant && i < b->suite->n_variants; i++) {
        free(b->variant[i].recipe);
        free(b->variant[i].original);
        free(b->variant[i].shadow);
        free(b->variant[i].shadow_model);
    }
    free(b->variant);
}

int plan_variant_at(struct planner *b, unsigned at, struct error *err)
{
    struct plan_variant *v = &b->variant[at];
    b->variant_at = at;
    b->recipe = &b->suite->variant[at].train;
    b->recipe_text = v->recipe;
    b->original_text = v->original;
    b->shadow = v->shadow;
    b->shadow_model = v->shadow_model;
    if (v->shadows_planned)
        return 0;
    v->shadows_planned = true;
    int rc = plan_shadows(b, err);
    v->shadow = b->shadow;
    v->shadow_model = b->shadow_model;
    return rc;
}

int plan_variant_use(struct planner *b, unsigned scenario, struct error *err)
{
    return plan_variant_at(b, b->suite->variant_of[scenario], err);
}
