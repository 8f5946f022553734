/* SPDX-License-Identifier: MIT
 * rmia.c: the relative membership inference attack. A candidate's ratio is its
 * signal under the model under attack, divided by the mean signal over the
 * shadow models; its score is the share of the other candidates z with
 * ratio(x) / ratio(z) > gamma. Every other candidate serves as z, members too.
 * Paper: Zarifzadeh, Liu, Shokri, ICML 2024. Code read: Ali-E/AMUN 9e341a9,
 * rmia_evaluate.py and signals.py, whose online variant `amun` this is: the mean
 * is taken over all shadow models, whatever they were trained on. Deviations:
 * signals in double precision (repository: single) and softmax signals with the
 * maximum subtracted; a signal or ratio of 0/0 scores 0 and is counted in the
 * log; the flag `exclusive`, whose index is wrong in the repository, is not
 * offered. Taylor signals may be negative or above one and are not clamped. */
#include <stdlib.h>

#include <lethe/lethe.h>

enum { P_VARIANT = 0, P_SIGNAL, P_TEMPERATURE, P_GAMMA, P_MARGIN, P_ORDER };
enum { SIGNAL_SOFTMAX, SIGNAL_TAYLOR, SIGNAL_SOFT_MARGIN, SIGNAL_TAYLOR_MARGIN, SIGNAL_LOGIT };

static const char *const variants[] = {"amun", NULL};
static const char *const signals[] = {
    "softmax", "taylor", "soft-margin", "taylor-soft-margin", "log-logit-scaling", NULL};
static const lethe_param params[] = {
    LETHE_CHOICE("variant", 0, variants, "form of the attack; amun: AMUN's online form"),
    LETHE_CHOICE("signal", SIGNAL_TAYLOR_MARGIN, signals, "likelihood signal of a sample"),
    LETHE_REAL("temperature", 2, 1e-3, 1e3, "", "divides the logits; taylor ignores it"),
    LETHE_REAL("gamma", 2, 1e-6, 1e6, "", "threshold of the ratio, strict"),
    LETHE_REAL("margin", 0.6, -1e3, 1e3, "", "taken off the true class's logit"),
    LETHE_INT("order", 4, 1, 32, "terms", "terms of the Taylor series of exp"),
};

/* ---- signals: attacks on one row of logits ---- */

struct signal_spec {
    uint32_t kind; /* SIGNAL_* */
    uint32_t order;
    double temperature, margin;
};

/* The first n terms of exp(u): 1 + u + ... + u^(n-1) / (n-1)!. */
static double taylor(double u, uint32_t n)
{
    double term = 1, sum = 1;
    for (uint32_t j = 1; j < n; j++) {
        term *= u / j;
        sum += term;
    }
    return sum;
}

/* f(z_y / T - m) / (sum over k != y of f(z_k / T), plus the same), where f is the
 * series, or exp relative to the largest exponent. */
static double margin_signal(const struct signal_spec *s, const float *z, uint32_t c, int32_t y,
                            double temperature, double margin, int series)
{
    double own = z[y] / temperature - margin, top = own, rest = 0;
    for (uint32_t k = 0; k < c; k++)
        if ((int32_t)k != y && z[k] / temperature > top)
            top = z[k] / temperature;
    for (uint32_t k = 0; k < c; k++) {
        double u = z[k] / temperature;
        if ((int32_t)k != y)
            rest += series ? taylor(u, s->order) : exp(u - top);
    }
    own = series ? taylor(own, s->order) : exp(own - top);
    return own / (rest + own);
}

/* log(p_y + 1e-45) - log(sum of the wrong classes + 1e-45) (Carlini et al. 2022). */
static double logit_signal(const float *z, uint32_t c, int32_t y)
{
    double top = z[0], own = 0, wrong = 0;
    for (uint32_t k = 1; k < c; k++)
        top = z[k] > top ? z[k] : top;
    for (uint32_t k = 0; k < c; k++) {
        double e = exp(z[k] - top);
        own += (int32_t)k == y ? e : 0;
        wrong += (int32_t)k == y ? 0 : e;
    }
    return log(own / (own + wrong) + 1e-45) - log(wrong / (own + wrong) + 1e-45);
}

