/* test_nn_conv.c: convolutions of odd shapes against the definition, and vector
 * classes against each other. */
#include "nn_testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "tiling.h"

static const struct reference_conv shapes[] = {
    /* n, in, height, width, out, kernel, stride, pad */
    {1, 1, 28, 28, 16, 3, 1, 1},  {3, 16, 14, 14, 32, 3, 1, 1}, {2, 3, 7, 9, 5, 3, 1, 0},
    {9, 4, 8, 8, 6, 3, 2, 1},     {2, 8, 5, 31, 33, 1, 1, 0},   {1, 7, 11, 5, 17, 5, 1, 2},
    {5, 9, 6, 6, 15, 3, 3, 2},    {1, 1, 1, 1, 2, 1, 1, 0},     {2, 6, 12, 12, 16, 5, 1, 0},
    {2, 10, 3, 3, 20, 3, 1, 1},   {11, 12, 2, 2, 7, 3, 1, 1},   {2, 8, 9, 9, 4, 4, 2, 3},
    {2, 16, 5, 11, 16, 3, 1, 1},  {1, 17, 1, 1, 19, 3, 1, 1},   {3, 33, 2, 3, 18, 3, 1, 1},
    {2, 40, 6, 7, 31, 3, 1, 0},   {1, 23, 4, 9, 64, 3, 1, 2},   {70, 16, 3, 2, 20, 3, 1, 1},
    {2, 48, 30, 30, 16, 3, 1, 1}, {3, 200, 8, 5, 170, 3, 1, 1}, {1, 330, 2, 2, 290, 3, 1, 1},
    {3, 18, 9, 8, 37, 3, 2, 1},   {2, 21, 7, 7, 50, 1, 2, 0},   {5, 32, 6, 5, 16, 5, 2, 2},
    {2, 360, 4, 3, 350, 3, 2, 1}, {20, 19, 5, 5, 40, 1, 1, 0},  {1, 16, 40, 3, 16, 4, 3, 1},
    {2, 20, 8, 8, 8, 1, 2, 0},    {3, 8, 4, 5, 3, 2, 1, 2},     {1, 24, 16, 17, 40, 3, 1, 1},
};

/* 1 + sqrt(terms) roundings of the largest numbers, with room. */
static const double tolerance = 3e-6;

/* Every way to compute a convolution is among the shapes. */
static void test_shapes_cover_all(void **state)
{
    unsigned seen = 0;
    for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
        const struct reference_conv *c = &shapes[s];
        struct arch_layer l = {
            .kind = LAYER_CONV,
            .kernel = (uint32_t)c->kernel,
            .stride = (uint32_t)c->stride,
            .pad = (uint32_t)c->pad,
            .in = {(uint32_t)c->in, (uint32_t)c->height, (uint32_t)c->width},
            .out = {(uint32_t)c->out, (uint32_t)reference_out(c, c->height),
                    (uint32_t)reference_out(c, c->width)},
        };
        if (!tiling_serves(kernels_best(), &l))
            continue;
        struct tiling t = tiling_of(kernels_best(), &l, false);
        seen |= 1u << (2 * t.out_edge + t.phased);
    }
    assert_int_equal(seen, 0x33c); /* edges 1, 2 and 4, in blocks and in phases */
}

static void check_shape(const struct reference_conv *c, const struct kernels *kernels)
{
    struct testbed t;
    char text[256];
    size_t out_h = reference_out(c, c->height), out_w = reference_out(c, c->width);
    snprintf(text, sizeof(text),
             "{arch: sequential, input: [%zu, %zu, %zu], layers: [{conv: {out: %zu, kernel: %zu, "
             "stride: %zu, pad: %zu}}, flatten]}",
             c->in, c->height, c->width, c->out, c->kernel, c->stride, c->pad);
    testbed_init(&t, text, (uint32_t)c->n, 1, kernels);
    size_t n_y = c->n * c->out * out_h * out_w, n_w = t.m->tensor[0].n;
    assert_int_equal(n_y, t.n_y);
    double *y = testing_alloc(n_y, sizeof(*y)), *dx = testing_alloc(t.n_x, sizeof(*dx));
    double *dw = testing_alloc(t.m->n_param, sizeof(*dw));
    const float *w = t.m->param, *bias = t.m->param + n_w;
    testbed_forward(&t, NET_TRAIN);
    testbed_backward(&t);
    reference_forward(c, t.x, w, bias, y);
    reference_backward(c, t.x, w, t.v, dx, dw, dw + n_w);
    double d[] = {testing_distance(t.y, y, n_y), testing_distance(t.dx, dx, t.n_x),
                  testing_distance(t.m->grad, dw, n_w),
                  testing_distance(t.m->grad + n_w, dw + n_w, c->out)};
    for (int i = 0; i < 4; i++)
        if (!(d[i] < tolerance))
            fail_msg("%s (%s): %s differs by %g", text, kernels->name,
                     (const char *[]){"y", "dx", "dw", "dbias"}[i], d[i]);
    free(y);
    free(dx);
    free(dw);
    testbed_release(&t);
}

