/* Even regions: windows of equal pixels must give equal bits in front of a max pooling, so that the
 * first of equal outputs wins as in PyTorch, and gradients go where PyTorch's go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "rng.h"

enum { CHANNELS = 16, SIDE = 12, CLASSES = 3 };

struct fixture {
    struct arch *arch;
    struct model *m;
    struct net *net;
    float x[CHANNELS * SIDE * SIDE]; /* (C, H, W): one value a channel */
};

static int setup(void **state)
{
    static const char text[] = "{arch: sequential, input: [16, 12, 12], classes: 3, layers: ["
                               "conv: {out: 16, kernel: 3, pad: 1}, batchnorm, relu, "
                               "maxpool: {kernel: 2, stride: 2}, flatten, linear: {out: 3}]}";
    struct fixture *f = calloc(1, sizeof(*f));
    struct yaml_node *node = NULL;
    struct error err = ERROR_INIT;
    struct rng rng;
    const uint32_t none[3] = {0, 0, 0};
    if (yaml_parse("arch", text, strlen(text), &node, &err) < 0 ||
        arch_parse(node, none, 0, &f->arch, &err) < 0 || model_new(f->arch, &f->m, &err) < 0 ||
        net_new(f->arch, 1, NULL, &f->net, &err) < 0)
        fail_msg("%s", err.text);
    yaml_free(node);
    model_init(f->m, 3, "ties");
    rng_stream(&rng, 1, "ties", 0);
    for (size_t c = 0; c < CHANNELS; c++) {
        float v = rng_uniform(&rng);
        for (size_t i = 0; i < SIDE * SIDE; i++)
            f->x[c * SIDE * SIDE + i] = v;
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    net_free(f->net);
    model_free(f->m);
    arch_free(f->arch);
    free(f);
    return 0;
}

static const struct tensor_info *tensor(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->n_tensors; i++)
        if (strcmp(m->tensor[i].name, name) == 0)
            return &m->tensor[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

/* The gradient of the linear layer's weights is dlogits times its input: the pooled map. */
static void test_inner_windows_are_bit_equal(void **state)
{
    enum { HALF = SIDE / 2 };
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    float logits[CLASSES];
    const float one[CLASSES] = {1, 0, 0};
    assert_int_equal(net_forward(f->net, f->m, f->x, 1, NET_EVAL, logits, &err), 0);
    assert_int_equal(net_backward(f->net, f->m, one, true, NULL, &err), 0);
    const float *pooled = f->m->grad + tensor(f->m, "5.weight")->offset; /* (C, HALF, HALF) */
    size_t positive = 0;
    for (size_t c = 0; c < CHANNELS; c++, pooled += HALF * HALF)
        for (size_t i = 1; i + 1 < HALF; i++)
            for (size_t k = 1; k + 1 < HALF; k++) {
                assert_memory_equal(&pooled[i * HALF + k], &pooled[HALF + 1], sizeof(float));
                positive += pooled[i * HALF + k] > 0;
            }
    assert_true(positive > 0);
}

/* Of four equal outputs the first takes the gradient: the convolution's input gradient is then the
 * same under every shift by whole windows, and not under a shift by one pixel. */
static void test_the_first_takes_the_gradient(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_INIT;
    struct tensor_info const *w = tensor(f->m, "5.weight");
    float logits[CLASSES], dx[CHANNELS * SIDE * SIDE];
    const float one[CLASSES] = {1, 0, 0};
    for (size_t i = 0; i < w->n; i++)
        f->m->param[w->offset + i] = 1;
    assert_int_equal(net_forward(f->net, f->m, f->x, 1, NET_EVAL, logits, &err), 0);
    assert_int_equal(net_backward(f->net, f->m, one, false, dx, &err), 0);
    size_t differs = 0;
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t i = 4; i < 7; i++)
            for (size_t k = 4; k < 7; k++) {
                const float *d = dx + (c * SIDE + i) * SIDE + k;
                assert_true(d[0] == d[2] && d[0] == d[2 * SIDE]);
                differs += d[0] != d[1];
            }
    assert_true(differs > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_inner_windows_are_bit_equal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_first_takes_the_gradient, setup, teardown),
    };
    return cmocka_run_group_tests_name("nn_ties", tests, NULL, NULL);
}
