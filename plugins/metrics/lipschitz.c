/* SPDX-License-Identifier: MIT
 * lipschitz.c: an upper bound of the network's L2 Lipschitz constant, the product
 * of its layers' norms, and the norms of Jacobians at forget samples below it.
 *
 * Norms of convolutions are those of the zero-padded map at its true input size,
 * by Golub-Kahan-Lanczos with full reorthogonalisation (Golub and Van Loan,
 * "Matrix Computations", 10.4); plain power iteration stalls where the two
 * largest singular values are close. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

enum { BOUND, CERTIFIED, LOCAL, N_VALUES };
enum { NORMS = N_VALUES, CERTIFIED_NORMS, RESHAPED };
enum { PARAM_STEPS, PARAM_SAMPLES };

/* ---- linear maps ---- */

/* y = A x or x = A^T y, on vectors of doubles. */
struct map {
    size_t n_in, n_out;
    void (*apply)(const struct map *m, int transposed, const double *from, double *to);
    const lethe_layer *layer;
    const float *w;      /* (out, in) or (co, ci, k, k) */
    const double *dense; /* (n_out, n_in) */
};

static void apply_rows(const struct map *m, int transposed, const double *from, double *to)
{
    for (size_t i = 0; i < (transposed ? m->n_in : m->n_out); i++)
        to[i] = 0;
    for (size_t o = 0; o < m->n_out; o++)
        for (size_t i = 0; i < m->n_in; i++) {
            double w = m->w ? (double)m->w[o * m->n_in + i] : m->dense[o * m->n_in + i];
            if (transposed)
                to[i] += w * from[o];
            else
                to[o] += w * from[i];
        }
}

/* One kernel tap between two planes: the overlap of rows and columns. */
static void apply_tap(const lethe_layer *l, double w, uint32_t ky, uint32_t kx, int transposed,
                      const double *from, double *to)
{
    const int64_t h = l->in[1], width = l->in[2];
    for (uint32_t oy = 0; oy < l->out[1]; oy++) {
        int64_t y = (int64_t)oy * l->stride + ky - l->pad;
        if (y < 0 || y >= h)
            continue;
        for (uint32_t ox = 0; ox < l->out[2]; ox++) {
            int64_t x = (int64_t)ox * l->stride + kx - l->pad;
            if (x < 0 || x >= width)
                continue;
            size_t in = (size_t)(y * width + x), out = (size_t)oy * l->out[2] + ox;
            if (transposed)
                to[in] += w * from[out];
            else
                to[out] += w * from[in];
        }
    }
}

static void apply_conv(const struct map *m, int transposed, const double *from, double *to)
{
    const lethe_layer *l = m->layer;
    const size_t in = (size_t)l->in[1] * l->in[2], out = (size_t)l->out[1] * l->out[2];
    const uint32_t k = l->kernel;
    for (size_t i = 0; i < (transposed ? m->n_in : m->n_out); i++)
        to[i] = 0;
    for (uint32_t o = 0; o < l->out[0]; o++)
        for (uint32_t i = 0; i < l->in[0]; i++)
            for (uint32_t tap = 0; tap < k * k; tap++) {
                double w = (double)m->w[((size_t)o * l->in[0] + i) * k * k + tap];
                apply_tap(l, w, tap / k, tap % k, transposed,
                          from + (transposed ? o * out : i * in),
                          to + (transposed ? i * in : o * out));
            }
}

/* ---- the largest singular value ---- */

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Removes from v its parts along the k earlier vectors, twice (Kahan: twice is enough). */
static double orthogonalise(double *v, size_t n, double *const *basis, uint32_t k)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t j = 0; j < k; j++) {
            double c = dot(v, basis[j], n);
            for (size_t i = 0; i < n; i++)
                v[i] -= c * basis[j][i];
        }
    double norm = sqrt(dot(v, v, n));
    for (size_t i = 0; norm > 0 && i < n; i++)
        v[i] /= norm;
    return norm;
}

/* Eigenvalues of the tridiagonal (d, e) below x: a Sturm sequence. */
static uint32_t count_below(const double *d, const double *e, uint32_t n, double x)
{
    uint32_t count = 0;
    double q = 1;
    for (uint32_t i = 0; i < n; i++) {
        q = d[i] - x - (i > 0 ? e[i - 1] * e[i - 1] / q : 0);
        if (q == 0)
            q = 1e-300;
        count += q < 0;
    }
    return count;
}

