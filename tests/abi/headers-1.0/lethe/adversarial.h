/* SPDX-License-Identifier: MIT
 * adversarial.h: the adversarial examples of a forget set as a view, and the
 * replacements by which AMUN's authors ask what in them matters (ablations 1 to
 * 5). Included by helpers.h; not ABI. */
#ifndef LETHE_ADVERSARIAL_H
#define LETHE_ADVERSARIAL_H

#include "fit.h"
#include "unlearner.h"

/* ---- attacks run now ---- */

/* Runs a declared attack on any model and view: "$p" in its settings is the value of this
 * unlearner's parameter p, as where the host runs it beforehand. */
static inline lethe_status lethe_attack_now(lethe_ctx *ctx, const lethe_attack_use *use,
                                            const lethe_param *params, uint32_t n_params,
                                            const lethe_model *model, const lethe_view *view,
                                            lethe_adversarial *ret)
{
    enum { MAX_SETTINGS = 16 };
    char text[MAX_SETTINGS][128];
    const char *settings[MAX_SETTINGS + 1];
    uint32_t n = 0;
    for (; n < MAX_SETTINGS && use->settings && use->settings[n]; n++) {
        const char *value = strstr(use->settings[n], "=$");
        int head = value ? (int)(value - use->settings[n]) : 0;
        settings[n] = use->settings[n];
        for (uint32_t p = 0; value && p < n_params; p++) {
            const lethe_value *v = &ctx->param[p];
            if (strcmp(params[p].name, value + 2) != 0)
                continue;
            if (params[p].type == LETHE_PARAM_REAL)
                snprintf(text[n], sizeof text[n], "%.*s=%.17g", head, use->settings[n], v->r);
            else if (params[p].type == LETHE_PARAM_INT)
                snprintf(text[n], sizeof text[n], "%.*s=%lld", head, use->settings[n],
                         (long long)v->i);
            else
                snprintf(text[n], sizeof text[n], "%.*s=%s", head, use->settings[n],
                         params[p].type == LETHE_PARAM_BOOL     ? (v->i ? "true" : "false")
                         : params[p].type == LETHE_PARAM_CHOICE ? params[p].choices[v->i]
                                                                : v->s);
            settings[n] = text[n];
        }
    }
    settings[n] = NULL;
    return ctx->host->attack->run(ctx, use->attack, settings, model, view, ret);
}

/* ---- what stands in for the adversarial set ---- */

/* The numbers are those of AMUN's code. */
enum {
    LETHE_SLOT_ADVERSARIAL = 0,
    LETHE_SLOT_RANDOM_LABELS = 1,     /* adversarial images, labels neither true nor adversarial */
    LETHE_SLOT_NOISE = 2,             /* clean + noise of the same norm, adversarial labels */
    LETHE_SLOT_CLEAN = 3,             /* clean images, true labels */
    LETHE_SLOT_CLEAN_RANDOM = 4,      /* clean images, labels as in 1 */
    LETHE_SLOT_CLEAN_ADVERSARIAL = 5, /* clean images, adversarial labels */
    LETHE_SLOT_SCRATCH = 6            /* as 0, of all samples and on a fresh model: the caller's */
};

/* Must live as long as the view that lethe_slot_view makes of it. */
typedef struct lethe_slot {
    lethe_ctx *ctx;
    lethe_adversarial set;
    int32_t kind;
    uint32_t n_classes;
    uint64_t pixels; /* of one sample */
    int32_t *truth;  /* (set.n) true labels */
    float *clean;    /* (set.n, pixels) */
    float *x;        /* (set.n, pixels) LETHE_SLOT_NOISE: clean plus noise */
} lethe_slot;

/* Neither the true label nor the adversarial one, anew each epoch. */
static inline int32_t lethe_slot_label_(void *arg, uint32_t epoch, uint64_t id, int32_t y)
{
    lethe_slot *s = (lethe_slot *)arg;
    const lethe_rng_api *api = s->ctx->host->rng;
    int32_t truth = s->truth[id & 0xffffffffu]; /* made samples are numbered by row */
    uint32_t n = s->n_classes - (truth == y ? 1 : 2), at;
    lethe_rng rng;
    if (n == 0 || api->stream(s->ctx, "slot-labels", id, &rng) < 0)
        return -1;
    at = api->below(s->ctx, &rng, n);
    for (uint32_t e = 0; e < epoch; e++)
        at = api->below(s->ctx, &rng, n);
    for (int32_t label = 0;; label++)
        if (label != truth && label != y && at-- == 0)
            return label;
}

