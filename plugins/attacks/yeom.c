/* SPDX-License-Identifier: MIT
 * yeom.c: the loss threshold with the threshold of Yeom et al.: a candidate is
 * judged member when its loss is at most the mean loss of the known members.
 * The score is that mean minus the loss, at least 0 judges a member; its
 * ranking, and so its AUC, is that of loss-threshold.
 * Paper: Yeom et al., CSF 2018, adversary 1. Deviations: the mean is over the
 * known members that the host grants (paper: the whole training set). */
#include <lethe/lethe.h>
#include <lethe/scores.h>

/* Mean loss over the views of sample i. */
static double loss_of(const lethe_outputs *o, uint64_t i)
{
    double sum = 0;
    for (uint32_t v = 0; v < o->n_views; v++)
        sum -= lethe_log_likelihood(lethe_row(o, i, v), o->n_classes, o->y[i]);
    return sum / o->n_views;
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    const lethe_outputs *in = job->known_members, *o = job->candidates;
    double sum = 0;
    if (in->n == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "undefined: there are no known members");
    LETHE_TRY(lethe_check_outputs(ctx, in, "known member"));
    LETHE_TRY(lethe_check_outputs(ctx, o, "candidate"));
    for (uint64_t i = 0; i < in->n; i++)
        sum += loss_of(in, i);
    double threshold = sum / (double)in->n;
    if (!isfinite(threshold))
        return lethe_failf(ctx, LETHE_E_NUMERIC, "the mean loss of the known members is %g",
                           threshold);
    for (uint64_t i = 0; i < o->n; i++)
        score[i] = threshold - loss_of(o, i);
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "yeom",
    .name = "Yeom threshold",
    .short_name = "Yeom",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "loss against the mean loss of known members",
    .doc = "The loss threshold with the threshold of Yeom et al.: a candidate is judged member "
           "when its loss is at most the mean loss of the known members. The score is that mean "
           "minus the loss, at least 0 judges a member; its ranking, and so its AUC, is that of "
           "loss-threshold.\n"
           "Paper: Yeom et al., CSF 2018, adversary 1. Deviations: the mean is over the known "
           "members that the host grants (paper: the whole training set).",
    .citation = "@inproceedings{yeom2018privacy, title={Privacy Risk in Machine Learning: "
                "Analyzing the Connection to Overfitting}, author={Yeom, Samuel and Giacomelli, "
                "Irene and Fredrikson, Matt and Jha, Somesh}, booktitle={IEEE Computer Security "
                "Foundations Symposium}, year={2018}}",
    .url = "https://arxiv.org/abs/1709.01604",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "loss", "mean loss of the known members minus the loss"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .wants_fit = 1,
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, NULL, 0, LETHE_CAP_LOGITS, 0,
             &attack);
