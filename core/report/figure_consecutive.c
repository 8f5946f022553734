/* What consecutive forget requests do: the gap after each, and each term of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_lines.h"
#include "figure_parts.h"
#include "labels.h"
#include "report_names.h"

struct requests {
    struct lines l;
    const struct board_work *w;
    const char *scenario;
    int64_t last;
};

/* The values after each request, in one panel; column -1: the gap. */
static int add_line(struct requests *q, const char *method, size_t line, size_t panel, int column,
                    struct error *err)
{
    for (int64_t k = 1; k <= q->last; k++) {
        struct figure_runs runs = {q->scenario, method, k};
        struct figure_spread s;
        TRY(figure_spread(q->w, &runs, column, &s, err));
        lines_point(&q->l, panel, line, (double)k, s.mean, s.low, s.high);
    }
    return 0;
}

static void add_panels(struct requests *q, const struct results *r)
{
    struct strbuf heading;
    strbuf_init(&heading);
    lines_panel(&q->l, "gap, percentage points", "request", 0);
    for (size_t t = 0; t < r->n_gap; t++) {
        strbuf_reset(&heading);
        report_column_name(&heading, r, r->gap[t]);
        lines_panel(&q->l, heading.s, "request", 0);
    }
    strbuf_release(&heading);
}

static int add_methods(struct requests *q, const struct board *b, struct error *err)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (strcmp(e->scenario, q->scenario) != 0)
            continue;
        size_t line = lines_line(&q->l, report_method_name(b->results, e->method),
                                 figure_style(b->results, e->method));
        TRY(add_line(q, e->method, line, 1, -1, err));
        for (size_t t = 0; t < b->results->n_gap; t++)
            if (q->w->term[t] >= 0)
                TRY(add_line(q, e->method, line, t + 2, q->w->term[t], err));
    }
    return 0;
}

int figure_consecutive(const struct board *b, const char *scenario, struct figure_place *place,
                       struct error *err)
{
    struct board_work w;
    struct requests q = {
        .w = &w, .scenario = scenario, .last = figure_last_request(b->results, scenario)};
    if (q.last < 2)
        return figure_list_skip(&place->list, "the scenario has no consecutive requests");
    TRY(board_work_make(b->results, &w, err));
    lines_init(&q.l, "consecutive", scenario);
    q.l.points = true;
    add_panels(&q, b->results);
    int rc = add_methods(&q, b, err);
    strbuf_addf(&q.l.f.caption,
                "Gap and its terms after each of %lld consecutive requests (%s), mean over runs "
                "with 95 %% interval, or one standard deviation where there are too few runs.",
                (long long)q.last, scenario);
    if (rc == 0)
        rc = lines_write(&q.l, place, err);
    lines_release(&q.l);
    board_work_release(&w);
    return rc;
}
