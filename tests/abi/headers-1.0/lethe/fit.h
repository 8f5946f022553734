/* SPDX-License-Identifier: MIT
 * fit.h: the training loop of unlearners, and the parameters that say how it
 * trains. Included by helpers.h; not ABI. */
#ifndef LETHE_FIT_H
#define LETHE_FIT_H

#include "basics.h"

/* ---- learning rates ---- */

enum {
    LETHE_SCHEDULE_CONSTANT = 0,
    LETHE_SCHEDULE_STEP = 1,
    LETHE_SCHEDULE_COSINE = 2,
    LETHE_SCHEDULE_COSINE_STEPS = 3
};

static const char *const lethe_schedules_[] = {"constant", "step", "cosine", "cosine-steps", NULL};

/* lr (1 + cos(pi share)) / 2: Loshchilov & Hutter 2017, equation 5, with a minimum of 0. */
static inline double lethe_cosine(double lr, double share)
{
    return lr * (1.0 + cos(3.14159265358979323846 * share)) / 2.0;
}

/* The rate in epoch e (from 0), as PyTorch's schedulers give it when stepped
 * once an epoch: step lr gamma^floor(e / step); cosine lr (1 + cos(pi e / epochs)) / 2.
 * cosine-steps changes with each step instead; see lethe_fit. */
static inline double lethe_rate(int32_t schedule, double lr, uint32_t step, double gamma,
                                uint32_t epoch, uint32_t epochs)
{
    if (schedule == LETHE_SCHEDULE_STEP)
        for (uint32_t e = step; step > 0 && e <= epoch; e += step)
            lr *= gamma;
    if (schedule == LETHE_SCHEDULE_COSINE && epochs > 0)
        lr = lethe_cosine(lr, (double)epoch / epochs);
    return lr;
}

/* ---- the training loop ---- */

#define LETHE_MAX_PASSES 4

enum { LETHE_OPTIMIZER_SGD = 0, LETHE_OPTIMIZER_ADAM = 1, LETHE_OPTIMIZER_ADAMW = 2 };

/* The loss of one batch: logits (n, n_classes) of batch->n samples; fills
 * dlogits (n, n_classes) = dL/dlogits and *ret_loss (a mean over the batch). */
typedef lethe_status (*lethe_loss_fn)(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                      const float *logits, uint32_t n_classes, double *ret_loss,
                                      float *dlogits);

/* Called around steps and epochs; may change gradients before a step, weights after one. */
typedef lethe_status (*lethe_fit_hook)(lethe_ctx *ctx, void *arg, lethe_model *model,
                                       uint32_t epoch);

/* Batches of a second view beside those of a pass. It goes round: reshuffled at each turn. */
typedef struct lethe_companion {
    const lethe_view *view;
    const char *stream;         /* NULL: "shuffle-companion" */
    uint32_t batch;             /* 0: the fit's */
    uint32_t every;             /* 0, 1: with each batch of the pass; k: with the first of each k */
    double weight;              /* of its loss; 0 stands for 1; negative: climbs it */
    int32_t own_step;           /* 1: a step before that of the pass; 0: one step for both */
    lethe_loss_fn loss;         /* NULL: cross-entropy to the labels */
    lethe_fit_hook before_step; /* own_step: with its gradient; or NULL */
    void *arg;                  /* of both */
} lethe_companion;

/* One pass over a view inside an epoch. */
typedef struct lethe_pass {
    const lethe_view *view;
    const char *stream; /* random stream of the order; NULL: "shuffle" and its place, see below */
    int32_t ordered;    /* 1: view order instead of shuffled */
    int32_t ascend;     /* 1: climb the loss (minimise -L) */
    lethe_loss_fn loss; /* NULL: cross-entropy to the labels */
    void *loss_arg;
    double weight;                 /* of the loss; 0 stands for 1 */
    uint32_t batch;                /* 0: the fit's */
    uint32_t until_epoch;          /* takes part in epochs before this one; 0: in all */
    const lethe_companion *beside; /* NULL: none */
} lethe_pass;

