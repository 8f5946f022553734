/* test_nn_train.c: training: the same bytes on any number of threads, learning,
 * hooks, errors; initialisation and copies of models. */
#include "nn_testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loss.h"
#include "rng.h"
#include "text.h"
#include "train.h"

/* Images (n, C, H, W) whose label shows as a brighter band, plus noise. */
struct images {
    uint32_t n, classes;
    size_t size;
    float *x;
    int32_t *y;
};

static struct images images_new(const struct arch *a, uint32_t n)
{
    struct images im = {
        .n = n, .classes = a->classes, .size = (size_t)a->input[0] * a->input[1] * a->input[2]};
    im.x = testing_alloc(n * im.size, sizeof(float));
    im.y = testing_alloc(n, sizeof(int32_t));
    testing_uniform(im.x, n * im.size, 0, 0.5F, 4);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t label = i * 7 % a->classes;
        size_t band = im.size / a->classes;
        im.y[i] = (int32_t)label;
        for (size_t j = 0; j < band; j++)
            im.x[i * im.size + label * band + j] += 0.5F;
    }
    return im;
}

static void images_release(struct images *im)
{
    free(im->x);
    free(im->y);
}

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    const struct images *im = self;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(x + i * im->size, im->x + rows[i] * im->size, im->size * sizeof(float));
        y[i] = im->y[rows[i]];
    }
}

static void train(struct testbed *t, const char *recipe_yaml, struct images *im,
                  const struct train_hooks *hooks)
{
    struct error err = ERROR_INIT;
    struct recipe r;
    struct batch_source src = {.n = im->n, .fill = fill, .self = im};
    if (recipe_from_text(recipe_yaml, &r, &err) < 0 ||
        train_run(t->m, &r, &src, 3, t->par, hooks, &err) < 0)
        fail_msg("%s", err.text);
}

/* Winograd in blocks (conv 24, residual) and in phases (conv 192), columns, a second reader of
 * values, maps that are no multiple of a tile. */
#define TILED                                                                                      \
    "{arch: sequential, input: [3, 15, 13], layers: [{conv: {out: 24, kernel: 3, pad: 1}}, "       \
    "batchnorm, relu, {residual: {body: [{conv: {out: 24, kernel: 3, pad: 1}}, batchnorm]}}, "     \
    "relu, {residual: {body: [{conv: {out: 192, kernel: 3, stride: 2, pad: 1}}, batchnorm, relu, " \
    "{conv: {out: 192, kernel: 3, pad: 1}}, batchnorm], shortcut: [{conv: {out: 192, kernel: 1, "  \
    "stride: 2, bias: false}}, batchnorm], halve: true}}, relu, globalavgpool, flatten, "          \
    "{linear: {out: 5}}]}"

static const char *const nets[] = {
    "{arch: cnn, width: 6, input: [1, 12, 12], classes: 5}",
    "{arch: lenet5, input: [1, 28, 28], classes: 5}",
    "{arch: mlp, width: 70, input: [1, 28, 28], classes: 5}",
    "{arch: resnet18, width: 4, input: [3, 16, 16], classes: 5}",
    TILED,
    "{arch: sequential, input: [2, 9, 9], layers: [{conv: {out: 9, kernel: 3, stride: 2}}, "
    "batchnorm, {elu: {alpha: 1}}, {dropout: {p: 0.2}}, {residual: {body: [{conv: {out: 9, kernel: "
    "3, pad: 1}}, relu], halve: true}}, {avgpool: {kernel: 2}}, flatten, {linear: {out: 5}}]}",
};

/* Parameters, statistics, momentum, logits and input gradients after some steps. */
struct outcome {
    size_t n[5];
    float *block[5];
};

static void keep(struct outcome *o, int i, const float *from, size_t n)
{
    o->n[i] = n;
    o->block[i] = testing_alloc(n, sizeof(float));
    memcpy(o->block[i], from, n * sizeof(float));
}

