/* op_simple.c: operations number by number, and those that only move numbers. */
#include <math.h>
#include <string.h>

#include "net_internal.h"
#include "rng.h"

/* Numbers of an item; a multiple of four, which Philox gives at once. */
enum { ITEM = 1 << 14 };

struct job {
    const struct pass *p;
    const struct op *op;
    size_t n;
    const float *a, *b; /* a, b -> to */
    float *to, *to_b;
    uint64_t key; /* dropout */
};

/* fn over pieces of the n numbers of a value of the batch. */
static void run_items(struct job *j, uint32_t value,
                      void (*fn)(void *arg, size_t item, unsigned worker))
{
    j->n = j->p->n * j->p->net->value[value].size;
    par_run(j->p->net->par, (j->n + ITEM - 1) / ITEM, fn, j);
}

static size_t item_size(const struct job *j, size_t item)
{
    size_t left = j->n - item * ITEM;
    return left < ITEM ? left : ITEM;
}

static struct job forward_job(const struct pass *p, const struct op *op)
{
    return (struct job){
        .p = p, .op = op, .a = net_act(p->net, op->in[0]), .to = net_act(p->net, op->out)};
}

/* b is what the forward pass wrote. */
static struct job backward_job(const struct pass *p, const struct op *op, const float *dy,
                               float *dx)
{
    return (struct job){.p = p, .op = op, .a = dy, .b = net_act(p->net, op->out), .to = dx};
}

static void relu_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    j->p->net->k->relu(j->a + item * ITEM, item_size(j, item), j->to + item * ITEM);
}

static void relu_grad_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    size_t at = item * ITEM;
    j->p->net->k->relu_grad(j->b + at, j->a + at, item_size(j, item), j->to + at);
}

static int relu_forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = forward_job(p, op);
    run_items(&j, op->out, relu_item);
    return 0;
}

static void relu_backward(const struct pass *p, const struct op *op, const float *dy,
                          float *const dx[2])
{
    struct job j = backward_job(p, op, dy, dx[0]);
    run_items(&j, op->out, relu_grad_item);
}

static void elu_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    float alpha = (float)j->op->layer->p;
    for (size_t at = item * ITEM, end = at + item_size(j, item); at < end; at++)
        j->to[at] = j->a[at] > 0 ? j->a[at] : alpha * expm1f(j->a[at]);
}

/* d/dx alpha (e^x - 1) = y + alpha. */
static void elu_grad_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    float alpha = (float)j->op->layer->p;
    for (size_t at = item * ITEM, end = at + item_size(j, item); at < end; at++)
        j->to[at] = j->b[at] > 0 ? j->a[at] : j->a[at] * (j->b[at] + alpha);
}

static int elu_forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = forward_job(p, op);
    run_items(&j, op->out, elu_item);
    return 0;
}

static void elu_backward(const struct pass *p, const struct op *op, const float *dy,
                         float *const dx[2])
{
    struct job j = backward_job(p, op, dy, dx[0]);
    run_items(&j, op->out, elu_grad_item);
}

/* The mask of number i is a function of (seed, step, layer, i): the backward pass draws it again,
 * and no thread needs another's state. */
static void dropout_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    double p = j->op->layer->p;
    const uint32_t drop_below = (uint32_t)(p * 0x1p32);
    const float keep = (float)(1 / (1 - p));
    for (size_t at = item * ITEM, end = at + item_size(j, item); at < end; at += 4) {
        uint32_t draw[4];
        rng_philox(j->key, at / 4, j->op->model_layer, draw);
        for (size_t i = 0; i < 4 && at + i < end; i++)
            j->to[at + i] = draw[i] < drop_below ? 0 : j->a[at + i] * keep;
    }
}

static void copy_numbers(const struct pass *p, uint32_t value, const float *from, float *to)
{
    if (from != to)
        memcpy(to, from, p->n * p->net->value[value].size * sizeof(float));
}

static void dropout_run(const struct pass *p, const struct op *op, const float *from, float *to)
{
    struct job j = {.p = p, .op = op, .a = from, .to = to};
    struct rng stream;
    if (p->mode == NET_EVAL || op->layer->p <= 0) {
        copy_numbers(p, op->out, from, to);
        return;
    }
    rng_stream(&stream, p->net->dropout_seed, "dropout", p->net->dropout_step);
    j.key = stream.key;
    run_items(&j, op->out, dropout_item);
}