/* Zero means: constant rate, no momentum, decay or clipping, batch statistics. */
typedef struct lethe_fit_opts {
    lethe_model *model;
    lethe_pass pass[LETHE_MAX_PASSES]; /* of each epoch, in order, up to the first without a view */
    uint32_t epochs, batch;
    uint32_t max_steps; /* > 0: ends after so many steps of the passes */
    double lr, momentum, weight_decay;
    int32_t schedule;       /* LETHE_SCHEDULE_* */
    uint32_t step;          /* LETHE_SCHEDULE_STEP: epochs between two drops */
    double gamma;           /* LETHE_SCHEDULE_STEP, milestones: factor of a drop */
    const char *milestones; /* "3,5,9": epochs after which the rate drops too; NULL: none */
    double stop_lr;         /* LETHE_SCHEDULE_STEP: ends when the rate has dropped below */
    int32_t optimizer;      /* LETHE_OPTIMIZER_* */
    int32_t no_augment;     /* 1: samples as they are, also where the suite augments */
    int32_t keep_gradient;  /* 1: what was in the gradient before goes into the first step */
    double clip_norm;       /* > 0: gradients are scaled to at most this global L2 norm */
    int32_t bn_eval;        /* 1: batch-norm uses and keeps its running statistics */
    int32_t restore;        /* with mask: 1 keeps frozen weights bit-identical (optim->mask) */
    const uint8_t *mask;    /* NULL, or 1 = trains per trainable element, tensor order */
    lethe_optim *optim;     /* NULL: made from the settings above */
    double (*rate)(lethe_ctx *, uint32_t epoch); /* NULL: from lr and schedule */
    lethe_fit_hook before_epoch, before_step, after_step, after_epoch; /* NULL: nothing to do */
    void *hook_arg;
} lethe_fit_opts;

/* A companion going round. */
typedef struct lethe_round_ {
    const lethe_view *view;
    lethe_loader *loader;
    uint32_t turn;
} lethe_round_;

/* Internal: one fit in flight. */
typedef struct lethe_fit_ {
    const lethe_fit_opts *opts;
    lethe_optim *optim;
    float *logits, *dlogits; /* (largest batch, n_classes) */
    uint32_t n_classes, epoch;
    double rate;
    uint64_t seen, total;        /* samples trained on, and in all epochs */
    uint64_t steps, total_steps; /* of the passes */
    const lethe_view *view[LETHE_MAX_PASSES];
    lethe_round_ round[LETHE_MAX_PASSES];
    char what[48];
} lethe_fit_;

