/* SPDX-License-Identifier: MIT
 * fgsm.c: the fast gradient sign method. One step of size eps along the sign of
 * the loss gradient, back into the box: x + eps sign(grad), or x - eps sign(grad)
 * of the loss of a target class. discretize rounds the result to 8-bit pixels
 * (half to even), as the helper of AMUN's and Boundary Shrink's code does.
 * Paper: Goodfellow, Shlens, Szegedy, ICLR 2015. Code read:
 * Harry24k/adversarial-attacks-pytorch fgsm.py, Ali-E/AMUN 9e341a9 helper.py.
 * Deviations: the gradient is that of the sample's own loss, not of the batch's
 * mean, so that tiny gradients do not underflow; rounding may leave the ball by
 * half a pixel step, which the reported radius includes. */
#include <lethe/lethe.h>
#include <lethe/perturb.h>

enum { P_EPS = 0, P_DISCRETIZE };

static const lethe_param params[] = {
    LETHE_REAL("eps", 8.0 / 255, 0, 1e3, "Linf pixels", "step; pixels are in [0, 1]"),
    LETHE_BOOL("discretize", 0, "round the result to multiples of 1/255"),
};

static float moved(float x, float g, float eps, const lethe_example_job *job, int discretize)
{
    float lo = (float)job->box_lo, hi = (float)job->box_hi;
    float v = x + eps * (float)((g > 0) - (g < 0));
    v = v < lo ? lo : v > hi ? hi : v;
    return discretize ? (float)(nearbyint((double)v * 255) / 255) : v;
}

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    uint32_t c = job->n_classes;
    float eps = (float)lethe_real(ctx, P_EPS) * (job->target ? -1 : 1);
    int discretize = lethe_bool(ctx, P_DISCRETIZE);
    const int32_t *goal = NULL;
    lethe_batch batch = *clean;
    size_t size = lethe_pixels_of(clean);
    float *logits = lethe_alloc(ctx, (uint64_t)clean->n * c, sizeof *logits);
    float *gradient = lethe_alloc(ctx, (uint64_t)clean->n * size, sizeof *gradient);
    if (!logits || !gradient)
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_check_goals(ctx, job, clean, &goal));
    LETHE_TRY(ctx->host->model->forward(ctx, job->model, clean, LETHE_EVAL, logits));
    for (uint32_t i = 0; i < clean->n; i++)
        lethe_logit_gradient(logits + (size_t)i * c, c, goal[i]);
    LETHE_TRY(ctx->host->model->input_gradient(ctx, job->model, logits, gradient));
    for (size_t p = 0; p < clean->n * size; p++)
        out->x[p] = moved(clean->x[p], gradient[p], eps, job, discretize);
    batch.x = out->x;
    LETHE_TRY(ctx->host->model->forward(ctx, job->model, &batch, LETHE_EVAL, logits));
    for (uint32_t i = 0; i < clean->n; i++) {
        out->found[i] = (lethe_class_of(logits + (size_t)i * c, c) == goal[i]) == !!job->target;
        out->radius[i] = (float)lethe_real(ctx, P_EPS) + (discretize ? 0.5f / 255 : 0);
        out->steps[i] = 1;
    }
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "fgsm",
    .name = "Fast gradient sign method",
    .short_name = "FGSM",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "one step along the sign of the loss gradient",
    .doc = "The fast gradient sign method. One step of size eps along the sign of the loss "
           "gradient, back into the box: x + eps sign(grad), or x - eps sign(grad) of the loss of "
           "a target class. discretize rounds the result to 8-bit pixels (half to even), as the "
           "helper of AMUN's and Boundary Shrink's code does.\n"
           "Paper: Goodfellow, Shlens, Szegedy, ICLR 2015. Code read: "
           "Harry24k/adversarial-attacks-pytorch fgsm.py, Ali-E/AMUN 9e341a9 helper.py. "
           "Deviations: the gradient is that of the sample's own loss, not of the batch's mean, so "
           "that tiny gradients do not underflow; rounding may leave the ball by half a pixel "
           "step, which the reported radius includes.",
    .citation = "@inproceedings{goodfellow2015explaining, title={Explaining and Harnessing "
                "Adversarial Examples}, author={Goodfellow, Ian J. and Shlens, Jonathon and "
                "Szegedy, Christian}, booktitle={International Conference on Learning "
                "Representations}, year={2015}}",
    .url = "https://arxiv.org/abs/1412.6572",
};
static const lethe_example_attack attack = {
    .struct_size = sizeof(lethe_example_attack),
    .norm = LETHE_NORM_LINF,
    .perturb = perturb,
};
LETHE_SINGLE(LETHE_KIND_EXAMPLE_ATTACK, &info, params, LETHE_COUNT(params), LETHE_CAP_GRADIENTS, 0,
             &attack);
