/* clip_layer.c: moves the weights of one layer so that its largest singular values become c. */
#include <cblas.h>
#include <math.h>

#include "clip_internal.h"

/* A convolution further below c than this is pulled up (methods of the authors' code). */
#define PULL_UP 0.05
enum { FIRST_ITERATIONS = 30, AGAIN_ITERATIONS = 3 };

static bool composed(const struct clip_layer *l)
{
    return l->map->norm != SPECTRAL_NO_NORM;
}

void clip_store(const struct clip_pass *p, const struct clip_layer *l)
{
    float *w = clip_weights(p, l->map->index);
    const uint8_t *mask = p->mask ? p->mask + (w - p->m->param) : NULL;
    for (size_t i = 0; i < l->map->rows * l->map->cols; i++)
        if (!mask || mask[i])
            w[i] = (float)l->map->weight[i];
}

static void move_gamma(const struct clip_pass *p, const struct clip_layer *l, const double *step,
                       double factor)
{
    float *gamma = clip_weights(p, l->map->norm);
    const uint8_t *mask = p->mask ? p->mask + (gamma - p->m->param) : NULL;
    for (size_t r = 0; r < l->map->rows; r++)
        if (!mask || mask[r])
            gamma[r] = (float)(factor * (double)gamma[r] + (step ? step[r] : 0));
    spectral_map_load(l->map, p->m);
}

void clip_scale(const struct clip_pass *p, struct clip_layer *l, double factor)
{
    if (composed(l)) {
        move_gamma(p, l, NULL, factor);
        return;
    }
    cblas_dscal((int)(l->map->rows * l->map->cols), factor, l->map->weight, 1);
    clip_store(p, l);
}

void clip_redraw(const struct clip_pass *p, struct clip_layer *l)
{
    struct rng rng;
    uint64_t layer = 2 * (uint64_t)l->map->index + composed(l);
    rng_stream(&rng, p->seed, "spectral", layer << 32 | p->draw);
    if (p->config->published)
        for (size_t i = 0; i < l->basis.n_in; i++)
            l->basis.v[i] = (double)rng_uniform(&rng);
    else
        spectral_basis_draw(&l->basis, &rng);
}

bool clip_refine(const struct clip_pass *p, struct clip_layer *l, uint32_t n)
{
    spectral_map_load(l->map, p->m);
    if (!spectral_basis_is_drawn(&l->basis)) {
        clip_redraw(p, l);
        n = n < FIRST_ITERATIONS ? FIRST_ITERATIONS : n;
    }
    return spectral_refine(l->map, &l->basis, n);
}

/* The least change of the weights after which <u, A v> is c, where u = A v / |A v| now. sigma is a
 * linear function of the weights to first order, with gradient u times the columns of v. */
static void move_weights(const struct clip_pass *p, struct clip_layer *l, const double *v,
                         double sigma)
{
    struct spectral_map *map = l->map;
    size_t n = map->rows * map->cols;
    spectral_map_outer(map, l->u, v, l->grad);
    double square = cblas_ddot((int)n, l->grad, 1, l->grad, 1);
    if (square > 0)
        cblas_daxpy((int)n, (p->config->value - sigma) / square, l->grad, 1, map->weight, 1);
}

/* The same by the batch-norm's factors alone: what the weights of the convolution lose the running
 * statistics of the next batches give back. u holds A v / sigma, so that
 * d sigma / d gamma_c = sigma sum_p u_cp^2 / gamma_c. */
static void move_factors(const struct clip_pass *p, struct clip_layer *l, double sigma)
{
    const float *gamma = clip_weights(p, l->map->norm);
    double square = 0;
    for (size_t r = 0; r < l->map->rows; r++) {
        const double *u = l->u + r * l->map->pixels;
        double own = cblas_ddot((int)l->map->pixels, u, 1, u, 1);
        l->grad[r] = gamma[r] != 0 ? sigma * own / (double)gamma[r] : 0;
        square += l->grad[r] * l->grad[r];
    }
    if (!(square > 0))
        return;
    cblas_dscal((int)l->map->rows, (p->config->value - sigma) / square, l->grad, 1);
    move_gamma(p, l, l->grad, 1);
}

/* Brings |A v| to c; only from above, unless `up`. Whether it had to. */
static bool move_vector(const struct clip_pass *p, struct clip_layer *l, uint32_t k,
                        double tolerance, bool up)
{
    const double *v = l->basis.v + k * l->basis.n_in;
    spectral_map_apply(l->map, v, l->u);
    double sigma = cblas_dnrm2((int)l->map->n_out, l->u, 1), c = p->config->value;
    if (!(sigma > c * (1 + tolerance)) && !(up && sigma > 0 && sigma < c * (1 - PULL_UP)))
        return false;
    cblas_dscal((int)l->map->n_out, 1 / sigma, l->u, 1);
    if (composed(l))
        move_factors(p, l, sigma);
    else
        move_weights(p, l, v, sigma);
    return true;
}

bool clip_fast(const struct clip_pass *p, struct clip_layer *l, uint32_t rounds, double tolerance)
{
    bool exact = l->map->layer->kind == LAYER_CONV && !composed(l);
    for (uint32_t round = 0; round < rounds; round++) {
        bool moved = false;
        if (!clip_refine(p, l, round == 0 ? p->config->iterations : AGAIN_ITERATIONS))
            return false;
        bool below = l->basis.sigma[0] < p->config->value;
        for (uint32_t k = 0; k < (below ? 1 : l->basis.k); k++)
            moved |= move_vector(p, l, k, tolerance, exact && below);
        if (!moved)
            break;
        if (!composed(l))
            clip_store(p, l);
    }
    return true;
}

bool clip_scaled(const struct clip_pass *p, struct clip_layer *l)
{
    if (!clip_refine(p, l, p->config->iterations))
        return false;
    double sigma = l->basis.sigma[0], c = p->config->value;
    bool always = p->config->method == CLIP_MIYATO;
    if (sigma > 0 && (always || sigma > c))
        clip_scale(p, l, c / sigma);
    return true;
}
