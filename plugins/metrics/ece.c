/* SPDX-License-Identifier: MIT
 * ece.c: expected calibration error of the largest probability (Guo et al. 2017). */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { PARAM_BINS, PARAM_INPUT };

struct bins {
    uint32_t n;
    double *confidence, *hits; /* (n) sums */
    uint64_t *count;           /* (n) */
};

/* Bin (k/n, (k+1)/n]; a confidence of exactly 0 is in none. */
static void add_sample(struct bins *b, double confidence, int hit)
{
    double at = ceil(confidence * b->n) - 1;
    if (at < 0)
        return;
    uint32_t k = at < b->n ? (uint32_t)at : b->n - 1;
    /* the product is rounded: the bounds decide, in single precision as published */
    if (k > 0 && (float)confidence <= (float)k / (float)b->n)
        k--;
    else if (k + 1 < b->n && (float)confidence > (float)(k + 1) / (float)b->n)
        k++;
    b->confidence[k] += confidence;
    b->hits[k] += hit;
    b->count[k]++;
}

static lethe_status fill(lethe_ctx *ctx, const lethe_outputs *o, struct bins *b)
{
    double *p = lethe_alloc(ctx, o->n_classes, sizeof(double));
    if (!p)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++) {
        const float *z = lethe_sample(o, i);
        uint32_t best = lethe_argmax(z, o->n_classes);
        LETHE_TRY(lethe_log_probabilities(ctx, z, o->n_classes, (int)lethe_choice(ctx, PARAM_INPUT),
                                          p, NULL));
        add_sample(b, p[best], (int32_t)best == o->y[i]);
    }
    return LETHE_OK;
}

static lethe_status ece_of(lethe_ctx *ctx, const lethe_outputs *o, double *ret)
{
    struct bins b = {.n = (uint32_t)lethe_int(ctx, PARAM_BINS)};
    double sum = 0;
    b.confidence = lethe_alloc(ctx, b.n, sizeof(double));
    b.hits = lethe_alloc(ctx, b.n, sizeof(double));
    b.count = lethe_alloc(ctx, b.n, sizeof(uint64_t));
    if (!b.confidence || !b.hits || !b.count)
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_check_labels(ctx, o));
    LETHE_TRY(fill(ctx, o, &b));
    for (uint32_t k = 0; k < b.n; k++)
        sum += b.count[k] ? fabs(b.confidence[k] - b.hits[k]) : 0;
    *ret = sum / (double)o->n;
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t set = 0; set < LETHE_SETS; set++) {
        const lethe_outputs *o = lethe_set(job->targets, set);
        double ece = NAN;
        if (lethe_set_size(o) > 0)
            LETHE_TRY(ece_of(ctx, o, &ece));
        LETHE_TRY(lethe_emit(ctx, set, ece, lethe_set_missing(set)));
    }
    return LETHE_OK;
}

#define ECE(name, words)                                                                           \
    LETHE_SCALAR(name, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", 0, 1,                   \
                 "expected calibration error on the " words)
static const lethe_output outputs[] = {
    ECE("forget_ece", "forget set"),
    ECE("retain_ece", "retain set"),
    ECE("test_ece", "test set"),
    ECE("test_forgotten_ece", "test samples of the forgotten classes"),
};
static const lethe_param params[] = {
    LETHE_INT("bins", 15, 1, 10000, "", "bins of equal width (15 in temperature_scaling)"),
    LETHE_INPUT_PARAM,
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "ece",
    .name = "Expected calibration error",
    .short_name = "ECE",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "expected calibration error on each set",
    .doc = "Sum over bins of the largest probability, each (lo, hi], of the share of samples in "
           "the bin times |mean confidence - accuracy|. Empty bins count nothing; a confidence of "
           "exactly 0 is in no bin.\nCode read: gpleiss/temperature_scaling ce1154e. Deviations: "
           "sums in double precision.",
    .citation = "@inproceedings{guo2017calibration, title={On Calibration of Modern Neural "
                "Networks}, author={Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, "
                "Kilian Q.}, booktitle={ICML}, year={2017}}",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params), LETHE_CAP_LOGITS, 0, &metric);
