/* Intervals over crossed seeds: hand-worked grids, and what each must not give. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "board_interval.h"
#include "rng.h"

static void interval(const struct board_sample *v, size_t n, double *low, double *high)
{
    struct error err = ERROR_INIT;
    assert_int_equal(board_interval(v, n, low, high, &err), 0);
}

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.12g is not %.12g", a, b);
}

static void test_below_three_cells_is_none(void **state)
{
    /* Four runs, but two cells: unlearning seeds repeat a cell. */
    const struct board_sample v[] = {{1, 1, 3}, {1, 1, 4}, {2, 1, 5}, {2, 1, 6}};
    double low = 0, high = 0;
    interval(v, 0, &low, &high);
    assert_true(isnan(low) && isnan(high));
    interval(v, 1, &low, &high);
    assert_true(isnan(low) && isnan(high));
    interval(v, 4, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

static void test_one_side_is_student(void **state)
{
    const struct board_sample v[] = {{1, 1, 1}, {2, 1, 2}, {3, 1, 3}, {4, 1, 4}, {5, 1, 5}};
    double low, high;
    interval(v, 5, &low, &high); /* 3 -+ t(.975, 4) sqrt(2.5 / 5) */
    near(low, 3 - 2.776445105 * sqrt(0.5), 1e-6);
    near(high, 3 + 2.776445105 * sqrt(0.5), 1e-6);
    interval(v, 3, &low, &high);
    near(high, 2 + 4.302652730 / sqrt(3), 1e-6);
}

static void test_unlearn_seeds_are_averaged(void **state)
{
    const struct board_sample v[] = {{1, 1, 0},   {1, 1, 2}, {2, 1, 1.5},
                                     {2, 1, 2.5}, {3, 1, 3}, {3, 1, 3}};
    double low, high;
    interval(v, 6, &low, &high); /* cells 1, 2, 3 */
    near(low, 2 - 4.302652730 / sqrt(3), 1e-6);
}

/* Model effects -2, 0, 2 and forget effects -1, 1 without any rest: MS_model 8, MS_forget 6,
 * MS_rest 0; variance of the mean 14 / 6, df 14^2 / (8^2 / 2 + 6^2 / 1) = 2.882353. */
static void test_crossed_grid(void **state)
{
    struct board_sample v[6];
    double low, high;
    for (int i = 0; i < 6; i++)
        v[i] = (struct board_sample){i / 2, i % 2, 10 + 2 * (i / 2 - 1) + (i % 2 ? 1 : -1)};
    interval(v, 6, &low, &high);
    near((low + high) / 2, 10, 1e-12);
    /* t(.975, 2.882353), by numerical integration of the density */
    near((high - low) / 2 / sqrt(14.0 / 6), 3.257208, 1e-5);
}

/* Both factors weaker than the rest: six values of one sample, df 5. */
static void test_no_factor_is_one_sample(void **state)
{
    const struct board_sample v[] = {{1, 1, 1}, {1, 2, -1}, {2, 1, -1},
                                     {2, 2, 1}, {3, 1, 0},  {3, 2, 0}};
    double low, high;
    interval(v, 6, &low, &high);
    near(high, 2.570581836 * sqrt(4.0 / 5 / 6), 1e-6);
    near(low, -high, 1e-12);
}

static void test_equal_values_have_no_width(void **state)
{
    const struct board_sample v[] = {{1, 1, 7}, {1, 2, 7}, {2, 1, 7}, {2, 2, 7}};
    double low, high;
    interval(v, 4, &low, &high);
    near(low, 7, 0);
    near(high, 7, 0);
}

static void test_grid_with_a_hole(void **state)
{
    const struct board_sample v[] = {{1, 1, 1}, {1, 2, 3}, {2, 1, 2}, {2, 2, 4}, {3, 1, 6}};
    double low, high;
    interval(v, 5, &low, &high); /* model means 2, 3, 6; the two forget seeds give none */
    near((low + high) / 2, 11.0 / 3, 1e-12);
    near((high - low) / 2, 4.302652730 * sqrt(13.0 / 3 / 3), 1e-6);
    interval(v, 3, &low, &high); /* two levels on each side */
    assert_true(isnan(low) && isnan(high));
}

static double normal(struct rng *g)
{
    float v;
    rng_fill_normal(g, &v, 1);
    return (double)v;
}

/* 3 x 3 with all three components: 95 % must mean 93 to 99 in 2,000 made-up studies. */
static void test_coverage(void **state)
{
    struct rng g;
    int hits = 0;
    rng_stream(&g, 1, "coverage", 0);
    for (int study = 0; study < 2000; study++) {
        struct board_sample v[9];
        double model[3], forget[3], low, high;
        for (int i = 0; i < 3; i++) {
            model[i] = normal(&g);
            forget[i] = normal(&g);
        }
        for (int i = 0; i < 9; i++)
            v[i] = (struct board_sample){i / 3, i % 3, model[i / 3] + forget[i % 3] + normal(&g)};
        interval(v, 9, &low, &high);
        hits += low <= 0 && high >= 0;
    }
    assert_in_range(hits, 1860, 1985);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_below_three_cells_is_none),
        cmocka_unit_test(test_one_side_is_student),
        cmocka_unit_test(test_unlearn_seeds_are_averaged),
        cmocka_unit_test(test_crossed_grid),
        cmocka_unit_test(test_no_factor_is_one_sample),
        cmocka_unit_test(test_equal_values_have_no_width),
        cmocka_unit_test(test_grid_with_a_hole),
        cmocka_unit_test(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