static struct outcome outcome_of(const char *text, unsigned threads, const struct kernels *kernels)
{
    struct outcome o = {0};
    struct testbed t;
    struct error err = ERROR_INIT;
    struct optim *optim;
    struct optim_config config = {.kind = OPTIM_SGD, .momentum = 0.9, .weight_decay = 5e-4};
    testbed_init(&t, text, 37, threads, kernels);
    model_init(t.m, 8, "init");
    assert_int_equal(optim_new(t.m, &config, &optim, &err), 0);
    optim->clip_norm = 1;
    for (uint32_t step = 0; step < 3; step++) {
        net_dropout(t.net, 1, step);
        testbed_forward(&t, NET_TRAIN);
        testbed_backward(&t);
        optim_step(optim, 0.1, t.par);
    }
    keep(&o, 0, t.m->param, t.m->n_param);
    keep(&o, 1, t.m->stat, t.m->n_stat);
    keep(&o, 2, optim->m, t.m->n_param);
    testbed_forward(&t, NET_EVAL);
    keep(&o, 3, t.y, t.n_y);
    assert_int_equal(net_backward(t.net, t.m, t.v, false, t.dx, &err), 0);
    keep(&o, 4, t.dx, t.n_x);
    optim_free(optim);
    testbed_release(&t);
    return o;
}

static void outcome_release(struct outcome *o)
{
    for (int i = 0; i < 5; i++)
        free(o->block[i]);
}

static void test_threads_do_not_matter(void **state)
{
    const struct kernels *k;
    for (unsigned c = 0; (k = kernels_usable(c)); c++)
        for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
            struct outcome one = outcome_of(nets[i], 1, k);
            for (unsigned threads = 2; threads <= 4; threads++) {
                struct outcome more = outcome_of(nets[i], threads, k);
                for (int b = 0; b < 5; b++)
                    assert_memory_equal(one.block[b], more.block[b], one.n[b] * sizeof(float));
                outcome_release(&more);
            }
            outcome_release(&one);
        }
}

static void test_training_on_threads(void **state)
{
    float *param[3];
    size_t n = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct testbed t;
        testbed_init(&t, nets[5], 8, i + 1, NULL);
        struct images im = images_new(t.arch, 45);
        model_init(t.m, 1, "init");
        train(&t, "{epochs: 2, batch: 16, lr: 0.05, momentum: 0.9}", &im, NULL);
        n = t.m->n_param;
        param[i] = testing_alloc(n, sizeof(float));
        memcpy(param[i], t.m->param, n * sizeof(float));
        images_release(&im);
        testbed_release(&t);
    }
    assert_memory_equal(param[0], param[1], n * sizeof(float));
    assert_memory_equal(param[0], param[2], n * sizeof(float));
    for (int i = 0; i < 3; i++)
        free(param[i]);
}

struct log {
    uint32_t epochs, samples, stop_after;
    double loss[32], accuracy, fraction;
};

static int epoch_done(void *arg, uint32_t epoch, double loss, double accuracy, struct error *err)
{
    struct log *l = arg;
    assert_int_equal(epoch, l->epochs);
    l->loss[l->epochs++] = loss;
    l->accuracy = accuracy;
    if (l->epochs == l->stop_after)
        return error_set(err, ERR_CANCELLED, "enough");
    return 0;
}

static int progress(void *arg, double fraction)
{
    struct log *l = arg;
    assert_true(fraction > l->fraction);
    l->fraction = fraction;
    return 0;
}

static void count(void *arg, uint32_t n)
{
    struct log *l = arg;
    l->samples += n;
}

static void test_learning_and_hooks(void **state)
{
    struct testbed t;
    struct log log = {0};
    struct train_hooks hooks = {
        .epoch_done = epoch_done, .progress = progress, .count = count, .arg = &log};
    testbed_init(&t, nets[0], 8, 2, NULL);
    struct images im = images_new(t.arch, 130);
    model_init(t.m, 1, "init");
    train(&t, "{epochs: 8, batch: 16, lr: 0.1, momentum: 0.9, schedule: cosine}", &im, &hooks);
    assert_int_equal(log.epochs, 8);
    assert_int_equal(log.samples, 8 * 130);
    assert_true(log.fraction == 1);
    assert_true(log.loss[7] < 0.2 * log.loss[0]);
    assert_true(log.accuracy > 95);
    float *logits = testing_alloc((size_t)im.n * 5, sizeof(float)), *other = NULL;
    struct batch_source src = {.n = im.n, .fill = fill, .self = &im};
    struct error err = ERROR_INIT;
    uint32_t right = 0;
    assert_int_equal(predict_run(t.m, &src, 64, t.par, logits, &err), 0);
    for (uint32_t i = 0; i < im.n; i++)
        right += loss_argmax(logits + i * 5, 5) == im.y[i];
    assert_true(right > 0.95 * im.n);
    other = testing_alloc((size_t)im.n * 5, sizeof(float));
    assert_int_equal(predict_run(t.m, &src, 1000, NULL, other, &err), 0);
    assert_true(testing_distance_f(other, logits, (size_t)im.n * 5) < 1e-5);
    free(logits);
    free(other);
    images_release(&im);
    testbed_release(&t);
}

