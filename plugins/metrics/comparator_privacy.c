/* SPDX-License-Identifier: MIT
 * comparator_privacy.c: the privacy score of the Unlearning Comparator: how
 * well one threshold on entropy, or on the log-odds of the predicted class,
 * tells the unlearned model's forget samples from a retrained model's. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { PRIVACY, ENTROPY_ATTACK, CONFIDENCE_ATTACK, N_VALUES };
enum { PARAM_THRESHOLDS };
#define DELTA 1e-5
#define TINY 1e-10
#define FLOOR 1e-45

struct feature {
    double temperature, lo, hi;
    double (*of)(const double *p, uint32_t c);
};

static double entropy(const double *p, uint32_t c)
{
    double sum = 0;
    for (uint32_t k = 0; k < c; k++)
        sum -= p[k] > 0 ? p[k] * log(p[k]) : 0;
    return sum;
}

static double log_odds(const double *p, uint32_t c)
{
    double top = 0;
    for (uint32_t k = 0; k < c; k++)
        top = fmax(top, p[k]);
    return log(top + FLOOR) - log(1 - top + FLOOR);
}

static const struct feature features[2] = {{2, 0, 2.5, entropy}, {1, -2.5, 10, log_odds}};

/* Clipped feature of each sample; v (n), sorted. */
static lethe_status feature_values(lethe_ctx *ctx, const struct feature *f, const lethe_outputs *o,
                                   double *v)
{
    const uint32_t c = o->n_classes;
    double *p = lethe_alloc(ctx, c, sizeof(double));
    float *z = lethe_alloc(ctx, c, sizeof(float));
    if (!p || !z)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++) {
        for (uint32_t k = 0; k < c; k++)
            z[k] = lethe_sample(o, i)[k] / (float)f->temperature;
        LETHE_TRY(lethe_log_probabilities(ctx, z, c, 0, p, NULL));
        v[i] = fmin(fmax(f->of(p, c), f->lo), f->hi);
    }
    lethe_sort(v, o->n);
    return LETHE_OK;
}

static double share_from(const double *sorted, uint64_t n, double t)
{
    uint64_t below = 0;
    while (below < n && sorted[below] < t)
        below++;
    return (double)(n - below) / (double)n;
}

static double clip_rate(double rate)
{
    return fmin(fmax(rate, TINY), 1 - DELTA - TINY);
}

/* Rounded to three digits before the maximum is taken, as published. */
static double attack_score(double tpr, double fpr)
{
    double fnr = 1 - tpr, q;
    if (fpr == 0 && fnr == 0) {
        q = 0;
    } else if (fpr >= 1 - DELTA || fnr >= 1 - DELTA) {
        q = 1;
    } else {
        double a = clip_rate(fpr), b = clip_rate(fnr);
        q = pow(2, -fmax(0, fmin(log(1 - DELTA - a) - log(b), log(1 - DELTA - b) - log(a))));
    }
    return nearbyint((1 - q) * 1000) / 1000;
}

/* The strongest threshold of either direction; score (n): taking the unlearned side as positive. */
static double strongest(const struct feature *f, const double *u, uint64_t n_u, const double *r,
                        uint64_t n_r, uint32_t n, double *x, double *score)
{
    double best = 0;
    for (uint32_t k = 0; k < n; k++) {
        double t = k == n - 1 ? f->hi : f->lo + k * ((f->hi - f->lo) / (n - 1));
        double a = share_from(u, n_u, t), b = share_from(r, n_r, t);
        x[k] = t;
        score[k] = attack_score(a, b);
        best = fmax(best, fmax(score[k], attack_score(b, a)));
    }
    return best;
}

/* Against one oracle; best (2): of each feature. Curves are those of the first oracle. */
static lethe_status compare(lethe_ctx *ctx, const lethe_outputs *u, const lethe_outputs *r,
                            int first, double *best)
{
    const uint32_t n = (uint32_t)lethe_int(ctx, PARAM_THRESHOLDS);
    double *a = lethe_alloc(ctx, u->n, sizeof(double)), *b = lethe_alloc(ctx, r->n, sizeof(double));
    double *x = lethe_alloc(ctx, n, sizeof(double)), *y = lethe_alloc(ctx, n, sizeof(double));
    if (!a || !b || !x || !y)
        return LETHE_E_NOMEM;
    for (uint32_t k = 0; k < 2; k++) {
        LETHE_TRY(feature_values(ctx, &features[k], u, a));
        LETHE_TRY(feature_values(ctx, &features[k], r, b));
        best[k] = strongest(&features[k], a, u->n, b, r->n, n, x, y);
        if (first)
            LETHE_TRY(ctx->host->emit->curve(ctx, N_VALUES + k, x, y, n));
    }
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_outputs *u = job->targets->forget;
    double sum[N_VALUES] = {0};
    const char *why =
        lethe_set_size(u) == 0 ? lethe_set_missing(LETHE_FORGET) : "no oracle to compare with";
    uint32_t n = lethe_set_size(u) ? job->n_references : 0;
    for (uint32_t k = 0; k < n; k++) {
        const lethe_outputs *r = lethe_model_at(job, job->references, k)->forget;
        double best[2];
        if (lethe_set_size(r) == 0)
            return lethe_same_samples(ctx, u, r);
        LETHE_TRY(compare(ctx, u, r, k == 0, best));
        sum[PRIVACY] += 1 - fmax(best[0], best[1]);
        sum[ENTROPY_ATTACK] += best[0];
        sum[CONFIDENCE_ATTACK] += best[1];
    }
    for (uint32_t k = 0; k < N_VALUES; k++)
        LETHE_TRY(lethe_emit(ctx, k, n ? sum[k] / n : NAN, why));
    return LETHE_OK;
}

static const lethe_output outputs[] = {
    LETHE_SCALAR("forget_privacy_score", LETHE_BETTER_HIGHER, LETHE_REF_NONE, "", 0, 1,
                 "1 minus the strongest attack; 1 is indistinguishable from retrained"),
    LETHE_SCALAR("forget_privacy_entropy_attack", LETHE_BETTER_LOWER, LETHE_REF_NONE, "", 0, 1,
                 "strongest attack by a threshold on the entropy at temperature 2"),
    LETHE_SCALAR("forget_privacy_confidence_attack", LETHE_BETTER_LOWER, LETHE_REF_NONE, "", 0, 1,
                 "strongest attack by a threshold on the log-odds of the predicted class"),
    LETHE_CURVE("comparator_privacy_entropy", "threshold",
                "attack score by threshold, unlearned positive, first oracle"),
    LETHE_CURVE("comparator_privacy_confidence", "threshold",
                "attack score by threshold, unlearned positive, first oracle"),
};
static const lethe_param params[] = {
    LETHE_INT("thresholds", 51, 2, 100000, "", "thresholds of each attack (201 in epoch curves)"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "comparator-privacy",
    .name = "Privacy score (Unlearning Comparator)",
    .short_name = "privacy",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "threshold attacks that tell unlearned from retrained predictions",
    .doc =
        "Entropy at temperature 2, clipped to [0, 2.5], and log-odds of the largest probability, "
        "clipped to [-2.5, 10]; thresholds of equal distance, both directions; epsilon = max(0, "
        "min(log(1 - d - FPR) - log FNR, log(1 - d - FNR) - log FPR)), d = 1e-5; attack = "
        "1 - 2^-epsilon, rounded to three digits; score = 1 - the largest attack. Mean over "
        "the oracles, each compared alone.\n"
        "Code read: ryusudol/Unlearning-Comparator a70efe7 (attack_full_dataset.py).",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES, 0, &metric);
