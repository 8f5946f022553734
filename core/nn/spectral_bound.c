/* spectral_bound.c: bounds that no iteration can break, the rules for layers without weights, and
 * the product over a network. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spectral.h"

/* Covers the rounding of the Gram iteration, which is some n x 1e-16. */
#define ROUNDING (1 + 1e-9)

/* ---- matrices ---- */

/* a (rows, cols), rows the smaller side. */
static double *gather(const double *w, size_t rows, size_t cols, size_t row_step, size_t col_step)
{
    double *a = malloc(rows * cols * sizeof(*a));
    for (size_t r = 0; a && r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            a[r * cols + c] = w[r * row_step + c * col_step];
    return a;
}

/* |G|_2 from above, G (n, n) symmetric, positive, with Frobenius norm f; spare (n, n). Squares are
 * kept at Frobenius norm 1, the logarithm of what was divided out aside. */
static double gram_bound(double *g, double *spare, size_t n, double f)
{
    double log_norm = 0, weight = 1;
    for (int p = 0; p < 12; p++) {
        log_norm += weight * log(f);
        cblas_dscal((int)(n * n), 1 / f, g, 1);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)n, 1, g, (int)n,
                    g, (int)n, 0, spare, (int)n);
        memcpy(g, spare, n * n * sizeof(*g));
        f = cblas_dnrm2((int)(n * n), g, 1);
        weight /= 2;
    }
    return exp(log_norm + weight * log(f));
}

double spectral_matrix_bound(const double *w, size_t rows, size_t cols, size_t row_step,
                             size_t col_step)
{
    if (rows > cols)
        return spectral_matrix_bound(w, cols, rows, col_step, row_step);
    double *a = gather(w, rows, cols, row_step, col_step), bound = NAN;
    double *g = malloc(2 * rows * rows * sizeof(*g));
    if (a && g) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)rows, (int)cols, 1, a,
                    (int)cols, a, (int)cols, 0, g, (int)rows);
        double f = cblas_dnrm2((int)(rows * rows), g, 1);
        bound = f > 0 ? sqrt(gram_bound(g, g + rows * rows, rows, f)) * ROUNDING : 0;
    }
    free(a);
    free(g);
    return bound;
}

double spectral_reshaped(const struct spectral_map *map)
{
    return spectral_matrix_bound(map->weight, map->rows, map->cols, map->cols, 1);
}

/* (co, ci, k k) as (ci, co k k): the adjoint's kernel. */
static double adjoint_reshaped(const struct spectral_map *map, size_t taps)
{
    size_t in = map->cols / taps;
    double *w = malloc(map->rows * map->cols * sizeof(*w)), bound = NAN;
    for (size_t i = 0; w && i < in; i++)
        for (size_t o = 0; o < map->rows; o++)
            memcpy(w + (i * map->rows + o) * taps, map->weight + o * map->cols + i * taps,
                   taps * sizeof(*w));
    if (w)
        bound = spectral_matrix_bound(w, in, map->rows * taps, map->rows * taps, 1);
    free(w);
    return bound;
}

double spectral_certified(const struct spectral_map *map)
{
    const struct arch_layer *l = map->layer;
    size_t taps = l->kind == LAYER_CONV ? (size_t)l->kernel * l->kernel : 1;
    double whole = spectral_reshaped(map), sum = 0;
    if (taps == 1)
        return whole;
    for (size_t t = 0; t < taps; t++)
        sum += spectral_matrix_bound(map->weight + t, map->rows, map->cols / taps, map->cols, taps);
    double bound = fmin(sum, ceil((double)l->kernel / l->stride) * whole);
    if (l->stride == 1)
        bound = fmin(bound, l->kernel * adjoint_reshaped(map, taps));
    return isnan(sum) || isnan(whole) ? NAN : bound;
}

/* ---- layers by rules ---- */

