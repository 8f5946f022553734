/* test_nn_layers.c: gradients of every layer kind by finite differences, in every
 * vector class. Layers stand alone, so that nothing has a kink near its inputs. */
#include "nn_testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Central difference of the objective in one number. */
static double slope_at(struct testbed *t, float *at, enum net_mode mode, float step)
{
    float keep = *at;
    *at = keep + step;
    double up = testbed_objective(t, mode), width = (double)*at;
    *at = keep - step;
    double down = testbed_objective(t, mode);
    width -= (double)*at;
    *at = keep;
    return (up - down) / width;
}

static void check_block(struct testbed *t, const char *what, float *at, const float *grad, size_t n,
                        enum net_mode mode, float step, double tolerance)
{
    double top = 0.1;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs((double)grad[i]));
    for (size_t i = 0; i < n; i++) {
        double slope = slope_at(t, &at[i], mode, step);
        if (!(fabs(slope - (double)grad[i]) <= tolerance * top))
            fail_msg("%s: d/d %s[%zu] is %g, the difference quotient %g", t->net->k->name, what, i,
                     (double)grad[i], slope);
    }
}

struct layer_case {
    const char *layers;
    const char *input;
    enum net_mode mode;
    float step;
    double tolerance;
    bool apart; /* inputs far from zero and from one another */
};

/* Values in -0.95, ..., 0.95 whose distances to each other and to 0 exceed the steps. */
static void spread_inputs(struct testbed *t)
{
    for (size_t i = 0; i < t->n_x; i++) {
        size_t j = i * 7919 % t->n_x;
        t->x[i] = (float)(2 * ((double)j + 0.5) / (double)t->n_x - 1) * 4;
    }
}

static void check_case(const struct layer_case *c, const struct kernels *kernels)
{
    struct testbed t;
    char text[1024];
    snprintf(text, sizeof(text), "{arch: sequential, input: %s, layers: [%s, flatten]}", c->input,
             c->layers);
    testbed_init(&t, text, 3, 1, kernels);
    if (c->apart)
        spread_inputs(&t);
    testbed_objective(&t, c->mode);
    testbed_backward(&t);
    check_block(&t, "param", t.m->param, t.m->grad, t.m->n_param, c->mode, c->step, c->tolerance);
    check_block(&t, "x", t.x, t.dx, t.n_x, c->mode, c->step, c->tolerance);
    testbed_release(&t);
}

static const struct layer_case cases[] = {
    {"{conv: {out: 5, kernel: 3, pad: 1}}", "[3, 5, 6]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{conv: {out: 17, kernel: 3, stride: 2, pad: 1}}", "[9, 5, 5]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{conv: {out: 4, kernel: 1, bias: false}}", "[18, 3, 4]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{conv: {out: 17, kernel: 3, pad: 1}}", "[16, 5, 6]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{conv: {out: 16, kernel: 3, pad: 1}}", "[18, 2, 1]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{conv: {out: 16, kernel: 3, stride: 2, pad: 1}}", "[17, 5, 5]", NET_TRAIN, 0.25F, 1e-4,
     false},
    {"{residual: {body: [{conv: {out: 3, kernel: 1}}, batchnorm], halve: true}}", "[3, 4, 4]",
     NET_TRAIN, 0.01F, 5e-3, false},
    {"{residual: {body: [batchnorm], shortcut: [batchnorm]}}, relu", "[3, 4, 4]", NET_FROZEN,
     0.001F, 5e-3, true},
    {"{residual: {body: [{conv: {out: 16, kernel: 3, pad: 1}}]}}", "[16, 3, 4]", NET_TRAIN, 0.25F,
     1e-4, false},
    {"{conv: {out: 3, kernel: 2, stride: 3, pad: 3}}", "[2, 7, 7]", NET_TRAIN, 0.25F, 1e-4, false},
    {"flatten, {linear: {out: 7}}", "[3, 4, 2]", NET_TRAIN, 0.25F, 1e-4, false},
    {"flatten, {linear: {out: 2, bias: false}}", "[5, 1, 1]", NET_TRAIN, 0.25F, 1e-4, false},
    {"batchnorm", "[3, 4, 5]", NET_TRAIN, 0.01F, 2e-3, false},
    {"batchnorm", "[17, 2, 3]", NET_TRAIN, 0.01F, 2e-3, false},
    {"batchnorm", "[3, 4, 5]", NET_EVAL, 0.25F, 1e-4, false},
    {"batchnorm", "[3, 4, 5]", NET_FROZEN, 0.25F, 1e-4, false},
    {"flatten, batchnorm", "[3, 2, 1]", NET_TRAIN, 0.005F, 1e-2, false},
    {"relu", "[3, 4, 5]", NET_TRAIN, 0.01F, 1e-4, true},
    {"{elu: {alpha: 0.7}}", "[3, 4, 5]", NET_TRAIN, 0.01F, 1e-3, true},
    {"{maxpool: {kernel: 2, stride: 2}}", "[3, 4, 6]", NET_TRAIN, 0.01F, 1e-4, true},
    {"relu, {maxpool: {kernel: 2}}", "[17, 4, 2]", NET_TRAIN, 0.005F, 1e-4, true},
    {"{maxpool: {kernel: 3, stride: 2, pad: 1}}", "[2, 5, 7]", NET_TRAIN, 0.01F, 1e-4, true},
    {"{avgpool: {kernel: 3, stride: 2, pad: 1}}", "[2, 5, 7]", NET_TRAIN, 0.25F, 1e-4, false},
    {"globalavgpool", "[4, 5, 7]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{dropout: {p: 0.4}}", "[4, 5, 7]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{dropout: {p: 0.4}}", "[4, 5, 7]", NET_EVAL, 0.25F, 1e-4, false},
    {"{normalize: {mean: [0.5, 0.1], std: [0.25, 2]}}", "[2, 3, 3]", NET_EVAL, 0.25F, 1e-4, false},
    {"{residual: {body: [{conv: {out: 3, kernel: 3, pad: 1}}]}}", "[3, 4, 4]", NET_TRAIN, 0.25F,
     1e-4, false},
    {"{residual: {body: [{conv: {out: 4, kernel: 3, stride: 2, pad: 1}}], shortcut: [{conv: {out: "
     "4, kernel: 1, stride: 2}}], halve: true}}",
     "[3, 4, 4]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{residual: {body: [{residual: {body: [{avgpool: {kernel: 3, stride: 1, pad: 1}}], halve: "
     "true}}, {conv: {out: 3, kernel: 1}}]}}",
     "[3, 4, 4]", NET_TRAIN, 0.25F, 1e-4, false},
    {"{conv: {out: 3, kernel: 3}}, {elu: {alpha: 1}}, {residual: {body: [{elu: {alpha: 1}}, "
     "{conv: {out: 3, kernel: 1}}]}}, batchnorm, flatten, {linear: {out: 3}}",
     "[1, 6, 6]", NET_TRAIN, 0.004F, 2e-2, false},
};

