/* SPDX-License-Identifier: MIT
 * salun.c: SalUn, saliency unlearning: random labels that train only the salient
 * weights. A weight is salient when it is among the share mask_ratio of all
 * weights with the largest absolute sum of the forget batches' mean gradients at
 * the original model, in evaluation mode. The others are put back after every
 * step, so that decay and momentum do not move them; mask_leaky: true masks
 * gradients only.
 * Paper: Fan et al., ICLR 2024. Code read: OPTML-Group/Unlearn-Saliency a6e89fd
 * (10 epochs, lr .013, ratio .5; preset leaky: its state before February 2026,
 * any label, forget set first), K1nght/Unified-Unlearning-w-Remain-Geometry
 * 36bb7f6 (preset sfr: lr .007, cosine, ratio .2, leaky), Ali-E/AMUN 9e341a9.
 * Deviations: labels other and order mix by default, as in random-labels, so
 * that mask_ratio: 1 is that method; batch 128 instead of 256; running
 * statistics of batch-norm are not masked, as in all three. */
#include <lethe/lethe.h>

enum { P_RELABEL = LETHE_FIT_N, P_MASK = P_RELABEL + LETHE_RELABEL_N, P_LEAKY, P_PRESET };
enum { PRESET_NONE = 0, PRESET_LEAKY, PRESET_SFR };

static const char *const presets[] = {"none", "leaky", "sfr", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.013, "0.05,0.03,0.013,0.005,0.001"),
    LETHE_RELABEL_PARAMS(LETHE_LABELS_OTHER, LETHE_REDRAW_EPOCH, LETHE_ORDER_MIX),
    LETHE_MASK_PARAMS(0.5),
    LETHE_CHOICE("preset", PRESET_NONE, presets,
                 "leaky: the repository before February 2026; sfr: the settings of SFR's authors"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_LEAKY, P_LEAKY, 1),
    LETHE_PRESET_INT(PRESET_LEAKY, P_RELABEL + LETHE_RELABEL_LABELS, LETHE_LABELS_ANY),
    LETHE_PRESET_INT(PRESET_LEAKY, P_RELABEL + LETHE_RELABEL_ORDER, LETHE_ORDER_SEQ),
    LETHE_PRESET_INT(PRESET_SFR, P_LEAKY, 1),
    LETHE_PRESET_REAL(PRESET_SFR, P_MASK, 0.2),
    LETHE_PRESET_REAL(PRESET_SFR, LETHE_FIT_LR, 0.007),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_COSINE),
    LETHE_PRESET_INT(PRESET_SFR, P_RELABEL + LETHE_RELABEL_REDRAW, LETHE_REDRAW_NEVER),
};

static lethe_status salun_preset(lethe_ctx *ctx)
{
    return lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                              LETHE_COUNT(preset_values));
}

static lethe_status salun_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    LETHE_TRY(salun_preset(ctx));
    return lethe_check_retain(ctx, lethe_bool(ctx, P_RELABEL + LETHE_RELABEL_RETAIN), job->retain);
}

static lethe_status salun_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(salun_preset(ctx));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    LETHE_TRY(lethe_fit_mask(ctx, P_MASK, job->forget, &fit));
    LETHE_TRY(lethe_fit_relabelled(ctx, P_RELABEL, job, &fit));
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "salun",
    .name = "SalUn",
    .short_name = "SalUn",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "random labels on the weights that matter most to the forget set",
    .doc = "SalUn, saliency unlearning: random labels that train only the salient "
           "weights. A weight is salient when it is among the share mask_ratio of all "
           "weights with the largest absolute sum of the forget batches' mean "
           "gradients at the original model, in evaluation mode. The others are put "
           "back after every step, so that decay and momentum do not move them; "
           "mask_leaky: true masks gradients only.\n"
           "Paper: Fan et al., ICLR 2024. Code read: OPTML-Group/Unlearn-Saliency "
           "a6e89fd (10 epochs, lr .013, ratio .5; preset leaky: its state before "
           "February 2026, any label, forget set first), "
           "K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset sfr: lr .007, "
           "cosine, ratio .2, leaky), Ali-E/AMUN 9e341a9. Deviations: labels other "
           "and order mix by default, as in random-labels, so that mask_ratio: 1 is "
           "that method; batch 128 instead of 256; running statistics of batch-norm "
           "are not masked, as in all three.",
    .citation = "@inproceedings{fan2024salun, title={SalUn: Empowering Machine "
                "Unlearning via Gradient-based Weight Saliency in Both Image "
                "Classification and Generation}, author={Fan, Chongyu and Liu, "
                "Jiancheng and Zhang, Yihua and Wong, Eric and Wei, Dennis and Liu, "
                "Sijia}, booktitle={International Conference on Learning "
                "Representations}, year={2024}}",
    .url = "https://arxiv.org/abs/2310.12508",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = salun_check,
    .run = salun_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
