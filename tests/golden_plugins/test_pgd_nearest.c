/* Nearest adversarial examples against the official implementation's outputs
 * (fixtures amun_pgdl2_netA and amun_pgdl2_netA_steps5), on a foreign host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_host.h"
#include "net_a.h"

extern const lethe_entry lethe_plugin_entry_pgd_l2_nearest;

enum { N = 12, C = NET_A_CLASSES, P = NET_A_PIXELS };

struct bench {
    struct fake_host fake;
    struct net_a net;
    lethe_model_api model;
    lethe_example_job job;
    lethe_batch clean;
    lethe_example_result out;
    float *x;   /* (N, 3, 8, 8) */
    int32_t *y; /* (N) */
    float adv[N * P], radius[N];
    uint8_t found[N];
    uint32_t steps[N];
    uint64_t id[N];
};

static void bench_init(struct bench *b)
{
    struct fixture x = fixture_load("amun_pgdl2_netA/in_images");
    struct fixture y = fixture_load("amun_pgdl2_netA/in_labels");
    memset(b, 0, sizeof *b);
    fake_init(&b->fake, &lethe_plugin_entry_pgd_l2_nearest);
    net_a_load(&b->net);
    b->model.struct_size = sizeof b->model;
    b->model.forward = net_a_forward;
    b->model.input_gradient = net_a_input_gradient;
    b->fake.host.model = &b->model;
    b->x = fixture_float(&x);
    b->y = fixture_int32(&y);
    b->job = (lethe_example_job){sizeof b->job, C, 0, 1, (const lethe_model *)&b->net, NULL};
    b->clean = (lethe_batch){sizeof b->clean, N, {3, 0, {3, 8, 8}}, b->x, b->y, b->id};
    for (int i = 0; i < N; i++)
        b->id[i] = 100 + (uint64_t)i;
    b->out = (lethe_example_result){sizeof b->out, 0, b->adv, b->found, b->radius, b->steps};
    fixture_free(&x);
    fixture_free(&y);
}

static void bench_release(struct bench *b)
{
    fake_release(&b->fake);
    net_a_free(&b->net);
    free(b->x);
    free(b->y);
}

static lethe_status perturb(struct bench *b)
{
    const lethe_example_attack *attack = b->fake.plugin->iface;
    return attack->perturb(&b->fake.ctx, &b->job, &b->clean, &b->out);
}

static void predict(struct bench *b, const float *x, float logits[N * C], double pred[N])
{
    lethe_batch batch = b->clean;
    batch.x = x;
    assert_int_equal(
        net_a_forward(&b->fake.ctx, (const lethe_model *)&b->net, &batch, LETHE_EVAL, logits), 0);
    for (int i = 0; i < (int)batch.n; i++) {
        int best = 0;
        for (int k = 1; k < C; k++)
            best = logits[i * C + k] > logits[i * C + best] ? k : best;
        pred[i] = best;
    }
}

static double distance(const struct bench *b, int i)
{
    double sum = 0;
    for (int p = 0; p < P; p++)
        sum += ((double)b->adv[i * P + p] - b->x[i * P + p]) *
               ((double)b->adv[i * P + p] - b->x[i * P + p]);
    return sqrt(sum);
}

static double distance_to(const char *fixture, const float *v, size_t n)
{
    struct fixture a = fixture_load(fixture);
    double worst = fixture_distance_f(&a, v, n);
    fixture_free(&a);
    return worst;
}

static void assert_predictions(struct bench *b, const char *fixture, const float *x)
{
    struct fixture a = fixture_load(fixture);
    float logits[N * C];
    double pred[N];
    predict(b, x, logits, pred);
    assert_true(fixture_distance(&a, pred, N) == 0);
    fixture_free(&a);
}

/* The fake host's network is the fixture's. */
static void test_net(void **state)
{
    struct bench b;
    float logits[N * C], dx[N * P];
    double pred[N];
    bench_init(&b);
    predict(&b, b.x, logits, pred);
    assert_true(distance_to("amun_pgdl2_netA/out_clean_logits", logits, N * C) < 2e-6);
    for (int i = 0; i < N; i++) { /* d mean CE / d logits */
        double sum = 0, top = logits[i * C + (int)pred[i]];
        for (int k = 0; k < C; k++)
            sum += exp(logits[i * C + k] - top);
        for (int k = 0; k < C; k++)
            logits[i * C + k] = (float)((exp(logits[i * C + k] - top) / sum - (k == b.y[i])) / N);
    }
    net_a_input_gradient(&b.fake.ctx, (const lethe_model *)&b.net, logits, dx);
    assert_true(distance_to("amun_pgdl2_netA/out_input_gradient_mean_ce", dx, N * P) < 1e-7);
    bench_release(&b);
}

