/* SPDX-License-Identifier: MIT
 * measures.h: what metrics on outputs have in common, all static inline. Not ABI,
 * like helpers.h; include it beside lethe.h.
 *
 *   lethe_set, lethe_model_at      the sets of a model, the models of a list
 *   LETHE_INPUT_PARAM              a parameter for files that hold probabilities
 *   lethe_log_probabilities        a row of outputs as probabilities and their logs
 *   lethe_emit, lethe_emit_finite  an output, or why there is none
 *   lethe_emit_samples             a curve over samples
 *   lethe_mean, lethe_quantile */
#ifndef LETHE_MEASURES_H
#define LETHE_MEASURES_H

#include <stdlib.h>

#include "helpers.h"
#include "metric.h"

enum { LETHE_FORGET = 0, LETHE_RETAIN = 1, LETHE_TEST = 2, LETHE_TEST_FORGOTTEN = 3, LETHE_SETS };

/* Set s of a model; NULL where the scenario has none. */
static inline const lethe_outputs *lethe_set(const lethe_model_outputs *m, uint32_t s)
{
    const lethe_outputs *const set[LETHE_SETS] = {m->forget, m->retain, m->test, m->test_forgotten};
    return set[s];
}

/* Why set s has no value; never NULL. */
static inline const char *lethe_set_missing(uint32_t s)
{
    static const char *const why[LETHE_SETS] = {"no forget samples", "no retain samples",
                                                "no test samples", "no class was forgotten"};
    return why[s];
}

static inline uint64_t lethe_set_size(const lethe_outputs *o)
{
    return o ? o->n : 0;
}

/* Model i of job->targets or job->references. */
static inline const lethe_model_outputs *lethe_model_at(const lethe_metric_job *job,
                                                        const lethe_model_outputs *list, uint32_t i)
{
    return (const lethe_model_outputs *)(const void *)((const char *)list +
                                                       (size_t)i * job->outputs_stride);
}

/* Outputs of sample i; of several views the first one counts. */
static inline const float *lethe_sample(const lethe_outputs *o, uint64_t i)
{
    return o->logits + i * o->n_views * o->n_classes;
}

/* Two models' outputs on the same samples. */
static inline lethe_status lethe_same_samples(lethe_ctx *ctx, const lethe_outputs *a,
                                              const lethe_outputs *b)
{
    if (b && a->n == b->n && a->n_classes == b->n_classes)
        return LETHE_OK;
    return lethe_failf(ctx, LETHE_E_INVALID, "outputs of %llu samples are compared with %llu",
                       (unsigned long long)a->n, (unsigned long long)lethe_set_size(b));
}

/* ---- probabilities ---- */

static const char *const lethe_inputs_[] = {"logits", "probabilities", NULL};
/* A parameter entry; its value is 1 when the outputs are probabilities already. */
#define LETHE_INPUT_PARAM                                                                          \
    LETHE_CHOICE("input", 0, lethe_inputs_,                                                        \
                 "what the outputs hold: logits, or probabilities "                                \
                 "(files only; a suite's outputs are logits)")
#define LETHE_PER_SAMPLE_PARAM                                                                     \
    LETHE_BOOL("per_sample", 0, "also give the value of every sample, as a curve")

/* p (c) and log p (c), either may be NULL, from a row z (c). Logits may be minus
 * infinity, never NaN or plus infinity; log p is then minus infinity too. */
static inline lethe_status lethe_log_probabilities(lethe_ctx *ctx, const float *z, uint32_t c,
                                                   int probabilities, double *p, double *log_p)
{
    double top = -HUGE_VAL, sum = 0;
    for (uint32_t k = 0; k < c; k++) {
        int bad = probabilities ? !(z[k] >= 0 && z[k] <= 1.0001f) : !(z[k] < HUGE_VALF);
        if (bad)
            return lethe_failf(ctx, LETHE_E_NUMERIC, "%g is no %s", (double)z[k],
                               probabilities ? "probability" : "finite logit");
        top = z[k] > top ? z[k] : top;
    }
    if (!probabilities && top == -HUGE_VAL)
        return lethe_failf(ctx, LETHE_E_NUMERIC, "all logits of a sample are minus infinity");
    for (uint32_t k = 0; k < c; k++)
        sum += probabilities ? 0 : exp(z[k] - top);
    for (uint32_t k = 0; k < c; k++) {
        double log_k = probabilities ? log(z[k]) : z[k] - top - log(sum);
        if (p)
            p[k] = probabilities ? z[k] : exp(log_k);
        if (log_p)
            log_p[k] = log_k;
    }
    return LETHE_OK;
}

