/* The real unlearners on a small model: exact meters, equal bytes on any number of threads. */
#include "plugin_test.h"

#include <math.h>

#include "bench_model.h"
#include "loss.h"
#include "optim.h"
#include "rng.h"

/* Meters as text, so that a difference shows all of them. */
static void expect_meters(const struct meters *m, uint64_t forget, uint64_t retain, uint64_t other,
                          uint64_t forward, uint64_t backward, uint64_t steps, uint64_t af,
                          uint64_t ab)
{
    char got[300], want[300];
    const char *format = "forget %llu retain %llu other %llu forward %llu backward %llu steps %llu "
                         "attack %llu %llu";
    snprintf(got, sizeof(got), format, m->read_forget, m->read_retain, m->read_other, m->forward,
             m->backward, m->optimizer_steps, m->attack_forward, m->attack_backward);
    snprintf(want, sizeof(want), format, forget, retain, other, forward, backward, steps, af, ab);
    assert_string_equal(got, want);
}

static void open_plugin(struct bench *b, const char *file, const char *id)
{
    struct error err = ERROR_INIT;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.so", PLUGIN_DIR, file);
    assert_ok(plugin_open(path, &b->h.file, &err), err);
    b->h.plugin_id = id;
}

struct answer {
    struct model *m;
    struct unlearn_result r;
};

static int try_unlearn(struct bench *b, const char *file, const char *id, const char *changes,
                       const struct adversarial *declared, uint32_t n, struct answer *ret,
                       struct error *err)
{
    open_plugin(b, file, id);
    json_t *params = bench_params(&b->h, changes);
    assert_non_null(params);
    b->h.params = params;
    ret->m = NULL;
    assert_ok(model_clone(b->original, &ret->m, err), *err);
    int rc = hosting_unlearn(&b->h, b->original, ret->m, declared, n, &ret->r, err);
    json_decref(params);
    b->h.params = NULL;
    return rc;
}

static struct answer unlearn(struct bench *b, const char *file, const char *id, const char *changes,
                             const struct adversarial *declared, uint32_t n)
{
    struct answer a;
    struct error err = ERROR_INIT;
    assert_ok(try_unlearn(b, file, id, changes, declared, n, &a, &err), err);
    return a;
}

static bool same(const struct model *a, const struct model *b)
{
    return memcmp(a->param, b->param, a->n_param * sizeof(float)) == 0 &&
           memcmp(a->stat, b->stat, a->n_stat * sizeof(float)) == 0;
}

static void bench(struct bench *b, unsigned threads)
{
    struct error err = ERROR_INIT;
    assert_ok(bench_init(b, threads, &err), err);
    assert_int_equal(b->split.n_forget, 16);
    assert_int_equal(b->split.n_retain, 144);
}

/* Two epochs over 144 samples in batches of 32: 5 steps each. */
static void test_finetune(void **state)
{
    struct bench b;
    bench(&b, 1);
    struct answer a = unlearn(&b, "finetune", "finetune", "{\"epochs\":2,\"batch\":32}", NULL, 0);
    expect_meters(&a.r.meters, 0, 288, 0, 288, 288, 10, 0, 0);
    assert_true(a.r.run_s > 0 && a.r.prepare_s >= 0);
    assert_false(same(a.m, b.original));
    struct answer again =
        unlearn(&b, "finetune", "finetune", "{\"epochs\":2,\"batch\":32}", NULL, 0);
    assert_true(same(a.m, again.m));
    b.h.seed = 43;
    struct answer other =
        unlearn(&b, "finetune", "finetune", "{\"epochs\":2,\"batch\":32}", NULL, 0);
    assert_false(same(a.m, other.m));
    model_free(a.m);
    model_free(again.m);
    model_free(other.m);
    bench_release(&b);
}

