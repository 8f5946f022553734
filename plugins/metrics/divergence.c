/* SPDX-License-Identifier: MIT
 * divergence.c: how far the unlearned model's predictions lie from the oracles'
 * on each set: Kullback-Leibler, Jensen-Shannon, total variation, and the
 * Euclidean "activation distance" of Bad-Teacher (Chundawat et al. 2023). */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { KL, KL_EXACT, JS, JS_DISTANCE, TV, ACTIVATION, N_MEASURES };
enum { PARAM_EPS, PARAM_INPUT, PARAM_PER_SAMPLE };

/* p: the oracle's, q: the unlearned model's probabilities (c); adds to v (N_MEASURES). */
static void compare(const double *p, const double *log_p, const double *q, const double *log_q,
                    uint32_t c, double eps, double *v)
{
    double kl = 0, exact = 0, js = 0, tv = 0, square = 0;
    for (uint32_t k = 0; k < c; k++) {
        double m = (p[k] + q[k]) / 2;
        kl += p[k] * (log(p[k] + eps) - log(q[k] + eps));
        exact += p[k] > 0 ? p[k] * (log_p[k] - log_q[k]) : 0;
        js += (p[k] > 0 ? p[k] * (log_p[k] - log(m)) : 0) +
              (q[k] > 0 ? q[k] * (log_q[k] - log(m)) : 0);
        tv += fabs(p[k] - q[k]);
        square += (p[k] - q[k]) * (p[k] - q[k]);
    }
    js = fmin(fmax(js / 2, 0), log(2)); /* rounding */
    v[KL] += eps > 0 ? kl : exact;
    v[KL_EXACT] += exact;
    v[JS] += js;
    v[JS_DISTANCE] += sqrt(js);
    v[TV] += tv / 2;
    v[ACTIVATION] += sqrt(square);
}

struct work {
    double *p, *log_p, *q, *log_q; /* (c) */
    double *v;                     /* (n, N_MEASURES), summed over the oracles */
};

static lethe_status work_make(lethe_ctx *ctx, const lethe_outputs *o, struct work *w)
{
    double **const part[] = {&w->p, &w->log_p, &w->q, &w->log_q};
    for (uint32_t i = 0; i < LETHE_COUNT(part); i++)
        if (!(*part[i] = lethe_alloc(ctx, o->n_classes, sizeof(double))))
            return LETHE_E_NOMEM;
    w->v = lethe_alloc(ctx, o->n * N_MEASURES, sizeof(double));
    return w->v ? LETHE_OK : LETHE_E_NOMEM;
}

static lethe_status add_oracle(lethe_ctx *ctx, const lethe_outputs *u, const lethe_outputs *r,
                               struct work *w)
{
    int input = (int)lethe_choice(ctx, PARAM_INPUT);
    LETHE_TRY(lethe_same_samples(ctx, u, r));
    for (uint64_t i = 0; i < u->n; i++) {
        LETHE_TRY(
            lethe_log_probabilities(ctx, lethe_sample(r, i), r->n_classes, input, w->p, w->log_p));
        LETHE_TRY(
            lethe_log_probabilities(ctx, lethe_sample(u, i), u->n_classes, input, w->q, w->log_q));
        compare(w->p, w->log_p, w->q, w->log_q, u->n_classes, lethe_real(ctx, PARAM_EPS),
                w->v + i * N_MEASURES);
    }
    return LETHE_OK;
}

/* Means over samples of the mean over oracles. */
static lethe_status emit_set(lethe_ctx *ctx, uint32_t set, uint64_t n, uint32_t n_oracles,
                             const double *v)
{
    double *one = lethe_alloc(ctx, n, sizeof(double));
    if (!one)
        return LETHE_E_NOMEM;
    for (uint32_t m = 0; m < N_MEASURES; m++) {
        for (uint64_t i = 0; i < n; i++)
            one[i] = v[i * N_MEASURES + m] / n_oracles;
        LETHE_TRY(lethe_emit_finite(ctx, set * N_MEASURES + m, lethe_mean(one, n), NULL));
        if (set == LETHE_FORGET && lethe_bool(ctx, PARAM_PER_SAMPLE))
            LETHE_TRY(lethe_emit_samples(ctx, LETHE_SETS * N_MEASURES + m, one, n));
    }
    return LETHE_OK;
}

