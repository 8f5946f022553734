/* step_back_cxx.cpp: the same method in C++20. */
#include <lethe/lethe.h>

static const lethe_param params[] = {LETHE_FIT_PARAMS(1, 0.01, "0.03,0.01")};

static lethe_status step_back_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    (void)state;
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    fit.pass[0].view = job->retain;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "org.example.step-back-cxx",
    .name = "Step back (C++)",
    .short_name = "SB",
    .version = "1.0.0",
    .author = "A. Stranger",
    .license = "MIT",
    .summary = "fine-tunes on the retain set",
    .doc = "Fine-tunes on the retain set.",
    .citation = "",
    .url = "",
};
static const lethe_unlearner unlearner = {.struct_size = sizeof(lethe_unlearner),
                                          .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
                                          .run = step_back_run};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
