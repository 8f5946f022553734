/* What the samples of forgotten classes are taken for: a panel a class, a method a row. A model
 * that never saw the class spreads them as retrain does; one wrong answer for all is not
 * forgetting. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "curve_average.h"
#include "figure_heat.h"
#include "report_names.h"

enum { MOST_RUNS = 512, MOST_SERIES = 16 };

/* Mean share over the runs of a method. */
static double share(const struct results *r, const struct curve_key *key, size_t k)
{
    const struct result_curve *run[MOST_RUNS];
    size_t n = curve_find(r, key, run, MOST_RUNS), count = 0;
    double sum = 0;
    for (size_t i = 0; i < (n < MOST_RUNS ? n : MOST_RUNS); i++)
        if (k < run[i]->n && !isnan(run[i]->y[k])) {
            sum += run[i]->y[k];
            count++;
        }
    return count ? sum / (double)count : NAN;
}

static size_t series_of(const struct results *r, const char *scenario, const char **ret,
                        size_t *ret_classes)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; k < r->row[i].n_curves; k++) {
            const struct result_curve *c = &r->row[i].curve[k];
            bool seen =
                strcmp(c->name, "predictions") != 0 || strcmp(r->row[i].scenario, scenario) != 0;
            for (size_t j = 0; j < n && !seen; j++)
                seen = strcmp(ret[j], c->series) == 0;
            if (!seen && n < MOST_SERIES) {
                ret[n++] = c->series;
                *ret_classes = c->n;
            }
        }
    return n;
}

static void add_entry(struct heat *h, const struct board *b, const struct board_entry *e,
                      const char *const *series, size_t n_series, size_t n_classes)
{
    size_t row = heat_row(h, report_method_name(b->results, e->method));
    for (size_t s = 0; s < n_series; s++) {
        const struct curve_key key = {e->scenario, e->method, "predictions", series[s]};
        for (size_t k = 0; k < n_classes; k++)
            heat_value(h, s + 1, row, k + 1, share(b->results, &key, k));
    }
}

int figure_predictions(const struct board *b, const char *scenario, struct figure_place *place,
                       struct error *err)
{
    const char *series[MOST_SERIES];
    size_t n_classes = 0, n = series_of(b->results, scenario, series, &n_classes);
    struct heat h;
    char label[32];
    if (n == 0)
        return figure_list_skip(&place->list, "no class is forgotten in this scenario");
    heat_init(&h, "predictions", scenario);
    h.percent = true;
    h.x_label = "predicted class";
    for (size_t s = 0; s < n; s++) {
        snprintf(label, sizeof(label), "class %.20s", n > 1 ? series[s] : "");
        heat_panel(&h, n > 1 ? label : "");
    }
    for (size_t k = 0; k < n_classes; k++) {
        snprintf(label, sizeof(label), "%zu", k);
        heat_column(&h, label);
    }
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->entry[i].scenario, scenario) == 0 && b->entry[i].n_used > 0)
            add_entry(&h, b, &b->entry[i], series, n, n_classes);
    strbuf_addf(&h.f.caption,
                "What the forgotten samples of a class are predicted as, in percent, mean over "
                "runs (%s).",
                scenario);
    int rc = heat_write(&h, place, err);
    heat_release(&h);
    return rc;
}
