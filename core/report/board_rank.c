/* Ranks of methods over cells: Friedman, Nemenyi, and how often each is first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_compare.h"
#include "rng.h"
#include "stats_tests.h"

enum { DRAWS = 2000 };

/* Ranked entries and the cells that all of them have. */
struct blocks {
    const struct cell_table *t;
    size_t first, k, n;
    size_t *cell; /* (n) */
    double *v;    /* (n, k) */
};

static int blocks_make(const struct cell_table *t, struct blocks *ret, struct error *err)
{
    struct blocks b = {.t = t, .first = t->has_original ? 1 : 0};
    b.k = t->n_entries - b.first;
    b.cell = malloc((t->n_cells + 1) * sizeof(*b.cell));
    b.v = malloc((t->n_cells * b.k + 1) * sizeof(*b.v));
    if (!b.cell || !b.v) {
        free(b.cell);
        free(b.v);
        return error_nomem(err);
    }
    for (size_t c = 0; c < t->n_cells; c++) {
        bool all = true;
        for (size_t e = 0; e < b.k; e++) {
            double gap = t->gap[(b.first + e) * t->n_cells + c];
            b.v[b.n * b.k + e] = gap;
            all &= !isnan(gap);
        }
        if (all)
            b.cell[b.n++] = c;
    }
    *ret = b;
    return 0;
}

/* Distinct seeds of the blocks; place[i]: which of them block i has. */
static size_t levels(const struct blocks *b, const int64_t *seed, size_t *place)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        size_t j = 0;
        while (j < i && seed[b->cell[j]] != seed[b->cell[i]])
            j++;
        place[i] = j < i ? place[j] : n++;
    }
    return n;
}

static void draw_weights(struct rng *g, size_t n, uint32_t *weight)
{
    memset(weight, 0, n * sizeof(*weight));
    for (size_t i = 0; i < n; i++)
        weight[rng_below(g, (uint32_t)n)]++;
}

/* The weighted mean of each method decides; equals share the place. */
static void count_first(const struct blocks *b, const uint32_t *model, const size_t *model_of,
                        const uint32_t *forget, const size_t *forget_of, double *mean,
                        double *first)
{
    double best = INFINITY, n_best = 0;
    for (size_t e = 0; e < b->k; e++) {
        mean[e] = 0;
        for (size_t i = 0; i < b->n; i++)
            mean[e] += model[model_of[i]] * (double)forget[forget_of[i]] * b->v[i * b->k + e];
        best = fmin(best, mean[e]);
    }
    for (size_t e = 0; e < b->k; e++)
        n_best += mean[e] == best;
    for (size_t e = 0; e < b->k; e++)
        first[e] += mean[e] == best ? 1 / n_best : 0;
}

/* Two-way bootstrap: model seeds and forget sets are drawn apart, for cells share them. */
static int first_shares(const struct blocks *b, double *first, struct error *err)
{
    size_t n = b->n + 1;
    size_t *model_of = malloc(n * sizeof(size_t)), *forget_of = malloc(n * sizeof(size_t));
    uint32_t *model = malloc(n * sizeof(uint32_t)), *forget = malloc(n * sizeof(uint32_t));
    double *mean = malloc((b->k + 1) * sizeof(*mean));
    struct rng g;
    int rc = model_of && forget_of && model && forget && mean ? 0 : error_nomem(err);
    for (size_t e = 0; e < b->k; e++)
        first[e] = b->n ? 0 : NAN;
    if (rc == 0 && b->n > 0) {
        size_t n_models = levels(b, b->t->seed_model, model_of);
        size_t n_forget = levels(b, b->t->seed_forget, forget_of);
        rng_stream(&g, 1, "rank-first", 0);
        for (int k = 0; k < DRAWS; k++) {
            draw_weights(&g, n_models, model);
            draw_weights(&g, n_forget, forget);
            count_first(b, model, model_of, forget, forget_of, mean, first);
        }
        for (size_t e = 0; e < b->k; e++)
            first[e] /= DRAWS;
    }
    free(model_of);
    free(forget_of);
    free(model);
    free(forget);
    free(mean);
    return rc;
}

static int rank_scenario(const struct cell_table *t, struct board_ranks *ret, struct error *err)
{
    struct blocks b = {0};
    double chi2 = NAN, p = NAN;
    TRY(blocks_make(t, &b, err));
    double *rank = calloc(b.k + 1, sizeof(*rank)), *first = calloc(b.k + 1, sizeof(*first));
    int rc = rank && first ? stats_friedman(b.v, b.n, b.k, rank, &chi2, &p, err) : error_nomem(err);
    if (rc == 0)
        rc = first_shares(&b, first, err);
    double nemenyi = rc == 0 ? stats_nemenyi(b.k, b.n) : NAN;
    for (size_t e = 0; rc == 0 && e < b.k; e++)
        ret->item[ret->n++] = (struct board_rank){t->entry[b.first + e]->scenario,
                                                  t->entry[b.first + e]->method,
                                                  (uint32_t)b.n,
                                                  rank[e],
                                                  first[e],
                                                  chi2,
                                                  p,
                                                  nemenyi};
    free(rank);
    free(first);
    free(b.cell);
    free(b.v);
    return rc;
}

int board_ranks_make(const struct board *b, struct board_ranks *ret, struct error *err)
{
    struct board_ranks out = {0, calloc(b->n + 1, sizeof(*out.item))};
    int rc = out.item ? 0 : error_nomem(err);
    for (size_t s = 0; rc == 0 && s < b->results->n_scenarios; s++) {
        struct cell_table t;
        rc = cell_table_make(b, b->results->scenario[s], &t, err);
        if (rc < 0)
            break;
        rc = rank_scenario(&t, &out, err);
        cell_table_release(&t);
    }
    if (rc < 0)
        board_ranks_release(&out);
    else
        *ret = out;
    return rc;
}

void board_ranks_release(struct board_ranks *r)
{
    free(r->item);
    memset(r, 0, sizeof(*r));
}
