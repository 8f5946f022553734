/* The loss-threshold attack and the accuracy metric on hand-made logits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_host.h"

extern const lethe_entry lethe_plugin_entry_loss_threshold, lethe_plugin_entry_accuracy;

static lethe_status score(struct fake_host *f, const lethe_outputs *o, double *ret_score)
{
    const lethe_membership_attack *attack = f->plugin->iface;
    const lethe_member_job job = {.struct_size = sizeof job, .n_classes = 3, .candidates = o};
    return attack->score(&f->ctx, NULL, &job, ret_score);
}

static void test_loss_values(void **state)
{
    struct fake_host f;
    const float z[5][3] = {{0, 0, 0}, {2, 0, 0}, {1000, 0, -1000}, {1000, 0, -1000}, {-5, -6, -7}};
    const int32_t y[5] = {1, 0, 0, 2, 2};
    const lethe_outputs o = {sizeof o, 3, 1, 0, 5, &z[0][0], y};
    double s[5];
    fake_init(&f, &lethe_plugin_entry_loss_threshold);
    assert_int_equal(score(&f, &o, s), LETHE_OK);
    assert_true(fabs(s[0] + log(3)) < 1e-15);
    assert_true(fabs(s[1] + log(1 + 2 * exp(-2))) < 1e-15);
    assert_true(s[2] == 0);
    assert_true(s[3] == -2000);
    assert_true(fabs(s[4] + log(exp(2) + exp(1) + 1)) < 1e-14);
    fake_release(&f);
}

/* A member's smaller loss is the larger score; views are averaged. */
static void test_loss_views(void **state)
{
    struct fake_host f;
    const float z[2][2][3] = {{{4, 0, 0}, {6, 0, 0}}, {{1, 0, 0}, {0, 1, 0}}};
    const int32_t y[2] = {0, 0};
    const lethe_outputs o = {sizeof o, 3, 2, 0, 2, &z[0][0][0], y};
    double s[2];
    fake_init(&f, &lethe_plugin_entry_loss_threshold);
    assert_int_equal(score(&f, &o, s), LETHE_OK);
    assert_true(s[0] > s[1]);
    assert_true(fabs(s[0] + (log(1 + 2 * exp(-4)) + log(1 + 2 * exp(-6))) / 2) < 1e-15);
    assert_true(fabs(s[1] - (0.5 - log(2 + exp(1)))) < 1e-15);
    fake_release(&f);
}

static void test_loss_refusals(void **state)
{
    struct fake_host f;
    float z[2][3] = {{1, 2, 3}, {1, NAN, 3}};
    int32_t y[2] = {0, 3};
    const lethe_outputs o = {sizeof o, 3, 1, 0, 2, &z[0][0], y};
    double s[2];
    fake_init(&f, &lethe_plugin_entry_loss_threshold);
    assert_int_equal(score(&f, &o, s), LETHE_E_INVALID);
    assert_string_equal(f.failure, "label 3 of candidate 1 is none of 3");
    y[1] = 2;
    assert_int_equal(score(&f, &o, s), LETHE_E_NUMERIC);
    assert_string_equal(f.failure, "logits of candidate 1 are not finite");
    fake_release(&f);
}

/* ---- accuracy ---- */

enum { N_OUTPUTS = 4 };
static double emitted[N_OUTPUTS];
static const char *note[N_OUTPUTS];

static lethe_status emit_scalar(lethe_ctx *ctx, uint32_t output, double value, const char *text)
{
    assert_in_range(output, 0, N_OUTPUTS - 1);
    emitted[output] = value;
    note[output] = text;
    return fake_call(ctx);
}

static lethe_status emit_curve(lethe_ctx *ctx, uint32_t output, const double *x, const double *y,
                               uint32_t n)
{
    assert_true(output >= N_OUTPUTS && n > 0); /* tests/golden_metrics looks at them */
    return LETHE_OK;
}

static const lethe_emit_api emit = {
    .struct_size = sizeof emit, .scalar = emit_scalar, .curve = emit_curve};

static lethe_status evaluate(struct fake_host *f, const lethe_model_outputs *target)
{
    const lethe_metric *metric = f->plugin->iface;
    const lethe_metric_job job = {.struct_size = sizeof job,
                                  .n_targets = 1,
                                  .outputs_stride = sizeof *target,
                                  .n_classes = 3,
                                  .targets = target};
    f->host.emit = &emit;
    f->calls = 0;
    for (int i = 0; i < N_OUTPUTS; i++)
        emitted[i] = -1;
    return metric->evaluate(&f->ctx, &job);
}

static void test_accuracy(void **state)
{
    struct fake_host f;
    /* predictions 0 2 1 0 (a tie), two views each: only the first one counts */
    const float z[4][2][3] = {{{3, 1, 2}, {0, 9, 0}},
                              {{1, 2, 3}, {9, 0, 0}},
                              {{-3, -1, -2}, {0, 0, 9}},
                              {{5, 5, 5}, {0, 0, 9}}};
    const int32_t y[4] = {0, 2, 0, 0};
    const lethe_outputs three = {sizeof three, 3, 2, 0, 3, &z[0][0][0], y};
    const lethe_outputs four = {sizeof four, 3, 2, 0, 4, &z[0][0][0], y};
    const lethe_outputs none = {sizeof none, 3, 2, 0, 0, NULL, NULL};
    const lethe_outputs last = {sizeof last, 3, 2, 0, 1, &z[3][0][0], y + 3};
    lethe_model_outputs m = {sizeof m, 0, &three, &four, &none, NULL};
    fake_init(&f, &lethe_plugin_entry_accuracy);
    assert_int_equal(evaluate(&f, &m), LETHE_OK);
    assert_true(fabs(emitted[0] - 200.0 / 3) < 1e-13);
    assert_true(emitted[1] == 75 && !note[1]);
    assert_true(isnan(emitted[2]));
    assert_string_equal(note[2], "no test samples");
    assert_true(isnan(emitted[3]));
    assert_string_equal(note[3], "no class was forgotten");
    m.test_forgotten = &last;
    assert_int_equal(evaluate(&f, &m), LETHE_OK);
    assert_true(emitted[3] == 100 && !note[3]);
    f.fail_at = 0;
    assert_int_equal(evaluate(&f, &m), LETHE_E_CANCELLED);
    fake_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss_values),
        cmocka_unit_test(test_loss_views),
        cmocka_unit_test(test_loss_refusals),
        cmocka_unit_test(test_accuracy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
