/* Gaps, ranks, notes and flags against numbers computed by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "fake_results.h"

static const struct fake_column four[] = {
    {"forget_acc", "percent"}, {"retain_acc", "percent"}, {"test_acc", "percent"}, {"mia", ""}};
static const struct fake_column one[] = {{"forget_acc", "percent"}};
static const struct fake_column two[] = {{"forget_acc", "percent"}, {"test_acc", "percent"}};
static const char *const scenario[] = {"random-0.1", NULL};
static const char *const gap_four[] = {"forget_acc", "retain_acc", "test_acc", "mia", NULL};
static const char *const gap_one[] = {"forget_acc", NULL};

static struct board make(const struct results *r)
{
    struct board b;
    struct error err = ERROR_INIT;
    assert_int_equal(board_make(r, &b, &err), 0);
    return b;
}

static const struct board_entry *entry(const struct board *b, const char *method)
{
    const struct board_entry *e = board_find(b, "random-0.1", method);
    assert_non_null(e);
    return e;
}

static void end(struct results *r, struct board *b)
{
    board_release(b);
    results_release(r);
}

/* The sample numbers of the fixture auc_pairs_avg_gap (AMUN's mia_evaluate.py): 0.6825. */
static void test_average_gap_of_the_fixture(void **state)
{
    static const char *const methods[] = {"unlearned", NULL};
    const double retrained[] = {94.49, 100.0, 94.33, 0.1253};
    const double unlearned[] = {95.45, 99.57, 93.45, 0.1299};
    struct results r;
    fake_frame(&r, four, 4, scenario, methods, gap_four);
    fake_row(&r, ROW_ORACLE, "random-0.1", "retrain", 0, 1, retrained);
    fake_row(&r, ROW_METHOD, "random-0.1", "unlearned", 1, 1, unlearned);
    fake_link_oracles(&r);
    struct board b = make(&r);
    const struct board_entry *e = entry(&b, "unlearned");
    assert_true(fabs(e->gap - 0.6825) < 1e-12);
    assert_true(fabs(e->gap_of_means - 0.6825) < 1e-12);
    assert_true(fabs(e->gap_worst - 0.96) < 1e-12);
    assert_true(fabs(e->cell[3].gap - 0.0046) < 1e-15); /* a cell keeps its unit */
    assert_true(fabs(e->cell[1].gap_signed + 0.43) < 1e-12);
    assert_true(isnan(e->gap_sd) && isnan(e->gap_z) && isnan(e->cell[0].gap_z));
    assert_true(isnan(e->gap_ci_low) && isnan(e->cell[0].ci_high));
    assert_int_equal(e->rank, 1);
    assert_string_equal(e->flags, "underpowered");
    const struct board_entry *retrain = entry(&b, "retrain");
    assert_true(isnan(retrain->gap) && isnan(retrain->cell[0].gap));
    assert_int_equal(retrain->n_used, 1);
    assert_string_equal(retrain->flags, "underpowered");
    assert_string_equal(retrain->notes,
                        "1 of 1 run without another oracle for a leave-one-out gap");
    end(&r, &b);
}

