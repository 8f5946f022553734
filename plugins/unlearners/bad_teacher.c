/* SPDX-License-Identifier: MIT
 * bad_teacher.c: Bad teacher. The student, from the original weights, follows
 * two teachers on a mixed set: on forget samples a freshly initialised network
 * of the same architecture, in evaluation mode, on a part of the retain set
 * (drawn once) the original. The loss is the Kullback-Leibler divergence at
 * temperature T, a mean over the batch, times T^2.
 * Paper: Chundawat et al., AAAI 2023. Code read:
 * if-loops/selective-synaptic-dampening cdfdc0e (defaults: 30 % of the retain
 * set, Adam 1e-4, 1 epoch, batch 256, no augmentation), meghdadk/SCRUB 98ffb11
 * (preset scrub), shaaaaron/DELETE 60018a1 (preset delete),
 * K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset sfr). Deviations:
 * two of the ports divide by the number of classes too; the preset scrub mixes
 * both sets in batches, where the repository pairs batches. */
#include <lethe/lethe.h>

enum { P_SHARE = LETHE_FIT_N, P_T, P_PRESET };
enum { PRESET_NONE = 0, PRESET_SCRUB, PRESET_DELETE, PRESET_SFR };

static const char *const presets[] = {"none", "scrub", "delete", "sfr", NULL};
static const lethe_param params[] = {
    LETHE_FIT_TABLE(1, 1e-4, "1e-2,3e-3,1e-3,3e-4,1e-4", 256, 0.9, 0, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_ADAM, LETHE_BN_TRAIN, 0),
    LETHE_REAL("retain_share", 0.3, 0, 1, "", "part of the retain set that is used, drawn once"),
    LETHE_REAL("temperature", 1, 1e-3, 1e6, "", "of both teachers and the student"),
    LETHE_CHOICE("preset", PRESET_NONE, presets, "the settings of another port"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_REAL(PRESET_SCRUB, P_SHARE, 1),
    LETHE_PRESET_REAL(PRESET_SCRUB, P_T, 4),
    LETHE_PRESET_REAL(PRESET_SCRUB, LETHE_FIT_LR, 1e-3),
    LETHE_PRESET_REAL(PRESET_SCRUB, LETHE_FIT_WEIGHT_DECAY, 5e-4),
    LETHE_PRESET_REAL(PRESET_DELETE, P_SHARE, 0),
    LETHE_PRESET_INT(PRESET_DELETE, LETHE_FIT_OPTIMIZER, LETHE_OPTIMIZER_SGD),
    LETHE_PRESET_INT(PRESET_DELETE, LETHE_FIT_EPOCHS, 20),
    LETHE_PRESET_INT(PRESET_DELETE, LETHE_FIT_BATCH, 128),
    LETHE_PRESET_INT(PRESET_DELETE, LETHE_FIT_AUGMENT, 1),
    LETHE_PRESET_REAL(PRESET_SFR, P_SHARE, 1),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_OPTIMIZER, LETHE_OPTIMIZER_SGD),
    LETHE_PRESET_REAL(PRESET_SFR, LETHE_FIT_LR, 0.02),
    LETHE_PRESET_REAL(PRESET_SFR, LETHE_FIT_WEIGHT_DECAY, 5e-4),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_COSINE),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_EPOCHS, 10),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_BATCH, 128),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_AUGMENT, 1),
};

struct teachers {
    const lethe_model *of[2]; /* good, bad */
    uint64_t *forget;         /* (n_forget) ids, ascending */
    uint32_t n_forget, room;
    double temperature;
    float *x;      /* (room, pixels) samples of one teacher */
    float *part;   /* (room, c) its logits */
    float *taught; /* (room, c) logits of both, in order of the batch */
    uint32_t *row; /* (room) */
};

static int is_forgotten(const struct teachers *t, uint64_t id)
{
    uint32_t lo = 0, hi = t->n_forget;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (t->forget[mid] < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->n_forget && t->forget[lo] == id;
}

/* Logits of one teacher on its samples of the batch. */
static lethe_status teach(lethe_ctx *ctx, struct teachers *t, int bad, const lethe_batch *batch,
                          uint32_t c, uint64_t pixels)
{
    lethe_batch own = *batch;
    own.x = t->x;
    own.n = 0;
    for (uint32_t i = 0; i < batch->n; i++)
        if (is_forgotten(t, batch->id[i]) == bad) {
            memcpy(t->x + own.n * pixels, batch->x + i * pixels, pixels * sizeof *t->x);
            t->row[own.n++] = i;
        }
    if (own.n == 0)
        return LETHE_OK;
    LETHE_TRY(ctx->host->model->forward(ctx, t->of[bad], &own, LETHE_EVAL, t->part));
    for (uint32_t i = 0; i < own.n; i++)
        memcpy(t->taught + (uint64_t)t->row[i] * c, t->part + (uint64_t)i * c,
               c * sizeof *t->taught);
    return LETHE_OK;
}

static lethe_status teachers_loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch,
                                  const float *logits, uint32_t c, double *ret_loss, float *dlogits)
{
    struct teachers *t = arg;
    const int64_t *dim = batch->input.dim;
    uint64_t pixels = (uint64_t)(dim[0] * dim[1] * dim[2]);
    if (batch->n > t->room) {
        t->x = lethe_alloc(ctx, batch->n * pixels, sizeof *t->x);
        t->part = lethe_alloc(ctx, (uint64_t)batch->n * c, sizeof *t->part);
        t->taught = lethe_alloc(ctx, (uint64_t)batch->n * c, sizeof *t->taught);
        t->row = lethe_alloc(ctx, batch->n, sizeof *t->row);
        t->room = t->x && t->part && t->taught && t->row ? batch->n : 0;
        if (t->room == 0)
            return LETHE_E_NOMEM;
    }
    LETHE_TRY(teach(ctx, t, 0, batch, c, pixels));
    LETHE_TRY(teach(ctx, t, 1, batch, c, pixels));
    return ctx->host->loss->distill(ctx, logits, t->taught, t->temperature, batch->n, c, ret_loss,
                                    dlogits);
}

