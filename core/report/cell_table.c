/* Gaps by cell: runs that differ in the unlearning seed alone are one cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_compare.h"
#include "board_work.h"

static size_t cell_at(struct cell_table *t, const struct result_row *row)
{
    for (size_t i = 0; i < t->n_cells; i++)
        if (t->seed_model[i] == row->seed_model && t->seed_forget[i] == row->seed_forget)
            return i;
    t->seed_model[t->n_cells] = row->seed_model;
    t->seed_forget[t->n_cells] = row->seed_forget;
    return t->n_cells++;
}

static size_t entry_at(const struct cell_table *t, const struct result_row *row)
{
    for (size_t i = 0; i < t->n_entries; i++)
        if (strcmp(t->entry[i]->method, row->method) == 0)
            return i;
    return SIZE_MAX;
}

static void list_entries(const struct board *b, const char *scenario, struct cell_table *t)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        bool original = e->row_class == ROW_ORIGINAL && e->n_used > 0;
        if (strcmp(e->scenario, scenario) != 0 || (!original && e->rank == 0))
            continue;
        t->has_original |= original;
        t->entry[t->n_entries++] = e;
    }
}

/* Means of the used runs of each cell. */
static int fill(const struct board *b, const struct board_work *w, const char *scenario,
                struct cell_table *t, struct error *err)
{
    const struct results *r = b->results;
    size_t n = r->n_rows + 1;
    uint32_t *count = calloc(t->n_entries * n + 1, sizeof(*count));
    double *sum = calloc(t->n_entries * n + 1, sizeof(*sum));
    int rc = count && sum ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < r->n_rows; i++) {
        size_t e = entry_at(t, &r->row[i]);
        if (strcmp(r->row[i].scenario, scenario) != 0 || e == SIZE_MAX || isnan(w->gap[i]) ||
            r->row[i].interim)
            continue;
        size_t at = e * n + cell_at(t, &r->row[i]);
        sum[at] += w->gap[i];
        count[at]++;
    }
    for (size_t e = 0; rc == 0 && e < t->n_entries; e++)
        for (size_t c = 0; c < t->n_cells; c++)
            t->gap[e * t->n_cells + c] = count[e * n + c] ? sum[e * n + c] / count[e * n + c] : NAN;
    free(count);
    free(sum);
    return rc;
}

int cell_table_make(const struct board *b, const char *scenario, struct cell_table *ret,
                    struct error *err)
{
    size_t n = b->results->n_rows + 1;
    struct board_work w;
    struct cell_table t = {.entry = calloc(b->n + 1, sizeof(*t.entry)),
                           .seed_model = calloc(n, sizeof(*t.seed_model)),
                           .seed_forget = calloc(n, sizeof(*t.seed_forget)),
                           .gap = calloc((b->n + 1) * n, sizeof(*t.gap))};
    bool ok = t.entry && t.seed_model && t.seed_forget && t.gap;
    int rc = ok ? board_work_make(b->results, &w, err) : error_nomem(err);
    if (rc == 0) {
        list_entries(b, scenario, &t);
        rc = fill(b, &w, scenario, &t, err);
        board_work_release(&w);
    }
    if (rc < 0)
        cell_table_release(&t);
    else
        *ret = t;
    return rc;
}

void cell_table_release(struct cell_table *t)
{
    free(t->entry);
    free(t->seed_model);
    free(t->seed_forget);
    free(t->gap);
    memset(t, 0, sizeof(*t));
}
