/* AMUN: invariants of the adversarial set, source sets, ablations, masks. */
#include "unlearn_bench.h"

#include <math.h>

#include "loss.h"
#include "optim.h"
#include "rng.h"

static struct bench bench;
static struct adversarial set;

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    int rc = bench_init(&bench, 1, &err);
    if (rc == 0)
        set = bench_attack(&bench, &bench.split, bench.original);
    return rc;
}

static int tear_down(void **state)
{
    adversarial_release(&set);
    bench_release(&bench);
    return 0;
}

/* methods.md of the field's code: x' is in the ball and in the box, the label is not y, a sample
 * that was wrong from the start stays, radii are 0.04 times powers of 2. */
static void test_invariants(void **state)
{
    float x[16 * 784];
    int32_t y[16];
    unsigned n_moved = 0;
    bench_samples(bench.ds, bench.split.forget, 16, x, y);
    for (uint32_t i = 0; i < set.n; i++) {
        const float *adv = set.x + i * 784u;
        double doublings = log2((double)set.radius[i] / 0.04);
        if (!set.found[i])
            continue;
        assert_true(set.label[i] != y[i]);
        assert_true((double)set.l2[i] <= (double)set.radius[i] * 1.00001);
        assert_true(fabs(doublings - rint(doublings)) < 1e-5 && doublings > -1e-5);
        for (int k = 0; k < 784; k++)
            assert_true(adv[k] >= 0 && adv[k] <= 1);
        if (set.clean_pred[i] != y[i])
            assert_memory_equal(adv, x + i * 784, 784 * sizeof(float));
        else
            n_moved++;
    }
    assert_true(n_moved > 5);
}

/* D_R 144, D_F 16, D_A as found: how many samples an epoch of each cell trains on. */
static void test_source_counts(void **state)
{
    static const struct {
        const char *changes;
        unsigned n;
    } cells[] = {{"{\"epochs\":1}", 160},
                 {"{\"epochs\":1,\"forget\":false}", 144},
                 {"{\"epochs\":1,\"retain\":false}", 16},
                 {"{\"epochs\":1,\"retain\":false,\"forget\":false}", 0}};
    uint64_t found = 0;
    for (uint32_t i = 0; i < set.n; i++)
        found += set.found[i];
    for (int c = 0; c < 4; c++) {
        struct answer a = bench_unlearn(&bench, "amun", cells[c].changes, &set);
        assert_int_equal(a.r.meters.forward, cells[c].n + found);
        assert_int_equal(a.r.meters.read_retain, c == 0 || c == 1 ? 144 : 0);
        model_free(a.m);
    }
}

/* What each ablation needs is what it reads, and they all differ. */
static void test_ablations(void **state)
{
    static const char *const kinds[] = {"none",  "random-labels", "noise",
                                        "clean", "clean-random",  "clean-adversarial"};
    struct answer a[6];
    char changes[128];
    for (int k = 0; k < 6; k++) {
        snprintf(changes, sizeof(changes), "{\"epochs\":2,\"batch\":32,\"ablation\":\"%s\"}",
                 kinds[k]);
        a[k] = bench_unlearn(&bench, "amun", changes, &set);
        assert_int_equal(a[k].r.meters.forward, a[0].r.meters.forward);
        for (int j = 0; j < k; j++)
            assert_false(same_model(a[k].m, a[j].m));
    }
    for (int k = 0; k < 6; k++)
        model_free(a[k].m);
}

static struct adversarial unmoved_set(float *x, int32_t *label, const int32_t *y)
{
    struct adversarial still = set;
    for (int i = 0; i < 16; i++) {
        label[i] = (y[i] + 1 + i % 9) % 10;
        still.found[i] = 1;
    }
    still.x = x;
    still.label = label;
    return still;
}

/* With perturbations of zero: AMUN's set, ablation 5 (clean images, adversarial labels), and
 * training on the forget set with those labels by hand are one and the same. */
