/* SPDX-License-Identifier: MIT
 * song_mittal.c: the threshold attacks of Song and Mittal. Four features, larger
 * for members: correctness, confidence p_y, minus entropy, minus modified
 * entropy. The last three get a threshold for each class: the known sample's
 * value, members first, whose balanced accuracy on the known samples of that
 * class is strictly the largest; 0 where a class lacks known members or
 * non-members. Scores are feature minus threshold of the label's class, so that
 * at least 0 judges a member; correctness scores 1 or -1.
 * Paper: Song and Mittal, USENIX Security 2021. Code read: evaluation/MIA.py of
 * OPTML-Group/Unlearn-Saliency and Ali-E/AMUN 9e341a9 (the same text).
 * Deviations: the number of classes is the model's (repository: 10 in the
 * caller); thresholds are found by sorting instead of in quadratic time;
 * probabilities and features are rounded to single precision, which the
 * repository computes in. */
#include <stdlib.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_INPUT = 0 };
enum { F_CORRECTNESS, F_CONFIDENCE, F_ENTROPY, F_M_ENTROPY, N_FEATURES };

static const char *const inputs[] = LETHE_INPUT_NAMES;
static const lethe_param params[] = {
    LETHE_CHOICE("input", 0, inputs, "what the target's numbers are"),
};

/* Features of a set, column by column: value (N_FEATURES, n). */
struct features {
    const lethe_outputs *o;
    double *value;
};

static void fill_sample(void *arg, uint64_t i, const double *p, uint32_t c, int32_t y)
{
    const struct features *f = arg;
    uint64_t n = f->o->n;
    f->value[F_CORRECTNESS * n + i] = lethe_correct(p, c, y) ? 1 : -1;
    f->value[F_CONFIDENCE * n + i] = p[y];
    f->value[F_ENTROPY * n + i] = (float)-lethe_entropy(p, c);
    f->value[F_M_ENTROPY * n + i] = (float)-lethe_modified_entropy(p, c, y);
}

static lethe_status features_of(lethe_ctx *ctx, const lethe_outputs *o, const char *what,
                                struct features *ret)
{
    *ret = (struct features){o, lethe_alloc(ctx, o->n * N_FEATURES + 1, sizeof *ret->value)};
    if (!ret->value)
        return LETHE_E_NOMEM;
    return lethe_each_sample(ctx, o, what, lethe_choice(ctx, P_INPUT), fill_sample, ret);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One class's values of one feature, in the set's order and sorted. */
struct column {
    double *value, *sorted;
    uint64_t n;
};

static void column_fill(const struct features *f, int feature, int32_t class_, struct column *c)
{
    c->n = 0;
    for (uint64_t i = 0; i < f->o->n; i++)
        if (f->o->y[i] == class_)
            c->value[c->n++] = f->value[(uint64_t)feature * f->o->n + i];
    memcpy(c->sorted, c->value, c->n * sizeof *c->value);
    qsort(c->sorted, (size_t)c->n, sizeof *c->sorted, by_value);
}

/* How many values lie below t. */
static uint64_t below(const struct column *c, double t)
{
    uint64_t lo = 0, hi = c->n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (c->sorted[mid] < t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A side without samples makes every accuracy 0/0, which beats nothing. */
static double threshold_of(const struct column *in, const struct column *out)
{
    double best = 0, threshold = 0;
    for (uint64_t i = 0; i < in->n + out->n; i++) {
        double t = i < in->n ? in->value[i] : out->value[i - in->n];
        double tpr = (double)(in->n - below(in, t)) / (double)in->n;
        double accuracy = 0.5 * (tpr + (double)below(out, t) / (double)out->n);
        if (accuracy > best) {
            best = accuracy;
            threshold = t;
        }
    }
    return threshold;
}

static lethe_status column_new(lethe_ctx *ctx, uint64_t n, struct column *ret)
{
    ret->value = lethe_alloc(ctx, n + 1, sizeof *ret->value);
    ret->sorted = lethe_alloc(ctx, n + 1, sizeof *ret->sorted);
    return ret->value && ret->sorted ? LETHE_OK : LETHE_E_NOMEM;
}

/* threshold (N_FEATURES, classes); 0 for correctness. */
static lethe_status thresholds(lethe_ctx *ctx, const struct features *in,
                               const struct features *out, uint32_t classes, double *threshold)
{
    struct column a, b;
    LETHE_TRY(column_new(ctx, in->o->n, &a));
    LETHE_TRY(column_new(ctx, out->o->n, &b));
    for (int f = F_CONFIDENCE; f < N_FEATURES; f++)
        for (uint32_t k = 0; k < classes; k++) {
            column_fill(in, f, (int32_t)k, &a);
            column_fill(out, f, (int32_t)k, &b);
            threshold[(uint32_t)f * classes + k] = threshold_of(&a, &b);
        }
    return LETHE_OK;
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    const lethe_outputs *o = job->candidates;
    struct features x, in, out;
    double *threshold = lethe_alloc(ctx, (uint64_t)N_FEATURES * o->n_classes, sizeof *threshold);
    if (!threshold)
        return LETHE_E_NOMEM;
    LETHE_TRY(features_of(ctx, o, "candidate", &x));
    LETHE_TRY(features_of(ctx, job->known_members, "known member", &in));
    LETHE_TRY(features_of(ctx, job->known_nonmembers, "known non-member", &out));
    LETHE_TRY(thresholds(ctx, &in, &out, o->n_classes, threshold));
    for (uint32_t f = 0; f < N_FEATURES; f++)
        for (uint64_t i = 0; i < o->n; i++)
            score[f * o->n + i] =
                x.value[f * o->n + i] - threshold[f * o->n_classes + (uint32_t)o->y[i]];
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "song-mittal",
    .name = "Song-Mittal thresholds",
    .short_name = "Song-Mittal",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "class thresholds on confidence, entropy and modified entropy",
    .doc = "The threshold attacks of Song and Mittal. Four features, larger for members: "
           "correctness, confidence p_y, minus entropy, minus modified entropy. The last three get "
           "a threshold for each class: the known sample's value, members first, whose balanced "
           "accuracy on the known samples of that class is strictly the largest; 0 where a class "
           "lacks known members or non-members. Scores are feature minus threshold of the label's "
           "class, so that at least 0 judges a member; correctness scores 1 or -1.\n"
           "Paper: Song and Mittal, USENIX Security 2021. Code read: evaluation/MIA.py of "
           "OPTML-Group/Unlearn-Saliency and Ali-E/AMUN 9e341a9 (the same text). Deviations: the "
           "number of classes is the model's (repository: 10 in the caller); thresholds are found "
           "by sorting instead of in quadratic time; probabilities and features are rounded to "
           "single precision, which the repository computes in.",
    .citation = "@inproceedings{song2021systematic, title={Systematic Evaluation of Privacy Risks "
                "of Machine Learning Models}, author={Song, Liwei and Mittal, Prateek}, "
                "booktitle={USENIX Security Symposium}, year={2021}}",
    .url = "https://arxiv.org/abs/2003.10595",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "correctness", "1 where the prediction is right, else -1"},
    {sizeof(lethe_score), 0, "confidence", "p_y minus the threshold of its class"},
    {sizeof(lethe_score), 0, "entropy", "threshold of the class minus the entropy, in that sign"},
    {sizeof(lethe_score), 0, "m_entropy", "the same of the modified entropy"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .wants_fit = 1,
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params), LETHE_CAP_LOGITS, 0,
             &attack);
