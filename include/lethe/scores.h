/* SPDX-License-Identifier: MIT
 * scores.h: the numbers that membership attacks and metrics take from one row
 * of logits, all static inline and in double precision. Not ABI, like helpers.h;
 * include it beside lethe.h.
 *
 *   lethe_softmax, lethe_log_likelihood, lethe_correct
 *   lethe_entropy, lethe_modified_entropy, lethe_modified_entropy_svc
 *   lethe_scaled_confidence       log p_y - log of the wrong classes
 *   lethe_signal_value            the likelihood signals of RMIA
 *   lethe_probabilities           of a sample, from logits or probabilities
 *   lethe_check_outputs           labels and logits a plugin can work with
 *   lethe_each_sample             both, for every sample of a set
 *   lethe_check_known             samples of known membership on both sides
 *
 * Logits may be minus infinity (a probability of exactly 0), never NaN. */
#ifndef LETHE_SCORES_H
#define LETHE_SCORES_H

#include "attack.h"
#include "helpers.h"

/* What stands in for log 0 in published entropies: log(1e-30). */
#define LETHE_LOG_FLOOR 1e-30

static inline double lethe_largest_(const float *z, uint32_t c)
{
    double top = z[0];
    for (uint32_t k = 1; k < c; k++)
        top = z[k] > top ? z[k] : top;
    return top;
}

/* p (c) = softmax(z / temperature), the largest logit subtracted first. */
static inline void lethe_softmax(const float *z, uint32_t c, double temperature, double *p)
{
    double top = lethe_largest_(z, c), sum = 0;
    for (uint32_t k = 0; k < c; k++)
        sum += p[k] = exp((z[k] - top) / temperature);
    for (uint32_t k = 0; k < c; k++)
        p[k] /= sum;
}

/* log softmax(z)_y; minus the cross-entropy. */
static inline double lethe_log_likelihood(const float *z, uint32_t c, int32_t y)
{
    double top = lethe_largest_(z, c), sum = 0;
    for (uint32_t k = 0; k < c; k++)
        sum += exp(z[k] - top);
    return z[y] - top - log(sum);
}

/* Is class y the largest? The lowest index wins ties. */
static inline int lethe_correct(const double *p, uint32_t c, int32_t y)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < c; k++)
        best = p[k] > p[best] ? k : best;
    return (int32_t)best == y;
}

static inline double lethe_floored_log_(double p)
{
    return log(p > LETHE_LOG_FLOOR ? p : LETHE_LOG_FLOOR);
}

/* -sum p log p, with 0 log 0 = 0. */
static inline double lethe_entropy(const double *p, uint32_t c)
{
    double sum = 0;
    for (uint32_t k = 0; k < c; k++)
        sum -= p[k] > 0 ? p[k] * log(p[k]) : 0;
    return sum;
}

/* Song and Mittal 2021, equation 8: -(1 - p_y) log p_y - sum over k != y of
 * p_k log(1 - p_k), each log of at least 1e-30. */
static inline double lethe_modified_entropy(const double *p, uint32_t c, int32_t y)
{
    double sum = 0;
    for (uint32_t k = 0; k < c; k++)
        sum -= (int32_t)k == y ? (1 - p[k]) * lethe_floored_log_(p[k])
                               : p[k] * lethe_floored_log_(1 - p[k]);
    return sum;
}

/* What the SVC-MIA code of Unlearn-Sparse, SalUn and AMUN computes under that
 * name: its indices touch whole columns and log(1 - p) is typed as log p:
 * -sum w_k log p_k with w_k = 1 - p_k for classes that occur among the labels
 * of the set, else p_k. present (c): 1 for those classes. */
static inline double lethe_modified_entropy_svc(const double *p, uint32_t c, const uint8_t *present)
{
    double sum = 0;
    for (uint32_t k = 0; k < c; k++)
        sum -= (present[k] ? 1 - p[k] : p[k]) * (p[k] > 0 ? log(p[k]) : log(LETHE_LOG_FLOOR));
    return sum;
}

