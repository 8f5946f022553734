/* SPDX-License-Identifier: MIT
 * mia_nn.c: the nearest-class audit of class unlearning. For a model and each
 * retained class an SVM on the logits of test samples tells that class from the
 * other retained ones; its acceptance is the share of the forgotten classes'
 * test samples that it takes for its own. The nearest class is the one that
 * accepts most on average over the oracles; the audit compares the unlearned
 * model's acceptance by it with the oracles'. A gap of 0 is ideal: unlearned
 * models either push the samples away from their natural neighbour or all onto
 * it.
 * Paper: Ebrahimpour-Boroojeny et al. 2025 (arXiv 2506.20893), whose code is not
 * public: the protocol's details are ours. Solver: libsvm, tolerance 1e-3, no
 * class weights; classes tie towards the lower index. */
#include <libsvm/svm.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_KERNEL = 0, P_C, P_FEATURES, P_DROP, P_MAX_FIT };
enum { O_ACCEPTANCE, O_RETRAIN, O_SD, O_GAP, O_L1, O_NEAREST, N_OUTPUTS };

static const char *const kernels[] = {"linear", "rbf", NULL};
static const char *const features[] = {"logits", "probabilities", NULL};
static const lethe_param params[] = {
    LETHE_CHOICE("kernel", 0, kernels, "linear, or rbf with gamma 1 / features"),
    LETHE_REAL("c", 1, 1e-6, 1e6, "", "penalty of the SVM"),
    LETHE_CHOICE("features", 0, features, "what the SVM sees"),
    LETHE_BOOL("drop_forgotten", 0, "leave the forgotten classes' columns out"),
    LETHE_INT("max_fit", 0, 0, 10000000, "samples", "the first so many test samples; 0: all"),
};

/* What stays the same over models. */
struct audit_spec {
    uint32_t c, n_columns;
    uint32_t *column;  /* (n_columns) */
    uint8_t *retained; /* (c) 1 where test samples of the class exist */
    uint32_t n_retained, max_fit;
    int rbf, probabilities;
    double penalty;
};

static lethe_status spec_init(lethe_ctx *ctx, const lethe_model_outputs *m, struct audit_spec *s)
{
    s->c = m->test->n_classes;
    s->rbf = lethe_choice(ctx, P_KERNEL) == 1;
    s->probabilities = lethe_choice(ctx, P_FEATURES) == 1;
    s->penalty = lethe_real(ctx, P_C);
    uint64_t max = (uint64_t)lethe_int(ctx, P_MAX_FIT);
    s->max_fit = (uint32_t)(max == 0 || max > m->test->n ? m->test->n : max);
    s->column = lethe_alloc(ctx, s->c, sizeof *s->column);
    s->retained = lethe_alloc(ctx, s->c, 1);
    uint8_t *dropped = lethe_alloc(ctx, s->c, 1);
    if (!s->column || !s->retained || !dropped)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < s->max_fit; i++)
        s->retained[m->test->y[i]] = 1;
    for (uint64_t i = 0; i < m->test_forgotten->n && lethe_bool(ctx, P_DROP); i++)
        dropped[m->test_forgotten->y[i]] = 1;
    for (uint32_t k = 0; k < s->c; k++) {
        s->n_retained += s->retained[k];
        if (!dropped[k])
            s->column[s->n_columns++] = k;
    }
    return LETHE_OK;
}

/* Nodes (n, n_columns + 1) of the first n samples. */
static lethe_status nodes_of(lethe_ctx *ctx, const struct audit_spec *s, const lethe_outputs *o,
                             uint64_t n, struct svm_node **ret)
{
    struct svm_node *nodes = lethe_alloc(ctx, n * (s->n_columns + 1) + 1, sizeof *nodes), *at;
    double *p = lethe_alloc(ctx, s->c, sizeof *p);
    if (!nodes || !p)
        return LETHE_E_NOMEM;
    at = nodes;
    for (uint64_t i = 0; i < n; i++) {
        const float *z = lethe_row(o, i, 0);
        lethe_softmax(z, s->c, 1, p);
        for (uint32_t d = 0; d < s->n_columns; d++) {
            uint32_t k = s->column[d];
            *at++ = (struct svm_node){(int)d + 1, s->probabilities ? p[k] : (double)z[k]};
        }
        *at++ = (struct svm_node){-1, 0};
    }
    *ret = nodes;
    return LETHE_OK;
}