static void check_norms(const struct bench *b, const char *fixture, double tolerance)
{
    float norm[N];
    for (int i = 0; i < N; i++) {
        norm[i] = (float)distance(b, i);
        assert_true(b->found[i] == 1);
        assert_true(norm[i] <= b->radius[i] * (1 + 1e-5) + 1e-6);
    }
    assert_true(distance_to(fixture, norm, N) < tolerance);
}

static void test_golden(void **state)
{
    struct bench b;
    float logits[N * C];
    double pred[N];
    bench_init(&b);
    assert_int_equal(perturb(&b), LETHE_OK);
    assert_true(distance_to("amun_pgdl2_netA/out_adv_images", b.adv, N * P) < 1e-5);
    assert_true(distance_to("amun_pgdl2_netA/out_adv_images_f64", b.adv, N * P) < 2e-6);
    assert_true(distance_to("amun_pgdl2_netA/out_eps", b.radius, N) < 1e-7);
    check_norms(&b, "amun_pgdl2_netA/out_delta_norm", 1e-5);
    assert_predictions(&b, "amun_pgdl2_netA/out_adv_pred", b.adv);
    assert_predictions(&b, "amun_pgdl2_netA/out_orig_pred", b.x);
    predict(&b, b.adv, logits, pred);
    assert_true(distance_to("amun_pgdl2_netA/out_adv_logits", logits, N * C) < 2e-5);
    for (int i = 0; i < N; i++) /* 1 and 4 are misclassified from the start */
        assert_true((b.steps[i] == 0) == (i == 1 || i == 4));
    assert_memory_equal(b.adv + P, b.x + P, P * sizeof(float));
    assert_memory_equal(b.adv + 4 * P, b.x + 4 * P, P * sizeof(float));
    bench_release(&b);
}

static void test_golden_many_doublings(void **state)
{
    struct bench b;
    bench_init(&b);
    fake_real(&b.fake, "eps", 0.01);
    fake_int(&b.fake, "steps", 5);
    assert_int_equal(perturb(&b), LETHE_OK);
    assert_true(distance_to("amun_pgdl2_netA_steps5/out_adv_images", b.adv, N * P) < 2e-5);
    struct fixture eps = fixture_load("amun_pgdl2_netA_steps5/out_eps");
    for (int i = 0; i < N; i++)
        assert_true(fabs(eps.v[i] - b.radius[i]) <= 1e-6 * eps.v[i]);
    fixture_free(&eps);
    check_norms(&b, "amun_pgdl2_netA_steps5/out_delta_norm", 2e-5);
    assert_predictions(&b, "amun_pgdl2_netA_steps5/out_adv_pred", b.adv);
    bench_release(&b);
}

/* A sample's path does not depend on its neighbours: bit-identical alone. */
static void test_alone(void **state)
{
    struct bench b, one;
    bench_init(&b);
    assert_int_equal(perturb(&b), LETHE_OK);
    bench_init(&one);
    one.clean.n = 1;
    for (int i = 0; i < N; i++) {
        one.clean.x = one.x + i * P;
        one.clean.y = one.y + i;
        assert_int_equal(perturb(&one), LETHE_OK);
        assert_memory_equal(one.adv, b.adv + i * P, P * sizeof(float));
        assert_int_equal(one.steps[0], b.steps[i]);
        assert_true(one.radius[0] == b.radius[i] && one.found[0] == b.found[i]);
    }
    bench_release(&one);
    bench_release(&b);
}

/* Only samples that still search cost passes: steps + 1 forward each. */
static void test_cost(void **state)
{
    struct bench b;
    uint64_t forward = 0, backward = 0;
    bench_init(&b);
    b.net.label = b.y; /* ids and labels stay together in shrinking batches */
    assert_int_equal(perturb(&b), LETHE_OK);
    for (int i = 0; i < N; i++) {
        forward += b.steps[i] + 1;
        backward += b.steps[i];
    }
    assert_true(b.net.n_forward == forward);
    assert_true(b.net.n_backward >= backward && b.net.n_backward <= backward + N);
    bench_release(&b);
}

static void test_cap(void **state)
{
    struct bench b;
    bench_init(&b);
    fake_real(&b.fake, "eps", 1e-3);
    fake_int(&b.fake, "steps", 4);
    fake_int(&b.fake, "max_doublings", 1);
    assert_int_equal(perturb(&b), LETHE_OK);
    for (int i = 0; i < N; i++) {
        int early = i == 1 || i == 4;
        assert_int_equal(b.found[i], early);
        assert_int_equal(b.steps[i], early ? 0 : 8);
        assert_true(b.radius[i] == (early ? 1e-3f : 2e-3f));
        assert_true(distance(&b, i) <= b.radius[i] * (1 + 1e-5) + 1e-6);
        assert_true((distance(&b, i) > 0) == !early);
    }
    bench_release(&b);
}

/* Without warm start every radius begins at the clean sample: what is found at a
 * radius is, bit by bit, what a search that begins with this radius finds. */
