/* Means, ROC edge cases, the Student quantile. */
#include <math.h>

#include "rng.h"
#include "stats.h"
#include "unit_base/scratch.h"

static void moments(void **state)
{
    const double v[] = {3, 1, 4, 1, 5};
    assert_float_equal(stats_mean(v, 5), 2.8, 1e-15);
    assert_float_equal(stats_sd(v, 5), 1.7888543819998317, 1e-14);
    assert_true(stats_median(v, 5) == 3);
    assert_true(stats_median(v, 4) == 2);
    assert_true(isnan(stats_mean(v, 0)) && isnan(stats_sd(v, 1)) && isnan(stats_median(v, 0)));
    const double w[] = {1, NAN};
    assert_true(isnan(stats_median(w, 2)));
}

/* P(pos > neg) + P(pos = neg) / 2, pair by pair. */
static double auc_by_pairs(const double *pos, size_t n, const double *neg, size_t m)
{
    double wins = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            wins += pos[i] > neg[j] ? 1 : pos[i] == neg[j] ? 0.5 : 0;
    return wins / ((double)n * (double)m);
}

static void auc_equals_the_count_of_pairs(void **state)
{
    struct error err = ERROR_INIT;
    struct rng r;
    rng_from_key(&r, 3);
    for (int round = 0; round < 300; round++) {
        double pos[40], neg[30];
        size_t n = 1 + rng_below(&r, 40), m = 1 + rng_below(&r, 30);
        uint32_t levels = 1 + rng_below(&r, 20);
        for (size_t i = 0; i < n; i++)
            pos[i] = rng_below(&r, levels) == 0 ? INFINITY : rng_below(&r, levels);
        for (size_t i = 0; i < m; i++)
            neg[i] = rng_below(&r, levels) == 0 ? -INFINITY : rng_below(&r, levels);
        struct roc roc;
        assert_ok(roc_make(pos, n, neg, m, &roc, &err));
        assert_float_equal(roc.auc, auc_by_pairs(pos, n, neg, m), 1e-12);
        assert_true(roc.fpr[0] == 0 && roc.tpr[0] == 0);
        assert_true(roc.fpr[roc.n - 1] == 1 && roc.tpr[roc.n - 1] == 1);
        double area = 0; /* the trapezoids under the curve */
        for (size_t i = 1; i < roc.n; i++)
            area += (roc.fpr[i] - roc.fpr[i - 1]) * (roc.tpr[i] + roc.tpr[i - 1]) / 2;
        assert_float_equal(area, roc.auc, 1e-12);
        roc_release(&roc);
    }
}

static void roc_points_and_edges(void **state)
{
    struct error err = ERROR_INIT;
    const double pos[] = {3, 2, 2}, neg[] = {2, 1, 1, 0}, nan[] = {1, NAN};
    struct roc r;
    assert_ok(roc_make(pos, 3, neg, 4, &r, &err));
    assert_int_equal(r.n, 5); /* (0,0), then 3, 2, 1, 0 */
    assert_float_equal(r.tpr[1], 1.0 / 3, 1e-15);
    assert_true(r.fpr[2] == 0.25 && r.tpr[2] == 1);
    assert_float_equal(roc_tpr_at(&r, 0), 1.0 / 3, 1e-15);
    assert_float_equal(roc_tpr_at(&r, 0.2499), 1.0 / 3, 1e-15);
    assert_true(roc_tpr_at(&r, 0.25) == 1);
    assert_true(roc_balanced_accuracy(&r) == 0.875);
    roc_release(&r);
    assert_ok(roc_make(pos, 3, neg, 0, &r, &err));
    assert_true(isnan(r.auc) && isnan(roc_tpr_at(&r, 0.1)) && isnan(roc_balanced_accuracy(&r)));
    assert_int_equal(r.n, 3);
    roc_release(&r);
    assert_ok(roc_make(NULL, 0, NULL, 0, &r, &err));
    assert_int_equal(r.n, 1);
    roc_release(&r);
    assert_error(roc_make(pos, 3, nan, 2, &r, &err), &err,
                 "negative scores: score 1 of 2 is not a number");
}

static void student_quantiles_match_tables(void **state)
{
    static const struct {
        double df, t;
    } table[] = {
        {1, 12.706204736},  {2, 4.302652730},    {3, 3.182446305},   {4, 2.776445105},
        {5, 2.570581836},   {6, 2.446911851},    {8, 2.306004135},   {10, 2.228138852},
        {15, 2.131449546},  {20, 2.085963447},   {30, 2.042272456},  {60, 2.000297822},
        {120, 1.979930405}, {1000, 1.962339081}, {1e9, 1.959963987},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_float_equal(stats_t975(table[i].df), table[i].t, 1e-6);
    assert_true(isnan(stats_t975(0)) && isnan(stats_t975(-1)) && isnan(stats_t975(NAN)));
    assert_float_equal(stats_t975(1999.999), stats_t975(2000.001), 1e-8); /* two methods meet */
}

/* Simpson's rule over the density: 95 % must lie within the quantile, for fractional df too. */
static void fractional_degrees_of_freedom(void **state)
{
    static const double dfs[] = {0.9, 1.3, 2.5, 3.7, 7.25, 33.3};
    for (size_t i = 0; i < sizeof dfs / sizeof dfs[0]; i++) {
        double df = dfs[i], t = stats_t975(df), sum = 0;
        double c = tgamma((df + 1) / 2) / (sqrt(df * 3.14159265358979323846) * tgamma(df / 2));
        enum { N = 200000 };
        for (int k = 0; k <= N; k++) {
            double x = t * k / N, f = c * pow(1 + x * x / df, -(df + 1) / 2);
            sum += f * (k == 0 || k == N ? 1 : k % 2 ? 4 : 2);
        }
        assert_float_equal(2 * sum * t / N / 3, 0.95, 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),
        cmocka_unit_test(auc_equals_the_count_of_pairs),
        cmocka_unit_test(roc_points_and_edges),
        cmocka_unit_test(student_quantiles_match_tables),
        cmocka_unit_test(fractional_degrees_of_freedom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