static void test_leave_one_out(void **state)
{
    static const char *const methods[] = {"m", NULL};
    const double oracles[] = {90, 92, 97}, runs[] = {95, 91};
    struct results r;
    fake_frame(&r, one, 1, scenario, methods, gap_one);
    for (int k = 0; k < 3; k++)
        fake_row(&r, ROW_ORACLE, "random-0.1", "retrain", k, 1, &oracles[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "m", k + 1, 1, &runs[k]);
    fake_link_oracles(&r);
    struct board b = make(&r);
    const struct board_entry *e = entry(&b, "retrain");
    /* |90 - 94.5|, |92 - 93.5|, |97 - 91| */
    assert_true(fabs(e->gap - 4) < 1e-12);
    assert_true(fabs(e->gap_sd - sqrt(5.25)) < 1e-12);
    assert_true(fabs(e->gap_of_means) < 1e-12);
    assert_true(fabs(e->cell[0].gap_signed) < 1e-12);
    assert_true(fabs(e->gap_z - 4 / sqrt(13)) < 1e-12);
    assert_int_equal(e->rank, 0);
    assert_string_equal(e->flags, "");
    e = entry(&b, "m");
    assert_true(fabs(e->gap - 2) < 1e-12); /* |95 - 93|, |91 - 93| */
    assert_true(fabs(e->gap_sd) < 1e-12);
    assert_true(fabs(e->gap_of_means) < 1e-12);
    assert_true(fabs(e->gap_z - 2 / sqrt(13)) < 1e-12);
    assert_true(fabs(e->cell[0].mean - 93) < 1e-12);
    assert_true(fabs(e->cell[0].sd - sqrt(8)) < 1e-12);
    end(&r, &b);
}

/* A run is compared with the oracles of its own forget set, and with those that it names. */
static void test_references_belong_to_a_forget_set(void **state)
{
    static const char *const methods[] = {"m", NULL};
    struct results r;
    fake_frame(&r, one, 1, scenario, methods, gap_one);
    const double oracles[2][3] = {{88, 90, 92}, {70, 80, 90}};
    for (int k = 0; k < 3; k++)
        for (int f = 0; f < 2; f++)
            fake_row(&r, ROW_ORACLE, "random-0.1", "retrain", k, f + 1, &oracles[f][k]);
    const double runs[2] = {91, 83};
    for (int f = 0; f < 2; f++)
        fake_row(&r, ROW_METHOD, "random-0.1", "m", 1, f + 1, &runs[f]);
    fake_link_oracles(&r);
    struct board b = make(&r);
    const struct board_entry *e = entry(&b, "m");
    assert_true(fabs(e->gap - 2) < 1e-12); /* |91 - 90|, |83 - 80| */
    /* sd 2 and 10, pooled sqrt(52) */
    assert_true(fabs(e->gap_z - 2 / sqrt(52)) < 1e-12);
    board_release(&b);
    fake_set(&r.row[7].oracle_ids, "oracle-random-0.1-0-2;oracle-random-0.1-2-2");
    b = make(&r);
    assert_true(fabs(entry(&b, "m")->gap - 2) < 1e-12); /* their mean is 80 as well */
    assert_true(isnan(entry(&b, "m")->gap_z));          /* but they are two */
    assert_string_equal(entry(&b, "m")->flags, "underpowered");
    end(&r, &b);
}

/* Three oracles, original and the methods named, one run each, gap over forget_acc. */
static void simple(struct results *r, const char *const *methods, const double *values)
{
    const double oracles[] = {89, 90, 91}, original = 98;
    fake_frame(r, one, 1, scenario, methods, gap_one);
    fake_row(r, ROW_ORIGINAL, "random-0.1", "original", 1, 1, &original);
    for (int k = 0; k < 3; k++)
        fake_row(r, ROW_ORACLE, "random-0.1", "retrain", k, 1, &oracles[k]);
    for (size_t m = 0; methods[m]; m++)
        fake_row(r, ROW_METHOD, "random-0.1", methods[m], 1, 1, &values[m]);
    fake_link_oracles(r);
}

static void test_order_and_ties(void **state)
{
    static const char *const methods[] = {"far", "tie b", "broken", "tie a", "near", NULL};
    static const char *const order[] = {"original", "retrain", "near",  "tie b",
                                        "tie a",    "far",     "broken"};
    static const uint32_t ranks[] = {0, 0, 1, 2, 3, 4, 0};
    const double values[] = {95, 88, 90, 92, 90.5}; /* tie b is 2 below, tie a 2 above */
    struct results r;
    simple(&r, methods, values);
    fake_fail(&r, &r.row[6], VERDICT_CRASHED, 11, "");
    struct board b = make(&r);
    assert_int_equal(b.n, 7);
    for (size_t i = 0; i < b.n; i++) {
        assert_string_equal(b.entry[i].method, order[i]);
        assert_int_equal(b.entry[i].rank, ranks[i]);
    }
    const struct board_entry *e = entry(&b, "broken");
    assert_int_equal(e->n_planned, 1);
    assert_int_equal(e->n_used, 0);
    assert_true(isnan(e->gap) && isnan(e->gap_worst) && isnan(e->gap_z) && isnan(e->cell[0].mean));
    assert_string_equal(e->flags, "failed-runs");
    assert_string_equal(e->notes, "1 of 1 run crashed (signal 11)");
    end(&r, &b);
}

static void test_restricted_run_has_no_empty_entries(void **state)
{
    static const char *const methods[] = {"a", NULL};
    const double values[] = {90};
    struct results r;
    simple(&r, methods, values);
    free(r.row[4].method);
    r.row[4].method = NULL;
    fake_set(&r.row[4].method, "retrain-like"); /* a label that the frame does not list */
    struct board b = make(&r);
    assert_int_equal(b.n, 2);
    assert_null(board_find(&b, "random-0.1", "a"));
    end(&r, &b);
}

/* A run without a gap term counts as planned, not as used; its other values count. */
static void test_missing_term(void **state)
{
    static const char *const methods[] = {"m", NULL};
    static const char *const gap[] = {"forget_acc", "test_acc", NULL};
    const double oracles[][2] = {{89, 80}, {90, 80}, {91, 80}};
    const double runs[][2] = {{92, 79}, {94, NAN}, {NAN, NAN}};
    struct results r;
    fake_frame(&r, two, 2, scenario, methods, gap);
    for (int k = 0; k < 3; k++)
        fake_row(&r, ROW_ORACLE, "random-0.1", "retrain", k, 1, oracles[k]);
    for (int k = 0; k < 3; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "m", k + 1, 1, runs[k]);
    fake_set(&r.row[4].note[1], "no test samples");
    fake_fail(&r, &r.row[5], VERDICT_TIMEOUT, 0, "wall limit of 30 min");
    fake_set(&r.row[4].failed_parts, "rmia:oom");
    fake_link_oracles(&r);
    struct board b = make(&r);
    const struct board_entry *e = entry(&b, "m");
    assert_int_equal(e->n_planned, 3);
    assert_int_equal(e->n_used, 1);
    assert_true(fabs(e->gap - 1.5) < 1e-12); /* of the first run alone: |92 - 90|, |79 - 80| */
    assert_int_equal(e->cell[0].n, 2);
    assert_true(fabs(e->cell[0].mean - 93) < 1e-12);
    assert_true(fabs(e->cell[0].gap - 3) < 1e-12);
    assert_true(isnan(e->gap_z)); /* the oracles agree on test_acc */
    assert_string_equal(e->flags, "failed-runs");
    assert_string_equal(e->notes, "1 of 3 runs timeout: wall limit of 30 min; "
                                  "1 of 3 runs lost rmia:oom; "
                                  "1 of 3 runs without test_acc (no test samples); "
                                  "no gap_z: the oracles do not differ in test_acc");
    end(&r, &b);
}

static void test_without_oracles_nothing_is_ranked(void **state)
{
    static const char *const methods[] = {"m", NULL};
    const double values[] = {90};
    struct results r;
    simple(&r, methods, values);
    for (int k = 1; k <= 3; k++)
        fake_fail(&r, &r.row[k], VERDICT_OOM, 0, "4 GiB");
    fake_link_oracles(&r);
    struct board b = make(&r);
    const struct board_entry *e = entry(&b, "m");
    assert_int_equal(e->rank, 0);
    assert_true(isnan(e->gap));
    assert_true(fabs(e->cell[0].mean - 90) < 1e-12);
    assert_string_equal(e->flags, "underpowered;failed-runs");
    assert_string_equal(e->notes, "1 of 1 run without an oracle to compare with");
    assert_string_equal(entry(&b, "retrain")->notes, "3 of 3 runs oom: 4 GiB");
    end(&r, &b);
}

static void test_gap_term_without_column(void **state)
{
    static const char *const methods[] = {"m", NULL};
    const double values[] = {90};
    struct results r;
    simple(&r, methods, values);
    fake_set(&r.gap[0], "rmia.auc_forget_test");
    struct board b = make(&r);
    assert_true(isnan(entry(&b, "m")->gap));
    assert_int_equal(entry(&b, "m")->n_used, 0);
    assert_string_equal(entry(&b, "m")->notes, "1 of 1 run without rmia.auc_forget_test");
    end(&r, &b);
}

static void test_flags_no_op_and_collapsed(void **state)
{
    static const char *const methods[] = {"nothing", "almost", "wreck", "some",
                                          "copy",    "beyond", NULL};
    const double original[][2] = {{98, 88}, {97, 89}},
                 oracles[][2] = {{89, 88}, {90, 87}, {91, 89}};
    const double almost[][2] = {{98, 88}, {97, 89.5}}, wreck[][2] = {{12, 44}, {10, 44}};
    const double some[][2] = {{97, 88}, {96, 89}}, beyond[][2] = {{86, 88}, {87, 89}};
    struct results r;
    fake_frame(&r, two, 2, scenario, methods, gap_one);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_ORIGINAL, "random-0.1", "original", k, 1, original[k]);
    for (int k = 0; k < 3; k++)
        fake_row(&r, ROW_ORACLE, "random-0.1", "retrain", k, 1, oracles[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "nothing", k, 1, original[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "almost", k, 1, almost[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "wreck", k, 1, wreck[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "some", k, 1, some[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "copy", k, 1, some[k]);
    for (int k = 0; k < 2; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "beyond", k, 1, beyond[k]);
    fake_link_oracles(&r);
    struct board b = make(&r);
    assert_string_equal(entry(&b, "original")->flags, "");
    assert_string_equal(entry(&b, "retrain")->flags, "");
    assert_string_equal(entry(&b, "nothing")->flags, "no-op");
    /* its gap term stayed where it was; only test accuracy moved, which is none of them here */
    assert_string_equal(entry(&b, "almost")->flags, "no-op");
    /* 44 < 88.5 / 2; and 79 below the oracles' 90 +- 1, from above them */
    assert_string_equal(entry(&b, "wreck")->flags, "collapsed;over-unlearned");
    assert_string_equal(entry(&b, "some")->flags, "duplicate"); /* moved 1 of the 7.5 */
    assert_string_equal(entry(&b, "copy")->flags, "duplicate");
    assert_string_equal(entry(&b, "beyond")->flags, "over-unlearned"); /* 3.5 below, sd 1 */
    end(&r, &b);
}

static void test_division_is_what_any_run_did(void **state)
{
    static const char *const methods[] = {"m", NULL};
    const double value = 90;
    struct results r;
    fake_frame(&r, one, 1, scenario, methods, gap_one);
    for (int k = 0; k < 3; k++)
        fake_row(&r, ROW_METHOD, "random-0.1", "m", k, 1, &value);
    fake_fail(&r, &r.row[0], VERDICT_FAILED, 0, "why");
    fake_set(&r.row[1].division, "forget-only");
    fake_link_oracles(&r);
    struct board b = make(&r);
    assert_string_equal(entry(&b, "m")->division, "with-retain");
    end(&r, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_average_gap_of_the_fixture),
        cmocka_unit_test(test_leave_one_out),
        cmocka_unit_test(test_references_belong_to_a_forget_set),
        cmocka_unit_test(test_order_and_ties),
        cmocka_unit_test(test_restricted_run_has_no_empty_entries),
        cmocka_unit_test(test_missing_term),
        cmocka_unit_test(test_without_oracles_nothing_is_ranked),
        cmocka_unit_test(test_gap_term_without_column),
        cmocka_unit_test(test_flags_no_op_and_collapsed),
        cmocka_unit_test(test_division_is_what_any_run_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