static void order_batch(const struct dataset *ds, const uint32_t *rows, uint32_t n, float *x,
                        int32_t *y)
{
    for (uint32_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 784; k++)
            x[i * 784 + k] = (float)ds->pixels[rows[i] * 784u + k] / 255.0f;
        y[i] = ds->labels[rows[i]];
    }
}

/* One epoch of the same by hand, over the engine alone. */
static void test_finetune_by_hand(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    bench(&b, 1);
    struct answer a = unlearn(&b, "finetune", "finetune",
                              "{\"epochs\":1,\"batch\":64,\"lr\":0.02,\"momentum\":0.5}", NULL, 0);
    struct model *m;
    struct net *net;
    struct optim *optim;
    struct rng rng;
    uint32_t order[144], rows[64];
    float x[64 * 784], z[640];
    int32_t y[64];
    assert_ok(model_clone(b.original, &m, &err), err);
    assert_ok(net_new(b.arch, 64, NULL, &net, &err), err);
    struct optim_config config = {.kind = OPTIM_SGD, .momentum = 0.5, .weight_decay = 5e-4};
    assert_ok(optim_new(m, &config, &optim, &err), err);
    rng_stream(&rng, 42, "-/shuffle", 0);
    rng_permute(&rng, order, 144);
    for (uint32_t at = 0, n; at < 144; at += n) {
        n = 144 - at < 64 ? 144 - at : 64;
        for (uint32_t i = 0; i < n; i++)
            rows[i] = b.split.retain[order[at + i]];
        order_batch(b.ds, rows, n, x, y);
        assert_ok(net_forward(net, m, x, n, NET_TRAIN, z, &err), err);
        loss_cross_entropy(z, y, n, 10, NULL, z);
        assert_ok(net_backward(net, m, z, true, NULL, &err), err);
        optim_step(optim, 0.02, NULL);
    }
    assert_true(same(a.m, m));
    optim_free(optim);
    net_free(net);
    model_free(m);
    model_free(a.m);
    bench_release(&b);
}

static struct adversarial attack(struct bench *b)
{
    struct error err = ERROR_INIT;
    struct adversarial set;
    uint32_t n = b->split.n_forget;
    uint64_t ids[16];
    float x[16 * 784];
    int32_t y[16];
    open_plugin(b, "pgd_l2_nearest", "pgd-l2-nearest");
    json_t *params = bench_params(&b->h, "{\"steps\":10}");
    assert_non_null(params);
    b->h.params = params;
    for (uint32_t i = 0; i < n; i++)
        ids[i] = b->split.forget[i];
    order_batch(b->ds, b->split.forget, n, x, y);
    assert_ok(hosting_perturb(&b->h, b->original, x, y, ids, n, &set, &err), err);
    json_decref(params);
    return set;
}

/* What the host says of the set is recomputed here. */
static void test_adversarial_set(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    struct net *net;
    bench(&b, 1);
    struct adversarial set = attack(&b);
    float x[16 * 784], z[160], zc[160];
    int32_t y[16];
    uint32_t n_found = 0, most_steps = 0, n_clean = 0;
    order_batch(b.ds, b.split.forget, 16, x, y);
    assert_ok(net_new(b.arch, 16, NULL, &net, &err), err);
    assert_ok(net_infer(net, b.original, set.x, 16, z, &err), err);
    assert_ok(net_infer(net, b.original, x, 16, zc, &err), err);
    for (uint32_t i = 0; i < 16; i++) {
        double l2 = 0, linf = 0;
        for (size_t k = 0; k < 784; k++) {
            double d = (double)set.x[i * 784 + k] - (double)x[i * 784 + k];
            l2 += d * d;
            linf = fabs(d) > linf ? fabs(d) : linf;
        }
        assert_true(fabs(sqrt(l2) - (double)set.l2[i]) < 1e-6);
        assert_true(fabs(linf - (double)set.linf[i]) < 1e-7);
        assert_int_equal(set.label[i], loss_argmax(z + i * 10, 10));
        assert_int_equal(set.clean_pred[i], loss_argmax(zc + i * 10, 10));
        n_found += set.found[i];
        n_clean += set.clean_pred[i] != y[i];
        most_steps = set.steps[i] > most_steps ? set.steps[i] : most_steps;
        if (set.clean_pred[i] != y[i])
            assert_true(set.l2[i] == 0 && set.steps[i] == 0);
    }
    assert_true(n_found > 8 && n_clean < 16 && most_steps > 0);
    assert_int_equal(set.cost.read_forget, 16);
    assert_int_equal(set.cost.forward, 0);
    assert_true(set.cost.attack_forward >= 16 && set.cost.attack_backward > 0);
    net_free(net);
    adversarial_release(&set);
    bench_release(&b);
}

