/* tile_kernels.c: Winograd transforms of tiles and filters, VL channels at a time.
 *
 * F(m x m, 3x3) evaluates polynomials at the points 0, +-a, +-b and infinity (m = 4) or 0, +-1
 * and infinity (m = 2). a = 3/4 and b = 3/2 have half the rounding error of the usual 1 and 2.
 * With M(x) the product of (x - p) over the finite points, row p of B^T holds the coefficients
 * of M(x) / (x - p), and G divides by that polynomial's value at p (Lavin & Gray 2016; Barabasz
 * et al. 2020 for the choice of points). Backward passes use the adjoint matrices. Compiled with
 * fused multiply-adds where the class has them. */
#include <string.h>

#include "vector.h"

enum { PV = PANEL / VL };

/* Which matrix a line of numbers is multiplied with. */
enum matrix { INPUT, OUTPUT, INPUT_ADJOINT, OUTPUT_ADJOINT, FILTER, FILTER_ADJOINT };

static const float A1 = 0.75F, B1 = 1.5F;
static const float A2 = 0.5625F, B2 = 2.25F; /* squares */
static const float A3 = 0.421875F, B3 = 3.375F;
static const float SUM2 = 2.8125F, PRODUCT2 = 1.265625F; /* a2 + b2, a2 b2 */
/* 1 / (M(x) / (x - p) at p) for 0, +-a, +-b */
static const float N0 = 1 / 1.265625F, NA = -1 / 1.8984375F, NB = 1 / 7.59375F;

VECTOR_INLINE void input_4(const vf *d, vf *v)
{
    vf ae = d[4] - B2 * d[2], ao = A1 * (d[3] - B2 * d[1]);
    vf be = d[4] - A2 * d[2], bo = B1 * (d[3] - A2 * d[1]);
    v[0] = PRODUCT2 * d[0] + (d[4] - SUM2 * d[2]);
    v[1] = ae + ao;
    v[2] = ae - ao;
    v[3] = be + bo;
    v[4] = be - bo;
    v[5] = PRODUCT2 * d[1] + (d[5] - SUM2 * d[3]);
}

VECTOR_INLINE void input_adjoint_4(const vf *v, vf *d)
{
    vf ap = v[1] + v[2], am = A1 * (v[1] - v[2]);
    vf bp = v[3] + v[4], bm = B1 * (v[3] - v[4]);
    d[0] = PRODUCT2 * v[0];
    d[1] = PRODUCT2 * v[5] - (B2 * am + A2 * bm);
    d[2] = -SUM2 * v[0] - (B2 * ap + A2 * bp);
    d[3] = (am + bm) - SUM2 * v[5];
    d[4] = v[0] + (ap + bp);
    d[5] = v[5];
}

VECTOR_INLINE void output_4(const vf *m, vf *y)
{
    vf ap = m[1] + m[2], am = m[1] - m[2], bp = m[3] + m[4], bm = m[3] - m[4];
    y[0] = m[0] + (ap + bp);
    y[1] = A1 * am + B1 * bm;
    y[2] = A2 * ap + B2 * bp;
    y[3] = A3 * am + (B3 * bm + m[5]);
}

VECTOR_INLINE void output_adjoint_4(const vf *y, vf *m)
{
    vf ae = y[0] + A2 * y[2], ao = A1 * y[1] + A3 * y[3];
    vf be = y[0] + B2 * y[2], bo = B1 * y[1] + B3 * y[3];
    m[0] = y[0];
    m[1] = ae + ao;
    m[2] = ae - ao;
    m[3] = be + bo;
    m[4] = be - bo;
    m[5] = y[3];
}

VECTOR_INLINE void filter_4(const vf *g, vf *u)
{
    vf ae = NA * (g[0] + A2 * g[2]), ao = (NA * A1) * g[1];
    vf be = NB * (g[0] + B2 * g[2]), bo = (NB * B1) * g[1];
    u[0] = N0 * g[0];
    u[1] = ae + ao;
    u[2] = ae - ao;
    u[3] = be + bo;
    u[4] = be - bo;
    u[5] = g[2];
}

