/* ROC curves of one attack and scenario on logarithmic axes: where an attack matters is at few
 * false positives (Carlini et al., "Membership Inference Attacks From First Principles", 2022,
 * section III). One curve a method: vertical average of its runs (Fawcett, "An introduction to
 * ROC analysis", 2006, section 8.1) at fixed false positive rates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "curve_average.h"
#include "figure.h"
#include "report_names.h"

enum { N_POINTS = 200, LABEL_WIDTH = 34 };

struct roc_method {
    const char *label;
    enum row_class row_class;
    size_t style; /* place in the suite: a method looks alike in all figures, whatever its rank */
    const struct result_curve **curve; /* (n) */
    size_t n;
};

struct roc_figure {
    struct figure f;
    const struct results *results;
    struct roc_method *method;
    size_t n;
    double n_negatives;
};

/* The curves of a method; n stays 0 when it has none. */
static int collect(const struct results *r, const struct curve_key *key, struct roc_method *m,
                   struct error *err)
{
    *m = (struct roc_method){.label = key->method};
    size_t n = curve_find(r, key, NULL, 0);
    if (n == 0)
        return 0;
    m->curve = malloc(n * sizeof(const struct result_curve *));
    if (!m->curve)
        return error_nomem(err);
    m->n = curve_find(r, key, m->curve, n);
    return 0;
}

/* 1-based among the methods that are not sentinels; those have styles of their own. */
static size_t place_of(const struct results *r, const char *method)
{
    for (size_t i = 2; i < r->n_methods; i++)
        if (strcmp(r->method[i], method) == 0)
            return i - 1;
    return 1;
}

static int collect_all(struct roc_figure *g, const struct board *b, struct curve_key key,
                       struct error *err)
{
    double least = NAN;
    for (size_t i = 0; i < b->n; i++) {
        struct roc_method *m = &g->method[g->n];
        if (strcmp(b->entry[i].scenario, key.scenario) != 0)
            continue;
        key.method = b->entry[i].method;
        TRY(collect(b->results, &key, m, err));
        m->row_class = b->entry[i].row_class;
        m->style = place_of(b->results, m->label);
        g->n += m->n > 0;
        if (m->n)
            least = fmin(least, curve_least_step(m->curve, m->n)); /* fmin drops a NaN */
    }
    g->n_negatives = round(1 / least); /* the differences carry rounding errors */
    return 0;
}

static double average(const struct roc_method *m, double x)
{
    double sum = 0;
    for (size_t k = 0; k < m->n; k++)
        sum += curve_step_at(m->curve[k], x);
    return sum / (double)m->n;
}

/* The i-th of about N_POINTS logarithmic steps from one negative to all n. */
static double grid(double n, size_t i)
{
    return round(pow(n, (double)i / (N_POINTS - 1)));
}

static unsigned add_header(struct roc_figure *g)
{
    unsigned widest = 0;
    strbuf_addf(&g->f.settings, "array title_of[%zu]\narray style_of[%zu]\n", g->n + 1, g->n + 1);
    csv_cell(&g->f.data, "fpr");
    for (size_t m = 0; m < g->n; m++) {
        const char *label = report_method_name(g->results, g->method[m].label);
        unsigned cells = cells_width(label);
        figure_key(&g->f, m + 1, label, LABEL_WIDTH);
        strbuf_addf(&g->f.settings, "style_of[%zu] = %zu\n", m + 1, g->method[m].style);
        csv_cell(&g->f.data, g->method[m].label);
        widest = cells > widest ? cells : widest;
    }
    csv_end_row(&g->f.data);
    return widest < LABEL_WIDTH ? widest : LABEL_WIDTH;
}

/* At whole numbers of negatives, where the curves can step; the surplus makes k/n reachable
 * despite rounding. */
