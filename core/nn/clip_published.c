/* clip_published.c: FastClip as the authors' code does it, faults included: gradient steps of a
 * fixed length, a mean over the width of the output map only, no guarantee afterwards; for
 * convolution and batch-norm together a copy in training mode, which normalises with the
 * statistics of the one singular vector and leaves them in the running statistics. */
#include <cblas.h>
#include <math.h>

#include "clip_internal.h"

enum { RESTART_ITERATIONS = 10 };

/* u = W v and the gradient of mean over width of sum ((W - target) v)^2, by W. */
static void step_towards(struct clip_layer *l, const double *target_out, double rate, double width)
{
    struct spectral_map *map = l->map;
    size_t n = map->rows * map->cols;
    spectral_map_apply(map, l->basis.v, l->u);
    cblas_daxpy((int)map->n_out, -1, target_out, 1, l->u, 1);
    spectral_map_outer(map, l->u, l->basis.v, l->grad);
    cblas_daxpy((int)n, -2 * rate / width, l->grad, 1, map->weight, 1);
}

static void clip_map(const struct clip_pass *p, struct clip_layer *l)
{
    struct spectral_map *map = l->map;
    const bool conv = map->layer->kind == LAYER_CONV;
    double c = p->config->value, sigma = l->basis.sigma[0];
    if (!(sigma > c) && !(conv && sigma > 0 && c - sigma >= 0.05))
        return;
    spectral_map_apply(map, l->basis.v, map->out);
    cblas_dscal((int)map->n_out, c / sigma, map->out, 1);
    for (int step = 0; step < (p->bn ? 5 : 1); step++)
        step_towards(l, map->out, 0.35, conv ? map->layer->out[2] : 1);
    clip_store(p, l);
}

/* One channel of the batch-norm in training mode on z (pixels), the gradient being slope times its
 * output; z becomes dL/dz. Returns dL/dgamma. Statistics go where they do not belong. */
static double norm_channel(const struct clip_pass *p, const struct clip_layer *l, size_t channel,
                           double slope, double *z)
{
    const struct model *m = p->m;
    const struct tensor_info *t = &m->tensor[m->layer_first_tensor[l->map->norm]];
    double n = (double)l->map->pixels, mean = 0, var = 0, sum_d = 0, sum_dz = 0;
    double gamma = (double)m->param[t[0].offset + channel];
    double beta = (double)m->param[t[1].offset + channel];
    for (size_t i = 0; i < l->map->pixels; i++)
        mean += z[i] / n;
    for (size_t i = 0; i < l->map->pixels; i++)
        var += (z[i] - mean) * (z[i] - mean) / n;
    double inv = 1 / sqrt(var + SPECTRAL_BN_EPS);
    for (size_t i = 0; i < l->map->pixels; i++) {
        double hat = (z[i] - mean) * inv, d = slope * (gamma * hat + beta);
        sum_d += d;
        sum_dz += d * hat;
    }
    for (size_t i = 0; i < l->map->pixels; i++) {
        double hat = (z[i] - mean) * inv, d = slope * (gamma * hat + beta);
        z[i] = gamma * inv * (d - sum_d / n - hat * sum_dz / n);
    }
    float *running_mean = m->stat + t[2].offset + channel;
    float *running_var = m->stat + t[3].offset + channel;
    double unbiased = n > 1 ? var * n / (n - 1) : var;
    *running_mean = (float)(0.9 * (double)*running_mean + 0.1 * mean);
    *running_var = (float)(0.9 * (double)*running_var + 0.1 * unbiased);
    return sum_dz;
}

static void clip_composition(const struct clip_pass *p, struct clip_layer *l)
{
    struct spectral_map *map = l->map;
    const float *bias = clip_weights(p, map->index) + map->rows * map->cols;
    float *gamma = clip_weights(p, map->norm), *w = clip_weights(p, map->index);
    double c = p->config->value, sigma = l->basis.sigma[0];
    if (!(sigma > c))
        return;
    double slope = 2 * (1 - c / sigma) / map->layer->out[2];
    for (size_t r = 0; r < map->rows; r++)
        map->scale[r] = 1;
    for (size_t i = 0; i < map->rows * map->cols; i++)
        map->weight[i] = (double)w[i];
    spectral_map_apply(map, l->basis.v, l->u);
    for (size_t r = 0; r < map->rows; r++) {
        double *z = l->u + r * map->pixels;
        for (size_t i = 0; map->layer->bias && i < map->pixels; i++)
            z[i] += (double)bias[r];
        gamma[r] -= (float)(0.01 * norm_channel(p, l, r, slope, z));
    }
    spectral_map_outer(map, l->u, l->basis.v, l->grad);
    for (size_t i = 0; i < map->rows * map->cols; i++)
        w[i] -= (float)(0.01 * l->grad[i]);
}

bool clip_published(const struct clip_pass *p, struct clip_layer *l)
{
    if (!clip_refine(p, l, p->config->iterations))
        return false;
    if (l->map->norm == SPECTRAL_NO_NORM)
        clip_map(p, l);
    else
        clip_composition(p, l);
    clip_redraw(p, l);
    return clip_refine(p, l, RESTART_ITERATIONS);
}
