#include "calibrate.h"

#include <stdlib.h>

#include "fs.h"
#include "loss.h"
#include "model.h"
#include "optim.h"
#include "rng.h"

#define BUDGET_NS 500000000ull
enum { WARM_UP_STEPS = 2 };

struct bench {
    struct arch *arch;
    struct model *model;
    struct net *net;
    struct optim *optim;
    float *x, *logits; /* (batch, C, H, W), (batch, classes) */
    int32_t *y;
    unsigned batch;
};

static void bench_release(struct bench *b)
{
    optim_free(b->optim);
    net_free(b->net);
    model_free(b->model);
    arch_free(b->arch);
    free(b->x);
    free(b->logits);
    free(b->y);
}

static int bench_init(struct bench *b, const char *text, struct error *err)
{
    const struct optim_config sgd = {.kind = OPTIM_SGD, .momentum = 0.9, .weight_decay = 5e-4};
    struct rng rng;
    TRY(arch_from_text(text, &b->arch, err));
    TRY(model_new(b->arch, &b->model, err));
    model_init(b->model, 1, "calibrate");
    TRY(net_new(b->arch, b->batch, NULL, &b->net, err));
    TRY(optim_new(b->model, &sgd, &b->optim, err));
    size_t n = (size_t)b->batch * b->arch->input[0] * b->arch->input[1] * b->arch->input[2];
    b->x = malloc((n + 1) * sizeof(*b->x));
    b->logits = malloc(((size_t)b->batch * b->arch->classes + 1) * sizeof(*b->logits));
    b->y = malloc((b->batch + 1) * sizeof(*b->y));
    if (!b->x || !b->logits || !b->y)
        return error_nomem(err);
    rng_stream(&rng, 1, "calibrate", 0);
    rng_fill_uniform(&rng, b->x, n);
    for (unsigned i = 0; i < b->batch; i++)
        b->y[i] = (int32_t)rng_below(&rng, b->arch->classes);
    return 0;
}

static int bench_step(struct bench *b, struct error *err)
{
    TRY(net_forward(b->net, b->model, b->x, b->batch, NET_TRAIN, b->logits, err));
    loss_cross_entropy(b->logits, b->y, b->batch, b->arch->classes, NULL, b->logits);
    TRY(net_backward(b->net, b->model, b->logits, true, NULL, err));
    optim_step(b->optim, 1e-4, NULL);
    return 0;
}

int calibrate(const char *arch_text, unsigned batch, json_t **ret, struct error *err)
{
    struct bench b = {.batch = batch};
    uint64_t steps = 0, spent = 0;
    int rc = bench_init(&b, arch_text, err);
    for (int i = 0; rc == 0 && i < WARM_UP_STEPS; i++)
        rc = bench_step(&b, err);
    uint64_t start = fs_now_ns();
    while (rc == 0 && (steps == 0 || spent < BUDGET_NS)) {
        rc = bench_step(&b, err);
        steps++;
        spent = fs_now_ns() - start;
    }
    json_t *o = rc == 0 ? json_pack("{s:f,s:f}", "train_images_per_s",
                                    (double)steps * batch / ((double)spent / 1e9), "peak_mb",
                                    (double)fs_peak_rss_bytes() / 1048576)
                        : NULL;
    bench_release(&b);
    if (rc < 0)
        return rc;
    if (!o)
        return error_nomem(err);
    *ret = o;
    return 0;
}