/* z (c): logits of one sample with true label y. May be NaN where the series vanish. */
static double signal_of(const struct signal_spec *s, const float *z, uint32_t c, int32_t y)
{
    if (s->kind == SIGNAL_LOGIT)
        return logit_signal(z, c, y);
    int margin = s->kind == SIGNAL_SOFT_MARGIN || s->kind == SIGNAL_TAYLOR_MARGIN;
    int series = s->kind == SIGNAL_TAYLOR || s->kind == SIGNAL_TAYLOR_MARGIN;
    return margin_signal(s, z, c, y, s->kind == SIGNAL_TAYLOR ? 1 : s->temperature,
                         margin ? s->margin : 0, series);
}

/* ---- counting ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ratios in order, zeros and NaN apart. */
struct ranking {
    double *sorted; /* (n_negative + n_positive) ascending */
    uint64_t n_negative, n_positive;
    uint64_t n_plus_zero, n_minus_zero;
};

/* sorted has room for n. */
static void ranking_init(struct ranking *k, const double *ratio, uint64_t n, double *sorted)
{
    memset(k, 0, sizeof *k);
    k->sorted = sorted;
    for (uint64_t i = 0; i < n; i++) {
        k->n_negative += ratio[i] < 0;
        k->n_positive += ratio[i] > 0;
        k->n_plus_zero += ratio[i] == 0 && !signbit(ratio[i]);
        k->n_minus_zero += ratio[i] == 0 && signbit(ratio[i]);
        if (ratio[i] < 0 || ratio[i] > 0)
            sorted[k->n_negative + k->n_positive - 1] = ratio[i];
    }
    qsort(sorted, (size_t)(k->n_negative + k->n_positive), sizeof *sorted, by_value);
}

/* How many z have r / z > gamma, r itself included where it does. Division rounds
 * monotonically, so the literal quotient is a valid test for bisection and no
 * boundary needs another look. */
static uint64_t ranking_count(const struct ranking *k, double r, double gamma)
{
    const double *v = k->sorted;
    uint64_t lo, hi;
    if (r > 0) { /* the smallest positive z qualify */
        lo = k->n_negative, hi = k->n_negative + k->n_positive;
        while (lo < hi) {
            uint64_t mid = lo + (hi - lo) / 2;
            if (r / v[mid] > gamma)
                lo = mid + 1;
            else
                hi = mid;
        }
        return lo - k->n_negative + k->n_plus_zero; /* r / +0 is infinite */
    }
    if (r < 0) { /* the negative z nearest to zero qualify */
        lo = 0, hi = k->n_negative;
        while (lo < hi) {
            uint64_t mid = lo + (hi - lo) / 2;
            if (r / v[mid] > gamma)
                hi = mid;
            else
                lo = mid + 1;
        }
        return k->n_negative - lo + k->n_minus_zero; /* r / -0 is infinite */
    }
    return 0; /* 0 and NaN exceed nothing */
}

/* score_i = #{j != i : ratio_i / ratio_j > gamma} / (n - 1); n >= 2, work (n). */
static void rmia_scores(const double *ratio, uint64_t n, double gamma, double *work, double *score)
{
    struct ranking k;
    ranking_init(&k, ratio, n, work);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hits = ranking_count(&k, ratio[i], gamma);
        hits -= ratio[i] / ratio[i] > gamma; /* x is not its own z */
        score[i] = (double)hits / (double)(n - 1);
    }
}

/* ---- the attack ---- */

