/* Robust accuracy and transfer from predictions: LOTOS' fixture, counts by hand, empty sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "golden_nn/golden_array.h"
#include "robust_values.h"
#include "transfer_counts.h"

enum { N = 60 };

static double number(const json_t *o, const char *key)
{
    return json_number_or_nan(json_object_get(o, key));
}

static void assert_near(double found, double wanted, double tolerance)
{
    assert_true(fabs(found - wanted) <= tolerance);
}

static void test_transfer_fixture(void **state)
{
    int32_t y[N], clean[N], label[N], target_clean[N], target_adv[N];
    (void)state;
    golden_labels("transfer_netA/in_labels", y, N);
    golden_labels("transfer_netA/in_source_clean_pred", clean, N);
    golden_labels("transfer_netA/in_source_adv_pred", label, N);
    golden_labels("transfer_netA/in_target_clean_pred", target_clean, N);
    golden_labels("transfer_netA/in_target_adv_pred", target_adv, N);
    struct adversarial source = {.n = N, .clean_pred = clean, .label = label};
    struct transfer_counts k;
    transfer_count(&source, y, target_clean, target_adv, &k);
    assert_int_equal(k.eligible, 31);
    assert_int_equal(k.transferred, 25);
    assert_int_equal(k.right, 55);
    assert_int_equal(k.fooled, 36);
    json_t *pair = transfer_values(&k, false), *self = transfer_values(&k, true);
    assert_near(number(pair, "rate"), 0.8064516129032258, 1e-12);
    assert_near(number(pair, "label_match"), 0.8064516129032258, 1e-12);
    assert_near(number(pair, "n"), 31, 0);
    assert_near(number(self, "rate"), 0.6545454545454545, 1e-12);
    assert_near(number(self, "n"), 55, 0);
    assert_near(number(self, "rows"), N, 0);
    json_decref(pair);
    json_decref(self);
}

/* Nothing eligible: undefined with a count of 0, not 0. */
static void test_transfer_empty(void **state)
{
    int32_t y[2] = {0, 1}, wrong[2] = {1, 0};
    (void)state;
    struct adversarial source = {.n = 2, .clean_pred = wrong, .label = wrong};
    struct transfer_counts k;
    transfer_count(&source, y, y, wrong, &k);
    json_t *v = transfer_values(&k, false);
    assert_true(json_is_null(json_object_get(v, "rate")));
    assert_true(json_is_null(json_object_get(v, "label_match")));
    assert_near(number(v, "n"), 0, 0);
    json_decref(v);
}

/* Right/right, right/wrong, wrong/right, wrong/wrong, right/wrong. */
static void test_robust_by_hand(void **state)
{
    int32_t y[5] = {0, 1, 2, 0, 1}, clean[5] = {0, 1, 0, 1, 1}, label[5] = {0, 2, 2, 1, 0};
    float l2[5] = {1, 2, 4, 8, 4}, linf[5] = {0};
    uint8_t found[5] = {0, 1, 0, 1, 1};
    (void)state;
    struct adversarial a = {.n = 5,
                            .clean_pred = clean,
                            .label = label,
                            .found = found,
                            .l2 = l2,
                            .linf = linf,
                            .cost = {.attack_forward = 15, .attack_backward = 10}};
    struct error err = ERROR_INIT;
    json_t *all = NULL;
    assert_int_equal(robust_values(&a, y, &all, &err), 0);
    const json_t *v = json_object_get(all, "values");
    assert_near(number(v, "robust_acc_cond"), 100.0 / 3, 1e-12);
    assert_near(number(v, "robust_acc_raw"), 40, 1e-12);
    assert_near(number(v, "clean_acc"), 60, 1e-12);
    assert_near(number(v, "success_l2"), 3, 1e-12);
    assert_near(number(v, "forward"), 15, 0);
    json_decref(all);
}

static void test_robust_undefined(void **state)
{
    int32_t y[1] = {0}, wrong[1] = {1};
    float zero[1] = {0};
    uint8_t found[1] = {1};
    (void)state;
    struct adversarial a = {
        .n = 1, .clean_pred = wrong, .label = wrong, .found = found, .l2 = zero, .linf = zero};
    struct error err = ERROR_INIT;
    json_t *all = NULL;
    assert_int_equal(robust_values(&a, y, &all, &err), 0);
    const json_t *v = json_object_get(all, "values"), *notes = json_object_get(all, "notes");
    assert_true(json_is_null(json_object_get(v, "robust_acc_cond")));
    assert_string_equal(json_string_value(json_object_get(notes, "robust_acc_cond")),
                        "no clean test sample is right");
    assert_near(number(v, "robust_acc_raw"), 0, 0);
    json_decref(all);
    a.n = 0;
    assert_int_equal(robust_values(&a, y, &all, &err), 0);
    assert_true(isnan(number(json_object_get(all, "values"), "robust_acc_raw")));
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfer_fixture),
        cmocka_unit_test(test_transfer_empty),
        cmocka_unit_test(test_robust_by_hand),
        cmocka_unit_test(test_robust_undefined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