/* phi = log(p_y + 1e-45) - log(sum of the wrong classes + 1e-45) (Carlini et al.
 * 2022), the wrong classes summed one by one. */
static inline double lethe_scaled_confidence(const float *z, uint32_t c, int32_t y)
{
    double top = lethe_largest_(z, c), own = 0, wrong = 0;
    for (uint32_t k = 0; k < c; k++) {
        double e = exp(z[k] - top);
        own += (int32_t)k == y ? e : 0;
        wrong += (int32_t)k == y ? 0 : e;
    }
    return log(own / (own + wrong) + 1e-45) - log(wrong / (own + wrong) + 1e-45);
}

/* ---- likelihood signals (Zarifzadeh et al. 2024, signals.py) ---- */

enum {
    LETHE_SIGNAL_SOFTMAX = 0,
    LETHE_SIGNAL_TAYLOR = 1, /* ignores the temperature, as published */
    LETHE_SIGNAL_SOFT_MARGIN = 2,
    LETHE_SIGNAL_TAYLOR_MARGIN = 3,
    LETHE_SIGNAL_LOGIT = 4
};
#define LETHE_SIGNAL_NAMES                                                                         \
    {                                                                                              \
        "softmax", "taylor", "soft-margin", "taylor-soft-margin", "log-logit-scaling", NULL        \
    }

typedef struct lethe_signal {
    uint32_t kind;  /* LETHE_SIGNAL_* */
    uint32_t order; /* terms of the series, 1 or more */
    double temperature, margin;
} lethe_signal;

/* The first n terms of exp(u): 1 + u + ... + u^(n-1) / (n-1)!, by Horner. */
static inline double lethe_taylor(double u, uint32_t n)
{
    static const double inverse[8] = {0, 1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7};
    double sum = 1;
    for (uint32_t j = n - 1; j > 0; j--)
        sum = 1 + sum * u * (j < 8 ? inverse[j] : 1.0 / j);
    return sum;
}

/* f(z_y / T - m) / (sum over k != y of f(z_k / T), plus the same), f the series. */
static inline double lethe_series_(const lethe_signal *s, const float *z, uint32_t c, int32_t y,
                                   double temperature, double margin)
{
    double inverse = 1 / temperature, rest = 0;
    for (uint32_t k = 0; k < c; k++)
        rest += (int32_t)k != y ? lethe_taylor(z[k] * inverse, s->order) : 0;
    double own = lethe_taylor(z[y] * inverse - margin, s->order);
    return own / (rest + own);
}

/* The same with f = exp, relative to the largest exponent. */
static inline double lethe_soft_(const float *z, uint32_t c, int32_t y, double temperature,
                                 double margin)
{
    double own = z[y] / temperature - margin, top = own, rest = 0;
    for (uint32_t k = 0; k < c; k++)
        if ((int32_t)k != y && z[k] / temperature > top)
            top = z[k] / temperature;
    for (uint32_t k = 0; k < c; k++)
        rest += (int32_t)k != y ? exp(z[k] / temperature - top) : 0;
    own = exp(own - top);
    return own / (rest + own);
}

/* z (c): logits of one sample with true label y. Series may be negative, above
 * one, or NaN where the denominator vanishes: published code does not clamp. */
static inline double lethe_signal_value(const lethe_signal *s, const float *z, uint32_t c,
                                        int32_t y)
{
    switch (s->kind) {
    case LETHE_SIGNAL_TAYLOR:
        return lethe_series_(s, z, c, y, 1, 0);
    case LETHE_SIGNAL_TAYLOR_MARGIN:
        return lethe_series_(s, z, c, y, s->temperature, s->margin);
    case LETHE_SIGNAL_SOFT_MARGIN:
        return lethe_soft_(z, c, y, s->temperature, s->margin);
    case LETHE_SIGNAL_LOGIT:
        return lethe_scaled_confidence(z, c, y);
    default:
        return lethe_soft_(z, c, y, s->temperature, 0);
    }
}

