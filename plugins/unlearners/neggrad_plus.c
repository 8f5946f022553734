/* SPDX-License-Identifier: MIT
 * neggrad_plus.c: NegGrad+. Each step goes down a CE(retain batch) - (1 - a)
 * CE(forget batch), two forward passes and one step; the forget set goes round,
 * reshuffled each time. pull adds a penalty on the distance from the original
 * weights.
 * Paper: Kurmanji et al., NeurIPS 2023. Code read: meghdadk/SCRUB 98ffb11 (a
 * .95, 10 epochs, lr .01, no momentum, no decay, no augmentation; the notebook
 * version: bn eval, pull = the training decay). Deviations: batches of 128
 * instead of 32 and 64; the repository replays the first round of forget batches
 * for ever, here each round has an order of its own. */
#include <lethe/lethe.h>

enum { P_A = LETHE_FIT_N, P_FORGET_BATCH, P_PULL };

static const lethe_param params[] = {
    LETHE_FIT_TABLE(10, 0.01, "0.1,0.03,0.01,0.003", 128, 0, 0, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_SGD, LETHE_BN_TRAIN, 0),
    LETHE_REAL("a", 0.95, 0, 1, "", "weight of the retain loss (notebooks: .95 to .9999)"),
    LETHE_INT("forget_batch", 0, 0, 65536, "samples", "batch of the forget set; 0: as batch"),
    LETHE_REAL("pull", 0, 0, 1e6, "", "a pull / 2 ||w - original||^2 is added to the loss"),
};

struct pull {
    lethe_flat original;
    double factor;
};

static lethe_status add_pull(lethe_ctx *ctx, void *arg, lethe_model *model, uint32_t epoch)
{
    const struct pull *p = arg;
    lethe_flat flat;
    if (p->factor == 0)
        return LETHE_OK;
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    for (uint32_t t = 0; t < flat.n_tensors; t++)
        for (uint64_t i = 0; i < flat.tensor[t].n; i++)
            flat.tensor[t].g[i] +=
                (float)(p->factor * (double)(flat.tensor[t].w[i] - p->original.tensor[t].w[i]));
    return LETHE_OK;
}

static lethe_status neggrad_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    double a = lethe_real(ctx, P_A);
    lethe_model *start = NULL;
    struct pull pull = {.factor = a * lethe_real(ctx, P_PULL)};
    lethe_companion forget = {.view = job->forget,
                              .stream = "shuffle-forget",
                              .batch = (uint32_t)lethe_int(ctx, P_FORGET_BATCH),
                              .weight = a - 1};
    if (a == 0)
        return lethe_failf(ctx, LETHE_E_INVALID,
                           "a: 0 leaves nothing of the retain loss; "
                           "gradient-ascent does that");
    LETHE_TRY(ctx->host->model->clone(ctx, job->original, &start));
    LETHE_TRY(lethe_flat_of(ctx, start, &pull.original));
    fit.pass[0].view = job->retain;
    fit.pass[0].weight = a;
    if (a < 1) /* a pass without weight would still move batch-norm's statistics */
        fit.pass[0].beside = &forget;
    fit.before_step = add_pull;
    fit.hook_arg = &pull;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "neggrad-plus",
    .name = "NegGrad+",
    .short_name = "NegGrad+",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "descends on the retain set while climbing on the forget set",
    .doc = "NegGrad+. Each step goes down a CE(retain batch) - (1 - a) CE(forget "
           "batch), two forward passes and one step; the forget set goes round, "
           "reshuffled each time. pull adds a penalty on the distance from the "
           "original weights.\n"
           "Paper: Kurmanji et al., NeurIPS 2023. Code read: meghdadk/SCRUB 98ffb11 "
           "(a .95, 10 epochs, lr .01, no momentum, no decay, no augmentation; the "
           "notebook version: bn eval, pull = the training decay). Deviations: "
           "batches of 128 instead of 32 and 64; the repository replays the first "
           "round of forget batches for ever, here each round has an order of its "
           "own.",
    .citation = "@inproceedings{kurmanji2023towards, title={Towards Unbounded Machine "
                "Unlearning}, author={Kurmanji, Meghdad and Triantafillou, Peter and "
                "Hayes, Jamie and Triantafillou, Eleni}, booktitle={Advances in "
                "Neural Information Processing Systems}, year={2023}}",
    .url = "https://arxiv.org/abs/2302.09880",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = neggrad_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_RETAIN, 0,
             &unlearner);
