/* Who fools whom: of the samples that fool the source, the share that fools the target too; on the
 * diagonal how often the attack succeeds on its own model. A matrix an attack. */
#include <math.h>
#include <string.h>

#include "figure_heat.h"

enum { MOST_MODELS = 64 };

struct models {
    const char *name[MOST_MODELS];
    size_t n;
};

/* 1-based; 0 when there are too many. */
static size_t place_of(struct models *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->name[i], name) == 0)
            return i + 1;
    if (m->n == MOST_MODELS)
        return 0;
    m->name[m->n++] = name;
    return m->n;
}

static int draw(const struct results *r, const char *attack, struct figure_place *place,
                struct error *err)
{
    struct models models = {.n = 0};
    struct heat h;
    heat_init(&h, "transfer", attack);
    h.percent = true;
    h.x_label = "target";
    heat_panel(&h, "");
    for (size_t i = 0; i < r->n_transfer; i++) {
        const struct result_transfer *t = &r->transfer[i];
        if (strcmp(t->attack, attack) != 0)
            continue;
        size_t source = place_of(&models, t->source), target = place_of(&models, t->target);
        if (source && target)
            heat_value(&h, 1, source, target, t->rate);
    }
    for (size_t i = 0; i < models.n; i++) {
        heat_row(&h, models.name[i]);
        heat_column(&h, models.name[i]);
    }
    strbuf_addf(&h.f.caption,
                "Transfer of %s between originals, percent: rows are the models attacked, columns "
                "those that are shown the samples; among samples that both get right and that fool "
                "the source. Diagonal: success on the model itself. Empty: no such sample, or less "
                "than 0.5.",
                attack);
    int rc = models.n > 1 ? heat_write(&h, place, err) : 0;
    heat_release(&h);
    return rc;
}

int figure_transfer(const struct board *b, const char *scenario, struct figure_place *place,
                    struct error *err)
{
    const struct results *r = b->results;
    for (size_t i = 0; i < r->n_transfer; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= strcmp(r->transfer[k].attack, r->transfer[i].attack) == 0;
        if (!again)
            TRY(draw(r, r->transfer[i].attack, place, err));
    }
    return figure_list_skip(&place->list, "the suite has no `transfer:` between two originals");
}
