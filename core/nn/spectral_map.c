/* spectral_map.c: layers as linear maps on double vectors. A product is the usual matrix product
 * over columns: column p of (cols, pixels) holds what output pixel p sees. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spectral.h"

static size_t volume(const uint32_t shape[3])
{
    return (size_t)shape[0] * shape[1] * shape[2];
}

/* ---- columns ---- */

static bool is_conv(const struct spectral_map *map)
{
    return map->layer->kind == LAYER_CONV && !map->flat;
}

/* The kernel tap (channel, ky, kx) of a row of the columns. */
struct tap {
    size_t channel;
    int64_t dy, dx; /* input position minus stride x output position */
};

static struct tap tap_of(const struct arch_layer *l, size_t row)
{
    size_t k = l->kernel;
    return (struct tap){row / (k * k), (int64_t)(row / k % k) - l->pad,
                        (int64_t)(row % k) - l->pad};
}

/* The output columns [from, to) whose input column lies inside the map. */
static void inside(const struct arch_layer *l, int64_t dx, int64_t *from, int64_t *to)
{
    const int64_t stride = l->stride, w = l->in[2], out = l->out[2];
    int64_t first = dx < 0 ? (-dx + stride - 1) / stride : 0;
    int64_t last = w - 1 - dx < 0 ? 0 : (w - 1 - dx) / stride + 1;
    *to = last < out ? last : out;
    *from = first < *to ? first : *to;
}

/* columns (cols, pixels) from x (ci, h, w). */
static void columns_of(const struct spectral_map *map, const double *x, double *columns)
{
    const struct arch_layer *l = map->layer;
    const int64_t h = l->in[1], w = l->in[2], stride = l->stride;
    for (size_t row = 0; row < map->cols; row++) {
        struct tap t = tap_of(l, row);
        const double *plane = x + t.channel * (size_t)(h * w);
        double *to = columns + row * map->pixels;
        int64_t first, last;
        inside(l, t.dx, &first, &last);
        for (int64_t oy = 0; oy < l->out[1]; oy++, to += l->out[2]) {
            int64_t y = oy * stride + t.dy;
            memset(to, 0, l->out[2] * sizeof(*to));
            for (int64_t ox = first; y >= 0 && y < h && ox < last; ox++)
                to[ox] = plane[y * w + ox * stride + t.dx];
        }
    }
}

/* x = the sum of what the columns hold of each pixel. */
static void columns_add(const struct spectral_map *map, const double *columns, double *x)
{
    const struct arch_layer *l = map->layer;
    const int64_t h = l->in[1], w = l->in[2], stride = l->stride;
    memset(x, 0, map->n_in * sizeof(*x));
    for (size_t row = 0; row < map->cols; row++) {
        struct tap t = tap_of(l, row);
        double *plane = x + t.channel * (size_t)(h * w);
        const double *from = columns + row * map->pixels;
        int64_t first, last;
        inside(l, t.dx, &first, &last);
        for (int64_t oy = 0; oy < l->out[1]; oy++, from += l->out[2]) {
            int64_t y = oy * stride + t.dy;
            for (int64_t ox = first; y >= 0 && y < h && ox < last; ox++)
                plane[y * w + ox * stride + t.dx] += from[ox];
        }
    }
}

void spectral_map_apply(struct spectral_map *map, const double *x, double *y)
{
    int rows = (int)map->rows, cols = (int)map->cols, pixels = (int)map->pixels;
    if (!is_conv(map)) {
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, cols, 1, map->weight, cols, x, 1, 0, y, 1);
        return;
    }
    columns_of(map, x, map->columns);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, pixels, cols, 1, map->weight, cols,
                map->columns, pixels, 0, y, pixels);
}

void spectral_map_adjoint(struct spectral_map *map, const double *y, double *x)
{
    int rows = (int)map->rows, cols = (int)map->cols, pixels = (int)map->pixels;
    if (!is_conv(map)) {
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, cols, 1, map->weight, cols, y, 1, 0, x, 1);
        return;
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, cols, pixels, rows, 1, map->weight, cols,
                y, pixels, 0, map->columns, pixels);
    columns_add(map, map->columns, x);
}

