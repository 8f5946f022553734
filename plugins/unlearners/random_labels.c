/* SPDX-License-Identifier: MIT
 * random_labels.c: Random labels. SGD on cross-entropy, from the original
 * weights, over the forget set with random labels and, with retain: true, the
 * retain set with its own. Labels are drawn from all classes or from all but the
 * true one, once or anew each epoch. order: mix shuffles both sets together; seq
 * trains on the forget set first, then on the retain set.
 * Paper: Golatkar et al., CVPR 2020. Code read: Ali-E/AMUN 9e341a9 (defaults;
 * preset amun: tenfold drops each epoch), OPTML-Group/Unlearn-Saliency a6e89fd
 * (preset salun: any, seq), K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6
 * (preset sfr: drawn once, cosine, lr .003), shaaaaron/DELETE 60018a1 (preset
 * delete: any, drawn once, no retain set, no decay). Deviations: "anew" means
 * once an epoch, also where a repository draws at each access. */
#include <lethe/lethe.h>

enum { P_RELABEL = LETHE_FIT_N, P_PRESET = P_RELABEL + LETHE_RELABEL_N };
enum { PRESET_NONE = 0, PRESET_AMUN, PRESET_SALUN, PRESET_SFR, PRESET_DELETE };

static const char *const presets[] = {"none", "amun", "salun", "sfr", "delete", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.01, "0.1,0.03,0.01,0.003,0.001"),
    LETHE_RELABEL_PARAMS(LETHE_LABELS_OTHER, LETHE_REDRAW_EPOCH, LETHE_ORDER_MIX),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "the settings of one of the repositories"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_AMUN, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_STEP),
    LETHE_PRESET_INT(PRESET_SALUN, P_RELABEL + LETHE_RELABEL_LABELS, LETHE_LABELS_ANY),
    LETHE_PRESET_INT(PRESET_SALUN, P_RELABEL + LETHE_RELABEL_ORDER, LETHE_ORDER_SEQ),
    LETHE_PRESET_INT(PRESET_SALUN, LETHE_FIT_BATCH, 256),
    LETHE_PRESET_INT(PRESET_SFR, P_RELABEL + LETHE_RELABEL_REDRAW, LETHE_REDRAW_NEVER),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_COSINE),
    LETHE_PRESET_REAL(PRESET_SFR, LETHE_FIT_LR, 0.003),
    LETHE_PRESET_INT(PRESET_DELETE, P_RELABEL + LETHE_RELABEL_RETAIN, 0),
    LETHE_PRESET_INT(PRESET_DELETE, P_RELABEL + LETHE_RELABEL_LABELS, LETHE_LABELS_ANY),
    LETHE_PRESET_INT(PRESET_DELETE, P_RELABEL + LETHE_RELABEL_REDRAW, LETHE_REDRAW_NEVER),
    LETHE_PRESET_REAL(PRESET_DELETE, LETHE_FIT_WEIGHT_DECAY, 0),
};

static lethe_status labels_preset(lethe_ctx *ctx)
{
    return lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                              LETHE_COUNT(preset_values));
}

static lethe_status labels_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    LETHE_TRY(labels_preset(ctx));
    return lethe_check_retain(ctx, lethe_bool(ctx, P_RELABEL + LETHE_RELABEL_RETAIN), job->retain);
}

static lethe_status labels_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(labels_preset(ctx));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    LETHE_TRY(lethe_fit_relabelled(ctx, P_RELABEL, job, &fit));
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "random-labels",
    .name = "Random labels",
    .short_name = "RL",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "trains the forget set on random labels, the retain set on its own",
    .doc = "Random labels. SGD on cross-entropy, from the original weights, over the "
           "forget set with random labels and, with retain: true, the retain set with "
           "its own. Labels are drawn from all classes or from all but the true one, "
           "once or anew each epoch. order: mix shuffles both sets together; seq "
           "trains on the forget set first, then on the retain set.\n"
           "Paper: Golatkar et al., CVPR 2020. Code read: Ali-E/AMUN 9e341a9 "
           "(defaults; preset amun: tenfold drops each epoch), "
           "OPTML-Group/Unlearn-Saliency a6e89fd (preset salun: any, seq), "
           "K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset sfr: drawn "
           "once, cosine, lr .003), shaaaaron/DELETE 60018a1 (preset delete: any, "
           "drawn once, no retain set, no decay). Deviations: \"anew\" means once an "
           "epoch, also where a repository draws at each access.",
    .citation = "@inproceedings{golatkar2020eternal, title={Eternal Sunshine of the "
                "Spotless Net: Selective Forgetting in Deep Networks}, "
                "author={Golatkar, Aditya and Achille, Alessandro and Soatto, "
                "Stefano}, booktitle={IEEE/CVF Conference on Computer Vision and "
                "Pattern Recognition}, year={2020}}",
    .url = "https://arxiv.org/abs/1911.04933",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = labels_check,
    .run = labels_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