static void test_stopping(void **state)
{
    struct testbed t;
    struct log log = {.stop_after = 2};
    struct train_hooks hooks = {.epoch_done = epoch_done, .arg = &log};
    struct error err = ERROR_INIT;
    struct recipe r;
    testbed_init(&t, nets[0], 8, 1, NULL);
    struct images im = images_new(t.arch, 20);
    struct batch_source src = {.n = im.n, .fill = fill, .self = &im};
    recipe_defaults(&r);
    r.epochs = 5;
    assert_int_equal(train_run(t.m, &r, &src, 1, NULL, &hooks, &err), ERR_CANCELLED);
    assert_string_equal(err.text, "enough");
    assert_int_equal(log.epochs, 2);
    images_release(&im);
    testbed_release(&t);
}

/* A copy of the state after `keep` epochs; the run is broken off after `stop`. */
struct saved {
    struct train_state s;
    uint32_t keep, stop;
    float *block[4];
};

static float *copied(const float *from, size_t n)
{
    float *to = from ? testing_alloc(n, sizeof(*to)) : NULL;
    if (to)
        memcpy(to, from, n * sizeof(*to));
    return to;
}

static int save_state(void *arg, const struct train_state *s, struct error *err)
{
    struct saved *save = arg;
    if (s->epochs == save->keep) {
        save->s = *s;
        save->s.param = save->block[0] = copied(s->param, s->n_param);
        save->s.stat = save->block[1] = copied(s->stat, s->n_stat);
        for (int i = 0; i < 2; i++)
            save->s.moment[i] = save->block[2 + i] = copied(s->moment[i], s->n_param);
    }
    return s->epochs == save->stop ? error_set(err, ERR_CANCELLED, "killed") : 0;
}

static void check_resume(const char *net, const char *recipe_yaml)
{
    struct testbed t, again;
    struct error err = ERROR_INIT;
    struct recipe r;
    struct saved save = {.keep = 2, .stop = 3};
    struct train_checkpoints saving = {.save = save_state, .arg = &save};
    struct train_checkpoints resuming = {.from = &save.s};
    testbed_init(&t, net, 8, 1, NULL);
    testbed_init(&again, net, 8, 2, NULL);
    struct images im = images_new(t.arch, 50);
    struct batch_source src = {.n = im.n, .fill = fill, .self = &im};
    assert_int_equal(recipe_from_text(recipe_yaml, &r, &err), 0);
    model_init(t.m, 1, "init");
    assert_int_equal(train_resume(t.m, &r, &src, 3, t.par, NULL, &saving, &err), ERR_CANCELLED);
    model_init(t.m, 1, "init");
    assert_int_equal(train_run(t.m, &r, &src, 3, t.par, NULL, &err), 0);
    model_init(again.m, 77, "something else");
    assert_int_equal(train_resume(again.m, &r, &src, 3, again.par, NULL, &resuming, &err), 0);
    assert_memory_equal(again.m->param, t.m->param, t.m->n_param * sizeof(float));
    assert_memory_equal(again.m->stat, t.m->stat, t.m->n_stat * sizeof(float));
    save.s.steps++;
    assert_int_equal(train_resume(again.m, &r, &src, 3, NULL, NULL, &resuming, &err), ERR_INVALID);
    save.s.n_param--;
    assert_int_equal(train_resume(again.m, &r, &src, 3, NULL, NULL, &resuming, &err), ERR_INVALID);
    for (int i = 0; i < 4; i++)
        free(save.block[i]);
    images_release(&im);
    testbed_release(&t);
    testbed_release(&again);
}

