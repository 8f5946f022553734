/* SPDX-License-Identifier: MIT
 * foreign_metric.c: a metric as a third party would add one: two outputs that
 * the harness has never heard of. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

/* Mean over a set of the largest probability. */
static double certainty(const lethe_outputs *o)
{
    double sum = 0;
    for (uint64_t i = 0; i < o->n; i++) {
        const float *z = o->logits + i * o->n_views * o->n_classes;
        double top = z[0], all = 0;
        for (uint32_t c = 1; c < o->n_classes; c++)
            top = fmax(top, z[c]);
        for (uint32_t c = 0; c < o->n_classes; c++)
            all += exp(z[c] - top);
        sum += 1 / all;
    }
    return sum / (double)o->n;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    double forget = certainty(lethe_set(job->targets, LETHE_FORGET));
    double retain = certainty(lethe_set(job->targets, LETHE_RETAIN));
    LETHE_TRY(lethe_emit(ctx, 0, forget, NULL));
    return lethe_emit(ctx, 1, retain - forget, NULL);
}

static const lethe_output outputs[] = {
    LETHE_SCALAR("certainty_forget", LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", 0, 1,
                 "mean largest probability on the forget set"),
    LETHE_SCALAR("certainty_drop", LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", -1, 1,
                 "mean largest probability, retain set less forget set"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "org.example.certainty",
    .name = "Certainty <of others>",
    .short_name = "certainty",
    .version = "0.3.0",
    .author = "A third party",
    .license = "MIT",
    .summary = "mean largest probability & its drop",
    .doc = "Mean of the largest softmax probability.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_LOGITS, 0, &metric);
