/* What the host makes of scores: AUCs of AMUN's three pairs (fixture auc_pairs_avg_gap), rates that
 * mean nothing, empty sides, DeLong's interval against its definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_host.h"
#include "score_values.h"

enum { N_FORGET = 60, N_RETAIN = 80, N_TEST = 70, N = N_FORGET + N_RETAIN + N_TEST };

struct bench {
    double score[N];
    uint8_t role[N]; /* retain 0, forget 1, test 2 */
    json_t *all;
    struct score_report report;
};

static void bench_init(struct bench *b)
{
    static const char *const files[] = {"auc_pairs_avg_gap/in_score_remain",
                                        "auc_pairs_avg_gap/in_score_forget",
                                        "auc_pairs_avg_gap/in_score_test"};
    size_t n = 0;
    for (uint8_t r = 0; r < 3; r++) {
        struct fixture a = fixture_load(files[r]);
        for (size_t i = 0; i < a.n; i++, n++) {
            b->score[n] = a.v[i];
            b->role[n] = r;
        }
        fixture_free(&a);
    }
    assert_int_equal(n, N);
    b->all = json_pack("{s:{},s:{},s:{}}", "values", "notes", "curves");
    assert_non_null(b->all);
    b->report =
        (struct score_report){json_object_get(b->all, "values"), json_object_get(b->all, "notes"),
                              json_object_get(b->all, "curves")};
}

static double value(const struct bench *b, const char *key)
{
    assert_non_null(json_object_get(b->report.values, key));
    return json_number_or_nan(json_object_get(b->report.values, key));
}

static void run(struct bench *b, const uint8_t *known)
{
    struct error err = ERROR_INIT;
    assert_int_equal(score_values(b->score, b->role, known, N, "x", &b->report, &err), 0);
}

static void test_pairs(void **state)
{
    struct bench b;
    bench_init(&b);
    run(&b, NULL);
    assert_true(fabs(value(&b, "x.auc_forget_test") - 0.48488095238095236) < 1e-12);
    assert_true(fabs(value(&b, "x.auc_forget_retain") - 0.7538541666666665) < 1e-12);
    assert_true(fabs(value(&b, "x.auc_retain_test") - 0.7357142857142857) < 1e-12);
    assert_true(fabs(value(&b, "x.auc_forget_test_balanced") - 0.485) < 0.06);
    assert_true(value(&b, "x.n_negatives") == N_TEST);
    assert_non_null(json_object_get(b.report.curves, "x.forget_test"));
    json_decref(b.all);
}

/* 70 negatives resolve neither 1 % nor less: the rate at 0 is the only honest one. */
static void test_rates(void **state)
{
    static const char *const keys[] = {"x.tpr_at_1pct_fpr", "x.tpr_at_0p1pct_fpr",
                                       "x.tpr_at_0p01pct_fpr"};
    struct bench b;
    double top = -HUGE_VAL, above = 0;
    bench_init(&b);
    run(&b, NULL);
    for (int i = 0; i < N; i++)
        top = b.role[i] == 2 ? fmax(top, b.score[i]) : top;
    for (int i = 0; i < N; i++)
        above += b.role[i] == 1 && b.score[i] > top;
    assert_true(fabs(value(&b, "x.tpr_at_0_fpr") - above / N_FORGET) < 1e-12);
    for (int k = 0; k < 3; k++) {
        const char *note = json_string_value(json_object_get(b.report.notes, keys[k]));
        assert_true(isnan(value(&b, keys[k])) && note && strstr(note, "70 negatives"));
    }
    json_decref(b.all);
}

/* The structural components of DeLong et al., pair by pair. */
static double brute_half_width(const struct bench *b)
{
    double variance = 0;
    for (uint8_t side = 1; side <= 2; side++) {
        double share[N], mean = 0, sum = 0;
        int n = 0;
        for (int i = 0; i < N; i++) {
            double wins = 0, others = 0;
            if (b->role[i] != side)
                continue;
            for (int j = 0; j < N; j++)
                if (b->role[j] == 3 - side) {
                    wins += b->score[i] > b->score[j] ? 1 : b->score[i] == b->score[j] ? 0.5 : 0;
                    others++;
                }
            share[n] = wins / others;
            mean += share[n++];
        }
        mean /= n;
        for (int i = 0; i < n; i++)
            sum += (share[i] - mean) * (share[i] - mean);
        variance += sum / (n - 1) / n;
    }
    return 1.959963984540054 * sqrt(variance);
}

static void test_interval(void **state)
{
    struct bench b;
    bench_init(&b);
    for (int i = 0; i < N; i++)
        b.score[i] = floor(b.score[i] * 8) / 8; /* ties */
    run(&b, NULL);
    double auc = value(&b, "x.auc_forget_test"), half = brute_half_width(&b);
    assert_true(fabs(value(&b, "x.auc_forget_test_low") - (auc - half)) < 1e-12);
    assert_true(fabs(value(&b, "x.auc_forget_test_high") - (auc + half)) < 1e-12);
    json_decref(b.all);
}

/* What the attack was told is not judged; a side without samples is undefined, with a reason. */
static void test_known(void **state)
{
    struct bench b;
    uint8_t known[N];
    bench_init(&b);
    for (int i = 0; i < N; i++)
        known[i] = b.role[i] == 2 ? 2 : 0;
    run(&b, known);
    assert_true(isnan(value(&b, "x.auc_forget_test")) && isnan(value(&b, "x.tpr_at_0_fpr")));
    assert_string_equal(json_string_value(json_object_get(b.report.notes, "x.auc_forget_test")),
                        "no test samples are judged");
    assert_false(isnan(value(&b, "x.auc_forget_retain")));
    json_decref(b.all);
}

static void test_nan(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    bench_init(&b);
    b.score[N_RETAIN + 3] = NAN;
    assert_int_equal(score_values(b.score, b.role, NULL, N, "", &b.report, &err), ERR_NUMERIC);
    assert_string_equal(err.text, "positive scores: score 3 of 60 is not a number");
    json_decref(b.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs), cmocka_unit_test(test_rates), cmocka_unit_test(test_interval),
        cmocka_unit_test(test_known), cmocka_unit_test(test_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
