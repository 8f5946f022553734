#include "board_interval.h"
#include "board_variance.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "stats.h"

struct grid {
    size_t a, b;        /* model seeds, forget seeds */
    int64_t *row, *col; /* (a), (b): the seeds */
    double *mean;       /* (a, b) of the cells; NaN: no run */
    uint32_t *count;    /* (a, b) */
    size_t n_filled;
};

static void grid_release(struct grid *g)
{
    free(g->row);
    free(g->col);
    free(g->mean);
    free(g->count);
}

/* Place of seed among the n known ones, added if new. */
static size_t level(int64_t *seeds, size_t *n, int64_t seed)
{
    for (size_t i = 0; i < *n; i++)
        if (seeds[i] == seed)
            return i;
    seeds[*n] = seed;
    return (*n)++;
}

static int grid_make(const struct board_sample *v, size_t n, struct grid *g, struct error *err)
{
    *g = (struct grid){0};
    g->row = malloc(n * sizeof(*g->row));
    g->col = malloc(n * sizeof(*g->col));
    if (!g->row || !g->col)
        return error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        level(g->row, &g->a, v[i].seed_model);
        level(g->col, &g->b, v[i].seed_forget);
    }
    g->mean = calloc(g->a * g->b, sizeof(*g->mean));
    g->count = calloc(g->a * g->b, sizeof(*g->count));
    if (!g->mean || !g->count)
        return error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        size_t k =
            level(g->row, &g->a, v[i].seed_model) * g->b + level(g->col, &g->b, v[i].seed_forget);
        g->mean[k] += v[i].value;
        g->count[k]++;
    }
    for (size_t k = 0; k < g->a * g->b; k++) {
        g->n_filled += g->count[k] > 0;
        g->mean[k] = g->count[k] ? g->mean[k] / g->count[k] : NAN;
    }
    return 0;
}

/* Mean of the filled cells of row i, or of column i when `across`. */
static double level_mean(const struct grid *g, size_t i, int across)
{
    double sum = 0;
    uint32_t n = 0;
    for (size_t k = 0; k < (across ? g->a : g->b); k++) {
        double v = across ? g->mean[k * g->b + i] : g->mean[i * g->b + k];
        if (!isnan(v)) {
            sum += v;
            n++;
        }
    }
    return sum / n;
}

static double grand_mean(const struct grid *g)
{
    double sum = 0;
    for (size_t k = 0; k < g->a * g->b; k++)
        sum += isnan(g->mean[k]) ? 0 : g->mean[k];
    return sum / (double)g->n_filled;
}

/* Half width from the variance of the mean and its degrees of freedom. */
static double half_width(double variance, double df)
{
    return variance > 0 ? stats_t975(df) * sqrt(variance) : 0;
}

/* Mean squares of a full grid with two or more levels on each side. */
struct mean_squares {
    double row, col, rest, df_row, df_col, df_rest, all; /* all: sum of squares */
};

static struct mean_squares mean_squares_of(const struct grid *g)
{
    double grand = grand_mean(g), ss_row = 0, ss_col = 0, ss_all = 0;
    double a = (double)g->a, b = (double)g->b;
    for (size_t i = 0; i < g->a; i++)
        ss_row += b * pow(level_mean(g, i, 0) - grand, 2);
    for (size_t j = 0; j < g->b; j++)
        ss_col += a * pow(level_mean(g, j, 1) - grand, 2);
    for (size_t k = 0; k < g->a * g->b; k++)
        ss_all += pow(g->mean[k] - grand, 2);
    double df_row = a - 1, df_col = b - 1, df_rest = df_row * df_col;
    return (struct mean_squares){
        ss_row / df_row, ss_col / df_col, fmax(0, ss_all - ss_row - ss_col) / df_rest,
        df_row,          df_col,          df_rest,
        ss_all};
}

