/* SPDX-License-Identifier: MIT
 * helpers.h: conveniences over the host's tables, all static inline. Nothing
 * here is ABI: a plugin compiles its own copy and may ignore all of it.
 *
 *   lethe_failf           a failure with a formatted text
 *   lethe_real and so on  values of the plugin's parameters, by index
 *   LETHE_FIT_PARAMS      table entries for how a fine-tuning method trains
 *   lethe_fit             the training loop that most unlearners need
 *   LETHE_SINGLE          the closing line of a file that holds one plugin
 *
 * Names that end in an underscore are internal. */
#ifndef LETHE_HELPERS_H
#define LETHE_HELPERS_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "host.h"

#if defined(__GNUC__)
#define LETHE_PRINTF_(f, a) __attribute__((format(printf, f, a)))
#else
#define LETHE_PRINTF_(f, a)
#endif

#define LETHE_COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* Returns from the enclosing function when the call fails. */
#define LETHE_TRY(call)                                                                            \
    do {                                                                                           \
        lethe_status lethe_try_ = (call);                                                          \
        if (lethe_try_ < 0)                                                                        \
            return lethe_try_;                                                                     \
    } while (0)

/* The closing line of a file with one plugin: its kind, lethe_info, parameters
 * and how many, LETHE_CAP_* needed and used, and the table of the kind. */
#define LETHE_SINGLE(kind, info, params, n_params, needs, uses, iface)                             \
    static const lethe_plugin lethe_single_ = {                                                    \
        sizeof(lethe_plugin), (kind),  (info), (params), (n_params),                               \
        sizeof(lethe_param),  (needs), (uses), (iface),  NULL};                                    \
    static const lethe_plugin *const lethe_singles_[] = {&lethe_single_};                          \
    LETHE_ENTRY(lethe_singles_, 1)

/* ---- failures and logs ---- */

/* Records why the call fails and returns `code`: return lethe_failf(ctx, ...). */
LETHE_PRINTF_(3, 4)
static inline lethe_status lethe_failf(lethe_ctx *ctx, lethe_status code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return (ctx->host->core->fail)(ctx, code, text); /* cmocka has a macro fail() */
}

LETHE_PRINTF_(3, 4)
static inline void lethe_logf(lethe_ctx *ctx, int32_t level, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ctx->host->core->log(ctx, level, text);
}

/* Zeroed memory that ends with the call; NULL after recording a failure. */
static inline void *lethe_alloc(lethe_ctx *ctx, uint64_t count, size_t size)
{
    void *p = NULL;
    if (size == 0 || count <= (uint64_t)(SIZE_MAX / size))
        p = ctx->host->core->alloc(ctx, (size_t)count * size);
    if (!p)
        lethe_failf(ctx, LETHE_E_NOMEM, "out of memory: %llu x %llu bytes",
                    (unsigned long long)count, (unsigned long long)size);
    return p;
}

/* ---- parameters, by index in the plugin's table ---- */

static inline int64_t lethe_int(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].i;
}

static inline double lethe_real(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].r;
}

static inline int lethe_bool(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].i != 0;
}

/* Index into the parameter's choices. */
static inline uint32_t lethe_choice(const lethe_ctx *ctx, uint32_t index)
{
    return (uint32_t)ctx->param[index].i;
}

static inline const char *lethe_string(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].s;
}

/* ---- learning rates ---- */

enum { LETHE_SCHEDULE_CONSTANT = 0, LETHE_SCHEDULE_STEP = 1, LETHE_SCHEDULE_COSINE = 2 };

static const char *const lethe_schedules_[] = {"constant", "step", "cosine", NULL};

/* The rate in epoch e (from 0), as PyTorch's schedulers give it when stepped
 * once an epoch: step lr gamma^floor(e / step); cosine lr (1 + cos(pi e / epochs)) / 2. */
static inline double lethe_rate(int32_t schedule, double lr, uint32_t step, double gamma,
                                uint32_t epoch, uint32_t epochs)
{
    if (schedule == LETHE_SCHEDULE_STEP)
        for (uint32_t e = step; step > 0 && e <= epoch; e += step)
            lr *= gamma;
    if (schedule == LETHE_SCHEDULE_COSINE && epochs > 0)
        lr *= (1.0 + cos(3.14159265358979323846 * epoch / epochs)) / 2.0;
    return lr;
}

