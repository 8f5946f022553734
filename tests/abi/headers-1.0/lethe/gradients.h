/* SPDX-License-Identifier: MIT
 * gradients.h: all trainable weights as one vector, gradients of whole sets, and
 * masks that let only some weights train. Included by helpers.h; not ABI. */
#ifndef LETHE_GRADIENTS_H
#define LETHE_GRADIENTS_H

#include "fit.h"

/* The trainable tensors of a model; element i of the vector is element i - start of its tensor. */
typedef struct lethe_flat {
    uint32_t n_tensors;
    uint64_t n; /* elements in all */
    lethe_tensor *tensor;
} lethe_flat;

static inline lethe_status lethe_flat_of(lethe_ctx *ctx, lethe_model *model, lethe_flat *ret)
{
    const lethe_model_api *api = ctx->host->model;
    uint32_t n = api->n_tensors(ctx, model);
    lethe_flat flat;
    memset(&flat, 0, sizeof flat);
    flat.tensor = (lethe_tensor *)lethe_alloc(ctx, n + 1ull, sizeof *flat.tensor);
    if (!flat.tensor)
        return LETHE_E_NOMEM;
    for (uint32_t t = 0; t < n; t++) {
        lethe_tensor *tensor = &flat.tensor[flat.n_tensors];
        tensor->struct_size = sizeof *tensor;
        LETHE_TRY(api->tensor(ctx, model, t, tensor));
        if (!(tensor->flags & LETHE_TENSOR_TRAINABLE))
            continue;
        flat.n += tensor->n;
        flat.n_tensors++;
    }
    *ret = flat;
    return LETHE_OK;
}

