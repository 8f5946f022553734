/* Risk of each forgotten sample before and after: a point a sample, across its risk on the original
 * model, up that on the unlearned one. Averages hide who is harmed (Hayes et al., "Inexact
 * unlearning needs more careful evaluations", 2024). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curve_average.h"
#include "figure.h"
#include "report_names.h"

enum { MOST_POINTS = 120, TITLE_WIDTH = 14 };

struct risk_figure {
    struct figure f;
    const struct board *b;
    struct curve_key key;
    const struct result_curve *before;
    size_t n; /* panels */
};

static const struct result_curve *first_curve(const struct results *r, struct curve_key key,
                                              const char *method)
{
    const struct result_curve *c = NULL;
    key.method = method;
    curve_find(r, &key, &c, 1);
    return c;
}

/* Share of the samples that are no longer told from test samples: risk above .9 before, at most .9
 * after. */
static double share_relieved(const struct result_curve *before, const struct result_curve *after)
{
    double n = 0, relieved = 0;
    for (size_t i = 0; i < before->n && i < after->n; i++)
        if (before->y[i] > 0.9) {
            n++;
            relieved += after->y[i] <= 0.9;
        }
    return n > 0 ? relieved / n : NAN;
}

static void add_panel(struct risk_figure *g, const char *method, const struct result_curve *after)
{
    size_t n = g->before->n < after->n ? g->before->n : after->n;
    size_t step = n > MOST_POINTS ? (n + MOST_POINTS - 1) / MOST_POINTS : 1;
    double share = share_relieved(g->before, after);
    char name[48], text[24] = "";
    figure_title(&g->f, ++g->n, report_method_name(g->b->results, method), TITLE_WIDTH);
    if (!isnan(share))
        snprintf(text, sizeof(text), "%.0f %%", 100 * share);
    snprintf(name, sizeof(name), "share_of[%zu]", g->n);
    figure_text(&g->f, name, text);
    for (size_t i = 0; i < n; i++) {
        csv_cell_int(&g->f.data, (int64_t)g->n);
        csv_cell(&g->f.data, method);
        csv_cell_double(&g->f.data, g->before->x[i]);
        csv_cell_double(&g->f.data, g->before->y[i]);
        csv_cell_double(&g->f.data, after->y[i]);
        csv_cell_int(&g->f.data, i % step == 0);
        csv_end_row(&g->f.data);
    }
}

static void add_panels(struct risk_figure *g)
{
    for (size_t i = 0; i < g->b->n; i++) {
        const struct board_entry *e = &g->b->entry[i];
        if (strcmp(e->scenario, g->key.scenario) != 0 || e->row_class == ROW_ORIGINAL)
            continue;
        const struct result_curve *after = first_curve(g->b->results, g->key, e->method);
        if (after)
            add_panel(g, e->method, after);
    }
}

static void lay_out(struct risk_figure *g)
{
    size_t columns = g->n < 5 ? g->n : 5;
    size_t rows = (g->n + columns - 1) / columns;
    g->f.width = 0.65 + 1.27 * (double)columns;
    g->f.height = 0.55 + 1.4 * (double)rows;
    g->f.one_width = 3.4;
    g->f.one_height = 0.55 + 1.5 * (double)((g->n + 1) / 2);
    figure_number(&g->f, "panels", (double)g->n);
    figure_number(&g->f, "wide_columns", (double)columns);
    strbuf_addf(&g->f.caption,
                "Risk of each sample of the forget set by %s before (across) and after unlearning "
                "(up), first seeds alone (%s). Risk: share of test samples that look less like "
                "members; at most 120 samples are drawn. Above: share of the samples with a risk "
                "over .9 that come to lie below.",
                g->key.name + 5, g->key.scenario);
}

static int draw(const struct board *b, struct curve_key key, struct figure_place *place,
                struct error *err)
{
    static const char *const header[] = {"panel", "method", "sample", "before",
                                         "after", "drawn",  NULL};
    struct risk_figure g = {.b = b, .key = key};
    int rc = 0;
    g.before = first_curve(b->results, key, "original");
    figure_init(&g.f, "risk");
    figure_name(&g.f, key.name);
    if (*key.series && strcmp(key.series, "score") != 0)
        figure_name(&g.f, key.series);
    figure_name(&g.f, key.scenario);
    figure_header(&g.f, header);
    strbuf_adds(&g.f.settings, "array title_of[999]\narray share_of[999]\n");
    if (g.before)
        add_panels(&g);
    if (g.n) {
        lay_out(&g);
        rc = figure_write(&g.f, place, err);
    }
    figure_release(&g.f);
    return rc;
}

int figure_risk(const struct board *b, const char *scenario, struct figure_place *place,
                struct error *err)
{
    const struct results *r = b->results;
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *row = &r->row[i];
        if (row->row_class != ROW_ORIGINAL || strcmp(row->scenario, scenario) != 0 ||
            row->n_curves == 0)
            continue;
        for (size_t k = 0; k < row->n_curves; k++) {
            const struct curve_key key = {scenario, NULL, row->curve[k].name, row->curve[k].series};
            if (strncmp(key.name, "risk-", 5) == 0)
                TRY(draw(b, key, place, err));
        }
        break; /* the first seeds alone have risks */
    }
    return figure_list_skip(&place->list, "no membership attack has scores of single samples here");
}