static void quiet(const char *text)
{
    (void)text;
}

/* One model's samples as libsvm wants them. */
struct samples {
    struct svm_problem fit; /* the retained classes' test samples, y refilled for each class */
    const int32_t *label;
    struct svm_node *judged; /* the forgotten classes' test samples */
    uint64_t n_judged;
};

/* Share of the judged that the class's SVM accepts; 0 where it has no samples to learn from. */
static lethe_status acceptance_of(lethe_ctx *ctx, const struct audit_spec *s, struct samples *x,
                                  uint32_t class_, double *ret)
{
    struct svm_parameter how = {.svm_type = C_SVC,
                                .kernel_type = s->rbf ? RBF : LINEAR,
                                .gamma = 1.0 / s->n_columns,
                                .cache_size = 200,
                                .eps = 1e-3,
                                .C = s->penalty,
                                .shrinking = 1};
    uint64_t accepted = 0;
    for (int i = 0; i < x->fit.l; i++)
        x->fit.y[i] = x->label[i] == (int32_t)class_;
    const char *wrong = svm_check_parameter(&x->fit, &how);
    if (wrong)
        return lethe_failf(ctx, LETHE_E_INVALID, "libsvm: %s", wrong);
    struct svm_model *model = svm_train(&x->fit, &how);
    for (uint64_t i = 0; i < x->n_judged; i++)
        accepted += svm_predict(model, x->judged + i * (s->n_columns + 1)) == 1;
    svm_free_and_destroy_model(&model);
    *ret = (double)accepted / (double)x->n_judged;
    return LETHE_OK;
}

/* acceptance (c) by each class's SVM of one model; 0 for classes without samples. */
static lethe_status audit_model(lethe_ctx *ctx, const struct audit_spec *s,
                                const lethe_model_outputs *m, double *acceptance)
{
    struct samples x = {.label = m->test->y, .n_judged = m->test_forgotten->n};
    struct svm_node *nodes = NULL;
    LETHE_TRY(lethe_check_outputs(ctx, m->test, "test sample"));
    LETHE_TRY(lethe_check_outputs(ctx, m->test_forgotten, "test sample of a forgotten class"));
    LETHE_TRY(nodes_of(ctx, s, m->test, s->max_fit, &nodes));
    LETHE_TRY(nodes_of(ctx, s, m->test_forgotten, m->test_forgotten->n, &x.judged));
    x.fit.l = (int)s->max_fit;
    x.fit.x = lethe_alloc(ctx, s->max_fit, sizeof *x.fit.x);
    x.fit.y = lethe_alloc(ctx, s->max_fit, sizeof *x.fit.y);
    if (!x.fit.x || !x.fit.y)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < s->max_fit; i++)
        x.fit.x[i] = nodes + (uint64_t)i * (s->n_columns + 1);
    for (uint32_t k = 0; k < s->c; k++)
        if (s->retained[k])
            LETHE_TRY(acceptance_of(ctx, s, &x, k, &acceptance[k]));
    return LETHE_OK;
}

static lethe_status emit_all(lethe_ctx *ctx, const double value[N_OUTPUTS], const char *why)
{
    for (uint32_t i = 0; i < N_OUTPUTS; i++)
        LETHE_TRY(ctx->host->emit->scalar(ctx, i, value[i],
                                          !isnan(value[i]) ? NULL
                                          : why            ? why
                                                           : "a spread needs at least 2 oracles"));
    return LETHE_OK;
}

static const char *missing(const lethe_metric_job *job)
{
    const lethe_model_outputs *m = &job->targets[0];
    if (!m->test_forgotten || m->test_forgotten->n == 0)
        return "no test samples of forgotten classes: class scenarios only";
    if (!m->test || m->test->n == 0)
        return "no test samples of retained classes";
    return job->n_references == 0 ? "no oracles" : NULL;
}

