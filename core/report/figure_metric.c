/* Values of metrics that have no figure of their own, whoever wrote them: a panel an output, a
 * method a row, the oracles' mean as a line and their spread as a band. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_parts.h"
#include "figure_rows.h"
#include "labels.h"
#include "report_names.h"

enum { MOST_PANELS = 12 };

struct metric_figure {
    struct rows rows;
    const struct board *b;
    const char *scenario;
    const char *metric; /* label */
    size_t column[MOST_PANELS];
    size_t n, n_more; /* columns drawn, and those that found no room */
};

static bool has_values(const struct board *b, const char *scenario, size_t column)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->entry[i].scenario, scenario) == 0 && b->entry[i].row_class == ROW_METHOD &&
            !isnan(b->entry[i].cell[column].mean))
            return true;
    return false;
}

static bool is_of(const struct metric_figure *m, const struct result_column *c)
{
    return c->source && !c->is_attack && strcmp(c->source, m->metric) == 0;
}

static void choose_columns(struct metric_figure *m)
{
    const struct results *r = m->b->results;
    for (size_t c = 0; c < r->n_columns; c++) {
        if (!is_of(m, &r->column[c]) || !has_values(m->b, m->scenario, c))
            continue;
        if (m->n < MOST_PANELS)
            m->column[m->n++] = c;
        else
            m->n_more++;
    }
}

struct extent {
    double low, high;
};

static void widen(struct extent *e, double v)
{
    e->low = fmin(e->low, v); /* fmin and fmax drop a NaN */
    e->high = fmax(e->high, v);
}

static void whisker(const struct board_cell *cell, double *ret_low, double *ret_high)
{
    bool interval = !isnan(cell->ci_low);
    *ret_low = interval ? cell->ci_low : cell->mean - cell->sd;
    *ret_high = interval ? cell->ci_high : cell->mean + cell->sd;
}

static void add_value(struct metric_figure *m, size_t panel, size_t row,
                      const struct board_entry *e, struct extent *x)
{
    const struct board_cell *cell = &e->cell[m->column[panel - 1]];
    struct csv_writer *w = &m->rows.f.data;
    double low, high;
    if (isnan(cell->mean))
        return;
    whisker(cell, &low, &high);
    widen(x, cell->mean);
    widen(x, low);
    widen(x, high);
    csv_cell_int(w, (int64_t)panel);
    csv_cell_int(w, (int64_t)row);
    csv_cell(w, e->method);
    csv_cell(w, m->b->results->column[m->column[panel - 1]].name);
    csv_cell_int(w, cell->n);
    csv_cell_double(w, cell->mean);
    csv_cell_double(w, cell->sd);
    csv_cell_double(w, cell->ci_low);
    csv_cell_double(w, cell->ci_high);
    csv_cell_double(w, low);
    csv_cell_double(w, high);
    csv_end_row(w);
}

static void add_title(struct metric_figure *m, size_t panel, const struct extent *x)
{
    const struct result_column *c = &m->b->results->column[m->column[panel - 1]];
    struct strbuf title;
    strbuf_init(&title);
    report_column_name(&title, m->b->results, c->name);
    strbuf_adds(&title, c->unit && *c->unit == 'p' ? ", percent" : "");
    double air = 0.05 * (x->high - x->low);
    rows_panel(&m->rows, title.s, x->low - air, x->high + air);
    m->rows.f.settings.failed |= title.failed;
    strbuf_release(&title);
}

static void add_all(struct metric_figure *m)
{
    const struct board *b = m->b;
    struct extent x[MOST_PANELS];
    for (size_t p = 0; p < m->n; p++)
        x[p] = (struct extent){NAN, NAN};
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (strcmp(e->scenario, m->scenario) != 0 || e->n_used == 0)
            continue;
        size_t row = rows_add(&m->rows, report_method_name(b->results, e->method),
                              figure_style(b->results, e->method));
        for (size_t p = 0; p < m->n; p++)
            add_value(m, p + 1, row, e, &x[p]);
    }
    for (size_t p = 0; p < m->n; p++)
        add_title(m, p + 1, &x[p]);
}

static int draw(struct metric_figure *m, struct figure_place *place, struct error *err)
{
    static const char *const header[] = {"panel", "row",    "method",  "metric", "n",    "mean",
                                         "sd",    "ci_low", "ci_high", "low",    "high", NULL};
    rows_init(&m->rows, "metric", "metric", m->metric);
    figure_name(&m->rows.f, m->scenario);
    figure_header(&m->rows.f, header);
    choose_columns(m);
    int rc = 0;
    if (m->n) {
        add_all(m);
        strbuf_addf(&m->rows.f.caption,
                    "%s (%s): mean over runs with 95 %% interval, or one standard deviation where "
                    "there are too few runs; the band is that of the retrained models.",
                    m->metric, m->scenario);
        if (m->n_more)
            strbuf_addf(&m->rows.f.caption,
                        " The first %d outputs; %zu more are in leaderboard.csv.", MOST_PANELS,
                        m->n_more);
        rc = rows_write(&m->rows, 3, place, err);
    }
    rows_release(&m->rows);
    return rc;
}

/* Metrics whose values other figures and the leaderboard show. */
static bool is_shown(const char *metric)
{
    static const char *const names[] = {"accuracy", "confidence", "runtime"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], metric) == 0)
            return true;
    return false;
}

int figure_metric(const struct board *b, const char *scenario, struct figure_place *place,
                  struct error *err)
{
    const struct results *r = b->results;
    for (size_t c = 0; c < r->n_columns; c++) {
        const char *metric = r->column[c].source;
        bool again = c > 0 && metric && r->column[c - 1].source &&
                     strcmp(metric, r->column[c - 1].source) == 0;
        if (!metric || r->column[c].is_attack || again || is_shown(metric))
            continue;
        struct metric_figure m = {.b = b, .scenario = scenario, .metric = metric};
        TRY(draw(&m, place, err));
    }
    return figure_list_skip(&place->list, "every metric of this suite is on the leaderboard");
}