/* sum of a_i b_i over the vectors' elements, in double. */
static inline double lethe_dot(const double *a, const double *b, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The gradient in place, as a vector out (flat->n). */
static inline void lethe_flat_gradient(const lethe_flat *flat, double *out)
{
    for (uint32_t t = 0; t < flat->n_tensors; t++)
        for (uint64_t i = 0; i < flat->tensor[t].n; i++)
            *out++ = (double)flat->tensor[t].g[i];
}

/* w += factor * direction (flat->n). */
static inline void lethe_flat_add(const lethe_flat *flat, double factor, const double *direction)
{
    for (uint32_t t = 0; t < flat->n_tensors; t++)
        for (uint64_t i = 0; i < flat->tensor[t].n; i++)
            flat->tensor[t].w[i] += (float)(factor * *direction++);
}

/* With the gradient of one batch's mean loss in flat's tensors. Negative ends the walk; 1 ends it
 * without failure. */
typedef lethe_status (*lethe_gradient_fn)(lethe_ctx *ctx, void *arg, const lethe_flat *flat,
                                          const lethe_batch *batch);

/* The mean loss's gradient of each batch of a view in its order, in evaluation mode; loss NULL:
 * cross-entropy. The model keeps its weights and statistics, its gradient ends at zero. */
static inline lethe_status lethe_each_gradient(lethe_ctx *ctx, lethe_model *model,
                                               const lethe_view *view, uint32_t batch_size,
                                               lethe_loss_fn loss, void *loss_arg,
                                               lethe_gradient_fn fn, void *arg)
{
    const lethe_host *host = ctx->host;
    uint32_t c = host->model->n_classes(ctx, model);
    float *z = (float *)lethe_alloc(ctx, 2ull * batch_size * c, sizeof *z), *dz;
    lethe_loader *loader = NULL;
    lethe_batch batch;
    lethe_flat flat;
    double value = 0;
    if (!z)
        return LETHE_E_NOMEM;
    dz = z + (uint64_t)batch_size * c;
    lethe_batch_init_(&batch);
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    LETHE_TRY(lethe_open_(ctx, view, batch_size, 1, 0, NULL, &loader));
    for (;;) {
        LETHE_TRY(host->data->next(ctx, loader, &batch));
        if (batch.n == 0)
            return LETHE_OK;
        LETHE_TRY(lethe_check_cancelled(ctx));
        LETHE_TRY(host->model->zero_grad(ctx, model));
        LETHE_TRY(host->model->forward(ctx, model, &batch, LETHE_EVAL, z));
        LETHE_TRY(loss ? loss(ctx, loss_arg, &batch, z, c, &value, dz)
                       : host->loss->cross_entropy(ctx, z, batch.y, batch.n, c, &value, dz));
        LETHE_TRY(host->model->backward(ctx, model, dz, NULL));
        lethe_status status = fn(ctx, arg, &flat, &batch);
        LETHE_TRY(host->model->zero_grad(ctx, model));
        if (status != LETHE_OK)
            return status > 0 ? LETHE_OK : status;
    }
}

enum { LETHE_SUM_MEANS = 0, LETHE_SUM_SAMPLES = 1, LETHE_SUM_SQUARES = 2, LETHE_SUM_ABSOLUTE = 3 };

/* A sum over batches of what is made of their mean gradients. */
typedef struct lethe_gradient_sum {
    int32_t what; /* LETHE_SUM_*: g, g times the batch's samples, g^2, |g| */
    double *sum;  /* (number of trainable elements), starts at zero */
    uint32_t n_batches;
    uint64_t n_samples;
} lethe_gradient_sum;

static inline lethe_status lethe_sum_gradient_(lethe_ctx *ctx, void *arg, const lethe_flat *flat,
                                               const lethe_batch *batch)
{
    lethe_gradient_sum *s = (lethe_gradient_sum *)arg;
    double *out = s->sum;
    (void)ctx;
    for (uint32_t t = 0; t < flat->n_tensors; t++)
        for (uint64_t i = 0; i < flat->tensor[t].n; i++) {
            double g = (double)flat->tensor[t].g[i];
            *out++ += s->what == LETHE_SUM_SQUARES    ? g * g
                      : s->what == LETHE_SUM_ABSOLUTE ? fabs(g)
                      : s->what == LETHE_SUM_SAMPLES  ? g * batch->n
                                                      : g;
        }
    s->n_batches++;
    s->n_samples += batch->n;
    return LETHE_OK;
}

/* Sums over a view; ret->sum is allocated, ret->what is the caller's. */
static inline lethe_status lethe_sum_gradients(lethe_ctx *ctx, lethe_model *model,
                                               const lethe_view *view, uint32_t batch,
                                               lethe_loss_fn loss, lethe_gradient_sum *ret)
{
    lethe_flat flat;
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    ret->sum = (double *)lethe_alloc(ctx, flat.n, sizeof *ret->sum);
    ret->n_batches = 0;
    ret->n_samples = 0;
    if (!ret->sum)
        return LETHE_E_NOMEM;
    return lethe_each_gradient(ctx, model, view, batch, loss, NULL, lethe_sum_gradient_, ret);
}

/* ---- masks ---- */

/* 1 for the `count` largest of score (n), all >= 0; of equal ones the first. Bits of positive
 * doubles are ordered as the numbers are, so 16 of them at a time find the smallest that is in. */
static inline lethe_status lethe_top_mask(lethe_ctx *ctx, const double *score, uint64_t n,
                                          uint64_t count, uint8_t *mask)
{
    uint64_t *found = (uint64_t *)lethe_alloc(ctx, 65536, sizeof *found), least = 0, bits;
    uint64_t left = count;
    if (!found)
        return LETHE_E_NOMEM;
    for (int shift = 48; shift >= 0; shift -= 16) {
        memset(found, 0, 65536 * sizeof *found);
        for (uint64_t i = 0; i < n; i++) {
            memcpy(&bits, &score[i], sizeof bits);
            if (shift == 48 || bits >> (shift + 16) == least)
                found[bits >> shift & 65535]++;
        }
        uint64_t digit = 65535;
        while (digit > 0 && found[digit] < left)
            left -= found[digit--];
        least = least << 16 | digit;
    }
    for (uint64_t i = 0; i < n; i++) {
        memcpy(&bits, &score[i], sizeof bits);
        mask[i] = count > 0 && (bits > least || (bits == least && left > 0));
        left -= mask[i] && bits == least;
    }
    return LETHE_OK;
}

/* SalUn's saliency (Fan et al., ICLR 2024, equation 3): the floor(ratio P) weights with the largest
 * |sum of the forget batches' mean gradients|, at the model as it is, in evaluation mode. */
static inline lethe_status lethe_saliency_mask(lethe_ctx *ctx, lethe_model *model,
                                               const lethe_view *forget, uint32_t batch,
                                               double ratio, uint8_t **ret)
{
    lethe_gradient_sum s;
    lethe_flat flat;
    memset(&s, 0, sizeof s);
    s.what = LETHE_SUM_MEANS;
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    LETHE_TRY(lethe_sum_gradients(ctx, model, forget, batch, NULL, &s));
    for (uint64_t i = 0; i < flat.n; i++)
        s.sum[i] = fabs(s.sum[i]);
    uint8_t *mask = (uint8_t *)lethe_alloc(ctx, flat.n + 1, 1);
    if (!mask)
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_top_mask(ctx, s.sum, flat.n, (uint64_t)(ratio * (double)flat.n), mask));
    *ret = mask;
    return LETHE_OK;
}