/* Values from the acceptance vectors: own (c), reference (k, c). */
static void summarise(const struct audit_spec *s, const double *own, const double *reference,
                      uint32_t n, double value[N_OUTPUTS])
{
    uint32_t nearest = 0;
    double best = -1, sum = 0;
    value[O_L1] = 0;
    for (uint32_t k = 0; k < s->c; k++) {
        double mean = 0;
        for (uint32_t m = 0; m < n; m++)
            mean += reference[m * s->c + k] / n;
        value[O_L1] += s->retained[k] ? fabs(own[k] - mean) : 0;
        if (s->retained[k] && mean > best) {
            best = mean;
            nearest = k;
        }
    }
    value[O_ACCEPTANCE] = own[nearest];
    value[O_RETRAIN] = best;
    for (uint32_t m = 0; m < n; m++)
        sum += (reference[m * s->c + nearest] - best) * (reference[m * s->c + nearest] - best);
    value[O_SD] = n > 1 ? sqrt(sum / (n - 1)) : NAN;
    value[O_GAP] = fabs(own[nearest] - best);
    value[O_NEAREST] = nearest;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    double value[N_OUTPUTS] = {NAN, NAN, NAN, NAN, NAN, NAN};
    struct audit_spec s = {0};
    const char *why = missing(job);
    if (why)
        return emit_all(ctx, value, why);
    LETHE_TRY(spec_init(ctx, &job->targets[0], &s));
    if (s.n_retained < 2)
        return emit_all(ctx, value, "one retained class: nothing to tell it from");
    uint32_t n = job->n_references;
    double *own = lethe_alloc(ctx, s.c, sizeof *own);
    double *reference = lethe_alloc(ctx, (uint64_t)n * s.c, sizeof *reference);
    if (!own || !reference)
        return LETHE_E_NOMEM;
    svm_set_print_string_function(quiet);
    LETHE_TRY(audit_model(ctx, &s, &job->targets[0], own));
    for (uint32_t m = 0; m < n; m++) {
        LETHE_TRY(audit_model(ctx, &s, &job->references[m], reference + (uint64_t)m * s.c));
        LETHE_TRY(ctx->host->core->progress(ctx, (m + 1.0) / n, "oracles"));
    }
    summarise(&s, own, reference, n, value);
    return emit_all(ctx, value, NULL);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "mia-nn",
    .name = "MIA-NN (nearest class)",
    .short_name = "MIA-NN",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "do forgotten classes land where the oracles put them?",
    .doc = "The nearest-class audit of class unlearning. For a model and each retained class an "
           "SVM on the logits of test samples tells that class from the other retained ones; its "
           "acceptance is the share of the forgotten classes' test samples that it takes for its "
           "own. The nearest class is the one that accepts most on average over the oracles; the "
           "audit compares the unlearned model's acceptance by it with the oracles'. A gap of 0 is "
           "ideal: unlearned models either push the samples away from their natural neighbour or "
           "all onto it.\n"
           "Paper: Ebrahimpour-Boroojeny et al. 2025 (arXiv 2506.20893), whose code is not public: "
           "the protocol's details are ours. Solver: libsvm, tolerance 1e-3, no class weights; "
           "classes tie towards the lower index.",
    .citation = "@misc{ebrahimpour2025class, author={Ebrahimpour-Boroojeny, Ali and others}, "
                "howpublished={arXiv:2506.20893}, year={2025}}",
    .url = "https://arxiv.org/abs/2506.20893",
};

#define OUTPUT(name, better, reference, doc, hi)                                                   \
    {                                                                                              \
        sizeof(lethe_output), LETHE_SHAPE_SCALAR, (better), (reference), (name), "", (doc), "", 0, \
            (hi), 0                                                                                \
    }
static const lethe_output outputs[N_OUTPUTS] = {
    OUTPUT("mia_nn", LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN,
           "acceptance of forgotten test samples by the nearest class", 1),
    OUTPUT("mia_nn_retrain", LETHE_BETTER_NEITHER, LETHE_REF_NONE, "the oracles' mean of it", 1),
    OUTPUT("mia_nn_retrain_sd", LETHE_BETTER_NEITHER, LETHE_REF_NONE, "and their spread", 1),
    OUTPUT("mia_nn_gap", LETHE_BETTER_LOWER, LETHE_REF_NONE, "distance from the oracles' mean", 1),
    OUTPUT("mia_nn_l1", LETHE_BETTER_LOWER, LETHE_REF_NONE,
           "sum of that distance over all retained classes", HUGE_VAL),
    OUTPUT("mia_nn_class", LETHE_BETTER_NEITHER, LETHE_REF_NONE, "the nearest class", HUGE_VAL),
};
static const lethe_audit audit = {
    sizeof(lethe_audit), 0, N_OUTPUTS, sizeof(lethe_output), outputs, evaluate, 0, 0};
LETHE_SINGLE(LETHE_KIND_AUDIT, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_REFERENCES, 0, &audit);