/* ---- the training loop ---- */

#define LETHE_MAX_PASSES 4

/* The loss of one batch: logits (n, n_classes) of batch->n samples; fills
 * dlogits (n, n_classes) = dL/dlogits and *ret_loss (a mean over the batch). */
typedef lethe_status (*lethe_loss_fn)(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                      const float *logits, uint32_t n_classes, double *ret_loss,
                                      float *dlogits);

/* One pass over a view inside an epoch. */
typedef struct lethe_pass {
    const lethe_view *view;
    const char *stream; /* random stream of the order; NULL: "shuffle" and its place, see below */
    int32_t ordered;    /* 1: view order instead of shuffled */
    int32_t ascend;     /* 1: climb the loss (minimise -L) */
    lethe_loss_fn loss; /* NULL: cross-entropy to the labels */
    void *loss_arg;
} lethe_pass;

/* Zero means: constant rate, no momentum, decay or clipping, batch statistics. */
typedef struct lethe_fit_opts {
    lethe_model *model;
    lethe_pass pass[LETHE_MAX_PASSES]; /* of each epoch, in order, up to the first without a view */
    uint32_t epochs, batch;
    double lr, momentum, weight_decay;
    int32_t schedule;    /* LETHE_SCHEDULE_* */
    uint32_t step;       /* LETHE_SCHEDULE_STEP: epochs between two drops */
    double gamma;        /* LETHE_SCHEDULE_STEP: factor of a drop */
    double clip_norm;    /* > 0: gradients are scaled to at most this global L2 norm */
    int32_t bn_eval;     /* 1: batch-norm uses and keeps its running statistics */
    int32_t restore;     /* with mask: 1 keeps frozen weights bit-identical (optim->mask) */
    const uint8_t *mask; /* NULL, or 1 = trains per trainable element, tensor order */
    lethe_optim *optim;  /* NULL: PyTorch's SGD with momentum and weight_decay */
} lethe_fit_opts;

/* Internal: one fit in flight. */
typedef struct lethe_fit_ {
    const lethe_fit_opts *opts;
    lethe_optim *optim;
    float *logits, *dlogits; /* (batch, n_classes) */
    uint32_t n_classes, epoch;
    double rate;
    uint64_t seen, total; /* samples trained on, and in all epochs */
    char what[48];
} lethe_fit_;

static inline lethe_status lethe_fit_begin_(lethe_ctx *ctx, lethe_fit_ *fit)
{
    const lethe_host *host = ctx->host;
    const lethe_fit_opts *o = fit->opts;
    if (!host->data || !host->model || !host->optim)
        return lethe_failf(ctx, LETHE_E_DENIED,
                           "training needs access to samples, gradients and weights; declare "
                           "LETHE_CAP_GRADIENTS and LETHE_CAP_WEIGHTS in `needs`");
    if (!o->pass[0].view || o->batch == 0)
        return lethe_failf(ctx, LETHE_E_INVALID, "nothing to train on: %s",
                           o->batch ? "the first pass has no view" : "the batch size is 0");
    for (uint32_t p = 0; p < LETHE_MAX_PASSES && o->pass[p].view; p++)
        fit->total += o->epochs * host->data->count(ctx, o->pass[p].view);
    fit->n_classes = host->model->n_classes(ctx, o->model);
    fit->logits = (float *)lethe_alloc(ctx, (uint64_t)o->batch * fit->n_classes, sizeof(float));
    fit->dlogits = (float *)lethe_alloc(ctx, (uint64_t)o->batch * fit->n_classes, sizeof(float));
    if (!fit->logits || !fit->dlogits)
        return LETHE_E_NOMEM;
    LETHE_TRY(host->model->zero_grad(ctx, o->model));
    fit->optim = o->optim;
    if (!fit->optim)
        LETHE_TRY(host->optim->sgd(ctx, o->model, o->momentum, o->weight_decay, &fit->optim));
    if (o->mask)
        LETHE_TRY(host->optim->mask(ctx, fit->optim, o->mask, o->restore));
    if (o->clip_norm > 0)
        LETHE_TRY(host->optim->clip(ctx, fit->optim, o->clip_norm));
    return LETHE_OK;
}

