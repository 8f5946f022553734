/* SPDX-License-Identifier: MIT
 * relabel.h: training a forget set on labels drawn at random: shared by random
 * labels, SalUn and amnesiac. Included by helpers.h; not ABI. */
#ifndef LETHE_RELABEL_H
#define LETHE_RELABEL_H

#include "gradients.h"
#include "targets.h"
#include "unlearner.h"

enum { LETHE_LABELS_OTHER = 0, LETHE_LABELS_ANY = 1, LETHE_LABELS_RETAINED = 2 };
enum { LETHE_REDRAW_EPOCH = 0, LETHE_REDRAW_NEVER = 1 };
enum { LETHE_ORDER_MIX = 0, LETHE_ORDER_SEQ = 1 };
static const char *const lethe_label_sets_[] = {"other", "any", "retained", NULL};
static const char *const lethe_redraws_[] = {"epoch", "never", NULL};
static const char *const lethe_orders_[] = {"mix", "seq", NULL};

/* Four parameters in a row. */
enum {
    LETHE_RELABEL_RETAIN = 0,
    LETHE_RELABEL_LABELS = 1,
    LETHE_RELABEL_REDRAW = 2,
    LETHE_RELABEL_ORDER = 3,
    LETHE_RELABEL_N = 4
};
#define LETHE_RELABEL_PARAMS(labels_, redraw_, order_)                                             \
    LETHE_BOOL("retain", 1, "train on the retain set too"),                                        \
        LETHE_CHOICE("labels", labels_, lethe_label_sets_,                                         \
                     "drawn from all classes but the true one (other), from all (any), or from "   \
                     "those that are not forgotten, but the true one (retained)"),                 \
        LETHE_CHOICE("redraw", redraw_, lethe_redraws_, "new labels each epoch, or never"),        \
        LETHE_CHOICE(                                                                              \
            "order", order_, lethe_orders_,                                                        \
            "both sets shuffled together (mix), or forget set first, then retain set (seq)")

typedef struct lethe_label_draw {
    lethe_ctx *ctx;
    uint32_t n_classes;
    int other, fixed;
    const uint8_t *forgotten; /* (n_classes) classes that are never drawn, or NULL */
} lethe_label_draw;

static inline int lethe_may_draw_(const lethe_label_draw *d, uint32_t label, int32_t y)
{
    return !(d->other && label == (uint32_t)y) && !(d->forgotten && d->forgotten[label]);
}

/* The label of epoch e is the e-th draw of the sample's own stream, which all methods share. */
static inline int32_t lethe_draw_label(void *arg, uint32_t epoch, uint64_t id, int32_t y)
{
    const lethe_label_draw *d = (const lethe_label_draw *)arg;
    const lethe_rng_api *api = d->ctx->host->rng;
    uint32_t n = 0, label = 0, at;
    lethe_rng rng;
    for (uint32_t k = 0; k < d->n_classes; k++)
        n += (uint32_t)lethe_may_draw_(d, k, y);
    if (n == 0 || api->stream(d->ctx, "/labels", id, &rng) < 0)
        return -1; /* no class: the host refuses it */
    at = api->below(d->ctx, &rng, n);
    for (uint32_t e = 0; e < epoch && !d->fixed; e++)
        at = api->below(d->ctx, &rng, n);
    for (label = 0; at > 0 || !lethe_may_draw_(d, label, y); label++)
        at -= (uint32_t)lethe_may_draw_(d, label, y);
    return (int32_t)label;
}

/* Passes of *fit over the forget set with drawn labels and, if asked for, the retain set. index:
 * of the first of LETHE_RELABEL_PARAMS. */
static inline lethe_status lethe_fit_relabelled(lethe_ctx *ctx, uint32_t index,
                                                const lethe_forget_job *job, lethe_fit_opts *fit)
{
    const lethe_data_api *data = ctx->host->data;
    int retain = lethe_bool(ctx, index + LETHE_RELABEL_RETAIN);
    uint32_t labels = lethe_choice(ctx, index + LETHE_RELABEL_LABELS);
    lethe_label_draw *draw = (lethe_label_draw *)lethe_alloc(ctx, 1, sizeof *draw);
    const lethe_view *sets[2] = {job->retain, NULL};
    if (!draw)
        return LETHE_E_NOMEM;
    draw->ctx = ctx;
    draw->n_classes = ctx->host->model->n_classes(ctx, job->model);
    draw->other = labels != LETHE_LABELS_ANY;
    draw->fixed = lethe_choice(ctx, index + LETHE_RELABEL_REDRAW) == LETHE_REDRAW_NEVER;
    if (labels == LETHE_LABELS_RETAINED)
        LETHE_TRY(lethe_forgotten_classes(ctx, job->forget_classes, job->n_forget_classes,
                                          draw->n_classes, &draw->forgotten));
    if (draw->n_classes < 2)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "a model of one class has no other labels");
    LETHE_TRY(data->relabel_by(ctx, job->forget, lethe_draw_label, draw, &sets[1]));
    fit->pass[0].view = sets[1];
    if (retain && lethe_choice(ctx, index + LETHE_RELABEL_ORDER) == LETHE_ORDER_MIX)
        return data->concat(ctx, sets, 2, &fit->pass[0].view);
    if (retain)
        fit->pass[1].view = job->retain;
    return LETHE_OK;
}

#endif
