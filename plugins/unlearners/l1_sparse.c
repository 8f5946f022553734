/* SPDX-License-Identifier: MIT
 * l1_sparse.c: l1-sparse fine-tuning. SGD on the retain set over cross-entropy
 * plus gamma_e ||w||_1 of all weights, biases and batch-norm included; the
 * subgradient is sign(w), 0 at 0, part of the gradient and so of momentum. The
 * penalty of epoch e is gamma (1 - e / E), without one in the last no_penalty
 * epochs; nothing is pruned.
 * Paper: Jia et al., NeurIPS 2023. Code read: OPTML-Group/Unlearn-Sparse
 * 80ba55d, Unlearn-Saliency a6e89fd (lr .01, 10 epochs, linear decay),
 * Ali-E/AMUN 9e341a9 (preset amun: gamma 5e-4 multiplied after epoch e by 2 - 2
 * e / E, a product that grows tenfold, and a rate that drops tenfold each
 * epoch). Deviations: batch 128 instead of 256; the default gamma 5e-4 is the
 * papers', the repositories' default is meant for other methods. */
#include <lethe/lethe.h>

enum { P_GAMMA = LETHE_FIT_N, P_PENALTY, P_NO_PENALTY, P_PRESET };
enum { PENALTY_LINEAR = 0, PENALTY_COMPOUNDING, PENALTY_CONSTANT };
enum { PRESET_NONE = 0, PRESET_AMUN };

static const char *const penalties[] = {"linear", "compounding", "constant", NULL};
static const char *const presets[] = {"none", "amun", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.01, "0.1,0.03,0.01,0.003,0.001"),
    LETHE_REAL("penalty_weight", 5e-4, 0, 1, "", "gamma, the weight of ||w||_1 in the first epoch"),
    LETHE_CHOICE("penalty", PENALTY_LINEAR, penalties,
                 "linear: falls to 0; compounding: AMUN's product; constant"),
    LETHE_INT("no_penalty", 0, 0, 100000, "epochs", "last epochs without a penalty"),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "amun: compounding, rate drops each epoch"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_AMUN, P_PENALTY, PENALTY_COMPOUNDING),
    LETHE_PRESET_INT(PRESET_AMUN, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_STEP),
};

static double l1_weight(uint32_t penalty, double gamma, uint32_t epoch, uint32_t epochs,
                        uint32_t no_penalty)
{
    uint32_t with = epochs > no_penalty ? epochs - no_penalty : 0;
    if (penalty == PENALTY_LINEAR)
        return epoch < with ? gamma * (1 - (double)epoch / with) : 0;
    for (uint32_t e = 0; penalty == PENALTY_COMPOUNDING && e < epoch; e++)
        gamma *= 2 - 2.0 * e / epochs;
    return epoch < with ? gamma : 0;
}

static lethe_status add_sign(lethe_ctx *ctx, void *arg, lethe_model *model, uint32_t epoch)
{
    const lethe_fit_opts *fit = arg;
    lethe_flat flat;
    float gamma = (float)l1_weight(lethe_choice(ctx, P_PENALTY), lethe_real(ctx, P_GAMMA), epoch,
                                   fit->epochs, (uint32_t)lethe_int(ctx, P_NO_PENALTY));
    if (gamma == 0)
        return LETHE_OK;
    LETHE_TRY(lethe_flat_of(ctx, model, &flat));
    for (uint32_t t = 0; t < flat.n_tensors; t++)
        for (uint64_t i = 0; i < flat.tensor[t].n; i++) {
            float w = flat.tensor[t].w[i];
            flat.tensor[t].g[i] += gamma * (float)((w > 0) - (w < 0));
        }
    return LETHE_OK;
}

static lethe_status l1_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                                 LETHE_COUNT(preset_values)));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    fit.pass[0].view = job->retain;
    fit.before_step = add_sign;
    fit.hook_arg = &fit;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "l1-sparse",
    .name = "l1-sparse",
    .short_name = "l1-sparse",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "fine-tuning with an l1 penalty that fades",
    .doc = "l1-sparse fine-tuning. SGD on the retain set over cross-entropy plus "
           "gamma_e ||w||_1 of all weights, biases and batch-norm included; the "
           "subgradient is sign(w), 0 at 0, part of the gradient and so of momentum. "
           "The penalty of epoch e is gamma (1 - e / E), without one in the last "
           "no_penalty epochs; nothing is pruned.\n"
           "Paper: Jia et al., NeurIPS 2023. Code read: OPTML-Group/Unlearn-Sparse "
           "80ba55d, Unlearn-Saliency a6e89fd (lr .01, 10 epochs, linear decay), "
           "Ali-E/AMUN 9e341a9 (preset amun: gamma 5e-4 multiplied after epoch e by 2 "
           "- 2 e / E, a product that grows tenfold, and a rate that drops tenfold "
           "each epoch). Deviations: batch 128 instead of 256; the default gamma 5e-4 "
           "is the papers', the repositories' default is meant for other methods.",
    .citation = "@inproceedings{jia2023model, title={Model Sparsity Can Simplify "
                "Machine Unlearning}, author={Jia, Jinghan and Liu, Jiancheng and "
                "Ram, Parikshit and Yao, Yuguang and Liu, Gaowen and Liu, Yang and "
                "Sharma, Pranay and Liu, Sijia}, booktitle={Advances in Neural "
                "Information Processing Systems}, year={2023}}",
    .url = "https://arxiv.org/abs/2304.04934",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = l1_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