/* Loss, gradient and step of one batch. */
static inline lethe_status lethe_fit_batch_(lethe_ctx *ctx, lethe_fit_ *fit, const lethe_pass *pass,
                                            const lethe_batch *batch)
{
    const lethe_host *host = ctx->host;
    lethe_model *model = fit->opts->model;
    double loss = 0;
    LETHE_TRY(host->model->forward(
        ctx, model, batch, fit->opts->bn_eval ? LETHE_BN_FROZEN : LETHE_TRAIN, fit->logits));
    if (pass->loss)
        LETHE_TRY(pass->loss(ctx, pass->loss_arg, batch, fit->logits, fit->n_classes, &loss,
                             fit->dlogits));
    else
        LETHE_TRY(host->loss->cross_entropy(ctx, fit->logits, batch->y, batch->n, fit->n_classes,
                                            &loss, fit->dlogits));
    if (!isfinite(loss))
        return lethe_failf(ctx, LETHE_E_NUMERIC,
                           "the loss became NaN or infinite in epoch %u of %u, after %llu samples, "
                           "at learning rate %g; try a lower one",
                           (unsigned)(fit->epoch + 1), (unsigned)fit->opts->epochs,
                           (unsigned long long)fit->seen, fit->rate);
    if (pass->ascend)
        for (uint64_t i = 0; i < (uint64_t)batch->n * fit->n_classes; i++)
            fit->dlogits[i] = -fit->dlogits[i];
    LETHE_TRY(host->model->backward(ctx, model, fit->dlogits, NULL));
    return host->optim->step(ctx, fit->optim, fit->rate);
}

static inline lethe_status lethe_fit_pass_(lethe_ctx *ctx, lethe_fit_ *fit, uint32_t index)
{
    /* Passes of equal length would otherwise share their orders. */
    static const char *const streams[LETHE_MAX_PASSES] = {"shuffle", "shuffle-2", "shuffle-3",
                                                          "shuffle-4"};
    const lethe_host *host = ctx->host;
    const lethe_pass *pass = &fit->opts->pass[index];
    lethe_loader_opts order;
    lethe_loader *loader = NULL;
    lethe_batch batch;
    memset(&batch, 0, sizeof batch);
    batch.struct_size = sizeof batch;
    order.struct_size = sizeof order;
    order.batch_size = fit->opts->batch;
    order.shuffle = !pass->ordered;
    order.epoch = fit->epoch;
    order.stream = pass->stream ? pass->stream : streams[index];
    LETHE_TRY(host->data->loader(ctx, pass->view, &order, &loader));
    for (;;) {
        LETHE_TRY(host->data->next(ctx, loader, &batch));
        if (batch.n == 0)
            return LETHE_OK;
        LETHE_TRY(lethe_fit_batch_(ctx, fit, pass, &batch));
        fit->seen += batch.n;
        LETHE_TRY(host->core->progress(ctx, (double)fit->seen / (double)fit->total, fit->what));
    }
}

/* E_NUMERIC, naming the tensor, when a weight or statistic is NaN or infinite.
 * Sees only what LETHE_CAP_WEIGHTS lets it see. */
static inline lethe_status lethe_check_weights(lethe_ctx *ctx, lethe_model *model)
{
    const lethe_model_api *api = ctx->host->model;
    uint32_t n = api->n_tensors(ctx, model);
    for (uint32_t t = 0; t < n; t++) {
        lethe_tensor tensor;
        memset(&tensor, 0, sizeof tensor);
        tensor.struct_size = sizeof tensor;
        LETHE_TRY(api->tensor(ctx, model, t, &tensor));
        for (uint64_t i = 0; tensor.w && i < tensor.n; i++)
            if (!isfinite(tensor.w[i]))
                return lethe_failf(ctx, LETHE_E_NUMERIC, "weights became NaN or infinite in %s",
                                   tensor.name);
    }
    return LETHE_OK;
}

/* Trains opts->model in place. Views without samples are passed over. A loss or
 * weight that becomes NaN is E_NUMERIC with a text; what the host answers
 * (cancelled, budget, denied) is passed on. */
