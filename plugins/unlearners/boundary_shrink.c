/* SPDX-License-Identifier: MIT
 * boundary_shrink.c: Boundary shrink. Each forget sample, as augmented, is
 * trained on the class that a reference model sees in its FGSM example (bound:
 * 0.1 of the pixel range, rounded to 8 bits); the clean image is what the model
 * trains on. The reference is the original model.
 * Paper: Chen et al., CVPR 2023. Code read: OPTML-Group/Unlearn-Saliency a6e89fd
 * (defaults), shaaaaron/DELETE 60018a1 (preset delete: no decay, 20 epochs),
 * Ali-E/AMUN 9e341a9 (preset amun: a retain pass before each epoch's, reference
 * renewed after it). Deviations: the rate, which Unlearn-Saliency takes from the
 * command line, is DELETE's 1e-4; AMUN's retain pass is shuffled; its renewed
 * reference has seen the first forget batch's statistics. */
#include <lethe/lethe.h>

enum { P_BOUND = LETHE_FIT_N, P_ROUND, P_REFERENCE, P_SAME, P_RETAIN, P_MASK, P_LEAKY, P_PRESET };
enum { REFERENCE_ORIGINAL = 0, REFERENCE_EPOCH };
enum { SAME_KEEP = 0, SAME_RUNNER_UP };
enum { PRESET_NONE = 0, PRESET_DELETE, PRESET_AMUN };

static const char *const references[] = {"original", "epoch", NULL};
static const char *const same_labels[] = {"keep", "runner-up", NULL};
static const char *const presets[] = {"none", "delete", "amun", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 1e-4, "1e-2,3e-3,1e-3,3e-4,1e-4"),
    LETHE_REAL("bound", 0.1, 0, 1, "pixel range", "FGSM's L-infinity step"),
    LETHE_BOOL("round", 1, "round the FGSM example to multiples of 1/255"),
    LETHE_CHOICE("reference", REFERENCE_ORIGINAL, references,
                 "model that is attacked: the original, or the current one of each epoch"),
    LETHE_CHOICE("same_label", SAME_KEEP, same_labels,
                 "where FGSM fails: train on the own label (keep), or on the second best"),
    LETHE_BOOL("retain", 0, "descend on the retain set before each epoch's forget pass"),
    LETHE_MASK_PARAMS(1),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "the settings of one of the repositories"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_REAL(PRESET_DELETE, LETHE_FIT_WEIGHT_DECAY, 0),
    LETHE_PRESET_INT(PRESET_DELETE, LETHE_FIT_EPOCHS, 20),
    LETHE_PRESET_INT(PRESET_AMUN, P_RETAIN, 1),
    LETHE_PRESET_INT(PRESET_AMUN, P_REFERENCE, REFERENCE_EPOCH),
    LETHE_PRESET_INT(PRESET_AMUN, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_STEP),
    LETHE_PRESET_REAL(PRESET_AMUN, LETHE_FIT_LR, 0.01),
};

struct shrink {
    lethe_model *student;
    const lethe_model *reference;
    lethe_model *renewed; /* the same, where it is renewed */
    int stale;
    float *z, *dz; /* (batch, c) */
    float *x, *dx; /* (batch, pixels) */
    int32_t *y;    /* (batch) */
    uint64_t samples, moved;
};

static lethe_status shrink_preset(lethe_ctx *ctx)
{
    return lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                              LETHE_COUNT(preset_values));
}

/* The class with the largest of z (c) that is not `but`; -1 excludes none. */
static int32_t best_class(const float *z, uint32_t c, int32_t but)
{
    int32_t best = but == 0 ? 1 : 0;
    for (int32_t k = 0; k < (int32_t)c; k++)
        if (k != but && z[k] > z[best])
            best = k;
    return best;
}

static lethe_status shrink_room(lethe_ctx *ctx, struct shrink *s, const lethe_batch *batch,
                                uint32_t c, uint64_t pixels)
{
    uint64_t n = (uint64_t)lethe_int(ctx, LETHE_FIT_BATCH);
    if (s->z)
        return LETHE_OK;
    n = n > batch->n ? n : batch->n;
    s->z = lethe_alloc(ctx, n * c, sizeof *s->z);
    s->dz = lethe_alloc(ctx, n * c, sizeof *s->dz);
    s->x = lethe_alloc(ctx, n * pixels, sizeof *s->x);
    s->dx = lethe_alloc(ctx, n * pixels, sizeof *s->dx);
    s->y = lethe_alloc(ctx, n, sizeof *s->y);
    return s->z && s->dz && s->x && s->dx && s->y ? LETHE_OK : LETHE_E_NOMEM;
}

