/* SPDX-License-Identifier: MIT
 * ssd.c: SSD, selective synaptic dampening. The importance of a weight to a set
 * is the mean over batches of its squared gradient, of the batch's mean loss, in
 * evaluation mode without augmentation. Weights whose importance to the forget
 * set exceeds alpha times that to all data are multiplied by min(1, lambda I_all
 * / I_forget). Nothing is trained; loss: norm is the label-free variant (mean
 * squared norm of the logits, absolute gradients).
 * Paper: Foster et al., AAAI 2024, and arXiv 2402.19308 (label-free). Code read:
 * if-loops/selective-synaptic-dampening cdfdc0e (alpha 10, lambda 1, batches of
 * 128, retain set before forget set, sorted by class in class scenarios).
 * Deviations: importances to all data are taken once, at the original model, and
 * serve later requests; batch: 1 gives the Fisher diagonal itself. Sums are in
 * double. */
#include <stdlib.h>

#include <lethe/lethe.h>

enum { P_ALPHA, P_LAMBDA, P_BATCH, P_LOSS, P_ORDER };
enum { LOSS_CE = 0, LOSS_NORM };
enum { ORDER_AUTO = 0, ORDER_MIXED, ORDER_BY_CLASS };

static const char *const losses[] = {"ce", "norm", NULL};
static const char *const orders[] = {"auto", "mixed", "by-class", NULL};
static const lethe_param params[] = {
    LETHE_REAL_TUNABLE("alpha", 10, 0, 1e30, "", "selection: importance ratio from which on",
                       "1,1.5,2,5,10"),
    LETHE_REAL("lambda", 1, 0, 1e30, "", "dampening: factor of the inverse ratio"),
    LETHE_INT("batch", 128, 1, 65536, "samples", "batch of the importances"),
    LETHE_CHOICE("loss", LOSS_CE, losses, "cross-entropy, or the label-free norm of the logits"),
    LETHE_CHOICE("order", ORDER_AUTO, orders,
                 "of the retain set: as it is, or by class; auto: by class in class scenarios"),
};

/* mean over the batch of ||z||^2, and 2 z / n. */
static lethe_status norm_loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                              const float *logits, uint32_t c, double *ret_loss, float *dlogits)
{
    double sum = 0;
    for (uint64_t i = 0; i < (uint64_t)batch->n * c; i++) {
        sum += (double)logits[i] * (double)logits[i];
        dlogits[i] = 2 * logits[i] / (float)batch->n;
    }
    *ret_loss = sum / batch->n;
    return LETHE_OK;
}

/* Mean importances to a view, without augmentation. */
static lethe_status importances(lethe_ctx *ctx, lethe_model *model, const lethe_view *view,
                                lethe_gradient_sum *ret, uint64_t *ret_n)
{
    int norm = lethe_choice(ctx, P_LOSS) == LOSS_NORM;
    const lethe_view *plain = NULL;
    lethe_flat flat;
    ret->what = norm ? LETHE_SUM_ABSOLUTE : LETHE_SUM_SQUARES;
    LETHE_TRY(ctx->host->data->augment(ctx, view, 0, &plain));
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    LETHE_TRY(lethe_sum_gradients(ctx, model, plain, (uint32_t)lethe_int(ctx, P_BATCH),
                                  norm ? norm_loss : NULL, ret));
    for (uint64_t i = 0; ret->n_batches > 0 && i < flat.n; i++)
        ret->sum[i] /= ret->n_batches;
    *ret_n = flat.n;
    return LETHE_OK;
}

/* The same samples, those of class 0 first. */
static lethe_status by_class(lethe_ctx *ctx, const lethe_view *view, uint32_t n_classes,
                             const lethe_view **ret)
{
    uint32_t n = (uint32_t)ctx->host->data->count(ctx, view), at = 0;
    int32_t *y = lethe_alloc(ctx, n + 1ull, sizeof *y);
    uint32_t *rows = lethe_alloc(ctx, n + 1ull, sizeof *rows);
    if (!y || !rows)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->data->labels(ctx, view, y));
    for (int32_t k = 0; k < (int32_t)n_classes; k++)
        for (uint32_t i = 0; i < n; i++)
            if (y[i] == k)
                rows[at++] = i;
    return ctx->host->data->subset(ctx, view, rows, at, ret);
}

