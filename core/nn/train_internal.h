/* train_internal.h: the training loop in steps, for one model (train.c) or several (lotos.c). */
#ifndef NN_TRAIN_INTERNAL_H
#define NN_TRAIN_INTERNAL_H

#include "train.h"

struct loop {
    struct model *m;
    const struct recipe *r;
    const struct batch_source *src;
    const struct train_hooks *hooks;
    const struct train_checkpoints *checkpoints; /* NULL: none */
    uint64_t seed;
    struct par *par;
    struct net *net;
    struct optim *optim;
    struct spectral_clip *clip; /* NULL: the recipe has none */
    uint32_t *order;
    float *x, *logits; /* (batch, C, H, W), (batch, classes); logits become their gradient */
    int32_t *y;
    uint32_t batch;
    uint64_t step, n_steps;
    double loss_sum; /* of the epoch so far */
    uint64_t n_right;
};

int loop_init(struct loop *l, struct error *err);
void loop_release(struct loop *l);
void loop_begin_epoch(struct loop *l, uint32_t epoch);
/* Adds the gradient of the mean loss of samples order[first..first + n) to the model's. */
int loop_gradient(struct loop *l, uint32_t epoch, uint32_t first, uint32_t n, double lr,
                  struct error *err);
/* A step of the optimiser with what the gradient is now, clipping, counters, progress. */
int loop_update(struct loop *l, uint32_t n, double lr, struct error *err);
int loop_end_epoch(struct loop *l, uint32_t epoch, struct error *err);
/* Before the first step: drawn weights are clipped. */
int loop_start(struct loop *l, struct error *err);

#endif