/* The forget set and a part of the retain set. */
static lethe_status mixed_set(lethe_ctx *ctx, const lethe_forget_job *job, const lethe_view **ret)
{
    const lethe_data_api *data = ctx->host->data;
    const lethe_view *sets[2] = {job->forget, NULL};
    uint32_t n = job->retain ? (uint32_t)data->count(ctx, job->retain) : 0;
    uint32_t *rows = lethe_alloc(ctx, n + 1ull, sizeof *rows);
    uint32_t part = (uint32_t)(lethe_real(ctx, P_SHARE) * n);
    lethe_rng rng;
    if (!rows)
        return LETHE_E_NOMEM;
    *ret = job->forget;
    if (part == 0)
        return LETHE_OK;
    LETHE_TRY(ctx->host->rng->stream(ctx, "retain-share", 0, &rng));
    ctx->host->rng->permute(ctx, &rng, rows, n);
    LETHE_TRY(data->subset(ctx, job->retain, rows, part, &sets[1]));
    return data->concat(ctx, sets, 2, ret);
}

static lethe_status teacher_preset(lethe_ctx *ctx)
{
    return lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                              LETHE_COUNT(preset_values));
}

static lethe_status teacher_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    LETHE_TRY(teacher_preset(ctx));
    if (lethe_real(ctx, P_SHARE) > 0 && !job->retain)
        return lethe_failf(ctx, LETHE_E_DENIED, "retain_share: %g needs access to the retain set",
                           lethe_real(ctx, P_SHARE));
    return LETHE_OK;
}

static lethe_status teacher_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(teacher_preset(ctx));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    struct teachers t = {.n_forget = (uint32_t)ctx->host->data->count(ctx, job->forget),
                         .temperature = lethe_real(ctx, P_T)};
    lethe_model *bad = NULL;
    t.forget = lethe_alloc(ctx, t.n_forget + 1ull, sizeof *t.forget);
    if (!t.forget)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->data->ids(ctx, job->forget, t.forget));
    LETHE_TRY(ctx->host->model->fresh(ctx, job->original, "bad-teacher", &bad));
    t.of[0] = job->original;
    t.of[1] = bad;
    fit.pass[0] = (lethe_pass){.loss = teachers_loss, .loss_arg = &t};
    LETHE_TRY(mixed_set(ctx, job, &fit.pass[0].view));
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "bad-teacher",
    .name = "Bad teacher",
    .short_name = "BadT",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "learns forget samples from an untrained teacher",
    .doc = "Bad teacher. The student, from the original weights, follows two teachers "
           "on a mixed set: on forget samples a freshly initialised network of the "
           "same architecture, in evaluation mode, on a part of the retain set (drawn "
           "once) the original. The loss is the Kullback-Leibler divergence at "
           "temperature T, a mean over the batch, times T^2.\n"
           "Paper: Chundawat et al., AAAI 2023. Code read: "
           "if-loops/selective-synaptic-dampening cdfdc0e (defaults: 30 % of the "
           "retain set, Adam 1e-4, 1 epoch, batch 256, no augmentation), "
           "meghdadk/SCRUB 98ffb11 (preset scrub), shaaaaron/DELETE 60018a1 (preset "
           "delete), K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset "
           "sfr). Deviations: two of the ports divide by the number of classes too; "
           "the preset scrub mixes both sets in batches, where the repository pairs "
           "batches.",
    .citation = "@inproceedings{chundawat2023can, title={Can Bad Teaching Induce "
                "Forgetting? Unlearning in Deep Networks Using an Incompetent "
                "Teacher}, author={Chundawat, Vikram S and Tarun, Ayush K and Mandal, "
                "Murari and Kankanhalli, Mohan}, booktitle={AAAI Conference on "
                "Artificial Intelligence}, year={2023}}",
    .url = "https://arxiv.org/abs/2205.08096",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = teacher_check,
    .run = teacher_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
