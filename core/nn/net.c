/* net.c: forward and backward passes. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_internal.h"

/* Raise with every change that alters a result's bits. */
#define ENGINE_VERSION 3

int net_new_with(const struct arch *arch, uint32_t max_batch, struct par *par,
                 const struct kernels *kernels, struct net **ret, struct error *err)
{
    if (max_batch == 0)
        return error_set(err, ERR_INVALID, "a batch of 0 images");
    struct net *net = calloc(1, sizeof(*net));
    if (!net)
        return error_nomem(err);
    openblas_set_num_threads(1);
    net->arch = arch;
    net->par = par;
    net->max_batch = max_batch;
    net->k = kernels;
    *ret = net;
    return 0;
}

int net_new(const struct arch *arch, uint32_t max_batch, struct par *par, struct net **ret,
            struct error *err)
{
    return net_new_with(arch, max_batch, par, kernels_best(), ret, err);
}

void net_free(struct net *net)
{
    if (!net)
        return;
    free(net->value);
    free(net->op);
    free(net->span);
    free(net->block);
    free(net->written);
    free(net);
}

size_t net_bytes(const struct net *net)
{
    return net->block_bytes;
}

void net_dropout(struct net *net, uint64_t seed, uint64_t step)
{
    net->dropout_seed = seed;
    net->dropout_step = step;
}

struct transposition {
    const float *from;
    float *to;
    size_t rows, cols; /* an image of `from` is (rows, cols), of `to` (cols, rows) */
};

static void transpose_image(void *arg, size_t image, unsigned worker)
{
    const struct transposition *t = arg;
    size_t rows = t->rows, cols = t->cols;
    const float *from = t->from + image * rows * cols;
    float *to = t->to + image * rows * cols;
    if (rows == 1 || cols == 1) {
        memcpy(to, from, rows * cols * sizeof(float));
        return;
    }
    for (size_t c = 0; c < cols; c++)
        for (size_t r = 0; r < rows; r++)
            to[c * rows + r] = from[r * cols + c];
}

void net_transpose(struct par *par, const float *from, uint32_t n, size_t rows, size_t cols,
                   float *to)
{
    struct transposition t = {from, to, rows, cols};
    par_run(par, n, transpose_image, &t);
}

static int check_batch(const struct net *net, const struct model *m, uint32_t n, struct error *err)
{
    if (n == 0 || n > net->max_batch)
        return error_set(err, ERR_INVALID, "a batch of %u images; this net takes 1 to %u", n,
                         net->max_batch);
    const struct arch *a = m->arch, *b = net->arch;
    if (a != b && (a->n_layers != b->n_layers || a->classes != b->classes ||
                   memcmp(a->input, b->input, sizeof(a->input)) != 0))
        return error_set(err, ERR_INTERNAL, "the model is of another architecture than the net");
    return 0;
}

/* Memory is taken when it is known what for: a net that only infers needs far less. */
static int prepare(struct net *net, bool full, struct error *err)
{
    if (net->block && (net->full || !full))
        return 0;
    TRY(net_plan(net, full, err));
    free(net->written);
    net->written = calloc(net->n_values, sizeof(*net->written));
    return net->written ? 0 : error_nomem(err);
}

static int run_forward(const struct pass *p, const float *x, float *logits, struct error *err)
{
    struct net *net = p->net;
    TRY(check_batch(net, p->m, p->n, err));
    TRY(prepare(net, p->keep, err));
    const struct value *in = &net->value[0];
    size_t pixels = (size_t)in->shape[1] * in->shape[2];
    net->ready = net->turned = false;
    net_transpose(net->par, x, p->n, in->shape[0], pixels, net_act(net, 0));
    for (uint32_t i = 0; i < net->n_ops; i++)
        TRY(net->op[i].class->forward(p, &net->op[i], err));
    const struct op *last = &net->op[net->n_ops - 1];
    memcpy(logits, net_act(net, last->out), p->n * net->value[last->out].size * sizeof(float));
    net->ready = p->keep;
    net->n = p->n;
    net->mode = p->mode;
    return 0;
}

