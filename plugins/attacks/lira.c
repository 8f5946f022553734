/* SPDX-License-Identifier: MIT
 * lira.c: the likelihood ratio attack. The observation is the logit-scaled
 * confidence phi of each view of a sample. Shadow models trained on the sample
 * give a Gaussian IN, the others OUT: median and population deviation over the
 * models, in their order, as many for every sample as the sample with the fewest
 * has. Mode online scores log N_in - log N_out, mode offline -log N_out (or the
 * log of the tail above it, tail one-sided), mode global phi itself without
 * shadow models; the mean over views is returned. Variance fixed takes one
 * deviation over all samples. A sample without IN or OUT models scores 0 and is
 * counted in the log.
 * Preset clean: the fixed deviations are those of all IN and of all OUT
 * observations. Preset carlini: online, both are those of all IN observations,
 * as the published code has it. Preset rmia2024: at most half the models on
 * either side, and the fixed deviation is that of IN offline too.
 * Paper: Carlini et al., S&P 2022. Code read: tensorflow/privacy
 * research/mi_lira_2021 (score.py, plot.py) and privacytrustlab/ml_privacy_meter
 * research/2024_rmia. Deviations: scores have the sign that larger means member;
 * samples without IN or OUT models do not empty every other sample's list. */
#include <stdlib.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_MODE = 0, P_VARIANCE, P_PRESET, P_TAIL };
enum { MODE_ONLINE, MODE_OFFLINE, MODE_GLOBAL };
enum { PRESET_CLEAN, PRESET_CARLINI, PRESET_RMIA };

static const char *const modes[] = {"online", "offline", "global", NULL};
static const char *const variances[] = {"per-example", "fixed", NULL};
static const char *const presets[] = {"clean", "carlini", "rmia2024", NULL};
static const char *const tails[] = {"two-sided", "one-sided", NULL};
static const lethe_param params[] = {
    LETHE_CHOICE("mode", 0, modes, "online: IN against OUT; offline: OUT alone; global: phi"),
    LETHE_CHOICE("variance", 0, variances, "one deviation a sample, or one for all"),
    LETHE_CHOICE("preset", 0, presets, "whose code's fixed variance and list lengths"),
    LETHE_CHOICE("tail", 0, tails, "offline: density (published), or P(OUT below x)"),
};

#define DEVIATION_GUARD 1e-30
#define LOG_SQRT_2PI 0.91893853320467274178

/* Shadow models on one side of every sample: in 1 trained on it, in 0 not. */
struct side {
    uint8_t in;
    uint32_t most;    /* observations a sample gives; 0: no sample has any */
    double deviation; /* fixed, or negative */
};

struct lira {
    const lethe_outputs *o;
    const lethe_references *r;
    double *phi;  /* (n_models, n, n_views) */
    double *work; /* (n_models) */
    uint64_t n_skipped;
};

static double phi_at(const struct lira *l, uint32_t m, uint64_t i, uint32_t v)
{
    return l->phi[((uint64_t)m * l->o->n + i) * l->o->n_views + v];
}

/* Observations of sample i, view v on a side: the first `most`; returns how many. */
static uint32_t observations(const struct lira *l, uint8_t in, uint32_t most, uint64_t i,
                             uint32_t v, double *out)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < l->r->n_models && n < most; m++)
        if (l->r->inclusion[m][i] == in)
            out[n++] = phi_at(l, m, i, v);
    return n;
}

static int has_models(const struct lira *l, uint8_t in, uint64_t i)
{
    return observations(l, in, 1, i, 0, l->work) > 0;
}

/* The smallest number of models that any sample with models has on this side, at most cap. */
static uint32_t shortest(const struct lira *l, uint8_t in, uint32_t cap)
{
    uint32_t least = 0;
    for (uint64_t i = 0; i < l->o->n; i++) {
        uint32_t n = 0;
        for (uint32_t m = 0; m < l->r->n_models; m++)
            n += l->r->inclusion[m][i] == in;
        if (n > 0 && (least == 0 || n < least))
            least = n;
    }
    return least < cap ? least : cap;
}

