/* SPDX-License-Identifier: MIT
 * klom.c: KL divergence of margins (Georgiev et al. 2024): for each sample the
 * distribution of the margin over unlearned models against that over oracles. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

#define CLIP 100.0
enum { MEAN, MEDIAN, P95, SWAPPED, SWAPPED_MEDIAN, SWAPPED_P95, FLOOR, N_VALUES };
enum { N_PLACES = 4, MIN_MODELS = 8 };
enum { PARAM_BINS, PARAM_EPS, PARAM_PER_SAMPLE };

/* Histogram (bins) of v (n), normalised to its own count. Half-open bins [e_k, e_k+1): the common
 * maximum falls in none, as in the published code. NaN when nothing is left. */
static void histogram(const double *v, uint32_t n, double lo, double hi, uint32_t bins, double *h)
{
    uint32_t count = 0;
    double step = (hi - lo) / bins;
    for (uint32_t k = 0; k < bins; k++)
        h[k] = 0;
    for (uint32_t i = 0; i < n; i++) {
        double at = floor((v[i] - lo) / step);
        uint32_t k = at < bins ? (uint32_t)at : bins - 1;
        if (v[i] >= hi)
            continue;
        while (k > 0 && v[i] < lo + k * step) /* the quotient is rounded: the edges decide */
            k--;
        while (k + 1 < bins && v[i] >= lo + (k + 1) * step)
            k++;
        h[k]++;
        count++;
    }
    for (uint32_t k = 0; k < bins; k++)
        h[k] = count ? h[k] / count : NAN;
}

/* KL(p || q) with q at least eps where p > 0, both normalised again. q is overwritten. */
static double kl_of(const double *p, double *q, uint32_t bins, double eps)
{
    double sum_p = 0, sum_q = 0, kl = 0;
    for (uint32_t k = 0; k < bins; k++) {
        if (p[k] > 0 && q[k] < eps)
            q[k] = eps;
        sum_p += p[k];
        sum_q += q[k];
    }
    for (uint32_t k = 0; k < bins; k++)
        kl += p[k] > 0 ? p[k] / sum_p * log(p[k] / sum_p / (q[k] / sum_q)) : 0;
    return isnan(sum_p + sum_q) ? NAN : kl;
}

struct work {
    double *a, *b; /* margins of one sample: unlearned (n_a), oracles (n_b) */
    uint32_t n_a, n_b;
    double *p, *q; /* (bins) */
    uint32_t bins;
    double eps;
};

/* KL(first || second) of two samples of margins. */
static double divergence(struct work *w, const double *a, uint32_t n_a, const double *b,
                         uint32_t n_b)
{
    double lo = HUGE_VAL, hi = -HUGE_VAL;
    for (uint32_t i = 0; i < n_a + n_b; i++) {
        double v = i < n_a ? a[i] : b[i - n_a];
        lo = fmin(lo, v);
        hi = fmax(hi, v);
    }
    if (hi <= lo)
        hi = lo + 1;
    histogram(a, n_a, lo, hi, w->bins, w->p);
    histogram(b, n_b, lo, hi, w->bins, w->q);
    return kl_of(w->p, w->q, w->bins, w->eps);
}

static double clipped_margin(const lethe_outputs *o, uint64_t i)
{
    return fmin(fmax(lethe_margin(lethe_sample(o, i), o->n_classes, o->y[i]), -CLIP), CLIP);
}

/* Oracles against oracles, even ones first: what two samples of one law give. */
static double floor_of(struct work *w)
{
    uint32_t half = w->n_b / 2;
    double *even = w->a; /* the unlearned margins have been used */
    if (half < 2 || w->n_a < half)
        return NAN;
    for (uint32_t i = 0; i < half; i++) {
        even[i] = w->b[2 * i];
        w->b[i] = w->b[2 * i + 1];
    }
    return divergence(w, even, half, w->b, half);
}

static lethe_status work_make(lethe_ctx *ctx, const lethe_metric_job *job, struct work *w)
{
    *w = (struct work){.n_a = job->n_targets,
                       .n_b = job->n_references,
                       .bins = (uint32_t)lethe_int(ctx, PARAM_BINS),
                       .eps = lethe_real(ctx, PARAM_EPS)};
    w->a = lethe_alloc(ctx, w->n_a + 1u, sizeof(double));
    w->b = lethe_alloc(ctx, w->n_b + 1u, sizeof(double));
    w->p = lethe_alloc(ctx, w->bins, sizeof(double));
    w->q = lethe_alloc(ctx, w->bins, sizeof(double));
    return w->a && w->b && w->p && w->q ? LETHE_OK : LETHE_E_NOMEM;
}

static lethe_status check(lethe_ctx *ctx, const lethe_metric_job *job, uint32_t set)
{
    const lethe_outputs *first = lethe_set(job->targets, set);
    LETHE_TRY(lethe_check_labels(ctx, first));
    for (uint32_t m = 0; m < job->n_targets; m++)
        LETHE_TRY(
            lethe_same_samples(ctx, first, lethe_set(lethe_model_at(job, job->targets, m), set)));
    for (uint32_t m = 0; m < job->n_references; m++)
        LETHE_TRY(lethe_same_samples(ctx, first,
                                     lethe_set(lethe_model_at(job, job->references, m), set)));
    return LETHE_OK;
}