static int dropout_forward(const struct pass *p, const struct op *op, struct error *err)
{
    dropout_run(p, op, net_act(p->net, op->in[0]), net_act(p->net, op->out));
    return 0;
}

static void dropout_backward(const struct pass *p, const struct op *op, const float *dy,
                             float *const dx[2])
{
    dropout_run(p, op, dy, dx[0]);
}

/* (x - mean) / std, one image an item; the adjoint leaves the mean out. */
static void normalize_image(const struct job *j, size_t image, bool centre)
{
    const struct arch_layer *l = j->op->layer;
    size_t pixels = (size_t)l->in[1] * l->in[2], c = l->in[0];
    const float *from = j->a + image * pixels * c;
    float *to = j->to + image * pixels * c;
    for (size_t i = 0; i < pixels; i++)
        for (size_t k = 0; k < c; k++)
            to[i * c + k] = (from[i * c + k] - (centre ? l->mean[k] : 0)) / l->std[k];
}

static void normalize_item(void *arg, size_t image, unsigned worker)
{
    normalize_image(arg, image, true);
}

static void normalize_grad_item(void *arg, size_t image, unsigned worker)
{
    normalize_image(arg, image, false);
}

static int normalize_forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = forward_job(p, op);
    par_run(p->net->par, p->n, normalize_item, &j);
    return 0;
}

static void normalize_backward(const struct pass *p, const struct op *op, const float *dy,
                               float *const dx[2])
{
    struct job j = backward_job(p, op, dy, dx[0]);
    par_run(p->net->par, p->n, normalize_grad_item, &j);
}

static int flatten_forward(const struct pass *p, const struct op *op, struct error *err)
{
    const uint32_t *in = op->layer->in;
    net_transpose(p->net->par, net_act(p->net, op->in[0]), p->n, (size_t)in[1] * in[2], in[0],
                  net_act(p->net, op->out));
    return 0;
}

static void flatten_backward(const struct pass *p, const struct op *op, const float *dy,
                             float *const dx[2])
{
    const uint32_t *in = op->layer->in;
    net_transpose(p->net->par, dy, p->n, in[0], (size_t)in[1] * in[2], dx[0]);
}

static int view_forward(const struct pass *p, const struct op *op, struct error *err)
{
    return 0;
}

static void view_backward(const struct pass *p, const struct op *op, const float *dy,
                          float *const dx[2])
{
}

static float sum_factor(const struct op *op)
{
    return op->layer->halve ? 0.5F : 1;
}

static void sum_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    size_t at = item * ITEM;
    j->p->net->k->add_scaled(j->a + at, j->b + at, sum_factor(j->op), item_size(j, item),
                             j->to + at);
}

static int sum_forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = forward_job(p, op);
    j.b = net_act(p->net, op->in[1]);
    run_items(&j, op->out, sum_item);
    return 0;
}

static void sum_grad_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    size_t at = item * ITEM, n = item_size(j, item);
    if (j->to)
        j->p->net->k->scale(j->a + at, sum_factor(j->op), n, j->to + at);
    if (j->to_b)
        j->p->net->k->scale(j->a + at, sum_factor(j->op), n, j->to_b + at);
}

static void sum_backward(const struct pass *p, const struct op *op, const float *dy,
                         float *const dx[2])
{
    struct job j = backward_job(p, op, dy, dx[0]);
    j.to_b = dx[1];
    run_items(&j, op->out, sum_grad_item);
}

const struct op_class op_relu = {.name = "relu",
                                 .needs_out = true,
                                 .in_place = true,
                                 .forward = relu_forward,
                                 .backward = relu_backward};
const struct op_class op_elu = {.name = "elu",
                                .needs_out = true,
                                .in_place = true,
                                .forward = elu_forward,
                                .backward = elu_backward};
const struct op_class op_dropout = {
    .name = "dropout", .in_place = true, .forward = dropout_forward, .backward = dropout_backward};
const struct op_class op_normalize = {.name = "normalize",
                                      .in_place = true,
                                      .forward = normalize_forward,
                                      .backward = normalize_backward};
const struct op_class op_flatten = {
    .name = "flatten", .forward = flatten_forward, .backward = flatten_backward};
const struct op_class op_view = {
    .name = "view", .forward = view_forward, .backward = view_backward};
const struct op_class op_sum = {.name = "sum", .forward = sum_forward, .backward = sum_backward};