/* ---- outputs ---- */

/* Row of sample i, view v. */
static inline const float *lethe_row(const lethe_outputs *o, uint64_t i, uint32_t v)
{
    return o->logits + (i * o->n_views + v) * o->n_classes;
}

/* Attacks that take probabilities where logits are to be had no more: a choice parameter. */
enum { LETHE_INPUT_LOGITS = 0, LETHE_INPUT_PROBABILITIES = 1 };
#define LETHE_INPUT_NAMES                                                                          \
    {                                                                                              \
        "logits", "probabilities", NULL                                                            \
    }

/* p (c) of sample i, mean over its views, rounded to single precision as published code has it, so
 * that what ties there ties here. */
static inline void lethe_probabilities(const lethe_outputs *o, uint64_t i, uint32_t input,
                                       double *p, double *scratch)
{
    uint32_t c = o->n_classes;
    for (uint32_t k = 0; k < c; k++)
        p[k] = 0;
    for (uint32_t v = 0; v < o->n_views; v++) {
        const float *z = lethe_row(o, i, v);
        if (input == LETHE_INPUT_LOGITS)
            lethe_softmax(z, c, 1, scratch);
        for (uint32_t k = 0; k < c; k++)
            p[k] += input == LETHE_INPUT_LOGITS ? scratch[k] : (double)z[k];
    }
    for (uint32_t k = 0; k < c; k++)
        p[k] = (float)(p[k] / o->n_views);
}

/* Labels are classes, logits neither NaN nor plus infinity. `what` names the set. */
static inline lethe_status lethe_check_outputs(lethe_ctx *ctx, const lethe_outputs *o,
                                               const char *what)
{
    uint64_t row = (uint64_t)o->n_views * o->n_classes;
    for (uint64_t i = 0; i < o->n; i++) {
        if (o->y[i] < 0 || (uint32_t)o->y[i] >= o->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "label %d of %s %llu is none of %u",
                               (int)o->y[i], what, (unsigned long long)i, (unsigned)o->n_classes);
        for (uint64_t k = 0; k < row; k++)
            if (!(o->logits[i * row + k] < HUGE_VALF))
                return lethe_failf(ctx, LETHE_E_NUMERIC, "logits of %s %llu are not finite", what,
                                   (unsigned long long)i);
    }
    return LETHE_OK;
}

/* Sample i: its probabilities p (c) and its label. */
typedef void lethe_sample_fn(void *arg, uint64_t i, const double *p, uint32_t c, int32_t y);

/* Calls f for every sample of o in order, after lethe_check_outputs. input: LETHE_INPUT_*. */
static inline lethe_status lethe_each_sample(lethe_ctx *ctx, const lethe_outputs *o,
                                             const char *what, uint32_t input, lethe_sample_fn *f,
                                             void *arg)
{
    double *p = (double *)lethe_alloc(ctx, o->n_classes, sizeof *p);
    double *scratch = (double *)lethe_alloc(ctx, o->n_classes, sizeof *scratch);
    LETHE_TRY(lethe_check_outputs(ctx, o, what));
    if (!p || !scratch)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++) {
        lethe_probabilities(o, i, input, p, scratch);
        f(arg, i, p, o->n_classes, o->y[i]);
    }
    return LETHE_OK;
}

/* Attacks that are fitted need samples on both sides. */
static inline lethe_status lethe_check_known(lethe_ctx *ctx, const lethe_member_job *job)
{
    if (job->known_members->n > 0 && job->known_nonmembers->n > 0)
        return LETHE_OK;
    return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                       "undefined: there are %llu known members and %llu known non-members, both "
                       "are needed",
                       (unsigned long long)job->known_members->n,
                       (unsigned long long)job->known_nonmembers->n);
}

#endif
