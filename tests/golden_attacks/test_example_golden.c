/* FGSM and PGD against torchattacks' outputs (fixture attacks_netA), on a foreign host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_host.h"
#include "net_a.h"

extern const lethe_entry lethe_plugin_entry_fgsm, lethe_plugin_entry_pgd;

enum { N = 12, C = NET_A_CLASSES, P = NET_A_PIXELS };

struct bench {
    struct fake_host fake;
    struct net_a net;
    lethe_model_api model;
    lethe_example_job job;
    lethe_batch clean;
    lethe_example_result out;
    float *x;
    int32_t *y;
    float adv[N * P], radius[N];
    uint8_t found[N];
    uint32_t steps[N];
    uint64_t id[N];
};

/* Plugin `which` of the entry. */
static void bench_init(struct bench *b, const lethe_entry *entry, uint32_t which)
{
    struct fixture x = fixture_load("amun_pgdl2_netA/in_images");
    struct fixture y = fixture_load("amun_pgdl2_netA/in_labels");
    lethe_entry one = *entry;
    memset(b, 0, sizeof *b);
    one.n_plugins = 1;
    one.plugins = &entry->plugins[which];
    fake_init(&b->fake, &one);
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

static void assert_near(const char *fixture, const float *v, double tolerance)
{
    struct fixture a = fixture_load(fixture);
    assert_true(fixture_distance_f(&a, v, N * P) <= tolerance);
    fixture_free(&a);
}

/* found says what the predictions on the result say. */
static void assert_found(struct bench *b, const char *fixture)
{
    struct fixture pred = fixture_load(fixture);
    for (int i = 0; i < N; i++)
        assert_int_equal(b->found[i], (int32_t)pred.v[i] != b->y[i]);
    fixture_free(&pred);
}

static void test_fgsm(void **state)
{
    struct bench b;
    bench_init(&b, &lethe_plugin_entry_fgsm, 0);
    assert_int_equal(perturb(&b), LETHE_OK);
    assert_near("attacks_netA/out_fgsm", b.adv, 2e-6);
    assert_found(&b, "attacks_netA/out_pred_fgsm");
    fake_real(&b.fake, "eps", 0.1);
    fake_int(&b.fake, "discretize", 1);
    assert_int_equal(perturb(&b), LETHE_OK);
    assert_near("attacks_netA/out_amun_fgsm_discretised", b.adv, 2e-6);
    bench_release(&b);
}

static void test_pgd(void **state)
{
    static const char *const images[] = {"attacks_netA/out_pgd_linf", "attacks_netA/out_pgd_l2"};
    static const char *const pred[] = {"attacks_netA/out_pred_pgd_linf",
                                       "attacks_netA/out_pred_pgd_l2"};
    for (uint32_t which = 0; which < 2; which++) {
        struct bench b;
        bench_init(&b, &lethe_plugin_entry_pgd, which);
        fake_int(&b.fake, "random_start", 0);
        assert_int_equal(perturb(&b), LETHE_OK);
        assert_near(images[which], b.adv, which ? 1e-4 : 2e-6);
        assert_found(&b, pred[which]);
        for (int i = 0; i < N; i++)
            assert_int_equal(b.steps[i], 10);
        bench_release(&b);
    }
}

/* Starts depend on the sample's id alone, lie in the ball, and eps 0 leaves the image. */
static void test_random_start(void **state)
{
    for (uint32_t which = 0; which < 2; which++) {
        struct bench b, one;
        bench_init(&b, &lethe_plugin_entry_pgd, which);
        bench_init(&one, &lethe_plugin_entry_pgd, which);
        fake_int(&b.fake, "steps", 0);
        fake_int(&one.fake, "steps", 0);
        assert_int_equal(perturb(&b), LETHE_OK);
        one.clean.n = 1;
        one.clean.x = one.x + 5 * P;
        one.clean.y = one.y + 5;
        one.id[0] = 105;
        assert_int_equal(perturb(&one), LETHE_OK);
        assert_memory_equal(one.adv, b.adv + 5 * P, P * sizeof(float));
        assert_memory_not_equal(b.adv, b.x, P * sizeof(float));
        fake_real(&b.fake, "eps", 0);
        assert_int_equal(perturb(&b), LETHE_OK);
        assert_memory_equal(b.adv, b.x, N * P * sizeof(float));
        bench_release(&b);
        bench_release(&one);
    }
}

/* A targeted attack descends to the class; its found counts arrivals. */
static void test_targeted(void **state)
{
    struct bench b;
    int32_t target[N];
    int reached = 0;
    bench_init(&b, &lethe_plugin_entry_pgd, 1);
    for (int i = 0; i < N; i++)
        target[i] = (b.y[i] + 1) % C;
    b.job.target = target;
    fake_real(&b.fake, "eps", 4);
    fake_int(&b.fake, "steps", 60);
    assert_int_equal(perturb(&b), LETHE_OK);
    for (int i = 0; i < N; i++)
        reached += b.found[i];
    assert_true(reached >= 8);
    target[3] = C;
    assert_int_equal(perturb(&b), LETHE_E_INVALID);
    assert_string_equal(b.fake.failure, "target 5 is none of the model's 5 classes");
    bench_release(&b);
}

/* Early stopping costs fewer passes and finds as many. */
static void test_early_stop(void **state)
{
    struct bench full, early;
    int n_full = 0, n_early = 0;
    bench_init(&full, &lethe_plugin_entry_pgd, 0);
    bench_init(&early, &lethe_plugin_entry_pgd, 0);
    fake_real(&full.fake, "eps", 0.2);
    fake_real(&early.fake, "eps", 0.2);
    fake_int(&early.fake, "early_stop", 1);
    assert_int_equal(perturb(&full), LETHE_OK);
    assert_int_equal(perturb(&early), LETHE_OK);
    for (int i = 0; i < N; i++) {
        n_full += full.found[i];
        n_early += early.found[i];
        assert_true(early.steps[i] <= full.steps[i]);
    }
    assert_true(n_early >= n_full && early.net.n_backward < full.net.n_backward);
    bench_release(&full);
    bench_release(&early);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fgsm),         cmocka_unit_test(test_pgd),
        cmocka_unit_test(test_random_start), cmocka_unit_test(test_targeted),
        cmocka_unit_test(test_early_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
