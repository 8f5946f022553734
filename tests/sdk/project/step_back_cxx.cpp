/* step_back_cxx.cpp: the same method in C++17, with the usual parameters and one of its own. */
#include <lethe/lethe.h>

namespace {

const lethe_param params[] = {
    LETHE_FIT_PARAMS(1, 0.01, "0.03,0.01,0.003"),
    LETHE_REAL("shrink", 1e-3, 0, 1, "", "share by which the weights shrink before the repair")};

lethe_status shrink(lethe_ctx *ctx, lethe_model *model, float factor)
{
    const lethe_model_api *api = ctx->host->model;
    const uint32_t n = api->n_tensors(ctx, model);
    for (uint32_t t = 0; t < n; t++) {
        lethe_tensor tensor{};
        tensor.struct_size = sizeof tensor;
        LETHE_TRY(api->tensor(ctx, model, t, &tensor));
        for (uint64_t i = 0; tensor.w && (tensor.flags & LETHE_TENSOR_TRAINABLE) && i < tensor.n;
             i++)
            tensor.w[i] *= factor;
    }
    return LETHE_OK;
}

lethe_status run(lethe_ctx *ctx, void *, const lethe_forget_job *job)
{
    LETHE_TRY(shrink(ctx, job->model, static_cast<float>(1 - lethe_real(ctx, LETHE_FIT_N))));
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    fit.pass[0].view = job->retain;
    return lethe_fit(ctx, &fit);
}

const lethe_info info = {
    sizeof(lethe_info),
    0,
    "org.example.step-back-cxx",
    "Step back (C++)",
    "SB++",
    "1.0.0",
    "A. Stranger",
    "MIT",
    "fine-tunes on the retain set",
    "Fine-tunes on the retain set.",
    "",
    "",
    nullptr,
};
const lethe_unlearner unlearner = {
    sizeof(lethe_unlearner),
    LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    0,
    0,
    nullptr,
    nullptr,
    nullptr,
    run,
    nullptr,
};

} /* namespace */

LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
