/* SPDX-License-Identifier: MIT
 * boundary_expand.c: Boundary expand. One class is added to the last linear
 * layer, the model is trained to see it in every forget sample, and the class is
 * taken away again: its samples fall to their second best class.
 * Paper: Chen et al., CVPR 2023. Code read: OPTML-Group/Unlearn-Saliency a6e89fd
 * (new row with the framework's default initialisation, never pruned),
 * shaaaaron/DELETE 60018a1 (preset delete: no decay, 20 epochs; pruned),
 * Ali-E/AMUN 9e341a9, which expands again in every epoch and trains no head.
 * Deviations: expanded once, all weights train, pruned; the rate is DELETE's
 * 1e-4. */
#include <lethe/lethe.h>

enum { P_PRESET = LETHE_FIT_N };
enum { PRESET_NONE = 0, PRESET_DELETE };

static const char *const presets[] = {"none", "delete", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 1e-4, "1e-2,3e-3,1e-3,3e-4,1e-4"),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "delete: no decay, 20 epochs"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_REAL(PRESET_DELETE, LETHE_FIT_WEIGHT_DECAY, 0),
    LETHE_PRESET_INT(PRESET_DELETE, LETHE_FIT_EPOCHS, 20),
};

struct expand {
    int32_t *y; /* (room) the added class */
    uint32_t room;
};

static lethe_status expand_loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                const float *logits, uint32_t c, double *ret_loss, float *dlogits)
{
    struct expand *e = arg;
    if (batch->n > e->room) {
        e->y = lethe_alloc(ctx, batch->n, sizeof *e->y);
        e->room = e->y ? batch->n : 0;
        if (!e->y)
            return LETHE_E_NOMEM;
    }
    for (uint32_t i = 0; i < batch->n; i++)
        e->y[i] = (int32_t)c - 1;
    return ctx->host->loss->cross_entropy(ctx, logits, e->y, batch->n, c, ret_loss, dlogits);
}

static lethe_status expand_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                                 LETHE_COUNT(preset_values)));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    struct expand e = {NULL, 0};
    fit.pass[0] = (lethe_pass){.view = job->forget, .loss = expand_loss, .loss_arg = &e};
    LETHE_TRY(ctx->host->model->expand(ctx, job->original, 1, "expand", &fit.model));
    LETHE_TRY(lethe_fit(ctx, &fit));
    return ctx->host->model->prune(ctx, job->model, fit.model);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "boundary-expand",
    .name = "Boundary expand",
    .short_name = "BE",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "teaches a class of its own to the forget set, then drops it",
    .doc = "Boundary expand. One class is added to the last linear layer, the model "
           "is trained to see it in every forget sample, and the class is taken away "
           "again: its samples fall to their second best class.\n"
           "Paper: Chen et al., CVPR 2023. Code read: OPTML-Group/Unlearn-Saliency "
           "a6e89fd (new row with the framework's default initialisation, never "
           "pruned), shaaaaron/DELETE 60018a1 (preset delete: no decay, 20 epochs; "
           "pruned), Ali-E/AMUN 9e341a9, which expands again in every epoch and "
           "trains no head. Deviations: expanded once, all weights train, pruned; the "
           "rate is DELETE's 1e-4.",
    .citation = "@inproceedings{chen2023boundary, title={Boundary Unlearning: Rapid "
                "Forgetting of Deep Networks via Shifting the Decision Boundary}, "
                "author={Chen, Min and Gao, Weizhuo and Liu, Gaoyang and Peng, Kai "
                "and Wang, Chen}, booktitle={IEEE/CVF Conference on Computer Vision "
                "and Pattern Recognition}, year={2023}}",
    .url = "https://arxiv.org/abs/2303.11570",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = expand_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
