/* Curves that metrics write: whatever they are, a panel a series, the mean of a method's runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curve_average.h"
#include "figure_lines.h"
#include "figure_parts.h"
#include "report_names.h"

enum { MOST_PANELS = 9, MOST_RUNS = 256 };

/* Curves with figures of their own. */
static bool is_known(const char *name)
{
    static const char *const names[] = {"confidence", "training",         "predictions",
                                        "accuracy",   "prediction-shift", "requests"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "roc-", 4) == 0 || strncmp(name, "risk-", 5) == 0 ||
           strncmp(name, "spectral", 8) == 0;
}

/* Mean over the runs at the points of the first; runs of another length are left out. */
static void add_line(struct lines *l, const struct results *r, const struct curve_key *key,
                     size_t panel, size_t line)
{
    const struct result_curve *run[MOST_RUNS];
    size_t n = curve_find(r, key, run, MOST_RUNS);
    n = n < MOST_RUNS ? n : MOST_RUNS;
    for (size_t i = 0; n > 0 && i < run[0]->n; i++) {
        double sum = 0, count = 0;
        for (size_t k = 0; k < n; k++)
            if (run[k]->n == run[0]->n && !isnan(run[k]->y[i])) {
                sum += run[k]->y[i];
                count++;
            }
        lines_point(l, panel, line, run[0]->x[i], count > 0 ? sum / count : NAN, NAN, NAN);
    }
}

struct curve_series {
    const char *name[MOST_PANELS];
    size_t n;
};

static void note_series(struct curve_series *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->name[i], name) == 0)
            return;
    if (s->n < MOST_PANELS)
        s->name[s->n++] = name;
}

static struct curve_series series_of(const struct results *r, const char *scenario,
                                     const char *name)
{
    struct curve_series s = {.n = 0};
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; k < r->row[i].n_curves; k++)
            if (strcmp(r->row[i].scenario, scenario) == 0 && r->row[i].status == VERDICT_OK &&
                r->row[i].curve[k].n > 1 && strcmp(r->row[i].curve[k].name, name) == 0)
                note_series(&s, r->row[i].curve[k].series);
    return s;
}

static int draw(const struct board *b, const char *scenario, const char *name,
                struct figure_place *place, struct error *err)
{
    struct curve_series s = series_of(b->results, scenario, name);
    struct lines l;
    lines_init(&l, "curve", name);
    figure_name(&l.f, scenario);
    for (size_t p = 0; p < s.n; p++)
        lines_panel(&l, s.name[p], "", 0);
    for (size_t i = 0; s.n && i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (strcmp(e->scenario, scenario) != 0 || e->n_used == 0)
            continue;
        size_t line = lines_line(&l, report_method_name(b->results, e->method),
                                 figure_style(b->results, e->method));
        for (size_t p = 0; p < s.n; p++) {
            const struct curve_key key = {scenario, e->method, name, s.name[p]};
            add_line(&l, b->results, &key, p + 1, line);
        }
    }
    strbuf_addf(&l.f.caption, "Curves of %s (%s), mean over runs.", name, scenario);
    int rc = s.n ? lines_write(&l, place, err) : 0;
    lines_release(&l);
    return rc;
}

/* The first row of the scenario that has the curve draws it for all. */
static bool is_first(const struct results *r, size_t row, size_t curve)
{
    const struct result_row *here = &r->row[row];
    for (size_t i = 0; i <= row; i++)
        for (size_t k = 0; k < (i < row ? r->row[i].n_curves : curve); k++)
            if (strcmp(r->row[i].scenario, here->scenario) == 0 &&
                strcmp(r->row[i].curve[k].name, here->curve[curve].name) == 0)
                return false;
    return true;
}

int figure_curve(const struct board *b, const char *scenario, struct figure_place *place,
                 struct error *err)
{
    const struct results *r = b->results;
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; strcmp(r->row[i].scenario, scenario) == 0 && k < r->row[i].n_curves; k++)
            if (!is_known(r->row[i].curve[k].name) && is_first(r, i, k))
                TRY(draw(b, scenario, r->row[i].curve[k].name, place, err));
    return figure_list_skip(&place->list, "no metric of this suite writes curves of its own");
}
