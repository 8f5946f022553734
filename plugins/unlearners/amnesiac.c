/* SPDX-License-Identifier: MIT
 * amnesiac.c: Amnesiac unlearning as later benchmarks use the name: every forget
 * sample gets one wrong label, drawn once from the classes that are not
 * forgotten; Adam trains on these and the retain set, without augmentation. The
 * original method of Graves et al., which takes logged updates back, needs logs
 * of the training and is not this one.
 * Paper: Graves et al., AAAI 2021. Code read:
 * if-loops/selective-synaptic-dampening cdfdc0e (3 epochs, Adam, lr 1e-4, no
 * decay). Deviations: none known. */
#include <lethe/lethe.h>

enum { P_RELABEL = LETHE_FIT_N };

static const lethe_param params[] = {
    LETHE_FIT_TABLE(3, 1e-4, "3e-3,1e-3,3e-4,1e-4", 128, 0.9, 0, LETHE_SCHEDULE_CONSTANT,
                    LETHE_OPTIMIZER_ADAM, LETHE_BN_TRAIN, 0),
    LETHE_RELABEL_PARAMS(LETHE_LABELS_RETAINED, LETHE_REDRAW_NEVER, LETHE_ORDER_MIX),
};

static lethe_status amnesiac_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    return lethe_check_retain(ctx, lethe_bool(ctx, P_RELABEL + LETHE_RELABEL_RETAIN), job->retain);
}

static lethe_status amnesiac_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    LETHE_TRY(lethe_fit_relabelled(ctx, P_RELABEL, job, &fit));
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "amnesiac",
    .name = "Amnesiac (relabelling)",
    .short_name = "Amnesiac",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "fixed wrong labels for the forget set, then Adam over everything",
    .doc = "Amnesiac unlearning as later benchmarks use the name: every forget sample "
           "gets one wrong label, drawn once from the classes that are not forgotten; "
           "Adam trains on these and the retain set, without augmentation. The "
           "original method of Graves et al., which takes logged updates back, needs "
           "logs of the training and is not this one.\n"
           "Paper: Graves et al., AAAI 2021. Code read: "
           "if-loops/selective-synaptic-dampening cdfdc0e (3 epochs, Adam, lr 1e-4, "
           "no decay). Deviations: none known.",
    .citation = "@inproceedings{graves2021amnesiac, title={Amnesiac Machine "
                "Learning}, author={Graves, Laura and Nagisetty, Vineel and Ganesh, "
                "Vijay}, booktitle={AAAI Conference on Artificial Intelligence}, "
                "year={2021}}",
    .url = "https://arxiv.org/abs/2010.10981",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = amnesiac_check,
    .run = amnesiac_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
