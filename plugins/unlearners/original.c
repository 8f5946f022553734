/* SPDX-License-Identifier: MIT
 * original.c: Does nothing. The trained model, forget set and all, is the
 * answer; the other sentinel of a leaderboard beside retrain. A method that
 * scores like it has not forgotten. */
#include <lethe/lethe.h>

static lethe_status original_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "original",
    .name = "Original",
    .short_name = "Original",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "does nothing: the model that has not forgotten",
    .doc = "Does nothing. The trained model, forget set and all, is the answer; the "
           "other sentinel of a leaderboard beside retrain. A method that scores like "
           "it has not forgotten.",
    .citation = "",
    .url = "",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = original_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, NULL, 0, 0, 0, &unlearner);
