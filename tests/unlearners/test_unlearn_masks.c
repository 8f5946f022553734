/* Masks, dampening, heads and teachers: what may change and what must not. */
#include "unlearn_bench.h"

#include <math.h>

#include "loss.h"

static struct bench bench;

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    return bench_init(&bench, 1, &err);
}

static int tear_down(void **state)
{
    bench_release(&bench);
    return 0;
}

/* |sum of the forget batches' mean gradients| in evaluation mode, by the engine alone. */
static void saliency(float *ret)
{
    struct error err = ERROR_INIT;
    struct net *net;
    float x[16 * 784], z[160];
    int32_t y[16];
    assert_ok(net_new(bench.arch, 16, NULL, &net, &err), err);
    bench_samples(bench.ds, bench.split.forget, 16, x, y);
    assert_ok(net_forward(net, bench.original, x, 16, NET_EVAL, z, &err), err);
    loss_cross_entropy(z, y, 16, 10, NULL, z);
    memset(bench.original->grad, 0, bench.original->n_param * sizeof(float));
    assert_ok(net_backward(net, bench.original, z, true, NULL, &err), err);
    for (size_t i = 0; i < bench.original->n_param; i++)
        ret[i] = fabsf(bench.original->grad[i]);
    net_free(net);
}

/* floor(ratio P) weights train, the most salient ones; the others keep every bit, whatever the
 * momentum and the decay; leaky ones move. */
static void test_salun_mask(void **state)
{
    size_t n = bench.original->n_param, want = (size_t)(0.3 * (double)n), above = 0;
    float *g = calloc(n, sizeof(*g)), least = HUGE_VALF;
    assert_non_null(g);
    saliency(g);
    struct answer a =
        bench_unlearn(&bench, "salun", "{\"epochs\":3,\"batch\":16,\"mask_ratio\":0.3}", NULL);
    size_t changed = n_changed(a.m, bench.original);
    assert_true(changed <= want &&
                changed > want * 9 / 10); /* a few come back to where they were */
    for (size_t i = 0; i < n; i++)
        if (a.m->param[i] != bench.original->param[i])
            least = g[i] < least ? g[i] : least;
    for (size_t i = 0; i < n; i++)
        above += g[i] > least;
    assert_true(above <= want);
    struct answer leaky =
        bench_unlearn(&bench, "salun",
                      "{\"epochs\":3,\"batch\":16,\"mask_ratio\":0.3,\"mask_leaky\":true}", NULL);
    assert_true(n_changed(leaky.m, bench.original) > want * 2);
    model_free(a.m);
    model_free(leaky.m);
    free(g);
}

static size_t head_start(const struct model *m, unsigned layers_with_weights)
{
    size_t t = m->n_tensors;
    for (unsigned found = 0; found < layers_with_weights;)
        found += m->tensor[--t].n_dim >= 2;
    return m->tensor[t].offset;
}

/* CF-k and EU-k: the front keeps every bit. */
static void test_last_layers(void **state)
{
    static const char *const ids[] = {"cf-k", "eu-k"};
    for (unsigned k = 1; k <= 2; k++)
        for (int i = 0; i < 2; i++) {
            char changes[64];
            snprintf(changes, sizeof(changes), "{\"k\":%u}", k);
            struct answer a = bench_unlearn(&bench, ids[i], changes, NULL);
            size_t start = head_start(bench.original, k), n = a.m->n_param - start;
            assert_memory_equal(a.m->param, bench.original->param, start * sizeof(float));
            size_t changed = n_changed(a.m, bench.original);
            assert_true(changed > (i == 0 ? n / 10 : n / 2)); /* dead units have no gradient */
            model_free(a.m);
        }
}

/* lambda 1, alpha 10: a selected weight becomes less than a tenth; nothing else moves. */
static void test_ssd(void **state)
{
    struct answer a = bench_unlearn(&bench, "ssd", "{\"alpha\":10,\"batch\":8}", NULL);
    size_t changed = 0;
    for (size_t i = 0; i < a.m->n_param; i++) {
        float before = bench.original->param[i], after = a.m->param[i];
        if (before == after)
            continue;
        assert_true(fabsf(after) < 0.1f * fabsf(before));
        changed++;
    }
    assert_memory_equal(a.m->stat, bench.original->stat, a.m->n_stat * sizeof(float));
    struct answer more = bench_unlearn(&bench, "ssd", "{\"alpha\":2,\"batch\":8}", NULL);
    assert_true(n_changed(more.m, bench.original) > changed);
    struct answer none = bench_unlearn(&bench, "ssd", "{\"alpha\":1e30}", NULL);
    assert_true(same_model(none.m, bench.original));
    struct answer free_of_labels =
        bench_unlearn(&bench, "ssd", "{\"alpha\":1.5,\"loss\":\"norm\"}", NULL);
    assert_true(n_changed(free_of_labels.m, bench.original) > 0);
    model_free(a.m);
    model_free(more.m);
    model_free(none.m);
    model_free(free_of_labels.m);
}

static double share_of_class(const struct model *m, const struct split *s, int32_t label)
{
    struct error err = ERROR_INIT;
    struct net *net;
    float x[784], z[10];
    int32_t y;
    unsigned n = 0;
    assert_ok(net_new(m->arch, 1, NULL, &net, &err), err);
    for (uint32_t i = 0; i < s->n_forget; i++) {
        bench_samples(bench.ds, &s->forget[i], 1, x, &y);
        assert_ok(net_infer(net, m, x, 1, z, &err), err);
        n += (int32_t)loss_argmax(z, 10) == label;
    }
    net_free(net);
    return (double)n / s->n_forget;
}

