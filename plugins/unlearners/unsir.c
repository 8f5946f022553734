/* SPDX-License-Identifier: MIT
 * unsir.c: UNSIR. Images of noise are trained to have the largest loss for the
 * forgotten class, with a penalty on their norm. Impair: the model trains on
 * copies of them with that class's label and on some samples of each other
 * class. Repair: on those samples alone, with a fresh optimiser.
 * Paper: Tarun et al., TNNLS 2023. Code read:
 * if-loops/selective-synaptic-dampening cdfdc0e (32 images, 25 Adam steps at .1,
 * 80 copies, 500 samples of each class, the first ones; impair with batches of
 * 32, repair with 128, Adam 1e-4, one epoch each). Deviations: noise starts as
 * N(0, 1) in pixels, not in normalised ones; with several forgotten classes each
 * has noise of its own; running statistics stay while noise is trained, and its
 * gradients do not leak into the first step (preset repo: both as in the
 * repository). */
#include <lethe/lethe.h>

enum { P_SAMPLES = LETHE_FIT_N, P_IMPAIR_BATCH, P_NOISE, P_NOISE_STEPS, P_NOISE_LR, P_COPIES };
enum { P_PENALTY = P_COPIES + 1, P_NOISE_BN, P_PRESET };
enum { PRESET_NONE = 0, PRESET_REPO };

static const char *const presets[] = {"none", "repo", NULL};
static const lethe_param params[] = {
    LETHE_FIT_TABLE(1, 1e-4, "1e-2,3e-3,1e-3,3e-4,1e-4", 128, 0.9, 0, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_ADAM, LETHE_BN_TRAIN, 0),
    LETHE_INT("samples", 500, 1, 1000000, "samples", "of each class that is kept"),
    LETHE_INT("impair_batch", 32, 1, 65536, "samples", "batch of the impair phase"),
    LETHE_INT("noise", 32, 1, 65536, "images", "images of noise for a class"),
    LETHE_INT("noise_steps", 25, 0, 100000, "steps", "Adam steps on the noise"),
    LETHE_REAL("noise_lr", 0.1, 0, 1000, "", "their rate"),
    LETHE_INT("copies", 80, 1, 65536, "", "how often each image of noise is shown"),
    LETHE_REAL("noise_penalty", 0.1, 0, 1e6, "", "weight of the images' mean squared norm"),
    LETHE_CHOICE("noise_bn", LETHE_BN_EVAL, lethe_bn_modes_,
                 "train: statistics move and gradients stay while noise is trained"),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "repo: noise_bn train"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_REPO, P_NOISE_BN, LETHE_BN_TRAIN),
};

struct noise {
    uint32_t n, c;   /* images; classes of the model */
    uint64_t pixels; /* of one */
    float *x;        /* (n, pixels) */
    float *dx;       /* (n, pixels) */
    double *m, *v;   /* (n, pixels) Adam's moments */
    float *z;        /* (n, c) */
    int32_t *y;      /* (n) */
};

/* Kingma & Ba 2015, algorithm 1, betas .9 and .999, eps 1e-8. */
static void noise_adam(struct noise *s, int step, double rate)
{
    double fix1 = 1 - pow(0.9, step), fix2 = 1 - pow(0.999, step);
    for (uint64_t i = 0; i < s->n * s->pixels; i++) {
        double g = (double)s->dx[i];
        s->m[i] = 0.9 * s->m[i] + 0.1 * g;
        s->v[i] = 0.999 * s->v[i] + 0.001 * g * g;
        s->x[i] -= (float)(rate * (s->m[i] / fix1) / (sqrt(s->v[i] / fix2) + 1e-8));
    }
}

/* Goes down -CE(noise, class) + penalty * mean ||image||^2. */
static lethe_status noise_step(lethe_ctx *ctx, lethe_model *model, struct noise *s,
                               const lethe_batch *like, int step)
{
    const lethe_model_api *api = ctx->host->model;
    int train = lethe_choice(ctx, P_NOISE_BN) == LETHE_BN_TRAIN;
    float penalty = (float)(2 * lethe_real(ctx, P_PENALTY) / s->n);
    lethe_batch batch = *like;
    batch.n = s->n;
    batch.x = s->x;
    batch.y = s->y;
    LETHE_TRY(api->forward(ctx, model, &batch, train ? LETHE_TRAIN : LETHE_EVAL, s->z));
    LETHE_TRY(ctx->host->loss->cross_entropy(ctx, s->z, s->y, s->n, s->c, NULL, s->z));
    for (uint64_t i = 0; i < (uint64_t)s->n * s->c; i++)
        s->z[i] = -s->z[i];
    LETHE_TRY(train ? api->backward(ctx, model, s->z, s->dx)
                    : api->input_gradient(ctx, model, s->z, s->dx));
    for (uint64_t i = 0; i < s->n * s->pixels; i++)
        s->dx[i] += penalty * s->x[i];
    noise_adam(s, step, lethe_real(ctx, P_NOISE_LR));
    return LETHE_OK;
}

static lethe_status noise_room(lethe_ctx *ctx, struct noise *s)
{
    uint64_t size = s->n * s->pixels;
    s->x = lethe_alloc(ctx, size, sizeof *s->x);
    s->dx = lethe_alloc(ctx, size, sizeof *s->dx);
    s->m = lethe_alloc(ctx, size, sizeof *s->m);
    s->v = lethe_alloc(ctx, size, sizeof *s->v);
    s->z = lethe_alloc(ctx, (uint64_t)s->n * s->c, sizeof *s->z);
    s->y = lethe_alloc(ctx, s->n, sizeof *s->y);
    return s->x && s->dx && s->m && s->v && s->z && s->y ? LETHE_OK : LETHE_E_NOMEM;
}

