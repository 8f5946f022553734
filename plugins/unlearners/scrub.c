/* SPDX-License-Identifier: MIT
 * scrub.c: SCRUB. A student starts at the original, its teacher. In the first
 * msteps epochs it first moves away from the teacher on the forget set (T^2 KL
 * is climbed); every epoch it then trains on the retain set, on gamma CE + alpha
 * T^2 KL. One optimiser serves both. rewind: true is SCRUB+R: of all epochs, the
 * original included, the one is kept whose forget error is nearest to the final
 * student's error on held-out samples of the same class frequencies.
 * Paper: Kurmanji et al., NeurIPS 2023. Code read: meghdadk/SCRUB 98ffb11
 * (defaults: large scale, gamma .99, alpha .001, T 4, batches 256 and 512;
 * presets small, mia, vgg are its other notebooks),
 * K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset sfr). Deviations:
 * held-out samples are weighted by class instead of restricted to the forgotten
 * ones, which is the same for whole classes. */
#include <lethe/lethe.h>

enum { P_MSTEPS = LETHE_FIT_N, P_GAMMA, P_ALPHA, P_T, P_FORGET_BATCH, P_MILESTONES, P_REWIND };
enum { P_PRESET = P_REWIND + 1 };
enum { PRESET_NONE = 0, PRESET_SMALL, PRESET_MIA, PRESET_VGG, PRESET_SFR };

static const char *const presets[] = {"none", "small", "mia", "vgg", "sfr", NULL};
static const lethe_param params[] = {
    LETHE_FIT_TABLE(3, 5e-4, "1e-2,3e-3,1e-3,5e-4,1e-4", 256, 0.9, 5e-4, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_SGD, LETHE_BN_TRAIN, 0),
    LETHE_INT("msteps", 2, 0, 100000, "epochs",
              "epochs that begin with a pass away from the teacher"),
    LETHE_REAL("ce_weight", 0.99, 0, 1e6, "", "gamma: weight of cross-entropy on the retain set"),
    LETHE_REAL("alpha", 0.001, 0, 1e6, "", "weight of the distance to the teacher there"),
    LETHE_REAL("temperature", 4, 1e-3, 1e6, "", "of both distances"),
    LETHE_INT("forget_batch", 512, 0, 65536, "samples", "batch of the forget pass; 0: batch"),
    {sizeof(lethe_param),
     LETHE_PARAM_STRING,
     0,
     "milestones",
     "epochs",
     "epochs after which the rate is multiplied by gamma",
     {.s = "3,5,9"},
     {0},
     {0},
     NULL,
     NULL},
    LETHE_BOOL("rewind", 0, "SCRUB+R; needs held-out samples"),
    LETHE_CHOICE("preset", PRESET_NONE, presets,
                 "settings of another notebook, or of SFR's authors"),
};
static const lethe_preset preset_values[] = {
    LETHE_PRESET_INT(PRESET_SMALL, LETHE_FIT_OPTIMIZER, LETHE_OPTIMIZER_ADAM),
    LETHE_PRESET_REAL(PRESET_SMALL, LETHE_FIT_WEIGHT_DECAY, 0.1),
    LETHE_PRESET_INT(PRESET_SMALL, LETHE_FIT_EPOCHS, 10),
    LETHE_PRESET_INT(PRESET_SMALL, LETHE_FIT_BATCH, 32),
    LETHE_PRESET_INT(PRESET_SMALL, P_FORGET_BATCH, 64),
    LETHE_PRESET_INT(PRESET_SMALL, P_MSTEPS, 3),
    LETHE_PRESET_REAL(PRESET_SMALL, P_GAMMA, 1),
    LETHE_PRESET_REAL(PRESET_SMALL, P_ALPHA, 0.5),
    LETHE_PRESET_REAL(PRESET_SMALL, P_T, 2),
    {PRESET_SMALL, P_MILESTONES, {.s = "5,8,9"}},
    LETHE_PRESET_INT(PRESET_MIA, LETHE_FIT_EPOCHS, 5),
    LETHE_PRESET_INT(PRESET_MIA, LETHE_FIT_BATCH, 32),
    LETHE_PRESET_INT(PRESET_MIA, P_FORGET_BATCH, 16),
    LETHE_PRESET_INT(PRESET_MIA, P_MSTEPS, 3),
    LETHE_PRESET_REAL(PRESET_MIA, P_GAMMA, 1),
    LETHE_PRESET_REAL(PRESET_MIA, P_ALPHA, 0.5),
    LETHE_PRESET_INT(PRESET_VGG, LETHE_FIT_EPOCHS, 10),
    LETHE_PRESET_INT(PRESET_VGG, LETHE_FIT_BATCH, 128),
    LETHE_PRESET_INT(PRESET_VGG, P_FORGET_BATCH, 16),
    LETHE_PRESET_REAL(PRESET_VGG, P_ALPHA, 0.01),
    {PRESET_VGG, P_MILESTONES, {.s = "3,6,9"}},
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_EPOCHS, 6),
    LETHE_PRESET_REAL(PRESET_SFR, LETHE_FIT_LR, 8e-5),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_BATCH, 128),
    LETHE_PRESET_INT(PRESET_SFR, P_FORGET_BATCH, 128),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_SCHEDULE, LETHE_SCHEDULE_COSINE),
    LETHE_PRESET_INT(PRESET_SFR, LETHE_FIT_AUGMENT, 1),
    {PRESET_SFR, P_MILESTONES, {.s = ""}},
};