/* s->x: FGSM examples of the batch. */
static lethe_status shrink_attack(lethe_ctx *ctx, struct shrink *s, const lethe_batch *batch,
                                  uint32_t c, uint64_t pixels)
{
    const lethe_model_api *api = ctx->host->model;
    float bound = (float)lethe_real(ctx, P_BOUND);
    int rounded = lethe_bool(ctx, P_ROUND);
    LETHE_TRY(api->forward(ctx, s->reference, batch, LETHE_EVAL, s->z));
    LETHE_TRY(ctx->host->loss->cross_entropy(ctx, s->z, batch->y, batch->n, c, NULL, s->dz));
    LETHE_TRY(api->input_gradient(ctx, s->reference, s->dz, s->dx));
    for (uint64_t i = 0; i < batch->n * pixels; i++) {
        float v = batch->x[i] + bound * (float)((s->dx[i] > 0) - (s->dx[i] < 0));
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        s->x[i] = rounded ? rintf(v * 255.0f) / 255.0f : v;
    }
    return LETHE_OK;
}

static lethe_status shrink_loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                const float *logits, uint32_t c, double *ret_loss, float *dlogits)
{
    struct shrink *s = arg;
    const int64_t *dim = batch->input.dim;
    uint64_t pixels = (uint64_t)(dim[0] * dim[1] * dim[2]);
    lethe_batch attacked = *batch;
    LETHE_TRY(shrink_room(ctx, s, batch, c, pixels));
    if (s->renewed && s->stale)
        LETHE_TRY(ctx->host->model->copy(ctx, s->renewed, s->student));
    s->stale = 0;
    LETHE_TRY(shrink_attack(ctx, s, batch, c, pixels));
    attacked.x = s->x;
    LETHE_TRY(ctx->host->model->forward(ctx, s->reference, &attacked, LETHE_EVAL, s->z));
    for (uint32_t i = 0; i < batch->n; i++) {
        const float *z = s->z + (uint64_t)i * c;
        s->y[i] = best_class(z, c, -1);
        s->moved += s->y[i] != batch->y[i];
        if (s->y[i] == batch->y[i] && lethe_choice(ctx, P_SAME) == SAME_RUNNER_UP)
            s->y[i] = best_class(z, c, batch->y[i]);
    }
    s->samples += batch->n;
    return ctx->host->loss->cross_entropy(ctx, logits, s->y, batch->n, c, ret_loss, dlogits);
}

static lethe_status shrink_epoch(lethe_ctx *ctx, void *arg, lethe_model *model, uint32_t epoch)
{
    ((struct shrink *)arg)->stale = 1;
    return LETHE_OK;
}

static lethe_status shrink_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    LETHE_TRY(shrink_preset(ctx));
    return lethe_check_retain(ctx, lethe_bool(ctx, P_RETAIN), job->retain);
}

static lethe_status shrink_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(shrink_preset(ctx));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    struct shrink s = {.student = job->model, .reference = job->original};
    lethe_pass *pass = fit.pass;
    if (lethe_choice(ctx, P_REFERENCE) == REFERENCE_EPOCH) {
        LETHE_TRY(ctx->host->model->clone(ctx, job->original, &s.renewed));
        s.reference = s.renewed;
    }
    if (lethe_bool(ctx, P_RETAIN))
        (pass++)->view = job->retain;
    *pass = (lethe_pass){.view = job->forget, .loss = shrink_loss, .loss_arg = &s};
    fit.before_epoch = shrink_epoch;
    fit.hook_arg = &s;
    LETHE_TRY(lethe_fit_mask(ctx, P_MASK, job->forget, &fit));
    LETHE_TRY(lethe_fit(ctx, &fit));
    lethe_logf(ctx, LETHE_LOG_INFO, "FGSM moved %llu of %llu samples to another class",
               (unsigned long long)s.moved, (unsigned long long)s.samples);
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "boundary-shrink",
    .name = "Boundary shrink",
    .short_name = "BS",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "moves forget samples to the class across the nearest boundary",
    .doc = "Boundary shrink. Each forget sample, as augmented, is trained on the "
           "class that a reference model sees in its FGSM example (bound: 0.1 of the "
           "pixel range, rounded to 8 bits); the clean image is what the model trains "
           "on. The reference is the original model.\n"
           "Paper: Chen et al., CVPR 2023. Code read: OPTML-Group/Unlearn-Saliency "
           "a6e89fd (defaults), shaaaaron/DELETE 60018a1 (preset delete: no decay, 20 "
           "epochs), Ali-E/AMUN 9e341a9 (preset amun: a retain pass before each "
           "epoch's, reference renewed after it). Deviations: the rate, which "
           "Unlearn-Saliency takes from the command line, is DELETE's 1e-4; AMUN's "
           "retain pass is shuffled; its renewed reference has seen the first forget "
           "batch's statistics.",
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
    .check = shrink_check,
    .run = shrink_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
