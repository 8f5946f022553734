/* test_nn_loss.c: losses against hand-computed numbers and difference quotients. */
#include "nn_testing.h"

#include <math.h>
#include <string.h>

#include "loss.h"

enum { N = 4, C = 5 };

struct data {
    float logits[N * C], other[N * C], q[N * C];
    int32_t y[N];
};

static struct data make_data(void)
{
    struct data d;
    testing_uniform(d.logits, N * C, -3, 3, 1);
    testing_uniform(d.other, N * C, -3, 3, 2);
    testing_uniform(d.q, N * C, 0, 1, 3);
    for (int i = 0; i < N; i++) {
        double sum = 0;
        d.y[i] = (i * 3) % C;
        for (int j = 0; j < C; j++)
            sum += (double)d.q[i * C + j];
        for (int j = 0; j < C; j++)
            d.q[i * C + j] = (float)((double)d.q[i * C + j] / sum);
    }
    return d;
}

typedef double loss_fn(const struct data *d, const float *logits, float *dlogits);

static double cross_entropy(const struct data *d, const float *logits, float *dlogits)
{
    double loss;
    loss_cross_entropy(logits, d->y, N, C, &loss, dlogits);
    return loss;
}

static double soft_cross_entropy(const struct data *d, const float *logits, float *dlogits)
{
    double loss;
    loss_soft_cross_entropy(logits, d->q, N, C, &loss, dlogits);
    return loss;
}

static double distill(const struct data *d, const float *logits, float *dlogits)
{
    double loss;
    loss_distill(logits, d->other, 2.5, N, C, &loss, dlogits);
    return loss;
}

static void check_gradient(loss_fn *fn)
{
    struct data d = make_data();
    float grad[N * C], in_place[N * C];
    fn(&d, d.logits, grad);
    memcpy(in_place, d.logits, sizeof(in_place));
    fn(&d, in_place, in_place);
    assert_memory_equal(in_place, grad, sizeof(grad));
    for (int i = 0; i < N * C; i++) {
        float keep = d.logits[i];
        d.logits[i] = keep + 0x1p-8F;
        double up = fn(&d, d.logits, NULL), width = (double)d.logits[i];
        d.logits[i] = keep - 0x1p-8F;
        double slope = (up - fn(&d, d.logits, NULL)) / (width - (double)d.logits[i]);
        d.logits[i] = keep;
        assert_true(fabs(slope - (double)grad[i]) < 2e-6);
    }
}

static void test_gradients(void **state)
{
    check_gradient(cross_entropy);
    check_gradient(soft_cross_entropy);
    check_gradient(distill);
}

static void test_values(void **state)
{
    const float logits[] = {0, 0, 0, 1000, 0, -1000};
    const int32_t y[] = {2, 0};
    const float uniform[] = {1.0F / 3, 1.0F / 3, 1.0F / 3, 1, 0, 0};
    double loss;
    loss_cross_entropy(logits, y, 2, 3, &loss, NULL);
    assert_true(fabs(loss - log(3) / 2) < 1e-12);
    loss_soft_cross_entropy(logits, uniform, 2, 3, &loss, NULL);
    assert_true(fabs(loss - log(3) / 2) < 1e-7);
    /* KL of (3/4, 1/4) from (1/2, 1/2), T = 1, and at T = 2 with logits scaled to match. */
    const float teacher[] = {1.0986123F, 0}, student[] = {0, 0}, teacher2[] = {2.1972246F, 0};
    double kl = 0.75 * log(1.5) + 0.25 * log(0.5);
    loss_distill(student, teacher, 1, 1, 2, &loss, NULL);
    assert_true(fabs(loss - kl) < 1e-7);
    loss_distill(student, teacher2, 2, 1, 2, &loss, NULL);
    assert_true(fabs(loss - 4 * kl) < 1e-6);
}

static void test_argmax(void **state)
{
    const float v[] = {-2, 5, 5, 1};
    assert_int_equal(loss_argmax(v, 4), 1);
    assert_int_equal(loss_argmax(v, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_argmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
