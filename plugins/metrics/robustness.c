/* SPDX-License-Identifier: MIT
 * robustness.c: accuracy on adversarial samples made for the model itself (LOTOS'
 * definitions): of those that it had right when clean, and of all. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { CONDITIONAL, RAW, SUCCESS, CLEAN, N_VALUES };

struct counts {
    uint64_t n, right, right_both, right_adversarial;
};

static struct counts count(const lethe_outputs *clean, const lethe_outputs *adversarial)
{
    struct counts k = {clean->n, 0, 0, 0};
    for (uint64_t i = 0; i < clean->n; i++) {
        int y = clean->y[i];
        int a = (int)lethe_argmax(lethe_sample(clean, i), clean->n_classes) == y;
        int b = (int)lethe_argmax(lethe_sample(adversarial, i), clean->n_classes) == y;
        k.right += a;
        k.right_both += a && b;
        k.right_adversarial += b;
    }
    return k;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : NAN;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t set = 0; set < LETHE_SETS; set++) {
        const lethe_outputs *o = lethe_set(job->targets, set);
        struct counts k = {0, 0, 0, 0};
        if (lethe_set_size(o) > 0) {
            const lethe_outputs *a = lethe_set(job->adversarial, set);
            LETHE_TRY(lethe_same_samples(ctx, o, a));
            LETHE_TRY(lethe_check_labels(ctx, o));
            k = count(o, a);
        }
        const char *why = k.n ? "no clean sample is right" : lethe_set_missing(set);
        const double v[N_VALUES] = {ratio(k.right_both, k.right), ratio(k.right_adversarial, k.n),
                                    1 - ratio(k.right_both, k.right), ratio(k.right, k.n)};
        for (uint32_t m = 0; m < N_VALUES; m++)
            LETHE_TRY(lethe_emit(ctx, set * N_VALUES + m, v[m], why));
    }
    return LETHE_OK;
}

#define ONE(name, better, doc) LETHE_SCALAR(name, better, LETHE_REF_RETRAIN, "", 0, 1, doc)
#define SET(s, words)                                                                              \
    ONE(s "_robust_acc_cond", LETHE_BETTER_HIGHER,                                                 \
        "still right among the clean samples that are right, " words),                             \
        ONE(s "_robust_acc_raw", LETHE_BETTER_HIGHER, "right on adversarial samples, " words),     \
        ONE(s "_attack_success", LETHE_BETTER_LOWER, "1 - robust_acc_cond, " words),               \
        ONE(s "_clean_acc", LETHE_BETTER_NEAR_REFERENCE, "right on clean samples, " words)
static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("retain", "retain set"),
    SET("test", "test set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "robustness",
    .name = "Robust accuracy",
    .short_name = "robust acc",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "accuracy on adversarial samples, from stored outputs",
    .doc = "From outputs on clean and on adversarial samples: the share still right of those that "
           "were right (conditional, LOTOS), and the share right of all (raw), as fractions. On "
           "files: --target clean.npy --adversarial adv.npy.\nCode read: Ali-E/LOTOS b8df958 "
           "(utils_ensemble.py).",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_LOGITS | LETHE_CAP_ADVERSARIAL, 0,
             &metric);
