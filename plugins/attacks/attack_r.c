/* SPDX-License-Identifier: MIT
 * attack_r.c: the reference attack. The score is minus the place of the
 * candidate's loss among its losses under the shadow models that were not
 * trained on it: these losses with 0 and 1000 added, in order, stand for equally
 * spaced levels of [0, 1], and the level at the candidate's loss is interpolated
 * linearly. The loss is log(1 + exp(-phi)) of the logit-scaled confidence phi.
 * Paper: Ye et al., CCS 2022, attack R. Code read: privacytrustlab/
 * ml_privacy_meter research/2024_rmia/main.py. Deviations: the sign (repository:
 * smaller means member); several views of a sample count by their mean phi. */
#include <stdlib.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

/* Of row i of logits, which has n_views views: log(1 + exp(-phi)), phi the mean over views. */
static double loss_of(const lethe_outputs *o, const float *logits, uint64_t i)
{
    double phi = 0;
    for (uint32_t v = 0; v < o->n_views; v++)
        phi += lethe_scaled_confidence(logits + (i * o->n_views + v) * o->n_classes, o->n_classes,
                                       o->y[i]);
    phi /= o->n_views;
    return log1p(exp(-fabs(phi))) + (phi < 0 ? -phi : 0);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Place of x in the ascending table (n >= 2) as a level of [0, 1], numpy's interp. */
static double level(const double *table, uint32_t n, double x)
{
    uint32_t j = 0;
    if (x < table[0])
        return 0;
    while (j + 1 < n && table[j + 1] <= x)
        j++;
    if (j + 1 == n)
        return 1;
    return (j + (x - table[j]) / (table[j + 1] - table[j])) / (n - 1);
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    const lethe_outputs *o = job->candidates;
    const lethe_references *r = job->references;
    if (!r || r->n_models == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "attack-r needs shadow models; set references: {shadow: 8} or more");
    LETHE_TRY(lethe_check_outputs(ctx, o, "candidate"));
    double *table = lethe_alloc(ctx, r->n_models + 2u, sizeof *table);
    if (!table)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++) {
        uint32_t n = 0;
        table[n++] = 0;
        table[n++] = 1000;
        for (uint32_t m = 0; m < r->n_models; m++)
            if (r->inclusion[m][i] == 0)
                table[n++] = loss_of(o, r->logits[m], i);
        qsort(table, n, sizeof *table, by_value);
        score[i] = -level(table, n, loss_of(o, o->logits, i));
    }
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "attack-r",
    .name = "Attack R (reference)",
    .short_name = "Attack R",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "rank of the loss among losses under OUT shadow models",
    .doc = "The reference attack. The score is minus the place of the candidate's loss among its "
           "losses under the shadow models that were not trained on it: these losses with 0 and "
           "1000 added, in order, stand for equally spaced levels of [0, 1], and the level at the "
           "candidate's loss is interpolated linearly. The loss is log(1 + exp(-phi)) of the "
           "logit-scaled confidence phi.\n"
           "Paper: Ye et al., CCS 2022, attack R. Code read: privacytrustlab/ ml_privacy_meter "
           "research/2024_rmia/main.py. Deviations: the sign (repository: smaller means member); "
           "several views of a sample count by their mean phi.",
    .citation = "@inproceedings{ye2022enhanced, title={Enhanced Membership Inference Attacks "
                "against Machine Learning Models}, author={Ye, Jiayuan and Maddi, Aadyaa and "
                "Murakonda, Sasi Kumar and Bindschaedler, Vincent and Shokri, Reza}, "
                "booktitle={ACM Conference on Computer and Communications Security}, year={2022}}",
    .url = "https://arxiv.org/abs/2111.09679",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "", "minus the level of the loss among those of OUT shadow models"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, NULL, 0, LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS, 0,
             &attack);