/* forget only: the retain set is never read, and the meter says so. */
static void test_amun(void **state)
{
    struct bench b;
    bench(&b, 1);
    struct adversarial set = attack(&b);
    uint64_t af = set.cost.attack_forward, ab = set.cost.attack_backward, found = 0;
    for (uint32_t i = 0; i < set.n; i++)
        found += set.found[i];
    struct answer a =
        unlearn(&b, "amun", "amun", "{\"epochs\":3,\"batch\":8,\"retain\":false,\"forget\":false}",
                &set, 1);
    expect_meters(&a.r.meters, 16, 0, 0, 3 * found, 3 * found, 3 * ((found + 7) / 8), af, ab);
    model_free(a.m);
    a = unlearn(&b, "amun", "amun", "{\"epochs\":1,\"batch\":8}", &set, 1);
    expect_meters(&a.r.meters, 16 + 16, 144, 0, 160 + found, 160 + found, (160 + found + 7) / 8, af,
                  ab);
    model_free(a.m);
    struct error err = ERROR_INIT;
    assert_int_equal(try_unlearn(&b, "amun", "amun", "{}", NULL, 0, &a, &err), ERR_DENIED);
    assert_string_equal(err.text, "amun needs example attacks, which this task does not grant");
    model_free(a.m);
    adversarial_release(&set);
    bench_release(&b);
}

/* The recipe: 2 epochs, batch 16, 144 samples, 9 steps each. */
static void test_retrain(void **state)
{
    struct bench b;
    bench(&b, 1);
    struct answer a = unlearn(&b, "retrain", "retrain", "{}", NULL, 0);
    expect_meters(&a.r.meters, 0, 288, 0, 288, 288, 18, 0, 0);
    b.h.recipe = NULL;
    struct error err = ERROR_INIT;
    struct answer none;
    assert_fails(try_unlearn(&b, "retrain", "retrain", "{}", NULL, 0, &none, &err), err, ERR_DENIED,
                 "retrain needs the training recipe, which this task does not grant");
    model_free(none.m);
    model_free(a.m);
    bench_release(&b);
}

static void test_others(void **state)
{
    struct bench b;
    bench(&b, 1);
    struct answer a =
        unlearn(&b, "random_labels", "random-labels", "{\"epochs\":2,\"batch\":32}", NULL, 0);
    expect_meters(&a.r.meters, 32, 288, 0, 320, 320, 10, 0, 0);
    model_free(a.m);
    a = unlearn(&b, "gradient_ascent", "gradient-ascent", "{\"epochs\":2,\"batch\":10}", NULL, 0);
    expect_meters(&a.r.meters, 32, 0, 0, 32, 32, 4, 0, 0);
    model_free(a.m);
    bench_release(&b);
}

