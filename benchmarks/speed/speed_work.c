/* speed_work.c: a training step, an inference, an input gradient. The batch is made once and used
 * again, so that no time goes into data. */
#include "speed_work.h"

#include <stdlib.h>

#include "loss.h"
#include "model.h"
#include "optim.h"
#include "rng.h"

/* Small, so that weights stay where they were drawn however many steps are timed. */
static const double learning_rate = 1e-4;

struct bench {
    uint32_t batch;
    struct par *par;
    struct model *m;
    struct net *net;
    struct optim *optim;
    float *x, *dx; /* (batch, C, H, W) */
    float *logits; /* (batch, classes); becomes the loss's gradient */
    int32_t *y;    /* (batch) */
};

static void bench_free(void *state)
{
    struct bench *b = state;
    if (!b)
        return;
    optim_free(b->optim);
    net_free(b->net);
    model_free(b->m);
    par_free(b->par);
    free(b->x);
    free(b->dx);
    free(b->logits);
    free(b->y);
    free(b);
}

/* Pixels uniform in [0, 1), labels uniform. */
static int make_batch(struct bench *b, const struct bench_options *o, struct error *err)
{
    const struct arch *a = o->arch;
    size_t size = (size_t)a->input[0] * a->input[1] * a->input[2];
    struct rng rng;
    b->x = malloc(b->batch * size * sizeof(*b->x));
    b->logits = malloc((size_t)b->batch * a->classes * sizeof(*b->logits));
    b->y = malloc(b->batch * sizeof(*b->y));
    if (!b->x || !b->logits || !b->y)
        return error_nomem(err);
    rng_stream(&rng, o->seed, "speed/images", 0);
    rng_fill_uniform(&rng, b->x, b->batch * size);
    rng_stream(&rng, o->seed, "speed/labels", 0);
    for (uint32_t i = 0; i < b->batch; i++)
        b->y[i] = (int32_t)rng_below(&rng, a->classes);
    return 0;
}

static int bench_fill(struct bench *b, const struct bench_options *o, struct error *err)
{
    b->batch = o->batch;
    b->par = par_new(o->threads);
    if (!b->par)
        return error_nomem(err);
    TRY(make_batch(b, o, err));
    TRY(model_new(o->arch, &b->m, err));
    model_init(b->m, o->seed, "init");
    return net_new(o->arch, o->batch, b->par, &b->net, err);
}

static int bench_start(const struct bench_options *o, void **ret_state, struct error *err)
{
    struct bench *b = calloc(1, sizeof(*b));
    if (!b)
        return error_nomem(err);
    int rc = bench_fill(b, o, err);
    if (rc < 0)
        bench_free(b);
    else
        *ret_state = b;
    return rc;
}

static int train_start(const struct bench_options *o, void **ret_state, struct error *err)
{
    const struct optim_config config = {.kind = OPTIM_SGD, .momentum = 0.9, .weight_decay = 5e-4};
    void *state = NULL;
    TRY(bench_start(o, &state, err));
    struct bench *b = state;
    int rc = optim_new(b->m, &config, &b->optim, err);
    if (rc < 0)
        bench_free(b);
    else
        *ret_state = b;
    return rc;
}

static int train_step(void *state, struct error *err)
{
    struct bench *b = state;
    double loss;
    TRY(net_forward(b->net, b->m, b->x, b->batch, NET_TRAIN, b->logits, err));
    loss_cross_entropy(b->logits, b->y, b->batch, b->m->arch->classes, &loss, b->logits);
    TRY(net_backward(b->net, b->m, b->logits, true, NULL, err));
    optim_step(b->optim, learning_rate, b->par);
    return loss >= 0 ? 0 : error_set(err, ERR_NUMERIC, "the loss became NaN");
}

static int infer_step(void *state, struct error *err)
{
    struct bench *b = state;
    return net_infer(b->net, b->m, b->x, b->batch, b->logits, err);
}

static int inputgrad_start(const struct bench_options *o, void **ret_state, struct error *err)
{
    const uint32_t *in = o->arch->input;
    void *state = NULL;
    TRY(bench_start(o, &state, err));
    struct bench *b = state;
    b->dx = malloc((size_t)b->batch * in[0] * in[1] * in[2] * sizeof(*b->dx));
    if (!b->dx) {
        bench_free(b);
        return error_nomem(err);
    }
    *ret_state = b;
    return 0;
}

static int inputgrad_step(void *state, struct error *err)
{
    struct bench *b = state;
    double loss;
    TRY(net_forward(b->net, b->m, b->x, b->batch, NET_EVAL, b->logits, err));
    loss_cross_entropy(b->logits, b->y, b->batch, b->m->arch->classes, &loss, b->logits);
    return net_backward(b->net, b->m, b->logits, false, b->dx, err);
}

const struct work_kind work_kinds[WORK_COUNT] = {
    [WORK_TRAIN] = {"training", "train", train_start, train_step, bench_free},
    [WORK_INFER] = {"inference", "infer", bench_start, infer_step, bench_free},
    [WORK_INPUTGRAD] = {"input gradient", "inputgrad", inputgrad_start, inputgrad_step, bench_free},
    [WORK_PRODUCTS] = {"matrix products", "products", products_start, products_step, products_end},
};
