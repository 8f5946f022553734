/* SPDX-License-Identifier: MIT
 * trw.c: TRW, Tilted ReWeighting. Samples of the forgotten class are trained on
 * the original model's distribution over the other classes, multiplied by
 * e^(beta s(y)) and normalised again, where s says how similar class y is to the
 * forgotten one; the retain set keeps its labels. beta: 0 is RWFT, whose target
 * is DELETE's. s is the cosine between centred rows of the last linear layer,
 * projected on their principal components, through a softmax of temperature tau;
 * sim: cos takes the cosine itself.
 * Paper: arXiv 2506.20893 (RWFT, TRW), ICML 2026. Code read: none was public
 * when this was written. Assumptions, to be named in any report: biases ignored,
 * rows centred over all classes, components up to 95 % of the variance, tau .1,
 * omega 1, retain and forget sets shuffled together, the teacher sees the same
 * augmented sample, SGD .9, lr .01, 10 epochs. */
#include <lethe/lethe.h>

enum { P_BETA = LETHE_FIT_N, P_SIM, P_TAU, P_VARIANCE, P_DIM, P_OMEGA, P_BATCHES, P_FORGET_BATCH };
enum { SIM_SOFTMAX = 0, SIM_COS };
enum { BATCHES_MIX = 0, BATCHES_PAIR };

static const char *const sims[] = {"softmax", "cos", NULL};
static const char *const batch_kinds[] = {"mix", "pair", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.01, "0.1,0.03,0.01,0.003,0.001"),
    LETHE_REAL("beta", 10, -1e3, 1e3, "", "tilt towards similar classes; 0: none, RWFT"),
    LETHE_CHOICE("sim", SIM_SOFTMAX, sims, "similarity: softmax of cosines / tau, or cosines"),
    LETHE_REAL("tau", 0.1, 1e-6, 1e6, "", "temperature of sim: softmax (assumed)"),
    LETHE_REAL("pca_variance", 0.95, 0, 1, "", "share of the variance that is kept (assumed)"),
    LETHE_INT("pca_dim", 0, 0, 65536, "", "components that are kept; 0: by pca_variance"),
    LETHE_REAL("omega", 1, 1e-9, 1e6, "", "weight of the retain loss (assumed)"),
    LETHE_CHOICE("batches", BATCHES_MIX, batch_kinds,
                 "both sets shuffled together, or a forget batch with each retain batch"),
    LETHE_INT("forget_batch", 0, 0, 65536, "samples", "batches pair: of the forget set; 0: batch"),
};

/* ---- similarity of classes ---- */

/* Eigenvalues into the diagonal of the symmetric a (n, n), eigenvectors into the columns of v
 * (n, n): Jacobi's rotations, Golub & Van Loan, algorithm 8.4.3. */
static void jacobi(double *a, double *v, uint32_t n)
{
    for (uint32_t i = 0; i < n * n; i++)
        v[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < 60; sweep++)
        for (uint32_t p = 0; p < n; p++)
            for (uint32_t q = p + 1; q < n; q++) {
                double apq = a[p * n + q];
                if (fabs(apq) <= 1e-300)
                    continue;
                double tau = (a[q * n + q] - a[p * n + p]) / (2 * apq);
                double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau));
                double c = 1 / sqrt(1 + t * t), s = t * c;
                for (uint32_t k = 0; k < n; k++) {
                    double x = a[k * n + p], y = a[k * n + q];
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for (uint32_t k = 0; k < n; k++) {
                    double x = a[p * n + k], y = a[q * n + k], r = v[k * n + p], w = v[k * n + q];
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                    v[k * n + p] = c * r - s * w;
                    v[k * n + q] = s * r + c * w;
                }
            }
}

/* gram (n, n) of centred rows: of w (n, d), float. */
static void centred_gram(const float *w, uint32_t n, uint64_t d, double *gram)
{
    for (uint32_t i = 0; i < n * n; i++)
        gram[i] = 0;
    for (uint64_t k = 0; k < d; k++) {
        double mean = 0;
        for (uint32_t i = 0; i < n; i++)
            mean += (double)w[i * d + k] / n;
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < n; j++)
                gram[i * n + j] += ((double)w[i * d + k] - mean) * ((double)w[j * d + k] - mean);
    }
}

/* Flags, in kept (n), the largest eigenvalues (the diagonal of a) up to `dim` of them, or up to
 * the share `variance` where dim is 0; at most n - 1. */
static void keep_components(const double *a, uint32_t n, double variance, uint32_t dim,
                            uint8_t *kept)
{
    double total = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        kept[i] = 0;
        total += a[i * n + i] > 0 ? a[i * n + i] : 0;
    }
    for (uint32_t k = 0; k + 1 < n; k++) {
        uint32_t best = n;
        if (dim > 0 ? k >= dim : sum >= variance * total && k > 0)
            return;
        for (uint32_t i = 0; i < n; i++)
            if (!kept[i] && (best == n || a[i * n + i] > a[best * n + best]))
                best = i;
        kept[best] = 1;
        sum += a[best * n + best];
    }
}

/* Row y of u (n, n): class y on the kept components, u_yk = v_yk sqrt(eigenvalue k). */
static void project(const double *a, const double *v, const uint8_t *kept, uint32_t n, double *u)
{
    for (uint32_t y = 0; y < n; y++)
        for (uint32_t k = 0; k < n; k++)
            u[y * n + k] = kept[k] && a[k * n + k] > 0 ? v[y * n + k] * sqrt(a[k * n + k]) : 0;
}