static double largest_eigenvalue(const double *d, const double *e, uint32_t n)
{
    double lo = 0, hi = 0;
    for (uint32_t i = 0; i < n; i++)
        hi = fmax(hi, d[i] + (i > 0 ? fabs(e[i - 1]) : 0) + (i + 1 < n ? fabs(e[i]) : 0));
    for (int step = 0; step < 200 && hi - lo > 1e-15 * hi; step++) {
        double mid = (lo + hi) / 2;
        if (count_below(d, e, n, mid) == n)
            hi = mid;
        else
            lo = mid;
    }
    return (lo + hi) / 2;
}

/* Lanczos on A^T A; n_in vectors at most. */
static lethe_status norm_of(lethe_ctx *ctx, const struct map *m, const char *stream, double *ret)
{
    uint32_t steps = (uint32_t)lethe_int(ctx, PARAM_STEPS);
    steps = steps < m->n_in ? steps : (uint32_t)m->n_in;
    double **basis = lethe_alloc(ctx, steps + 1u, sizeof(double *));
    double *d = lethe_alloc(ctx, steps, sizeof(double)),
           *e = lethe_alloc(ctx, steps, sizeof(double));
    double *y = lethe_alloc(ctx, m->n_out, sizeof(double));
    float *start = lethe_alloc(ctx, m->n_in, sizeof(float));
    lethe_rng rng;
    uint32_t k = 0;
    if (!basis || !d || !e || !y || !start)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->rng->stream(ctx, stream, 0, &rng));
    ctx->host->rng->normal(ctx, &rng, start, m->n_in);
    if (!(basis[0] = lethe_alloc(ctx, m->n_in, sizeof(double))))
        return LETHE_E_NOMEM;
    for (size_t i = 0; i < m->n_in; i++)
        basis[0][i] = (double)start[i];
    orthogonalise(basis[0], m->n_in, basis, 0);
    while (k < steps) {
        if (!(basis[k + 1] = lethe_alloc(ctx, m->n_in, sizeof(double))))
            return LETHE_E_NOMEM;
        m->apply(m, 0, basis[k], y);
        m->apply(m, 1, y, basis[k + 1]);
        d[k] = dot(y, y, m->n_out);
        e[k] = orthogonalise(basis[k + 1], m->n_in, basis, k + 1);
        k++;
        if (e[k - 1] <= 1e-14 * d[0])
            break; /* an invariant subspace */
    }
    *ret = sqrt(largest_eigenvalue(d, e, k));
    return LETHE_OK;
}

/* ---- bounds that no rounding of an iteration can break ---- */

/* Of the (rows, cols) matrix with entries w[r * row_step + c * col_step]: the smaller of the
 * Frobenius norm and sqrt(largest row sum x largest column sum), both at least the L2 norm. */
static lethe_status rigorous(lethe_ctx *ctx, const float *w, size_t rows, size_t cols,
                             size_t row_step, size_t col_step, double *ret)
{
    double square = 0, row_top = 0, col_top = 0;
    double *col = lethe_alloc(ctx, cols, sizeof(double));
    if (!col)
        return LETHE_E_NOMEM;
    for (size_t r = 0; r < rows; r++) {
        double row = 0;
        for (size_t c = 0; c < cols; c++) {
            double v = fabs((double)w[r * row_step + c * col_step]);
            square += v * v;
            row += v;
            col[c] += v;
        }
        row_top = fmax(row_top, row);
    }
    for (size_t c = 0; c < cols; c++)
        col_top = fmax(col_top, col[c]);
    *ret = fmin(sqrt(square), sqrt(row_top * col_top));
    return LETHE_OK;
}

/* A convolution is the sum of its kernel's taps, each a shift of one matrix: triangle inequality,
 * true for any zero padding and stride. */
static lethe_status rigorous_conv(lethe_ctx *ctx, const lethe_layer *l, const float *w, double *ret)
{
    const size_t taps = (size_t)l->kernel * l->kernel;
    double sum = 0;
    for (size_t t = 0; t < taps; t++) {
        double one;
        LETHE_TRY(rigorous(ctx, w + t, l->out[0], l->in[0], l->in[0] * taps, taps, &one));
        sum += one;
    }
    *ret = sum;
    return LETHE_OK;
}

