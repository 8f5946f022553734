/* SPDX-License-Identifier: MIT
 * zrf.c: zero-retrain forgetting (Chundawat et al. 2023): one minus the mean
 * Jensen-Shannon divergence between the unlearned model and a randomly
 * initialised one, and the variant that the SSD code computes. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { ZRF, ZRF_SSD, N_VALUES };
enum { PARAM_INPUT };
enum { N_PLACES = 3 };
static const uint32_t place_set[N_PLACES] = {LETHE_FORGET, LETHE_TEST, LETHE_TEST_FORGOTTEN};

struct sums {
    double js, reversed; /* over samples */
};

/* log m of m = (p + q) / 2 without underflow. */
static double log_middle(double log_p, double log_q)
{
    double top = fmax(log_p, log_q), low = fmin(log_p, log_q);
    return top == -HUGE_VAL ? top : top + log1p(exp(low - top)) - log(2);
}

static void add_sample(const double *log_p, const double *log_q, uint32_t c, struct sums *s)
{
    for (uint32_t k = 0; k < c; k++) {
        double log_m = log_middle(log_p[k], log_q[k]), m = exp(log_m);
        double p = exp(log_p[k]), q = exp(log_q[k]);
        s->js +=
            (p > 0 ? p * (log_p[k] - log_m) / 2 : 0) + (q > 0 ? q * (log_q[k] - log_m) / 2 : 0);
        s->reversed += m > 0 ? m * (log_m - log_p[k]) / 2 + m * (log_m - log_q[k]) / 2 : 0;
    }
}

static lethe_status sums_of(lethe_ctx *ctx, const lethe_outputs *u, const lethe_outputs *teacher,
                            struct sums *ret)
{
    const int input = (int)lethe_choice(ctx, PARAM_INPUT);
    const uint32_t c = u->n_classes;
    double *log_p = lethe_alloc(ctx, c, sizeof(double)),
           *log_q = lethe_alloc(ctx, c, sizeof(double));
    struct sums s = {0, 0};
    if (!log_p || !log_q)
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_same_samples(ctx, u, teacher));
    for (uint64_t i = 0; i < u->n; i++) {
        LETHE_TRY(lethe_log_probabilities(ctx, lethe_sample(u, i), c, input, NULL, log_p));
        LETHE_TRY(lethe_log_probabilities(ctx, lethe_sample(teacher, i), c, input, NULL, log_q));
        add_sample(log_p, log_q, c, &s);
    }
    *ret = s;
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    for (uint32_t place = 0; place < N_PLACES; place++) {
        const uint32_t set = place_set[place];
        const lethe_outputs *u = lethe_set(job->targets, set);
        double zrf = NAN, ssd = NAN;
        if (lethe_set_size(u) > 0) {
            struct sums s;
            LETHE_TRY(sums_of(ctx, u, lethe_set(job->random, set), &s));
            zrf = fmin(fmax(1 - s.js / (double)u->n, 1 - log(2)), 1); /* rounding */
            ssd = 1 - s.reversed / ((double)u->n * u->n_classes);
        }
        LETHE_TRY(lethe_emit(ctx, place * N_VALUES + ZRF, zrf, lethe_set_missing(set)));
        LETHE_TRY(lethe_emit_finite(ctx, place * N_VALUES + ZRF_SSD, ssd, lethe_set_missing(set)));
    }
    return LETHE_OK;
}

#define SET(s, words)                                                                              \
    LETHE_SCALAR(s "_zrf", LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "",                     \
                 0.30685281944005469, 1, "1 - mean JS to a random model on the " words),           \
        LETHE_SCALAR(s "_zrf_ssd", LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN, "", -HUGE_VAL,  \
                     1, "ZRF as the SSD code computes it, on the " words)
static const lethe_output outputs[] = {
    SET("forget", "forget set"),
    SET("test", "test set"),
    SET("test_forgotten", "test samples of the forgotten classes"),
};
static const lethe_param params[] = {LETHE_INPUT_PARAM};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "zrf",
    .name = "Zero-retrain forgetting",
    .short_name = "ZRF",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "closeness of predictions to those of a randomly initialised model",
    .doc = "zrf = 1 - mean over samples of JS(unlearned, random), natural log, in [1 - ln 2, 1]. "
           "Judge it against retrain's: a value above it is over-forgetting. zrf_ssd takes KL(m || "
           "p) instead of KL(p || m) in both halves and divides by samples x classes, as "
           "torch.nn.functional.kl_div does there by default, so that values crowd near 1.\n"
           "Code read: if-loops/selective-synaptic-dampening cdfdc0e (metrics.py). Deviations: "
           "double precision; the random model is drawn by the host, or given with --random.",
    .citation = "@inproceedings{chundawat2023bad, title={Can Bad Teaching Induce Forgetting? "
                "Unlearning in Deep Networks Using an Incompetent Teacher}, author={Chundawat, "
                "Vikram S. and Tarun, Ayush K. and Mandal, Murari and Kankanhalli, Mohan}, "
                "booktitle={AAAI}, year={2023}}",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_RANDOM, 0, &metric);