static inline uint32_t lethe_or_(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

/* The view as the fit reads it. */
static inline lethe_status lethe_fit_view_(lethe_ctx *ctx, const lethe_fit_opts *o,
                                           const lethe_view *view, const lethe_view **ret)
{
    *ret = view;
    return o->no_augment ? ctx->host->data->augment(ctx, view, 0, ret) : LETHE_OK;
}

/* Views, and how much there is to do. */
static inline lethe_status lethe_fit_measure_(lethe_ctx *ctx, lethe_fit_ *fit, uint32_t *ret_batch)
{
    const lethe_fit_opts *o = fit->opts;
    uint32_t largest = o->batch;
    for (uint32_t p = 0; p < LETHE_MAX_PASSES && o->pass[p].view; p++) {
        const lethe_pass *pass = &o->pass[p];
        uint32_t batch = lethe_or_(pass->batch, o->batch);
        uint64_t n = ctx->host->data->count(ctx, pass->view);
        uint32_t epochs = lethe_or_(pass->until_epoch, o->epochs);
        epochs = epochs < o->epochs ? epochs : o->epochs;
        LETHE_TRY(lethe_fit_view_(ctx, o, pass->view, &fit->view[p]));
        fit->total += epochs * n;
        fit->total_steps += epochs * ((n + batch - 1) / batch);
        largest = batch > largest ? batch : largest;
        if (pass->beside && ctx->host->data->count(ctx, pass->beside->view) > 0) {
            LETHE_TRY(lethe_fit_view_(ctx, o, pass->beside->view, &fit->round[p].view));
            largest = pass->beside->batch > largest ? pass->beside->batch : largest;
        }
    }
    if (o->max_steps > 0 && o->max_steps < fit->total_steps) {
        fit->total = (uint64_t)((double)fit->total * o->max_steps / (double)fit->total_steps) + 1;
        fit->total_steps = o->max_steps;
    }
    *ret_batch = largest;
    return LETHE_OK;
}

static inline lethe_status lethe_fit_optim_(lethe_ctx *ctx, lethe_fit_ *fit)
{
    const lethe_optim_api *api = ctx->host->optim;
    const lethe_fit_opts *o = fit->opts;
    fit->optim = o->optim;
    if (!fit->optim && o->optimizer == LETHE_OPTIMIZER_SGD)
        LETHE_TRY(api->sgd(ctx, o->model, o->momentum, o->weight_decay, &fit->optim));
    else if (!fit->optim)
        LETHE_TRY(api->adam(ctx, o->model, 0.9, 0.999, 1e-8, o->weight_decay,
                            o->optimizer == LETHE_OPTIMIZER_ADAMW, &fit->optim));
    if (o->mask)
        LETHE_TRY(api->mask(ctx, fit->optim, o->mask, o->restore));
    if (o->clip_norm > 0)
        LETHE_TRY(api->clip(ctx, fit->optim, o->clip_norm));
    return LETHE_OK;
}

static inline lethe_status lethe_fit_begin_(lethe_ctx *ctx, lethe_fit_ *fit)
{
    const lethe_host *host = ctx->host;
    const lethe_fit_opts *o = fit->opts;
    uint32_t batch = 0;
    if (!host->data || !host->model || !host->optim)
        return lethe_failf(ctx, LETHE_E_DENIED,
                           "training needs access to samples, gradients and weights; declare "
                           "LETHE_CAP_GRADIENTS and LETHE_CAP_WEIGHTS in `needs`");
    if (!o->pass[0].view || o->batch == 0)
        return lethe_failf(ctx, LETHE_E_INVALID, "nothing to train on: %s",
                           o->batch ? "the first pass has no view" : "the batch size is 0");
    LETHE_TRY(lethe_fit_measure_(ctx, fit, &batch));
    fit->n_classes = host->model->n_classes(ctx, o->model);
    fit->logits = (float *)lethe_alloc(ctx, (uint64_t)batch * fit->n_classes, sizeof(float));
    fit->dlogits = (float *)lethe_alloc(ctx, (uint64_t)batch * fit->n_classes, sizeof(float));
    if (!fit->logits || !fit->dlogits)
        return LETHE_E_NOMEM;
    if (!o->keep_gradient)
        LETHE_TRY(host->model->zero_grad(ctx, o->model));
    return lethe_fit_optim_(ctx, fit);
}

/* Forward and backward of one batch: adds the gradient of weight times the loss. */
static inline lethe_status lethe_fit_gradient_(lethe_ctx *ctx, lethe_fit_ *fit,
                                               const lethe_batch *batch, lethe_loss_fn loss_fn,
                                               void *arg, double weight)
{
    const lethe_host *host = ctx->host;
    lethe_model *model = fit->opts->model;
    double loss = 0;
    LETHE_TRY(host->model->forward(
        ctx, model, batch, fit->opts->bn_eval ? LETHE_BN_FROZEN : LETHE_TRAIN, fit->logits));
    if (loss_fn)
        LETHE_TRY(loss_fn(ctx, arg, batch, fit->logits, fit->n_classes, &loss, fit->dlogits));
    else
        LETHE_TRY(host->loss->cross_entropy(ctx, fit->logits, batch->y, batch->n, fit->n_classes,
                                            &loss, fit->dlogits));
    if (!isfinite(loss))
        return lethe_failf(ctx, LETHE_E_NUMERIC,
                           "the loss became NaN or infinite in epoch %u of %u, after %llu samples, "
                           "at learning rate %g; try a lower one",
                           (unsigned)(fit->epoch + 1), (unsigned)fit->opts->epochs,
                           (unsigned long long)fit->seen, fit->rate);
    float factor = (float)weight;
    for (uint64_t i = 0; weight != 1 && i < (uint64_t)batch->n * fit->n_classes; i++)
        fit->dlogits[i] *= factor;
    return host->model->backward(ctx, model, fit->dlogits, NULL);
}

static inline lethe_status lethe_fit_hook_(lethe_ctx *ctx, lethe_fit_ *fit, lethe_fit_hook hook,
                                           void *arg)
{
    return hook ? hook(ctx, arg, fit->opts->model, fit->epoch) : LETHE_OK;
}

static inline lethe_status lethe_open_(lethe_ctx *ctx, const lethe_view *view, uint32_t batch,
                                       int32_t ordered, uint32_t epoch, const char *stream,
                                       lethe_loader **ret)
{
    lethe_loader_opts order;
    order.struct_size = sizeof order;
    order.batch_size = batch;
    order.shuffle = !ordered;
    order.epoch = epoch;
    order.stream = stream;
    return ctx->host->data->loader(ctx, view, &order, ret);
}

static inline void lethe_batch_init_(lethe_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->struct_size = sizeof *batch;
}

/* The companion's turn, where it has one. */
static inline lethe_status lethe_fit_beside_(lethe_ctx *ctx, lethe_fit_ *fit, uint32_t index)
{
    const lethe_companion *with = fit->opts->pass[index].beside;
    lethe_round_ *round = &fit->round[index];
    lethe_batch batch;
    if (!with || !round->view || fit->steps % lethe_or_(with->every, 1) != 0)
        return LETHE_OK;
    lethe_batch_init_(&batch);
    for (int tries = 0; batch.n == 0 && tries < 2; tries++) {
        if (!round->loader)
            LETHE_TRY(lethe_open_(ctx, round->view, lethe_or_(with->batch, fit->opts->batch), 0,
                                  round->turn++, with->stream ? with->stream : "shuffle-companion",
                                  &round->loader));
        LETHE_TRY(ctx->host->data->next(ctx, round->loader, &batch));
        if (batch.n == 0)
            round->loader = NULL;
    }
    LETHE_TRY(lethe_fit_gradient_(ctx, fit, &batch, with->loss, with->arg,
                                  with->weight != 0 ? with->weight : 1));
    if (!with->own_step)
        return LETHE_OK;
    LETHE_TRY(lethe_fit_hook_(ctx, fit, with->before_step, with->arg));
    return ctx->host->optim->step(ctx, fit->optim, fit->rate);
}

/* Loss, gradient and step of one batch. */
static inline lethe_status lethe_fit_batch_(lethe_ctx *ctx, lethe_fit_ *fit, uint32_t index,
                                            const lethe_batch *batch)
{
    const lethe_fit_opts *o = fit->opts;
    const lethe_pass *pass = &o->pass[index];
    double weight = (pass->weight != 0 ? pass->weight : 1) * (pass->ascend ? -1 : 1);
    int own_step = pass->beside && pass->beside->own_step;
    if (o->schedule == LETHE_SCHEDULE_COSINE_STEPS)
        fit->rate = lethe_cosine(o->lr, (double)fit->steps / (double)fit->total_steps);
    if (own_step)
        LETHE_TRY(lethe_fit_beside_(ctx, fit, index));
    LETHE_TRY(lethe_fit_gradient_(ctx, fit, batch, pass->loss, pass->loss_arg, weight));
    if (!own_step)
        LETHE_TRY(lethe_fit_beside_(ctx, fit, index));
    LETHE_TRY(lethe_fit_hook_(ctx, fit, o->before_step, o->hook_arg));
    LETHE_TRY(ctx->host->optim->step(ctx, fit->optim, fit->rate));
    LETHE_TRY(lethe_fit_hook_(ctx, fit, o->after_step, o->hook_arg));
    fit->steps++;
    return LETHE_OK;
}

static inline lethe_status lethe_fit_pass_(lethe_ctx *ctx, lethe_fit_ *fit, uint32_t index)
{
    /* Passes of equal length would otherwise share their orders. */
    static const char *const streams[LETHE_MAX_PASSES] = {"shuffle", "shuffle-2", "shuffle-3",
                                                          "shuffle-4"};
    const lethe_host *host = ctx->host;
    const lethe_pass *pass = &fit->opts->pass[index];
    lethe_loader *loader = NULL;
    lethe_batch batch;
    lethe_batch_init_(&batch);
    if (pass->until_epoch > 0 && fit->epoch >= pass->until_epoch)
        return LETHE_OK;
    LETHE_TRY(lethe_open_(ctx, fit->view[index], lethe_or_(pass->batch, fit->opts->batch),
                          pass->ordered, fit->epoch, pass->stream ? pass->stream : streams[index],
                          &loader));
    while (fit->steps < fit->total_steps) {
        LETHE_TRY(host->data->next(ctx, loader, &batch));
        if (batch.n == 0)
            return LETHE_OK;
        LETHE_TRY(lethe_fit_batch_(ctx, fit, index, &batch));
        fit->seen = fit->seen + batch.n < fit->total ? fit->seen + batch.n : fit->total;
        LETHE_TRY(host->core->progress(ctx, (double)fit->seen / (double)fit->total, fit->what));
    }
    return LETHE_OK;
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

/* The rate of an epoch, milestones included. */
static inline double lethe_fit_rate_(lethe_ctx *ctx, const lethe_fit_opts *o, uint32_t epoch)
{
    double rate = o->rate ? o->rate(ctx, epoch)
                          : lethe_rate(o->schedule, o->lr, o->step, o->gamma, epoch, o->epochs);
    for (const char *at = o->milestones; at && *at; at += strspn(at, ", ")) {
        uint32_t milestone = 0;
        size_t digits = strspn(at, "0123456789");
        for (size_t i = 0; i < digits; i++)
            milestone = milestone * 10 + (uint32_t)(at[i] - '0');
        if (digits == 0)
            break;
        if (epoch >= milestone)
            rate *= o->gamma;
        at += digits;
    }
    return rate;
}

/* After a drop below stop_lr weights hardly move any more. */
static inline int lethe_fit_over_(const lethe_fit_ *fit)
{
    const lethe_fit_opts *o = fit->opts;
    return fit->epoch >= o->epochs || fit->total == 0 || fit->steps >= fit->total_steps ||
           (o->schedule == LETHE_SCHEDULE_STEP && fit->rate < o->lr && fit->rate < o->stop_lr);
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
    for (;; fit.epoch++) {
        fit.rate = lethe_fit_rate_(ctx, opts, fit.epoch);
        if (lethe_fit_over_(&fit))
            return LETHE_OK;
        snprintf(fit.what, sizeof fit.what, "epoch %u/%u", (unsigned)(fit.epoch + 1),
                 (unsigned)opts->epochs);
        LETHE_TRY(lethe_fit_hook_(ctx, &fit, opts->before_epoch, opts->hook_arg));
        for (uint32_t p = 0; p < LETHE_MAX_PASSES && opts->pass[p].view; p++)
            LETHE_TRY(lethe_fit_pass_(ctx, &fit, p));
        LETHE_TRY(lethe_check_weights(ctx, opts->model));
        LETHE_TRY(lethe_fit_hook_(ctx, &fit, opts->after_epoch, opts->hook_arg));
    }
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
    LETHE_FIT_STOP_LR = 8,
    LETHE_FIT_OPTIMIZER = 9,
    LETHE_FIT_BN = 10,
    LETHE_FIT_CLIP = 11,
    LETHE_FIT_AUGMENT = 12,
    LETHE_FIT_N = 13
};

static const char *const lethe_optimizers_[] = {"sgd", "adam", "adamw", NULL};
static const char *const lethe_bn_modes_[] = {"train", "eval", NULL};
enum { LETHE_BN_TRAIN = 0, LETHE_BN_EVAL = 1 };

/* The first entries of a parameter table, with a method's own defaults. */
#define LETHE_FIT_TABLE(epochs_, lr_, lr_search_, batch_, momentum_, decay_, schedule_,            \
                        optimizer_, bn_, augment_)                                                 \
    LETHE_INT("epochs", epochs_, 0, 100000, "epochs", "passes over the training data"),            \
        LETHE_REAL_TUNABLE("lr", lr_, 0, 1000, "", "learning rate of the first epoch",             \
                           lr_search_),                                                            \
        LETHE_INT("batch", batch_, 1, 65536, "samples", "batch size; a short last batch is kept"), \
        LETHE_REAL("momentum", momentum_, 0, 1, "", "SGD momentum, PyTorch's form"),               \
        LETHE_REAL("weight_decay", decay_, 0, 1, "", "L2 decay of every trainable weight"),        \
        LETHE_CHOICE("schedule", schedule_, lethe_schedules_,                                      \
                     "how the learning rate changes from epoch to epoch, or step to step"),        \
        LETHE_INT("step", 1, 1, 100000, "epochs",                                                  \
                  "schedule step: epochs between drops (AMUN's repository uses 1)"),               \
        LETHE_REAL("gamma", 0.1, 0, 1, "", "schedule step: factor of each drop"),                  \
        LETHE_REAL("stop_lr", 1e-5, 0, 1, "",                                                      \
                   "schedule step: training ends when the rate has dropped below"),                \
        LETHE_CHOICE("optimizer", optimizer_, lethe_optimizers_,                                   \
                     "Adam has PyTorch's betas .9 .999 and eps 1e-8"),                             \
        LETHE_CHOICE("bn", bn_, lethe_bn_modes_,                                                   \
                     "batch-norm: statistics of the batch (train) or the running ones, kept "      \
                     "(eval)"),                                                                    \
        LETHE_REAL("clip_norm", 0, 0, 1e6, "",                                                     \
                   "largest L2 norm of a step's gradient; 0: no limit"),                           \
        LETHE_BOOL("augment", augment_, "the suite's training augmentation, where it has one")
/* The same as most have them: SGD .9 with decay 5e-4, batch 128, constant rate. */
#define LETHE_FIT_PARAMS(epochs_, lr_, lr_search_)                                                 \
    LETHE_FIT_TABLE(epochs_, lr_, lr_search_, 128, 0.9, 5e-4, LETHE_SCHEDULE_CONSTANT,             \
                    LETHE_OPTIMIZER_SGD, LETHE_BN_TRAIN, 1)

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
    o.stop_lr = lethe_real(ctx, LETHE_FIT_STOP_LR);
    o.optimizer = (int32_t)lethe_choice(ctx, LETHE_FIT_OPTIMIZER);
    o.bn_eval = lethe_choice(ctx, LETHE_FIT_BN) == LETHE_BN_EVAL;
    o.clip_norm = lethe_real(ctx, LETHE_FIT_CLIP);
    o.no_augment = !lethe_bool(ctx, LETHE_FIT_AUGMENT);
    return o;
}

/* For `check`: E_DENIED when `needed`, which the parameters ask for, and no retain set. */
static inline lethe_status lethe_check_retain(lethe_ctx *ctx, int needed, const lethe_view *retain)
{
    if (needed && !retain)
        return lethe_failf(ctx, LETHE_E_DENIED, "retain: true needs access to the retain set");
    return LETHE_OK;
}

#endif
