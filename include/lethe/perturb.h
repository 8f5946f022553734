/* SPDX-License-Identifier: MIT
 * perturb.h: what gradient attacks on inputs have in common, all static inline.
 * Not ABI, and not part of helpers.h: attacks include it themselves.
 *
 *   lethe_class_of        index of the largest logit
 *   lethe_logit_gradient  dL/dlogits of one sample's cross-entropy
 *   lethe_step_l2         a step along the gradient, back into ball and box
 *   lethe_check_goals     labels or targets that the model has
 *   lethe_active          the samples of a batch that are still at it, packed */
#ifndef LETHE_PERTURB_H
#define LETHE_PERTURB_H

#include "attack.h"
#include "basics.h"

/* Index of the largest logit of z (c), the lowest one on ties. */
static inline int32_t lethe_class_of(const float *z, uint32_t c)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < c; k++)
        best = z[k] > z[best] ? k : best;
    return (int32_t)best;
}

/* z (c) becomes d CE / d z of one sample: softmax(z) - onehot(y), in the label's place minus the
 * sum of the others, which does not round to zero for confident samples. */
static inline void lethe_logit_gradient(float *z, uint32_t c, int32_t y)
{
    double top = (double)z[lethe_class_of(z, c)], sum = 0, wrong = 0;
    for (uint32_t k = 0; k < c; k++)
        sum += exp((double)z[k] - top);
    for (uint32_t k = 0; k < c; k++) {
        double p = exp((double)z[k] - top) / sum;
        z[k] = (float)p;
        wrong += (int32_t)k == y ? 0 : p;
    }
    z[y] = (float)-wrong;
}

/* x (size) moves by alpha along g (size) / (|g| + 1e-10), then back into the ball of radius eps
 * around x0 (size), then into the box of the job (torchattacks, PGDL2). */
static inline void lethe_step_l2(const lethe_example_job *job, float *x, const float *x0,
                                 const float *g, size_t size, float alpha, double eps)
{
    float lo = (float)job->box_lo, hi = (float)job->box_hi;
    double g2 = 0, d2 = 0;
    for (size_t p = 0; p < size; p++)
        g2 += (double)g[p] * (double)g[p];
    float norm = (float)(sqrt(g2) + 1e-10);
    for (size_t p = 0; p < size; p++) {
        x[p] += alpha * (g[p] / norm);
        d2 += (double)(x[p] - x0[p]) * (double)(x[p] - x0[p]);
    }
    float shrink = d2 > eps * eps ? (float)(eps / sqrt(d2)) : 1.0f;
    for (size_t p = 0; p < size; p++) {
        float v = x0[p] + (x[p] - x0[p]) * shrink;
        x[p] = v < lo ? lo : v > hi ? hi : v;
    }
}

/* The label to leave, or the target to reach, of each sample; fails where it is no class. */
static inline lethe_status lethe_check_goals(lethe_ctx *ctx, const lethe_example_job *job,
                                             const lethe_batch *clean, const int32_t **ret)
{
    const int32_t *goal = job->target ? job->target : clean->y;
    for (uint32_t i = 0; i < clean->n; i++)
        if (goal[i] < 0 || (uint32_t)goal[i] >= job->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "%s %d is none of the model's %u classes",
                               job->target ? "target" : "label", (int)goal[i],
                               (unsigned)job->n_classes);
    *ret = goal;
    return LETHE_OK;
}

static inline size_t lethe_pixels_of(const lethe_batch *batch)
{
    size_t size = 1;
    for (uint32_t d = 0; d < batch->input.n_dim; d++)
        size *= (size_t)batch->input.dim[d];
    return size;
}

/* Position i of `batch` is sample row[i] of `clean`. */
typedef struct lethe_active {
    const lethe_example_job *job;
    const lethe_batch *clean;
    const int32_t *goal; /* (clean->n) label to leave, or target to reach */
    lethe_batch batch;   /* its arrays are those below */
    float *x;            /* (batch.n, size) iterates */
    float *gradient;     /* (batch.n, size) */
    float *logits;       /* (batch.n, n_classes), then dL/dlogits */
    int32_t *y;          /* (batch.n) */
    uint64_t *id;        /* (batch.n) */
    uint32_t *row;       /* (batch.n) */
    size_t size;         /* pixels of a sample */
} lethe_active;