int net_forward(struct net *net, struct model *m, const float *x, uint32_t n, enum net_mode mode,
                float *logits, struct error *err)
{
    struct pass p = {.net = net, .m = m, .n = n, .mode = mode, .keep = true};
    p.stat = mode == NET_TRAIN ? m->stat : NULL;
    return run_forward(&p, x, logits, err);
}

int net_infer(struct net *net, const struct model *m, const float *x, uint32_t n, float *logits,
              struct error *err)
{
    struct pass p = {.net = net, .m = m, .n = n, .mode = NET_EVAL};
    return run_forward(&p, x, logits, err);
}

struct addition {
    const struct kernels *k;
    const float *x;
    float *y;
    size_t n;
};

enum { CHUNK = 1 << 14 };

static void add_chunk(void *arg, size_t item, unsigned worker)
{
    const struct addition *a = arg;
    size_t at = item * CHUNK, n = a->n - at < CHUNK ? a->n - at : CHUNK;
    a->k->add(a->x + at, n, a->y + at);
}

/* Computes the operation's input once more if it was not kept and is needed. */
static void remake_input(const struct pass *p, const struct op *op)
{
    struct net *net = p->net;
    struct value *r = &net->value[net->value[op->in[0]].root];
    if (!op->class->needs_in || r->again == NO_SPAN || r->remade)
        return;
    if (op->class->in_for_params && !p->grad)
        return;
    affine_again(p, &net->op[r->maker]);
    r->remade = true;
}

/* Runs op backward; gradients of shared values are added up. */
static void step_back(const struct pass *whole, const struct op *op, bool want_input)
{
    struct pass own = *whole;
    const struct pass *p = &own;
    struct net *net = p->net;
    float *dx[2] = {NULL, NULL};
    bool adds[2] = {false, false};
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct value *v = &net->value[op->in[i]];
        if (!want_input && !(p->grad && v->trained))
            continue;
        adds[i] = net->written[v->root] && !op->in_place && !op->class->adds;
        own.add = net->written[v->root] && op->class->adds;
        dx[i] = adds[i] ? net_at(net, op->extra[i]) : net_grad(net, op->in[i]);
        net->written[v->root] = true;
    }
    if (dx[0] || dx[1] || (p->grad && op->class->has_params)) {
        remake_input(p, op);
        op->class->backward(p, op, net_grad(net, op->out), dx);
    }
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (!adds[i])
            continue;
        size_t size = p->n * net->value[op->in[i]].size;
        struct addition a = {net->k, dx[i], net_grad(net, op->in[i]), size};
        par_run(net->par, (size + CHUNK - 1) / CHUNK, add_chunk, &a);
    }
}

int net_backward(struct net *net, struct model *m, const float *dlogits, bool param_grads,
                 float *dx, struct error *err)
{
    if (!net->ready)
        return error_set(err, ERR_INTERNAL, "every backward pass needs a forward pass of its own");
    struct pass p = {.net = net, .m = m, .n = net->n, .mode = net->mode, .keep = true};
    p.grad = param_grads ? m->grad : NULL;
    if (!dx && !p.grad)
        return 0;
    net->ready = false; /* gradients take the place of activations */
    net->turned = true;
    for (uint32_t i = 0; i < net->n_values; i++)
        net->value[i].remade = false;
    const struct op *last = &net->op[net->n_ops - 1];
    memset(net->written, 0, net->n_values * sizeof(*net->written));
    memcpy(net_grad(net, last->out), dlogits, p.n * net->value[last->out].size * sizeof(float));
    net->written[net->value[last->out].root] = true;
    for (uint32_t i = net->n_ops; i-- > 0;)
        step_back(&p, &net->op[i], dx != NULL);
    const struct value *in = &net->value[0];
    if (dx)
        net_transpose(net->par, net_grad(net, 0), p.n, (size_t)in->shape[1] * in->shape[2],
                      in->shape[0], dx);
    return 0;
}

const char *nn_numerics(void)
{
    static _Thread_local char text[128];
    snprintf(text, sizeof(text), "lethe-nn %d, openblas %s, %s", ENGINE_VERSION,
             openblas_get_corename(), kernels_best()->name);
    return text;
}
