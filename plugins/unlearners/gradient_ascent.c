/* SPDX-License-Identifier: MIT
 * gradient_ascent.c: gradient ascent. SGD climbs the cross-entropy of the forget
 * set, from the original weights, with the training augmentation. With retain:
 * true each epoch first descends on the retain set in its own order, with the
 * same optimiser (AMUN's variant). The loss has no upper bound: rates are tiny,
 * and a run that reaches NaN fails.
 * Paper: Thudi et al., EuroS&P 2022. Code read: OPTML-Group/Unlearn-Saliency
 * a6e89fd and Unlearn-Sparse 80ba55d (defaults: 5 epochs, lr 1e-4), Ali-E/AMUN
 * 9e341a9 (retain: true), K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6
 * (bn: eval, clip_norm: 0.1, 9 epochs). Deviations: batch 128 instead of 256;
 * with bn: eval a dropout layer stays active. */
#include <lethe/lethe.h>

enum { P_RETAIN = LETHE_FIT_N, P_BN, P_CLIP };

static const char *const bn_modes[] = {"train", "eval", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(5, 1e-4, "1e-3,3e-4,1e-4,3e-5,1e-5"),
    LETHE_BOOL("retain", 0, "descend on the retain set before the ascent of each epoch"),
    LETHE_CHOICE("bn", 0, bn_modes,
                 "batch-norm: statistics of the batch (train) or the running ones, kept (eval)"),
    LETHE_REAL("clip_norm", 0, 0, 1e6, "", "largest L2 norm of a step's gradient; 0: no limit"),
};

static lethe_status ascent_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    if (lethe_bool(ctx, P_RETAIN) && !job->retain)
        return lethe_failf(ctx, LETHE_E_DENIED, "retain: true needs access to the retain set");
    return LETHE_OK;
}

static lethe_status ascent_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    lethe_pass *pass = fit.pass;
    if (lethe_bool(ctx, P_RETAIN)) {
        pass->view = job->retain;
        pass->ordered = 1;
        pass++;
    }
    pass->view = job->forget;
    pass->ascend = 1;
    fit.bn_eval = lethe_choice(ctx, P_BN) == 1;
    fit.clip_norm = lethe_real(ctx, P_CLIP);
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "gradient-ascent",
    .name = "Gradient ascent",
    .short_name = "GA",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "climbs the loss of the forget set",
    .doc = "Gradient ascent. SGD climbs the cross-entropy of the forget set, from the original "
           "weights, with the training augmentation. With retain: true each epoch first descends "
           "on the retain set in its own order, with the same optimiser (AMUN's variant). The loss "
           "has no upper bound: rates are tiny, and a run that reaches NaN fails.\n"
           "Paper: Thudi et al., EuroS&P 2022. Code read: OPTML-Group/Unlearn-Saliency a6e89fd and "
           "Unlearn-Sparse 80ba55d (defaults: 5 epochs, lr 1e-4), Ali-E/AMUN 9e341a9 (retain: "
           "true), K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (bn: eval, clip_norm: 0.1, "
           "9 epochs). Deviations: batch 128 instead of 256; with bn: eval a dropout layer stays "
           "active.",
    .citation = "@inproceedings{thudi2022unrolling, title={Unrolling SGD: Understanding Factors "
                "Influencing Machine Unlearning}, author={Thudi, Anvith and Deza, Gabriel and "
                "Chandrasekaran, Varun and Papernot, Nicolas}, booktitle={IEEE European Symposium "
                "on Security and Privacy}, pages={303--319}, year={2022}}",
    .url = "https://doi.org/10.1109/EuroSP53844.2022.00027",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = ascent_check,
    .run = ascent_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