/* Windows that one pixel can be in, along an axis. */
static double overlap(const struct arch_layer *l)
{
    return ceil((double)l->kernel / l->stride);
}

static double rule_unit(const struct arch_layer *l)
{
    return l->kind == LAYER_ELU ? fmax(1, l->p) : 1;
}

static double rule_maxpool(const struct arch_layer *l)
{
    return overlap(l);
}

static double rule_avgpool(const struct arch_layer *l)
{
    return overlap(l) / l->kernel;
}

static double rule_global(const struct arch_layer *l)
{
    return 1 / sqrt((double)l->in[1] * l->in[2]);
}

static double rule_normalize(const struct arch_layer *l)
{
    double most = 0;
    for (uint32_t c = 0; c < l->in[0]; c++)
        most = fmax(most, 1 / (double)l->std[c]);
    return most;
}

static double (*const rules[])(const struct arch_layer *) = {
    [LAYER_RELU] = rule_unit,
    [LAYER_ELU] = rule_unit,
    [LAYER_MAXPOOL] = rule_maxpool,
    [LAYER_AVGPOOL] = rule_avgpool,
    [LAYER_GLOBALAVGPOOL] = rule_global,
    [LAYER_FLATTEN] = rule_unit,
    [LAYER_DROPOUT] = rule_unit,
    [LAYER_NORMALIZE] = rule_normalize,
};

static double batchnorm_norm(const struct model *m, uint32_t index)
{
    const struct tensor_info *t = &m->tensor[m->layer_first_tensor[index]];
    double most = 0;
    for (size_t c = 0; c < t->n; c++)
        most = fmax(most, fabs((double)m->param[t[0].offset + c]) /
                              sqrt((double)m->stat[t[3].offset + c] + SPECTRAL_BN_EPS));
    return most;
}

/* ---- the report ---- */

struct making {
    const struct model *m;
    const struct spectral_options *o;
    struct spectral_map *map; /* (n_maps) */
    struct spectral_row *row; /* (n_maps) */
    bool *failed;             /* (n_maps) out of memory */
};

static void measure(void *arg, size_t item, unsigned worker)
{
    const struct making *k = arg;
    struct spectral_map *map = &k->map[item];
    struct spectral_row *row = &k->row[item];
    struct spectral_basis b;
    struct rng rng;
    bool conv = map->layer->kind == LAYER_CONV;
    *row = (struct spectral_row){.layer = map->index,
                                 .name = map->layer->name,
                                 .kind = layer_kind_name(map->layer->kind),
                                 .composed = map->norm != SPECTRAL_NO_NORM,
                                 .reshaped = conv ? spectral_reshaped(map) : NAN,
                                 .certified = spectral_certified(map)};
    k->failed[item] = spectral_basis_init(&b, map, SPECTRAL_BLOCK, NULL) < 0;
    if (!k->failed[item]) {
        rng_stream(&rng, k->o->seed, "spectral", map->index);
        spectral_basis_draw(&b, &rng);
        row->growth = spectral_iterate(map, &b, k->o->iterations);
        row->norm = b.sigma[0];
        row->n_values = k->o->top < b.k ? k->o->top : b.k;
        memcpy(row->value, b.sigma, row->n_values * sizeof(*b.sigma));
        k->failed[item] = isnan(row->certified) || isinf(row->growth);
    }
    spectral_basis_release(&b);
}

/* Norms of what has been measured, by layer. */
struct norms {
    double estimate, certified;
};

struct product {
    const struct model *m;
    const struct spectral_report *r;
    bool composed;
    uint32_t at; /* the next layer in model->layer */
};

static const struct spectral_row *row_of(const struct product *p, uint32_t layer, bool composed)
{
    for (uint32_t i = 0; i < p->r->n; i++)
        if (p->r->row[i].layer == layer && p->r->row[i].composed == composed)
            return &p->r->row[i];
    return NULL;
}

