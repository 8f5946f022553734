/* SPDX-License-Identifier: MIT
 * influence.c: Influence unlearning. One step w = original + alpha F^-1 v, where
 * v is the gradient that the forget set loses and the retain set gains when
 * weights 1 / n become 1 / n_r, and F a damped Fisher matrix over single retain
 * samples in the order of the data. solver: woodbury solves F = damping I + G G'
 * / m exactly; recursion is the official one, which keeps one vector and so
 * moves v along the first sample's gradient only.
 * Paper: Koh & Liang, ICML 2017; Izzo et al., AISTATS 2021. Code read:
 * OPTML-Group/Unlearn-Sparse 80ba55d and Unlearn-Saliency a6e89fd (recursion
 * with N = 1000; alpha .2 on the command line, papers search 1 to 20).
 * Deviations: woodbury is the default, with m = 100, since the recursion applies
 * no inverse. */
#include <lethe/lethe.h>

enum { P_ALPHA, P_SOLVER, P_SAMPLES, P_DAMPING, P_BATCH, P_AUGMENT };
enum { SOLVER_WOODBURY = 0, SOLVER_RECURSION };

static const char *const solvers[] = {"woodbury", "recursion", NULL};
static const lethe_param params[] = {
    LETHE_REAL_TUNABLE("alpha", 1, -1e6, 1e6, "", "length of the step", "0.2,1,3,10,30"),
    LETHE_CHOICE("solver", SOLVER_WOODBURY, solvers, "exact solve, or the official recursion"),
    LETHE_INT("samples", 0, 0, 1000000, "samples",
              "single gradients in F; 0: 100 (woodbury), 1000 (recursion)"),
    LETHE_REAL("damping", 1, 1e-12, 1e12, "", "woodbury: multiple of the identity in F"),
    LETHE_INT("batch", 256, 1, 65536, "samples", "batch of the mean gradients in v"),
    LETHE_BOOL("augment", 1, "the suite's training augmentation, where it has one"),
};

/* ---- the recursion ---- */

struct recursion {
    double *k, *o, *g; /* (n) v - c g_0; the one vector; a sample's gradient */
    double samples;
    uint64_t seen, n;
};

static lethe_status recurse(lethe_ctx *ctx, void *arg, const lethe_flat *flat,
                            const lethe_batch *batch)
{
    struct recursion *r = arg;
    lethe_flat_gradient(flat, r->g);
    if (r->seen++ == 0) {
        memcpy(r->o, r->g, (size_t)r->n * sizeof *r->o);
        return LETHE_OK;
    }
    double t = lethe_dot(r->o, r->g, r->n), f = lethe_dot(r->k, r->g, r->n) / (r->samples + t);
    for (uint64_t i = 0; i < r->n; i++) {
        r->k[i] -= f * r->o[i];
        r->o[i] -= t / (r->samples + t) * r->o[i];
    }
    return (double)r->seen >= r->samples + 2 ? 1 : LETHE_OK; /* the official loop ends at N + 1 */
}

static lethe_status solve_recursion(lethe_ctx *ctx, lethe_model *model, const lethe_view *retain,
                                    double *v, uint64_t n)
{
    int64_t samples = lethe_int(ctx, P_SAMPLES);
    struct recursion r = {.k = v, .n = n, .samples = samples ? (double)samples : 1000};
    r.o = lethe_alloc(ctx, n, sizeof *r.o);
    r.g = lethe_alloc(ctx, n, sizeof *r.g);
    if (!r.o || !r.g)
        return LETHE_E_NOMEM;
    return lethe_each_gradient(ctx, model, retain, 1, NULL, NULL, recurse, &r);
}

/* ---- Woodbury ---- */

struct columns {
    float *g; /* (m, n) gradients of single samples */
    uint64_t m, n, seen;
};

static lethe_status keep_column(lethe_ctx *ctx, void *arg, const lethe_flat *flat,
                                const lethe_batch *batch)
{
    struct columns *c = arg;
    float *to = c->g + c->seen++ * c->n;
    for (uint32_t t = 0; t < flat->n_tensors; t++) {
        memcpy(to, flat->tensor[t].g, (size_t)flat->tensor[t].n * sizeof *to);
        to += flat->tensor[t].n;
    }
    return c->seen == c->m ? 1 : LETHE_OK;
}