VECTOR_INLINE void filter_adjoint_4(const vf *u, vf *g)
{
    vf ap = NA * (u[1] + u[2]), am = (NA * A1) * (u[1] - u[2]);
    vf bp = NB * (u[3] + u[4]), bm = (NB * B1) * (u[3] - u[4]);
    g[0] = N0 * u[0] + (ap + bp);
    g[1] = am + bm;
    g[2] = A2 * ap + (B2 * bp + u[5]);
}

VECTOR_INLINE void input_2(const vf *d, vf *v)
{
    v[0] = d[2] - d[0];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
}

VECTOR_INLINE void input_adjoint_2(const vf *v, vf *d)
{
    d[0] = -v[0];
    d[1] = (v[1] - v[2]) - v[3];
    d[2] = v[0] + (v[1] + v[2]);
    d[3] = v[3];
}

VECTOR_INLINE void output_2(const vf *m, vf *y)
{
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
}

VECTOR_INLINE void output_adjoint_2(const vf *y, vf *m)
{
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = y[0] - y[1];
    m[3] = y[1];
}

VECTOR_INLINE void filter_2(const vf *g, vf *u)
{
    vf e = 0.5F * (g[0] + g[2]), o = 0.5F * g[1];
    u[0] = -g[0];
    u[1] = e + o;
    u[2] = e - o;
    u[3] = g[2];
}

VECTOR_INLINE void filter_adjoint_2(const vf *u, vf *g)
{
    vf p = 0.5F * (u[1] + u[2]);
    g[0] = p - u[0];
    g[1] = 0.5F * (u[1] - u[2]);
    g[2] = p + u[3];
}

/* m and the matrix are constants: one call remains of all these. */
VECTOR_INLINE void line(const unsigned m, const enum matrix matrix, const vf *from, vf *to)
{
    if (matrix == INPUT)
        m == 4 ? input_4(from, to) : input_2(from, to);
    else if (matrix == INPUT_ADJOINT)
        m == 4 ? input_adjoint_4(from, to) : input_adjoint_2(from, to);
    else if (matrix == OUTPUT)
        m == 4 ? output_4(from, to) : output_2(from, to);
    else if (matrix == OUTPUT_ADJOINT)
        m == 4 ? output_adjoint_4(from, to) : output_adjoint_2(from, to);
    else if (matrix == FILTER)
        m == 4 ? filter_4(from, to) : filter_2(from, to);
    else
        m == 4 ? filter_adjoint_4(from, to) : filter_adjoint_2(from, to);
}

VECTOR_INLINE vf load_lanes(const float *p, unsigned lanes)
{
    vf v = {0};
    if (lanes >= VL)
        return *(const vf *)p;
    memcpy(&v, p, lanes * sizeof(float));
    return v;
}

VECTOR_INLINE void store_lanes(float *p, vf v, unsigned lanes)
{
    if (lanes >= VL)
        *(vf *)p = v;
    else
        memcpy(p, &v, lanes * sizeof(float));
}

/* Pixels (n_in, n_in) of one tile to planes (n_out, n_out). */
VECTOR_INLINE void square_from_pixels(const unsigned m, const enum matrix matrix, float *const *at,
                                      size_t channel, unsigned lanes, size_t plane, float *to)
{
    const unsigned n_in = matrix == INPUT ? m + 2 : m, n_out = m + 2;
    vf half[6][6];
    UNROLLED(j, n_in)
    {
        vf column[6], done[6];
        UNROLLED(i, n_in)
        {
            column[i] = load_lanes(at[i * n_in + j] + channel, lanes);
        }
        line(m, matrix, column, done);
        UNROLLED(i, n_out)
        {
            half[i][j] = done[i];
        }
    }
    UNROLLED(i, n_out)
    {
        vf row[6];
        line(m, matrix, half[i], row);
        UNROLLED(j, n_out)
        {
            *(vf *)(to + (i * n_out + j) * plane) = row[j];
        }
    }
}

