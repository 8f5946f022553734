/* Heads that grow and shrink. */
#include "plugin_test.h"

#include <math.h>

#include "bench_model.h"
#include "model_head.h"

static void test_expand_and_prune(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    struct arch *arch;
    struct model *wide, *back;
    struct net *net, *wide_net;
    float x[784], z[10], zw[12];
    assert_ok(bench_init(&b, 1, &err), err);
    assert_ok(model_expand_head(b.original, 2, 7, &arch, &wide, &err), err);
    assert_int_equal(arch->classes, 12);
    assert_int_equal(wide->n_param, b.original->n_param + 2 * (128 / 4 + 1));
    for (int k = 0; k < 784; k++)
        x[k] = (float)b.ds->pixels[k] / 255.0f;
    assert_ok(net_new(b.arch, 1, NULL, &net, &err), err);
    assert_ok(net_new(arch, 1, NULL, &wide_net, &err), err);
    assert_ok(net_infer(net, b.original, x, 1, z, &err), err);
    assert_ok(net_infer(wide_net, wide, x, 1, zw, &err), err);
    for (int k = 0; k < 10; k++) /* other tiles of the product: last bits may differ */
        assert_true(fabsf(z[k] - zw[k]) < 1e-4f);
    assert_true(zw[10] != zw[11]);
    assert_ok(model_new(b.arch, &back, &err), err);
    assert_ok(model_prune_head(back, wide, &err), err);
    assert_memory_equal(back->param, b.original->param, back->n_param * sizeof(float));
    assert_memory_equal(back->stat, b.original->stat, back->n_stat * sizeof(float));
    assert_fails(model_prune_head(wide, back, &err), err, ERR_INVALID,
                 "prune: the models differ in more than their classes");
    net_free(net);
    net_free(wide_net);
    model_free(back);
    model_free(wide);
    arch_free(arch);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_expand_and_prune)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