void spectral_map_outer(struct spectral_map *map, const double *u, const double *v, double *dw)
{
    int rows = (int)map->rows, cols = (int)map->cols, pixels = (int)map->pixels;
    const double *columns = v;
    if (is_conv(map)) {
        columns_of(map, v, map->columns);
        columns = map->columns;
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, cols, pixels, 1, u, pixels, columns,
                pixels, 0, dw, cols);
    for (size_t r = 0; r < map->rows; r++)
        cblas_dscal(cols, map->scale[r], dw + r * map->cols, 1);
}

/* ---- weights ---- */

void spectral_map_load(struct spectral_map *map, const struct model *m)
{
    const float *w = m->param + m->tensor[m->layer_first_tensor[map->index]].offset;
    for (size_t r = 0; r < map->rows; r++)
        map->scale[r] = 1;
    if (map->norm != SPECTRAL_NO_NORM) {
        const struct tensor_info *t = &m->tensor[m->layer_first_tensor[map->norm]];
        const float *gamma = m->param + t[0].offset, *var = m->stat + t[3].offset;
        for (size_t r = 0; r < map->rows; r++)
            map->scale[r] = (double)gamma[r] / sqrt((double)var[r] + SPECTRAL_BN_EPS);
    }
    for (size_t r = 0; r < map->rows; r++)
        for (size_t c = 0; c < map->cols; c++)
            map->weight[r * map->cols + c] = map->scale[r] * (double)w[r * map->cols + c];
}

static int map_init(struct spectral_map *map, const struct model *m, uint32_t index, uint32_t norm,
                    struct error *err)
{
    const struct arch_layer *l = m->layer[index];
    const struct tensor_info *t = &m->tensor[m->layer_first_tensor[index]];
    bool conv = l->kind == LAYER_CONV;
    *map = (struct spectral_map){.layer = l, .index = index, .norm = norm};
    map->n_in = volume(l->in);
    map->n_out = volume(l->out);
    map->rows = t->dim[0];
    map->cols = t->n / map->rows;
    map->pixels = conv ? (size_t)l->out[1] * l->out[2] : 1;
    map->weight = malloc(t->n * sizeof(*map->weight));
    map->scale = malloc(map->rows * sizeof(*map->scale));
    map->columns = malloc((conv ? map->cols * map->pixels : 1) * sizeof(*map->columns));
    map->out = malloc(map->n_out * sizeof(*map->out));
    if (!map->weight || !map->scale || !map->columns || !map->out)
        return error_nomem(err);
    spectral_map_load(map, m);
    return 0;
}

void spectral_map_flatten(struct spectral_map *map)
{
    map->flat = true;
    map->n_in = map->cols;
    map->n_out = map->rows;
    map->pixels = 1;
}

/* Layers of one sequence lie side by side in memory, those of other sequences elsewhere. */
static bool norm_follows(const struct model *m, uint32_t i)
{
    return m->layer[i]->kind == LAYER_CONV && i + 1 < m->n_layers &&
           m->layer[i + 1] == m->layer[i] + 1 && m->layer[i + 1]->kind == LAYER_BATCHNORM;
}

int spectral_maps_new(const struct model *m, bool conv_bn, struct spectral_map **ret,
                      uint32_t *ret_n, struct error *err)
{
    struct spectral_map *map = calloc(2 * m->n_layers + 1, sizeof(*map));
    uint32_t n = 0;
    int rc = map ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < m->n_layers; i++) {
        if (m->layer[i]->kind == LAYER_CONV || m->layer[i]->kind == LAYER_LINEAR)
            rc = map_init(&map[n++], m, i, SPECTRAL_NO_NORM, err);
        if (rc == 0 && conv_bn && norm_follows(m, i))
            rc = map_init(&map[n++], m, i, i + 1, err);
    }
    if (rc < 0) {
        spectral_maps_free(map, n);
        return rc;
    }
    *ret = map;
    *ret_n = n;
    return 0;
}

void spectral_maps_free(struct spectral_map *map, uint32_t n)
{
    for (uint32_t i = 0; map && i < n; i++) {
        free(map[i].weight);
        free(map[i].scale);
        free(map[i].columns);
        free(map[i].out);
    }
    free(map);
}
