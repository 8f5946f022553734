/* SPDX-License-Identifier: MIT
 * entropy_logistic.c: logistic regression on the entropy of the output, trained
 * on known members against known non-members with class-balanced weights
 * n / (2 n_c) and scikit-learn's multinomial form: minimises
 * sum c_i log(1 + exp(-2 s_i (w x_i + b))) + w^2 / C. The score is w x + b, at
 * least 0 judges a member. The published number is the share of the forget set
 * judged member.
 * Papers: Chundawat et al., AAAI 2023 (Bad Teacher); Foster et al., AAAI 2024
 * (SSD). Code read: if-loops/selective-synaptic-dampening metrics.py.
 * Deviations: solved by Newton's method to the last digit (repository: L-BFGS). */
#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_INPUT = 0, P_C };

static const char *const inputs[] = LETHE_INPUT_NAMES;
static const lethe_param params[] = {
    LETHE_CHOICE("input", 0, inputs, "what the target's numbers are"),
    LETHE_REAL("c", 1, 1e-6, 1e6, "", "inverse strength of the penalty on w (published: 1)"),
};

static void fill_sample(void *arg, uint64_t i, const double *p, uint32_t c, int32_t y)
{
    double *e = arg;
    (void)y;
    e[i] = lethe_entropy(p, c);
}

static lethe_status entropies(lethe_ctx *ctx, const lethe_outputs *o, const char *what,
                              double **ret)
{
    *ret = lethe_alloc(ctx, o->n + 1, sizeof **ret);
    if (!*ret)
        return LETHE_E_NOMEM;
    return lethe_each_sample(ctx, o, what, lethe_choice(ctx, P_INPUT), fill_sample, *ret);
}

/* One class of the regression: feature x (n), sign s, weight of a sample. */
struct side {
    const double *x;
    uint64_t n;
    double sign, weight;
};

/* Value, gradient (w, b) and Hessian (ww, wb, bb) of the objective at (w, b). */
static double objective(const struct side side[2], double c, const double at[2], double g[2],
                        double h[3])
{
    double value = at[0] * at[0] / c;
    g[0] = 2 * at[0] / c;
    g[1] = h[1] = h[2] = 0;
    h[0] = 2 / c;
    for (int k = 0; k < 2; k++)
        for (uint64_t i = 0; i < side[k].n; i++) {
            double x = side[k].x[i], m = 2 * side[k].sign * (at[0] * x + at[1]);
            double e = exp(-fabs(m)), q = (m > 0 ? e : 1) / (1 + e); /* 1 - sigmoid(m) */
            double d = -2 * side[k].sign * side[k].weight * q;
            double dd = 4 * side[k].weight * q * (1 - q);
            value += side[k].weight * (log1p(e) + (m < 0 ? -m : 0));
            g[0] += d * x;
            g[1] += d;
            h[0] += dd * x * x;
            h[1] += dd * x;
            h[2] += dd;
        }
    return value;
}

/* Newton's method; steps that do not descend are halved. */
static void fit(const struct side side[2], double c, double at[2])
{
    double g[2], h[3], unused[2], unused_h[3];
    at[0] = at[1] = 0;
    for (int step = 0; step < 100; step++) {
        double value = objective(side, c, at, g, h);
        double det = h[0] * h[2] - h[1] * h[1], rate = 1;
        if (!(det > 0) || fabs(g[0]) + fabs(g[1]) < 1e-12)
            return;
        double dw = (h[2] * g[0] - h[1] * g[1]) / det, db = (h[0] * g[1] - h[1] * g[0]) / det;
        for (; rate > 1e-12; rate /= 2) {
            double next[2] = {at[0] - rate * dw, at[1] - rate * db};
            if (objective(side, c, next, unused, unused_h) <= value) {
                at[0] = next[0];
                at[1] = next[1];
                break;
            }
        }
    }
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    const lethe_outputs *in = job->known_members, *out = job->known_nonmembers;
    double *x, *x_in, *x_out, at[2];
    LETHE_TRY(lethe_check_known(ctx, job));
    LETHE_TRY(entropies(ctx, job->candidates, "candidate", &x));
    LETHE_TRY(entropies(ctx, in, "known member", &x_in));
    LETHE_TRY(entropies(ctx, out, "known non-member", &x_out));
    double n = (double)(in->n + out->n);
    const struct side side[2] = {{x_in, in->n, 1, n / (2 * (double)in->n)},
                                 {x_out, out->n, -1, n / (2 * (double)out->n)}};
    fit(side, lethe_real(ctx, P_C), at);
    lethe_logf(ctx, LETHE_LOG_DEBUG, "w %.9g, b %.9g", at[0], at[1]);
    for (uint64_t i = 0; i < job->candidates->n; i++)
        score[i] = at[0] * x[i] + at[1];
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "entropy-logistic",
    .name = "Logistic regression on entropy",
    .short_name = "Entropy LR",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "logistic regression on the output entropy (SSD, Bad Teacher)",
    .doc = "Logistic regression on the entropy of the output, trained on known members against "
           "known non-members with class-balanced weights n / (2 n_c) and scikit-learn's "
           "multinomial form: minimises sum c_i log(1 + exp(-2 s_i (w x_i + b))) + w^2 / C. The "
           "score is w x + b, at least 0 judges a member. The published number is the share of the "
           "forget set judged member.\n"
           "Papers: Chundawat et al., AAAI 2023 (Bad Teacher); Foster et al., AAAI 2024 (SSD). "
           "Code read: if-loops/selective-synaptic-dampening metrics.py. Deviations: solved by "
           "Newton's method to the last digit (repository: L-BFGS).",
    .citation = "@inproceedings{foster2024fast, title={Fast Machine Unlearning without Retraining "
                "through Selective Synaptic Dampening}, author={Foster, Jack and Schoepf, Stefan "
                "and Brintrup, Alexandra}, booktitle={AAAI Conference on Artificial "
                "Intelligence}, year={2024}}",
    .url = "https://github.com/if-loops/selective-synaptic-dampening",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "entropy", "w x + b of the entropy x"},
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
