/* Metric plugins against the fixtures: numbers of the published codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "metric_bench.h"

extern const lethe_entry lethe_plugin_entry_divergence, lethe_plugin_entry_ece,
    lethe_plugin_entry_entropy, lethe_plugin_entry_yeom, lethe_plugin_entry_zrf,
    lethe_plugin_entry_klom, lethe_plugin_entry_forgetting_score,
    lethe_plugin_entry_comparator_privacy, lethe_plugin_entry_transfer,
    lethe_plugin_entry_robustness;

static float *floats(const char *path, size_t *ret_n)
{
    struct fixture a = fixture_load(path);
    float *v = fixture_float(&a);
    if (ret_n)
        *ret_n = a.n;
    fixture_free(&a);
    return v;
}

static int32_t *labels(const char *path)
{
    struct fixture a = fixture_load(path);
    int32_t *v = fixture_int32(&a);
    fixture_free(&a);
    return v;
}

static const int32_t zeros[256];

/* Every point of a per-sample curve; samples without a point must not be finite in the fixture. */
static void curve_near(const struct bench *b, const char *curve, const char *path, double rtol,
                       double atol)
{
    struct fixture want = fixture_load(path);
    const struct bench_curve *c = bench_points(b, curve);
    uint32_t at = 0;
    double worst = 0;
    for (size_t i = 0; i < want.n; i++) {
        if (!isfinite(want.v[i]))
            continue;
        assert_true(at < c->n && c->x[at] == (double)i);
        double error = fabs(c->y[at++] - want.v[i]);
        worst = fmax(worst, error);
        if (error > atol + rtol * fabs(want.v[i]))
            fail_msg("%s: sample %zu is %.17g, expected %.17g", path, i, c->y[at - 1], want.v[i]);
    }
    assert_int_equal(at, c->n);
    print_message("%s: largest error %.2g\n", path, worst);
    fixture_free(&want);
}

static void test_divergence(void **state)
{
    static struct bench b;
    float *p = floats("divergence_v1/in_p_retrained", NULL);
    float *q = floats("divergence_v1/in_q_unlearned", NULL);
    bench_init(&b, &lethe_plugin_entry_divergence, 10);
    fake_choice(&b.host, "input", "probabilities");
    fake_int(&b.host, "per_sample", 1);
    bench_set(&b, 0, 0, 0, q, zeros, 25);
    bench_set(&b, 1, 0, 0, p, zeros, 25);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_kl", 2.3802490695025313, 2.5e-6);
    bench_near(&b, "forget_js", 0.3708050104397763, 4.7e-7);
    bench_near(&b, "forget_tv", 0.6868794252433872, 7.9e-7);
    curve_near(&b, "divergence_kl", "divergence_v1/out_kl_official", 2e-5, 2e-6);
    curve_near(&b, "divergence_js", "divergence_v1/out_js_official", 2e-5, 2e-6);
    curve_near(&b, "divergence_kl_exact", "divergence_v1/out_kl_exact", 1e-9, 1e-12);
    curve_near(&b, "divergence_js", "divergence_v1/out_js_exact", 1e-9, 1e-12);
    curve_near(&b, "divergence_tv", "divergence_v1/out_tv", 1e-9, 1e-12);
    curve_near(&b, "divergence_activation_distance", "divergence_v1/out_activation_distance", 1e-9,
               1e-12);
    curve_near(&b, "divergence_js_distance", "divergence_v1/out_js_distance_scipy", 1e-7, 1e-8);
    bench_release(&b);
    free(p);
    free(q);
}

static void test_ece(void **state)
{
    static struct bench b;
    float *z = floats("ece_v1/in_logits", NULL);
    int32_t *y = labels("ece_v1/in_labels");
    bench_init(&b, &lethe_plugin_entry_ece, 10);
    bench_set(&b, 0, 0, 2, z, y, 200);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "test_ece", 0.1714802235364914, 2e-6);
    bench_release(&b);
    free(z);
    free(y);
}

static void test_entropy(void **state)
{
    static struct bench b;
    float *p = floats("entropy_v1/in_prob", NULL);
    int32_t *y = labels("entropy_v1/in_labels");
    bench_init(&b, &lethe_plugin_entry_entropy, 6);
    fake_choice(&b.host, "input", "probabilities");
    fake_int(&b.host, "per_sample", 1);
    bench_set(&b, 0, 0, 0, p, y, 20);
    assert_int_equal(bench_run(&b), LETHE_OK);
    curve_near(&b, "entropy_entropy", "entropy_v1/out_entropy_double_scipy", 1e-12, 1e-12);
    curve_near(&b, "entropy_entropy", "entropy_v1/out_entropy_songmittal", 3e-6, 2e-6);
    curve_near(&b, "entropy_m_entropy_true", "entropy_v1/out_m_entropy_songmittal", 3e-6, 2e-6);
    curve_near(&b, "entropy_entropy", "entropy_v1/out_entropy_svc", 3e-6, 2e-6);
    curve_near(&b, "entropy_m_entropy", "entropy_v1/out_m_entropy_svc", 3e-6, 2e-6);
    bench_release(&b);
    free(p);
    free(y);
}

