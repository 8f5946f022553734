/* SPDX-License-Identifier: MIT
 * relearn_time.c: how fast the model learns the forget set again (Golatkar et
 * al. 2020), and the anamnesis index (Chundawat et al. 2023). What has been
 * forgotten takes as long as for a model that never knew it. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { EPOCHS, STEPS, EPOCHS_ALPHA, AIN, N_VALUES };
enum { PARAM_MAX_EPOCHS, PARAM_LR, PARAM_BATCH, PARAM_MOMENTUM, PARAM_WEIGHT_DECAY, PARAM_ALPHA };

/* When a model reached each of two accuracies; the cap where it never did. */
struct relearned {
    double epochs, epochs_alpha;
};

static lethe_status accuracy_of(lethe_ctx *ctx, const lethe_model *m, const lethe_metric_job *job,
                                double *ret)
{
    const lethe_host *host = ctx->host;
    uint64_t n = host->data->count(ctx, job->forget), hits = 0;
    uint32_t c = host->model->n_classes(ctx, m);
    float *logits = lethe_alloc(ctx, n * c, sizeof(float));
    int32_t *y = lethe_alloc(ctx, n, sizeof(int32_t));
    if (!logits || !y)
        return LETHE_E_NOMEM;
    LETHE_TRY(host->data->labels(ctx, job->forget, y));
    LETHE_TRY(host->model->predict(ctx, m, job->forget, logits));
    for (uint64_t i = 0; i < n; i++)
        hits += (int32_t)lethe_argmax(logits + i * c, c) == y[i];
    *ret = (double)hits / (double)n;
    return LETHE_OK;
}

static lethe_status train_epoch(lethe_ctx *ctx, lethe_model *m, lethe_optim *optim,
                                const lethe_metric_job *job, uint32_t epoch)
{
    /* one epoch of a schedule without end: the order is the epoch's */
    static const char *const name = "relearn";
    char stream[32];
    snprintf(stream, sizeof stream, "%s-%u", name, (unsigned)epoch);
    lethe_fit_opts o = {.model = m,
                        .pass = {{.view = job->forget, .stream = stream}},
                        .epochs = 1,
                        .batch = (uint32_t)lethe_int(ctx, PARAM_BATCH),
                        .lr = lethe_real(ctx, PARAM_LR),
                        .optim = optim};
    return lethe_fit(ctx, &o);
}

/* goal: accuracy that the original has on the forget set; alpha below it for the index. */
static lethe_status relearn(lethe_ctx *ctx, const lethe_model *from, const lethe_metric_job *job,
                            double goal, struct relearned *ret)
{
    const uint32_t most = (uint32_t)lethe_int(ctx, PARAM_MAX_EPOCHS);
    const double least = (1 - lethe_real(ctx, PARAM_ALPHA)) * goal;
    struct relearned r = {most, most};
    lethe_model *m = NULL;
    lethe_optim *optim = NULL;
    double accuracy;
    int found = 0;
    LETHE_TRY(ctx->host->model->clone(ctx, from, &m));
    LETHE_TRY(ctx->host->optim->sgd(ctx, m, lethe_real(ctx, PARAM_MOMENTUM),
                                    lethe_real(ctx, PARAM_WEIGHT_DECAY), &optim));
    for (uint32_t epoch = 0;; epoch++) {
        LETHE_TRY(accuracy_of(ctx, m, job, &accuracy));
        if (!found && accuracy >= least) {
            r.epochs_alpha = epoch;
            found = 1;
        }
        if (accuracy >= goal || epoch == most) {
            r.epochs = epoch;
            break;
        }
        LETHE_TRY(train_epoch(ctx, m, optim, job, epoch));
    }
    *ret = r;
    return LETHE_OK;
}

/* Mean over the oracles of the epochs to the lower goal; NaN without any. */
static lethe_status gold(lethe_ctx *ctx, const lethe_metric_job *job, double goal, double *ret)
{
    double sum = 0;
    for (uint32_t k = 0; job->reference_models && k < job->n_references; k++) {
        struct relearned r;
        LETHE_TRY(relearn(ctx, job->reference_models[k], job, goal, &r));
        sum += r.epochs_alpha;
    }
    *ret = job->reference_models && job->n_references ? sum / job->n_references : NAN;
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    double v[N_VALUES] = {NAN, NAN, NAN, NAN}, oracle = NAN, goal = NAN;
    uint64_t n = job->forget ? ctx->host->data->count(ctx, job->forget) : 0;
    uint64_t batch = (uint64_t)lethe_int(ctx, PARAM_BATCH);
    const char *why = n == 0                ? lethe_set_missing(LETHE_FORGET)
                      : job->original_model ? "no oracle to compare with"
                                            : "no original to take the goal from";
    if (n > 0 && job->original_model) {
        struct relearned r;
        LETHE_TRY(accuracy_of(ctx, job->original_model, job, &goal));
        LETHE_TRY(relearn(ctx, job->model, job, goal, &r));
        LETHE_TRY(gold(ctx, job, goal, &oracle));
        v[EPOCHS] = r.epochs;
        v[STEPS] = r.epochs * (double)((n + batch - 1) / batch);
        v[EPOCHS_ALPHA] = r.epochs_alpha;
        v[AIN] = (r.epochs_alpha + 0.01) / (oracle + 0.01);
    }
    for (uint32_t k = 0; k < N_VALUES; k++)
        LETHE_TRY(lethe_emit(ctx, k, v[k], why));
    return LETHE_OK;
}

#define ONE(name, doc)                                                                             \
    LETHE_SCALAR(name, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", 0, HUGE_VAL, doc)
static const lethe_output outputs[] = {
    ONE("relearn_epochs", "epochs on the forget set until the original's accuracy there; the cap "
                          "where it is not reached"),
    ONE("relearn_steps", "the same in optimiser steps"),
    ONE("relearn_epochs_alpha", "epochs until (1 - alpha) of the original's accuracy"),
    {sizeof(lethe_output), LETHE_SHAPE_SCALAR, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_CONSTANT,
     "ain", "", "anamnesis index: relearn_epochs_alpha over the oracles'; 1 is ideal", "", 0,
     HUGE_VAL, 1},
};
static const lethe_param params[] = {
    LETHE_INT("max_epochs", 100, 1, 100000, "epochs", "after which relearning is given up"),
    LETHE_REAL("lr", 0.01, 0, 1000, "", "constant learning rate of relearning"),
    LETHE_INT("batch", 128, 1, 65536, "samples", "batch size"),
    LETHE_REAL("momentum", 0.9, 0, 1, "", "SGD momentum"),
    LETHE_REAL("weight_decay", 0, 0, 1, "", "L2 decay"),
    LETHE_REAL("alpha", 0.05, 0, 1, "", "AIN: share below the original's accuracy (ERASURE: .05)"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "relearn-time",
    .name = "Relearn time and anamnesis index",
    .short_name = "relearn",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "epochs that the model needs to learn the forget set again",
    .doc = "A copy of the model is trained on the forget set alone, fresh optimiser, fixed seed, "
           "until its accuracy there (evaluation mode, after each epoch; ERASURE takes the running "
           "accuracy of the epoch) reaches the original's; 0 if it is there already. AIN = "
           "(RT_u + 0.01) / (RT_oracle + 0.01) with (1 - alpha) of the original's accuracy as "
           "the goal, mean over the oracles: far below 1 means information is left, far above 1 "
           "the Streisand effect.\nCode read: aiim-research/ERASURE d5bbbe5.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_MODEL | LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS,
             LETHE_CAP_REFERENCES | LETHE_CAP_ORIGINAL, &metric);