static void test_resume(void **state)
{
    check_resume(nets[5], "{epochs: 5, batch: 16, lr: 0.05, momentum: 0.9, schedule: cosine}");
    check_resume(nets[5], "{epochs: 4, batch: 16, lr: 0.05}");
    check_resume(nets[0], "{epochs: 4, batch: 20, lr: 0.01, optimizer: adam}");
}

static void test_errors(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct recipe r;
    testbed_init(&t, nets[2], 8, 1, NULL);
    struct images im = images_new(t.arch, 40);
    struct batch_source src = {.n = im.n, .fill = fill, .self = &im};
    recipe_defaults(&r);
    r.batch = 20;
    im.x[(size_t)25 * im.size] = NAN;
    r.shuffle = false;
    assert_int_equal(train_run(t.m, &r, &src, 1, NULL, NULL, &err), ERR_NUMERIC);
    assert_string_equal(err.text, "the loss became NaN in epoch 1 at step 2; lower the learning "
                                  "rate (now 0.1) or clip gradients");
    im.y[3] = 5;
    assert_int_equal(train_run(t.m, &r, &src, 1, NULL, NULL, &err), ERR_INVALID);
    assert_string_equal(err.text, "sample 3 has label 5, but there are 5 classes");
    src.n = 0;
    assert_int_equal(train_run(t.m, &r, &src, 1, NULL, NULL, &err), ERR_INVALID);
    assert_int_equal(net_forward(t.net, t.m, t.x, 9, NET_EVAL, t.y, &err), ERR_INVALID);
    assert_string_equal(err.text, "a batch of 9 images; this net takes 1 to 8");
    assert_int_equal(net_infer(t.net, t.m, t.x, 8, t.y, &err), 0);
    assert_int_equal(net_backward(t.net, t.m, t.v, true, NULL, &err), ERR_INTERNAL);
    images_release(&im);
    testbed_release(&t);
}

/* Evaluation leaves the model alone, and small batches give the same logits as large ones. */
static void test_evaluation(void **state)
{
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        struct testbed t;
        struct error err = ERROR_INIT;
        testbed_init(&t, nets[i], 6, 1, NULL);
        float *stat = testing_alloc(t.m->n_stat, sizeof(float)), y[64];
        memcpy(stat, t.m->stat, t.m->n_stat * sizeof(float));
        testbed_forward(&t, NET_EVAL);
        assert_int_equal(net_infer(t.net, t.m, t.x, 6, y, &err), 0);
        assert_memory_equal(y, t.y, t.n_y * sizeof(float));
        for (uint32_t j = 0; j < 6; j++)
            assert_int_equal(
                net_infer(t.net, t.m, t.x + j * t.n_x / 6, 1, y + j * t.arch->classes, &err), 0);
        assert_true(testing_distance_f(y, t.y, t.n_y) < 1e-5);
        assert_memory_equal(stat, t.m->stat, t.m->n_stat * sizeof(float));
        assert_true(net_bytes(t.net) > t.n_x * sizeof(float));
        free(stat);
        testbed_release(&t);
    }
}

/* dx alone is what it is beside parameter gradients, and those add up. */
static void test_partial_backward(void **state)
{
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        struct testbed t;
        struct error err = ERROR_INIT;
        testbed_init(&t, nets[i], 6, 1, NULL);
        size_t n = t.m->n_param;
        float *dx = testing_alloc(t.n_x, sizeof(float)), *grad = testing_alloc(n, sizeof(float));
        testbed_forward(&t, NET_EVAL);
        testbed_backward(&t);
        memcpy(grad, t.m->grad, n * sizeof(float));
        testbed_forward(&t, NET_EVAL);
        assert_int_equal(net_backward(t.net, t.m, t.v, false, dx, &err), 0);
        assert_memory_equal(dx, t.dx, t.n_x * sizeof(float));
        assert_memory_equal(grad, t.m->grad, n * sizeof(float));
        testbed_forward(&t, NET_EVAL);
        assert_int_equal(net_backward(t.net, t.m, t.v, true, NULL, &err), 0);
        for (size_t j = 0; j < n; j++)
            grad[j] *= 2;
        assert_true(testing_distance_f(t.m->grad, grad, n) < 1e-6);
        free(dx);
        free(grad);
        testbed_release(&t);
    }
}

