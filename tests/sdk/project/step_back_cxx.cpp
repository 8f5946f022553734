/* step_back_cxx.cpp: the same method in C++17, which names no members in initialisers. */
#include <lethe/lethe.h>

namespace {

const lethe_param params[] = {
    LETHE_INT("epochs", 1, 0, 1000, "epochs", "passes over the retain set")};

lethe_status run(lethe_ctx *ctx, void *, const lethe_forget_job *job)
{
    lethe_fit_opts fit{};
    fit.model = job->model;
    fit.epochs = static_cast<uint32_t>(lethe_int(ctx, 0));
    fit.lr = 0.01;
    fit.batch = 128;
    fit.momentum = 0.9;
    fit.weight_decay = 5e-4;
    fit.schedule = LETHE_SCHEDULE_CONSTANT;
    fit.optimizer = LETHE_OPTIMIZER_SGD;
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
