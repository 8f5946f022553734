/* Every run's gap, a method a row: colour is the model seed, marker the forget seed. What a mean
 * and an interval hide is seen here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure_parts.h"
#include "figure_rows.h"
#include "report_names.h"

struct seeds { /* distinct values, in order of appearance */
    int64_t v[64];
    size_t n;
};

static size_t place_of(struct seeds *s, int64_t v)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i] == v)
            return i;
    if (s->n < sizeof(s->v) / sizeof(s->v[0]))
        s->v[s->n++] = v;
    return s->n - 1;
}

struct strip {
    struct rows rows;
    const struct board_work *w;
    struct seeds model, forget, unlearn;
    size_t n_points, most; /* most: runs of one method */
    double *gap;           /* (n_rows) of what is drawn */
};

static void add_run(struct strip *s, size_t row, const struct result_row *run, double gap)
{
    bool oracle = run->row_class == ROW_ORACLE;
    struct csv_writer *w = &s->rows.f.data;
    size_t model = oracle ? 0 : place_of(&s->model, run->seed_model) + 1;
    size_t forget = place_of(&s->forget, run->seed_forget) + 1;
    size_t unlearn = place_of(&s->unlearn, run->seed_unlearn);
    csv_cell_int(w, (int64_t)row);
    csv_cell(w, run->method);
    csv_cell_int(w, run->run);
    csv_cell_int(w, run->seed_model);
    csv_cell_int(w, run->seed_forget);
    csv_cell_int(w, run->seed_unlearn);
    csv_cell_int(w, (int64_t)model);
    csv_cell_int(w, (int64_t)forget);
    /* runs of one row are spread over its height, so that equal values are seen apart */
    csv_cell_double(w, (double)row + 0.11 * ((double)((model * 3 + forget + unlearn) % 5) - 2));
    csv_cell_double(w, gap);
    csv_end_row(w);
    s->gap[s->n_points++] = gap;
}

static void add_method(struct strip *s, const struct board_entry *e)
{
    const struct results *r = s->w->r;
    size_t row = rows_add(&s->rows, report_method_name(r, e->method), figure_style(r, e->method)),
           n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        if (strcmp(r->row[i].scenario, e->scenario) == 0 &&
            strcmp(r->row[i].method, e->method) == 0 && !r->row[i].interim &&
            !isnan(s->w->gap[i])) {
            add_run(s, row, &r->row[i], s->w->gap[i]);
            n++;
        }
    s->most = n > s->most ? n : s->most;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* As the gap bars: runs far beyond the rest are drawn at the edge. */
static double axis_end(double *gap, size_t n)
{
    qsort(gap, n, sizeof(*gap), by_size);
    double median = n ? gap[n / 2] : 0, all = n ? gap[n - 1] : 0, kept = 0;
    for (size_t i = 0; i < n && gap[i] <= 4 * median; i++)
        kept = gap[i];
    return 1.06 * (kept > 0 && all >= 2 * kept ? kept : all);
}

static void name_seeds(struct strip *s)
{
    struct figure *f = &s->rows.f;
    char name[32], label[48];
    strbuf_adds(&f->settings, "array model_of[99]\narray forget_of[99]\n");
    for (size_t i = 0; i < s->model.n; i++) {
        snprintf(name, sizeof(name), "model_of[%zu]", i + 1);
        snprintf(label, sizeof(label), "model %lld", (long long)s->model.v[i]);
        figure_text(f, name, label);
    }
    for (size_t i = 0; i < s->forget.n; i++) {
        snprintf(name, sizeof(name), "forget_of[%zu]", i + 1);
        snprintf(label, sizeof(label), "forget set %lld", (long long)s->forget.v[i]);
        figure_text(f, name, label);
    }
    figure_number(f, "models", (double)s->model.n);
    figure_number(f, "forgets", (double)s->forget.n);
}

static int draw(struct strip *s, const struct board *b, const char *scenario,
                struct figure_place *place, struct error *err)
{
    static const char *const header[] = {"row",         "method",       "run",    "seed_model",
                                         "seed_forget", "seed_unlearn", "colour", "marker",
                                         "y",           "gap",          NULL};
    rows_init(&s->rows, "strip", "strip", scenario);
    figure_header(&s->rows.f, header);
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->entry[i].scenario, scenario) == 0 && b->entry[i].n_used > 0)
            add_method(s, &b->entry[i]);
    name_seeds(s);
    rows_panel(&s->rows, "", 0, axis_end(s->gap, s->n_points));
    strbuf_addf(&s->rows.f.caption,
                "Gap of every run in percentage points (%s): a point a run, coloured by the "
                "original model, shaped by the forget set; black: retrained models against each "
                "other. Triangles at the edge lie beyond it.",
                scenario);
    int rc = s->most > 1 ? rows_write(&s->rows, 1, place, err)
                         : figure_list_skip(&place->list, "no method has two runs");
    rows_release(&s->rows);
    return rc;
}

int figure_strip(const struct board *b, const char *scenario, struct figure_place *place,
                 struct error *err)
{
    struct board_work w;
    TRY(board_work_make(b->results, &w, err));
    struct strip s = {.w = &w, .gap = malloc((b->results->n_rows + 1) * sizeof(*s.gap))};
    int rc = s.gap ? draw(&s, b, scenario, place, err) : error_nomem(err);
    free(s.gap);
    board_work_release(&w);
    return rc;
}