static void test_initialisation(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct model *other;
    testbed_init(&t, nets[0], 1, 1, NULL);
    model_init(t.m, 5, "init");
    for (size_t i = 0; i < t.m->n_tensors; i++) {
        const struct tensor_info *info = &t.m->tensor[i];
        const float *v = (info->flags & TENSOR_STATISTIC ? t.m->stat : t.m->param) + info->offset;
        const struct arch_layer *l = t.m->layer[info->layer];
        double window = l->kind == LAYER_CONV ? l->kernel * l->kernel : 1;
        double bound = 1 / sqrt(l->in[0] * window), top = 0;
        for (size_t j = 0; j < info->n; j++)
            top = fmax(top, fabs((double)v[j]));
        if (info->flags & TENSOR_NORM)
            assert_true(top == (text_ends(info->name, "weight") || text_ends(info->name, "_var")));
        else
            assert_true(top <= bound && (info->n < 20 || top > 0.8 * bound));
    }
    assert_true(model_is_finite(t.m));
    assert_int_equal(model_clone(t.m, &other, &err), 0);
    assert_memory_equal(other->param, t.m->param, t.m->n_param * sizeof(float));
    model_init(other, 6, "init");
    assert_memory_not_equal(other->param, t.m->param, t.m->n_param * sizeof(float));
    model_init(other, 5, "shadow");
    assert_memory_not_equal(other->param, t.m->param, t.m->n_param * sizeof(float));
    model_init(other, 5, "init");
    assert_memory_equal(other->param, t.m->param, t.m->n_param * sizeof(float));
    other->stat[0] = INFINITY;
    assert_false(model_is_finite(other));
    model_free(other);
    testbed_release(&t);
}

/* No two buffers that are alive at the same time share a byte. */
static void test_memory_plan(void **state)
{
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        struct testbed t;
        size_t sum = 0;
        testbed_init(&t, nets[i], 6, 2, NULL);
        testbed_forward(&t, NET_TRAIN);
        for (uint32_t a = 0; a < t.net->n_spans; a++) {
            const struct span *x = &t.net->span[a];
            assert_true(x->start <= x->end && x->end <= t.net->end_time);
            assert_true(x->offset % 64 == 0 && x->offset + x->bytes <= t.net->block_bytes);
            sum += x->bytes;
            for (uint32_t b = 0; b < a; b++) {
                const struct span *y = &t.net->span[b];
                bool together = x->start <= y->end && y->start <= x->end;
                bool overlap = x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes;
                assert_false(together && overlap);
            }
        }
        assert_true(t.net->block_bytes < sum);
        testbed_release(&t);
    }
}

/* A net that only infers holds no room for a backward pass, and gives the same logits. */
static void test_memory_for_inference(void **state)
{
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        struct testbed t;
        struct error err = ERROR_INIT;
        testbed_init(&t, nets[i], 16, 2, NULL);
        float *y = testing_alloc(t.n_y, sizeof(float));
        assert_int_equal(net_infer(t.net, t.m, t.x, 16, y, &err), 0);
        size_t small = net_bytes(t.net);
        testbed_forward(&t, NET_EVAL);
        assert_memory_equal(y, t.y, t.n_y * sizeof(float));
        bool deep = t.net->n_ops > 12;
        assert_true(deep ? small < 0.7 * (double)net_bytes(t.net) : small <= net_bytes(t.net));
        testbed_backward(&t);
        assert_int_equal(net_infer(t.net, t.m, t.x, 16, y, &err), 0);
        assert_memory_equal(y, t.y, t.n_y * sizeof(float));
        free(y);
        testbed_release(&t);
    }
}

static void test_numerics_name(void **state)
{
    assert_true(text_starts(nn_numerics(), "lethe-nn "));
    assert_true(strstr(nn_numerics(), kernels_best()->name) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_training_on_threads),
        cmocka_unit_test(test_learning_and_hooks),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_partial_backward),
        cmocka_unit_test(test_initialisation),
        cmocka_unit_test(test_memory_plan),
        cmocka_unit_test(test_memory_for_inference),
        cmocka_unit_test(test_numerics_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
