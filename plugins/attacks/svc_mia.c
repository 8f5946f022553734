/* SPDX-License-Identifier: MIT
 * svc_mia.c: the support vector attack behind the "MIA" columns of unlearning
 * tables. For each feature a C-SVC with kernel exp(-|a - b|^2 / d), d the
 * feature's dimensions, is trained on known members against known non-members
 * (libsvm; C 3, tolerance 1e-3, no scaling). Scores are decision values, at
 * least 0 judges a member. Features: correctness, confidence p_y, entropy,
 * m_entropy (as published), prob (all probabilities), m_entropy_true. The share
 * of the forget set judged non-member is the published number; the tables print
 * that of confidence, times 100.
 * Paper: Jia et al., NeurIPS 2023 (the figure); Song and Mittal 2021 (features).
 * Code read: evaluation/SVC_MIA.py of OPTML-Group/Unlearn-Saliency and
 * Ali-E/AMUN 9e341a9 (the same text). Deviations: the modified entropy of that
 * code is another function of whole columns (scores.h), kept as m_entropy, with
 * the true one beside it; at most max_fit known samples of each side are used,
 * drawn by the run's seed (repository: all; max_fit 0). m_entropy depends on
 * which classes occur among the labels of the judged set. */
#include <libsvm/svm.h>
#include <stdlib.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

enum { P_INPUT = 0, P_MAX_FIT, P_C, P_TOLERANCE };
enum { F_CORRECTNESS, F_CONFIDENCE, F_ENTROPY, F_M_ENTROPY, F_PROB, F_M_ENTROPY_TRUE, N_FEATURES };

static const char *const inputs[] = LETHE_INPUT_NAMES;
static const lethe_param params[] = {
    LETHE_CHOICE("input", 0, inputs, "what the target's numbers are"),
    LETHE_INT("max_fit", 2000, 0, 1000000, "samples", "known samples of each side; 0: all"),
    LETHE_REAL("c", 3, 1e-6, 1e6, "", "penalty of the SVM (published: 3)"),
    LETHE_REAL("tolerance", 1e-3, 1e-9, 1, "", "stopping tolerance of the solver"),
};

/* Probabilities and the scalar features of a set. */
struct features {
    uint64_t n;
    uint32_t c;
    double *p;        /* (n, c) */
    double *scalar;   /* (N_FEATURES, n); F_PROB unused */
    uint8_t *present; /* (c) classes that occur among the labels */
};

static uint32_t dimensions(const struct features *f, int feature)
{
    return feature == F_PROB ? f->c : 1;
}

static double feature_at(const struct features *f, int feature, uint64_t i, uint32_t d)
{
    return feature == F_PROB ? f->p[i * f->c + d] : f->scalar[(uint64_t)feature * f->n + i];
}

static void fill_sample(void *arg, uint64_t i, const double *p, uint32_t c, int32_t y)
{
    const struct features *f = arg;
    memcpy(f->p + i * c, p, c * sizeof *p);
    f->scalar[F_CORRECTNESS * f->n + i] = lethe_correct(p, c, y);
    f->scalar[F_CONFIDENCE * f->n + i] = p[y];
    f->scalar[F_ENTROPY * f->n + i] = (float)lethe_entropy(p, c);
    f->scalar[F_M_ENTROPY * f->n + i] = (float)lethe_modified_entropy_svc(p, c, f->present);
    f->scalar[F_M_ENTROPY_TRUE * f->n + i] = (float)lethe_modified_entropy(p, c, y);
}

static lethe_status features_of(lethe_ctx *ctx, const lethe_outputs *o, const char *what,
                                struct features *ret)
{
    struct features f = {o->n, o->n_classes, NULL, NULL, NULL};
    LETHE_TRY(lethe_check_outputs(ctx, o, what)); /* labels are indices below */
    f.p = lethe_alloc(ctx, o->n * f.c + 1, sizeof *f.p);
    f.scalar = lethe_alloc(ctx, o->n * N_FEATURES + 1, sizeof *f.scalar);
    f.present = lethe_alloc(ctx, f.c, 1);
    if (!f.p || !f.scalar || !f.present)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < f.n; i++)
        f.present[o->y[i]] = 1;
    *ret = f;
    return lethe_each_sample(ctx, o, what, lethe_choice(ctx, P_INPUT), fill_sample, ret);
}