static double dot_columns(const float *a, const float *b, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* b (m) becomes a^-1 b; a (m, m) is symmetric and positive: Cholesky, Golub & Van Loan 4.2. */
static void cholesky_solve(double *a, double *b, uint64_t m)
{
    for (uint64_t j = 0; j < m; j++) {
        a[j * m + j] = sqrt(a[j * m + j] - lethe_dot(a + j * m, a + j * m, j));
        for (uint64_t i = j + 1; i < m; i++)
            a[i * m + j] = (a[i * m + j] - lethe_dot(a + i * m, a + j * m, j)) / a[j * m + j];
    }
    for (uint64_t i = 0; i < m; i++)
        b[i] = (b[i] - lethe_dot(a + i * m, b, i)) / a[i * m + i];
    for (uint64_t i = m; i-- > 0;) {
        for (uint64_t k = i + 1; k < m; k++)
            b[i] -= a[k * m + i] * b[k];
        b[i] /= a[i * m + i];
    }
}

/* v becomes F^-1 v = (v - G (m damping I + G'G)^-1 G'v) / damping. */
static lethe_status solve_woodbury(lethe_ctx *ctx, lethe_model *model, const lethe_view *retain,
                                   double *v, uint64_t n)
{
    uint64_t asked = (uint64_t)lethe_int(ctx, P_SAMPLES);
    uint64_t have = ctx->host->data->count(ctx, retain);
    struct columns c = {.m = asked ? asked : 100, .n = n};
    double damping = lethe_real(ctx, P_DAMPING), *gram, *b;
    c.m = c.m < have ? c.m : have;
    c.g = lethe_alloc(ctx, c.m * n, sizeof *c.g);
    gram = lethe_alloc(ctx, c.m * c.m, sizeof *gram);
    b = lethe_alloc(ctx, c.m, sizeof *b);
    if (!c.g || !gram || !b)
        return LETHE_E_NOMEM;
    LETHE_TRY(lethe_each_gradient(ctx, model, retain, 1, NULL, NULL, keep_column, &c));
    for (uint64_t i = 0; i < c.m; i++) {
        for (uint64_t j = 0; j <= i; j++)
            gram[i * c.m + j] = gram[j * c.m + i] = dot_columns(c.g + i * n, c.g + j * n, n);
        gram[i * c.m + i] += (double)c.m * damping;
        for (uint64_t k = 0; k < n; k++)
            b[i] += (double)c.g[i * n + k] * v[k];
    }
    cholesky_solve(gram, b, c.m);
    for (uint64_t i = 0; i < c.m; i++)
        for (uint64_t k = 0; k < n; k++)
            v[k] -= b[i] * (double)c.g[i * n + k];
    for (uint64_t k = 0; k < n; k++)
        v[k] /= damping;
    return LETHE_OK;
}

/* ---- the step ---- */

/* v (n): what the mean gradient changes by when the forget set is taken out, times -1. */
static lethe_status removal_gradient(lethe_ctx *ctx, lethe_model *model, const lethe_view *forget,
                                     const lethe_view *retain, uint64_t n, double **ret)
{
    lethe_gradient_sum f = {.what = LETHE_SUM_SAMPLES}, r = {.what = LETHE_SUM_SAMPLES};
    uint32_t batch = (uint32_t)lethe_int(ctx, P_BATCH);
    LETHE_TRY(lethe_sum_gradients(ctx, model, forget, batch, NULL, &f));
    LETHE_TRY(lethe_sum_gradients(ctx, model, retain, batch, NULL, &r));
    double all = (double)(f.n_samples + r.n_samples);
    if (r.n_samples == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "the retain set is empty");
    for (uint64_t i = 0; i < n; i++)
        f.sum[i] = f.sum[i] / all - r.sum[i] * (double)f.n_samples / (all * (double)r.n_samples);
    *ret = f.sum;
    return LETHE_OK;
}

static lethe_status influence_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    const lethe_view *forget = job->forget, *retain = job->retain;
    lethe_flat flat;
    double *v = NULL;
    if (!lethe_bool(ctx, P_AUGMENT)) {
        LETHE_TRY(ctx->host->data->augment(ctx, forget, 0, &forget));
        LETHE_TRY(ctx->host->data->augment(ctx, retain, 0, &retain));
    }
    LETHE_TRY(lethe_flat_of(ctx, job->model, &flat));
    LETHE_TRY(removal_gradient(ctx, job->model, forget, retain, flat.n, &v));
    if (lethe_choice(ctx, P_SOLVER) == SOLVER_RECURSION)
        LETHE_TRY(solve_recursion(ctx, job->model, retain, v, flat.n));
    else
        LETHE_TRY(solve_woodbury(ctx, job->model, retain, v, flat.n));
    lethe_flat_add(&flat, lethe_real(ctx, P_ALPHA), v);
    return lethe_check_weights(ctx, job->model);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "influence",
    .name = "Influence unlearning",
    .short_name = "IU",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "one step along the influence of the forget set",
    .doc = "Influence unlearning. One step w = original + alpha F^-1 v, where v is "
           "the gradient that the forget set loses and the retain set gains when "
           "weights 1 / n become 1 / n_r, and F a damped Fisher matrix over single "
           "retain samples in the order of the data. solver: woodbury solves F = "
           "damping I + G G' / m exactly; recursion is the official one, which keeps "
           "one vector and so moves v along the first sample's gradient only.\n"
           "Paper: Koh & Liang, ICML 2017; Izzo et al., AISTATS 2021. Code read: "
           "OPTML-Group/Unlearn-Sparse 80ba55d and Unlearn-Saliency a6e89fd "
           "(recursion with N = 1000; alpha .2 on the command line, papers search 1 "
           "to 20). Deviations: woodbury is the default, with m = 100, since the "
           "recursion applies no inverse.",
    .citation = "@inproceedings{izzo2021approximate, title={Approximate Data Deletion "
                "from Machine Learning Models}, author={Izzo, Zachary and Smart, Mary "
                "Anne and Chaudhuri, Kamalika and Zou, James}, "
                "booktitle={International Conference on Artificial Intelligence and "
                "Statistics}, year={2021}}",
    .url = "https://arxiv.org/abs/2002.10077",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = influence_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_RETAIN, 0,
             &unlearner);
