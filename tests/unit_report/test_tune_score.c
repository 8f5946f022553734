/* What the trials of `tune:` are worth, and which one is chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "fake_results.h"
#include "report_csv.h"
#include "tune_score.h"

static const struct fake_column columns[] = {{"forget_acc", "percent"}, {"speed", ""}};
static const char *const scenarios[] = {"random-0.1", NULL};
static const char *const methods[] = {"m; trial 1", "m; trial 2", "m; trial 3", NULL};
static const char *const gap[] = {"forget_acc", NULL};

/* Oracles at 90; the trials are off by 5, 2 and 1 points, and 10, 20 and 30 fast. */
static void frame(struct results *r)
{
    fake_frame(r, columns, 2, scenarios, methods, gap);
    r->column[0].near_retrain = true;
    r->column[1].near_retrain = false;
    r->column[1].better = BETTER_HIGHER;
    for (int k = 1; k <= 3; k++)
        fake_row(r, ROW_ORACLE, "random-0.1", "retrain", k, 1, (double[]){90, 0});
    for (int k = 0; k < 3; k++)
        for (int m = 1; m <= 2; m++) {
            const double value[] = {90 + (double[]){5, -2, 1}[k], 10.0 * (k + 1)};
            struct result_row *row = fake_row(r, ROW_METHOD, "random-0.1", methods[k], m, 1, value);
            fake_set(&row->plugin, "m");
        }
    fake_link_oracles(r);
}

static json_t *score(const struct results *r, const char *select)
{
    struct error err = ERROR_INIT;
    json_t *trials = json_pack("[{s:f},{s:f},{s:f}]", "lr", 0.1, "lr", 0.01, "lr", 0.001);
    json_t *ledger = NULL;
    assert_int_equal(tune_score(r, select, methods, 3, trials, &ledger, &err), 0);
    json_decref(trials);
    return ledger;
}

static json_int_t chosen(const json_t *ledger)
{
    return json_integer_value(json_object_get(ledger, "chosen"));
}

static double value(const json_t *ledger, size_t k)
{
    const json_t *trial = json_array_get(json_object_get(ledger, "trials"), k);
    return json_number_or_nan(json_object_get(trial, "value"));
}

static void test_smallest_gap(void **state)
{
    (void)state;
    struct results r;
    frame(&r);
    json_t *ledger = score(&r, "gap");
    assert_int_equal(chosen(ledger), 3);
    assert_true(value(ledger, 0) == 5 && value(ledger, 1) == 2 && value(ledger, 2) == 1);
    assert_true(json_is_false(json_object_get(ledger, "incomplete")));
    json_decref(ledger);
    results_release(&r);
}

static void test_larger_is_better(void **state)
{
    (void)state;
    struct results r;
    frame(&r);
    r.row[7].value[1] = r.row[8].value[1] = 15;
    json_t *ledger = score(&r, "speed");
    assert_int_equal(chosen(ledger), 2);
    json_decref(ledger);
    results_release(&r);
}

/* A run that failed disqualifies its trial, which still counts as tried. */
static void test_failed_trial(void **state)
{
    (void)state;
    struct results r;
    frame(&r);
    fake_fail(&r, &r.row[8], VERDICT_INVALID_OUTPUT, 0, "weights became NaN");
    json_t *ledger = score(&r, "gap");
    const json_t *trial = json_array_get(json_object_get(ledger, "trials"), 2);
    assert_int_equal(chosen(ledger), 2);
    assert_int_equal(json_array_size(json_object_get(ledger, "trials")), 3);
    assert_string_equal(json_string_value(json_object_get(trial, "status")), "invalid-output");
    assert_string_equal(json_string_value(json_object_get(trial, "reason")), "weights became NaN");
    assert_int_equal(json_integer_value(json_object_get(trial, "n_used")), 1);
    assert_true(json_is_false(json_object_get(ledger, "incomplete")));
    json_decref(ledger);
    results_release(&r);
}

/* What load may have caused is tried again by the next run. */
static void test_timeout_is_not_final(void **state)
{
    (void)state;
    struct results r;
    frame(&r);
    fake_fail(&r, &r.row[3], VERDICT_TIMEOUT, 0, "after 3 s");
    json_t *ledger = score(&r, "gap");
    assert_int_equal(chosen(ledger), 3);
    assert_true(json_is_true(json_object_get(ledger, "incomplete")));
    json_decref(ledger);
    results_release(&r);
}

static void test_nothing_to_choose(void **state)
{
    (void)state;
    struct results r;
    frame(&r);
    for (size_t i = 3; i < 9; i++)
        fake_fail(&r, &r.row[i], VERDICT_FAILED, 0, "no");
    json_t *ledger = score(&r, "gap");
    assert_true(json_is_null(json_object_get(ledger, "chosen")));
    json_decref(ledger);
    results_release(&r);
}

static void test_csv(void **state)
{
    (void)state;
    struct results r;
    struct csv_writer w;
    frame(&r);
    fake_fail(&r, &r.row[8], VERDICT_FAILED, 0, "no, thanks");
    json_t *one = score(&r, "gap");
    json_object_set_new(one, "method", json_string("My m"));
    json_object_set_new(one, "plugin", json_string("m"));
    json_object_set_new(one, "tried", json_pack("[s]", "lr"));
    r.ledger = json_pack("[o,{s:s,s:s,s:s}]", one, "method", "n", "plugin", "n", "why_not",
                         "it declares no tunable parameter");
    csv_writer_init(&w);
    report_tuning(&r, &w);
    assert_string_equal(w.out.s,
                        "method,plugin,trial,parameters,select,value,status,n_planned,n_used,"
                        "chosen,note\n"
                        "My m,m,1,lr=0.1,gap,5,ok,2,2,no,\n"
                        "My m,m,2,lr=0.01,gap,2,ok,2,2,yes,\n"
                        "My m,m,3,lr=0.001,gap,1,failed,2,1,no,\"no, thanks\"\n"
                        "n,n,,,,,,,,,it declares no tunable parameter\n");
    csv_writer_release(&w);
    results_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest_gap),      cmocka_unit_test(test_larger_is_better),
        cmocka_unit_test(test_failed_trial),      cmocka_unit_test(test_timeout_is_not_final),
        cmocka_unit_test(test_nothing_to_choose), cmocka_unit_test(test_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
