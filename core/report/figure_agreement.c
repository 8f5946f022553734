/* Do the gap terms rank the methods alike? Kendall's tau between every two of them. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "figure_heat.h"
#include "labels.h"
#include "report_names.h"
#include "report_stats.h"

static void add_labels(struct heat *h, const struct results *r)
{
    struct strbuf heading;
    strbuf_init(&heading);
    for (size_t t = 0; t <= r->n_gap; t++) {
        strbuf_reset(&heading);
        if (t == r->n_gap)
            strbuf_adds(&heading, "gap");
        else
            report_column_name(&heading, r, r->gap[t]);
        heat_row(h, heading.s);
        heat_column(h, heading.s);
    }
    h->f.settings.failed |= heading.failed;
    strbuf_release(&heading);
}

int figure_agreement(const struct board *b, const char *scenario, struct figure_place *place,
                     struct error *err)
{
    const struct results *r = b->results;
    struct heat h;
    size_t least = SIZE_MAX;
    heat_init(&h, "agreement", scenario);
    h.diverging = true;
    heat_panel(&h, "");
    add_labels(&h, r);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i <= r->n_gap; i++)
        for (size_t j = 0; rc == 0 && j <= r->n_gap; j++) {
            size_t n = 0;
            double tau = 1;
            rc = report_agreement_of(b, scenario, i, j, &n, &tau, err);
            heat_value(&h, 1, i + 1, j + 1, i == j ? 1 : tau);
            least = n < least ? n : least;
        }
    strbuf_addf(&h.f.caption,
                "Kendall's tau between the rankings of the methods by each gap term and by the "
                "gap itself (%s, %zu methods).",
                scenario, least);
    if (rc == 0)
        rc = r->n_gap > 1 && least > 2
                 ? heat_write(&h, place, err)
                 : figure_list_skip(&place->list,
                                    "there are fewer than two gap terms or three methods");
    heat_release(&h);
    return rc;
}