static void test_against_definition(void **state)
{
    const struct kernels *k;
    for (unsigned i = 0; (k = kernels_usable(i)); i++)
        for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++)
            check_shape(&shapes[s], k);
}

/* One panel by every class; the portable one lacks fused multiply-adds, the others agree. */
static void test_classes_agree(void **state)
{
    enum { H = 9, W = 17, C = 5, K = 3, OUT_H = 7, OUT_W = 15, LANES = 11 };
    struct conv_window g = {.out_h = OUT_H,
                            .out_w = OUT_W,
                            .rows = K,
                            .run = K * C,
                            .x_row = W * C,
                            .x_step = C,
                            .x_down = W * C,
                            .y_step = LANES};
    size_t n_x = H * W * C, n_w = K * K * C * PANEL, n_y = OUT_H * OUT_W * LANES;
    float *x = testing_alloc(n_x, sizeof(*x)), *w = testing_alloc(n_w, sizeof(*w));
    float *y[3], *dw[3], bias[PANEL];
    unsigned n = 0;
    testing_uniform(x, n_x, -1, 1, 1);
    testing_uniform(w, n_w, -1, 1, 2);
    testing_uniform(bias, PANEL, -1, 1, 3);
    for (; kernels_usable(n); n++) {
        y[n] = testing_alloc(n_y, sizeof(float));
        dw[n] = testing_alloc(n_w, sizeof(float));
        kernels_usable(n)->conv_panel(&g, x, w, bias, y[n], LANES);
        kernels_usable(n)->conv_panel_grad(&g, x, y[0], dw[n]);
        for (size_t i = 0; i < n_w; i++)
            dw[n][i] = i % PANEL < LANES ? dw[n][i] : 0;
    }
    for (unsigned i = 1; i < n; i++) {
        assert_true(testing_distance_f(y[i], y[0], n_y) < 1e-6);
        assert_true(testing_distance_f(dw[i], dw[0], n_w) < 1e-6);
        assert_memory_equal(y[i], y[1], n_y * sizeof(float));
        assert_memory_equal(dw[i], dw[1], n_w * sizeof(float));
    }
    for (unsigned i = 0; i < n; i++) {
        free(y[i]);
        free(dw[i]);
    }
    free(x);
    free(w);
}

/* Everything without matrix products is bit-equal in all classes. */
static void test_elementwise_classes_are_equal(void **state)
{
    static const char text[] =
        "{arch: sequential, input: [21, 6, 6], layers: [batchnorm, relu, {maxpool: {kernel: 2}}, "
        "batchnorm, {elu: {alpha: 1}}, {residual: {body: [relu, batchnorm], halve: true}}, "
        "batchnorm, relu, flatten]}";
    struct testbed a, b;
    testbed_init(&a, text, 7, 1, kernels_usable(0));
    testbed_forward(&a, NET_TRAIN);
    testbed_backward(&a);
    for (unsigned i = 1; kernels_usable(i); i++) {
        testbed_init(&b, text, 7, 1, kernels_usable(i));
        testbed_forward(&b, NET_TRAIN);
        testbed_backward(&b);
        assert_memory_equal(a.y, b.y, a.n_y * sizeof(float));
        assert_memory_equal(a.dx, b.dx, a.n_x * sizeof(float));
        assert_memory_equal(a.m->grad, b.m->grad, a.m->n_param * sizeof(float));
        assert_memory_equal(a.m->stat, b.m->stat, a.m->n_stat * sizeof(float));
        testbed_release(&b);
    }
    testbed_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_cover_all),
        cmocka_unit_test(test_against_definition),
        cmocka_unit_test(test_classes_agree),
        cmocka_unit_test(test_elementwise_classes_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