static lethe_status evaluate_set(lethe_ctx *ctx, const lethe_metric_job *job, uint32_t set)
{
    const lethe_outputs *u = lethe_set(job->targets, set);
    struct work w;
    if (lethe_set_size(u) == 0 || job->n_references == 0) {
        const char *why =
            lethe_set_size(u) == 0 ? lethe_set_missing(set) : "no oracle to compare with";
        for (uint32_t m = 0; m < N_MEASURES; m++)
            LETHE_TRY(lethe_emit(ctx, set * N_MEASURES + m, NAN, why));
        return LETHE_OK;
    }
    LETHE_TRY(work_make(ctx, u, &w));
    for (uint32_t k = 0; k < job->n_references; k++)
        LETHE_TRY(add_oracle(ctx, u, lethe_set(lethe_model_at(job, job->references, k), set), &w));
    return emit_set(ctx, set, u->n, job->n_references, w.v);
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t set = 0; set < LETHE_SETS; set++)
        LETHE_TRY(evaluate_set(ctx, job, set));
    return LETHE_OK;
}

#define DISTANCE(name, hi, doc)                                                                    \
    LETHE_SCALAR(name, LETHE_BETTER_LOWER, LETHE_REF_NONE, "", 0, hi, doc)
#define SET(s, words)                                                                              \
    /* with eps: -log sum p (q + eps) / (p + eps) >= -log 2, by Jensen */                          \
    LETHE_SCALAR(s "_kl", LETHE_BETTER_LOWER, LETHE_REF_NONE, "", -0.69314718055994531, HUGE_VAL,  \
                 "KL(oracle || unlearned), eps in both logs, on the " words),                      \
        DISTANCE(s "_kl_exact", HUGE_VAL, "KL(oracle || unlearned) without eps on the " words),    \
        DISTANCE(s "_js", 0.69314718055994531, "Jensen-Shannon divergence on the " words),         \
        DISTANCE(s "_js_distance", 0.83255461115769776, "square root of it, on the " words),       \
        DISTANCE(s "_tv", 1, "total variation on the " words),                                     \
        DISTANCE(s "_activation_distance", 1.41421356237309505,                                    \
                 "Euclidean distance of the probabilities on the " words)

static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("retain", "retain set"),
    SET("test", "test set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
    LETHE_CURVE("divergence_kl", "sample", "kl of each forget sample"),
    LETHE_CURVE("divergence_kl_exact", "sample", "kl_exact of each forget sample"),
    LETHE_CURVE("divergence_js", "sample", "js of each forget sample"),
    LETHE_CURVE("divergence_js_distance", "sample", "js_distance of each forget sample"),
    LETHE_CURVE("divergence_tv", "sample", "tv of each forget sample"),
    LETHE_CURVE("divergence_activation_distance", "sample",
                "activation_distance of each forget sample"),
};
static const lethe_param params[] = {
    LETHE_REAL("eps", 1e-20, 0, 1, "",
               "added inside both logs of kl, as the Unified-Unlearning code does; 0: exact"),
    LETHE_INPUT_PARAM,
    LETHE_PER_SAMPLE_PARAM,
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "divergence",
    .name = "Divergence from the oracles",
    .short_name = "divergence",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "KL, JS, TV and Euclidean distance of predictions to the oracles'",
    .doc = "For each set the mean over samples (and over the oracles) of the distance between the "
           "oracle's probabilities p and the unlearned model's q: KL(p || q) with eps inside both "
           "logs and exact, Jensen-Shannon and its square root, total variation, and ||p - q||_2, "
           "the activation distance of Bad-Teacher. Natural logs. An infinite exact KL is "
           "undefined. The row of retrain compares each oracle with the others: the noise floor.\n"
           "Code read: K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (js_div.py), "
           "if-loops/selective-synaptic-dampening cdfdc0e. Deviations: double precision.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES, 0, &metric);
