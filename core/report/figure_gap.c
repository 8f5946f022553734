/* Gaps of one scenario as bars: the best method on top, original below all, the noise floor of
 * the retrained models as a band behind them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "figure.h"
#include "report_names.h"

enum { LABEL_WIDTH = 34 };

struct gap_figure {
    const struct board *board;
    const char *scenario;
    struct figure f;
    size_t n_bars;
    unsigned label_width; /* cells of the widest label */
    bool intervals;       /* whiskers are 95 % intervals, which every bar has; else one sd */
    bool spread;          /* any bar has a whisker */
    double *top;          /* (n_bars) where each bar or its whisker ends */
};

/* NaN where there is none. A gap is never negative, so neither is a whisker. The floor has as many
 * cells as there are forget sets alone, so it is shown with its standard deviation where it has no
 * interval. */
static void whisker(const struct gap_figure *g, const struct board_entry *e, double *ret_low,
                    double *ret_high)
{
    bool interval = g->intervals && !isnan(e->gap_ci_high);
    *ret_high = interval ? e->gap_ci_high : e->gap + e->gap_sd;
    *ret_low = interval ? e->gap_ci_low : e->gap - e->gap_sd;
    *ret_low = isnan(*ret_high) ? NAN : fmax(0, *ret_low);
}

static void add_text(const struct gap_figure *g, struct strbuf *out, const struct board_entry *e)
{
    if (isnan(e->gap))
        strbuf_addf(out, e->n_used ? "no gap" : "failed");
    else if (g->intervals && !isnan(e->gap_ci_low))
        strbuf_addf(out, "%.2f [%.2f; %.2f]", e->gap, e->gap_ci_low, e->gap_ci_high);
    else if (isnan(e->gap_sd))
        strbuf_addf(out, "%.2f", e->gap);
    else
        strbuf_addf(out, "%.2f ± %.2f", e->gap, e->gap_sd);
    if (e->n_used < e->n_planned)
        strbuf_addf(out, "  (%u/%u)", (unsigned)e->n_used, (unsigned)e->n_planned);
}

static void add_short(struct strbuf *out, const struct board_entry *e)
{
    if (isnan(e->gap))
        strbuf_adds(out, e->n_used ? "no gap" : "failed");
    else
        strbuf_addf(out, "%.2f", e->gap);
}

/* Every method that has a gap has an interval too. */
static bool all_intervals(const struct board *b, const char *scenario)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (strcmp(e->scenario, scenario) != 0 || e->row_class != ROW_METHOD || isnan(e->gap))
            continue;
        if (isnan(e->gap_ci_low))
            return false;
        n++;
    }
    return n > 0;
}

static void add_row(struct gap_figure *g, const struct board_entry *e, size_t position,
                    const char *kind)
{
    struct csv_writer *w = &g->f.data;
    struct strbuf text, brief;
    double low, high;
    strbuf_init(&text);
    strbuf_init(&brief);
    whisker(g, e, &low, &high);
    add_text(g, &text, e);
    add_short(&brief, e);
    csv_cell_int(w, (int64_t)position);
    if (e->rank)
        csv_cell_int(w, e->rank);
    else
        csv_cell(w, NULL);
    csv_cell(w, e->method);
    csv_cell(w, kind);
    csv_cell_int(w, e->n_planned);
    csv_cell_int(w, e->n_used);
    const double v[] = {e->gap,          e->gap_sd,    e->gap_ci_low, e->gap_ci_high,
                        e->gap_of_means, e->gap_worst, low,           high};
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        csv_cell_double(w, v[i]);
    csv_cell(w, text.s);
    csv_cell(w, brief.s);
    csv_end_row(w);
    if (position) {
        g->spread |= !isnan(high);
        const char *label = report_method_name(g->board->results, e->method);
        figure_title(&g->f, position, label, LABEL_WIDTH);
        g->label_width = (unsigned)fmax(g->label_width, fmin(cells_width(label), LABEL_WIDTH));
        g->top[g->n_bars++] = isnan(e->gap) ? 0 : fmax(e->gap, high); /* fmax drops a NaN */
    }
    w->out.failed |= text.failed | brief.failed;
    strbuf_release(&text);
    strbuf_release(&brief);
}

