#include "dense_svd.h"

#include "nn_testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

static double channel_scale(const struct model *m, const struct spectral_map *map, size_t channel)
{
    if (map->norm == SPECTRAL_NO_NORM)
        return 1;
    const struct tensor_info *t = &m->tensor[m->layer_first_tensor[map->norm]];
    return (double)m->param[t[0].offset + channel] /
           sqrt((double)m->stat[t[3].offset + channel] + 1e-5);
}

double *dense_matrix(const struct model *m, const struct spectral_map *map)
{
    const struct arch_layer *l = map->layer;
    const float *w = m->param + m->tensor[m->layer_first_tensor[map->index]].offset;
    double *a = testing_alloc(map->n_out * map->n_in, sizeof(*a));
    double *y = testing_alloc(map->n_out, sizeof(*y));
    float *x = testing_alloc(map->n_in, sizeof(*x));
    for (size_t i = 0; i < map->n_in; i++) {
        x[i] = 1;
        if (l->kind == LAYER_CONV) {
            struct reference_conv c = {.n = 1,
                                       .in = l->in[0],
                                       .height = l->in[1],
                                       .width = l->in[2],
                                       .out = l->out[0],
                                       .kernel = l->kernel,
                                       .stride = l->stride,
                                       .pad = l->pad};
            reference_forward(&c, x, w, NULL, y);
        } else {
            for (size_t o = 0; o < map->n_out; o++)
                y[o] = (double)w[o * map->n_in + i];
        }
        for (size_t o = 0; o < map->n_out; o++)
            a[o * map->n_in + i] = y[o] * channel_scale(m, map, o / map->pixels);
        x[i] = 0;
    }
    free(x);
    free(y);
    return a;
}

/* Makes rows p and q of a orthogonal; whether they were not. */
static int rotate_rows(double *p, double *q, size_t n)
{
    double pp = 0, qq = 0, pq = 0;
    for (size_t i = 0; i < n; i++) {
        pp += p[i] * p[i];
        qq += q[i] * q[i];
        pq += p[i] * q[i];
    }
    if (fabs(pq) <= 1e-13 * sqrt(pp * qq))
        return 0;
    double theta = (qq - pp) / (2 * pq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t i = 0; i < n; i++) {
        double x = p[i];
        p[i] = c * x - s * q[i];
        q[i] = s * x + c * q[i];
    }
    return 1;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static double *transposed(const double *a, size_t rows, size_t cols)
{
    double *t = testing_alloc(rows * cols, sizeof(*t));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            t[c * rows + r] = a[r * cols + c];
    return t;
}

void dense_svd(double *a, size_t rows, size_t cols, double *value)
{
    if (rows > cols) {
        double *t = transposed(a, rows, cols);
        dense_svd(t, cols, rows, value);
        free(t);
        return;
    }
    for (int changed = 1, sweep = 0; changed && sweep < 60; sweep++) {
        changed = 0;
        for (size_t p = 0; p < rows; p++)
            for (size_t q = p + 1; q < rows; q++)
                changed |= rotate_rows(a + p * cols, a + q * cols, cols);
    }
    for (size_t r = 0; r < rows; r++) {
        value[r] = 0;
        for (size_t c = 0; c < cols; c++)
            value[r] += a[r * cols + c] * a[r * cols + c];
        value[r] = sqrt(value[r]);
    }
    qsort(value, rows, sizeof(*value), descending);
}

double dense_norm(const struct model *m, const struct spectral_map *map)
{
    double *a = dense_matrix(m, map);
    double *value = testing_alloc(map->n_in + map->n_out, sizeof(*value));
    dense_svd(a, map->n_out, map->n_in, value);
    double norm = value[0];
    free(a);
    free(value);
    return norm;
}
