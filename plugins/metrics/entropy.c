/* SPDX-License-Identifier: MIT
 * entropy.c: mean entropies of the predictions on each set: plain, Song and
 * Mittal's modified entropy, and what the published SVC-MIA code computes under
 * that name. */
#include <lethe/lethe.h>
#include <lethe/measures.h>
#include <lethe/scores.h>

enum { ENTROPY, M_ENTROPY_TRUE, M_ENTROPY, N_VALUES };
enum { PARAM_INPUT, PARAM_PER_SAMPLE };

static lethe_status values_of(lethe_ctx *ctx, const lethe_outputs *o, double *const v[N_VALUES])
{
    double *p = lethe_alloc(ctx, o->n_classes, sizeof(double));
    uint8_t *present = lethe_alloc(ctx, o->n_classes, 1);
    if (!p || !present)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++)
        present[o->y[i]] = 1;
    for (uint64_t i = 0; i < o->n; i++) {
        LETHE_TRY(lethe_log_probabilities(ctx, lethe_sample(o, i), o->n_classes,
                                          (int)lethe_choice(ctx, PARAM_INPUT), p, NULL));
        v[ENTROPY][i] = lethe_entropy(p, o->n_classes);
        v[M_ENTROPY_TRUE][i] = lethe_modified_entropy(p, o->n_classes, o->y[i]);
        v[M_ENTROPY][i] = lethe_modified_entropy_svc(p, o->n_classes, present);
    }
    return LETHE_OK;
}

static lethe_status evaluate_set(lethe_ctx *ctx, uint32_t set, const lethe_outputs *o)
{
    double *v[N_VALUES];
    uint64_t n = lethe_set_size(o);
    for (uint32_t k = 0; k < N_VALUES; k++)
        if (!(v[k] = lethe_alloc(ctx, n + 1, sizeof(double))))
            return LETHE_E_NOMEM;
    if (n > 0) {
        LETHE_TRY(lethe_check_labels(ctx, o));
        LETHE_TRY(values_of(ctx, o, v));
    }
    for (uint32_t k = 0; k < N_VALUES; k++) {
        LETHE_TRY(lethe_emit(ctx, set * N_VALUES + k, lethe_mean(v[k], n), lethe_set_missing(set)));
        if (set == LETHE_FORGET && n > 0 && lethe_bool(ctx, PARAM_PER_SAMPLE))
            LETHE_TRY(lethe_emit_samples(ctx, LETHE_SETS * N_VALUES + k, v[k], n));
    }
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t set = 0; set < LETHE_SETS; set++)
        LETHE_TRY(evaluate_set(ctx, set, lethe_set(job->targets, set)));
    return LETHE_OK;
}

#define ONE(name, doc)                                                                             \
    LETHE_SCALAR(name, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", -1e-9, HUGE_VAL, doc)
#define SET(s, words)                                                                              \
    ONE(s "_entropy", "mean entropy of the predictions on the " words),                            \
        ONE(s "_m_entropy_true", "mean modified entropy (Song and Mittal 2021) on the " words),    \
        ONE(s "_m_entropy",                                                                        \
            "mean modified entropy as the SVC-MIA code computes it, on the " words)
static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("retain", "retain set"),
    SET("test", "test set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
    LETHE_CURVE("entropy_entropy", "sample", "entropy of each forget sample"),
    LETHE_CURVE("entropy_m_entropy_true", "sample", "modified entropy of each forget sample"),
    LETHE_CURVE("entropy_m_entropy", "sample", "the SVC-MIA variant of each forget sample"),
};
static const lethe_param params[] = {LETHE_INPUT_PARAM, LETHE_PER_SAMPLE_PARAM};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "entropy",
    .name = "Entropy",
    .short_name = "entropy",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "mean entropy and modified entropies of the predictions on each set",
    .doc = "Entropy -sum p log p (0 log 0 = 0); modified entropy -(1 - p_y) log p_y - sum over "
           "k != y of p_k log(1 - p_k), logs of at least 1e-30 (Song and Mittal 2021, equation 8); "
           "and m_entropy, the function of that name in the SVC-MIA code of Unlearn-Sparse, SalUn "
           "and AMUN, whose indices touch whole columns and whose log(1 - p) reads log p.\n"
           "Code read: Ali-E/AMUN 9e341a9 (evaluation/MIA.py, SVC_MIA.py). Deviations: double "
           "precision.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params), LETHE_CAP_LOGITS, 0, &metric);
