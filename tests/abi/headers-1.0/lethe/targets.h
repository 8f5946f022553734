/* SPDX-License-Identifier: MIT
 * targets.h: soft targets that a teacher gives: the kernels shared by SCRUB, bad
 * teacher, DELETE and TRW. Included by helpers.h; not ABI. */
#ifndef LETHE_TARGETS_H
#define LETHE_TARGETS_H

#include "fit.h"

/* ---- distillation ---- */

/* A loss for lethe_pass: gamma CE(labels) + alpha T^2 KL(softmax(teacher / T) || softmax(z / T)),
 * the teacher in evaluation mode on the same (augmented) samples. */
typedef struct lethe_distillation {
    const lethe_model *teacher;
    double temperature, alpha, gamma;
    float *logits, *dlogits; /* (room, n_classes) */
    uint32_t room;
} lethe_distillation;

static inline lethe_status lethe_teach_(lethe_ctx *ctx, lethe_distillation *d,
                                        const lethe_batch *batch, uint32_t c)
{
    if (batch->n > d->room) {
        d->logits = (float *)lethe_alloc(ctx, (uint64_t)batch->n * c, sizeof *d->logits);
        d->dlogits = (float *)lethe_alloc(ctx, (uint64_t)batch->n * c, sizeof *d->dlogits);
        if (!d->logits || !d->dlogits)
            return LETHE_E_NOMEM;
        d->room = batch->n;
    }
    return ctx->host->model->forward(ctx, d->teacher, batch, LETHE_EVAL, d->logits);
}

static inline lethe_status lethe_distillation_loss(lethe_ctx *ctx, void *arg,
                                                   const lethe_batch *batch, const float *logits,
                                                   uint32_t c, double *ret_loss, float *dlogits)
{
    lethe_distillation *d = (lethe_distillation *)arg;
    const lethe_loss_api *api = ctx->host->loss;
    double ce = 0, kl = 0;
    if (d->gamma != 0)
        LETHE_TRY(api->cross_entropy(ctx, logits, batch->y, batch->n, c, &ce, dlogits));
    if (d->gamma == 0 || d->alpha != 0) {
        LETHE_TRY(lethe_teach_(ctx, d, batch, c));
        LETHE_TRY(
            api->distill(ctx, logits, d->logits, d->temperature, batch->n, c, &kl, d->dlogits));
        for (uint64_t i = 0; i < (uint64_t)batch->n * c; i++)
            dlogits[i] = (float)((d->gamma != 0 ? d->gamma * (double)dlogits[i] : 0) +
                                 d->alpha * (double)d->dlogits[i]);
    } else if (d->gamma != 1) {
        for (uint64_t i = 0; i < (uint64_t)batch->n * c; i++)
            dlogits[i] *= (float)d->gamma;
    }
    *ret_loss = d->gamma * ce + d->alpha * kl;
    return LETHE_OK;
}

/* ---- a teacher's view of a forgotten class ---- */

/* q (c) = softmax(z + bias) over the classes that are not hidden, 0 at those that are. Equals
 * p(y) e^bias(y) / Z over them, p = softmax(z), without the division by 1 - p(hidden), which is
 * next to nothing on memorised samples. bias may be NULL (DELETE, RWFT). */
static inline void lethe_tilt(const float *z, const double *bias, const uint8_t *hidden, uint32_t c,
                              double *q)
{
    double largest = -HUGE_VAL, sum = 0;
    for (uint32_t k = 0; k < c; k++) {
        q[k] = (double)z[k] + (bias ? bias[k] : 0);
        if (!hidden[k] && q[k] > largest)
            largest = q[k];
    }
    for (uint32_t k = 0; k < c; k++) {
        q[k] = hidden[k] ? 0 : exp(q[k] - largest);
        sum += q[k];
    }
    for (uint32_t k = 0; k < c && sum > 0; k++)
        q[k] /= sum;
}

/* A loss for lethe_pass: cross-entropy to the teacher's tilted distribution where the label is
 * forgotten, to the label, `omega` times, elsewhere. */
typedef struct lethe_tilting {
    lethe_distillation teacher;
    const uint8_t *forgotten; /* (c) 1: samples of this class are to forget it; NULL: all are */
    int32_t hide_all;         /* 1: targets have nothing at any forgotten class; 0: at their own */
    const double *bias;       /* (c, c), row by own class; NULL: none */
    double omega;
    double *q;       /* (c) */
    uint8_t *hidden; /* (c) */
} lethe_tilting;

static inline lethe_status lethe_tilting_room_(lethe_ctx *ctx, lethe_tilting *t, uint32_t c)
{
    if (!t->q)
        t->q = (double *)lethe_alloc(ctx, c, sizeof *t->q);
    if (!t->hidden)
        t->hidden = (uint8_t *)lethe_alloc(ctx, c, 1);
    return t->q && t->hidden ? LETHE_OK : LETHE_E_NOMEM;
}

/* The target of one sample with label y and teacher's logits z; its weight. */
static inline double lethe_tilting_target_(lethe_tilting *t, const float *z, int32_t y, uint32_t c,
                                           float *ret_q)
{
    int forget = !t->forgotten || t->forgotten[y];
    for (uint32_t k = 0; k < c; k++)
        t->hidden[k] = k == (uint32_t)y || (t->hide_all && t->forgotten && t->forgotten[k]);
    if (forget)
        lethe_tilt(z, t->bias ? t->bias + (uint64_t)(uint32_t)y * c : NULL, t->hidden, c, t->q);
    for (uint32_t k = 0; k < c; k++)
        ret_q[k] = forget ? (float)t->q[k] : k == (uint32_t)y ? 1.0f : 0.0f;
    return forget ? 1 : t->omega;
}

static inline lethe_status lethe_tilting_loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                              const float *logits, uint32_t c, double *ret_loss,
                                              float *dlogits)
{
    lethe_tilting *t = (lethe_tilting *)arg;
    float *q;
    LETHE_TRY(lethe_tilting_room_(ctx, t, c));
    LETHE_TRY(lethe_teach_(ctx, &t->teacher, batch, c));
    q = t->teacher.dlogits; /* (n, c) */
    for (uint32_t i = 0; i < batch->n; i++)
        t->teacher.logits[i] = (float)lethe_tilting_target_(t, t->teacher.logits + (uint64_t)i * c,
                                                            batch->y[i], c, q + (uint64_t)i * c);
    LETHE_TRY(ctx->host->loss->soft_cross_entropy(ctx, logits, q, batch->n, c, ret_loss, dlogits));
    for (uint32_t i = 0; i < batch->n; i++)
        for (uint32_t k = 0; t->teacher.logits[i] != 1 && k < c; k++)
            dlogits[(uint64_t)i * c + k] *= t->teacher.logits[i];
    return LETHE_OK;
}

/* The classes of a job's forget set as (c) flags; NULL (and OK) in other scenarios. */
static inline lethe_status lethe_forgotten_classes(lethe_ctx *ctx, const int32_t *classes,
                                                   uint32_t n, uint32_t c, const uint8_t **ret)
{
    uint8_t *flag = n > 0 ? (uint8_t *)lethe_alloc(ctx, c, 1) : NULL;
    if (n > 0 && !flag)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        flag[classes[i]] = 1;
    *ret = flag;
    return LETHE_OK;
}

#endif