/* ---- layers ---- */

struct layer_norm {
    double norm, certified, reshaped; /* reshaped: convolutions; else NaN */
};

static lethe_status weight_of(lethe_ctx *ctx, const lethe_model *m, uint32_t index, lethe_tensor *t)
{
    *t = (lethe_tensor){.struct_size = sizeof *t};
    LETHE_TRY(ctx->host->model->tensor(ctx, (lethe_model *)m, index, t));
    return t->w ? LETHE_OK : lethe_failf(ctx, LETHE_E_DENIED, "the weights are not to be seen");
}

static lethe_status conv_norm(lethe_ctx *ctx, const lethe_model *m, const lethe_layer *l,
                              struct layer_norm *ret)
{
    lethe_tensor t;
    LETHE_TRY(weight_of(ctx, m, l->first_tensor, &t));
    size_t cols = (size_t)l->in[0] * l->kernel * l->kernel;
    const struct map unrolled = {(size_t)l->in[0] * l->in[1] * l->in[2],
                                 (size_t)l->out[0] * l->out[1] * l->out[2],
                                 apply_conv,
                                 l,
                                 t.w,
                                 NULL};
    const struct map reshaped = {cols, l->out[0], apply_rows, l, t.w, NULL};
    LETHE_TRY(norm_of(ctx, &unrolled, l->name, &ret->norm));
    LETHE_TRY(norm_of(ctx, &reshaped, l->name, &ret->reshaped));
    return rigorous_conv(ctx, l, t.w, &ret->certified);
}

static lethe_status linear_norm(lethe_ctx *ctx, const lethe_model *m, const lethe_layer *l,
                                struct layer_norm *ret)
{
    lethe_tensor t;
    LETHE_TRY(weight_of(ctx, m, l->first_tensor, &t));
    size_t rows = (size_t)t.shape.dim[0], cols = (size_t)t.shape.dim[1];
    const struct map map = {cols, rows, apply_rows, l, t.w, NULL};
    LETHE_TRY(norm_of(ctx, &map, l->name, &ret->norm));
    return rigorous(ctx, t.w, rows, cols, cols, 1, &ret->certified);
}

/* max |gamma| / sqrt(var + eps), evaluation mode. */
static lethe_status batchnorm_norm(lethe_ctx *ctx, const lethe_model *m, const lethe_layer *l,
                                   struct layer_norm *ret)
{
    lethe_tensor gamma, var;
    LETHE_TRY(weight_of(ctx, m, l->first_tensor, &gamma));
    LETHE_TRY(weight_of(ctx, m, l->first_tensor + 3, &var));
    ret->norm = 0;
    for (uint64_t c = 0; c < gamma.n; c++)
        ret->norm = fmax(ret->norm, fabs((double)gamma.w[c]) / sqrt((double)var.w[c] + l->scale));
    ret->certified = ret->norm;
    return LETHE_OK;
}

/* Windows that one pixel can be in, along an axis. */
static double overlap(const lethe_layer *l)
{
    return ceil((double)l->kernel / l->stride);
}

static double fixed_norm(const lethe_layer *l)
{
    if (strcmp(l->kind, "maxpool") == 0)
        return overlap(l);
    if (strcmp(l->kind, "avgpool") == 0)
        return overlap(l) / l->kernel;
    if (strcmp(l->kind, "globalavgpool") == 0)
        return 1 / sqrt((double)l->in[1] * l->in[2]);
    if (strcmp(l->kind, "normalize") == 0)
        return l->scale;
    return strcmp(l->kind, "elu") == 0 ? fmax(1, l->scale) : 1;
}

static lethe_status layer_norm(lethe_ctx *ctx, const lethe_model *m, const lethe_layer *l,
                               struct layer_norm *ret)
{
    static const struct {
        const char *kind;
        lethe_status (*norm)(lethe_ctx *, const lethe_model *, const lethe_layer *,
                             struct layer_norm *);
    } table[] = {{"conv", conv_norm}, {"linear", linear_norm}, {"batchnorm", batchnorm_norm}};
    ret->reshaped = NAN;
    for (uint32_t i = 0; i < LETHE_COUNT(table); i++)
        if (strcmp(table[i].kind, l->kind) == 0)
            return table[i].norm(ctx, m, l, ret);
    ret->norm = ret->certified = fixed_norm(l);
    return LETHE_OK;
}

