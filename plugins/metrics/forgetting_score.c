/* SPDX-License-Identifier: MIT
 * forgetting_score.c: the score of the NeurIPS 2023 unlearning challenge
 * (Triantafillou et al. 2024): for each forget sample the strongest of a family
 * of threshold attacks that tell unlearned from retrained models by the sample's
 * logit-scaled confidence, as a differential-privacy epsilon. */
#include <lethe/lethe.h>
#include <lethe/measures.h>
#include <lethe/scores.h>

enum { SCORE, FINAL, EPS_MEAN, EPS_MEDIAN, EPS_MAX, N_VALUES };
enum { PARAM_DELTA, PARAM_CAP, PARAM_PER_SAMPLE };
enum { MIN_MODELS = 8, PER_UNIT = 100, N_LEFT = 400 };
#define BUFFER 2.0
#define LEAST_RANGE_RATIO 0.01
#define BUCKET 0.5

/* Sorted confidences of one sample over the models of one side. */
struct side {
    const double *v;
    uint32_t n;
};

static double range_of(struct side s)
{
    return s.v[s.n - 1] - s.v[0];
}

static double median_of(struct side s)
{
    return lethe_quantile(s.v, s.n, 0.5);
}

/* Number of values below t, or at most t when `with`. */
static uint32_t count_below(struct side s, double t, int with)
{
    uint32_t lo = 0, hi = s.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (s.v[mid] < t || (with && s.v[mid] <= t))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct search {
    double delta, best; /* best: NaN before any rule has survived */
};

/* A rule that is right on every model has no bound; one of the two rates at 0 says nothing. */
static void judge(struct search *s, double fpr, double fnr)
{
    double eps;
    if (fpr == 0 && fnr == 0)
        eps = HUGE_VAL;
    else if (fpr == 0 || fnr == 0)
        return;
    else
        eps = fmax(0, fmax(log(1 - s->delta - fpr) - log(fnr), log(1 - s->delta - fnr) - log(fpr)));
    if (!(eps <= s->best))
        s->best = eps;
}

/* Point k of n from lo to hi, in single precision as published. */
static double linspace(double lo, double hi, uint32_t n, uint32_t k)
{
    return n < 2 ? lo : k == n - 1 ? hi : lo + (hi - lo) / (n - 1) * k;
}

static void single_thresholds(struct search *s, struct side pos, struct side neg)
{
    double lo = fmin(pos.v[0], neg.v[0]), hi = fmax(pos.v[pos.n - 1], neg.v[neg.n - 1]);
    uint32_t n = (uint32_t)ceil(PER_UNIT * (hi - lo));
    for (uint32_t k = 0; k < n; k++) {
        double t = (double)(float)linspace(lo, hi, n, k);
        judge(s, 1 - (double)count_below(neg, t, 0) / neg.n,
              (double)count_below(pos, t, 0) / pos.n);
    }
}

static double share_between(struct side s, double left, double right)
{
    uint32_t below = count_below(s, left, 0), upto = count_below(s, right, 1);
    return upto > below ? (double)(upto - below) / s.n : 0;
}

/* Intervals about the width of the narrower side. */
static void double_thresholds(struct search *s, struct side pos, struct side neg)
{
    if (range_of(pos) >= range_of(neg)) {
        struct side swap = pos;
        pos = neg;
        neg = swap;
    }
    double w = range_of(pos);
    double lo = pos.v[0] + w - BUFFER, hi = pos.v[pos.n - 1] + BUFFER;
    uint32_t n = (uint32_t)ceil(PER_UNIT * (hi - lo));
    for (uint32_t k = 0; k < n; k++) {
        double right = linspace(lo, hi, n, k);
        for (uint32_t j = 0; j < N_LEFT; j++) {
            double left = linspace(right - w - BUFFER, right - w + BUFFER, N_LEFT, j);
            judge(s, share_between(neg, left, right), 1 - share_between(pos, left, right));
        }
    }
}

/* *ret_rules: 0 when no rule had a bound (epsilon is then 0). */
static double epsilon_of(struct side unlearned, struct side retrained, double delta, double cap,
                         int *ret_rules)
{
    double a = range_of(unlearned), b = range_of(retrained);
    struct search s = {delta, NAN};
    *ret_rules = 1;
    if (a == 0 && b == 0)
        return unlearned.v[0] == retrained.v[0] ? 0 : cap;
    if (fmin(a, b) / fmax(a, b) < LEAST_RANGE_RATIO)
        return cap;
    int first = median_of(unlearned) >= median_of(retrained);
    struct side pos = first ? unlearned : retrained, neg = first ? retrained : unlearned;
    single_thresholds(&s, pos, neg);
    double_thresholds(&s, pos, neg);
    *ret_rules = !isnan(s.best);
    return isnan(s.best) ? 0 : fmin(s.best, cap);
}

/* ---- the set ---- */

struct work {
    const lethe_metric_job *job;
    double *a, *b;  /* confidences of one sample (n_targets), (n_references) */
    double *eps;    /* (n) */
    uint8_t *rules; /* (n) */
    double delta, cap;
};

static struct side side_of(const struct work *w, const lethe_model_outputs *list, uint32_t n,
                           uint64_t i, double *v)
{
    for (uint32_t m = 0; m < n; m++) {
        const lethe_outputs *o = lethe_model_at(w->job, list, m)->forget;
        v[m] = lethe_scaled_confidence(lethe_sample(o, i), o->n_classes, o->y[i]);
    }
    lethe_sort(v, n);
    return (struct side){v, n};
}

static void samples(struct work *w, uint64_t n)
{
    const lethe_metric_job *job = w->job;
    for (uint64_t i = 0; i < n; i++) {
        struct side u = side_of(w, job->targets, job->n_targets, i, w->a);
        struct side r = side_of(w, job->references, job->n_references, i, w->b);
        int rules;
        w->eps[i] = epsilon_of(u, r, w->delta, w->cap, &rules);
        w->rules[i] = (uint8_t)rules;
    }
}

/* 2^-b points for an epsilon in bucket b of width 1/2 below ln(M - 1) rounded up, else none. */
static double score_of(const double *eps, uint64_t n, uint32_t n_models)
{
    double largest = ceil(log((double)n_models - 1)), sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += eps[i] < largest ? pow(2, -floor(eps[i] / BUCKET)) : 0;
    return sum / (double)n;
}

static double accuracy_of(const lethe_metric_job *job, const lethe_model_outputs *list, uint32_t n,
                          uint32_t set)
{
    double sum = 0;
    for (uint32_t m = 0; m < n; m++) {
        const lethe_outputs *o = lethe_set(lethe_model_at(job, list, m), set);
        uint64_t hits = 0;
        for (uint64_t i = 0; i < lethe_set_size(o); i++)
            hits += (int32_t)lethe_argmax(lethe_sample(o, i), o->n_classes) == o->y[i];
        sum += lethe_set_size(o) ? (double)hits / (double)o->n : NAN;
    }
    return sum / n;
}

/* Unlearned over retrained accuracy, both means over models. */
static double ratio_of(const lethe_metric_job *job, uint32_t set)
{
    return accuracy_of(job, job->targets, job->n_targets, set) /
           accuracy_of(job, job->references, job->n_references, set);
}

static lethe_status emit_all(lethe_ctx *ctx, struct work *w, uint64_t n)
{
    const lethe_metric_job *job = w->job;
    double score = score_of(w->eps, n, job->n_targets);
    double final = score * ratio_of(job, LETHE_RETAIN) * ratio_of(job, LETHE_TEST);
    uint64_t without = 0;
    char note[96];
    for (uint64_t i = 0; i < n; i++)
        without += !w->rules[i];
    snprintf(note, sizeof note, "no rule has a bound for %llu of %llu samples: epsilon 0 there",
             (unsigned long long)without, (unsigned long long)n);
    if (lethe_bool(ctx, PARAM_PER_SAMPLE))
        LETHE_TRY(lethe_emit_samples(ctx, N_VALUES, w->eps, n));
    LETHE_TRY(ctx->host->emit->scalar(ctx, SCORE, score, without ? note : NULL));
    LETHE_TRY(lethe_emit(ctx, FINAL, isfinite(final) ? final : NAN,
                         "needs accuracies above 0 on retain and test samples"));
    LETHE_TRY(lethe_emit(ctx, EPS_MEAN, lethe_mean(w->eps, n), NULL));
    lethe_sort(w->eps, n);
    LETHE_TRY(lethe_emit(ctx, EPS_MEDIAN, lethe_quantile(w->eps, n, 0.5), NULL));
    return lethe_emit(ctx, EPS_MAX, w->eps[n - 1], NULL);
}

static lethe_status check(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_outputs *first = job->targets->forget;
    LETHE_TRY(lethe_check_outputs(ctx, first, "forget sample"));
    for (uint32_t m = 1; m < job->n_targets; m++)
        LETHE_TRY(lethe_same_samples(ctx, first, lethe_model_at(job, job->targets, m)->forget));
    for (uint32_t m = 0; m < job->n_references; m++)
        LETHE_TRY(lethe_same_samples(ctx, first, lethe_model_at(job, job->references, m)->forget));
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    uint64_t n = lethe_set_size(job->targets->forget);
    struct work w = {
        .job = job, .delta = lethe_real(ctx, PARAM_DELTA), .cap = lethe_real(ctx, PARAM_CAP)};
    if (n == 0 || job->n_references < MIN_MODELS) {
        for (uint32_t k = 0; k < N_VALUES; k++)
            LETHE_TRY(lethe_emit(
                ctx, k, NAN, n == 0 ? lethe_set_missing(LETHE_FORGET) : "needs 8 oracles or more"));
        return LETHE_OK;
    }
    LETHE_TRY(check(ctx, job));
    w.a = lethe_alloc(ctx, job->n_targets, sizeof(double));
    w.b = lethe_alloc(ctx, job->n_references, sizeof(double));
    w.eps = lethe_alloc(ctx, n, sizeof(double));
    w.rules = lethe_alloc(ctx, n, 1);
    if (!w.a || !w.b || !w.eps || !w.rules)
        return LETHE_E_NOMEM;
    samples(&w, n);
    return emit_all(ctx, &w, n);
}

#define ONE(name, better, hi, doc) LETHE_SCALAR(name, better, LETHE_REF_NONE, "", 0, hi, doc)
static const lethe_output outputs[] = {
    ONE("forgetting_score", LETHE_BETTER_HIGHER, 1, "mean points per forget sample; 1 is ideal"),
    ONE("forgetting_final_score", LETHE_BETTER_HIGHER, HUGE_VAL,
        "forgetting_score times retain and test accuracy relative to the oracles'"),
    ONE("forget_epsilon_mean", LETHE_BETTER_LOWER, 1e6, "mean epsilon of the forget samples"),
    ONE("forget_epsilon_median", LETHE_BETTER_LOWER, 1e6, "median epsilon"),
    ONE("forget_epsilon_max", LETHE_BETTER_LOWER, 1e6, "largest epsilon"),
    LETHE_CURVE("forgetting_score_epsilon", "sample", "epsilon of each forget sample"),
};
static const lethe_param params[] = {
    LETHE_REAL("delta", 1e-5, 0, 1, "", "delta of (epsilon, delta)"),
    LETHE_REAL("cap", 50, 0, 1e6, "", "largest epsilon; an attack without errors has it"),
    LETHE_PER_SAMPLE_PARAM,
};
static const lethe_metric metric = {
    .struct_size = sizeof(lethe_metric),
    .scope = LETHE_SCOPE_GROUP,
    .n_outputs = LETHE_COUNT(outputs),
    .output_stride = sizeof(lethe_output),
    .min_models = MIN_MODELS,
    .outputs = outputs,
    .evaluate = evaluate,
};
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "forgetting-score",
    .name = "NeurIPS 2023 forgetting score",
    .short_name = "forget score",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "per-sample epsilon of unlearned against retrained models, and its score",
    .doc =
        "For each forget sample the logit-scaled confidences over all runs of a method on one "
        "forget set (the challenge: 512) and over its oracles; 8 of each or more. Single "
        "thresholds, 100 a unit, and intervals about the narrower side's width; epsilon = "
        "max(log(1 - delta - FPR) - log FNR, log(1 - delta - FNR) - log FPR), infinite (the cap) "
        "for a rule without errors, none where only one rate is 0. Ranges that differ more "
        "than 100-fold have the cap. A sample in bucket b (width 1/2) earns 2^-b, none from "
        "ceil(ln(M - 1)) on.\n"
        "Code read: google-deepmind/unlearning_evaluation ffae0ff (metric.py). Deviations: both "
        "sides constant give 0 or the cap (there: 0/0); no rule left gives 0 and a note (there: "
        "an assertion).",
    .citation = "@article{triantafillou2024progress, title={Are we making progress in unlearning? "
                "Findings from the first NeurIPS unlearning competition}, author={Triantafillou, "
                "Eleni and others}, year={2024}}",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES, 0, &metric);