static void add_rows(struct gap_figure *g)
{
    static const char *const names[] = {"position",    "rank",         "method",       "kind",
                                        "n_planned",   "n_used",       "gap",          "gap_sd",
                                        "gap_ci_low",  "gap_ci_high",  "gap_of_means", "gap_worst",
                                        "whisker_low", "whisker_high", "text",         "short",
                                        NULL};
    const struct board *b = g->board;
    strbuf_addf(&g->f.settings, "array title_of[%zu]\n", b->n + 1);
    figure_header(&g->f, names);
    const struct board_entry *original = NULL;
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (strcmp(e->scenario, g->scenario) != 0)
            continue;
        if (e->row_class == ROW_METHOD)
            add_row(g, e, g->n_bars + 1, e->rank ? "method" : "unranked");
        else if (e->row_class == ROW_ORACLE)
            add_row(g, e, 0, "noise-floor");
        else
            original = e;
    }
    if (original)
        add_row(g, original, g->n_bars + 1, "original");
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Right end of the axis. One method that wrecks its model must not press all other bars into a
 * line: bars far above the rest (4 medians, and at least twice the longest that stays) are cut,
 * and marked as cut; their number stands beside them. */
static double axis_end(double *top, size_t n)
{
    qsort(top, n, sizeof(*top), by_size);
    double median = n ? (top[(n - 1) / 2] + top[n / 2]) / 2 : 0;
    double all = n ? top[n - 1] : 0, kept = 0;
    for (size_t i = 0; i < n && top[i] <= 4 * median; i++)
        kept = top[i];
    double end = kept > 0 && all >= 2 * kept ? kept : all;
    return end > 0 ? 1.06 * end : 1;
}

static void lay_out(struct gap_figure *g)
{
    g->f.width = g->intervals ? 6 : 5.5;
    g->f.height = 0.85 + 0.22 * (double)g->n_bars;
    g->f.one_width = 3.4;
    g->f.one_height = 0.85 + 0.19 * (double)g->n_bars;
    figure_number(&g->f, "rows", (double)g->n_bars);
    figure_number(&g->f, "label_cells", g->label_width);
    figure_text(&g->f, "spread",
                !g->spread     ? ""
                : g->intervals ? "95 % interval"
                               : "± 1 sd over runs");
    figure_text(&g->f, "heading",
                !g->spread     ? "mean"
                : g->intervals ? "mean, interval"
                               : "mean ± sd");
    figure_number(&g->f, "axis_end", axis_end(g->top, g->n_bars));
    strbuf_addf(&g->f.caption,
                "Mean gap to the retrained models in percentage points (%s), mean over runs%s; "
                "the band is the noise floor, the gap of each retrained model to the others. "
                "Cut bars leave the axis.",
                g->scenario,
                !g->spread     ? ""
                : g->intervals ? " with 95 % interval"
                               : " with one standard deviation");
}

int figure_gap(const struct board *b, const char *scenario, struct figure_place *place,
               struct error *err)
{
    struct gap_figure g = {
        .board = b, .scenario = scenario, .intervals = all_intervals(b, scenario)};
    figure_init(&g.f, "gap");
    g.top = malloc((b->n + 1) * sizeof(*g.top));
    int rc = g.top ? 0 : error_nomem(err);
    if (rc == 0) {
        figure_name(&g.f, "gap");
        figure_name(&g.f, scenario);
        add_rows(&g);
        lay_out(&g);
        rc = figure_write(&g.f, place, err);
    }
    free(g.top);
    figure_release(&g.f);
    return rc;
}