/* Copies of trained noise for one class, as a view. like: any batch of the data. */
static lethe_status noise_view(lethe_ctx *ctx, lethe_model *model, int32_t label,
                               const lethe_batch *like, const lethe_view **ret)
{
    const int64_t *dim = like->input.dim;
    struct noise s = {.n = (uint32_t)lethe_int(ctx, P_NOISE),
                      .c = ctx->host->model->n_classes(ctx, model),
                      .pixels = (uint64_t)(dim[0] * dim[1] * dim[2])};
    uint32_t copies = (uint32_t)lethe_int(ctx, P_COPIES), *rows;
    const lethe_view *one = NULL;
    lethe_rng rng;
    LETHE_TRY(noise_room(ctx, &s));
    if (!(rows = lethe_alloc(ctx, (uint64_t)copies * s.n, sizeof *rows)))
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->rng->stream(ctx, "noise", (uint64_t)label, &rng));
    ctx->host->rng->normal(ctx, &rng, s.x, s.n * s.pixels);
    for (uint32_t i = 0; i < s.n; i++)
        s.y[i] = label;
    for (int step = 1; step <= (int)lethe_int(ctx, P_NOISE_STEPS); step++)
        LETHE_TRY(noise_step(ctx, model, &s, like, step));
    for (uint32_t i = 0; i < copies * s.n; i++)
        rows[i] = i % s.n;
    LETHE_TRY(ctx->host->data->arrays(ctx, s.x, s.y, s.n, &one));
    return ctx->host->data->subset(ctx, one, rows, copies * s.n, ret);
}

/* The first samples of each class of the retain set. */
static lethe_status first_samples(lethe_ctx *ctx, const lethe_view *view, uint32_t c,
                                  const lethe_view **ret)
{
    uint32_t n = (uint32_t)ctx->host->data->count(ctx, view), kept = 0;
    int32_t *y = lethe_alloc(ctx, n + 1ull, sizeof *y);
    uint32_t *rows = lethe_alloc(ctx, n + 1ull, sizeof *rows);
    uint32_t *seen = lethe_alloc(ctx, c, sizeof *seen);
    if (!y || !rows || !seen)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->data->labels(ctx, view, y));
    for (uint32_t i = 0; i < n; i++)
        if (seen[y[i]]++ < (uint32_t)lethe_int(ctx, P_SAMPLES))
            rows[kept++] = i;
    return ctx->host->data->subset(ctx, view, rows, kept, ret);
}

static lethe_status unsir_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                                 LETHE_COUNT(preset_values)));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    const lethe_view **sets = lethe_alloc(ctx, job->n_forget_classes + 1ull, sizeof(*sets));
    lethe_batch like = {.struct_size = sizeof like};
    const uint32_t row = 0;
    if (!sets)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->data->batch(ctx, job->retain, &row, 1, &like));
    LETHE_TRY(first_samples(ctx, job->retain, ctx->host->model->n_classes(ctx, job->model),
                            &sets[job->n_forget_classes]));
    for (uint32_t i = 0; i < job->n_forget_classes; i++)
        LETHE_TRY(noise_view(ctx, job->model, job->forget_classes[i], &like, &sets[i]));
    LETHE_TRY(ctx->host->data->concat(ctx, sets, job->n_forget_classes + 1, &fit.pass[0].view));
    fit.pass[0].batch = (uint32_t)lethe_int(ctx, P_IMPAIR_BATCH);
    fit.keep_gradient = lethe_choice(ctx, P_NOISE_BN) == LETHE_BN_TRAIN;
    LETHE_TRY(lethe_fit(ctx, &fit));
    fit.pass[0] = (lethe_pass){.view = sets[job->n_forget_classes], .stream = "shuffle-repair"};
    fit.keep_gradient = 0;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "unsir",
    .name = "UNSIR",
    .short_name = "UNSIR",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "impairs with noise that is least like the class, then repairs",
    .doc = "UNSIR. Images of noise are trained to have the largest loss for the "
           "forgotten class, with a penalty on their norm. Impair: the model trains "
           "on copies of them with that class's label and on some samples of each "
           "other class. Repair: on those samples alone, with a fresh optimiser.\n"
           "Paper: Tarun et al., TNNLS 2023. Code read: "
           "if-loops/selective-synaptic-dampening cdfdc0e (32 images, 25 Adam steps "
           "at .1, 80 copies, 500 samples of each class, the first ones; impair with "
           "batches of 32, repair with 128, Adam 1e-4, one epoch each). Deviations: "
           "noise starts as N(0, 1) in pixels, not in normalised ones; with several "
           "forgotten classes each has noise of its own; running statistics stay "
           "while noise is trained, and its gradients do not leak into the first step "
           "(preset repo: both as in the repository).",
    .citation = "@article{tarun2023fast, title={Fast Yet Effective Machine "
                "Unlearning}, author={Tarun, Ayush K and Chundawat, Vikram S and "
                "Mandal, Murari and Kankanhalli, Mohan}, journal={IEEE Transactions "
                "on Neural Networks and Learning Systems}, year={2023}}",
    .url = "https://arxiv.org/abs/2111.08947",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_CLASS,
    .run = unsir_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