/* Room for all of clean, none of it active. */
static inline lethe_status lethe_active_init(lethe_ctx *ctx, lethe_active *a,
                                             const lethe_example_job *job, const lethe_batch *clean)
{
    uint32_t n = clean->n;
    a->job = job;
    a->clean = clean;
    a->size = lethe_pixels_of(clean);
    a->x = (float *)lethe_alloc(ctx, (uint64_t)n * a->size, sizeof *a->x);
    a->gradient = (float *)lethe_alloc(ctx, (uint64_t)n * a->size, sizeof *a->gradient);
    a->logits = (float *)lethe_alloc(ctx, (uint64_t)n * job->n_classes, sizeof *a->logits);
    a->y = (int32_t *)lethe_alloc(ctx, n, sizeof *a->y);
    a->id = (uint64_t *)lethe_alloc(ctx, n, sizeof *a->id);
    a->row = (uint32_t *)lethe_alloc(ctx, n, sizeof *a->row);
    if (!a->x || !a->gradient || !a->logits || !a->y || !a->id || !a->row)
        return LETHE_E_NOMEM;
    a->batch = *clean;
    a->batch.struct_size = sizeof a->batch;
    a->batch.n = 0;
    a->batch.x = a->x;
    a->batch.y = a->y;
    a->batch.id = a->id;
    return lethe_check_goals(ctx, job, clean, &a->goal);
}

/* Sample `row` joins at its clean image; returns its place in x. */
static inline float *lethe_active_add(lethe_active *a, uint32_t row)
{
    uint32_t k = a->batch.n++;
    float *x = a->x + k * a->size;
    a->row[k] = row;
    a->y[k] = a->clean->y[row];
    a->id[k] = a->clean->id ? a->clean->id[row] : row;
    memcpy(x, a->clean->x + row * a->size, a->size * sizeof *x);
    return x;
}

/* Logits of the active samples, each of them finite. */
static inline lethe_status lethe_active_forward(lethe_ctx *ctx, lethe_active *a)
{
    uint32_t c = a->job->n_classes;
    LETHE_TRY(ctx->host->model->forward(ctx, a->job->model, &a->batch, LETHE_EVAL, a->logits));
    for (uint32_t i = 0; i < a->batch.n; i++)
        for (uint32_t k = 0; k < c; k++)
            if (!isfinite(a->logits[(size_t)i * c + k]))
                return lethe_failf(ctx, LETHE_E_NUMERIC,
                                   "the model's output became NaN or infinite on sample %llu of "
                                   "the batch",
                                   (unsigned long long)a->row[i]);
    return LETHE_OK;
}

/* After lethe_active_forward, of the same batch: `gradient` of each sample's loss of its goal. out
 * (clean->n) may be NULL; where out[row] is 1 the gradient is 0. */
static inline lethe_status lethe_active_gradient(lethe_ctx *ctx, lethe_active *a,
                                                 const uint8_t *out)
{
    uint32_t c = a->job->n_classes;
    for (uint32_t i = 0; i < a->batch.n; i++) {
        float *z = a->logits + (size_t)i * c;
        if (out && out[a->row[i]])
            memset(z, 0, c * sizeof *z);
        else
            lethe_logit_gradient(z, c, a->goal[a->row[i]]);
    }
    return ctx->host->model->input_gradient(ctx, a->job->model, a->logits, a->gradient);
}

/* Samples with out[row] leave, the rest keep their order. Logits do not move along: look again.
 * Returns how many left. */
static inline uint32_t lethe_active_pack(lethe_active *a, const uint8_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->batch.n; i++) {
        if (out[a->row[i]])
            continue;
        if (n != i)
            memcpy(a->x + n * a->size, a->x + i * a->size, a->size * sizeof *a->x);
        a->y[n] = a->y[i];
        a->id[n] = a->id[i];
        a->row[n++] = a->row[i];
    }
    uint32_t left = a->batch.n - n;
    a->batch.n = n;
    return left;
}

#endif