static inline lethe_status lethe_slot_clean_(lethe_ctx *ctx, lethe_slot *s, const lethe_view *view)
{
    lethe_batch batch;
    lethe_batch_init_(&batch);
    for (uint32_t row = 0; row < s->set.n; row++) {
        LETHE_TRY(ctx->host->data->batch(ctx, view, &row, 1, &batch));
        if (!s->clean) {
            s->pixels = (uint64_t)(batch.input.dim[0] * batch.input.dim[1] * batch.input.dim[2]);
            s->clean = (float *)lethe_alloc(ctx, s->set.n * s->pixels, sizeof *s->clean);
            s->x = (float *)lethe_alloc(ctx, s->set.n * s->pixels, sizeof *s->x);
        }
        if (!s->clean || !s->x)
            return LETHE_E_NOMEM;
        memcpy(s->clean + row * s->pixels, batch.x, s->pixels * sizeof *s->clean);
    }
    return LETHE_OK;
}

/* A lethe_fit_hook: noise uniform on the sphere of each perturbation's norm, clipped to [0, 1], is
 * drawn anew for every epoch, as in AMUN's code, which builds the set again. */
static inline lethe_status lethe_slot_epoch(lethe_ctx *ctx, void *arg, lethe_model *model,
                                            uint32_t epoch)
{
    lethe_slot *s = (lethe_slot *)arg;
    lethe_rng rng;
    (void)model;
    if (s->kind != LETHE_SLOT_NOISE)
        return LETHE_OK;
    LETHE_TRY(ctx->host->rng->stream(ctx, "noise", epoch, &rng));
    for (uint32_t i = 0; i < s->set.n; i++) {
        float *x = s->x + i * s->pixels, *clean = s->clean + i * s->pixels;
        double square = 0;
        ctx->host->rng->normal(ctx, &rng, x, s->pixels);
        for (uint64_t p = 0; p < s->pixels; p++)
            square += (double)x[p] * (double)x[p];
        double factor = square > 0 ? (double)s->set.l2[i] / sqrt(square) : 0;
        for (uint64_t p = 0; p < s->pixels; p++) {
            float moved = clean[p] + (float)(factor * (double)x[p]);
            x[p] = moved < 0 ? 0 : moved > 1 ? 1 : moved;
        }
    }
    return LETHE_OK;
}

/* Rows where the attack found something; says how many. */
static inline lethe_status lethe_slot_rows_(lethe_ctx *ctx, const lethe_adversarial *set,
                                            uint32_t **ret_rows, uint32_t *ret_n)
{
    uint32_t n = 0, moved = 0;
    uint32_t *rows = (uint32_t *)lethe_alloc(ctx, set->n + 1ull, sizeof *rows);
    if (!rows)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < set->n; i++) {
        moved += set->found[i] && set->steps[i] > 0;
        if (set->found[i])
            rows[n++] = i;
    }
    lethe_logf(ctx, LETHE_LOG_INFO,
               "adversarial set: %u of %u found, %u of them misclassified from the start",
               (unsigned)n, (unsigned)set->n, (unsigned)(n - moved));
    if (n == 0 && set->n > 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "no adversarial example found; raise attack_max_doublings");
    *ret_rows = rows;
    *ret_n = n;
    return LETHE_OK;
}

/* What stands in the place of the adversarial set: s->kind and s->set say what; samples that the
 * attack found nothing for are left out. view: the clean samples that the set was made of. */
static inline lethe_status lethe_slot_view(lethe_ctx *ctx, lethe_slot *s, const lethe_view *view,
                                           const lethe_view **ret)
{
    const lethe_data_api *data = ctx->host->data;
    int own = s->kind == LETHE_SLOT_ADVERSARIAL || s->kind == LETHE_SLOT_SCRATCH;
    const float *x = s->set.x;
    const lethe_view *all = NULL;
    uint32_t *rows = NULL, n = 0;
    s->ctx = ctx;
    LETHE_TRY(lethe_slot_rows_(ctx, &s->set, &rows, &n));
    if (!own) {
        s->truth = (int32_t *)lethe_alloc(ctx, s->set.n + 1ull, sizeof *s->truth);
        if (!s->truth)
            return LETHE_E_NOMEM;
        LETHE_TRY(data->labels(ctx, view, s->truth));
    }
    if (!own && s->kind != LETHE_SLOT_RANDOM_LABELS) {
        LETHE_TRY(lethe_slot_clean_(ctx, s, view));
        x = s->kind == LETHE_SLOT_NOISE ? s->x : s->clean;
    }
    LETHE_TRY(data->arrays(ctx, x, s->kind == LETHE_SLOT_CLEAN ? s->truth : s->set.label, s->set.n,
                           &all));
    LETHE_TRY(data->subset(ctx, all, rows, n, ret));
    if (s->kind == LETHE_SLOT_RANDOM_LABELS || s->kind == LETHE_SLOT_CLEAN_RANDOM)
        return data->relabel_by(ctx, *ret, lethe_slot_label_, s, ret);
    return LETHE_OK;
}

#endif
