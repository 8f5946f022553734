/* Every metric on outputs, without samples and without oracles: undefined with a reason, no crash;
 * refusals of what is no output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "metric_bench.h"

#define ALL(X)                                                                                     \
    X(accuracy)                                                                                    \
    X(divergence)                                                                                  \
    X(ece)                                                                                         \
    X(entropy)                                                                                     \
    X(prediction_shift)                                                                            \
    X(yeom) X(zrf) X(klom) X(forgetting_score) X(comparator_privacy) X(robustness) X(transfer)
#define EXTERN(name) extern const lethe_entry lethe_plugin_entry_##name;
ALL(EXTERN)
extern const lethe_entry lethe_plugin_entry_confidence;

#define ADDRESS(name) &lethe_plugin_entry_##name,
static const lethe_entry *const all[] = {ALL(ADDRESS)};

static void init(struct bench *b, const lethe_entry *entry)
{
    bench_init(b, entry, 3);
    b->job.random = b->job.adversarial = b->job.source = b->job.source_adversarial = b->model[1];
}

static void assert_all_undefined(const struct bench *b)
{
    const lethe_metric *m = b->host.plugin->iface;
    for (uint32_t i = 0; i < m->n_outputs; i++)
        if (m->outputs[i].shape == LETHE_SHAPE_SCALAR && !isnan(b->value[i]))
            fail_msg("%s: %s of nothing is %g", b->host.plugin->info->id, m->outputs[i].name,
                     b->value[i]);
}

static void test_empty_sets(void **state)
{
    static struct bench b;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        init(&b, all[k]);
        for (uint32_t s = 0; s < 3; s++) {
            bench_set(&b, 0, 0, s, NULL, NULL, 0);
            bench_set(&b, 1, 0, s, NULL, NULL, 0);
        }
        if (bench_run(&b) != LETHE_OK)
            fail_msg("%s: %s", b.host.plugin->info->id, b.host.failure);
        assert_all_undefined(&b);
        bench_release(&b);
    }
}

/* A set that does not exist is NULL. */
static void test_absent_sets(void **state)
{
    static struct bench b;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        init(&b, all[k]);
        b.job.n_targets = 1;
        b.model[0][0].struct_size = b.model[1][0].struct_size = sizeof(lethe_model_outputs);
        if (bench_run(&b) != LETHE_OK)
            fail_msg("%s: %s", b.host.plugin->info->id, b.host.failure);
        assert_all_undefined(&b);
        bench_release(&b);
    }
}

static const float z[2][3] = {{1, 2, 0}, {0, 0, 3}};
static const int32_t y[2] = {1, 0};

static void test_no_oracles(void **state)
{
    static struct bench b;
    static const lethe_entry *const compared[] = {
        &lethe_plugin_entry_divergence, &lethe_plugin_entry_comparator_privacy,
        &lethe_plugin_entry_klom, &lethe_plugin_entry_forgetting_score};
    for (size_t k = 0; k < sizeof compared / sizeof *compared; k++) {
        init(&b, compared[k]);
        bench_set(&b, 0, 0, 0, z[0], y, 2);
        if (bench_run(&b) != LETHE_OK)
            fail_msg("%s: %s", b.host.plugin->info->id, b.host.failure);
        assert_all_undefined(&b);
        bench_release(&b);
    }
}

static void test_refusals(void **state)
{
    static struct bench b;
    const float bad[2][3] = {{1, 2, 0}, {0, NAN, 3}};
    const int32_t label[2] = {1, 3};
    bench_init(&b, &lethe_plugin_entry_ece, 3);
    bench_set(&b, 0, 0, 0, bad[0], y, 2);
    assert_int_equal(bench_run(&b), LETHE_E_NUMERIC);
    bench_set(&b, 0, 0, 0, z[0], label, 2);
    assert_int_equal(bench_run(&b), LETHE_E_INVALID);
    assert_string_equal(b.host.failure, "label 3 of sample 1 is none of 3");
    bench_release(&b);
    bench_init(&b, &lethe_plugin_entry_divergence, 3);
    bench_set(&b, 0, 0, 0, z[0], y, 2);
    bench_set(&b, 1, 0, 0, z[0], y, 1);
    assert_int_equal(bench_run(&b), LETHE_E_INVALID);
    assert_string_equal(b.host.failure, "outputs of 2 samples are compared with 1");
    bench_release(&b);
}

/* An exact KL to a probability of 0 is infinite: undefined, with that word; the rest is finite. */
static void test_infinite_kl(void **state)
{
    static struct bench b;
    const float p[3] = {1, 0, 0}, q[3] = {0, 1, 0};
    bench_init(&b, &lethe_plugin_entry_divergence, 3);
    fake_choice(&b.host, "input", "probabilities");
    bench_set(&b, 0, 0, 0, q, y, 1);
    bench_set(&b, 1, 0, 0, p, y, 1);
    assert_int_equal(bench_run(&b), LETHE_OK);
    assert_true(isnan(bench_value(&b, "forget_kl_exact")));
    assert_string_equal(bench_note(&b, "forget_kl_exact"), "infinite");
    bench_near(&b, "forget_kl", log(1e20), 1e-12);
    bench_near(&b, "forget_js", log(2), 1e-15);
    bench_near(&b, "forget_tv", 1, 0);
    bench_near(&b, "forget_activation_distance", sqrt(2), 1e-15);
    bench_release(&b);
}

/* Failures of the host are passed on. */
static void test_cancelled(void **state)
{
    static struct bench b;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        init(&b, all[k]);
        for (uint32_t s = 0; s < 3; s++) {
            bench_set(&b, 0, 0, s, z[0], y, 2);
            bench_set(&b, 1, 0, s, z[0], y, 2);
        }
        for (b.host.fail_at = 0;; b.host.fail_at++) {
            b.host.calls = 0;
            lethe_status status = bench_run(&b);
            if (status == LETHE_OK)
                break;
            assert_true(status == LETHE_E_CANCELLED || status == LETHE_E_NOMEM);
        }
        assert_true(b.host.fail_at > 2);
        bench_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_sets),  cmocka_unit_test(test_absent_sets),
        cmocka_unit_test(test_no_oracles),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_infinite_kl), cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
