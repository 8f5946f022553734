/* SPDX-License-Identifier: MIT
 * finetune.c: fine-tuning. SGD on cross-entropy over the retain set, from the
 * original weights, with batch statistics and the training augmentation. The
 * forget set is never read: it fades because training goes on without it. A
 * sanity floor more than a method.
 * Paper: Warnecke et al., NDSS 2023. Code read: OPTML-Group/Unlearn-Saliency
 * a6e89fd, Ali-E/AMUN 9e341a9. Deviation: a constant rate by default; AMUN's
 * repository drops it tenfold each epoch (schedule: step, step: 1). */
#include <lethe/lethe.h>

static const lethe_param params[] = {LETHE_FIT_PARAMS(10, 0.01, "0.1,0.03,0.01,0.003,0.001")};

static lethe_status finetune_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    fit.pass[0].view = job->retain;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "finetune",
    .name = "Fine-tuning",
    .short_name = "FT",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "SGD on the retain set, from the original weights",
    .doc = "Fine-tuning. SGD on cross-entropy over the retain set, from the original weights, with "
           "batch statistics and the training augmentation. The forget set is never read: it fades "
           "because training goes on without it. A sanity floor more than a method.\n"
           "Paper: Warnecke et al., NDSS 2023. Code read: OPTML-Group/Unlearn-Saliency a6e89fd, "
           "Ali-E/AMUN 9e341a9. Deviation: a constant rate by default; AMUN's repository drops it "
           "tenfold each epoch (schedule: step, step: 1).",
    .citation = "@inproceedings{warnecke2023machine, title={Machine Unlearning of Features and "
                "Labels}, author={Warnecke, Alexander and Pirch, Lukas and Wressnegger, Christian "
                "and Rieck, Konrad}, booktitle={NDSS}, year={2023}}",
    .url = "https://arxiv.org/abs/2108.11577",
};
static const lethe_unlearner unlearner = {.struct_size = sizeof(lethe_unlearner),
                                          .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
                                          .run = finetune_run};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