static void test_clean_adversarial(void **state)
{
    float x[16 * 784];
    int32_t y[16], label[16];
    uint8_t found[16];
    memcpy(found, set.found, sizeof(found));
    bench_samples(bench.ds, bench.split.forget, 16, x, y);
    struct adversarial still = unmoved_set(x, label, y);
    const char *one = "{\"epochs\":1,\"batch\":40,\"lr\":0.02,\"forget\":false}";
    const char *two = "{\"epochs\":1,\"batch\":40,\"lr\":0.02,\"forget\":false,\"ablation\":"
                      "\"clean-adversarial\"}";
    struct answer a = bench_unlearn(&bench, "amun", one, &still);
    struct answer b = bench_unlearn(&bench, "amun", two, &still);
    assert_true(same_model(a.m, b.m));

    struct error err = ERROR_INIT;
    struct model *m;
    struct net *net;
    struct optim *optim;
    struct optim_config config = {.kind = OPTIM_SGD, .momentum = 0.9, .weight_decay = 5e-4};
    struct rng rng;
    uint32_t order[160];
    static float bx[40 * 784], z[400];
    int32_t by[40];
    assert_ok(model_clone(bench.original, &m, &err), err);
    assert_ok(net_new(bench.arch, 40, NULL, &net, &err), err);
    assert_ok(optim_new(m, &config, &optim, &err), err);
    rng_stream(&rng, 42, "-/shuffle", 0);
    rng_permute(&rng, order, 160);
    for (uint32_t at = 0; at < 160; at += 40) {
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t row = order[at + i];
            bool forget = row >= 144;
            uint32_t id = forget ? bench.split.forget[row - 144] : bench.split.retain[row];
            bench_samples(bench.ds, &id, 1, bx + i * 784, &by[i]);
            by[i] = forget ? label[row - 144] : by[i];
        }
        assert_ok(net_forward(net, m, bx, 40, NET_TRAIN, z, &err), err);
        loss_cross_entropy(z, by, 40, 10, NULL, z);
        assert_ok(net_backward(net, m, z, true, NULL, &err), err);
        optim_step(optim, 0.02, NULL);
    }
    assert_true(same_model(a.m, m));
    optim_free(optim);
    net_free(net);
    model_free(m);
    model_free(a.m);
    model_free(b.m);
    memcpy(set.found, found, sizeof(found));
}

/* Random labels on two classes leave one choice: the same as ablation 5 with that label. Classes
 * 0 to 4 and 5 to 9 are joined; the net keeps its ten outputs. */
static void test_random_labels_of_two(void **state)
{
    float x[16 * 784];
    int32_t y[16], label[16];
    uint8_t found[16];
    struct error err = ERROR_INIT;
    int32_t *labels = calloc(240, sizeof(*labels));
    struct dataset two = *bench.ds, *saved = bench.ds;
    struct arch *arch = NULL, *saved_arch = bench.arch;
    struct model *original = NULL, *saved_model = bench.original;
    struct yaml_node *node = NULL;
    const uint32_t input[3] = {1, 28, 28};
    const char text[] = "{arch: mlp, width: 16}";
    assert_non_null(labels);
    memcpy(found, set.found, sizeof(found));
    for (int i = 0; i < 240; i++)
        labels[i] = saved->labels[i] >= 5;
    two.labels = labels;
    two.n_classes = 2;
    assert_ok(yaml_parse("arch", text, strlen(text), &node, &err), err);
    assert_ok(arch_parse(node, input, 2, &arch, &err), err);
    yaml_free(node);
    assert_ok(model_new(arch, &original, &err), err);
    model_init(original, 3, "init");
    bench.ds = &two;
    bench.arch = arch;
    bench.original = original;
    bench.h.ds = &two;
    bench_samples(&two, bench.split.forget, 16, x, y);
    struct adversarial still = unmoved_set(x, label, y);
    for (int i = 0; i < 16; i++)
        label[i] = 1 - y[i];
    struct answer a = bench_unlearn(
        &bench, "amun",
        "{\"epochs\":2,\"batch\":32,\"forget\":false,\"ablation\":\"clean-adversarial\"}", &still);
    struct answer b = bench_unlearn(&bench, "random-labels", "{\"epochs\":2,\"batch\":32}", NULL);
    assert_false(same_model(a.m, original));
    assert_true(same_model(a.m, b.m));
    model_free(a.m);
    model_free(b.m);
    model_free(original);
    arch_free(arch);
    free(labels);
    bench.ds = saved;
    bench.arch = saved_arch;
    bench.original = saved_model;
    bench.h.ds = saved;
    memcpy(set.found, found, sizeof(found));
}

static void test_mask(void **state)
{
    struct answer a =
        bench_unlearn(&bench, "amun", "{\"epochs\":2,\"batch\":32,\"mask_ratio\":0.5}", &set);
    size_t n = bench.original->n_param, changed = n_changed(a.m, bench.original);
    assert_true(changed <= n / 2 && changed > n / 3);
    model_free(a.m);
}

static int find_attack(void *arg, const char *id, struct plugin_file **ret, struct error *err)
{
    struct bench other = *(struct bench *)arg;
    bench_open(&other, id);
    *ret = other.h.file;
    return 0;
}

/* Ablation 6: a fresh model on adversarial examples of everything; the original's weights are gone.
 */
static void test_scratch(void **state)
{
    bench.h.find_attack = find_attack;
    bench.h.find_arg = &bench;
    struct answer a = bench_unlearn(
        &bench, "amun",
        "{\"epochs\":2,\"batch\":32,\"forget\":false,\"ablation\":\"scratch\",\"attack_steps\":5}",
        &set);
    assert_true(a.r.meters.attack_forward > 160);
    assert_int_equal(a.r.meters.read_forget + a.r.meters.read_retain, 160);
    assert_true(n_changed(a.m, bench.original) > bench.original->n_param * 9 / 10);
    model_free(a.m);
    bench.h.find_attack = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_source_counts),
        cmocka_unit_test(test_ablations),
        cmocka_unit_test(test_clean_adversarial),
        cmocka_unit_test(test_random_labels_of_two),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_scratch),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
