/* SPDX-License-Identifier: MIT
 * transfer.c: how far adversarial samples made with one model (the source)
 * fool another (the target), from the predictions of both (LOTOS' definitions). */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum {
    RATE,
    SOURCE_SUCCESS,
    SOURCE_ROBUST,
    RAW_ACC,
    MATCH,
    PREDICTS,
    ELIGIBLE,
    TRANSFERRED,
    SOURCE_CORRECT,
    SOURCE_FOOLED,
    N_VALUES
};

struct counts {
    uint64_t n, source_right, source_fooled, eligible, transferred, matched, target_right, same;
};

static uint32_t prediction(const lethe_outputs *o, uint64_t i)
{
    return lethe_argmax(lethe_sample(o, i), o->n_classes);
}

/* Eligible: the source right on the clean sample and fooled, the target right on the clean one. */
static struct counts count(const lethe_outputs *source, const lethe_outputs *source_adversarial,
                           const lethe_outputs *target, const lethe_outputs *target_adversarial)
{
    struct counts k = {.n = target->n};
    for (uint64_t i = 0; i < k.n; i++) {
        uint32_t y = (uint32_t)target->y[i], s = prediction(source_adversarial, i);
        uint32_t t = prediction(target_adversarial, i);
        int right = prediction(source, i) == y, fooled = right && s != y;
        int eligible = fooled && prediction(target, i) == y;
        k.source_right += right;
        k.source_fooled += fooled;
        k.eligible += eligible;
        k.transferred += eligible && t != y;
        k.matched += eligible && t == s;
        k.target_right += t == y;
        k.same += t == s;
    }
    return k;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : NAN;
}

static lethe_status emit_counts(lethe_ctx *ctx, uint32_t set, const struct counts *k)
{
    const char *why = k->n == 0              ? lethe_set_missing(set)
                      : k->source_right == 0 ? "the source is right on no clean sample"
                                             : "no sample is eligible";
    const double fooled = ratio(k->source_fooled, k->source_right);
    const double v[N_VALUES] = {
        [RATE] = ratio(k->transferred, k->eligible),
        [SOURCE_SUCCESS] = fooled,
        [SOURCE_ROBUST] = 1 - fooled,
        [RAW_ACC] = ratio(k->target_right, k->n),
        [MATCH] = ratio(k->matched, k->eligible),
        [PREDICTS] = ratio(k->same, k->n),
        [ELIGIBLE] = k->n ? (double)k->eligible : NAN,
        [TRANSFERRED] = k->n ? (double)k->transferred : NAN,
        [SOURCE_CORRECT] = k->n ? (double)k->source_right : NAN,
        [SOURCE_FOOLED] = k->n ? (double)k->source_fooled : NAN,
    };
    for (uint32_t m = 0; m < N_VALUES; m++)
        LETHE_TRY(lethe_emit(ctx, set * N_VALUES + m, v[m], why));
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    if (!job->source || !job->source_adversarial)
        return lethe_failf(ctx, LETHE_E_INVALID,
                           "transfer needs the source model's outputs too: --source, "
                           "--source-adversarial");
    for (uint32_t set = 0; set < LETHE_SETS; set++) {
        const lethe_outputs *const o[] = {
            lethe_set(job->source, set), lethe_set(job->source_adversarial, set),
            lethe_set(job->targets, set), lethe_set(job->adversarial, set)};
        struct counts k = {0};
        if (lethe_set_size(o[2]) > 0) {
            LETHE_TRY(lethe_check_labels(ctx, o[2]));
            for (uint32_t i = 0; i < LETHE_COUNT(o); i++)
                LETHE_TRY(lethe_same_samples(ctx, o[2], o[i]));
            k = count(o[0], o[1], o[2], o[3]);
        }
        LETHE_TRY(emit_counts(ctx, set, &k));
    }
    return LETHE_OK;
}

#define SHARE(name, doc) LETHE_SCALAR(name, LETHE_BETTER_NEITHER, LETHE_REF_NONE, "", 0, 1, doc)
#define NUMBER(name, doc)                                                                          \
    LETHE_SCALAR(name, LETHE_BETTER_NEITHER, LETHE_REF_NONE, "", 0, HUGE_VAL, doc)
#define SET(s, words)                                                                              \
    SHARE(s "_transfer_rate", "eligible samples that fool the target, " words),                    \
        SHARE(s "_source_attack_success", "clean samples the source had right and lost, " words),  \
        SHARE(s "_source_robust_accuracy", "1 - source_attack_success, " words),                   \
        SHARE(s "_raw_adv_accuracy_target", "adversarial samples the target has right, " words),   \
        SHARE(s "_label_match_rate",                                                               \
              "eligible samples that both models give the same wrong class, " words),              \
        SHARE(s "_targets_predict_adv_label",                                                      \
              "adversarial samples that both models give the same class, " words),                 \
        NUMBER(s "_transfer_eligible", "number of eligible samples, " words),                      \
        NUMBER(s "_transferred", "number of eligible samples that fool the target, " words),       \
        NUMBER(s "_source_correct", "number of clean samples the source has right, " words),       \
        NUMBER(s "_source_fooled", "number of those it loses, " words)
static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("retain", "retain set"),
    SET("test", "test set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "transfer",
    .name = "Adversarial transfer",
    .short_name = "transfer",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "transfer of adversarial samples from a source model, from stored outputs",
    .doc =
        "Eligible: the source is right on the clean sample and wrong on the adversarial one, the "
        "target right on the clean one. transfer_rate: share of those that the target gets "
        "wrong; without any it is undefined (LOTOS prints 0). On files: --target clean.npy "
        "--adversarial adv.npy --source clean.npy --source-adversarial adv.npy, the first two "
        "of the target model.\nCode read: Ali-E/LOTOS b8df958 (utils_ensemble.evaltrans_correct).",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_LOGITS | LETHE_CAP_ADVERSARIAL, 0,
             &metric);
