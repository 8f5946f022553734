/* SPDX-License-Identifier: MIT
 * runtime.c: what a method costs against retraining, in image passes, which no
 * machine changes. Wall-clock and processor time stand in costs.csv. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { PASSES, STEPS, SHARE, SPEEDUP, N_VALUES };

/* A backward pass costs about two forward ones. */
static double passes_of(const lethe_cost *c)
{
    return (double)c->forward + 2 * (double)c->backward;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    double own = passes_of(job->cost), oracle = 0;
    for (uint32_t k = 0; k < job->n_references; k++)
        oracle += passes_of(job->reference_costs[k]) / job->n_references;
    const char *why = oracle > 0 ? "it costs nothing" : "no oracle to compare with";
    const double v[N_VALUES] = {own, (double)job->cost->optimizer_steps,
                                oracle > 0 ? own / oracle : NAN,
                                oracle > 0 && own > 0 ? oracle / own : NAN};
    for (uint32_t k = 0; k < N_VALUES; k++)
        LETHE_TRY(lethe_emit(ctx, k, v[k], why));
    return LETHE_OK;
}

#define ONE(name, better, doc) LETHE_SCALAR(name, better, LETHE_REF_NONE, "", 0, HUGE_VAL, doc)
static const lethe_output outputs[] = {
    ONE("cost_passes", LETHE_BETTER_LOWER,
        "image passes: forward + 2 x backward, attacks included"),
    ONE("cost_steps", LETHE_BETTER_LOWER, "optimiser steps"),
    ONE("cost_vs_retrain", LETHE_BETTER_LOWER, "image passes divided by the oracles' mean"),
    ONE("cost_speedup", LETHE_BETTER_HIGHER, "the oracles' mean divided by the image passes"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "runtime",
    .name = "Cost against retraining",
    .short_name = "cost",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "image passes and steps of a method, and its speed-up over retraining",
    .doc =
        "Samples forward plus twice the samples backward, the adversarial searches that a method "
        "runs itself included, against the mean of the oracles of the same forget set. The "
        "numbers are equal on every machine; wall_s, cpu_s, prepare_s and peak_mb of each run "
        "stand in costs.csv (RTE of other papers is wall_s in minutes). Evaluation and "
        "training of the original count nothing.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_COST | LETHE_CAP_REFERENCES, 0, &metric);
