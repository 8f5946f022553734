/* SPDX-License-Identifier: MIT
 * yeom.c: membership advantage of the rule "a member's loss is at most the mean
 * training loss" (Yeom et al. 2018), and the AUC of minus the loss. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { THRESHOLD, TPR, FPR, ADVANTAGE, BALANCED, AUC, N_VALUES };

/* Cross-entropies (n) of a set; malloc-free, ends with the call. */
static lethe_status losses(lethe_ctx *ctx, const lethe_outputs *o, double **ret)
{
    uint64_t n = lethe_set_size(o);
    double *loss = lethe_alloc(ctx, n + 1, sizeof(double));
    double *log_p = n ? lethe_alloc(ctx, o->n_classes, sizeof(double)) : NULL;
    if (!loss || (n && !log_p))
        return LETHE_E_NOMEM;
    if (n)
        LETHE_TRY(lethe_check_labels(ctx, o));
    for (uint64_t i = 0; i < n; i++) {
        LETHE_TRY(lethe_log_probabilities(ctx, lethe_sample(o, i), o->n_classes, 0, NULL, log_p));
        loss[i] = -log_p[o->y[i]];
    }
    *ret = loss;
    return LETHE_OK;
}

static double share_at_most(const double *v, uint64_t n, double t)
{
    uint64_t k = 0;
    for (uint64_t i = 0; i < n; i++)
        k += v[i] <= t;
    return (double)k / (double)n;
}

/* P(member's loss < non-member's) + half of the ties; both sorted. */
static double auc_of(const double *member, uint64_t n, const double *other, uint64_t m)
{
    double twice = 0;
    uint64_t above = 0, upto = 0; /* others with loss <= and < this member's */
    for (uint64_t i = 0; i < n; i++) {
        while (above < m && other[above] <= member[i])
            above++;
        while (upto < m && other[upto] < member[i])
            upto++;
        twice += 2.0 * (double)(m - above) + (double)(above - upto);
    }
    return twice / (2.0 * (double)n * (double)m);
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_outputs *retain = job->targets->retain, *test = job->targets->test;
    uint64_t n = lethe_set_size(retain), m = lethe_set_size(test);
    double *member, *other, v[N_VALUES];
    const char *why = n ? "no test samples" : "no retain samples";
    for (uint32_t k = 0; k < N_VALUES; k++)
        v[k] = NAN;
    LETHE_TRY(losses(ctx, retain, &member));
    LETHE_TRY(losses(ctx, test, &other));
    if (n && m) {
        v[THRESHOLD] = lethe_mean(member, n);
        v[TPR] = share_at_most(member, n, v[THRESHOLD]);
        v[FPR] = share_at_most(other, m, v[THRESHOLD]);
        v[ADVANTAGE] = v[TPR] - v[FPR];
        v[BALANCED] = (1 + v[ADVANTAGE]) / 2;
        lethe_sort(member, n);
        lethe_sort(other, m);
        v[AUC] = auc_of(member, n, other, m);
    }
    for (uint32_t k = 0; k < N_VALUES; k++)
        LETHE_TRY(lethe_emit_finite(ctx, k, v[k], why));
    return LETHE_OK;
}

#define ONE(name, lo, hi, doc)                                                                     \
    LETHE_SCALAR(name, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", lo, hi, doc)
static const lethe_output outputs[] = {
    ONE("yeom_threshold", 0, HUGE_VAL, "mean loss on the retain set, the threshold"),
    ONE("yeom_tpr", 0, 1, "share of the retain set with a loss of at most the threshold"),
    ONE("yeom_fpr", 0, 1, "share of the test set with a loss of at most the threshold"),
    ONE("yeom_advantage", -1, 1, "their difference"),
    ONE("yeom_balanced_accuracy", 0, 1, "(1 + advantage) / 2"),
    ONE("yeom_auc", 0, 1, "AUC of minus the loss, retain set positive, test set negative"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "yeom",
    .name = "Membership advantage (Yeom)",
    .short_name = "Yeom",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "membership advantage at the mean training loss",
    .doc = "A sample counts as a member when its cross-entropy is at most the mean over the retain "
           "set; TPR on the retain set, FPR on the test set, advantage = TPR - FPR.",
    .citation =
        "@inproceedings{yeom2018privacy, title={Privacy Risk in Machine Learning: Analyzing "
        "the Connection to Overfitting}, author={Yeom, Samuel and Giacomelli, Irene and "
        "Fredrikson, Matt and Jha, Somesh}, booktitle={CSF}, year={2018}}",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_LOGITS, 0, &metric);
