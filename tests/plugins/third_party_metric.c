/* A metric as a third party would write it: two outputs and a curve that the core has never heard
 * of. */
#include <math.h>

#include "lethe/lethe.h"

enum { OUT_SURE, OUT_SPREAD, OUT_PROFILE };
enum { N_BINS = 10 };

#define OUTPUT(shape, name, doc, x)                                                                \
    {                                                                                              \
        sizeof(lethe_output), shape, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, name, "",     \
            doc, x, 0, HUGE_VAL, 0                                                                 \
    }

static const lethe_output outputs[] = {
    OUTPUT(LETHE_SHAPE_SCALAR, "sure_share", "share of the forget set with a margin above 2", ""),
    OUTPUT(LETHE_SHAPE_SCALAR, "margin_spread", "standard deviation of the margin", ""),
    OUTPUT(LETHE_SHAPE_CURVE, "margin_profile", "margin by tenth of the forget set", "tenth"),
};

/* Largest logit minus the next. */
static double margin(const float *z, uint32_t n)
{
    double first = -HUGE_VAL, second = -HUGE_VAL;
    for (uint32_t k = 0; k < n; k++) {
        double v = (double)z[k];
        second = v > first ? first : v > second ? v : second;
        first = v > first ? v : first;
    }
    return first - second;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_outputs *o = job->targets->forget;
    double sure = 0, sum = 0, squares = 0, x[N_BINS], y[N_BINS] = {0}, count[N_BINS] = {0};
    for (uint64_t i = 0; i < o->n; i++) {
        double m = margin(o->logits + i * o->n_views * o->n_classes, o->n_classes);
        int bin = (int)(i * N_BINS / o->n);
        sure += m > 2;
        sum += m;
        squares += m * m;
        y[bin] += m;
        count[bin]++;
    }
    double n = (double)o->n, mean = sum / n;
    for (int b = 0; b < N_BINS; b++) {
        x[b] = b + 1;
        y[b] = count[b] > 0 ? y[b] / count[b] : 0;
    }
    lethe_status rc = ctx->host->emit->scalar(ctx, OUT_SURE, sure / n, NULL);
    if (rc >= 0)
        rc = ctx->host->emit->scalar(ctx, OUT_SPREAD, sqrt(fmax(0, squares / n - mean * mean)),
                                     NULL);
    return rc < 0 ? rc : ctx->host->emit->curve(ctx, OUT_PROFILE, x, y, N_BINS);
}

static const lethe_info info = {
    .struct_size = sizeof(info),
    .id = "org.example.margins",
    .name = "Margins_of 100%",
    .short_name = "margins",
    .version = "0.3.0",
    .author = "somebody else",
    .license = "MIT",
    .summary = "margins on the forget set",
    .doc = "Two numbers and a curve.",
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
