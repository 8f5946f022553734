#include "board_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_interval.h"
#include "stats.h"
#include "stats_tests.h"

/* Differences over the cells that entries a and b share. */
static size_t differences(const struct cell_table *t, size_t a, size_t b,
                          struct board_sample *sample, double *d)
{
    size_t n = 0;
    for (size_t c = 0; c < t->n_cells; c++) {
        double v = t->gap[a * t->n_cells + c] - t->gap[b * t->n_cells + c];
        if (isnan(v))
            continue;
        sample[n] = (struct board_sample){t->seed_model[c], t->seed_forget[c], v};
        d[n++] = v;
    }
    return n;
}

static int compare(const struct cell_table *t, size_t a, size_t b, const char *family,
                   struct board_comparison *ret, struct error *err)
{
    struct board_sample *sample = malloc((t->n_cells + 1) * sizeof(*sample));
    double *d = malloc((t->n_cells + 1) * sizeof(*d));
    struct board_comparison c = {.scenario = t->entry[a]->scenario,
                                 .family = family,
                                 .method = t->entry[a]->method,
                                 .baseline = t->entry[b]->method};
    int rc = sample && d ? 0 : error_nomem(err);
    if (rc == 0) {
        c.n_cells = (uint32_t)differences(t, a, b, sample, d);
        c.difference = stats_mean(d, c.n_cells);
        c.cells_needed = stats_pairs_needed(c.difference, stats_sd(d, c.n_cells));
        rc = board_interval(sample, c.n_cells, &c.ci_low, &c.ci_high, err);
    }
    if (rc == 0)
        rc = stats_sign_flip(d, c.n_cells, &c.p, &c.p_least, err);
    if (rc == 0 && c.n_cells == 0)
        c.p = c.p_least = NAN;
    free(sample);
    free(d);
    if (rc == 0)
        *ret = c;
    return rc;
}

static int adjust(struct board_comparison *c, size_t n, struct error *err)
{
    double *p = malloc((n + 1) * sizeof(*p));
    if (!p)
        return error_nomem(err);
    for (size_t i = 0; i < n; i++)
        p[i] = c[i].p;
    int rc = stats_holm(p, n, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        c[i].p_holm = p[i];
    free(p);
    return rc;
}

/* Every entry but the baseline and, where it is not asked for, the original. */
static int add_family(const struct cell_table *t, size_t baseline, const char *family,
                      struct board_comparisons *ret, struct error *err)
{
    size_t begin = ret->n;
    for (size_t e = t->has_original ? 1 : 0; e < t->n_entries; e++)
        if (e != baseline) {
            TRY(compare(t, e, baseline, family, &ret->item[ret->n], err));
            ret->n++;
        }
    return adjust(ret->item + begin, ret->n - begin, err);
}

/* A baseline that the suite names; one that has no entry here (it failed) has no family. */
static int add_named(const struct cell_table *t, const char *method, struct board_comparisons *ret,
                     struct error *err)
{
    for (size_t e = 0; e < t->n_entries; e++)
        if (strcmp(t->entry[e]->method, method) == 0)
            return add_family(t, e, method, ret, err);
    return 0;
}

int board_compare(const struct board *b, struct board_comparisons *ret, struct error *err)
{
    struct board_comparisons out = {
        0, calloc((2 + b->results->n_baselines) * b->n + 1, sizeof(*out.item))};
    int rc = out.item ? 0 : error_nomem(err);
    for (size_t s = 0; rc == 0 && s < b->results->n_scenarios; s++) {
        struct cell_table t;
        rc = cell_table_make(b, b->results->scenario[s], &t, err);
        if (rc < 0)
            break;
        size_t first = t.has_original ? 1 : 0;
        if (t.n_entries > first)
            rc = add_family(&t, first, "first", &out, err);
        if (rc == 0 && t.has_original)
            rc = add_family(&t, 0, "original", &out, err);
        for (size_t k = 0; rc == 0 && k < b->results->n_baselines; k++)
            rc = add_named(&t, b->results->baseline[k], &out, err);
        cell_table_release(&t);
    }
    if (rc < 0)
        board_comparisons_release(&out);
    else
        *ret = out;
    return rc;
}

void board_comparisons_release(struct board_comparisons *c)
{
    free(c->item);
    memset(c, 0, sizeof(*c));
}