/* state: importances to all data (number of weights), malloc'd, for it outlives the call. */
static lethe_status ssd_prepare(lethe_ctx *ctx, const lethe_forget_job *job, void **state)
{
    uint32_t order = lethe_choice(ctx, P_ORDER);
    const lethe_view *sets[2] = {job->retain, job->forget}, *all = NULL;
    lethe_gradient_sum sum = {0};
    uint64_t n = 0;
    if (order == ORDER_BY_CLASS || (order == ORDER_AUTO && job->scenario == LETHE_SCENARIO_CLASS))
        LETHE_TRY(
            by_class(ctx, job->retain, ctx->host->model->n_classes(ctx, job->model), &sets[0]));
    LETHE_TRY(ctx->host->data->concat(ctx, sets, 2, &all));
    LETHE_TRY(importances(ctx, job->model, all, &sum, &n));
    *state = malloc((size_t)(n + 1) * sizeof(double));
    if (!*state)
        return LETHE_E_NOMEM;
    memcpy(*state, sum.sum, (size_t)n * sizeof(double));
    return LETHE_OK;
}

static lethe_status ssd_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    double alpha = lethe_real(ctx, P_ALPHA), lambda = lethe_real(ctx, P_LAMBDA);
    const double *all = state;
    lethe_gradient_sum forget = {0};
    lethe_flat flat;
    uint64_t n = 0, selected = 0, at = 0;
    LETHE_TRY(importances(ctx, job->model, job->forget, &forget, &n));
    LETHE_TRY(lethe_flat_of(ctx, job->model, &flat));
    for (uint32_t t = 0; t < flat.n_tensors; t++)
        for (uint64_t i = 0; i < flat.tensor[t].n; i++, at++) {
            if (!(forget.sum[at] > alpha * all[at]))
                continue;
            double factor = lambda * all[at] / forget.sum[at];
            flat.tensor[t].w[i] *= (float)(factor < 1 ? factor : 1);
            selected++;
        }
    lethe_logf(ctx, LETHE_LOG_INFO, "dampened %llu of %llu weights", (unsigned long long)selected,
               (unsigned long long)n);
    return lethe_check_weights(ctx, job->model);
}

static void ssd_dispose(lethe_ctx *ctx, void *state)
{
    free(state);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "ssd",
    .name = "SSD",
    .short_name = "SSD",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "dampens weights that matter more to the forget set than to all data",
    .doc = "SSD, selective synaptic dampening. The importance of a weight to a set is "
           "the mean over batches of its squared gradient, of the batch's mean loss, "
           "in evaluation mode without augmentation. Weights whose importance to the "
           "forget set exceeds alpha times that to all data are multiplied by min(1, "
           "lambda I_all / I_forget). Nothing is trained; loss: norm is the "
           "label-free variant (mean squared norm of the logits, absolute gradients).\n"
           "Paper: Foster et al., AAAI 2024, and arXiv 2402.19308 (label-free). Code "
           "read: if-loops/selective-synaptic-dampening cdfdc0e (alpha 10, lambda 1, "
           "batches of 128, retain set before forget set, sorted by class in class "
           "scenarios). Deviations: importances to all data are taken once, at the "
           "original model, and serve later requests; batch: 1 gives the Fisher "
           "diagonal itself. Sums are in double.",
    .citation = "@inproceedings{foster2024fast, title={Fast Machine Unlearning "
                "without Retraining through Selective Synaptic Dampening}, "
                "author={Foster, Jack and Schoepf, Stefan and Brintrup, Alexandra}, "
                "booktitle={AAAI Conference on Artificial Intelligence}, volume={38}, "
                "number={11}, pages={12043--12051}, year={2024}}",
    .url = "https://arxiv.org/abs/2308.07707",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .prepare = ssd_prepare,
    .run = ssd_run,
    .dispose = ssd_dispose,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_RETAIN, 0,
             &unlearner);