static lethe_status check_job(lethe_ctx *ctx, const lethe_member_job *job)
{
    const lethe_outputs *o = job->candidates;
    if (!job->references || job->references->n_models == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "rmia needs shadow models; set references: {shadow: 8} or more");
    if (o->n < 2)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "rmia needs two candidates, there are %llu",
                           (unsigned long long)o->n);
    if (o->n_views != 1)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "variant amun takes one view of a sample, not %u", (unsigned)o->n_views);
    for (uint64_t i = 0; i < o->n; i++)
        if (o->y[i] < 0 || (uint32_t)o->y[i] >= o->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "label %d of candidate %llu is none of %u",
                               (int)o->y[i], (unsigned long long)i, (unsigned)o->n_classes);
    return LETHE_OK;
}

/* ratio_i = signal under the model / mean signal over all shadow models. */
static double ratio_of(const struct signal_spec *s, const lethe_member_job *job, uint64_t i)
{
    const lethe_outputs *o = job->candidates;
    uint32_t c = o->n_classes;
    double sum = 0;
    for (uint32_t m = 0; m < job->references->n_models; m++)
        sum += signal_of(s, job->references->logits[m] + i * c, c, o->y[i]);
    return signal_of(s, o->logits + i * c, c, o->y[i]) / (sum / job->references->n_models);
}

static lethe_status rmia_score(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                               double *score)
{
    struct signal_spec spec = {lethe_choice(ctx, P_SIGNAL), (uint32_t)lethe_int(ctx, P_ORDER),
                               lethe_real(ctx, P_TEMPERATURE), lethe_real(ctx, P_MARGIN)};
    uint64_t n = job->candidates->n, odd = 0, undefined = 0;
    LETHE_TRY(check_job(ctx, job));
    double *ratio = lethe_alloc(ctx, n, sizeof *ratio);
    double *work = lethe_alloc(ctx, n, sizeof *work);
    if (!ratio || !work)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < n; i++) {
        ratio[i] = ratio_of(&spec, job, i);
        undefined += isnan(ratio[i]) != 0;
        odd += ratio[i] <= 0;
    }
    if (undefined || odd)
        lethe_logf(ctx, LETHE_LOG_WARNING,
                   "of %llu ratios %llu are not positive and %llu undefined (they score 0)",
                   (unsigned long long)n, (unsigned long long)odd, (unsigned long long)undefined);
    rmia_scores(ratio, n, lethe_real(ctx, P_GAMMA), work, score);
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "rmia",
    .name = "RMIA",
    .short_name = "RMIA",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "relative membership inference against shadow models, AMUN's online form",
    .doc = "The relative membership inference attack. A candidate's ratio is its signal under the "
           "model under attack, divided by the mean signal over the shadow models; its score is "
           "the share of the other candidates z with ratio(x) / ratio(z) > gamma. Every other "
           "candidate serves as z, members too.\n"
           "Paper: Zarifzadeh, Liu, Shokri, ICML 2024. Code read: Ali-E/AMUN 9e341a9, "
           "rmia_evaluate.py and signals.py, whose online variant `amun` this is: the mean is "
           "taken over all shadow models, whatever they were trained on. Deviations: signals in "
           "double precision (repository: single) and softmax signals with the maximum subtracted; "
           "a signal or ratio of 0/0 scores 0 and is counted in the log; the flag `exclusive`, "
           "whose index is wrong in the repository, is not offered. Taylor signals may be negative "
           "or above one and are not clamped.",
    .citation = "@inproceedings{zarifzadeh2024low, title={Low-Cost High-Power Membership Inference "
                "Attacks}, author={Zarifzadeh, Sajjad and Liu, Philippe and Shokri, Reza}, "
                "booktitle={International Conference on Machine Learning}, year={2024}}",
    .url = "https://arxiv.org/abs/2312.03262",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "", "share of candidates whose ratio this one's exceeds by gamma"}};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .scores = scores,
    .score = rmia_score,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS, 0, &attack);
