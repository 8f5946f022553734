/* SPDX-License-Identifier: MIT
 * prediction_shift.c: where the inputs that were to be forgotten go: the shares
 * of the classes that the model predicts for them, compared with the oracles'. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { TV, TOP, N_VALUES };
enum { SET_FORGET, SET_TEST_FORGOTTEN, N_PLACES };
static const uint32_t place_set[N_PLACES] = {LETHE_FORGET, LETHE_TEST_FORGOTTEN};

/* Adds weight/n for each sample to the share (c) of its predicted class. */
static void add_shares(const lethe_outputs *o, double weight, double *share)
{
    for (uint64_t i = 0; i < o->n; i++)
        share[lethe_argmax(lethe_sample(o, i), o->n_classes)] += weight / (double)o->n;
}

static lethe_status emit_shares(lethe_ctx *ctx, uint32_t output, const double *share, uint32_t c)
{
    double *x = lethe_alloc(ctx, c, sizeof(double));
    if (!x)
        return LETHE_E_NOMEM;
    for (uint32_t k = 0; k < c; k++)
        x[k] = k;
    return ctx->host->emit->curve(ctx, output, x, share, c);
}

static double largest(const double *share, uint32_t c)
{
    double top = 0;
    for (uint32_t k = 0; k < c; k++)
        top = fmax(top, share[k]);
    return fmin(top, 1);
}

static lethe_status oracle_shares(lethe_ctx *ctx, const lethe_metric_job *job, uint32_t set,
                                  const lethe_outputs *u, double *share)
{
    for (uint32_t k = 0; k < job->n_references; k++) {
        const lethe_outputs *r = lethe_set(lethe_model_at(job, job->references, k), set);
        LETHE_TRY(lethe_same_samples(ctx, u, r));
        add_shares(r, 1.0 / job->n_references, share);
    }
    return LETHE_OK;
}

static lethe_status evaluate_place(lethe_ctx *ctx, const lethe_metric_job *job, uint32_t place)
{
    const uint32_t set = place_set[place], first = place * N_VALUES;
    const uint32_t curve = N_PLACES * N_VALUES + 2 * place;
    const lethe_outputs *u = lethe_set(job->targets, set);
    if (lethe_set_size(u) == 0) {
        LETHE_TRY(lethe_emit(ctx, first + TV, NAN, lethe_set_missing(set)));
        return lethe_emit(ctx, first + TOP, NAN, lethe_set_missing(set));
    }
    const uint32_t c = u->n_classes;
    double *own = lethe_alloc(ctx, c, sizeof(double)), *other = lethe_alloc(ctx, c, sizeof(double));
    double tv = 0;
    if (!own || !other)
        return LETHE_E_NOMEM;
    add_shares(u, 1, own);
    LETHE_TRY(oracle_shares(ctx, job, set, u, other));
    for (uint32_t k = 0; k < c; k++)
        tv += fabs(own[k] - other[k]) / 2;
    LETHE_TRY(lethe_emit(ctx, first + TV, job->n_references ? fmin(tv, 1) : NAN,
                         "no oracle to compare with"));
    LETHE_TRY(lethe_emit(ctx, first + TOP, largest(own, c), NULL));
    LETHE_TRY(emit_shares(ctx, curve, own, c));
    return job->n_references ? emit_shares(ctx, curve + 1, other, c) : LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t place = 0; place < N_PLACES; place++)
        LETHE_TRY(evaluate_place(ctx, job, place));
    return LETHE_OK;
}

#define SET(s, words)                                                                              \
    LETHE_SCALAR(s "_shift_tv", LETHE_BETTER_LOWER, LETHE_REF_NONE, "", 0, 1,                      \
                 "total variation between the predicted classes' shares and the oracles', on "     \
                 "the " words),                                                                    \
        LETHE_SCALAR(s "_top_share", LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", 0, 1,     \
                     "share of the most predicted class on the " words)
static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
    LETHE_CURVE("prediction_shift_forget", "class", "share of each predicted class, forget set"),
    LETHE_CURVE("prediction_shift_forget_oracles", "class", "the same of the oracles, averaged"),
    LETHE_CURVE("prediction_shift_test_forgotten", "class",
                "share of each predicted class, test samples of the forgotten classes"),
    LETHE_CURVE("prediction_shift_test_forgotten_oracles", "class",
                "the same of the oracles, averaged"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "prediction-shift",
    .name = "Prediction shift",
    .short_name = "shift",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "where forgotten inputs go, against where the oracles send them",
    .doc = "Shares of the classes that the model predicts on the forget set and on the test "
           "samples of the forgotten classes; half the summed absolute difference to the mean "
           "shares of the oracles. TRW (v1) shows such a table: forgotten automobiles become "
           "trucks in a retrained model, not anything.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES, 0,
             &metric);