/* ---- composition ---- */

struct layers {
    uint32_t n;
    lethe_layer *layer;      /* (n) */
    struct layer_norm *norm; /* (n) */
};

/* Body plus shortcut; a shortcut without layers is the identity. */
static void close_residual(const struct layers *ls, uint32_t index, const struct layer_norm *body,
                           const struct layer_norm *shortcut)
{
    double half = ls->layer[index].halve ? 0.5 : 1;
    ls->norm[index].norm = half * (body->norm + shortcut->norm);
    ls->norm[index].certified = half * (body->certified + shortcut->certified);
}

/* Products over the layers whose parent is `parent` (index + 1; 0: the network), by branch.
 * Blocks are listed before what they hold, so they are closed from the last one back. */
static void branch_products(const struct layers *ls, uint32_t parent, struct layer_norm *ret)
{
    for (uint32_t b = 0; b < 2; b++)
        ret[b] = (struct layer_norm){1, 1, NAN};
    for (uint32_t i = 0; i < ls->n; i++)
        if (ls->layer[i].parent == parent) {
            ret[ls->layer[i].branch].norm *= ls->norm[i].norm;
            ret[ls->layer[i].branch].certified *= ls->norm[i].certified;
        }
}

static lethe_status read_layers(lethe_ctx *ctx, const lethe_model *m, struct layers *ls)
{
    const lethe_model_api *api = ctx->host->model;
    ls->n = api->n_layers(ctx, m);
    ls->layer = lethe_alloc(ctx, ls->n, sizeof(*ls->layer));
    ls->norm = lethe_alloc(ctx, ls->n, sizeof(*ls->norm));
    if (!ls->layer || !ls->norm)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < ls->n; i++) {
        ls->layer[i].struct_size = sizeof(ls->layer[i]);
        LETHE_TRY(api->layer(ctx, m, i, &ls->layer[i]));
        if (strcmp(ls->layer[i].kind, "residual") == 0)
            continue;
        if (ls->layer[i].in[0] == 0)
            return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "this host does not tell layers' shapes");
        LETHE_TRY(layer_norm(ctx, m, &ls->layer[i], &ls->norm[i]));
        LETHE_TRY(ctx->host->core->progress(ctx, (i + 1.0) / ls->n, ls->layer[i].name));
    }
    for (uint32_t i = ls->n; i-- > 0;)
        if (strcmp(ls->layer[i].kind, "residual") == 0) {
            struct layer_norm branch[2];
            branch_products(ls, i + 1, branch);
            close_residual(ls, i, &branch[0], &branch[1]);
        }
    return LETHE_OK;
}

/* ---- Jacobians ---- */

/* Largest norm of the Jacobian at the first samples of the forget set, a lower bound. */
static lethe_status local_norm(lethe_ctx *ctx, const lethe_metric_job *job, double *ret)
{
    const lethe_host *host = ctx->host;
    const uint32_t c = host->model->n_classes(ctx, job->model);
    uint64_t n = host->data->count(ctx, job->forget);
    uint64_t want = (uint64_t)lethe_int(ctx, PARAM_SAMPLES);
    *ret = n && want ? 0 : NAN;
    for (uint32_t s = 0; s < (n < want ? n : want); s++) {
        lethe_batch batch = {.struct_size = sizeof batch};
        LETHE_TRY(host->data->batch(ctx, job->forget, &s, 1, &batch));
        size_t pixels = (size_t)(batch.input.dim[0] * batch.input.dim[1] * batch.input.dim[2]);
        double *jacobian = lethe_alloc(ctx, pixels * c, sizeof(double)); /* (c, pixels) */
        float *dx = lethe_alloc(ctx, pixels, sizeof(float)),
              *z = lethe_alloc(ctx, c, sizeof(float));
        double norm;
        if (!jacobian || !dx || !z)
            return LETHE_E_NOMEM;
        for (uint32_t k = 0; k < c; k++) {
            LETHE_TRY(host->model->forward(ctx, job->model, &batch, LETHE_EVAL, z));
            for (uint32_t j = 0; j < c; j++)
                z[j] = j == k;
            LETHE_TRY(host->model->input_gradient(ctx, job->model, z, dx));
            for (size_t i = 0; i < pixels; i++)
                jacobian[k * pixels + i] = (double)dx[i];
        }
        const struct map map = {pixels, c, apply_rows, NULL, NULL, jacobian};
        LETHE_TRY(norm_of(ctx, &map, "jacobian", &norm));
        *ret = fmax(*ret, norm);
    }
    return LETHE_OK;
}