static void add_points(struct roc_figure *g)
{
    double last = 0;
    for (size_t i = 0; i < N_POINTS; i++) {
        double k = grid(g->n_negatives, i);
        if (k == last)
            continue;
        csv_cell_double(&g->f.data, k / g->n_negatives);
        for (size_t m = 0; m < g->n; m++)
            csv_cell_double(&g->f.data, average(&g->method[m], k / g->n_negatives * (1 + 1e-12)));
        csv_end_row(&g->f.data);
        last = k;
    }
}

/* Column (1-based) of the sentinel of that class in the data; 0 when it has no curve. */
static double sentinel_column(const struct roc_figure *g, enum row_class row_class)
{
    for (size_t m = 0; m < g->n; m++)
        if (g->method[m].row_class == row_class)
            return (double)m + 2;
    return 0;
}

static int write(struct roc_figure *g, const struct curve_key *key, struct figure_place *place,
                 struct error *err)
{
    double original = sentinel_column(g, ROW_ORIGINAL), retrain = sentinel_column(g, ROW_ORACLE);
    figure_name(&g->f, key->name);
    if (strcmp(key->series, "forget_test") != 0)
        figure_name(&g->f, key->series);
    figure_name(&g->f, key->scenario);
    unsigned widest = add_header(g);
    add_points(g);
    size_t key_columns = widest > 17 ? 1 : 2,
           key_rows = (g->n + key_columns) / key_columns; /* with chance */
    g->f.width = 4.05 + 0.066 * widest;
    g->f.height = fmax(3.45, 0.35 + 0.165 * (double)(g->n + 1));
    g->f.one_width = 3.4;
    g->f.one_height = 3.42 + 0.165 * (double)key_rows;
    strbuf_addf(&g->f.caption,
                "ROC of the attack %s on logarithmic axes (%s): forget set against %.0f test "
                "samples, vertical average over runs.",
                key->name + 4, key->scenario, g->n_negatives);
    figure_number(&g->f, "key_rows", (double)key_rows);
    figure_number(&g->f, "original", original);
    figure_number(&g->f, "retrain", retrain);
    figure_number(&g->f, "first_method", 2 + (original > 0) + (retrain > 0));
    figure_number(&g->f, "last_method", 1 + (double)g->n);
    figure_number(&g->f, "negatives", g->n_negatives);
    return figure_write(&g->f, place, err);
}

static int draw_curve(const struct board *b, struct curve_key key, struct figure_place *place,
                      struct error *err)
{
    struct roc_figure g = {.results = b->results, .method = calloc(b->n + 1, sizeof(*g.method))};
    figure_init(&g.f, "roc");
    int rc = g.method ? collect_all(&g, b, key, err) : error_nomem(err);
    if (rc == 0 && g.n > 0 && g.n_negatives > 1)
        rc = write(&g, &key, place, err);
    for (size_t m = 0; g.method && m <= b->n; m++)
        free(g.method[m].curve);
    free(g.method);
    figure_release(&g.f);
    return rc;
}

/* Whether an earlier row or an earlier curve of this row has the same curve. */
static bool seen_before(const struct results *r, size_t row, size_t curve)
{
    const struct result_curve *c = &r->row[row].curve[curve];
    for (size_t i = 0; i <= row; i++)
        for (size_t k = 0; k < (i < row ? r->row[i].n_curves : curve); k++)
            if (strcmp(r->row[i].curve[k].name, c->name) == 0 &&
                strcmp(r->row[i].curve[k].series, c->series) == 0)
                return true;
    return false;
}

int figure_roc(const struct board *b, const char *scenario, struct figure_place *place,
               struct error *err)
{
    const struct results *r = b->results;
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; k < r->row[i].n_curves; k++) {
            const struct result_curve *c = &r->row[i].curve[k];
            struct curve_key key = {.scenario = scenario, .name = c->name, .series = c->series};
            if (strncmp(c->name, "roc-", 4) == 0 && !seen_before(r, i, k))
                TRY(draw_curve(b, key, place, err));
        }
    return figure_list_skip(&place->list, "no membership attack has a ROC here");
}