static double crossed_half_width(const struct grid *g)
{
    struct mean_squares m = mean_squares_of(g);
    double a = (double)g->a, b = (double)g->b;
    double df_row = m.df_row, df_col = m.df_col, df_rest = m.df_rest;
    double ms_row = m.row, ms_col = m.col, ms_rest = m.rest;
    if (ms_row < ms_rest && ms_col < ms_rest)
        return half_width(m.all / (a * b - 1) / (a * b), a * b - 1);
    if (ms_col < ms_rest)
        return half_width(ms_row / (a * b), df_row);
    if (ms_row < ms_rest)
        return half_width(ms_col / (a * b), df_col);
    double ms = ms_row + ms_col - ms_rest;
    double df = ms * ms /
                (ms_row * ms_row / df_row + ms_col * ms_col / df_col + ms_rest * ms_rest / df_rest);
    return half_width(ms / (a * b), fmax(1, df));
}

/* Student interval over the means of the rows or columns, as half width and centre. */
static int level_interval(const struct grid *g, int across, double *ret_centre, double *ret_half,
                          struct error *err)
{
    size_t n = across ? g->b : g->a;
    double *v = calloc(n + 1, sizeof(*v));
    if (!v)
        return error_nomem(err);
    for (size_t i = 0; i < n; i++)
        v[i] = level_mean(g, i, across);
    double sd = stats_sd(v, n);
    *ret_centre = stats_mean(v, n);
    *ret_half = n < 3 ? NAN : half_width(sd * sd / (double)n, (double)n - 1);
    free(v);
    return 0;
}

static int interval(const struct grid *g, double *ret_centre, double *ret_half, struct error *err)
{
    double centre = NAN, half = NAN;
    bool full = g->n_filled == g->a * g->b;
    *ret_centre = *ret_half = NAN;
    if (g->n_filled < 3)
        return 0;
    if (full && g->a > 1 && g->b > 1) {
        *ret_centre = grand_mean(g);
        *ret_half = crossed_half_width(g);
        return 0;
    }
    TRY(level_interval(g, 0, ret_centre, ret_half, err));
    TRY(level_interval(g, 1, &centre, &half, err));
    if (isnan(*ret_half) || half > *ret_half) {
        *ret_centre = centre;
        *ret_half = half;
    }
    return 0;
}

int board_interval(const struct board_sample *v, size_t n, double *ret_low, double *ret_high,
                   struct error *err)
{
    struct grid g;
    double centre = NAN, half = NAN;
    if (n == 0) {
        *ret_low = *ret_high = NAN;
        return 0;
    }
    int rc = grid_make(v, n, &g, err);
    if (rc == 0)
        rc = interval(&g, &centre, &half, err);
    grid_release(&g);
    if (rc < 0)
        return rc;
    *ret_low = centre - half;
    *ret_high = centre + half;
    return 0;
}

/* ---- components ---- */

/* Mean over the repeated cells of the variance inside a cell; NaN without any. */
static double within_cells(const struct grid *g, const struct board_sample *v, size_t n)
{
    double square = 0, df = 0;
    for (size_t i = 0; i < n; i++) {
        size_t row = 0, col = 0;
        while (g->row[row] != v[i].seed_model)
            row++;
        while (g->col[col] != v[i].seed_forget)
            col++;
        square += pow(v[i].value - g->mean[row * g->b + col], 2);
    }
    for (size_t k = 0; k < g->a * g->b; k++)
        df += g->count[k] > 0 ? g->count[k] - 1.0 : 0;
    return df > 0 ? square / df : NAN;
}

int board_variance(const struct board_sample *v, size_t n, struct variance_parts *ret,
                   struct error *err)
{
    struct variance_parts out = {NAN, NAN, NAN, NAN};
    struct grid g;
    if (n == 0) {
        *ret = out;
        return 0;
    }
    int rc = grid_make(v, n, &g, err);
    if (rc == 0 && g.n_filled == g.a * g.b && g.a > 1 && g.b > 1) {
        struct mean_squares m = mean_squares_of(&g);
        out.model = fmax(0, (m.row - m.rest) / (double)g.b);
        out.forget = fmax(0, (m.col - m.rest) / (double)g.a);
        out.rest = m.rest;
        out.unlearn = within_cells(&g, v, n);
    }
    grid_release(&g);
    if (rc == 0)
        *ret = out;
    return rc;
}