static void test_finite_differences(void **state)
{
    const struct kernels *k;
    for (unsigned i = 0; (k = kernels_usable(i)); i++)
        for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
            check_case(&cases[c], k);
}

/* A dropout that drops nothing keeps layers from being fused. */
static void check_fusion(const char *fused, const char *apart, const char *input,
                         enum net_mode mode, const struct kernels *kernels)
{
    struct testbed a, b;
    char text[512];
    snprintf(text, sizeof(text), "{arch: sequential, input: %s, layers: [%s, flatten]}", input,
             fused);
    testbed_init(&a, text, 5, 2, kernels);
    snprintf(text, sizeof(text), "{arch: sequential, input: %s, layers: [%s, flatten]}", input,
             apart);
    testbed_init(&b, text, 5, 1, kernels);
    testbed_forward(&a, mode);
    testbed_forward(&b, mode);
    assert_true(a.net->n_ops < b.net->n_ops);
    assert_memory_equal(a.y, b.y, a.n_y * sizeof(float));
    assert_memory_equal(a.m->stat, b.m->stat, a.m->n_stat * sizeof(float));
    testbed_backward(&a);
    testbed_backward(&b);
    assert_true(testing_distance_f(a.dx, b.dx, a.n_x) < 2e-6);
    assert_true(testing_distance_f(a.m->grad, b.m->grad, a.m->n_param) < 2e-6);
    testbed_release(&a);
    testbed_release(&b);
}

static void test_fusions(void **state)
{
    static const char *const none = "{dropout: {p: 0}}";
    char two[128], three[128], pooled[128];
    snprintf(two, sizeof(two), "batchnorm, %s, relu", none);
    snprintf(three, sizeof(three), "batchnorm, %s, relu, %s, {maxpool: {kernel: 2}}", none, none);
    snprintf(pooled, sizeof(pooled), "relu, %s, {avgpool: {kernel: 1}}, {maxpool: {kernel: 2}}",
             none);
    const struct kernels *k;
    for (unsigned i = 0; (k = kernels_usable(i)); i++)
        for (int mode = NET_EVAL; mode <= NET_FROZEN; mode++) {
            check_fusion("batchnorm, relu", two, "[19, 6, 5]", (enum net_mode)mode, k);
            check_fusion("batchnorm, relu, {maxpool: {kernel: 2}}", three, "[19, 6, 8]",
                         (enum net_mode)mode, k);
            check_fusion("relu, {maxpool: {kernel: 2}}", pooled, "[3, 6, 8]", (enum net_mode)mode,
                         k);
            check_fusion("{residual: {body: [batchnorm]}}, relu",
                         "{residual: {body: [batchnorm, {dropout: {p: 0}}]}}, relu", "[19, 6, 5]",
                         (enum net_mode)mode, k);
            check_fusion("{residual: {body: [batchnorm], shortcut: [batchnorm], halve: true}}",
                         "{residual: {body: [batchnorm, {dropout: {p: 0}}], shortcut: [batchnorm], "
                         "halve: true}}, {dropout: {p: 0}}",
                         "[3, 6, 5]", (enum net_mode)mode, k);
        }
}