/* Two parameters for methods that can train under such a mask, from `index` on. */
#define LETHE_MASK_PARAMS(ratio_)                                                                  \
    LETHE_REAL("mask_ratio", ratio_, 0, 1, "",                                                     \
               "share of the weights that train, by SalUn's saliency; 1: all, no mask"),           \
        LETHE_BOOL("mask_leaky", 0,                                                                \
                   "only gradients are masked: decay and momentum still move the other weights")

static inline lethe_status lethe_fit_mask(lethe_ctx *ctx, uint32_t index, const lethe_view *forget,
                                          lethe_fit_opts *fit)
{
    uint8_t *mask = NULL;
    double ratio = lethe_real(ctx, index);
    fit->restore = !lethe_bool(ctx, index + 1);
    if (ratio < 1)
        LETHE_TRY(lethe_saliency_mask(ctx, fit->model, forget, fit->batch, ratio, &mask));
    fit->mask = mask;
    return LETHE_OK;
}

/* 1 for the weights of the last k layers with weights (convolutions and linear layers; batch-norm
 * belongs to the one before it), else 0. */
static inline lethe_status lethe_last_layers_mask(lethe_ctx *ctx, lethe_model *model, uint32_t k,
                                                  uint8_t **ret)
{
    const lethe_model_api *api = ctx->host->model;
    uint32_t n_layers = api->n_layers(ctx, model), first = 0;
    lethe_layer layer;
    lethe_flat flat;
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    uint8_t *mask = (uint8_t *)lethe_alloc(ctx, flat.n + 1, 1), *at = mask;
    if (!mask)
        return LETHE_E_NOMEM;
    for (uint32_t l = n_layers, found = 0; l-- > 0 && found < k;) {
        memset(&layer, 0, sizeof layer);
        layer.struct_size = sizeof layer;
        LETHE_TRY(api->layer(ctx, model, l, &layer));
        if (strcmp(layer.kind, "conv") != 0 && strcmp(layer.kind, "linear") != 0)
            continue;
        first = layer.first_tensor;
        found++;
    }
    for (uint32_t t = 0, n = api->n_tensors(ctx, model); t < n; t++) {
        lethe_tensor tensor;
        memset(&tensor, 0, sizeof tensor);
        tensor.struct_size = sizeof tensor;
        LETHE_TRY(api->tensor(ctx, model, t, &tensor));
        if (!(tensor.flags & LETHE_TENSOR_TRAINABLE))
            continue;
        memset(at, k > 0 && t >= first, (size_t)tensor.n);
        at += tensor.n;
    }
    *ret = mask;
    return LETHE_OK;
}

#endif
