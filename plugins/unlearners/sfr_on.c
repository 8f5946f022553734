/* SPDX-License-Identifier: MIT
 * sfr_on.c: SFR-on, saliency forgetting in the remain-preserving manifold,
 * online. Every few steps on the retain set, one step climbs an adaptive loss of
 * a forget batch: samples with small loss weigh most, the factor falls as a
 * cosine, the gradient is masked to weights whose mean squared gradient on the
 * forget set is at least mask_threshold times that on the retain set, and
 * clipped. One optimiser serves both, the rate falls as a cosine with each step.
 * Paper: Huang et al., NeurIPS 2024. Code read:
 * K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (1500 steps, lr .01,
 * forget step every 5, alpha 25, lambda .5, clip 7, beta 1, that is no slow
 * average). Deviations: masks are made for each model and forget set anew, the
 * repository may load another seed's. */
#include <lethe/lethe.h>

enum { P_NSTEPS = LETHE_FIT_N, P_EVERY, P_ALPHA, P_LAMBDA, P_THRESHOLD, P_FORGET_CLIP, P_BETA };

static const lethe_param params[] = {
    LETHE_FIT_TABLE(0, 0.01, "0.1,0.03,0.01,0.003,0.001", 128, 0.9, 5e-4,
                    LETHE_SCHEDULE_COSINE_STEPS, LETHE_OPTIMIZER_SGD, LETHE_BN_TRAIN, 1),
    LETHE_INT("steps", 1500, 1, 100000000, "steps", "on the retain set; counts where epochs is 0"),
    LETHE_INT("forget_every", 5, 0, 100000, "steps", "retain steps per forget step; 0: none"),
    LETHE_REAL("alpha", 25, 0, 1e9, "", "factor of the forget loss at the start"),
    LETHE_REAL("lambda", 0.5, 0, 10, "", "weights are losses to the power -lambda"),
    LETHE_REAL("mask_threshold", 1, 0, 1e30, "", "least importance ratio of a weight that forgets"),
    LETHE_REAL("forget_clip", 7, 0, 1e9, "", "largest L2 norm of a forget gradient; 0: no limit"),
    LETHE_REAL("beta", 1, 0, 1, "", "share of the new weights in the slow average; 1: none"),
};

struct sfr {
    lethe_ctx *ctx;
    double alpha, lambda, clip, beta;
    uint64_t forget_steps, every, steps;
    uint8_t *mask;    /* (number of weights) */
    double *w, *loss; /* (room) weights and losses of a forget batch */
    uint32_t room;
    lethe_model *slow;
};

/* -log softmax(z)_y */
static double sample_loss(const float *z, uint32_t c, int32_t y)
{
    double largest = (double)z[0], sum = 0;
    for (uint32_t k = 1; k < c; k++)
        largest = (double)z[k] > largest ? (double)z[k] : largest;
    for (uint32_t k = 0; k < c; k++)
        sum += exp((double)z[k] - largest);
    return log(sum) + largest - (double)z[y];
}

/* alpha_t sum w_j l_j / sum w_j with w_j = l_j^-lambda taken as constants; climbed. */
static lethe_status adaptive_loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                  const float *logits, uint32_t c, double *ret_loss, float *dlogits)
{
    struct sfr *s = arg;
    double t = (double)(s->forget_steps++ * s->every), total = 0, mean = 0;
    double alpha = lethe_cosine(s->alpha, t / (double)s->steps);
    if (batch->n > s->room) {
        s->w = lethe_alloc(ctx, batch->n, sizeof *s->w);
        s->loss = lethe_alloc(ctx, batch->n, sizeof *s->loss);
        s->room = s->w && s->loss ? batch->n : 0;
        if (s->room == 0)
            return LETHE_E_NOMEM;
    }
    for (uint32_t i = 0; i < batch->n; i++) {
        s->loss[i] = sample_loss(logits + (uint64_t)i * c, c, batch->y[i]);
        s->w[i] = pow((s->loss[i] > 0 ? s->loss[i] : 0) + 1e-15, -s->lambda);
        total += s->w[i];
        mean += s->w[i] * s->loss[i];
    }
    LETHE_TRY(ctx->host->loss->cross_entropy(ctx, logits, batch->y, batch->n, c, NULL, dlogits));
    for (uint32_t i = 0; i < batch->n; i++)
        for (uint32_t k = 0; k < c; k++)
            dlogits[(uint64_t)i * c + k] *= (float)(alpha * batch->n * s->w[i] / total);
    *ret_loss = alpha * mean / total;
    return LETHE_OK;
}

/* Masks and clips a forget gradient, as torch.nn.utils.clip_grad_norm_ does. */
static lethe_status shape_gradient(lethe_ctx *ctx, void *arg, lethe_model *model, uint32_t epoch)
{
    const struct sfr *s = arg;
    const uint8_t *mask = s->mask;
    double squares = 0, factor = 1;
    lethe_flat flat;
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    for (uint32_t t = 0; t < flat.n_tensors; t++)
        for (uint64_t i = 0; i < flat.tensor[t].n; i++) {
            flat.tensor[t].g[i] *= (float)*mask++;
            squares += (double)flat.tensor[t].g[i] * (double)flat.tensor[t].g[i];
        }
    if (s->clip > 0)
        factor = s->clip / (sqrt(squares) + 1e-6);
    for (uint32_t t = 0; factor < 1 && t < flat.n_tensors; t++)
        for (uint64_t i = 0; i < flat.tensor[t].n; i++)
            flat.tensor[t].g[i] *= (float)factor;
    return LETHE_OK;
}

