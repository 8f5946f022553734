/* SPDX-License-Identifier: MIT
 * u_mia.c: the population audit of SCRUB and the NeurIPS 2023 starter kit.
 * Logistic regression on the loss, clipped, tells the forget set from as many
 * held-out samples; its accuracy on held-back parts, averaged over stratified
 * random splits, is 0.5 when the two have the same losses. Held out is the test
 * set, in class scenarios its samples of the forgotten classes.
 * Papers: Kurmanji et al., NeurIPS 2023 (SCRUB); Triantafillou et al. 2024 (the
 * competition). Code read: as described in both repositories. Deviations: sides
 * are cut to equal size by draws of the run's seed (repositories: the first
 * after a shuffle); solved by Newton's method; splits come from named streams. */
#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_SPLITS = 0, P_TEST_SHARE, P_CLIP, P_C };
enum { O_ACCURACY, O_GAP };

static const lethe_param params[] = {
    LETHE_INT("splits", 10, 1, 1000, "", "random splits (starter kit: 10, SCRUB: 5)"),
    LETHE_REAL("test_share", 0.1, 0.01, 0.99, "", "share held back (ERASURE: 0.8)"),
    LETHE_REAL("clip", 100, 0, 1e6, "", "losses are clipped to [-clip, clip]"),
    LETHE_REAL("c", 1, 1e-6, 1e6, "", "inverse strength of the penalty on the weight"),
};

/* Losses of n samples drawn without replacement. */
static lethe_status losses(lethe_ctx *ctx, const lethe_outputs *o, uint32_t n, const char *stream,
                           double **ret)
{
    double *loss = lethe_alloc(ctx, n, sizeof *loss), clip = lethe_real(ctx, P_CLIP);
    uint32_t *order = lethe_alloc(ctx, o->n, sizeof *order);
    lethe_rng rng;
    if (!loss || !order)
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_check_outputs(ctx, o, stream));
    LETHE_TRY(ctx->host->rng->stream(ctx, stream, 0, &rng));
    ctx->host->rng->permute(ctx, &rng, order, (uint32_t)o->n);
    for (uint32_t i = 0; i < n; i++) {
        double v = -lethe_log_likelihood(lethe_row(o, order[i], 0), o->n_classes, o->y[order[i]]);
        loss[i] = v > clip ? clip : v < -clip ? -clip : v;
    }
    *ret = loss;
    return LETHE_OK;
}

/* Rows of one side in a split's order: the first n_test are held back. */
struct side {
    const double *x;
    const uint32_t *order;
    uint32_t n, n_test;
    double sign;
};

/* Value, gradient and Hessian of w^2 / (2 C) + sum log(1 + exp(-s (w x + b))). */
static double objective(const struct side side[2], double c, const double at[2], double g[2],
                        double h[3])
{
    double value = at[0] * at[0] / (2 * c);
    g[0] = at[0] / c;
    g[1] = h[1] = h[2] = 0;
    h[0] = 1 / c;
    for (int k = 0; k < 2; k++)
        for (uint32_t i = side[k].n_test; i < side[k].n; i++) {
            double x = side[k].x[side[k].order[i]], m = side[k].sign * (at[0] * x + at[1]);
            double e = exp(-fabs(m)), q = (m > 0 ? e : 1) / (1 + e);
            value += log1p(e) + (m < 0 ? -m : 0);
            g[0] -= side[k].sign * q * x;
            g[1] -= side[k].sign * q;
            h[0] += q * (1 - q) * x * x;
            h[1] += q * (1 - q) * x;
            h[2] += q * (1 - q);
        }
    return value;
}

static void fit(const struct side side[2], double c, double at[2])
{
    double g[2], h[3], unused[2], unused_h[3];
    at[0] = at[1] = 0;
    for (int step = 0; step < 100; step++) {
        double value = objective(side, c, at, g, h), det = h[0] * h[2] - h[1] * h[1];
        if (!(det > 0) || fabs(g[0]) + fabs(g[1]) < 1e-10)
            return;
        double dw = (h[2] * g[0] - h[1] * g[1]) / det, db = (h[0] * g[1] - h[1] * g[0]) / det;
        for (double rate = 1; rate > 1e-12; rate /= 2) {
            double next[2] = {at[0] - rate * dw, at[1] - rate * db};
            if (objective(side, c, next, unused, unused_h) <= value) {
                at[0] = next[0];
                at[1] = next[1];
                break;
            }
        }
    }
}

/* Share of held-back samples on the right side. */
static double accuracy_of(const struct side side[2], const double at[2])
{
    uint32_t right = 0;
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < side[k].n_test; i++)
            right += (at[0] * side[k].x[side[k].order[i]] + at[1] > 0) == (side[k].sign > 0);
    return (double)right / (side[0].n_test + side[1].n_test);
}

