/* SPDX-License-Identifier: MIT
 * weight_distance.c: how far the weights moved from the original's, and how far
 * they are from the oracles', over all trainable tensors. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { L2, RELATIVE, LAYER_L2, LAYER_KL, LAYER_JS, RETRAIN_L2, RETRAIN_RELATIVE, N_VALUES };
#define CLAMP 1e-5

/* Softmax of all weights of a tensor, at least CLAMP each. */
static void softmax(const float *w, uint64_t n, double *p)
{
    double top = -HUGE_VAL, sum = 0;
    for (uint64_t i = 0; i < n; i++)
        top = fmax(top, w[i]);
    for (uint64_t i = 0; i < n; i++)
        sum += p[i] = exp(w[i] - top);
    for (uint64_t i = 0; i < n; i++)
        p[i] = fmax(p[i] / sum, CLAMP);
}

/* KL(p || q) as it stands, and the square root of JS after normalising both. */
static void divergences(double *p, double *q, uint64_t n, double *ret_kl, double *ret_js)
{
    double kl = 0, js = 0, sum_p = 0, sum_q = 0;
    for (uint64_t i = 0; i < n; i++) {
        kl += p[i] * log(p[i] / q[i]);
        sum_p += p[i];
        sum_q += q[i];
    }
    for (uint64_t i = 0; i < n; i++) {
        double a = p[i] / sum_p, b = q[i] / sum_q, m = (a + b) / 2;
        js += (a * log(a / m) + b * log(b / m)) / 2;
    }
    *ret_kl = kl;
    *ret_js = sqrt(fmax(js, 0));
}

struct distance {
    double square, norm_square; /* of the difference, of the other model */
    double layer_l2, layer_kl, layer_js;
    uint32_t n_tensors;
};

static lethe_status add_tensor(lethe_ctx *ctx, const lethe_tensor *a, const lethe_tensor *b,
                               int layers, struct distance *d)
{
    double square = 0, kl = 0, js = 0;
    for (uint64_t i = 0; i < a->n; i++) {
        double delta = (double)a->w[i] - (double)b->w[i];
        square += delta * delta;
        d->norm_square += (double)a->w[i] * (double)a->w[i];
    }
    if (layers) {
        double *p = lethe_alloc(ctx, a->n, sizeof(double)),
               *q = lethe_alloc(ctx, a->n, sizeof(double));
        if (!p || !q)
            return LETHE_E_NOMEM;
        softmax(a->w, a->n, p);
        softmax(b->w, b->n, q);
        divergences(p, q, a->n, &kl, &js);
    }
    d->square += square;
    d->layer_l2 += sqrt(square);
    d->layer_kl += kl;
    d->layer_js += js;
    d->n_tensors++;
    return LETHE_OK;
}

/* From `from` to `to`. */
static lethe_status measure(lethe_ctx *ctx, const lethe_model *from, const lethe_model *to,
                            int layers, struct distance *ret)
{
    const lethe_model_api *api = ctx->host->model;
    struct distance d = {0};
    for (uint32_t t = 0; t < api->n_tensors(ctx, from); t++) {
        lethe_tensor a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
        /* reading is allowed on models that must not be written */
        LETHE_TRY(api->tensor(ctx, (lethe_model *)from, t, &a));
        LETHE_TRY(api->tensor(ctx, (lethe_model *)to, t, &b));
        if (!a.w || !b.w || a.n != b.n)
            return lethe_failf(ctx, LETHE_E_INVALID, "tensor %s: the models cannot be compared",
                               a.name);
        if (a.flags & LETHE_TENSOR_TRAINABLE)
            LETHE_TRY(add_tensor(ctx, &a, &b, layers, &d));
    }
    *ret = d;
    return LETHE_OK;
}

static lethe_status to_oracles(lethe_ctx *ctx, const lethe_metric_job *job, double *v)
{
    double l2 = 0, relative = 0;
    if (!job->reference_models || job->n_references == 0)
        return LETHE_OK;
    for (uint32_t k = 0; k < job->n_references; k++) {
        struct distance d;
        LETHE_TRY(measure(ctx, job->reference_models[k], job->model, 0, &d));
        l2 += sqrt(d.square);
        relative += sqrt(d.square / d.norm_square);
    }
    v[RETRAIN_L2] = l2 / job->n_references;
    v[RETRAIN_RELATIVE] = relative / job->n_references;
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    double v[N_VALUES];
    for (uint32_t k = 0; k < N_VALUES; k++)
        v[k] = NAN;
    if (job->original_model) {
        struct distance d;
        LETHE_TRY(measure(ctx, job->original_model, job->model, 1, &d));
        v[L2] = sqrt(d.square);
        v[RELATIVE] = d.norm_square > 0 ? sqrt(d.square / d.norm_square) : NAN;
        v[LAYER_L2] = d.n_tensors ? d.layer_l2 / d.n_tensors : NAN;
        v[LAYER_KL] = d.n_tensors ? d.layer_kl / d.n_tensors : NAN;
        v[LAYER_JS] = d.n_tensors ? d.layer_js / d.n_tensors : NAN;
    }
    LETHE_TRY(to_oracles(ctx, job, v));
    for (uint32_t k = 0; k < N_VALUES; k++)
        LETHE_TRY(lethe_emit_finite(ctx, k, v[k],
                                    k >= RETRAIN_L2       ? "no oracle to compare with"
                                    : job->original_model ? "the original has no weights"
                                                          : "this row started from no original"));
    return LETHE_OK;
}

#define ONE(name, doc)                                                                             \
    LETHE_SCALAR(name, LETHE_BETTER_NEITHER, LETHE_REF_NONE, "", 0, HUGE_VAL, doc)
static const lethe_output outputs[] = {
    ONE("distance_original_l2", "||w - w_original||_2 over all trainable weights"),
    ONE("distance_original_relative", "the same divided by ||w_original||_2"),
    ONE("distance_original_layer_l2", "mean over tensors of ||difference||_F (ERASURE l2norm)"),
    ONE("distance_original_layer_kl",
        "mean over tensors of KL between softmaxed weights (ERASURE)"),
    ONE("distance_original_layer_js", "mean over tensors of the JS distance of those (ERASURE)"),
    ONE("distance_retrain_l2", "mean over oracles of ||w - w_oracle||_2"),
    ONE("distance_retrain_relative", "mean over oracles of that divided by ||w_oracle||_2"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "weight-distance",
    .name = "Distance of weights",
    .short_name = "weights",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "distances of the weights to the original's and the oracles'",
    .doc = "Euclidean distances over all trainable tensors, and ERASURE's per-tensor means: the "
           "Frobenius norm of the difference; KL(original || unlearned) after a softmax over each "
           "flattened tensor, entries at least 1e-5 and not normalised again; the square root of "
           "JS of the same, normalised. Close weights are no proof of forgetting, and far ones "
           "no proof of its absence: two oracles are far from each other (see retrain's row).\n"
           "Code read: aiim-research/ERASURE d5bbbe5 (distances.py).",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_MODEL | LETHE_CAP_WEIGHTS,
             LETHE_CAP_REFERENCES | LETHE_CAP_ORIGINAL, &metric);