/* klom (n), swapped (n), floor (n): per sample. */
static void samples_of(const lethe_metric_job *job, uint32_t set, struct work *w, uint64_t n,
                       double *const v[3])
{
    for (uint64_t i = 0; i < n; i++) {
        for (uint32_t m = 0; m < w->n_a; m++)
            w->a[m] = clipped_margin(lethe_set(lethe_model_at(job, job->targets, m), set), i);
        for (uint32_t m = 0; m < w->n_b; m++)
            w->b[m] = clipped_margin(lethe_set(lethe_model_at(job, job->references, m), set), i);
        v[0][i] = divergence(w, w->a, w->n_a, w->b, w->n_b);
        v[1][i] = divergence(w, w->b, w->n_b, w->a, w->n_a);
        v[2][i] = floor_of(w);
    }
}

/* Without the undefined samples; returns how many are left, sorted. */
static uint64_t keep_defined(double *v, uint64_t n)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < n; i++)
        if (!isnan(v[i]))
            v[kept++] = v[i];
    lethe_sort(v, kept);
    return kept;
}

static lethe_status emit_set(lethe_ctx *ctx, uint32_t set, uint64_t n, double *const v[3])
{
    const uint32_t first = set * N_VALUES;
    const char *why = "every sample has all margins of one side at the common maximum";
    if (set == LETHE_FORGET && lethe_bool(ctx, PARAM_PER_SAMPLE)) {
        LETHE_TRY(lethe_emit_samples(ctx, N_PLACES * N_VALUES, v[0], n));
        LETHE_TRY(lethe_emit_samples(ctx, N_PLACES * N_VALUES + 1, v[1], n));
    }
    for (uint32_t side = 0; side < 2; side++) {
        uint64_t kept = keep_defined(v[side], n);
        char note[96];
        snprintf(note, sizeof note, "%llu of %llu samples are undefined and left out",
                 (unsigned long long)(n - kept), (unsigned long long)n);
        const double value[] = {lethe_mean(v[side], kept), lethe_quantile(v[side], kept, 0.5),
                                lethe_quantile(v[side], kept, 0.95)};
        for (uint32_t k = 0; k < 3; k++)
            LETHE_TRY(ctx->host->emit->scalar(ctx, first + side * SWAPPED + k, value[k],
                                              kept == 0  ? why
                                              : kept < n ? note
                                                         : NULL));
    }
    uint64_t kept = keep_defined(v[2], n);
    return lethe_emit(ctx, first + FLOOR, lethe_mean(v[2], kept), "fewer than 4 oracles");
}

static lethe_status evaluate_set(lethe_ctx *ctx, const lethe_metric_job *job, uint32_t set)
{
    uint64_t n = lethe_set_size(lethe_set(job->targets, set));
    struct work w;
    double *v[3];
    if (n == 0 || job->n_references < MIN_MODELS) {
        const char *why = n == 0 ? lethe_set_missing(set) : "needs 8 oracles or more";
        for (uint32_t k = 0; k < N_VALUES; k++)
            LETHE_TRY(lethe_emit(ctx, set * N_VALUES + k, NAN, why));
        return LETHE_OK;
    }
    LETHE_TRY(check(ctx, job, set));
    LETHE_TRY(work_make(ctx, job, &w));
    for (uint32_t k = 0; k < 3; k++)
        if (!(v[k] = lethe_alloc(ctx, n, sizeof(double))))
            return LETHE_E_NOMEM;
    samples_of(job, set, &w, n, v);
    return emit_set(ctx, set, n, v);
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t set = 0; set < N_PLACES; set++)
        LETHE_TRY(evaluate_set(ctx, job, set));
    return LETHE_OK;
}

#define ONE(name, doc) LETHE_SCALAR(name, LETHE_BETTER_LOWER, LETHE_REF_NONE, "", 0, HUGE_VAL, doc)
#define SET(s, words)                                                                              \
    ONE(s "_klom", "mean KL(unlearned || oracles) of margins, " words),                            \
        ONE(s "_klom_median", "its median, " words),                                               \
        ONE(s "_klom_p95", "its 95th percentile, " words),                                         \
        ONE(s "_klom_swapped", "mean KL(oracles || unlearned), " words),                           \
        ONE(s "_klom_swapped_median", "its median, " words),                                       \
        ONE(s "_klom_swapped_p95", "its 95th percentile, " words),                                 \
        ONE(s "_klom_floor", "mean KL of one half of the oracles from the other, " words)
static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("retain", "retain set"),
    SET("test", "test set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
    LETHE_CURVE("klom_forget", "sample", "klom of each forget sample"),
    LETHE_CURVE("klom_forget_swapped", "sample", "klom_swapped of each forget sample"),
};
static const lethe_param params[] = {
    LETHE_INT("bins", 20, 1, 10000, "", "bins between the common least and largest margin"),
    LETHE_REAL("eps", 1e-5, 1e-12, 1, "", "least probability of a bin that the first side fills"),
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
    .id = "klom",
    .name = "KL divergence of margins",
    .short_name = "KLoM",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "KLoM: margins over unlearned models against margins over oracles",
    .doc = "Margins z_y - logsumexp of the others, clipped to [-100, 100], over all runs of a "
           "method on one forget set and over its oracles (8 of each or more). Per sample: 20 "
           "equal bins between the common least and largest margin, [lo, hi), so that the common "
           "maximum falls in none; KL of the normalised counts, the second side at least 1e-5 "
           "where the first is not 0. klom is KL(unlearned || oracles), klom_swapped the other "
           "direction, which the published runner stores. Two samples of one law give .1 to .3: "
           "read klom_floor. Undefined samples are left out and counted in the notes.\n"
           "Code read: RoyRin/data-unlearning-bench eb261f9 (eval.py).",
    .citation = "@article{georgiev2024attribute, title={Attribute-to-Delete: Machine Unlearning "
                "via Datamodel Matching}, author={Georgiev, Kristian and others}, year={2024}}",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES, 0, &metric);
