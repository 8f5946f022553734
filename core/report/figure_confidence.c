/* Densities of the logit-scaled confidence on the forget, retain and test sets: one panel a
 * method, average over its runs. A model that has forgotten treats its forget set as it treats the
 * test set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curve_average.h"
#include "figure.h"
#include "report_names.h"

enum { TITLE_WIDTH = 27, N_SETS = 3 };

static const char *const sets[N_SETS] = {"forget", "retain", "test"};

struct panel_curves {
    const struct result_curve **curve; /* (n) */
    size_t n;
};

struct confidence_figure {
    struct figure f;
    const struct results *results;
    size_t n;           /* panels so far */
    double top;         /* largest density */
    double inner;       /* largest density but those of the outermost bins */
    double left, right; /* bins that hold a thousandth of a set or more */
};

static int collect(const struct results *r, const struct curve_key *key, struct panel_curves *ret,
                   struct error *err)
{
    size_t n = curve_find(r, key, NULL, 0);
    *ret = (struct panel_curves){malloc((n + 1) * sizeof(const struct result_curve *)), n};
    if (!ret->curve)
        return error_nomem(err);
    curve_find(r, key, ret->curve, n);
    return 0;
}

/* NaN for a set without curves. */
static double average(const struct panel_curves *p, double x)
{
    double sum = 0;
    for (size_t k = 0; k < p->n; k++)
        sum += curve_line_at(p->curve[k], x);
    return p->n ? sum / (double)p->n : NAN;
}

/* A density y in the bin around x. */
static void note_extent(struct confidence_figure *g, const struct result_curve *base, size_t i,
                        double y)
{
    double width = base->n > 1 ? base->x[1] - base->x[0] : 1;
    g->top = fmax(g->top, y); /* fmax and fmin drop a NaN */
    if (i > 0 && i + 1 < base->n)
        g->inner = fmax(g->inner, y);
    if (y * width >= 0.001) {
        g->left = fmin(g->left, base->x[i] - width);
        g->right = fmax(g->right, base->x[i] + width);
    }
}

/* Rows at the abscissas of the first curve there is. */
static void add_panel(struct confidence_figure *g, const char *method,
                      const struct panel_curves set[N_SETS])
{
    const struct result_curve *base = NULL;
    for (size_t s = 0; s < N_SETS && !base; s++)
        base = set[s].n ? set[s].curve[0] : NULL;
    if (!base)
        return;
    g->n++;
    for (size_t i = 0; i < base->n; i++) {
        csv_cell_int(&g->f.data, (int64_t)g->n);
        csv_cell(&g->f.data, method);
        csv_cell_double(&g->f.data, base->x[i]);
        for (size_t s = 0; s < N_SETS; s++) {
            double y = average(&set[s], base->x[i]);
            note_extent(g, base, i, y);
            csv_cell_double(&g->f.data, y);
        }
        csv_end_row(&g->f.data);
    }
    figure_title(&g->f, g->n, report_method_name(g->results, method), TITLE_WIDTH);
}

static int add_entry(struct confidence_figure *g, const struct board_entry *e, struct error *err)
{
    struct panel_curves set[N_SETS] = {{NULL, 0}};
    int rc = 0;
    for (size_t s = 0; rc == 0 && s < N_SETS; s++) {
        const struct curve_key key = {e->scenario, e->method, "confidence", sets[s]};
        rc = collect(g->results, &key, &set[s], err);
    }
    if (rc == 0)
        add_panel(g, e->method, set);
    for (size_t s = 0; s < N_SETS; s++)
        free(set[s].curve);
    return rc;
}

/* Panels that a grid of that many columns leaves empty. */
static size_t n_empty(size_t n, size_t columns)
{
    return (columns - n % columns) % columns;
}

static void lay_out(struct confidence_figure *g)
{
    size_t columns = g->n <= 9 && n_empty(g->n, 3) < n_empty(g->n, 4) ? 3 : 4;
    size_t rows = (g->n + columns - 1) / columns;
    g->f.width = 7;
    g->f.height = 0.75 + 1.25 * (double)rows;
    g->f.one_width = 3.4;
    g->f.one_height = 0.75 + 1.15 * (double)((g->n + 1) / 2);
    figure_number(&g->f, "panels", (double)g->n);
    figure_number(&g->f, "wide_columns", (double)columns);
    figure_number(&g->f, "left", g->left);
    figure_number(&g->f, "right", g->right);
    /* The outermost bins hold all that is beyond; they may leave the frame before they flatten the
     * rest. */
    figure_number(&g->f, "top", fmin(g->top, 4 * g->inner));
}

int figure_confidence(const struct board *b, const char *scenario, struct figure_place *place,
                      struct error *err)
{
    struct confidence_figure g = {.results = b->results, .left = NAN, .right = NAN};
    static const char *const header[] = {"panel", "method", "x", "forget", "retain", "test", NULL};
    int rc = 0;
    figure_init(&g.f, "confidence");
    figure_name(&g.f, "confidence");
    figure_name(&g.f, scenario);
    strbuf_addf(&g.f.settings, "array title_of[%zu]\n", b->n + 1);
    figure_header(&g.f, header);
    for (size_t i = 0; rc == 0 && i < b->n; i++)
        if (strcmp(b->entry[i].scenario, scenario) == 0)
            rc = add_entry(&g, &b->entry[i], err);
    if (rc == 0 && g.n > 0 && g.inner > 0 && g.left < g.right) {
        lay_out(&g);
        strbuf_addf(&g.f.caption,
                    "Densities of the logit-scaled confidence on the forget, retain and test sets "
                    "(%s), mean over runs; the outermost bins hold all that lies beyond.",
                    scenario);
        rc = figure_write(&g.f, place, err);
    } else if (rc == 0) {
        figure_list_skip(&place->list, "no run has the curves of the metric confidence");
    }
    figure_release(&g.f);
    return rc;
}
