/* SPDX-License-Identifier: MIT
 * amun.c: AMUN, Adversarial Machine UNlearning. SGD on cross-entropy, from the
 * original weights, over the nearest adversarial examples of the forget set with
 * the labels that the original model gives them. retain and forget add the
 * retain set and the forget set with its true labels; all sources are shuffled
 * together, and adversarial examples are never augmented.
 * Paper: Ebrahimpour-Boroojeny et al., ICML 2025. Code read: Ali-E/AMUN 9e341a9:
 * method amun = forget: true, advonly = forget: false; remain use = retain: true.
 * Deviations: a constant rate by default (repository: schedule step, step 1);
 * samples without an adversarial example inside the capped search are left out
 * of the adversarial set and counted in the log (repository: searches forever). */
#include <lethe/lethe.h>

enum { P_RETAIN = LETHE_FIT_N, P_FORGET };

static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.01, "0.1,0.05,0.01,0.005,0.001,1e-4,1e-5"),
    LETHE_BOOL("retain", 1, "train on the retain set too"),
    LETHE_BOOL("forget", 1, "train on the forget set with its true labels too"),
    LETHE_REAL("attack_eps", 0.04, 1e-6, 1e3, "L2 pixels", "first radius of the search"),
    LETHE_INT("attack_steps", 50, 1, 100000, "steps", "gradient steps per radius"),
    LETHE_INT("attack_max_doublings", 12, 0, 40, "", "doublings of the radius before giving up"),
    LETHE_BOOL("attack_warm_start", 1, "keep the iterate when the radius doubles"),
};
static const char *const attack_settings[] = {"eps=$attack_eps", "steps=$attack_steps",
                                              "max_doublings=$attack_max_doublings",
                                              "warm_start=$attack_warm_start", NULL};
static const lethe_attack_use attacks[] = {
    {sizeof(lethe_attack_use), 0, "pgd-l2-nearest", attack_settings}};

static lethe_status amun_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    if (lethe_bool(ctx, P_RETAIN) && !job->retain)
        return lethe_failf(ctx, LETHE_E_DENIED, "retain: true needs access to the retain set");
    return LETHE_OK;
}

/* The adversarial examples that were found, as a view. */
static lethe_status amun_adversarial(lethe_ctx *ctx, const lethe_view **ret_view)
{
    const lethe_data_api *data = ctx->host->data;
    lethe_adversarial set = {.struct_size = sizeof set};
    const lethe_view *all = NULL;
    uint32_t n = 0, moved = 0, *rows;
    LETHE_TRY(ctx->host->attack->declared(ctx, 0, &set));
    if (!(rows = lethe_alloc(ctx, set.n + 1ull, sizeof *rows)))
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < set.n; i++) {
        moved += set.found[i] && set.steps[i] > 0;
        if (set.found[i])
            rows[n++] = i;
    }
    lethe_logf(ctx, LETHE_LOG_INFO,
               "adversarial set: %u of %u found, %u of them misclassified from the start",
               (unsigned)n, (unsigned)set.n, (unsigned)(n - moved));
    if (n == 0 && set.n > 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "no adversarial example found; raise attack_max_doublings");
    LETHE_TRY(data->arrays(ctx, set.x, set.label, set.n, &all));
    return data->subset(ctx, all, rows, n, ret_view);
}

static lethe_status amun_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    const lethe_view *source[3];
    uint32_t n = 0;
    if (lethe_bool(ctx, P_RETAIN))
        source[n++] = job->retain;
    if (lethe_bool(ctx, P_FORGET))
        source[n++] = job->forget;
    LETHE_TRY(amun_adversarial(ctx, &source[n++]));
    LETHE_TRY(ctx->host->data->concat(ctx, source, n, &fit.pass[0].view));
    return lethe_fit(ctx, &fit);
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
    .doc =
        "AMUN, Adversarial Machine UNlearning. SGD on cross-entropy, from the original weights, "
        "over "
        "the nearest adversarial examples of the forget set with the labels that the original "
        "model "
        "gives them. retain and forget add the retain set and the forget set with its true labels; "
        "all sources are shuffled together, and adversarial examples are never augmented.\n"
        "Paper: Ebrahimpour-Boroojeny et al., ICML 2025. Code read: Ali-E/AMUN 9e341a9: method "
        "amun "
        "= forget: true, advonly = forget: false; remain use = retain: true. Deviations: a "
        "constant "
        "rate by default (repository: schedule step, step 1); samples without an adversarial "
        "example "
        "inside the capped search are left out of the adversarial set and counted in the log "
        "(repository: searches forever).",
    .citation = "@inproceedings{ebrahimpour2025amun, title={Not All Wrong is Bad: Using "
                "Adversarial Examples for Unlearning}, author={Ebrahimpour-Boroojeny, Ali and "
                "Sundaram, Hari and Chandrasekaran, Varun}, booktitle={International Conference on "
                "Machine Learning}, pages={14950--14971}, year={2025}}",
    .url = "https://proceedings.mlr.press/v267/ebrahimpour-boroojeny25a.html",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .n_attacks = LETHE_COUNT(attacks),
    .attack_stride = sizeof(lethe_attack_use),
    .attacks = attacks,
    .check = amun_check,
    .run = amun_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_ATTACK,
             LETHE_CAP_RETAIN, &unlearner);
