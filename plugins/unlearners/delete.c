/* SPDX-License-Identifier: MIT
 * delete.c: DELETE, decoupled distillation to erase. Each sample of the forget
 * set is trained on the original model's own distribution over the other
 * classes, its logit of the true class removed: forgetting pushes that class to
 * nothing, and what the original knows of the rest is kept. No retain set is
 * read.
 * Paper: Zhou et al., CVPR 2025. Code read: shaaaaron/DELETE 60018a1 (20 epochs,
 * lr 1e-4, SGD .9, no decay, batch 128). Deviations: bn is eval by default,
 * since batches of one class spoil the running statistics (preset repo: train);
 * all forgotten classes are hidden, the repository hides a sample's own only
 * (hide: own). */
#include <lethe/lethe.h>

enum { P_HIDE = LETHE_FIT_N, P_PRESET };
enum { HIDE_ALL = 0, HIDE_OWN };
enum { PRESET_NONE = 0, PRESET_REPO };

static const char *const hides[] = {"all", "own", NULL};
static const char *const presets[] = {"none", "repo", NULL};
static const lethe_param params[] = {
    LETHE_FIT_TABLE(20, 1e-4, "3e-2,1e-2,3e-3,1e-3,3e-4,1e-4", 128, 0.9, 0, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_SGD, LETHE_BN_EVAL, 1),
    LETHE_CHOICE("hide", HIDE_ALL, hides, "classes that targets must not have"),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "repo: statistics of the batch, hide: own"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_REPO, LETHE_FIT_BN, LETHE_BN_TRAIN),
    LETHE_PRESET_INT(PRESET_REPO, P_HIDE, HIDE_OWN),
};

static lethe_status delete_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                                 LETHE_COUNT(preset_values)));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    lethe_tilting tilting = {.teacher = {.teacher = job->original},
                             .hide_all = lethe_choice(ctx, P_HIDE) == HIDE_ALL,
                             .omega = 1};
    LETHE_TRY(lethe_forgotten_classes(ctx, job->forget_classes, job->n_forget_classes,
                                      ctx->host->model->n_classes(ctx, job->model),
                                      &tilting.forgotten));
    fit.pass[0] =
        (lethe_pass){.view = job->forget, .loss = lethe_tilting_loss, .loss_arg = &tilting};
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "delete",
    .name = "DELETE",
    .short_name = "DELETE",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "distils the original model without the forgotten class",
    .doc = "DELETE, decoupled distillation to erase. Each sample of the forget set is "
           "trained on the original model's own distribution over the other classes, "
           "its logit of the true class removed: forgetting pushes that class to "
           "nothing, and what the original knows of the rest is kept. No retain set "
           "is read.\n"
           "Paper: Zhou et al., CVPR 2025. Code read: shaaaaron/DELETE 60018a1 (20 "
           "epochs, lr 1e-4, SGD .9, no decay, batch 128). Deviations: bn is eval by "
           "default, since batches of one class spoil the running statistics (preset "
           "repo: train); all forgotten classes are hidden, the repository hides a "
           "sample's own only (hide: own).",
    .citation = "@inproceedings{zhou2025delete, title={Decoupled Distillation to "
                "Erase: A General Unlearning Method for Any Class-centric Tasks}, "
                "author={Zhou, Yu and Zheng, Dian and Mo, Qijie and Lu, Renjie and "
                "Lin, Kun-Yu and Zheng, Wei-Shi}, booktitle={IEEE/CVF Conference on "
                "Computer Vision and Pattern Recognition}, year={2025}}",
    .url = "https://arxiv.org/abs/2503.23751",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_CLASS,
    .run = delete_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