/* Rows of a side that are trained on, in order: all, or max drawn from a stream. */
static lethe_status choose(lethe_ctx *ctx, uint64_t n, uint64_t max, const char *stream,
                           uint32_t **ret, uint32_t *ret_n)
{
    uint32_t *rows = lethe_alloc(ctx, n + 1, sizeof *rows), k = 0;
    uint8_t *taken = lethe_alloc(ctx, n + 1, 1);
    lethe_rng rng;
    if (!rows || !taken)
        return LETHE_E_NOMEM;
    if (max == 0 || max >= n) {
        memset(taken, 1, (size_t)n);
    } else {
        LETHE_TRY(ctx->host->rng->stream(ctx, stream, 0, &rng));
        ctx->host->rng->permute(ctx, &rng, rows, (uint32_t)n);
        for (uint64_t i = 0; i < max; i++)
            taken[rows[i]] = 1;
    }
    for (uint32_t i = 0; i < n; i++)
        if (taken[i])
            rows[k++] = i;
    *ret = rows;
    *ret_n = k;
    return LETHE_OK;
}

/* The samples that an SVM is trained on. */
struct fit_rows {
    const struct features
        *f[2]; /* non-members, members: libsvm's first class is scikit-learn's 0 */
    uint32_t *row[2], n[2];
};

static void nodes_of(const struct features *f, int feature, uint64_t i, struct svm_node *node)
{
    uint32_t dims = dimensions(f, feature);
    for (uint32_t d = 0; d < dims; d++)
        node[d] = (struct svm_node){(int)d + 1, feature_at(f, feature, i, d)};
    node[dims].index = -1;
}

static void quiet(const char *text)
{
    (void)text;
}

static lethe_status problem_of(lethe_ctx *ctx, const struct fit_rows *fit, int feature,
                               struct svm_problem *ret)
{
    uint32_t n = fit->n[0] + fit->n[1], stride = dimensions(fit->f[0], feature) + 1, at = 0;
    struct svm_node *nodes = lethe_alloc(ctx, (uint64_t)n * stride, sizeof *nodes);
    ret->l = (int)n;
    ret->x = lethe_alloc(ctx, n, sizeof *ret->x);
    ret->y = lethe_alloc(ctx, n, sizeof *ret->y);
    if (!nodes || !ret->x || !ret->y)
        return LETHE_E_NOMEM;
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < fit->n[side]; i++, at++) {
            ret->x[at] = nodes + (uint64_t)at * stride;
            ret->y[at] = side;
            nodes_of(fit->f[side], feature, fit->row[side][i], ret->x[at]);
        }
    return LETHE_OK;
}

/* Decision values of the candidates, on the host's threads. */
struct decide_job {
    const struct svm_model *model;
    const struct features *x;
    int feature;
    struct svm_node *nodes; /* (pieces, dimensions + 1) */
    double *score;
};

#define GRAIN 256

static void decide_range(void *arg, uint64_t begin, uint64_t end)
{
    const struct decide_job *j = arg;
    struct svm_node *node = j->nodes + begin / GRAIN * (dimensions(j->x, j->feature) + 1);
    for (uint64_t i = begin; i < end; i++) {
        double value;
        nodes_of(j->x, j->feature, i, node);
        svm_predict_values(j->model, node, &value);
        j->score[i] = value == 0 ? 0 : -value; /* positive: the first class, non-members */
    }
}

static lethe_status score_feature(lethe_ctx *ctx, const struct fit_rows *fit,
                                  const struct features *x, int feature, double *score)
{
    uint32_t dims = dimensions(x, feature);
    struct svm_problem problem;
    struct svm_parameter how = {.svm_type = C_SVC,
                                .kernel_type = RBF,
                                .gamma = 1.0 / dims,
                                .cache_size = 200,
                                .eps = lethe_real(ctx, P_TOLERANCE),
                                .C = lethe_real(ctx, P_C),
                                .shrinking = 1};
    LETHE_TRY(problem_of(ctx, fit, feature, &problem));
    struct decide_job j = {NULL, x, feature, NULL, score};
    j.nodes = lethe_alloc(ctx, (x->n / GRAIN + 1) * (dims + 1), sizeof *j.nodes);
    if (!j.nodes)
        return LETHE_E_NOMEM;
    const char *wrong = svm_check_parameter(&problem, &how);
    if (wrong)
        return lethe_failf(ctx, LETHE_E_INVALID, "libsvm: %s", wrong);
    struct svm_model *model = svm_train(&problem, &how);
    j.model = model;
    lethe_status status = ctx->host->par->range(ctx, x->n, GRAIN, decide_range, &j);
    svm_free_and_destroy_model(&model);
    return status;
}

