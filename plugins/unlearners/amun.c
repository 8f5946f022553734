/* SPDX-License-Identifier: MIT
 * amun.c: AMUN, Adversarial Machine UNlearning. SGD on cross-entropy, from the
 * original weights, over the nearest adversarial examples of the forget set with
 * the labels the original model gives them. retain and forget add those sets
 * with their true labels; all are shuffled together, adversarial examples never
 * augmented.
 * Paper: Ebrahimpour-Boroojeny et al., ICML 2025. Code read: Ali-E/AMUN 9e341a9:
 * method amun = forget: true, advonly = forget: false, amun_sa = mask_ratio: 0.5
 * with mask_leaky. Deviations: a constant rate by default (preset repo: tenfold
 * drops); samples without an adversarial example inside the capped search are
 * left out; later requests attack the current model. */
#include <lethe/lethe.h>

enum { P_RETAIN = LETHE_FIT_N, P_FORGET, P_EPS, P_STEPS, P_DOUBLINGS, P_WARM };
enum { P_ABLATION = P_WARM + 1, P_MODEL, P_MASK, P_LEAKY, P_PRESET };

static const char *const ablations[] = {"none",         "random-labels",     "noise",   "clean",
                                        "clean-random", "clean-adversarial", "scratch", NULL};
static const char *const attacked[] = {"current", "original", NULL}, *const presets[] = {
                                                                         "none", "repo", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.01, "0.1,0.05,0.01,0.005,0.001,1e-4,1e-5"),
    LETHE_BOOL("retain", 1, "train on the retain set too"),
    LETHE_BOOL("forget", 1, "train on the forget set with its true labels too"),
    LETHE_REAL("attack_eps", 0.04, 1e-6, 1e3, "L2 pixels", "first radius of the search"),
    LETHE_INT("attack_steps", 50, 1, 100000, "steps", "gradient steps per radius"),
    LETHE_INT("attack_max_doublings", 12, 0, 40, "", "doublings of the radius before giving up"),
    LETHE_BOOL("attack_warm_start", 1, "keep the iterate when the radius doubles"),
    LETHE_CHOICE("ablation", 0, ablations,
                 "what replaces the adversarial set (1 to 6 in the code)"),
    LETHE_CHOICE("attack_model", 0, attacked, "later requests: the model to attack"),
    LETHE_MASK_PARAMS(1),
    LETHE_CHOICE("preset", 0, presets, "repo: the rate drops tenfold each epoch"),
};
static const lethe_preset repo[] = {LETHE_PRESET_INT(1, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_STEP)};
static const char *const settings[] = {"eps=$attack_eps", "steps=$attack_steps",
                                       "max_doublings=$attack_max_doublings",
                                       "warm_start=$attack_warm_start", NULL};
static const lethe_attack_use attacks[] = {{sizeof attacks[0], 0, "pgd-l2-nearest", settings}};

static lethe_status amun_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    return lethe_check_retain(ctx, lethe_bool(ctx, P_RETAIN), job->retain);
}

/* The declared set, or an attack now: of all samples, or on the model of a later request. */
static lethe_status amun_set(lethe_ctx *ctx, const lethe_forget_job *job, const lethe_view *view,
                             lethe_adversarial *ret)
{
    if (view == job->forget && (job->request == 0 || lethe_choice(ctx, P_MODEL) == 1))
        return ctx->host->attack->declared(ctx, 0, ret);
    return lethe_attack_now(ctx, attacks, params, LETHE_COUNT(params), job->original, view, ret);
}

static lethe_status amun_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, repo, 1));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    lethe_slot slot = {.kind = (int32_t)lethe_choice(ctx, P_ABLATION),
                       .n_classes = ctx->host->model->n_classes(ctx, job->model)};
    const lethe_view *of = job->forget, *source[3] = {job->retain, of};
    int n = 0, scratch = slot.kind == LETHE_SLOT_SCRATCH;
    if (scratch) {
        LETHE_TRY(ctx->host->data->concat(ctx, source, 2, &of));
        LETHE_TRY(ctx->host->model->fresh(ctx, job->original, "scratch", &fit.model));
    } else if (lethe_bool(ctx, P_RETAIN))
        source[n++] = job->retain;
    if (lethe_bool(ctx, P_FORGET))
        source[n++] = job->forget;
    slot.set.struct_size = sizeof slot.set;
    LETHE_TRY(amun_set(ctx, job, of, &slot.set));
    LETHE_TRY(lethe_slot_view(ctx, &slot, of, &source[n++]));
    LETHE_TRY(ctx->host->data->concat(ctx, source, (uint32_t)n, &fit.pass[0].view));
    LETHE_TRY(lethe_fit_mask(ctx, P_MASK, job->forget, &fit));
    fit.before_epoch = lethe_slot_epoch;
    fit.hook_arg = &slot;
    LETHE_TRY(lethe_fit(ctx, &fit));
    return scratch ? ctx->host->model->copy(ctx, job->model, fit.model) : LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "amun",
    .name = "AMUN",
    .short_name = "AMUN",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "trains on the nearest adversarial examples of the forget set",
    .doc = "AMUN, Adversarial Machine UNlearning. SGD on cross-entropy, from the "
           "original weights, over the nearest adversarial examples of the forget set "
           "with the labels the original model gives them. retain and forget add "
           "those sets with their true labels; all are shuffled together, adversarial "
           "examples never augmented.\n"
           "Paper: Ebrahimpour-Boroojeny et al., ICML 2025. Code read: Ali-E/AMUN "
           "9e341a9: method amun = forget: true, advonly = forget: false, amun_sa = "
           "mask_ratio: 0.5 with mask_leaky. Deviations: a constant rate by default "
           "(preset repo: tenfold drops); samples without an adversarial example "
           "inside the capped search are left out; later requests attack the current "
           "model.",
    .citation = "@inproceedings{ebrahimpour2025amun, title={Not All Wrong is Bad: "
                "Using Adversarial Examples for Unlearning}, "
                "author={Ebrahimpour-Boroojeny, Ali and Sundaram, Hari and "
                "Chandrasekaran, Varun}, booktitle={ICML}, pages={14950--14971}, "
                "year={2025}}",
    .url = "https://proceedings.mlr.press/v267/ebrahimpour-boroojeny25a.html",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .n_attacks = 1,
    .attack_stride = sizeof(lethe_attack_use),
    .attacks = attacks,
    .check = amun_check,
    .run = amun_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_ATTACK,
             LETHE_CAP_RETAIN, &unlearner);
