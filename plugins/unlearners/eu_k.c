/* SPDX-License-Identifier: MIT
 * eu_k.c: EU-k, exact unlearning of the last k layers. They are initialised
 * again and trained on the retain set as the suite trains its models: its
 * epochs, batch, rates, momentum, decay and augmentation, with SGD. Everything
 * in front stays bit-identical, but for the running statistics where bn is
 * train.
 * Paper: Goel et al., arXiv 2201.06640. Code read: meghdadk/SCRUB 98ffb11.
 * Deviations: k counts convolutions and linear layers, the repository counts
 * blocks of its networks; a suite that trains with another optimiser than SGD
 * gets SGD here. */
#include <lethe/lethe.h>

enum { P_K, P_EPOCHS, P_BN };

static const lethe_param params[] = {
    LETHE_INT("k", 2, 1, 100000, "layers", "convolutions and linear layers that start anew"),
    LETHE_INT("epochs", 0, 0, 100000, "epochs", "0: as many as the suite's training has"),
    LETHE_CHOICE("bn", LETHE_BN_TRAIN, lethe_bn_modes_,
                 "batch-norm: statistics of the batch (train) or the running ones, kept (eval)"),
};

/* Weights where the mask (number of weights) has a 1 are taken from `fresh`. */
static lethe_status start_anew(lethe_ctx *ctx, lethe_model *model, lethe_model *fresh,
                               const uint8_t *mask)
{
    lethe_flat to, from;
    LETHE_TRY(lethe_flat_of(ctx, model, &to));
    LETHE_TRY(lethe_flat_of(ctx, fresh, &from));
    for (uint32_t t = 0; t < to.n_tensors; t++)
        for (uint64_t i = 0; i < to.tensor[t].n; i++)
            if (*mask++)
                to.tensor[t].w[i] = from.tensor[t].w[i];
    return LETHE_OK;
}

static lethe_status eu_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_recipe recipe = {.struct_size = sizeof recipe};
    lethe_model *fresh = NULL;
    uint8_t *mask = NULL;
    LETHE_TRY(ctx->host->recipe->get(ctx, &recipe));
    LETHE_TRY(lethe_last_layers_mask(ctx, job->model, (uint32_t)lethe_int(ctx, P_K), &mask));
    LETHE_TRY(ctx->host->model->fresh(ctx, job->original, "eu-k", &fresh));
    LETHE_TRY(start_anew(ctx, job->model, fresh, mask));
    lethe_fit_opts fit = {.model = job->model,
                          .pass = {{.view = job->retain}},
                          .epochs = (uint32_t)lethe_int(ctx, P_EPOCHS),
                          .batch = recipe.batch,
                          .lr = recipe.lr,
                          .momentum = recipe.momentum,
                          .weight_decay = recipe.weight_decay,
                          .rate = ctx->host->recipe->rate,
                          .bn_eval = lethe_choice(ctx, P_BN) == LETHE_BN_EVAL,
                          .restore = 1,
                          .mask = mask};
    fit.epochs = fit.epochs ? fit.epochs : recipe.epochs;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "eu-k",
    .name = "EU-k",
    .short_name = "EU-k",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "retrains the last k layers from scratch on the retain set",
    .doc = "EU-k, exact unlearning of the last k layers. They are initialised again "
           "and trained on the retain set as the suite trains its models: its epochs, "
           "batch, rates, momentum, decay and augmentation, with SGD. Everything in "
           "front stays bit-identical, but for the running statistics where bn is "
           "train.\n"
           "Paper: Goel et al., arXiv 2201.06640. Code read: meghdadk/SCRUB 98ffb11. "
           "Deviations: k counts convolutions and linear layers, the repository "
           "counts blocks of its networks; a suite that trains with another optimiser "
           "than SGD gets SGD here.",
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
    .run = eu_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_RECIPE | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0,
             &unlearner);
