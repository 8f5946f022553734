/* SPDX-License-Identifier: MIT
 * attack_p.c: the population attack. The score is minus the share of known
 * non-members whose loss under the model under attack is below the candidate's,
 * strictly. The loss is log(1 + exp(-phi)) of the logit-scaled confidence phi;
 * several views of a sample count by their mean phi. No shadow models.
 * Paper: Ye et al., CCS 2022, attack P. Code read: privacytrustlab/
 * ml_privacy_meter research/2024_rmia/main.py. Deviations: the sign (repository:
 * smaller means member); sorted instead of compared pair by pair. */
#include <stdlib.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

static const char *const populations[] = {"nonmembers", "candidates", NULL};
static const lethe_param params[] = {
    LETHE_CHOICE("population", 0, populations, "whose losses are counted"),
};

/* log(1 + exp(-phi)), phi the mean over views. */
static double loss_of(const lethe_outputs *o, uint64_t i)
{
    double phi = 0;
    for (uint32_t v = 0; v < o->n_views; v++)
        phi += lethe_scaled_confidence(lethe_row(o, i, v), o->n_classes, o->y[i]);
    phi /= o->n_views;
    return log1p(exp(-fabs(phi))) + (phi < 0 ? -phi : 0);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint64_t below(const double *sorted, uint64_t n, double t)
{
    uint64_t lo = 0;
    while (lo < n) {
        uint64_t mid = lo + (n - lo) / 2;
        if (sorted[mid] < t)
            lo = mid + 1;
        else
            n = mid;
    }
    return lo;
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    const lethe_outputs *o = job->candidates;
    const lethe_outputs *z = lethe_choice(ctx, 0) ? o : job->known_nonmembers;
    if (!z || z->n == 0)
        return lethe_failf(ctx, LETHE_E_DENIED,
                           "attack-p needs samples that are known to be no members");
    LETHE_TRY(lethe_check_outputs(ctx, o, "candidate"));
    LETHE_TRY(lethe_check_outputs(ctx, z, "known non-member"));
    double *loss = lethe_alloc(ctx, z->n, sizeof *loss);
    if (!loss)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < z->n; i++)
        loss[i] = loss_of(z, i);
    qsort(loss, (size_t)z->n, sizeof *loss, by_value);
    for (uint64_t i = 0; i < o->n; i++)
        score[i] = -((double)below(loss, z->n, loss_of(o, i)) / (double)z->n);
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "attack-p",
    .name = "Attack P (population)",
    .short_name = "Attack P",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "rank of the loss among known non-members",
    .doc = "The population attack. The score is minus the share of known non-members whose loss "
           "under the model under attack is below the candidate's, strictly. The loss is log(1 + "
           "exp(-phi)) of the logit-scaled confidence phi; several views of a sample count by "
           "their mean phi. No shadow models.\n"
           "Paper: Ye et al., CCS 2022, attack P. Code read: privacytrustlab/ ml_privacy_meter "
           "research/2024_rmia/main.py. Deviations: the sign (repository: smaller means member); "
           "sorted instead of compared pair by pair.",
    .citation = "@inproceedings{ye2022enhanced, title={Enhanced Membership Inference Attacks "
                "against Machine Learning Models}, author={Ye, Jiayuan and Maddi, Aadyaa and "
                "Murakonda, Sasi Kumar and Bindschaedler, Vincent and Shokri, Reza}, "
                "booktitle={ACM Conference on Computer and Communications Security}, year={2022}}",
    .url = "https://arxiv.org/abs/2111.09679",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "", "minus the share of the population with a smaller loss"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .wants_fit = 2,
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params), LETHE_CAP_LOGITS, 0,
             &attack);