/* Methods for classes take the class away; the original sees it. */
static void test_class_methods(void **state)
{
    static const struct {
        const char *id, *changes;
    } runs[] = {{"trw", "{\"lr\":0.03,\"batch\":16}"},
                {"trw", "{\"lr\":0.03,\"batch\":16,\"beta\":0,\"batches\":\"pair\"}"},
                {"delete", "{\"lr\":0.01,\"batch\":16}"},
                {"delete", "{\"lr\":0.01,\"batch\":16,\"preset\":\"repo\"}"},
                {"boundary-expand", "{\"lr\":0.01,\"batch\":16}"},
                {"boundary-shrink",
                 "{\"lr\":0.01,\"batch\":16,\"bound\":0.3,\"same_label\":\"runner-up\"}"},
                {"unsir", "{\"lr\":0.003,\"impair_batch\":16}"},
                {"gradient-ascent", "{\"lr\":0.01,\"batch\":16}"}};
    struct error err = ERROR_INIT;
    struct bench saved = bench;
    memset(&bench.split, 0, sizeof(bench.split));
    assert_ok(bench_forget_class(&bench, &err), err);
    assert_true(share_of_class(bench.original, &bench.split, 3) > 0.5);
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct answer a = bench_unlearn(&bench, runs[i].id, runs[i].changes, NULL);
        double share = share_of_class(a.m, &bench.split, 3);
        if (!(share < 0.2))
            fail_msg("%s %s: %g of the class is left", runs[i].id, runs[i].changes, share);
        model_free(a.m);
    }
    split_release(&bench.split);
    bench = saved;
    assert_int_equal(bench_refuse(&bench, "trw", "{}", &err), ERR_UNSUPPORTED);
    assert_string_equal(err.text, "trw does not serve random forgetting");
    assert_int_equal(bench_refuse(&bench, "delete", "{}", &err), ERR_UNSUPPORTED);
    assert_int_equal(bench_refuse(&bench, "unsir", "{}", &err), ERR_UNSUPPORTED);
}

static void test_expand_leaves_classes(void **state)
{
    struct answer a = bench_unlearn(&bench, "boundary-expand", "{\"epochs\":0}", NULL);
    assert_true(same_model(a.m, bench.original)); /* expanded and pruned: nothing is left of it */
    model_free(a.m);
}

/* UNSIR as in the repository leaks statistics and gradients; the default does not. */
static void test_unsir_leaks(void **state)
{
    struct error err = ERROR_INIT;
    struct bench saved = bench;
    memset(&bench.split, 0, sizeof(bench.split));
    assert_ok(bench_forget_class(&bench, &err), err);
    struct answer kept = bench_unlearn(&bench, "unsir", "{\"epochs\":0}", NULL);
    struct answer leaky =
        bench_unlearn(&bench, "unsir", "{\"epochs\":0,\"preset\":\"repo\"}", NULL);
    assert_true(same_model(kept.m, bench.original));
    assert_int_equal(n_changed(leaky.m, bench.original), 0);
    assert_memory_not_equal(leaky.m->stat, bench.original->stat, leaky.m->n_stat * sizeof(float));
    model_free(kept.m);
    model_free(leaky.m);
    split_release(&bench.split);
    bench = saved;
}

/* SCRUB+R keeps the epoch whose forget error is nearest to that on held-out samples; without any
 * it is refused. */
static void test_rewind(void **state)
{
    struct error err = ERROR_INIT;
    assert_int_equal(bench_refuse(&bench, "scrub", "{\"rewind\":true}", &err), ERR_DENIED);
    assert_string_equal(err.text,
                        "rewind: true needs held-out samples, which this task does not grant");
    bench.h.validation = bench.split.test;
    bench.h.n_validation = bench.split.n_test;
    const char *ending = "\"epochs\":%d,\"msteps\":5,\"batch\":16,\"forget_batch\":16,\"lr\":0.05,"
                         "\"milestones\":\"\"";
    char changes[300], text[200];
    snprintf(text, sizeof(text), ending, 5);
    snprintf(changes, sizeof(changes), "{%s,\"rewind\":true}", text);
    struct answer rewound = bench_unlearn(&bench, "scrub", changes, NULL);
    bool found = same_model(rewound.m, bench.original);
    for (int e = 1; e <= 5 && !found; e++) {
        snprintf(text, sizeof(text), ending, e);
        snprintf(changes, sizeof(changes), "{%s}", text);
        struct answer plain = bench_unlearn(&bench, "scrub", changes, NULL);
        found = same_model(rewound.m, plain.m);
        model_free(plain.m);
    }
    assert_true(found);
    model_free(rewound.m);
    bench.h.validation = NULL;
    bench.h.n_validation = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_salun_mask),
        cmocka_unit_test(test_last_layers),
        cmocka_unit_test(test_ssd),
        cmocka_unit_test(test_class_methods),
        cmocka_unit_test(test_expand_leaves_classes),
        cmocka_unit_test(test_unsir_leaks),
        cmocka_unit_test(test_rewind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