/* Planes of one tile to pixels: + bias, or added to what is there. */
VECTOR_INLINE void square_to_pixels(const unsigned m, const enum matrix matrix, const float *from,
                                    size_t plane, vf bias, float *const *at, size_t channel,
                                    unsigned lanes)
{
    const unsigned n_in = m + 2, n_out = matrix == OUTPUT ? m : m + 2;
    vf half[6][6];
    UNROLLED(j, n_in)
    {
        vf column[6], done[6];
        UNROLLED(i, n_in)
        {
            column[i] = *(const vf *)(from + (i * n_in + j) * plane);
        }
        line(m, matrix, column, done);
        UNROLLED(i, n_out)
        {
            half[i][j] = done[i];
        }
    }
    UNROLLED(i, n_out)
    {
        vf row[6];
        line(m, matrix, half[i], row);
        UNROLLED(j, n_out)
        {
            float *p = at[i * n_out + j] + channel;
            vf before = matrix == OUTPUT ? bias : load_lanes(p, lanes);
            store_lanes(p, before + row[j], lanes);
        }
    }
}

/* Channels that exist among the VL from `first` on; 0 to VL. */
VECTOR_INLINE unsigned lanes_at(size_t channels, size_t first)
{
    return channels <= first ? 0 : channels - first < VL ? (unsigned)(channels - first) : VL;
}

/* Where the vector of channels from `first` on stands in a plane of tile 0. */
VECTOR_INLINE size_t vector_at(const struct tile_set *t, size_t first)
{
    return first / PANEL * t->panel + first % PANEL;
}

static void zero_planes(const struct tile_set *t, unsigned n, float *to)
{
    for (unsigned i = 0; i < n; i++)
        for (size_t k = 0; k < t->n; k++)
            memset(to + i * t->plane + k * PANEL, 0, VL * sizeof(float));
}

VECTOR_INLINE void all_from_pixels(const unsigned m, const enum matrix matrix,
                                   const struct tile_set *t, float *to)
{
    const unsigned n_in = matrix == INPUT ? m + 2 : m;
    for (size_t first = 0; first < (t->channels + PANEL - 1) / PANEL * PANEL; first += VL) {
        unsigned lanes = lanes_at(t->channels, first);
        float *here = to + vector_at(t, first);
        if (lanes == 0)
            zero_planes(t, (m + 2) * (m + 2), here);
        else if (lanes == VL)
            for (size_t k = 0; k < t->n; k++)
                square_from_pixels(m, matrix, t->at + k * n_in * n_in, first, VL, t->plane,
                                   here + k * PANEL);
        else
            for (size_t k = 0; k < t->n; k++)
                square_from_pixels(m, matrix, t->at + k * n_in * n_in, first, lanes, t->plane,
                                   here + k * PANEL);
    }
}

VECTOR_INLINE void all_to_pixels(const unsigned m, const enum matrix matrix,
                                 const struct tile_set *t, const float *from, const float *bias)
{
    const unsigned n_out = matrix == OUTPUT ? m : m + 2;
    for (size_t first = 0; first < t->channels; first += VL) {
        unsigned lanes = lanes_at(t->channels, first);
        const float *here = from + vector_at(t, first);
        vf b = {0};
        if (matrix == OUTPUT)
            b = *(const vf *)(bias + first);
        if (lanes == VL)
            for (size_t k = 0; k < t->n; k++)
                square_to_pixels(m, matrix, here + k * PANEL, t->plane, b,
                                 t->at + k * n_out * n_out, first, VL);
        else
            for (size_t k = 0; k < t->n; k++)
                square_to_pixels(m, matrix, here + k * PANEL, t->plane, b,
                                 t->at + k * n_out * n_out, first, lanes);
    }
}

/* A filter's square of lines: n_in x n_in to n_out x n_out. */
VECTOR_INLINE void filter_square(const unsigned m, const enum matrix matrix, const float *from,
                                 size_t from_step, float *to, size_t to_step)
{
    const unsigned n_in = matrix == FILTER ? 3 : m + 2, n_out = matrix == FILTER ? m + 2 : 3;
    for (unsigned v = 0; v < PV; v++, from += VL, to += VL) {
        vf half[6][6];
        UNROLLED(j, n_in)
        {
            vf column[6], done[6];
            UNROLLED(i, n_in)
            {
                column[i] = *(const vf *)(from + (i * n_in + j) * from_step);
            }
            line(m, matrix, column, done);
            UNROLLED(i, n_out)
            {
                half[i][j] = done[i];
            }
        }
        UNROLLED(i, n_out)
        {
            vf row[6];
            line(m, matrix, half[i], row);
            UNROLLED(j, n_out)
            {
                *(vf *)(to + (i * n_out + j) * to_step) = row[j];
            }
        }
    }
}

