/* SPDX-License-Identifier: MIT
 * misbehaving_outputs.c: plugins whose answers the host must refuse, of three
 * kinds in one module: an example attack that leaves the ball it names or the
 * box, a membership attack with NaN scores, a metric that keeps silent or leaves
 * its range. The parameter `how` chooses. */
#include <lethe/lethe.h>

static const char *const attack_ways[] = {"ball", "box", "nan", NULL};
static const lethe_param attack_params[] = {
    LETHE_CHOICE("how", 0, attack_ways, "leaves the ball, the box, or the numbers"),
};

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    size_t size = 1;
    for (uint32_t d = 0; d < clean->input.n_dim; d++)
        size *= (size_t)clean->input.dim[d];
    memcpy(out->x, clean->x, clean->n * size * sizeof *out->x);
    for (uint32_t i = 0; i < clean->n; i++) {
        out->found[i] = 1;
        out->steps[i] = 1;
        out->radius[i] = 0.01f;
    }
    if (lethe_choice(ctx, 0) == 0)
        out->x[0] = out->x[0] > 0.5f ? 0.0f : 1.0f;
    if (lethe_choice(ctx, 0) == 1)
        out->x[0] = (float)job->box_hi + 1e-3f;
    if (lethe_choice(ctx, 0) == 2)
        out->x[0] = NAN;
    return LETHE_OK;
}

static lethe_status score(lethe_ctx *ctx, void *state, const lethe_member_job *job, double *scores)
{
    for (uint64_t i = 0; i < job->candidates->n; i++)
        scores[i] = i % 2 ? NAN : (double)i;
    return LETHE_OK;
}

static const char *const metric_ways[] = {"silent", "range", "infinite", NULL};
static const lethe_param metric_params[] = {
    LETHE_CHOICE("how", 0, metric_ways, "emits nothing, a value above its range, or infinity"),
};

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    if (lethe_choice(ctx, 0) == 0)
        return LETHE_OK;
    return ctx->host->emit->scalar(ctx, 0, lethe_choice(ctx, 0) == 1 ? 2.0 : HUGE_VAL, NULL);
}

#define INFO(id)                                                                                   \
    {                                                                                              \
        sizeof(lethe_info), 0, id, id, "test", "1.0.0", "The Lethe authors", "MIT",                \
            "answers wrongly, on purpose", "A plugin for tests of the host.", "", "", NULL         \
    }
static const lethe_info attack_info = INFO("test.bad-example");
static const lethe_info member_info = INFO("test.bad-scores");
static const lethe_info metric_info = INFO("test.bad-metric");

static const lethe_example_attack attack = {sizeof attack, LETHE_NORM_L2, perturb};
static const lethe_score columns[] = {{sizeof(lethe_score), 0, "", "not a number"}};
static const lethe_membership_attack member = {
    .struct_size = sizeof member,
    .n_scores = 1,
    .score_stride = sizeof(lethe_score),
    .scores = columns,
    .score = score,
};
static const lethe_output outputs[] = {
    {sizeof(lethe_output), LETHE_SHAPE_SCALAR, LETHE_BETTER_HIGHER, LETHE_REF_NONE, "value", "",
     "a number in [0, 1]", "", 0, 1, 0},
};
static const lethe_metric metric = {
    .struct_size = sizeof metric,
    .scope = LETHE_SCOPE_RUN,
    .n_outputs = 1,
    .output_stride = sizeof(lethe_output),
    .outputs = outputs,
    .evaluate = evaluate,
};

static const lethe_plugin bad_attack = {
    .struct_size = sizeof bad_attack,
    .kind = LETHE_KIND_EXAMPLE_ATTACK,
    .info = &attack_info,
    .params = attack_params,
    .n_params = 1,
    .param_stride = sizeof(lethe_param),
    .needs = LETHE_CAP_GRADIENTS,
    .iface = &attack,
};
static const lethe_plugin bad_member = {
    .struct_size = sizeof bad_member,
    .kind = LETHE_KIND_MEMBERSHIP_ATTACK,
    .info = &member_info,
    .param_stride = sizeof(lethe_param),
    .needs = LETHE_CAP_LOGITS,
    .iface = &member,
};
static const lethe_plugin bad_metric = {
    .struct_size = sizeof bad_metric,
    .kind = LETHE_KIND_METRIC,
    .info = &metric_info,
    .params = metric_params,
    .n_params = 1,
    .param_stride = sizeof(lethe_param),
    .needs = LETHE_CAP_LOGITS,
    .iface = &metric,
};
static const lethe_plugin *const plugins[] = {&bad_attack, &bad_member, &bad_metric};
LETHE_ENTRY(plugins, 0);
