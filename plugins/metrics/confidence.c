/* Confidence: the probability that the model gives to the true class, and the
 * distribution of its logit-scaled form on the forget, retain and test sets.
 * A model that has truly forgotten looks on its forget set as it does on the
 * test set, which three histograms show at a glance.
 *
 * Definitions: confidence p_y; logit-scaled confidence log p_y - log sum_{k != y} p_k (Carlini et
 * al. 2022, "Membership Inference Attacks From First Principles", section IV), computed here from
 * logits, z_y - logsumexp_{k != y} z_k, which is exact in the tails. */
#include <math.h>

#include "lethe/lethe.h"

enum { OUT_FORGET, OUT_RETAIN, OUT_TEST, OUT_HIST_FORGET, OUT_HIST_RETAIN, OUT_HIST_TEST };
enum { N_BINS = 50 };
#define LOW (-12.0) /* logit-scaled confidence beyond these counts in the first and last bin */
#define HIGH 28.0

#define SCALAR(n, set)                                                                             \
    {                                                                                              \
        sizeof(lethe_output), LETHE_SHAPE_SCALAR, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN,  \
            n, "", "mean probability of the true class on the " set " set", "", 0, 1, 0            \
    }
#define HISTOGRAM(n, set)                                                                          \
    {                                                                                              \
        sizeof(lethe_output), LETHE_SHAPE_CURVE, LETHE_BETTER_NEITHER, LETHE_REF_NONE, n, "",      \
            "density of the logit-scaled confidence on the " set " set",                           \
            "logit-scaled confidence", 0, HUGE_VAL, 0                                              \
    }

static const lethe_output outputs[] = {
    SCALAR("forget_confidence", "forget"),    SCALAR("retain_confidence", "retain"),
    SCALAR("test_confidence", "test"),        HISTOGRAM("confidence_forget", "forget"),
    HISTOGRAM("confidence_retain", "retain"), HISTOGRAM("confidence_test", "test"),
};

/* z_y - log sum_{k != y} exp z_k */
static double margin(const float *z, uint32_t c, int32_t y)
{
    double top = -HUGE_VAL, sum = 0;
    for (uint32_t k = 0; k < c; k++)
        if ((int32_t)k != y && (double)z[k] > top)
            top = (double)z[k];
    for (uint32_t k = 0; k < c; k++)
        if ((int32_t)k != y)
            sum += exp((double)z[k] - top);
    return (double)z[y] - top - log(sum);
}

static lethe_status measure(lethe_ctx *ctx, const lethe_outputs *o, uint32_t scalar, uint32_t hist)
{
    double mean = 0, x[N_BINS], density[N_BINS] = {0};
    const double width = (HIGH - LOW) / N_BINS;
    if (!o || o->n == 0)
        return ctx->host->emit->scalar(ctx, scalar, NAN, "the set is empty");
    for (uint64_t i = 0; i < o->n; i++) {
        double m = margin(o->logits + i * o->n_views * o->n_classes, o->n_classes, o->y[i]);
        int bin = (int)fmin(fmax(floor((m - LOW) / width), -1), N_BINS);
        density[bin < 0 ? 0 : bin >= N_BINS ? N_BINS - 1 : bin] += 1 / ((double)o->n * width);
        mean += 1 / (1 + exp(-m)) / (double)o->n;
    }
    for (int b = 0; b < N_BINS; b++)
        x[b] = LOW + (b + 0.5) * width;
    lethe_status rc = ctx->host->emit->scalar(ctx, scalar, mean, NULL);
    return rc < 0 ? rc : ctx->host->emit->curve(ctx, hist, x, density, N_BINS);
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_model_outputs *t = job->targets;
    lethe_status rc = measure(ctx, t->forget, OUT_FORGET, OUT_HIST_FORGET);
    if (rc >= 0)
        rc = measure(ctx, t->retain, OUT_RETAIN, OUT_HIST_RETAIN);
    return rc < 0 ? rc : measure(ctx, t->test, OUT_TEST, OUT_HIST_TEST);
}

static const lethe_info info = {
    .struct_size = sizeof(info),
    .id = "confidence",
    .name = "Confidence",
    .short_name = "confidence",
    .version = "1.0.0",
    .author = "Lethe",
    .license = "MIT",
    .summary = "probability of the true class, with histograms per set",
    .doc = "Mean probability of the true class on the forget, retain and test sets, and the "
           "density of its logit-scaled form (50 bins from -12 to 28, the outer ones open).",
    .citation = "",
    .url = "",
};

static const lethe_metric iface = {
    .struct_size = sizeof(iface),
    .scope = LETHE_SCOPE_RUN,
    .n_outputs = sizeof(outputs) / sizeof(outputs[0]),
    .output_stride = sizeof(lethe_output),
    .outputs = outputs,
    .evaluate = evaluate,
};

static const lethe_plugin plugin = {
    .struct_size = sizeof(plugin),
    .kind = LETHE_KIND_METRIC,
    .info = &info,
    .needs = LETHE_CAP_LOGITS,
    .iface = &iface,
};

static const lethe_plugin *const plugins[] = {&plugin};
LETHE_ENTRY(plugins, 0);