static inline lethe_status lethe_fit(lethe_ctx *ctx, const lethe_fit_opts *opts)
{
    lethe_fit_ fit;
    memset(&fit, 0, sizeof fit);
    fit.opts = opts;
    LETHE_TRY(lethe_fit_begin_(ctx, &fit));
    for (fit.epoch = 0; fit.epoch < opts->epochs && fit.total > 0; fit.epoch++) {
        fit.rate =
            lethe_rate(opts->schedule, opts->lr, opts->step, opts->gamma, fit.epoch, opts->epochs);
        snprintf(fit.what, sizeof fit.what, "epoch %u/%u", (unsigned)(fit.epoch + 1),
                 (unsigned)opts->epochs);
        for (uint32_t p = 0; p < LETHE_MAX_PASSES && opts->pass[p].view; p++)
            LETHE_TRY(lethe_fit_pass_(ctx, &fit, p));
        LETHE_TRY(lethe_check_weights(ctx, opts->model));
    }
    return LETHE_OK;
}

/* ---- shared parameters of methods that fine-tune ---- */

/* Places of LETHE_FIT_PARAMS' entries; a plugin's own follow from LETHE_FIT_N on. */
enum {
    LETHE_FIT_EPOCHS = 0,
    LETHE_FIT_LR = 1,
    LETHE_FIT_BATCH = 2,
    LETHE_FIT_MOMENTUM = 3,
    LETHE_FIT_WEIGHT_DECAY = 4,
    LETHE_FIT_SCHEDULE = 5,
    LETHE_FIT_STEP = 6,
    LETHE_FIT_GAMMA = 7,
    LETHE_FIT_N = 8
};

#ifndef __cplusplus /* see LETHE_REAL */
/* The first entries of a parameter table: default epochs, default rate, rates to try. */
#define LETHE_FIT_PARAMS(epochs_, lr_, lr_search_)                                                 \
    LETHE_INT("epochs", epochs_, 0, 100000, "epochs", "passes over the training data"),            \
        LETHE_REAL_TUNABLE("lr", lr_, 0, 1000, "", "learning rate of the first epoch",             \
                           lr_search_),                                                            \
        LETHE_INT("batch", 128, 1, 65536, "samples", "batch size; a short last batch is kept"),    \
        LETHE_REAL("momentum", 0.9, 0, 1, "", "SGD momentum, PyTorch's form"),                     \
        LETHE_REAL("weight_decay", 5e-4, 0, 1, "", "L2 decay of every trainable weight"),          \
        {sizeof(lethe_param),                                                                      \
         LETHE_PARAM_CHOICE,                                                                       \
         0,                                                                                        \
         "schedule",                                                                               \
         "",                                                                                       \
         "how the learning rate changes from epoch to epoch",                                      \
         {LETHE_SCHEDULE_CONSTANT},                                                                \
         {0},                                                                                      \
         {0},                                                                                      \
         lethe_schedules_,                                                                         \
         NULL},                                                                                    \
        LETHE_INT("step", 1, 1, 100000, "epochs",                                                  \
                  "schedule step: epochs between drops (AMUN's repository uses 1)"),               \
        LETHE_REAL("gamma", 0.1, 0, 1, "", "schedule step: factor of each drop")
#endif

/* Options with everything that LETHE_FIT_PARAMS holds; views, signs and the rest are the plugin's.
 */
static inline lethe_fit_opts lethe_fit_params(const lethe_ctx *ctx, lethe_model *model)
{
    lethe_fit_opts o;
    memset(&o, 0, sizeof o);
    o.model = model;
    o.epochs = (uint32_t)lethe_int(ctx, LETHE_FIT_EPOCHS);
    o.lr = lethe_real(ctx, LETHE_FIT_LR);
    o.batch = (uint32_t)lethe_int(ctx, LETHE_FIT_BATCH);
    o.momentum = lethe_real(ctx, LETHE_FIT_MOMENTUM);
    o.weight_decay = lethe_real(ctx, LETHE_FIT_WEIGHT_DECAY);
    o.schedule = (int32_t)lethe_choice(ctx, LETHE_FIT_SCHEDULE);
    o.step = (uint32_t)lethe_int(ctx, LETHE_FIT_STEP);
    o.gamma = lethe_real(ctx, LETHE_FIT_GAMMA);
    return o;
}

#endif