/* Students after each epoch; 0 is the original. */
struct rewind {
    const lethe_forget_job *job;
    uint32_t n;
    lethe_model **student; /* (epochs + 1) */
    double *error;         /* (epochs + 1) share of the forget set that is misclassified */
};

/* Share of wrong predictions on a view, each class weighted: weight (c), or NULL for 1 / count. */
static lethe_status share_wrong(lethe_ctx *ctx, const lethe_model *m, const lethe_view *view,
                                const double *weight, double *ret)
{
    uint32_t c = ctx->host->model->n_classes(ctx, m),
             n = (uint32_t)ctx->host->data->count(ctx, view);
    float *z = lethe_alloc(ctx, (uint64_t)n * c, sizeof *z);
    int32_t *y = lethe_alloc(ctx, n + 1ull, sizeof *y);
    double *wrong = lethe_alloc(ctx, 2ull * c, sizeof *wrong), sum = 0, total = 0;
    if (!z || !y || !wrong)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->model->predict(ctx, m, view, z));
    LETHE_TRY(ctx->host->data->labels(ctx, view, y));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = 0;
        for (uint32_t k = 1; k < c; k++)
            best = z[(uint64_t)i * c + k] > z[(uint64_t)i * c + best] ? k : best;
        wrong[y[i]] += best != (uint32_t)y[i];
        wrong[c + (uint32_t)y[i]] += 1;
    }
    for (uint32_t k = 0; k < c; k++)
        if (wrong[c + k] > 0) {
            double share = weight ? weight[k] : wrong[c + k];
            sum += share * wrong[k] / wrong[c + k];
            total += share;
        }
    *ret = total > 0 ? sum / total : 0;
    return LETHE_OK;
}

static lethe_status keep_student(lethe_ctx *ctx, void *arg, lethe_model *model, uint32_t epoch)
{
    struct rewind *r = arg;
    LETHE_TRY(ctx->host->model->clone(ctx, model, &r->student[r->n]));
    LETHE_TRY(share_wrong(ctx, model, r->job->forget, NULL, &r->error[r->n]));
    r->n++;
    return LETHE_OK;
}

/* How often each class stands in the forget set. */
static lethe_status class_counts(lethe_ctx *ctx, const lethe_view *view, double *ret)
{
    uint32_t n = (uint32_t)ctx->host->data->count(ctx, view);
    int32_t *y = lethe_alloc(ctx, n + 1ull, sizeof *y);
    if (!y)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->data->labels(ctx, view, y));
    for (uint32_t i = 0; i < n; i++)
        ret[y[i]] += 1;
    return LETHE_OK;
}

static lethe_status rewind_to_best(lethe_ctx *ctx, struct rewind *r)
{
    uint32_t best = 0;
    double want = 0;
    double *count =
        lethe_alloc(ctx, ctx->host->model->n_classes(ctx, r->job->model), sizeof *count);
    if (!count)
        return LETHE_E_NOMEM;
    LETHE_TRY(class_counts(ctx, r->job->forget, count));
    LETHE_TRY(share_wrong(ctx, r->job->model, r->job->validation, count, &want));
    for (uint32_t e = 1; e < r->n; e++)
        if (fabs(r->error[e] - want) < fabs(r->error[best] - want))
            best = e;
    lethe_logf(ctx, LETHE_LOG_INFO, "rewound to epoch %u of %u: forget error %.4f, wanted %.4f",
               (unsigned)best, (unsigned)(r->n - 1), r->error[best], want);
    return ctx->host->model->copy(ctx, r->job->model, r->student[best]);
}