/* Work that a budget does not cover is refused before it is done, with the numbers. */
static void test_budget(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    struct answer none, all;
    struct budget exact, less;
    bench(&b, 1);
    uint64_t passes = 2ull * b.recipe.epochs * b.split.n_retain;
    uint64_t steps = b.recipe.epochs * ((b.split.n_retain + b.recipe.batch - 1) / b.recipe.batch);
    exact = (struct budget){passes, steps, 0};
    b.h.budget = &exact;
    all = unlearn(&b, "retrain", "retrain", "{}", NULL, 0);
    assert_int_equal(all.r.meters.forward + all.r.meters.backward, passes);
    assert_int_equal(all.r.meters.optimizer_steps, steps);
    model_free(all.m);
    less = (struct budget){passes - 1, steps, 0};
    b.h.budget = &less;
    char want[300];
    snprintf(want, sizeof(want),
             "budget of %llu samples through the network (budget: {samples: %llu}): training by "
             "the recipe would take %llu more, %llu are left",
             (unsigned long long)passes - 1, (unsigned long long)passes - 1,
             (unsigned long long)passes, (unsigned long long)passes - 1);
    assert_fails(try_unlearn(&b, "retrain", "retrain", "{}", NULL, 0, &none, &err), err, ERR_BUDGET,
                 want);
    model_free(none.m);
    less = (struct budget){passes, steps - 1, 0};
    err = (struct error)ERROR_INIT;
    int rc = try_unlearn(&b, "retrain", "retrain", "{}", NULL, 0, &none, &err);
    assert_int_equal(rc, ERR_BUDGET);
    assert_non_null(strstr(err.text, "optimiser steps"));
    model_free(none.m);
    bench_release(&b);
}

/* The same bytes on 1, 2 and 3 threads: training, attack, retraining. */
static void test_threads(void **state)
{
    static const struct {
        const char *file, *id, *params;
    } runs[] = {{"finetune", "finetune", "{\"epochs\":2,\"batch\":48}"},
                {"amun", "amun", "{\"epochs\":2,\"batch\":48}"},
                {"retrain", "retrain", "{}"}};
    struct bench b[3];
    struct adversarial set[3];
    for (unsigned t = 0; t < 3; t++) {
        bench(&b[t], t + 1);
        set[t] = attack(&b[t]);
        assert_true(same(b[t].original, b[0].original));
        assert_memory_equal(set[t].x, set[0].x, 16 * 784 * sizeof(float));
    }
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct answer a[3];
        for (unsigned t = 0; t < 3; t++) {
            a[t] = unlearn(&b[t], runs[i].file, runs[i].id, runs[i].params, &set[t], 1);
            assert_true(same(a[t].m, a[0].m));
            assert_memory_equal(&a[t].r.meters, &a[0].r.meters, sizeof(struct meters));
        }
        for (unsigned t = 0; t < 3; t++)
            model_free(a[t].m);
    }
    for (unsigned t = 0; t < 3; t++) {
        adversarial_release(&set[t]);
        bench_release(&b[t]);
    }
}

/* Augmentation: on for the training sets when the recipe says so, never for made samples. */
static void test_augmentation(void **state)
{
    struct bench b;
    bench(&b, 1);
    const char *text = "{\"epochs\":1,\"batch\":32}";
    struct answer plain = unlearn(&b, "finetune", "finetune", text, NULL, 0);
    b.recipe.augment = true;
    struct answer augmented = unlearn(&b, "finetune", "finetune", text, NULL, 0);
    assert_false(same(plain.m, augmented.m));
    struct adversarial set = attack(&b);
    const char *alone = "{\"epochs\":1,\"batch\":32,\"retain\":false,\"forget\":false}";
    struct answer made = unlearn(&b, "amun", "amun", alone, &set, 1);
    b.recipe.augment = false;
    struct answer made_plain = unlearn(&b, "amun", "amun", alone, &set, 1);
    assert_true(same(made.m, made_plain.m));
    adversarial_release(&set);
    model_free(plain.m);
    model_free(augmented.m);
    model_free(made.m);
    model_free(made_plain.m);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finetune),        cmocka_unit_test(test_finetune_by_hand),
        cmocka_unit_test(test_adversarial_set), cmocka_unit_test(test_amun),
        cmocka_unit_test(test_retrain),         cmocka_unit_test(test_others),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_augmentation),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
