/* SPDX-License-Identifier: MIT
 * frozen_1_0.c: plugins of every kind with every optional slot NULL, built for ever from the
 * headers of ABI 1.0 (tests/abi/headers-1.0): no helpers, only what the ABI itself promises. */
#include <lethe/abi.h>
#include <lethe/attack.h>
#include <lethe/audit.h>
#include <lethe/export.h>
#include <lethe/metric.h>
#include <lethe/unlearner.h>

/* ---- unlearner: shrinks the weights a little ---- */

static lethe_status run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    const lethe_model_api *api = ctx->host->model;
    uint32_t n = api->n_tensors(ctx, job->model);
    (void)state;
    for (uint32_t t = 0; t < n; t++) {
        lethe_tensor tensor = {.struct_size = sizeof tensor};
        lethe_status status = api->tensor(ctx, job->model, t, &tensor);
        if (status < 0)
            return status;
        if (!(tensor.flags & LETHE_TENSOR_TRAINABLE))
            continue;
        for (uint64_t i = 0; i < tensor.n; i++)
            tensor.w[i] *= 0.999f;
    }
    return LETHE_OK;
}

/* ---- example attack: none ---- */

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    (void)ctx;
    (void)job;
    for (uint32_t i = 0; i < clean->n; i++) {
        out->found[i] = 0;
        out->radius[i] = 0;
        out->steps[i] = 0;
    }
    return LETHE_OK;
}

/* ---- membership attack: the largest logit ---- */

static lethe_status score(lethe_ctx *ctx, void *state, const lethe_member_job *job, double *scores)
{
    const lethe_outputs *o = job->candidates;
    (void)ctx;
    (void)state;
    for (uint64_t i = 0; i < o->n; i++) {
        const float *z = o->logits + i * o->n_views * o->n_classes;
        scores[i] = z[0];
        for (uint32_t c = 1; c < o->n_classes; c++)
            scores[i] = z[c] > scores[i] ? z[c] : scores[i];
    }
    return LETHE_OK;
}

/* ---- metric and audit: how many samples there are ---- */

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    return ctx->host->emit->scalar(ctx, 0, (double)job->targets->forget->n, NULL);
}

#define INFO(id)                                                                                   \
    {                                                                                              \
        sizeof(lethe_info), 0, id, id, "frozen", "1.0.0", "The Lethe authors", "MIT",              \
            "built from the headers of ABI 1.0", "A plugin for tests of the host.", "", "", NULL   \
    }
#define PLUGIN(kind, info, needs, iface)                                                           \
    {                                                                                              \
        sizeof(lethe_plugin), kind, &info, NULL, 0, 0, needs, 0, &iface, NULL                      \
    }

static const lethe_info unlearner_info = INFO("test.frozen-unlearner");
static const lethe_info example_info = INFO("test.frozen-example");
static const lethe_info member_info = INFO("test.frozen-member");
static const lethe_info audit_info = INFO("test.frozen-audit");
static const lethe_info metric_info = INFO("test.frozen-metric");

static const lethe_unlearner unlearner_table = {
    sizeof unlearner_table, LETHE_SCENARIO_RANDOM, 0, 0, NULL, NULL, NULL, run, NULL};
static const lethe_example_attack example_table = {sizeof example_table, LETHE_NORM_LINF, perturb};
static const lethe_score scores[] = {{sizeof(lethe_score), 0, "", "the largest logit"}};
static const lethe_membership_attack member_table = {
    sizeof member_table, 1, sizeof(lethe_score), 0, scores, NULL, score, NULL};
static const lethe_output outputs[] = {{sizeof(lethe_output), LETHE_SHAPE_SCALAR,
                                        LETHE_BETTER_NEITHER, LETHE_REF_NONE, "n_forget", "",
                                        "size of the forget set", "", 0, 1e9, 0}};
static const lethe_audit audit_table = {sizeof audit_table, 0, 1, sizeof(lethe_output), outputs,
                                        evaluate,           1, 0};
static const lethe_metric metric_table = {
    sizeof metric_table, LETHE_SCOPE_RUN, 1, sizeof(lethe_output), 0, 0, outputs, evaluate};

static const lethe_plugin unlearner =
    PLUGIN(LETHE_KIND_UNLEARNER, unlearner_info, LETHE_CAP_WEIGHTS, unlearner_table);
static const lethe_plugin example =
    PLUGIN(LETHE_KIND_EXAMPLE_ATTACK, example_info, 0, example_table);
static const lethe_plugin member =
    PLUGIN(LETHE_KIND_MEMBERSHIP_ATTACK, member_info, LETHE_CAP_LOGITS, member_table);
static const lethe_plugin audit =
    PLUGIN(LETHE_KIND_AUDIT, audit_info, LETHE_CAP_REFERENCES, audit_table);
static const lethe_plugin metric = PLUGIN(LETHE_KIND_METRIC, metric_info, 0, metric_table);
static const lethe_plugin *const plugins[] = {&unlearner, &example, &member, &audit, &metric};
LETHE_ENTRY(plugins, 0);
