/* Tests, adjustments and distributions against hand-worked and tabulated numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stats_tests.h"

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.12g is not %.12g", a, b);
}

static void test_wilson(void **state)
{
    double lo, hi;
    stats_wilson(8, 10, &lo, &hi); /* Newcombe 1998: .4902, .9433 */
    near(lo, 0.4901625, 1e-6);
    near(hi, 0.9433178, 1e-6);
    stats_wilson(0, 20, &lo, &hi);
    near(lo, 0, 1e-15);
    near(hi, 3.8414588 / 23.8414588, 1e-6);
    stats_wilson(0, 0, &lo, &hi);
    assert_true(isnan(lo) && isnan(hi));
}

static double flip(const double *d, size_t n, double *least)
{
    double p;
    struct error err = ERROR_INIT;
    assert_int_equal(stats_sign_flip(d, n, &p, least, &err), 0);
    return p;
}

static void test_sign_flip(void **state)
{
    const double all[] = {1, 2, 3, 4}, mixed[] = {3, 2, -1}, tie[] = {1, -1}, zero[] = {0, 0, 0};
    double many[30], least;
    near(flip(all, 4, &least), 2.0 / 16, 0);
    near(least, 2.0 / 16, 0);
    near(flip(mixed, 3, &least), 4.0 / 8, 0); /* |sum| 4: +++, ++- and their mirrors */
    near(flip(tie, 2, &least), 1, 0);
    near(flip(zero, 3, &least), 1, 0);
    near(flip(all, 0, &least), 1, 0);
    near(least, 1, 0);
    for (int i = 0; i < 9; i++)
        many[i] = 1 + 0.1 * i;
    near(flip(many, 9, &least), 2.0 / 512, 0);
    near(least, 0.00390625, 0);
    for (int i = 0; i < 30; i++)
        many[i] = (i % 3 ? 1 : -1) * (1 + 0.01 * i);
    double p = flip(many, 30, &least); /* drawn; sum 11.65, sd of the sum about 6.3: p about .065 */
    assert_true(p > 0.05 && p < 0.08);
    near(p, flip(many, 30, &least), 0);
    near(least, 1.0 / 20000, 0);
}

static void test_holm(void **state)
{
    double p[] = {0.01, 0.04, 0.03, NAN, 0.005};
    struct error err = ERROR_INIT;
    assert_int_equal(stats_holm(p, 5, &err), 0);
    near(p[4], 0.02, 1e-15); /* 4 x .005 */
    near(p[0], 0.03, 1e-15); /* 3 x .01 */
    near(p[2], 0.06, 1e-15); /* 2 x .03 */
    near(p[1], 0.06, 1e-15); /* not below the one before */
    assert_true(isnan(p[3]));
}

static void test_ranks(void **state)
{
    const double v[] = {3, 1, 3, 2};
    double rank[4];
    struct error err = ERROR_INIT;
    assert_int_equal(stats_ranks(v, 4, rank, &err), 0);
    near(rank[0], 3.5, 0);
    near(rank[1], 1, 0);
    near(rank[2], 3.5, 0);
    near(rank[3], 2, 0);
}

static void test_friedman(void **state)
{
    /* ranks 1 2 3, 1 2 3, 1 3 2, 2 1 3: means 1.25 2 2.75; chi2 = 12 x 4 / 12 x 1.125 = 4.5 */
    const double v[] = {1, 2, 3, 10, 20, 30, 1, 5, 2, 4, 3, 6};
    double rank[3], chi2, p;
    struct error err = ERROR_INIT;
    assert_int_equal(stats_friedman(v, 4, 3, rank, &chi2, &p, &err), 0);
    near(rank[0], 1.25, 1e-15);
    near(rank[1], 2, 1e-15);
    near(chi2, 4.5, 1e-12);
    near(p, exp(-2.25), 1e-12); /* chi-square with 2 degrees of freedom */
    /* ties: ranks 1.5 1.5 3 in both blocks; 6 / (1 - 12 / 48) x ... = 4 */
    const double tied[] = {1, 1, 2, 5, 5, 9};
    assert_int_equal(stats_friedman(tied, 2, 3, rank, &chi2, &p, &err), 0);
    near(chi2, 4, 1e-12);
    assert_int_equal(stats_friedman(v, 1, 3, rank, &chi2, &p, &err), 0);
    assert_true(isnan(chi2) && isnan(p));
}

static void test_chi2(void **state)
{
    near(stats_chi2_tail(3.841458820694124, 1), 0.05, 1e-12);
    near(stats_chi2_tail(16.918977604620448, 9), 0.05, 1e-12);
    near(stats_chi2_tail(0.5, 4), 0.9735009788392561, 1e-12);
    near(stats_chi2_tail(0, 3), 1, 0);
    assert_true(isnan(stats_chi2_tail(NAN, 3)));
}

/* Demsar 2006, table 5: q at 5 % for 2 to 10 classifiers. */
static void test_nemenyi(void **state)
{
    static const double q[] = {1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164};
    for (size_t k = 2; k <= 10; k++)
        near(stats_nemenyi(k, 6) / sqrt((double)k * ((double)k + 1) / 36), q[k - 2], 1e-3);
    assert_true(isnan(stats_nemenyi(1, 6)) && isnan(stats_nemenyi(3, 1)));
}

static void test_kendall(void **state)
{
    const double a[] = {1, 2, 3, 4}, b[] = {1, 3, 2, 4}, c[] = {4, 3, 2, 1}, d[] = {1, 1, 2, 2};
    near(stats_kendall(a, b, 4), 4.0 / 6, 1e-15);
    near(stats_kendall(a, c, 4), -1, 1e-15);
    near(stats_kendall(a, d, 4), 4 / sqrt(24), 1e-15); /* tau-b */
    assert_true(isnan(stats_kendall(a, a, 1)));
}

static void test_pairs_needed(void **state)
{
    near(stats_pairs_needed(1, 1), 8, 0); /* 2.8016^2 = 7.85 */
    near(stats_pairs_needed(-0.5, 1), 32, 0);
    near(stats_pairs_needed(5, 0), 2, 0);
    assert_true(isnan(stats_pairs_needed(0, 1)) && isnan(stats_pairs_needed(1, NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wilson),       cmocka_unit_test(test_sign_flip),
        cmocka_unit_test(test_holm),         cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_friedman),     cmocka_unit_test(test_chi2),
        cmocka_unit_test(test_nemenyi),      cmocka_unit_test(test_kendall),
        cmocka_unit_test(test_pairs_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