static double mean_of(const double *v, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

/* Population deviation (ddof 0). */
static double deviation_of(const double *v, uint64_t n)
{
    double mean = mean_of(v, n), sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += (v[i] - mean) * (v[i] - mean);
    return sqrt(sum / (double)n);
}

/* Over every sample, view and model of the side. */
static lethe_status fixed_deviation(lethe_ctx *ctx, const struct lira *l, const struct side *side,
                                    double *ret)
{
    uint64_t n = 0;
    double *all = lethe_alloc(ctx, l->o->n * l->o->n_views * side->most + 1, sizeof *all);
    if (!all)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < l->o->n; i++)
        for (uint32_t v = 0; v < l->o->n_views; v++)
            n += observations(l, side->in, side->most, i, v, all + n);
    *ret = n > 0 ? deviation_of(all, n) : 0;
    return LETHE_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts v (n >= 1). */
static double median_of(double *v, uint32_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* log N(x) under the side's Gaussian of sample i, view v; or log P(it < x). */
static double log_density(const struct lira *l, const struct side *side, uint64_t i, uint32_t v,
                          double x, int tail)
{
    uint32_t n = observations(l, side->in, side->most, i, v, l->work);
    double deviation = side->deviation >= 0 ? side->deviation : deviation_of(l->work, n);
    double u = (x - median_of(l->work, n)) / (deviation + DEVIATION_GUARD);
    if (tail) /* far out: erfc(t) is near exp(-t^2) / (t sqrt(pi)) */
        return u > -30 ? log(erfc(-u / sqrt(2)) / 2) : -u * u / 2 - log(-u) - LOG_SQRT_2PI;
    return -log(deviation + DEVIATION_GUARD) - LOG_SQRT_2PI - u * u / 2;
}

static double score_of(struct lira *l, uint32_t mode, int tail, const struct side *in,
                       const struct side *out, uint64_t i)
{
    double sum = 0;
    if (mode != MODE_GLOBAL &&
        (!has_models(l, 0, i) || (mode == MODE_ONLINE && !has_models(l, 1, i)))) {
        l->n_skipped++;
        return 0;
    }
    for (uint32_t v = 0; v < l->o->n_views; v++) {
        double x = lethe_scaled_confidence(lethe_row(l->o, i, v), l->o->n_classes, l->o->y[i]);
        if (mode == MODE_GLOBAL)
            sum += x;
        else if (mode == MODE_OFFLINE)
            sum += tail ? log_density(l, out, i, v, x, 1) : -log_density(l, out, i, v, x, 0);
        else
            sum += log_density(l, in, i, v, x, 0) - log_density(l, out, i, v, x, 0);
    }
    return sum / l->o->n_views;
}

struct phi_job {
    const struct lira *l;
    uint32_t m;
};

static void phi_range(void *arg, uint64_t begin, uint64_t end)
{
    const struct phi_job *j = arg;
    const lethe_outputs *o = j->l->o;
    for (uint64_t i = begin; i < end; i++)
        for (uint32_t v = 0; v < o->n_views; v++) {
            uint64_t row = i * o->n_views + v;
            j->l->phi[(uint64_t)j->m * o->n * o->n_views + row] = lethe_scaled_confidence(
                j->l->r->logits[j->m] + row * o->n_classes, o->n_classes, o->y[i]);
        }
}

static lethe_status lira_init(lethe_ctx *ctx, struct lira *l)
{
    uint64_t rows = l->o->n * l->o->n_views;
    l->phi = lethe_alloc(ctx, rows * l->r->n_models + 1, sizeof *l->phi);
    l->work = lethe_alloc(ctx, l->r->n_models + 1u, sizeof *l->work);
    if (!l->phi || !l->work)
        return LETHE_E_NOMEM;
    for (uint32_t m = 0; m < l->r->n_models; m++) {
        struct phi_job j = {l, m};
        LETHE_TRY(ctx->host->par->range(ctx, l->o->n, 1024, phi_range, &j));
        for (uint64_t k = 0; k < rows; k++)
            if (isnan(l->phi[m * rows + k]))
                return lethe_failf(ctx, LETHE_E_NUMERIC,
                                   "logits of shadow model %u are not finite on candidate %llu",
                                   (unsigned)m, (unsigned long long)(k / l->o->n_views));
    }
    return LETHE_OK;
}

/* List lengths and fixed deviations, as the preset has them. */
static lethe_status make_sides(lethe_ctx *ctx, const struct lira *l, struct side *in,
                               struct side *out)
{
    uint32_t preset = lethe_choice(ctx, P_PRESET), mode = lethe_choice(ctx, P_MODE);
    uint32_t cap = preset == PRESET_RMIA ? l->r->n_models / 2 : l->r->n_models;
    *in = (struct side){1, shortest(l, 1, cap), -1};
    *out = (struct side){0, shortest(l, 0, cap), -1};
    if (lethe_choice(ctx, P_VARIANCE) == 0)
        return LETHE_OK;
    LETHE_TRY(fixed_deviation(ctx, l, in, &in->deviation));
    LETHE_TRY(fixed_deviation(ctx, l, out, &out->deviation));
    if (preset == PRESET_RMIA || (preset == PRESET_CARLINI && mode == MODE_ONLINE))
        out->deviation = in->deviation;
    return LETHE_OK;
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    static const lethe_references none = {sizeof none, 0, NULL, NULL};
    struct lira l = {job->candidates, job->references ? job->references : &none, NULL, NULL, 0};
    uint32_t mode = lethe_choice(ctx, P_MODE);
    int tail = lethe_choice(ctx, P_TAIL) == 1;
    struct side in, out;
    if (mode != MODE_GLOBAL && l.r->n_models == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "lira needs shadow models; set references: {shadow: 16} or more");
    LETHE_TRY(lethe_check_outputs(ctx, l.o, "candidate"));
    LETHE_TRY(lira_init(ctx, &l));
    LETHE_TRY(make_sides(ctx, &l, &in, &out));
    for (uint64_t i = 0; i < l.o->n; i++)
        score[i] = score_of(&l, mode, tail, &in, &out, i);
    if (l.n_skipped > 0)
        lethe_logf(ctx, LETHE_LOG_WARNING, "%llu of %llu samples lack %s shadow models and score 0",
                   (unsigned long long)l.n_skipped, (unsigned long long)l.o->n,
                   mode == MODE_ONLINE ? "IN or OUT" : "OUT");
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "lira",
    .name = "LiRA",
    .short_name = "LiRA",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "likelihood ratio of IN and OUT shadow models",
    .doc = "The likelihood ratio attack. The observation is the logit-scaled confidence phi of "
           "each view of a sample. Shadow models trained on the sample give a Gaussian IN, the "
           "others OUT: median and population deviation over the models, in their order, as many "
           "for every sample as the sample with the fewest has. Mode online scores log N_in - log "
           "N_out, mode offline -log N_out (or the log of the tail above it, tail one-sided), mode "
           "global phi itself without shadow models; the mean over views is returned. Variance "
           "fixed takes one deviation over all samples. A sample without IN or OUT models scores 0 "
           "and is counted in the log. Preset clean: the fixed deviations are those of all IN and "
           "of all OUT observations. Preset carlini: online, both are those of all IN "
           "observations, as the published code has it. Preset rmia2024: at most half the models "
           "on either side, and the fixed deviation is that of IN offline too.\n"
           "Paper: Carlini et al., S&P 2022. Code read: tensorflow/privacy research/mi_lira_2021 "
           "(score.py, plot.py) and privacytrustlab/ml_privacy_meter research/2024_rmia. "
           "Deviations: scores have the sign that larger means member; samples without IN or OUT "
           "models do not empty every other sample's list.",
    .citation = "@inproceedings{carlini2022membership, title={Membership Inference Attacks From "
                "First Principles}, author={Carlini, Nicholas and Chien, Steve and Nasr, Milad "
                "and Song, Shuang and Terzis, Andreas and Tramer, Florian}, booktitle={IEEE "
                "Symposium on Security and Privacy}, year={2022}}",
    .url = "https://arxiv.org/abs/2112.03570",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "", "log likelihood ratio, or minus the log likelihood under OUT"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS, 0, &attack);