/* Mean accuracy over the splits of n forget losses against n held-out ones. */
static lethe_status accuracy(lethe_ctx *ctx, const double *forget, const double *held, uint32_t n,
                             double *ret)
{
    uint32_t n_test = (uint32_t)ceil(lethe_real(ctx, P_TEST_SHARE) * n);
    int64_t splits = lethe_int(ctx, P_SPLITS);
    uint32_t *order[2] = {lethe_alloc(ctx, n, sizeof(uint32_t)),
                          lethe_alloc(ctx, n, sizeof(uint32_t))};
    double sum = 0, at[2];
    lethe_rng rng;
    if (!order[0] || !order[1])
        return LETHE_E_NOMEM;
    n_test = n_test < n ? n_test : n - 1;
    const struct side side[2] = {{forget, order[0], n, n_test, 1}, {held, order[1], n, n_test, -1}};
    for (int64_t s = 0; s < splits; s++) {
        LETHE_TRY(ctx->host->rng->stream(ctx, "split", (uint64_t)s, &rng));
        ctx->host->rng->permute(ctx, &rng, order[0], n);
        ctx->host->rng->permute(ctx, &rng, order[1], n);
        fit(side, lethe_real(ctx, P_C), at);
        sum += accuracy_of(side, at);
    }
    *ret = sum / (double)splits;
    return LETHE_OK;
}

/* NaN, with a reason in *ret_why, where a set is missing. */
static lethe_status audit_model(lethe_ctx *ctx, const lethe_model_outputs *m, double *ret,
                                const char **ret_why)
{
    const lethe_outputs *held = m->test_forgotten ? m->test_forgotten : m->test;
    double *forget = NULL, *other = NULL;
    *ret = NAN;
    if (!m->forget || !held || m->forget->n < 2 || held->n < 2) {
        *ret_why = "needs at least 2 forget and 2 held-out samples";
        return LETHE_OK;
    }
    uint32_t n = (uint32_t)(m->forget->n < held->n ? m->forget->n : held->n);
    LETHE_TRY(losses(ctx, m->forget, n, "forget", &forget));
    LETHE_TRY(losses(ctx, held, n, "held-out", &other));
    return accuracy(ctx, forget, other, n, ret);
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const char *why = NULL, *none = "there are no oracles to compare with";
    double own, sum = 0;
    LETHE_TRY(audit_model(ctx, &job->targets[0], &own, &why));
    LETHE_TRY(ctx->host->emit->scalar(ctx, O_ACCURACY, own, why));
    for (uint32_t k = 0; k < job->n_references; k++) {
        double v;
        LETHE_TRY(audit_model(ctx, &job->references[k], &v, &why));
        sum += v;
    }
    double gap = job->n_references ? fabs(own - sum / job->n_references) : NAN;
    return ctx->host->emit->scalar(ctx, O_GAP, gap, isnan(gap) ? (why ? why : none) : NULL);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "u-mia",
    .name = "Population U-MIA",
    .short_name = "U-MIA",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "can losses tell the forget set from held-out samples?",
    .doc = "The population audit of SCRUB and the NeurIPS 2023 starter kit. Logistic regression on "
           "the loss, clipped, tells the forget set from as many held-out samples; its accuracy on "
           "held-back parts, averaged over stratified random splits, is 0.5 when the two have the "
           "same losses. Held out is the test set, in class scenarios its samples of the forgotten "
           "classes.\n"
           "Papers: Kurmanji et al., NeurIPS 2023 (SCRUB); Triantafillou et al. 2024 (the "
           "competition). Code read: as described in both repositories. Deviations: sides are cut "
           "to equal size by draws of the run's seed (repositories: the first after a shuffle); "
           "solved by Newton's method; splits come from named streams.",
    .citation = "@inproceedings{kurmanji2023towards, title={Towards Unbounded Machine Unlearning}, "
                "author={Kurmanji, Meghdad and Triantafillou, Peter and Hayes, Jamie and "
                "Triantafillou, Eleni}, booktitle={Advances in Neural Information Processing "
                "Systems}, year={2023}}",
    .url = "https://arxiv.org/abs/2302.09880",
};
static const lethe_output outputs[] = {
    {sizeof(lethe_output), LETHE_SHAPE_SCALAR, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN,
     "u_mia_accuracy", "", "accuracy of telling the forget set from held-out samples", "", 0, 1, 0},
    {sizeof(lethe_output), LETHE_SHAPE_SCALAR, LETHE_BETTER_LOWER, LETHE_REF_NONE, "u_mia_gap", "",
     "its distance from the mean over the oracles", "", 0, 1, 0},
};
static const lethe_audit audit = {
    sizeof(lethe_audit), 0, LETHE_COUNT(outputs), sizeof(lethe_output), outputs, evaluate, 0, 0};
LETHE_SINGLE(LETHE_KIND_AUDIT, &info, params, LETHE_COUNT(params), LETHE_CAP_LOGITS,
             LETHE_CAP_REFERENCES, &audit);
