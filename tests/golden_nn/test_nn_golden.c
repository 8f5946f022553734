/* test_nn_golden.c: two training steps and an input gradient that PyTorch 1.13
 * computed, in every vector class. Tolerances are a tenth of the fixtures' own (a quarter, in
 * absolute terms, against its float64). */
#include "nn_testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden_array.h"
#include "loss.h"
#include "optim.h"

static const char net_c[] =
    "{arch: sequential, input: [3, 8, 8], layers: ["
    "{conv: {name: conv1, out: 4, kernel: 3, pad: 1}}, {batchnorm: {name: bn1}}, relu, "
    "{maxpool: {kernel: 2, stride: 2}}, "
    "{conv: {name: conv2, out: 5, kernel: 3, stride: 2, pad: 1, bias: false}}, "
    "{batchnorm: {name: bn2}}, relu, flatten, {linear: {name: fc, out: 3}}]}";

static const char net_a[] =
    "{arch: sequential, input: [3, 8, 8], layers: [{conv: {name: conv1, out: 4, kernel: 3, pad: "
    "1}}, relu, {conv: {name: conv2, out: 6, kernel: 3, stride: 2, pad: 1}}, relu, flatten, "
    "{linear: {name: fc, out: 5}}]}";

/* "conv1.weight" as files have it: "conv1_weight". */
static void file_name(char *to, size_t size, const char *before, const char *tensor,
                      const char *after)
{
    snprintf(to, size, "%s%s%s", before, tensor, after);
    for (char *c = to; *c; c++)
        if (*c == '.')
            *c = '_';
}

static void load_model(struct model *m, const char *folder)
{
    for (size_t i = 0; i < m->n_tensors; i++) {
        const struct tensor_info *t = &m->tensor[i];
        char before[64], path[128];
        snprintf(before, sizeof(before), "%s/in_w_", folder);
        file_name(path, sizeof(path), before, t->name, "");
        golden_floats(path, (t->flags & TENSOR_STATISTIC ? m->stat : m->param) + t->offset, t->n);
    }
}

/* Each tensor of a block against PyTorch's float32 and its float64. */
static void check_tensors(const struct model *m, const char *what, const float *param,
                          const float *stat)
{
    for (size_t i = 0; i < m->n_tensors; i++) {
        const struct tensor_info *t = &m->tensor[i];
        const float *block = t->flags & TENSOR_STATISTIC ? stat : param;
        char path[128];
        if (!block)
            continue;
        /* A bias in front of batch-norm has no gradient: what both sides have is rounding. */
        bool idle = strcmp(t->name, "conv1.bias") == 0;
        file_name(path, sizeof(path), what, t->name, "");
        golden_check(path, block + t->offset, t->n, 2e-5, idle ? 5e-7 : 2e-7);
        file_name(path, sizeof(path), what, t->name, "_f64");
        golden_check(path, block + t->offset, t->n, 2e-5, 5e-7);
    }
}

static void training_step(struct testbed *t, struct optim *o, int step, double wanted_loss)
{
    char path[128];
    int32_t y[5];
    double loss;
    snprintf(path, sizeof(path), "sgd_step_netC/in_images_step%d", step);
    golden_floats(path, t->x, t->n_x);
    snprintf(path, sizeof(path), "sgd_step_netC/in_labels_step%d", step);
    golden_labels(path, y, 5);
    testbed_forward(t, NET_TRAIN);
    snprintf(path, sizeof(path), "sgd_step_netC/out_step%d_logits", step);
    golden_check(path, t->y, t->n_y, 2e-5, 2e-7);
    snprintf(path, sizeof(path), "sgd_step_netC/out_step%d_logits_f64", step);
    golden_check(path, t->y, t->n_y, 1e-5, 1e-7);
    loss_cross_entropy(t->y, y, 5, 3, &loss, t->v);
    assert_true(fabs(loss - wanted_loss) < 2e-5 * wanted_loss);
    testbed_backward(t);
    snprintf(path, sizeof(path), "sgd_step_netC/out_step%d_grad_", step);
    check_tensors(t->m, path, t->m->grad, NULL);
    optim_step(o, 0.1, t->par);
    snprintf(path, sizeof(path), "sgd_step_netC/out_step%d_after_", step);
    check_tensors(t->m, path, t->m->param, t->m->stat);
}

static void check_training_steps(const struct kernels *kernels)
{
    struct testbed t;
    struct optim *o;
    struct error err = ERROR_INIT;
    struct optim_config config = {.kind = OPTIM_SGD, .momentum = 0.9, .weight_decay = 5e-4};
    testbed_init(&t, net_c, 5, 2, kernels);
    load_model(t.m, "sgd_step_netC");
    assert_int_equal(optim_new(t.m, &config, &o, &err), 0);
    training_step(&t, o, 1, 1.2449560165405273);
    training_step(&t, o, 2, 1.2117477655410767);
    check_tensors(t.m, "sgd_step_netC/out_step2_momentum_", o->m, NULL);
    golden_floats("sgd_step_netC/in_images_step1", t.x, t.n_x);
    testbed_forward(&t, NET_EVAL);
    golden_check("sgd_step_netC/out_eval_logits_after_step2", t.y, t.n_y, 2e-5, 2e-7);
    golden_check("sgd_step_netC/out_eval_logits_after_step2_f64", t.y, t.n_y, 2e-5, 2e-7);
    optim_free(o);
    testbed_release(&t);
}

static void test_training_steps(void **state)
{
    for (unsigned i = 0; kernels_usable(i); i++)
        check_training_steps(kernels_usable(i));
}

static void test_input_gradient(void **state)
{
    for (unsigned i = 0; kernels_usable(i); i++) {
        struct testbed t;
        struct error err = ERROR_INIT;
        int32_t y[12];
        testbed_init(&t, net_a, 12, 2, kernels_usable(i));
        load_model(t.m, "amun_pgdl2_netA");
        golden_floats("amun_pgdl2_netA/in_images", t.x, t.n_x);
        golden_labels("amun_pgdl2_netA/in_labels", y, 12);
        testbed_forward(&t, NET_EVAL);
        golden_check("amun_pgdl2_netA/out_clean_logits", t.y, t.n_y, 1e-5, 2e-6);
        loss_cross_entropy(t.y, y, 12, 5, NULL, t.v);
        assert_int_equal(net_backward(t.net, t.m, t.v, false, t.dx, &err), 0);
        golden_check("amun_pgdl2_netA/out_input_gradient_mean_ce", t.dx, t.n_x, 1e-5, 1e-8);
        testbed_release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training_steps),
        cmocka_unit_test(test_input_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