static lethe_status emit_norms(lethe_ctx *ctx, const struct layers *ls, uint32_t output)
{
    double *x = lethe_alloc(ctx, ls->n, sizeof(double)),
           *y = lethe_alloc(ctx, ls->n, sizeof(double));
    uint32_t n = 0;
    if (!x || !y)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < ls->n; i++) {
        const struct layer_norm *v = &ls->norm[i];
        double norm = output == NORMS ? v->norm : output == RESHAPED ? v->reshaped : v->certified;
        if (!isfinite(norm) || (output == RESHAPED && norm == 0))
            continue;
        x[n] = i;
        y[n++] = norm;
    }
    return n ? ctx->host->emit->curve(ctx, output, x, y, n) : LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    struct layers ls;
    struct layer_norm all[2];
    double local = NAN;
    LETHE_TRY(read_layers(ctx, job->model, &ls));
    branch_products(&ls, 0, all);
    if (job->forget && ctx->host->data)
        LETHE_TRY(local_norm(ctx, job, &local));
    LETHE_TRY(lethe_emit_finite(ctx, BOUND, all[0].norm, NULL));
    LETHE_TRY(lethe_emit_finite(ctx, CERTIFIED, all[0].certified, NULL));
    LETHE_TRY(lethe_emit(ctx, LOCAL, local, "no samples at hand"));
    for (uint32_t output = NORMS; output <= RESHAPED; output++)
        LETHE_TRY(emit_norms(ctx, &ls, output));
    return LETHE_OK;
}

#define ONE(name, doc)                                                                             \
    LETHE_SCALAR(name, LETHE_BETTER_NEITHER, LETHE_REF_RETRAIN, "", 0, HUGE_VAL, doc)
static const lethe_output outputs[] = {
    ONE("lipschitz_bound", "product of the layers' L2 norms"),
    ONE("lipschitz_certified", "the same with rigorous bounds of convolutions and linear layers"),
    ONE("lipschitz_local", "largest L2 norm of the Jacobian at forget samples, a lower bound"),
    LETHE_CURVE("lipschitz_norms", "layer", "L2 norm of each layer"),
    LETHE_CURVE("lipschitz_certified_norms", "layer", "rigorous bound of each layer"),
    LETHE_CURVE("lipschitz_reshaped", "layer",
                "L2 norm of each convolution's weight as a co x (ci k k) matrix (Miyato): not the "
                "norm of the map"),
};
static const lethe_param params[] = {
    LETHE_INT("steps", 200, 2, 10000, "", "Lanczos steps per layer, as far as it has inputs"),
    LETHE_INT("samples", 4, 0, 100000, "samples", "forget samples whose Jacobian is looked at"),
};
static const lethe_metric metric = LETHE_RUN_METRIC(outputs, evaluate);
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "lipschitz",
    .name = "Lipschitz bound",
    .short_name = "Lipschitz",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "upper bound of the L2 Lipschitz constant, and the norms of the layers",
    .doc =
        "Product over layers: linear, largest singular value; convolution, that of the "
        "zero-padded map at its true input size; batch-norm max |gamma| / sqrt(var + eps); ReLU, "
        "flatten, dropout 1; max-pool ceil(k / s), average pool ceil(k / s) / k, global average "
        "1 / sqrt(HW); normalisation 1 / min std; residual body + shortcut (half of it where "
        "the block halves). Lanczos converges from below: lipschitz_bound is an estimate, "
        "lipschitz_certified a true bound, 2 to 5 times looser a layer.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, params, LETHE_COUNT(params),
             LETHE_CAP_MODEL | LETHE_CAP_WEIGHTS, LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS, &metric);