static void test_zrf(void **state)
{
    static struct bench b;
    float *z = floats("zrf_v1/in_logits_model", NULL),
          *t = floats("zrf_v1/in_logits_teacher", NULL);
    bench_init(&b, &lethe_plugin_entry_zrf, 10);
    bench_set(&b, 0, 0, 0, z, zeros, 23);
    bench_set(&b, 1, 0, 0, t, zeros, 23);
    b.job.random = &b.model[1][0];
    b.job.n_references = 0;
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_zrf", 0.7727325277179294, 1e-6);
    bench_near(&b, "forget_zrf_ssd", 0.9617782235145569, 2e-6);
    assert_true(isnan(bench_value(&b, "test_zrf")));
    bench_release(&b);
    free(z);
    free(t);
}

/* (50, n, c) logits as 50 models of a side. */
static void stack(struct bench *b, int side, const float *z, const int32_t *y, uint32_t n,
                  uint32_t c, uint32_t models)
{
    for (uint32_t m = 0; m < models; m++)
        bench_set(b, side, m, 0, z + (size_t)m * n * c, y, n);
}

static void test_klom(void **state)
{
    static struct bench b;
    float *u = floats("klom_v1/in_logits_unlearned", NULL);
    float *r = floats("klom_v1/in_logits_oracle", NULL);
    int32_t *y = labels("klom_v1/in_labels");
    bench_init(&b, &lethe_plugin_entry_klom, 10);
    fake_int(&b.host, "per_sample", 1);
    stack(&b, 0, u, y, 12, 10, 50);
    stack(&b, 1, r, y, 12, 10, 50);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_klom", 1.996726859337085, 3e-9);
    bench_near(&b, "forget_klom_p95", 3.7894898987449137, 5e-9);
    curve_near(&b, "klom_forget", "klom_v1/out_klom", 1e-9, 1e-9);
    curve_near(&b, "klom_forget_swapped", "klom_v1/out_klom_as_called", 1e-9, 1e-9);
    assert_true(bench_value(&b, "forget_klom_floor") > 0.05);
    bench_release(&b);
    free(u);
    free(r);
    free(y);
}

/* Margins as two logits, the label's and 0. */
static float *as_logits(const char *path, size_t *ret_n)
{
    struct fixture a = fixture_load(path);
    float *z = calloc(2 * a.n, sizeof *z);
    assert_non_null(z);
    for (size_t i = 0; i < a.n; i++)
        z[2 * i] = (float)a.v[i];
    *ret_n = a.n;
    fixture_free(&a);
    return z;
}

static void test_klom_edges(void **state)
{
    static struct bench b;
    size_t n;
    float *u = as_logits("klom_v1/in_edge_margins_unlearned", &n);
    float *r = as_logits("klom_v1/in_edge_margins_oracle", &n);
    bench_init(&b, &lethe_plugin_entry_klom, 2);
    fake_int(&b.host, "per_sample", 1);
    stack(&b, 0, u, zeros, 12, 2, 50);
    stack(&b, 1, r, zeros, 12, 2, 50);
    assert_int_equal(bench_run(&b), LETHE_OK);
    curve_near(&b, "klom_forget", "klom_v1/out_klom_edge", 1e-9, 1e-9);
    assert_string_equal(bench_note(&b, "forget_klom"),
                        "1 of 12 samples are undefined and left out");
    bench_release(&b);
    free(u);
    free(r);
}

static void test_forgetting_score(void **state)
{
    static struct bench b;
    size_t n;
    float *u = as_logits("deepmind_forget_v1/in_unlearned_confs", &n);
    float *r = as_logits("deepmind_forget_v1/in_retrained_confs", &n);
    bench_init(&b, &lethe_plugin_entry_forgetting_score, 2);
    fake_int(&b.host, "per_sample", 1);
    stack(&b, 0, u, zeros, 9, 2, 24);
    stack(&b, 1, r, zeros, 9, 2, 24);
    assert_int_equal(bench_run(&b), LETHE_OK);
    curve_near(&b, "forgetting_score_epsilon", "deepmind_forget_v1/out_epsilons", 0, 1e-4);
    bench_near(&b, "forgetting_score", 0.13368055555555555, 1e-12);
    assert_true(isnan(bench_value(&b, "forgetting_final_score")));
    bench_release(&b);
    free(u);
    free(r);
}

static void test_comparator_privacy(void **state)
{
    static struct bench b;
    float *u = floats("comparator_privacy_v1/in_logits_unlearned", NULL);
    float *r = floats("comparator_privacy_v1/in_logits_retrained", NULL);
    bench_init(&b, &lethe_plugin_entry_comparator_privacy, 10);
    bench_set(&b, 0, 0, 0, u, zeros, 60);
    bench_set(&b, 1, 0, 0, r, zeros, 60);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_privacy_score", 0.761, 1e-9);
    struct fixture want = fixture_load("comparator_privacy_v1/out_entropy_unlearn_attack_scores");
    const struct bench_curve *c = bench_points(&b, "comparator_privacy_entropy");
    assert_int_equal(c->n, want.n);
    for (uint32_t i = 0; i < c->n; i++)
        assert_true(fabs(c->y[i] - want.v[i]) < 1e-9);
    fixture_free(&want);
    fake_int(&b.host, "thresholds", 201);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_privacy_score", 0.716, 1e-9);
    bench_release(&b);
    free(u);
    free(r);
}

