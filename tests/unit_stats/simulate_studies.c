/* simulate_studies: how often intervals cover the truth, tests cry wolf, and shares are right, on
 * made-up studies with crossed seeds.
 *
 *   test_stats_studies [STUDIES [DRAWS]]   prints the table; without arguments 1,000 studies of
 * each kind, checked against the limits (the ctest)
 *
 * A study: y_ij = model_i + forget_j + rest_ij, normal, true mean 0. Twins: two methods of one
 * law on the same cells. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "board_interval.h"
#include "board_variance.h"
#include "rng.h"
#include "stats.h"
#include "stats_tests.h"

enum { MOST = 10 };

struct design {
    int a, b;                   /* model seeds, forget sets */
    double model, forget, rest; /* standard deviations */
};

static double normal(struct rng *g)
{
    float v;
    rng_fill_normal(g, &v, 1);
    return (double)v;
}

static size_t study(struct rng *g, const struct design *d, struct board_sample *v)
{
    double model[MOST], forget[MOST];
    for (int i = 0; i < d->a; i++)
        model[i] = d->model * normal(g);
    for (int j = 0; j < d->b; j++)
        forget[j] = d->forget * normal(g);
    for (int k = 0; k < d->a * d->b; k++)
        v[k] = (struct board_sample){k / d->b, k % d->b,
                                     model[k / d->b] + forget[k % d->b] + d->rest * normal(g)};
    return (size_t)(d->a * d->b);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

/* Percent of the intervals that hold 0; mean half width. */
static double coverage(const struct design *d, int n_studies, double *ret_width)
{
    struct rng g;
    struct error err = ERROR_INIT;
    int hits = 0;
    double width = 0;
    rng_stream(&g, 1, "coverage", (uint64_t)(d->a * 100 + d->b));
    for (int s = 0; s < n_studies; s++) {
        struct board_sample v[MOST * MOST];
        double low, high;
        if (board_interval(v, study(&g, d, v), &low, &high, &err) < 0)
            fail(&err);
        hits += low <= 0 && high >= 0;
        width += (high - low) / 2 / n_studies;
    }
    *ret_width = width;
    return 100.0 * hits / n_studies;
}

/* Student's interval over the means of the models, for comparison. */
static double naive_coverage(const struct design *d, int n_studies)
{
    struct rng g;
    int hits = 0;
    rng_stream(&g, 1, "coverage", (uint64_t)(d->a * 100 + d->b));
    for (int s = 0; s < n_studies; s++) {
        struct board_sample v[MOST * MOST];
        double mean[MOST] = {0};
        size_t n = study(&g, d, v);
        for (size_t k = 0; k < n; k++)
            mean[v[k].seed_model] += v[k].value / d->b;
        double half = stats_t975(d->a - 1) * stats_sd(mean, (size_t)d->a) / sqrt(d->a);
        hits += fabs(stats_mean(mean, (size_t)d->a)) <= half;
    }
    return 100.0 * hits / n_studies;
}

/* Percent of twin studies with p <= .05. */
static double false_alarms(int n_cells, int n_studies)
{
    struct rng g;
    struct error err = ERROR_INIT;
    int hits = 0;
    rng_stream(&g, 1, "twins", (uint64_t)n_cells);
    for (int s = 0; s < n_studies; s++) {
        double d[MOST * MOST], p, least;
        for (int k = 0; k < n_cells; k++)
            d[k] = normal(&g) - normal(&g);
        if (stats_sign_flip(d, (size_t)n_cells, &p, &least, &err) < 0)
            fail(&err);
        hits += p <= 0.05;
    }
    return 100.0 * hits / n_studies;
}

/* Percent of studies of `n_methods` twins against a first one in which Holm lets any through. */
static double family_alarms(int n_cells, int n_methods, int n_studies)
{
    struct rng g;
    struct error err = ERROR_INIT;
    int hits = 0;
    rng_stream(&g, 1, "families", (uint64_t)n_cells);
    for (int s = 0; s < n_studies; s++) {
        double first[MOST * MOST], d[MOST * MOST], p[MOST], least;
        bool any = false;
        for (int k = 0; k < n_cells; k++)
            first[k] = normal(&g);
        for (int m = 0; m < n_methods; m++) {
            for (int k = 0; k < n_cells; k++)
                d[k] = normal(&g) - first[k];
            if (stats_sign_flip(d, (size_t)n_cells, &p[m], &least, &err) < 0)
                fail(&err);
        }
        if (stats_holm(p, (size_t)n_methods, &err) < 0)
            fail(&err);
        for (int m = 0; m < n_methods; m++)
            any |= p[m] <= 0.05;
        hits += any;
    }
    return 100.0 * hits / n_studies;
}

/* Shares of variance, from the mean components over all studies. */
static void shares(const struct design *d, int n_studies, double *model, double *forget,
                   double *rest)
{
    struct rng g;
    struct error err = ERROR_INIT;
    double sum[3] = {0};
    rng_stream(&g, 1, "shares", 0);
    for (int s = 0; s < n_studies; s++) {
        struct board_sample v[MOST * MOST];
        struct variance_parts parts;
        if (board_variance(v, study(&g, d, v), &parts, &err) < 0)
            fail(&err);
        sum[0] += parts.model;
        sum[1] += parts.forget;
        sum[2] += parts.rest;
    }
    double total = sum[0] + sum[1] + sum[2];
    *model = sum[0] / total;
    *forget = sum[1] / total;
    *rest = sum[2] / total;
}

static int failures;

static void limit(bool check, double v, double lo, double hi, const char *what)
{
    if (!check || (v >= lo && v <= hi))
        return;
    failures++;
    printf("FAILED: %s is %g, outside %g to %g\n", what, v, lo, hi);
}

static const struct mix {
    const char *name;
    double model, forget, rest;
} mixes[] = {{"equal parts", 1, 1, 1},
             {"models dominate", 2, 0.5, 1},
             {"forget sets dominate", 0.5, 2, 1},
             {"the rest dominates", 0.5, 0.5, 2},
             {"no factor", 0, 0, 1}};
enum { N_MIXES = sizeof(mixes) / sizeof(mixes[0]) };

static void intervals(int n, bool check)
{
    static const int grids[][2] = {{3, 3}, {5, 3}, {5, 5}, {10, 5}};
    printf(
        "coverage of 95 %% intervals in %% (in brackets: Student over model means), %d studies\n",
        n);
    printf("%-22s", "");
    for (size_t k = 0; k < 4; k++)
        printf("      %2dx%-2d    ", grids[k][0], grids[k][1]);
    putchar('\n');
    for (size_t m = 0; m < N_MIXES; m++) {
        printf("%-22s", mixes[m].name);
        for (size_t k = 0; k < 4; k++) {
            const struct design d = {grids[k][0], grids[k][1], mixes[m].model, mixes[m].forget,
                                     mixes[m].rest};
            double width, percent = coverage(&d, n, &width);
            printf("  %5.1f (%5.1f)", percent, naive_coverage(&d, n));
            limit(check, percent, k == 2 && m == 0 ? 93 : 92, k == 2 && m == 0 ? 97 : 100,
                  mixes[m].name);
        }
        putchar('\n');
    }
}

static void alarms(int n, bool check)
{
    static const int cells[] = {6, 9, 15, 25};
    printf("\nfalse alarms of the sign-flip test at 5 %% on twins, in %%, %d studies\n", n);
    for (size_t k = 0; k < sizeof(cells) / sizeof(cells[0]); k++) {
        int studies = cells[k] > 16 && check ? n / 5 : n;
        double percent = false_alarms(cells[k], studies);
        printf("%2d cells: %.1f\n", cells[k], percent);
        limit(check, percent, 1.5, 7.5, "the false-alarm rate");
    }
    double percent = family_alarms(9, 6, n / 2);
    printf("any of 6 methods against the first, 9 cells, Holm: %.1f\n", percent);
    limit(check, percent, 0, 7, "the family's false-alarm rate");
}

static void components(int n, bool check)
{
    const struct design d = {10, 10, 2, 1, 1.5};
    double model, forget, rest, total = 4 + 1 + 2.25;
    shares(&d, n, &model, &forget, &rest);
    printf("\nshares of variance at 10x10, %d studies (truth %.3f %.3f %.3f): %.3f %.3f %.3f\n", n,
           4 / total, 1 / total, 2.25 / total, model, forget, rest);
    limit(check, model / (4 / total), 0.8, 1.2, "share of the models over the truth");
    limit(check, forget / (1 / total), 0.8, 1.2, "share of the forget sets over the truth");
    limit(check, rest / (2.25 / total), 0.8, 1.2, "share of the rest over the truth");
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 1000;
    bool check = argc < 2;
    if (n < 10)
        return 2;
    intervals(n, check);
    alarms(n, check);
    components(n, check);
    return failures > 0;
}
