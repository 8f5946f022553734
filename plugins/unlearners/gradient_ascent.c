/* SPDX-License-Identifier: MIT
 * gradient_ascent.c: Gradient ascent. SGD climbs the cross-entropy of the forget
 * set, from the original weights, with the training augmentation. With retain:
 * true each epoch first descends on the retain set, with the same optimiser
 * (AMUN's variant). The loss has no upper bound: rates are tiny, and a run that
 * reaches NaN fails.
 * Paper: Thudi et al., EuroS&P 2022. Code read: OPTML-Group/Unlearn-Saliency
 * a6e89fd and Unlearn-Sparse 80ba55d (defaults: 5 epochs, lr 1e-4), Ali-E/AMUN
 * 9e341a9 (preset amun), K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6
 * (preset sfr: bn eval, clip_norm 0.1, 9 epochs). Deviations: batch 128 instead
 * of 256; with bn: eval a dropout layer stays active; AMUN's retain pass is in
 * data order unless shuffle_retain is set. */
#include <lethe/lethe.h>

enum { P_RETAIN = LETHE_FIT_N, P_SHUFFLE, P_MASK, P_LEAKY, P_PRESET };
enum { PRESET_NONE = 0, PRESET_AMUN, PRESET_SFR };

static const char *const presets[] = {"none", "amun", "sfr", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(5, 1e-4, "1e-2,3e-3,1e-3,3e-4,1e-4"),
    LETHE_BOOL("retain", 0, "descend on the retain set before the ascent of each epoch"),
    LETHE_BOOL("shuffle_retain", 0, "that pass is shuffled; else in the order of the data"),
    LETHE_MASK_PARAMS(1),
    LETHE_CHOICE("preset", PRESET_NONE, presets,
                 "amun: retain, rate drops tenfold an epoch; sfr: running statistics, clipping, 9 "
                 "epochs"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_AMUN, P_RETAIN, 1),
    LETHE_PRESET_INT(PRESET_AMUN, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_STEP),
    LETHE_PRESET_INT(PRESET_AMUN, LETHE_FIT_EPOCHS, 10),
    LETHE_PRESET_REAL(PRESET_AMUN, LETHE_FIT_LR, 0.01),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_BN, LETHE_BN_EVAL),
    LETHE_PRESET_REAL(PRESET_SFR, LETHE_FIT_CLIP, 0.1),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_EPOCHS, 9),
};

static lethe_status ascent_preset(lethe_ctx *ctx)
{
    return lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                              LETHE_COUNT(preset_values));
}

static lethe_status ascent_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    LETHE_TRY(ascent_preset(ctx));
    return lethe_check_retain(ctx, lethe_bool(ctx, P_RETAIN), job->retain);
}

static lethe_status ascent_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(ascent_preset(ctx));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    lethe_pass *pass = fit.pass;
    if (lethe_bool(ctx, P_RETAIN)) {
        pass->view = job->retain;
        pass->ordered = !lethe_bool(ctx, P_SHUFFLE);
        pass++;
    }
    pass->view = job->forget;
    pass->ascend = 1;
    LETHE_TRY(lethe_fit_mask(ctx, P_MASK, job->forget, &fit));
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
    .doc = "Gradient ascent. SGD climbs the cross-entropy of the forget set, from the "
           "original weights, with the training augmentation. With retain: true each "
           "epoch first descends on the retain set, with the same optimiser (AMUN's "
           "variant). The loss has no upper bound: rates are tiny, and a run that "
           "reaches NaN fails.\n"
           "Paper: Thudi et al., EuroS&P 2022. Code read: "
           "OPTML-Group/Unlearn-Saliency a6e89fd and Unlearn-Sparse 80ba55d "
           "(defaults: 5 epochs, lr 1e-4), Ali-E/AMUN 9e341a9 (preset amun), "
           "K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset sfr: bn eval, "
           "clip_norm 0.1, 9 epochs). Deviations: batch 128 instead of 256; with bn: "
           "eval a dropout layer stays active; AMUN's retain pass is in data order "
           "unless shuffle_retain is set.",
    .citation = "@inproceedings{thudi2022unrolling, title={Unrolling SGD: "
                "Understanding Factors Influencing Machine Unlearning}, "
                "author={Thudi, Anvith and Deza, Gabriel and Chandrasekaran, Varun "
                "and Papernot, Nicolas}, booktitle={IEEE European Symposium on "
                "Security and Privacy}, pages={303--319}, year={2022}}",
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