static lethe_status score_all(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                              double *score)
{
    uint64_t max = (uint64_t)lethe_int(ctx, P_MAX_FIT);
    struct features x, in, out;
    LETHE_TRY(lethe_check_known(ctx, job));
    LETHE_TRY(features_of(ctx, job->candidates, "candidate", &x));
    LETHE_TRY(features_of(ctx, job->known_members, "known member", &in));
    LETHE_TRY(features_of(ctx, job->known_nonmembers, "known non-member", &out));
    struct fit_rows fit = {{&out, &in}, {NULL, NULL}, {0, 0}};
    LETHE_TRY(choose(ctx, out.n, max, "fit-nonmembers", &fit.row[0], &fit.n[0]));
    LETHE_TRY(choose(ctx, in.n, max, "fit-members", &fit.row[1], &fit.n[1]));
    svm_set_print_string_function(quiet);
    for (int f = 0; f < N_FEATURES; f++) {
        LETHE_TRY(score_feature(ctx, &fit, &x, f, score + (uint64_t)f * x.n));
        LETHE_TRY(ctx->host->core->progress(ctx, (f + 1.0) / N_FEATURES, "features"));
    }
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "svc-mia",
    .name = "SVC-MIA",
    .short_name = "SVC-MIA",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "support vector machines on confidences, entropies, probabilities",
    .doc = "The support vector attack behind the \"MIA\" columns of unlearning tables. For each "
           "feature a C-SVC with kernel exp(-|a - b|^2 / d), d the feature's dimensions, is "
           "trained on known members against known non-members (libsvm; C 3, tolerance 1e-3, no "
           "scaling). Scores are decision values, at least 0 judges a member. Features: "
           "correctness, confidence p_y, entropy, m_entropy (as published), prob (all "
           "probabilities), m_entropy_true. The share of the forget set judged non-member is the "
           "published number; the tables print that of confidence, times 100.\n"
           "Paper: Jia et al., NeurIPS 2023 (the figure); Song and Mittal 2021 (features). Code "
           "read: evaluation/SVC_MIA.py of OPTML-Group/Unlearn-Saliency and Ali-E/AMUN 9e341a9 "
           "(the same text). Deviations: the modified entropy of that code is another function of "
           "whole columns (scores.h), kept as m_entropy, with the true one beside it; at most "
           "max_fit known samples of each side are used, drawn by the run's seed (repository: all; "
           "max_fit 0). m_entropy depends on which classes occur among the labels of the judged "
           "set.",
    .citation = "@inproceedings{jia2023model, title={Model Sparsity Can Simplify Machine "
                "Unlearning}, author={Jia, Jinghan and Liu, Jiancheng and Ram, Parikshit and Yao, "
                "Yuguang and Liu, Gaowen and Liu, Yang and Sharma, Pranay and Liu, Sijia}, "
                "booktitle={Advances in Neural Information Processing Systems}, year={2023}}",
    .url = "https://github.com/OPTML-Group/Unlearn-Saliency",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "correctness", "decision value on whether the prediction is right"},
    {sizeof(lethe_score), 0, "confidence", "decision value on p_y"},
    {sizeof(lethe_score), 0, "entropy", "decision value on the entropy"},
    {sizeof(lethe_score), 0, "m_entropy", "decision value on the published m_entropy"},
    {sizeof(lethe_score), 0, "prob", "decision value on all probabilities"},
    {sizeof(lethe_score), 0, "m_entropy_true", "decision value on the modified entropy"},
};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .wants_fit = 1,
    .scores = scores,
    .score = score_all,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params), LETHE_CAP_LOGITS, 0,
             &attack);
