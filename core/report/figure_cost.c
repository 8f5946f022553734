/* What forgetting costs on any machine: samples through the network, forward and backward, those
 * of adversarial samples included; and the gap against seconds with the Pareto front. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_lines.h"
#include "figure_parts.h"
#include "figure_rows.h"
#include "report_names.h"
#include "stats.h"

enum { N_COUNTS = 4 };
static const char *const counts[N_COUNTS] = {"forward", "backward", "attack_forward",
                                             "attack_backward"};

static int count_index(const struct results *r, const char *name)
{
    for (size_t i = 0; i < r->n_counts; i++)
        if (strcmp(r->count_name[i], name) == 0)
            return (int)i;
    return -1;
}

static bool is_of(const struct result_row *row, const struct board_entry *e)
{
    return row->status == VERDICT_OK && !row->interim && strcmp(row->scenario, e->scenario) == 0 &&
           strcmp(row->method, e->method) == 0;
}

/* Mean over the runs that were counted; NaN without any. */
static double mean_count(const struct results *r, const struct board_entry *e, int index)
{
    double sum = 0, n = 0;
    for (size_t i = 0; index >= 0 && i < r->n_rows; i++)
        if (is_of(&r->row[i], e) && !isnan(r->row[i].count[index])) {
            sum += r->row[i].count[index];
            n++;
        }
    return n > 0 ? sum / n : NAN;
}

static double add_costs(struct rows *rows, const struct results *r, const struct board_entry *e)
{
    double v[N_COUNTS], all;
    for (size_t k = 0; k < N_COUNTS; k++)
        v[k] = mean_count(r, e, count_index(r, counts[k]));
    if (isnan(v[0]) || isnan(v[1]))
        return NAN;
    double forward = v[0] + (isnan(v[2]) ? 0 : v[2]), backward = v[1] + (isnan(v[3]) ? 0 : v[3]);
    all = forward + backward;
    csv_cell_int(&rows->f.data, (int64_t)rows_add(rows, report_method_name(r, e->method),
                                                  figure_style(r, e->method)));
    csv_cell(&rows->f.data, e->method);
    for (size_t k = 0; k < N_COUNTS; k++)
        csv_cell_double(&rows->f.data, v[k]);
    csv_cell_double(&rows->f.data, forward);
    csv_cell_double(&rows->f.data, all);
    csv_end_row(&rows->f.data);
    return all;
}

int figure_cost(const struct board *b, const char *scenario, struct figure_place *place,
                struct error *err)
{
    static const char *const header[] = {
        "row",         "method", "forward", "backward", "attack_forward", "attack_backward",
        "forward_end", "end",    NULL};
    struct rows rows;
    double most = NAN;
    rows_init(&rows, "cost", "cost", scenario);
    figure_header(&rows.f, header);
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->entry[i].scenario, scenario) == 0 && b->entry[i].row_class != ROW_ORIGINAL)
            most = fmax(most, add_costs(&rows, b->results, &b->entry[i])); /* drops a NaN */
    rows_panel(&rows, "", 0, 1.06 * most);
    strbuf_addf(&rows.f.caption,
                "Samples through the network, forward and backward, mean over runs, adversarial "
                "samples included (%s); equal on every machine. Retrain is training anew.",
                scenario);
    int rc = rows.n > 1 ? rows_write(&rows, 1, place, err)
                        : figure_list_skip(&place->list, "no run was counted");
    rows_release(&rows);
    return rc;
}

/* ---- gap against seconds ---- */

static double mean_seconds(const struct results *r, const struct board_entry *e)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        if (is_of(&r->row[i], e) && r->row[i].wall_s > 0) {
            sum += r->row[i].wall_s;
            n++;
        }
    return n > 0 ? sum / n : NAN;
}

struct timed {
    const struct board_entry *entry;
    double seconds;
};

/* Nobody is both faster and nearer. */
static bool on_front(const struct timed *t, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++) {
        bool better = t[k].seconds <= t[i].seconds && t[k].entry->gap <= t[i].entry->gap;
        if (better && (t[k].seconds < t[i].seconds || t[k].entry->gap < t[i].entry->gap))
            return false;
    }
    return true;
}

static int by_seconds(const void *a, const void *b)
{
    const struct timed *x = a, *y = b;
    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* Steps: where the front changes, the better gap holds from then on. */
static void add_front(struct lines *l, size_t panel, size_t line, struct timed *t, size_t n)
{
    double last = NAN;
    qsort(t, n, sizeof(*t), by_seconds);
    for (size_t i = 0; i < n; i++) {
        if (!on_front(t, n, i))
            continue;
        if (!isnan(last))
            lines_point(l, panel, line, t[i].seconds, last, NAN, NAN);
        lines_point(l, panel, line, t[i].seconds, t[i].entry->gap, NAN, NAN);
        last = t[i].entry->gap;
    }
}

static size_t collect(const struct board *b, const char *scenario, struct timed *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        double s = mean_seconds(b->results, e);
        if (strcmp(e->scenario, scenario) == 0 && e->row_class == ROW_METHOD && e->gap > 0 &&
            !isnan(s))
            ret[n++] = (struct timed){e, s};
    }
    return n;
}

static void add_points(struct lines *l, const struct board *b, struct timed *t, size_t n,
                       const struct board_entry *retrain)
{
    size_t panel = lines_panel(l, "", "seconds per run, preparation included", 3);
    for (size_t i = 0; i < n; i++) {
        const struct board_entry *e = t[i].entry;
        size_t line = lines_line(l, report_method_name(b->results, e->method),
                                 figure_style(b->results, e->method));
        lines_point(l, panel, line, t[i].seconds, e->gap, NAN, NAN);
    }
    if (retrain && retrain->gap > 0) {
        size_t line = lines_line(l, report_method_name(b->results, retrain->method), 0);
        lines_point(l, panel, line, mean_seconds(b->results, retrain), retrain->gap, NAN, NAN);
        lines_floor(l, panel, fmax(retrain->gap - retrain->gap_sd, 0.5 * retrain->gap),
                    retrain->gap, retrain->gap + retrain->gap_sd);
    }
    add_front(l, panel, lines_line(l, "Pareto front", -1), t, n);
}

int figure_time(const struct board *b, const char *scenario, struct figure_place *place,
                struct error *err)
{
    struct timed *t = malloc((b->n + 1) * sizeof(*t));
    struct lines l;
    if (!t)
        return error_nomem(err);
    size_t n = collect(b, scenario, t);
    lines_init(&l, "time", scenario);
    l.markers = true;
    l.panel_height = 3;
    l.y_label = "gap, percentage points";
    add_points(&l, b, t, n, board_find(b, scenario, "retrain"));
    strbuf_addf(&l.f.caption,
                "Gap against wall-clock seconds of a run on the machine that ran it (%s), means "
                "over runs; the line is the Pareto front, the band the noise floor.",
                scenario);
    int rc = n > 1 ? lines_write(&l, place, err)
                   : figure_list_skip(&place->list,
                                      "fewer than two methods have a gap and measured seconds");
    lines_release(&l);
    free(t);
    return rc;
}
