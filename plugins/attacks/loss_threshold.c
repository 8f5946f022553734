/* SPDX-License-Identifier: MIT
 * loss_threshold.c: the loss-threshold attack. The score is the negative
 * cross-entropy of the true label, log p_y, from logits in double precision:
 * members tend to have the smaller loss. With several views of a sample the
 * mean over views is used. It needs no shadow models.
 * Paper: Yeom et al., CSF 2018. Code read: privacytrustlab/ml_privacy_meter.
 * Deviations: no threshold is chosen (the host draws the whole ROC curve);
 * ml_privacy_meter's loss attack returns the negated probability, so that its
 * AUC is one minus this one. */
#include <lethe/lethe.h>

/* log softmax(z)_y of z (c). */
static double log_likelihood(const float *z, uint32_t c, int32_t y)
{
    double top = z[0], sum = 0;
    for (uint32_t k = 1; k < c; k++)
        top = z[k] > top ? z[k] : top;
    for (uint32_t k = 0; k < c; k++)
        sum += exp(z[k] - top);
    return z[y] - top - log(sum);
}

static lethe_status loss_score(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                               double *score)
{
    const lethe_outputs *o = job->candidates;
    for (uint64_t i = 0; i < o->n; i++) {
        double sum = 0;
        if (o->y[i] < 0 || (uint32_t)o->y[i] >= o->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "label %d of candidate %llu is none of %u",
                               (int)o->y[i], (unsigned long long)i, (unsigned)o->n_classes);
        for (uint32_t v = 0; v < o->n_views; v++)
            sum += log_likelihood(o->logits + (i * o->n_views + v) * o->n_classes, o->n_classes,
                                  o->y[i]);
        score[i] = sum / o->n_views;
        if (!isfinite(score[i]))
            return lethe_failf(ctx, LETHE_E_NUMERIC, "logits of candidate %llu are not finite",
                               (unsigned long long)i);
    }
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "loss-threshold",
    .name = "Loss threshold",
    .short_name = "Loss",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "a small loss speaks for membership; no shadow models",
    .doc = "The loss-threshold attack. The score is the negative cross-entropy of the true label, "
           "log p_y, from logits in double precision: members tend to have the smaller loss. With "
           "several views of a sample the mean over views is used. It needs no shadow models.\n"
           "Paper: Yeom et al., CSF 2018. Code read: privacytrustlab/ml_privacy_meter. Deviations: "
           "no threshold is chosen (the host draws the whole ROC curve); ml_privacy_meter's loss "
           "attack returns the negated probability, so that its AUC is one minus this one.",
    .citation = "@inproceedings{yeom2018privacy, title={Privacy Risk in Machine Learning: "
                "Analyzing the Connection to Overfitting}, author={Yeom, Samuel and Giacomelli, "
                "Irene and Fredrikson, Matt and Jha, Somesh}, booktitle={IEEE Computer Security "
                "Foundations Symposium}, year={2018}}",
    .url = "https://arxiv.org/abs/1709.01604",
};
static const lethe_score scores[] = {{sizeof(lethe_score), 0, "", "log p_y"}};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .scores = scores,
    .score = loss_score,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, NULL, 0, LETHE_CAP_LOGITS, 0, &attack);