static lethe_status scrub_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    if (lethe_bool(ctx, P_REWIND) && !job->validation)
        return lethe_failf(ctx, LETHE_E_DENIED,
                           "rewind: true needs held-out samples, which this "
                           "task does not grant");
    return LETHE_OK;
}

static void scrub_passes(lethe_ctx *ctx, const lethe_forget_job *job, lethe_distillation *away,
                         lethe_distillation *near, lethe_fit_opts *fit)
{
    lethe_pass *pass = fit->pass;
    *away = (lethe_distillation){
        .teacher = job->original, .temperature = lethe_real(ctx, P_T), .alpha = 1};
    *near = *away;
    near->alpha = lethe_real(ctx, P_ALPHA);
    near->gamma = lethe_real(ctx, P_GAMMA);
    if (lethe_int(ctx, P_MSTEPS) > 0)
        *pass++ = (lethe_pass){.view = job->forget,
                               .stream = "shuffle-forget",
                               .ascend = 1,
                               .batch = (uint32_t)lethe_int(ctx, P_FORGET_BATCH),
                               .until_epoch = (uint32_t)lethe_int(ctx, P_MSTEPS),
                               .loss = lethe_distillation_loss,
                               .loss_arg = away};
    *pass = (lethe_pass){.view = job->retain,
                         .stream = "shuffle",
                         .loss = lethe_distillation_loss,
                         .loss_arg = near};
}

static lethe_status scrub_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_PRESET, preset_values,
                                 LETHE_COUNT(preset_values)));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    struct rewind r = {.job = job};
    lethe_distillation away, near;
    int rewinds = lethe_bool(ctx, P_REWIND);
    scrub_passes(ctx, job, &away, &near, &fit);
    fit.milestones = lethe_string(ctx, P_MILESTONES);
    if (rewinds) {
        r.student = lethe_alloc(ctx, fit.epochs + 1ull, sizeof(*r.student));
        r.error = lethe_alloc(ctx, fit.epochs + 1ull, sizeof *r.error);
        if (!r.student || !r.error)
            return LETHE_E_NOMEM;
        LETHE_TRY(keep_student(ctx, &r, job->model, 0));
        fit.after_epoch = keep_student;
        fit.hook_arg = &r;
    }
    LETHE_TRY(lethe_fit(ctx, &fit));
    return rewinds ? rewind_to_best(ctx, &r) : LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "scrub",
    .name = "SCRUB",
    .short_name = "SCRUB",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "moves away from the original on the forget set, stays near on the retain set",
    .doc = "SCRUB. A student starts at the original, its teacher. In the first msteps "
           "epochs it first moves away from the teacher on the forget set (T^2 KL is "
           "climbed); every epoch it then trains on the retain set, on gamma CE + "
           "alpha T^2 KL. One optimiser serves both. rewind: true is SCRUB+R: of all "
           "epochs, the original included, the one is kept whose forget error is "
           "nearest to the final student's error on held-out samples of the same "
           "class frequencies.\n"
           "Paper: Kurmanji et al., NeurIPS 2023. Code read: meghdadk/SCRUB 98ffb11 "
           "(defaults: large scale, gamma .99, alpha .001, T 4, batches 256 and 512; "
           "presets small, mia, vgg are its other notebooks), "
           "K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (preset sfr). "
           "Deviations: held-out samples are weighted by class instead of restricted "
           "to the forgotten ones, which is the same for whole classes.",
    .citation = "@inproceedings{kurmanji2023towards, title={Towards Unbounded Machine "
                "Unlearning}, author={Kurmanji, Meghdad and Triantafillou, Peter and "
                "Hayes, Jamie and Triantafillou, Eleni}, booktitle={Advances in "
                "Neural Information Processing Systems}, year={2023}}",
    .url = "https://arxiv.org/abs/2302.09880",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = scrub_check,
    .run = scrub_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_RETAIN,
             LETHE_CAP_VALIDATION, &unlearner);