static void test_cold_start(void **state)
{
    struct bench warm, cold, fresh;
    uint64_t n_warm = 0, n_cold = 0;
    int later = 0;
    bench_init(&warm);
    bench_init(&cold);
    bench_init(&fresh);
    fake_int(&warm.fake, "steps", 7);
    fake_int(&cold.fake, "steps", 7);
    fake_int(&fresh.fake, "steps", 7);
    fake_int(&cold.fake, "warm_start", 0);
    fresh.clean.n = 1;
    assert_int_equal(perturb(&warm), LETHE_OK);
    assert_int_equal(perturb(&cold), LETHE_OK);
    for (int i = 0; i < N; i++) {
        n_warm += warm.steps[i];
        n_cold += cold.steps[i];
        double doublings = round(log2(cold.radius[i] / 0.04));
        fake_real(&fresh.fake, "eps", ldexp(0.04, (int)doublings));
        fresh.clean.x = fresh.x + i * P;
        fresh.clean.y = fresh.y + i;
        assert_int_equal(perturb(&fresh), LETHE_OK);
        assert_true(fresh.radius[0] == cold.radius[i] && cold.found[i] == 1);
        assert_true(cold.steps[i] == (uint32_t)(7 * doublings) + fresh.steps[0]);
        assert_memory_equal(fresh.adv, cold.adv + i * P, P * sizeof(float));
        later += cold.steps[i] > 7;
    }
    assert_true(later > 5 && n_cold > n_warm);
    bench_release(&fresh);
    bench_release(&cold);
    bench_release(&warm);
}

static void test_all_misclassified(void **state)
{
    struct bench b;
    float logits[N * C];
    double pred[N];
    bench_init(&b);
    predict(&b, b.x, logits, pred);
    for (int i = 0; i < N; i++)
        b.y[i] = ((int)pred[i] + 1) % C;
    assert_int_equal(perturb(&b), LETHE_OK);
    assert_memory_equal(b.adv, b.x, sizeof b.adv);
    for (int i = 0; i < N; i++)
        assert_true(b.found[i] == 1 && b.steps[i] == 0 && b.radius[i] == 0.04f);
    bench_release(&b);
}

static void test_box(void **state)
{
    struct bench b;
    bench_init(&b);
    for (int p = 0; p < N * P; p++)
        b.x[p] = b.x[p] < 0.3f ? 0.3f : b.x[p] > 0.6f ? 0.6f : b.x[p];
    b.job.box_lo = 0.25;
    b.job.box_hi = 0.625;
    fake_int(&b.fake, "max_doublings", 6);
    assert_int_equal(perturb(&b), LETHE_OK);
    int at_edge = 0;
    for (int p = 0; p < N * P; p++) {
        assert_true(b.adv[p] >= 0.25f && b.adv[p] <= 0.625f);
        at_edge += b.adv[p] == 0.25f || b.adv[p] == 0.625f;
    }
    assert_true(at_edge > 0);
    bench_release(&b);
}

static void test_refusals(void **state)
{
    struct bench b;
    const int32_t target[N] = {0};
    bench_init(&b);
    b.job.target = target;
    assert_int_equal(perturb(&b), LETHE_E_UNSUPPORTED);
    assert_string_equal(b.fake.failure,
                        "pgd-l2-nearest has no targeted form; leave the target classes out");
    b.job.target = NULL;
    b.y[3] = 5;
    assert_int_equal(perturb(&b), LETHE_E_INVALID);
    assert_string_equal(b.fake.failure, "label 5 is none of the model's 5 classes");
    b.y[3] = 0;
    b.net.b3.v[0] = NAN;
    assert_int_equal(perturb(&b), LETHE_E_NUMERIC);
    assert_non_null(strstr(b.fake.failure, "NaN or infinite on sample 0"));
    bench_release(&b);
}

/* Whichever call of the host fails, its answer comes back and nothing breaks. */
static void test_every_call_fails_once(void **state)
{
    struct bench b;
    bench_init(&b);
    fake_real(&b.fake, "eps", 0.01);
    fake_int(&b.fake, "steps", 3);
    b.fake.fail_code = LETHE_E_BUDGET;
    assert_int_equal(perturb(&b), LETHE_OK);
    int64_t n_calls = b.fake.calls;
    assert_true(n_calls > 10);
    for (int64_t k = 0; k < n_calls; k++) {
        b.fake.calls = 0;
        b.fake.fail_at = k;
        for (int p = 0; p < N * P; p++)
            b.adv[p] = 7;
        assert_int_equal(perturb(&b), k < 7 ? LETHE_E_NOMEM : LETHE_E_BUDGET);
        for (int i = 0; k >= 7 && i < N; i++) /* what it has by then is a valid answer */
            assert_true(distance(&b, i) <= b.radius[i] * (1 + 1e-5) + 1e-6);
    }
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_golden_many_doublings),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_cold_start),
        cmocka_unit_test(test_all_misclassified),
        cmocka_unit_test(test_box),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_call_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
