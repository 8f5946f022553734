/* SPDX-License-Identifier: MIT
 * retrain.c: retraining from scratch, the exact answer that the others
 * approximate. A freshly initialised model, statistics included, is trained on
 * the retain set by the recipe of the suite; the last epoch is the answer. The
 * forget set is never read.
 * Code read: Ali-E/AMUN 9e341a9, OPTML-Group/Unlearn-Saliency a6e89fd,
 * if-loops/selective-synaptic-dampening cdfdc0e. Deviations: no epoch is chosen
 * on held-out data (Unlearn-Saliency does); everything is initialised again
 * (selective-synaptic-dampening resets only the last layer). In class scenarios
 * the forgotten class keeps its output. */
#include <lethe/lethe.h>

static lethe_status retrain_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    const lethe_host *host = ctx->host;
    lethe_model *fresh = NULL;
    LETHE_TRY(host->model->fresh(ctx, job->original, "retrain", &fresh));
    LETHE_TRY(host->recipe->train(ctx, fresh, job->retain));
    LETHE_TRY(lethe_check_weights(ctx, fresh));
    return host->model->copy(ctx, job->model, fresh);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "retrain",
    .name = "Retrain",
    .short_name = "Retrain",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "training from scratch on the retain set, by the suite's recipe",
    .doc = "Retraining from scratch, the exact answer that the others approximate. A freshly "
           "initialised model, statistics included, is trained on the retain set by the recipe of "
           "the suite; the last epoch is the answer. The forget set is never read.\n"
           "Code read: Ali-E/AMUN 9e341a9, OPTML-Group/Unlearn-Saliency a6e89fd, "
           "if-loops/selective-synaptic-dampening cdfdc0e. Deviations: no epoch is chosen on "
           "held-out data (Unlearn-Saliency does); everything is initialised again "
           "(selective-synaptic-dampening resets only the last layer). In class scenarios the "
           "forgotten class keeps its output.",
    .citation = "",
    .url = "",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = retrain_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, NULL, 0,
             LETHE_CAP_RETAIN | LETHE_CAP_RECIPE | LETHE_CAP_WEIGHTS, 0, &unlearner);