/* Ties: the first pixel of a window takes the whole gradient, as in PyTorch. */
static void test_pool_ties(void **state)
{
    static const char *const texts[] = {
        "{arch: sequential, input: [1, 4, 4], layers: [{maxpool: {kernel: 2}}, flatten]}",
        "{arch: sequential, input: [1, 4, 4], layers: [{maxpool: {kernel: 2, stride: 2}}, "
        "flatten]}"};
    for (size_t i = 0; i < 2; i++) {
        struct testbed t;
        testbed_init(&t, texts[i], 1, 1, NULL);
        for (size_t j = 0; j < 16; j++)
            t.x[j] = 1;
        testbed_forward(&t, NET_TRAIN);
        testbed_backward(&t);
        for (size_t j = 0; j < 16; j++) {
            bool first = j / 4 % 2 == 0 && j % 2 == 0;
            float want = first ? t.v[j / 8 * 2 + j % 4 / 2] : 0;
            assert_true(t.dx[j] == want);
        }
        testbed_release(&t);
    }
}

/* A large mean does not spoil the variance. */
static void test_batchnorm_is_stable(void **state)
{
    struct testbed t;
    testbed_init(&t, "{arch: sequential, input: [2, 8, 8], layers: [batchnorm, flatten]}", 16, 1,
                 NULL);
    for (size_t i = 0; i < t.n_x; i++)
        t.x[i] = 1000 + 0.125F * (float)(i % 3);
    testbed_forward(&t, NET_TRAIN);
    double sum = 0, square = 0, n = 0;
    for (size_t i = 0; i < t.n_x; i++)
        if (i / 64 % 2 == 0) {
            sum += 0.125 * (double)(i % 3);
            square += 0.125 * 0.125 * (double)(i % 3 * (i % 3));
            n++;
        }
    double var = (square - sum * sum / n) / (n - 1);
    struct model *fresh;
    struct error err = ERROR_INIT;
    assert_int_equal(model_new(t.arch, &fresh, &err), 0);
    assert_true(fresh->stat[2] == 1);
    float before[4];
    testing_uniform(before, 2, 0.5F, 1.5F, 3); /* running_var is tensor 3 */
    assert_true(fabs((double)t.m->stat[2] - (0.9 * (double)before[0] + 0.1 * var)) < 1e-7);
    model_free(fresh);
    testbed_release(&t);
}

static void test_batchnorm_of_one_value(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    testbed_init(&t, "{arch: sequential, input: [2, 1, 1], layers: [batchnorm, flatten]}", 1, 1,
                 NULL);
    assert_int_equal(net_forward(t.net, t.m, t.x, 1, NET_TRAIN, t.y, &err), ERR_INVALID);
    assert_string_equal(err.text,
                        "layer 0: batch normalisation of one value per channel (a batch of 1 image "
                        "and a 1x1 map) has no variance; train with larger batches");
    assert_int_equal(net_forward(t.net, t.m, t.x, 1, NET_FROZEN, t.y, &err), 0);
    testbed_release(&t);
}

static void test_dropout(void **state)
{
    struct testbed t;
    testbed_init(&t,
                 "{arch: sequential, input: [10, 10, 10], layers: [{dropout: {p: 0.25}}, "
                 "flatten]}",
                 20, 1, NULL);
    for (size_t i = 0; i < t.n_x; i++)
        t.x[i] = 3;
    net_dropout(t.net, 5, 7);
    testbed_forward(&t, NET_TRAIN);
    size_t kept = 0;
    for (size_t i = 0; i < t.n_y; i++) {
        assert_true(t.y[i] == 0 || t.y[i] == 4);
        kept += t.y[i] == 4;
    }
    assert_true(fabs((double)kept / (double)t.n_y - 0.75) < 4 * sqrt(0.75 * 0.25 / 20000));
    float *first = testing_alloc(t.n_y, sizeof(float));
    memcpy(first, t.y, t.n_y * sizeof(float));
    net_dropout(t.net, 5, 8);
    testbed_forward(&t, NET_TRAIN);
    assert_memory_not_equal(first, t.y, t.n_y * sizeof(float));
    net_dropout(t.net, 5, 7);
    testbed_forward(&t, NET_FROZEN);
    assert_memory_equal(first, t.y, t.n_y * sizeof(float));
    testbed_forward(&t, NET_EVAL);
    for (size_t i = 0; i < t.n_y; i++)
        assert_true(t.y[i] == 3);
    free(first);
    testbed_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_fusions),
        cmocka_unit_test(test_pool_ties),
        cmocka_unit_test(test_batchnorm_is_stable),
        cmocka_unit_test(test_batchnorm_of_one_value),
        cmocka_unit_test(test_dropout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