static lethe_status average(lethe_ctx *ctx, void *arg, lethe_model *model, uint32_t epoch)
{
    const struct sfr *s = arg;
    lethe_flat now, slow;
    LETHE_TRY(lethe_flat_of(ctx, model, &now));
    LETHE_TRY(lethe_flat_of(ctx, s->slow, &slow));
    for (uint32_t t = 0; t < now.n_tensors; t++)
        for (uint64_t i = 0; i < now.tensor[t].n; i++)
            slow.tensor[t].w[i] = now.tensor[t].w[i] =
                (float)(s->beta * (double)now.tensor[t].w[i] +
                        (1 - s->beta) * (double)slow.tensor[t].w[i]);
    return LETHE_OK;
}

static lethe_status make_mask(lethe_ctx *ctx, const lethe_forget_job *job, struct sfr *s)
{
    lethe_gradient_sum f = {.what = LETHE_SUM_SQUARES}, r = {.what = LETHE_SUM_SQUARES};
    uint32_t batch = (uint32_t)lethe_int(ctx, LETHE_FIT_BATCH);
    double threshold = lethe_real(ctx, P_THRESHOLD);
    lethe_flat flat;
    LETHE_TRY(lethe_flat_of(ctx, job->model, &flat));
    if (!(s->mask = lethe_alloc(ctx, flat.n + 1, 1)))
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_sum_gradients(ctx, job->model, job->forget, batch, NULL, &f));
    LETHE_TRY(lethe_sum_gradients(ctx, job->model, job->retain, batch, NULL, &r));
    for (uint64_t i = 0; i < flat.n && f.n_batches > 0 && r.n_batches > 0; i++)
        s->mask[i] =
            (f.sum[i] / f.n_batches + 1e-15) / (r.sum[i] / r.n_batches + 1e-15) >= threshold;
    return LETHE_OK;
}

/* Epochs and steps so that max_steps decides. */
static void count_steps(lethe_ctx *ctx, const lethe_forget_job *job, lethe_fit_opts *fit)
{
    uint64_t n = ctx->host->data->count(ctx, job->retain);
    uint64_t per_epoch = (n + fit->batch - 1) / fit->batch;
    uint64_t steps = (uint64_t)lethe_int(ctx, P_NSTEPS);
    if (fit->epochs > 0)
        steps = fit->epochs * per_epoch;
    else if (per_epoch > 0)
        fit->epochs = (uint32_t)((steps + per_epoch - 1) / per_epoch);
    fit->max_steps = (uint32_t)steps;
}

static lethe_status sfr_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    struct sfr s = {.ctx = ctx,
                    .alpha = lethe_real(ctx, P_ALPHA),
                    .lambda = lethe_real(ctx, P_LAMBDA),
                    .clip = lethe_real(ctx, P_FORGET_CLIP),
                    .beta = lethe_real(ctx, P_BETA),
                    .every = (uint64_t)lethe_int(ctx, P_EVERY)};
    lethe_companion forget = {.view = job->forget,
                              .stream = "shuffle-forget",
                              .every = (uint32_t)s.every,
                              .weight = -1,
                              .own_step = 1,
                              .loss = adaptive_loss,
                              .before_step = shape_gradient,
                              .arg = &s};
    count_steps(ctx, job, &fit);
    s.steps = fit.max_steps;
    fit.pass[0].view = job->retain;
    if (s.every > 0) {
        fit.pass[0].beside = &forget;
        LETHE_TRY(make_mask(ctx, job, &s));
    }
    if (s.beta < 1) {
        LETHE_TRY(ctx->host->model->clone(ctx, job->original, &s.slow));
        fit.after_step = average;
        fit.hook_arg = &s;
    }
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "sfr-on",
    .name = "SFR-on",
    .short_name = "SFR-on",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "forgets on weights that the retain set needs less, repairs in between",
    .doc = "SFR-on, saliency forgetting in the remain-preserving manifold, online. "
           "Every few steps on the retain set, one step climbs an adaptive loss of a "
           "forget batch: samples with small loss weigh most, the factor falls as a "
           "cosine, the gradient is masked to weights whose mean squared gradient on "
           "the forget set is at least mask_threshold times that on the retain set, "
           "and clipped. One optimiser serves both, the rate falls as a cosine with "
           "each step.\n"
           "Paper: Huang et al., NeurIPS 2024. Code read: "
           "K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (1500 steps, lr .01, "
           "forget step every 5, alpha 25, lambda .5, clip 7, beta 1, that is no slow "
           "average). Deviations: masks are made for each model and forget set anew, "
           "the repository may load another seed's.",
    .citation = "@inproceedings{huang2024unified, title={Unified Gradient-Based "
                "Machine Unlearning with Remain Geometry Enhancement}, author={Huang, "
                "Zhehao and Cheng, Xinwen and Zheng, JingHao and Wang, Haoran and He, "
                "Zhengbao and Li, Tao and Huang, Xiaolin}, booktitle={Advances in "
                "Neural Information Processing Systems}, year={2024}}",
    .url = "https://arxiv.org/abs/2409.19732",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = sfr_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_RETAIN, 0,
             &unlearner);