/* With conv and batch-norm as one map the batch-norm itself counts 1. */
static struct norms one_layer(const struct product *p, uint32_t layer)
{
    const struct spectral_row *whole = p->composed ? row_of(p, layer, true) : NULL;
    const struct spectral_row *row = whole ? whole : row_of(p, layer, false);
    if (p->composed && layer > 0 && row_of(p, layer - 1, true))
        return (struct norms){1, 1};
    return (struct norms){row->norm, row->certified};
}

static struct norms sequence(struct product *p, const struct arch_layer *layer, uint32_t n)
{
    struct norms all = {1, 1};
    for (uint32_t i = 0; i < n; i++) {
        const struct arch_layer *l = &layer[i];
        struct norms one;
        if (l->kind == LAYER_RESIDUAL) {
            p->at++;
            struct norms body = sequence(p, l->body, l->n_body);
            struct norms side = sequence(p, l->shortcut, l->n_shortcut);
            double half = l->halve ? 0.5 : 1;
            one = (struct norms){half * (body.estimate + side.estimate),
                                 half * (body.certified + side.certified)};
        } else {
            one = one_layer(p, p->at++);
        }
        all.estimate *= one.estimate;
        all.certified *= one.certified;
    }
    return all;
}

/* Rows of layers by rules, put between the measured ones. */
static int merge_rows(const struct model *m, const struct making *k, uint32_t n_maps,
                      struct spectral_report *r, struct error *err)
{
    uint32_t next = 0;
    r->row = calloc(m->n_layers + n_maps + 1, sizeof(*r->row));
    if (!r->row)
        return error_nomem(err);
    for (uint32_t i = 0; i < m->n_layers; i++) {
        const struct arch_layer *l = m->layer[i];
        bool measured = next < n_maps && k->row[next].layer == i;
        while (next < n_maps && k->row[next].layer == i)
            r->row[r->n++] = k->row[next++];
        if (measured || l->kind == LAYER_RESIDUAL)
            continue;
        double v = l->kind == LAYER_BATCHNORM ? batchnorm_norm(m, i) : rules[l->kind](l);
        r->row[r->n++] = (struct spectral_row){.layer = i,
                                               .name = l->name,
                                               .kind = layer_kind_name(l->kind),
                                               .norm = v,
                                               .certified = v,
                                               .reshaped = NAN};
    }
    return 0;
}

static void multiply(const struct model *m, struct spectral_report *r)
{
    struct product plain = {.m = m, .r = r}, composed = {.m = m, .r = r, .composed = true};
    struct norms a = sequence(&plain, m->arch->layer, m->arch->n_layers);
    struct norms b = sequence(&composed, m->arch->layer, m->arch->n_layers);
    r->bound = a.estimate;
    r->certified = a.certified;
    r->bound_composed = b.estimate;
    r->certified_composed = b.certified;
}

int spectral_report_make(const struct model *m, const struct spectral_options *o, struct par *par,
                         struct spectral_report *ret, struct error *err)
{
    struct spectral_report r = {0};
    struct making k = {.m = m, .o = o};
    uint32_t n = 0;
    TRY(spectral_maps_new(m, true, &k.map, &n, err));
    k.row = calloc(n + 1u, sizeof(*k.row));
    k.failed = calloc(n + 1u, sizeof(*k.failed));
    int rc = k.row && k.failed ? 0 : error_nomem(err);
    if (rc == 0)
        par_run(par, n, measure, &k);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        if (k.failed[i])
            rc = error_nomem(err);
    if (rc == 0)
        rc = merge_rows(m, &k, n, &r, err);
    if (rc == 0) {
        multiply(m, &r);
        *ret = r;
    }
    spectral_maps_free(k.map, n);
    free(k.row);
    free(k.failed);
    return rc;
}

void spectral_report_release(struct spectral_report *r)
{
    free(r->row);
    *r = (struct spectral_report){0};
}
