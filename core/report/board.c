#include "board.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_work.h"

/* Rows of one (scenario, method), in order of runs.csv; of consecutive requests the last one's. */
static size_t rows_of(const struct results *r, const char *scenario, const char *method,
                      size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        if (strcmp(r->row[i].scenario, scenario) == 0 && strcmp(r->row[i].method, method) == 0 &&
            !r->row[i].interim)
            ret[n++] = i;
    return n;
}

/* A method that read retain data in one run is "with-retain"; a failed run may not know. */
static const char *division_of(const struct results *r, const size_t *row, size_t n)
{
    const char *division = "";
    for (size_t k = 0; k < n; k++) {
        const char *d = r->row[row[k]].division;
        if (*d && (!*division || strcmp(d, "with-retain") == 0))
            division = d;
    }
    return division;
}

static int fill_entry(const struct board_work *w, const size_t *row, size_t n,
                      const struct board_entry *original, struct board_entry *e, struct error *err)
{
    const struct result_row *first = &w->r->row[row[0]];
    e->scenario = first->scenario;
    e->method = first->method;
    e->plugin = first->plugin;
    e->row_class = first->row_class;
    e->division = division_of(w->r, row, n);
    e->n_planned = (uint32_t)n;
    e->cell = calloc(w->r->n_columns + 1, sizeof(*e->cell));
    if (!e->cell)
        return error_nomem(err);
    TRY(board_fill_cells(w, row, n, e, err));
    TRY(board_fill_gaps(w, row, n, e, err));
    TRY(board_fill_notes(w, row, n, e, err));
    board_fill_flags(w, row, n, original, e);
    return 0;
}

/* Entries of one scenario in the suite's order; the first is taken for original if it is. */
static int fill_scenario(const struct board_work *w, const char *scenario, size_t *row,
                         struct board *b, struct error *err)
{
    const struct board_entry *original = NULL;
    for (size_t m = 0; m < w->r->n_methods; m++) {
        size_t n = rows_of(w->r, scenario, w->r->method[m], row);
        if (n == 0)
            continue;
        struct board_entry *e = &b->entry[b->n++];
        TRY(fill_entry(w, row, n, original, e, err));
        if (e->row_class == ROW_ORIGINAL)
            original = e;
    }
    return 0;
}

/* ---- order ---- */

static bool is_ranked(const struct board_entry *e)
{
    return e->row_class == ROW_METHOD && e->n_used > 0 && !isnan(e->gap);
}

/* original, retrain, ranked methods, the others. */
static int group_of(const struct board_entry *e)
{
    static const int sentinel[] = {[ROW_ORIGINAL] = 0, [ROW_ORACLE] = 1};
    return e->row_class != ROW_METHOD ? sentinel[e->row_class] : is_ranked(e) ? 2 : 3;
}

static bool comes_before(const struct board_entry *a, const struct board_entry *b)
{
    if (group_of(a) != group_of(b))
        return group_of(a) < group_of(b);
    return is_ranked(a) && a->gap < b->gap;
}

/* Insertion keeps the suite's order among equals. */
static void sort_and_rank(struct board_entry *e, size_t n)
{
    uint32_t rank = 0;
    for (size_t i = 1; i < n; i++) {
        struct board_entry moving = e[i];
        size_t at = i;
        for (; at > 0 && comes_before(&moving, &e[at - 1]); at--)
            e[at] = e[at - 1];
        e[at] = moving;
    }
    for (size_t i = 0; i < n; i++)
        e[i].rank = is_ranked(&e[i]) ? ++rank : 0;
}

int board_make(const struct results *r, struct board *ret, struct error *err)
{
    struct board_work w;
    struct board b = {.results = r,
                      .entry = calloc(r->n_scenarios * r->n_methods + 1, sizeof(*b.entry))};
    size_t *row = malloc((r->n_rows + 1) * sizeof(*row));
    int rc = b.entry && row ? board_work_make(r, &w, err) : error_nomem(err);
    bool made = rc == 0;
    for (size_t s = 0; rc == 0 && s < r->n_scenarios; s++) {
        size_t begin = b.n;
        rc = fill_scenario(&w, r->scenario[s], row, &b, err);
        sort_and_rank(b.entry + begin, b.n - begin);
    }
    if (made)
        board_work_release(&w);
    free(row);
    if (rc < 0) {
        board_release(&b);
        return rc;
    }
    *ret = b;
    return 0;
}

void board_release(struct board *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->n; i++) {
        free(b->entry[i].notes);
        free(b->entry[i].cell);
    }
    free(b->entry);
    *b = (struct board){0};
}

const struct board_entry *board_find(const struct board *b, const char *scenario,
                                     const char *method)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->entry[i].scenario, scenario) == 0 && strcmp(b->entry[i].method, method) == 0)
            return &b->entry[i];
    return NULL;
}
