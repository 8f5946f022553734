/* SPDX-License-Identifier: MIT
 * u_lira.c: the likelihood ratio attack on unlearning: was a sample trained on
 * and then unlearned, or never trained on? References are unlearned models:
 * inclusion 1 where the model was trained on the sample and then made to forget
 * it, 0 where it never saw the sample, 2 where it still knows it (left out).
 * Gaussians by maximum likelihood (mean, ddof 0) of the logit-scaled confidence;
 * the score is log N_in - log N_out, its sigmoid the published p_member, above 0
 * says "was a member". A sample with fewer than two observations on a side
 * scores 0 and is counted in the log. A suite makes the references: each shadow
 * model forgets, by the method under attack, its share of the forget set and of
 * as many test rows, which are the ones judged.
 * Paper: Hayes et al., 2024. Deviations: shadow models are shared between
 * samples; OUT models have unlearned too, other samples; the densities are
 * compared as logs (both may underflow); deviations below `floor` are raised to
 * it (a deviation of 0 is undefined in the paper); several views count by their
 * mean. */
#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_FLOOR = 0 };

static const lethe_param params[] = {
    LETHE_REAL("floor", 1e-3, 1e-30, 1e3, "", "smallest standard deviation"),
};

#define IN 1
#define OUT 0

/* Mean and deviation of one side; how many observations. */
struct gaussian {
    double mean, deviation;
    uint32_t n;
};

/* Mean phi over views of row i of logits. */
static double phi_of(const lethe_outputs *o, const float *logits, uint64_t i)
{
    double sum = 0;
    for (uint32_t v = 0; v < o->n_views; v++)
        sum += lethe_scaled_confidence(logits + (i * o->n_views + v) * o->n_classes, o->n_classes,
                                       o->y[i]);
    return sum / o->n_views;
}

static struct gaussian fit(const lethe_member_job *job, uint64_t i, uint8_t side, double floor,
                           double *work)
{
    const lethe_references *r = job->references;
    struct gaussian g = {0, 0, 0};
    for (uint32_t m = 0; m < r->n_models; m++)
        if (r->inclusion[m][i] == side) {
            work[g.n] = phi_of(job->candidates, r->logits[m], i);
            g.mean += work[g.n++];
        }
    if (g.n == 0)
        return g;
    g.mean /= g.n;
    for (uint32_t k = 0; k < g.n; k++)
        g.deviation += (work[k] - g.mean) * (work[k] - g.mean);
    g.deviation = fmax(sqrt(g.deviation / g.n), floor);
    return g;
}

/* Without the constant, which cancels. */
static double log_density(const struct gaussian *g, double x)
{
    double u = (x - g->mean) / g->deviation;
    return -log(g->deviation) - u * u / 2;
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    const lethe_outputs *o = job->candidates;
    double floor = lethe_real(ctx, P_FLOOR);
    uint64_t n_undefined = 0;
    if (!job->references || job->references->n_models == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "u-lira needs unlearned models as references, and their inclusion");
    LETHE_TRY(lethe_check_outputs(ctx, o, "candidate"));
    double *work = lethe_alloc(ctx, job->references->n_models, sizeof *work);
    if (!work)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++) {
        struct gaussian in = fit(job, i, IN, floor, work), out = fit(job, i, OUT, floor, work);
        double x = phi_of(o, o->logits, i);
        int defined = in.n >= 2 && out.n >= 2;
        score[i] = defined ? log_density(&in, x) - log_density(&out, x) : 0;
        n_undefined += !defined;
    }
    if (n_undefined > 0)
        lethe_logf(ctx, LETHE_LOG_WARNING,
                   "%llu of %llu samples have fewer than two models on a side and score 0",
                   (unsigned long long)n_undefined, (unsigned long long)o->n);
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "u-lira",
    .name = "U-LiRA",
    .short_name = "U-LiRA",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "likelihood ratio of unlearned against never-trained models",
    .doc =
        "The likelihood ratio attack on unlearning: was a sample trained on and then unlearned, "
        "or never trained on? References are unlearned models: inclusion 1 where the model was "
        "trained on the sample and then made to forget it, 0 where it never saw the sample, 2 "
        "where it still knows it (left out). Gaussians by maximum likelihood (mean, ddof 0) of "
        "the logit-scaled confidence; the score is log N_in - log N_out, its sigmoid the "
        "published p_member, above 0 says \"was a member\". A sample with fewer than two "
        "observations on a side scores 0 and is counted in the log. A suite makes the references: "
        "each shadow model forgets, by the method under attack, its share of the forget set and "
        "of as many test rows, which are the ones judged.\n"
        "Paper: Hayes et al., 2024. Deviations: shadow models are shared between samples; OUT "
        "models have unlearned too, other samples; the densities are compared as logs (both may "
        "underflow); deviations below `floor` are raised to it (a deviation of 0 is undefined "
        "in the paper); several views count by their mean.",
    .citation = "@article{hayes2024inexact, title={Inexact Unlearning Needs More Careful "
                "Evaluations to Avoid a False Sense of Privacy}, author={Hayes, Jamie and "
                "Shumailov, Ilia and Triantafillou, Eleni and Khalifa, Amr and Papernot, "
                "Nicolas}, journal={arXiv preprint arXiv:2403.01218}, year={2024}}",
    .url = "https://arxiv.org/abs/2403.01218",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "", "log N_in - log N_out"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS, LETHE_CAP_UNLEARNED_SHADOWS, &attack);