#define DEFINE_TRANSFORM(m)                                                                        \
    static void gather_##m(const struct tile_set *t, float *v)                                     \
    {                                                                                              \
        all_from_pixels(m, INPUT, t, v);                                                           \
    }                                                                                              \
    static void scatter_##m(const struct tile_set *t, const float *from, const float *bias)        \
    {                                                                                              \
        all_to_pixels(m, OUTPUT, t, from, bias);                                                   \
    }                                                                                              \
    static void gather_adjoint_##m(const struct tile_set *t, float *to)                            \
    {                                                                                              \
        all_from_pixels(m, OUTPUT_ADJOINT, t, to);                                                 \
    }                                                                                              \
    static void scatter_adjoint_##m(const struct tile_set *t, const float *v)                      \
    {                                                                                              \
        all_to_pixels(m, INPUT_ADJOINT, t, v, NULL);                                               \
    }                                                                                              \
    static void filters_##m(const float *taps, size_t n_taps, size_t plane, float *u)              \
    {                                                                                              \
        filter_square(m, FILTER, taps, PANEL, u, plane);                                           \
    }                                                                                              \
    static void filters_adjoint_##m(const float *u, size_t n_taps, size_t plane, float *taps)      \
    {                                                                                              \
        filter_square(m, FILTER_ADJOINT, u, plane, taps, PANEL);                                   \
    }                                                                                              \
    const struct tile_kernels KERNEL(tiles_##m) = {                                                \
        m,           gather_##m,         scatter_##m, gather_adjoint_##m, scatter_adjoint_##m,     \
        filters_##m, filters_adjoint_##m};
DEFINE_TRANSFORM(4)
DEFINE_TRANSFORM(2)

/* Columns: the planes are the taps that one output pixel sees, each pixel's channels together as
 * they lie in memory. */
static void gather_pixel(const struct tile_set *t, const float *from, float *to)
{
    size_t first = 0;
    for (; first + PANEL <= t->channels; first += PANEL, to += t->panel)
        for (unsigned v = 0; v < PANEL; v += VL)
            *(vf *)(to + v) = *(const vf *)(from + first + v);
    if (first == t->channels)
        return;
    memset(to, 0, PANEL * sizeof(float));
    memcpy(to, from + first, (t->channels - first) * sizeof(float));
}

static void gather_1(const struct tile_set *t, float *v)
{
    for (size_t k = 0; k < t->n; k++)
        for (size_t i = 0; i < t->pixels; i++)
            gather_pixel(t, t->at[k * t->pixels + i], v + i * t->plane + k * PANEL);
}

/* to = from + what `base` holds for each channel. */
static void add_pixel(const struct tile_set *t, const float *from, const float *base, float *to)
{
    size_t first = 0;
    for (; first + PANEL <= t->channels; first += PANEL, from += t->panel)
        for (unsigned v = 0; v < PANEL; v += VL)
            *(vf *)(to + first + v) = *(const vf *)(from + v) + *(const vf *)(base + first + v);
    for (; first < t->channels; first++, from++)
        to[first] = *from + base[first];
}

static void scatter_1(const struct tile_set *t, const float *m, const float *bias)
{
    for (size_t k = 0; k < t->n; k++)
        add_pixel(t, m + k * PANEL, bias, t->at[k]);
}

static void scatter_adjoint_1(const struct tile_set *t, const float *v)
{
    for (size_t k = 0; k < t->n; k++)
        for (size_t i = 0; i < t->pixels; i++) {
            float *to = t->at[k * t->pixels + i];
            add_pixel(t, v + i * t->plane + k * PANEL, to, to);
        }
}

static void filter_1(const float *taps, size_t n_taps, size_t plane, float *u)
{
    for (size_t i = 0; i < n_taps; i++)
        memcpy(u + i * plane, taps + i * PANEL, PANEL * sizeof(float));
}

static void filter_adjoint_1(const float *u, size_t n_taps, size_t plane, float *taps)
{
    for (size_t i = 0; i < n_taps; i++)
        memcpy(taps + i * PANEL, u + i * plane, PANEL * sizeof(float));
}

const struct tile_kernels KERNEL(tiles_1) = {
    1, gather_1, scatter_1, gather_1, scatter_adjoint_1, filter_1, filter_adjoint_1};