/* Predicted classes as one-hot outputs. */
static float *one_hot(const char *path, size_t n, uint32_t c)
{
    int32_t *y = labels(path);
    float *z = calloc(n * c, sizeof *z);
    assert_non_null(z);
    for (size_t i = 0; i < n; i++)
        z[i * c + (size_t)y[i]] = 1;
    free(y);
    return z;
}

static void test_transfer(void **state)
{
    static struct bench b;
    static const char *const path[] = {
        "transfer_netA/in_target_clean_pred", "transfer_netA/in_target_adv_pred",
        "transfer_netA/in_source_clean_pred", "transfer_netA/in_source_adv_pred"};
    int32_t *y = labels("transfer_netA/in_labels");
    float *z[4];
    bench_init(&b, &lethe_plugin_entry_transfer, 10);
    for (uint32_t i = 0; i < 4; i++) {
        z[i] = one_hot(path[i], 60, 10);
        bench_set(&b, 0, i, 0, z[i], y, 60);
    }
    b.job.n_targets = 1;
    b.job.adversarial = &b.model[0][1];
    b.job.source = &b.model[0][2];
    b.job.source_adversarial = &b.model[0][3];
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_transfer_eligible", 31, 0);
    bench_near(&b, "forget_transferred", 25, 0);
    bench_near(&b, "forget_source_correct", 55, 0);
    bench_near(&b, "forget_source_fooled", 36, 0);
    bench_near(&b, "forget_transfer_rate", 0.8064516129032258, 1e-12);
    bench_near(&b, "forget_source_attack_success", 0.6545454545454545, 1e-12);
    bench_near(&b, "forget_source_robust_accuracy", 0.34545454545454546, 1e-12);
    bench_near(&b, "forget_raw_adv_accuracy_target", 0.4166666666666667, 1e-12);
    bench_near(&b, "forget_label_match_rate", 0.8064516129032258, 1e-12);
    bench_near(&b, "forget_targets_predict_adv_label", 0.9, 1e-12);
    bench_release(&b);
    /* the source's own robustness, by the other metric */
    bench_init(&b, &lethe_plugin_entry_robustness, 10);
    bench_set(&b, 0, 0, 0, z[2], y, 60);
    bench_set(&b, 0, 1, 0, z[3], y, 60);
    b.job.n_targets = 1;
    b.job.adversarial = &b.model[0][1];
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_robust_acc_cond", 0.34545454545454546, 1e-12);
    bench_near(&b, "forget_attack_success", 0.6545454545454545, 1e-12);
    bench_near(&b, "forget_robust_acc_raw", 19.0 / 60, 1e-12);
    bench_near(&b, "forget_clean_acc", 55.0 / 60, 1e-12);
    bench_release(&b);
    for (uint32_t i = 0; i < 4; i++)
        free(z[i]);
    free(y);
}

/* Logits (0, log(e^l - 1)) have the cross-entropy l for class 0. */
static float *losses(const char *path, size_t *ret_n)
{
    struct fixture a = fixture_load(path);
    float *z = calloc(2 * a.n, sizeof *z);
    assert_non_null(z);
    for (size_t i = 0; i < a.n; i++)
        z[2 * i + 1] = (float)log(expm1(a.v[i]));
    *ret_n = a.n;
    fixture_free(&a);
    return z;
}

static void test_yeom(void **state)
{
    static struct bench b;
    size_t n, m;
    float *member = losses("yeom_loss/in_loss_member", &n);
    float *other = losses("yeom_loss/in_loss_nonmember", &m);
    bench_init(&b, &lethe_plugin_entry_yeom, 2);
    bench_set(&b, 0, 0, 1, member, zeros, n);
    bench_set(&b, 0, 0, 2, other, zeros, m);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "yeom_threshold", 0.3343839202169407, 1e-7); /* logits are float */
    bench_near(&b, "yeom_tpr", 0.605, 1e-12);
    bench_near(&b, "yeom_fpr", 0.25333333333333335, 1e-12);
    bench_near(&b, "yeom_advantage", 0.3516666666666666, 1e-12);
    bench_near(&b, "yeom_balanced_accuracy", 0.6758333333333333, 1e-12);
    bench_near(&b, "yeom_auc", 0.7511333333333334, 1e-12);
    bench_release(&b);
    free(member);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_ece),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_zrf),
        cmocka_unit_test(test_klom),
        cmocka_unit_test(test_klom_edges),
        cmocka_unit_test(test_forgetting_score),
        cmocka_unit_test(test_comparator_privacy),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_yeom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