/* s (n): how similar each class is to `own`, from projected rows u (n, n); 0 at own. */
static void similarity(const double *u, uint32_t n, uint32_t own, uint32_t sim, double tau,
                       double *s)
{
    double largest = -HUGE_VAL, sum = 0, norm = sqrt(lethe_dot(u + own * n, u + own * n, n));
    for (uint32_t y = 0; y < n; y++) {
        double scale = norm * sqrt(lethe_dot(u + y * n, u + y * n, n));
        s[y] = scale > 0 ? lethe_dot(u + y * n, u + own * n, n) / scale : 0;
        largest = y != own && s[y] > largest ? s[y] : largest;
    }
    s[own] = 0;
    for (uint32_t y = 0; sim == SIM_SOFTMAX && y < n; y++) {
        s[y] = y == own ? 0 : exp((s[y] - largest) / tau);
        sum += s[y];
    }
    for (uint32_t y = 0; sim == SIM_SOFTMAX && y < n; y++)
        s[y] /= sum;
}

/* The weights (c, d) of the last linear layer. */
static lethe_status last_weights(lethe_ctx *ctx, lethe_model *m, lethe_tensor *ret)
{
    const lethe_model_api *api = ctx->host->model;
    lethe_layer layer = {.struct_size = sizeof layer};
    for (uint32_t l = api->n_layers(ctx, m); l-- > 0;) {
        LETHE_TRY(api->layer(ctx, m, l, &layer));
        if (strcmp(layer.kind, "linear") == 0)
            return api->tensor(ctx, m, layer.first_tensor, ret);
    }
    return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "class similarities need a linear layer");
}

/* bias (c, c): beta times the similarity to the class of the row. */
static lethe_status trw_bias(lethe_ctx *ctx, const lethe_forget_job *job, uint32_t c,
                             const double **ret)
{
    double *room = lethe_alloc(ctx, 4ull * c * c, sizeof *room);
    uint8_t *kept = lethe_alloc(ctx, c, 1);
    lethe_tensor w = {.struct_size = sizeof w};
    if (!room || !kept)
        return LETHE_E_NOMEM;
    double *a = room, *v = a + c * c, *u = v + c * c, *bias = u + c * c;
    LETHE_TRY(last_weights(ctx, job->model, &w));
    centred_gram(w.w, c, w.n / c, a);
    jacobi(a, v, c);
    keep_components(a, c, lethe_real(ctx, P_VARIANCE), (uint32_t)lethe_int(ctx, P_DIM), kept);
    project(a, v, kept, c, u);
    for (uint32_t i = 0; i < job->n_forget_classes; i++) {
        double *row = bias + (uint32_t)job->forget_classes[i] * c;
        similarity(u, c, (uint32_t)job->forget_classes[i], lethe_choice(ctx, P_SIM),
                   lethe_real(ctx, P_TAU), row);
        for (uint32_t y = 0; y < c; y++)
            row[y] *= lethe_real(ctx, P_BETA);
    }
    *ret = bias;
    return LETHE_OK;
}

/* ---- training ---- */

static lethe_status trw_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    uint32_t c = ctx->host->model->n_classes(ctx, job->model);
    lethe_tilting tilting = {
        .teacher = {.teacher = job->original}, .hide_all = 1, .omega = lethe_real(ctx, P_OMEGA)};
    lethe_companion forget = {.view = job->forget,
                              .stream = "shuffle-forget",
                              .batch = (uint32_t)lethe_int(ctx, P_FORGET_BATCH),
                              .loss = lethe_tilting_loss,
                              .arg = &tilting};
    const lethe_view *sets[2] = {job->retain, job->forget};
    LETHE_TRY(lethe_forgotten_classes(ctx, job->forget_classes, job->n_forget_classes, c,
                                      &tilting.forgotten));
    LETHE_TRY(trw_bias(ctx, job, c, &tilting.bias));
    if (lethe_choice(ctx, P_BATCHES) == BATCHES_MIX) {
        LETHE_TRY(ctx->host->data->concat(ctx, sets, 2, &fit.pass[0].view));
        fit.pass[0].loss = lethe_tilting_loss;
        fit.pass[0].loss_arg = &tilting;
    } else {
        fit.pass[0] = (lethe_pass){.view = job->retain, .weight = tilting.omega, .beside = &forget};
    }
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "trw",
    .name = "TRW",
    .short_name = "TRW",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "trains on the original outputs, tilted to classes like the forgotten one",
    .doc = "TRW, Tilted ReWeighting. Samples of the forgotten class are trained on "
           "the original model's distribution over the other classes, multiplied by "
           "e^(beta s(y)) and normalised again, where s says how similar class y is "
           "to the forgotten one; the retain set keeps its labels. beta: 0 is RWFT, "
           "whose target is DELETE's. s is the cosine between centred rows of the "
           "last linear layer, projected on their principal components, through a "
           "softmax of temperature tau; sim: cos takes the cosine itself.\n"
           "Paper: arXiv 2506.20893 (RWFT, TRW), ICML 2026. Code read: none was "
           "public when this was written. Assumptions, to be named in any report: "
           "biases ignored, rows centred over all classes, components up to 95 % of "
           "the variance, tau .1, omega 1, retain and forget sets shuffled together, "
           "the teacher sees the same augmented sample, SGD .9, lr .01, 10 epochs.",
    .citation = "@article{trw2025, title={On the Necessity of Output Distribution "
                "Reweighting for Effective Class Unlearning}, "
                "author={Ebrahimpour-Boroojeny, Ali and Wang, Yian and Sundaram, "
                "Hari}, journal={arXiv preprint arXiv:2506.20893}, year={2025}}",
    .url = "https://arxiv.org/abs/2506.20893",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_CLASS,
    .run = trw_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_RETAIN, 0,
             &unlearner);
