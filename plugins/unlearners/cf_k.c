/* SPDX-License-Identifier: MIT
 * cf_k.c: CF-k, catastrophic forgetting of the last k layers. Fine-tuning on the
 * retain set that trains only the last k layers with weights; a batch-norm
 * belongs to the layer before it. Everything in front stays bit-identical, but
 * for the running statistics where bn is train.
 * Paper: Goel et al., arXiv 2201.06640. Code read: meghdadk/SCRUB 98ffb11 (10
 * epochs, lr .01, no momentum, no decay, no augmentation). Deviations: batch
 * 128; k counts convolutions and linear layers, the repository counts blocks of
 * its networks. */
#include <lethe/lethe.h>

enum { P_K = LETHE_FIT_N };

static const lethe_param params[] = {
    LETHE_FIT_TABLE(10, 0.01, "0.1,0.03,0.01,0.003", 128, 0, 0, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_SGD, LETHE_BN_TRAIN, 0),
    LETHE_INT("k", 2, 1, 100000, "layers",
              "convolutions and linear layers that train, from the end"),
};

static lethe_status cf_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    uint8_t *mask = NULL;
    LETHE_TRY(lethe_last_layers_mask(ctx, job->model, (uint32_t)lethe_int(ctx, P_K), &mask));
    fit.mask = mask;
    fit.restore = 1;
    fit.pass[0].view = job->retain;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "cf-k",
    .name = "CF-k",
    .short_name = "CF-k",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "fine-tunes the last k layers on the retain set",
    .doc = "CF-k, catastrophic forgetting of the last k layers. Fine-tuning on the "
           "retain set that trains only the last k layers with weights; a batch-norm "
           "belongs to the layer before it. Everything in front stays bit-identical, "
           "but for the running statistics where bn is train.\n"
           "Paper: Goel et al., arXiv 2201.06640. Code read: meghdadk/SCRUB 98ffb11 "
           "(10 epochs, lr .01, no momentum, no decay, no augmentation). Deviations: "
           "batch 128; k counts convolutions and linear layers, the repository counts "
           "blocks of its networks.",
    .citation = "@article{goel2022towards, title={Towards Adversarial Evaluations for "
                "Inexact Machine Unlearning}, author={Goel, Shashwat and Prabhu, "
                "Ameya and Sanyal, Amartya and Lim, Ser-Nam and Torr, Philip and "
                "Kumaraguru, Ponnurangam}, journal={arXiv preprint arXiv:2201.06640}, "
                "year={2022}}",
    .url = "https://arxiv.org/abs/2201.06640",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = cf_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