/* Index of the largest; the lowest one among equals. */
static inline uint32_t lethe_argmax(const float *z, uint32_t c)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < c; k++)
        best = z[k] > z[best] ? k : best;
    return best;
}

/* z_y - log sum over k != y of exp z_k: log-odds of the true class, without a floor. */
static inline double lethe_margin(const float *z, uint32_t c, int32_t y)
{
    double top = -HUGE_VAL, sum = 0;
    for (uint32_t k = 0; k < c; k++)
        if ((int32_t)k != y && z[k] > top)
            top = z[k];
    for (uint32_t k = 0; k < c; k++)
        if ((int32_t)k != y)
            sum += exp(z[k] - top);
    return z[y] - top - log(sum);
}

/* Every label is one of the classes. */
static inline lethe_status lethe_check_labels(lethe_ctx *ctx, const lethe_outputs *o)
{
    for (uint64_t i = 0; i < o->n; i++)
        if (o->y[i] < 0 || (uint32_t)o->y[i] >= o->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "label %d of sample %llu is none of %u",
                               (int)o->y[i], (unsigned long long)i, (unsigned)o->n_classes);
    return LETHE_OK;
}

/* ---- numbers ---- */

static inline double lethe_mean(const double *v, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += v[i];
    return n ? sum / (double)n : NAN;
}

static inline int lethe_ascending_(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void lethe_sort(double *v, uint64_t n)
{
    qsort(v, (size_t)n, sizeof *v, lethe_ascending_);
}

/* Quantile q of sorted values, linear between neighbours (NumPy's default); NaN of none. */
static inline double lethe_quantile(const double *sorted, uint64_t n, double q)
{
    if (n == 0)
        return NAN;
    double at = q * (double)(n - 1), low = floor(at);
    uint64_t i = (uint64_t)low, j = i + 1 < n ? i + 1 : i;
    return sorted[i] + (sorted[j] - sorted[i]) * (at - low);
}

/* ---- results ---- */

static inline lethe_status lethe_emit(lethe_ctx *ctx, uint32_t output, double value,
                                      const char *why)
{
    return ctx->host->emit->scalar(ctx, output, value, isnan(value) ? why : NULL);
}

/* An infinite value has no place in a mean: it is undefined, and the note says so. */
static inline lethe_status lethe_emit_finite(lethe_ctx *ctx, uint32_t output, double value,
                                             const char *why)
{
    if (isinf(value))
        return ctx->host->emit->scalar(ctx, output, NAN, value > 0 ? "infinite" : "minus infinity");
    return lethe_emit(ctx, output, value, why);
}

/* v (n) over the samples 0..n-1, without those that are not finite. */
static inline lethe_status lethe_emit_samples(lethe_ctx *ctx, uint32_t output, const double *v,
                                              uint64_t n)
{
    double *x = (double *)lethe_alloc(ctx, n + 1, sizeof(double));
    double *y = (double *)lethe_alloc(ctx, n + 1, sizeof(double));
    uint32_t kept = 0;
    if (!x || !y)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            x[kept] = (double)i;
            y[kept++] = v[i];
        }
    return kept ? ctx->host->emit->curve(ctx, output, x, y, kept) : LETHE_OK;
}

/* Entries of a table of outputs. */
#define LETHE_SCALAR(name, better, reference, unit, lo, hi, doc)                                   \
    {                                                                                              \
        sizeof(lethe_output), LETHE_SHAPE_SCALAR, better, reference, name, unit, doc, "", lo, hi,  \
            0                                                                                      \
    }
#define LETHE_CURVE(name, x, doc)                                                                  \
    {                                                                                              \
        sizeof(lethe_output), LETHE_SHAPE_CURVE, LETHE_BETTER_NEITHER, LETHE_REF_NONE, name, "",   \
            doc, x, -HUGE_VAL, HUGE_VAL, 0                                                         \
    }
/* The table of a metric evaluated for each run alone. */
#define LETHE_RUN_METRIC(outputs, evaluate)                                                        \
    {                                                                                              \
        sizeof(lethe_metric), LETHE_SCOPE_RUN, LETHE_COUNT(outputs), sizeof(lethe_output), 0, 0,   \
            outputs, evaluate                                                                      \
    }

#endif
