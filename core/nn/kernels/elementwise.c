/* elementwise.c: everything but matrix products. Compiled without fused
 * multiply-adds, and with sums over fixed lanes, so all classes give equal bits.
 *
 * Channel kernels take VL channels at a time, pixels inside. The last channels
 * are read at full width (buffers have room behind them) and written in part. */
#include <math.h>
#include <string.h>

#include "vector.h"

/* Pixels summed in float before the sum is added to a double. */
enum { BLOCK = 64 };

static void relu(const float *x, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays NaN */
}

static void relu_grad(const float *y, const float *dy, size_t n, float *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] > 0 ? dy[i] : 0;
}

static void add(const float *x, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void add_scaled(const float *a, const float *b, float factor, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (a[i] + b[i]) * factor;
}

static void scale(const float *x, float factor, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * factor;
}

static double sum_squares(const float *x, size_t n)
{
    enum { LANES = 16 };
    double lane[LANES] = {0}, total = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t j = 0; i < n; i++, j++)
        lane[j] += (double)x[i] * (double)x[i];
    for (size_t j = 0; j < LANES; j++)
        total += lane[j];
    return total;
}

VECTOR_INLINE vf load(const float *p)
{
    return *(const vf *)p;
}

VECTOR_INLINE void store(float *p, vf v, unsigned lanes)
{
    if (lanes == VL)
        *(vf *)p = v;
    else
        memcpy(p, &v, lanes * sizeof(float));
}

VECTOR_INLINE void add_lanes(vf v, unsigned lanes, double *sum)
{
    for (unsigned l = 0; l < lanes; l++)
        sum[l] += (double)v[l];
}

/* Calls body(..., k, lanes) for the channels k.. of c, full vectors with a constant. */
#define FOR_CHANNELS(c, body, ...)                                                                 \
    do {                                                                                           \
        size_t k_ = 0;                                                                             \
        for (; k_ + VL <= (c); k_ += VL)                                                           \
            body(__VA_ARGS__, k_, VL);                                                             \
        if (k_ < (c))                                                                              \
            body(__VA_ARGS__, k_, (unsigned)((c)-k_));                                             \
    } while (0)

VECTOR_INLINE void sums_block(const float *x, size_t n, size_t c, double *sum, size_t k,
                              const unsigned lanes)
{
    vf s = {0};
    for (size_t i = 0; i < n; i++)
        s += load(x + i * c + k);
    add_lanes(s, lanes, sum + k);
}

static void channel_sums(const float *x, size_t n, size_t c, double *sum)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        FOR_CHANNELS(c, sums_block, x + at * c, m, c, sum);
    }
}

VECTOR_INLINE void moments_block(const float *x, size_t n, size_t c, const float *shift,
                                 double *sum, double *squares, size_t k, const unsigned lanes)
{
    vf s = {0}, q = {0}, s0 = load(shift + k);
    for (size_t i = 0; i < n; i++) {
        vf d = load(x + i * c + k) - s0;
        s += d;
        q += d * d;
    }
    add_lanes(s, lanes, sum + k);
    add_lanes(q, lanes, squares + k);
}

static void moments(const float *x, size_t n, size_t c, const float *shift, double *sum,
                    double *squares)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        FOR_CHANNELS(c, moments_block, x + at * c, m, c, shift, sum, squares);
    }
}

/* The coefficients of VL channels. */
struct map {
    vf mean, scale, beta;
};

VECTOR_INLINE struct map load_map(const struct affine *f, size_t k)
{
    return (struct map){load(f->mean + k), load(f->scale + k), load(f->beta + k)};
}

VECTOR_INLINE vf map_value(const struct map *m, vf z)
{
    return (z - m->mean) * m->scale + m->beta;
}

/* NaN stays NaN, as in PyTorch: a diverged run must show. */
VECTOR_INLINE vf positive_part(vf v)
{
    return keep_vf(~(v < 0), v);
}

VECTOR_INLINE void affine_block(const float *z, size_t n, size_t c, const struct affine *f,
                                const bool with_relu, float *y, size_t k, const unsigned lanes)
{
    struct map m = load_map(f, k);
    for (size_t i = 0; i < n; i++) {
        vf v = map_value(&m, load(z + i * c + k));
        store(y + i * c + k, with_relu ? positive_part(v) : v, lanes);
    }
}

static void affine(const float *z, size_t n, size_t c, const struct affine *f, float *y)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        if (f->relu)
            FOR_CHANNELS(c, affine_block, z + at * c, m, c, f, true, y + at * c);
        else
            FOR_CHANNELS(c, affine_block, z + at * c, m, c, f, false, y + at * c);
    }
}

/* The gradient in front of ReLU: dy where the map's value was positive. */
VECTOR_INLINE vf masked(const struct map *m, const bool with_relu, vf z, vf dy)
{
    return with_relu ? keep_vf(map_value(m, z) > 0, dy) : dy;
}

VECTOR_INLINE void affine_sums_block(const float *z, const float *dy, size_t n, size_t c,
                                     const struct affine *f, double *sum_g, double *sum_gz,
                                     size_t k, const unsigned lanes)
{
    struct map m = load_map(f, k);
    vf s = {0}, q = {0};
    for (size_t i = 0; i < n; i++) {
        vf v = load(z + i * c + k);
        vf g = masked(&m, f->relu, v, load(dy + i * c + k));
        s += g;
        q += g * (v - m.mean);
    }
    add_lanes(s, lanes, sum_g + k);
    add_lanes(q, lanes, sum_gz + k);
}

static void affine_sums(const float *z, const float *dy, size_t n, size_t c, const struct affine *f,
                        double *sum_g, double *sum_gz)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        FOR_CHANNELS(c, affine_sums_block, z + at * c, dy + at * c, m, c, f, sum_g, sum_gz);
    }
}

struct slope {
    vf a, b, c;
};

VECTOR_INLINE struct slope load_slope(const struct affine_grad *d, size_t k)
{
    return (struct slope){load(d->a + k), load(d->b + k), load(d->c + k)};
}

VECTOR_INLINE vf slope_value(const struct slope *s, vf g, vf centred)
{
    return (s->a * g + s->b * centred) + s->c;
}

VECTOR_INLINE void affine_grad_block(const float *z, const float *dy, size_t n, size_t c,
                                     const struct affine *f, const struct affine_grad *d, float *dz,
                                     size_t k, const unsigned lanes)
{
    struct map m = load_map(f, k);
    struct slope s = load_slope(d, k);
    for (size_t i = 0; i < n; i++) {
        vf v = load(z + i * c + k);
        vf g = masked(&m, f->relu, v, load(dy + i * c + k));
        store(dz + i * c + k, slope_value(&s, g, v - m.mean), lanes);
    }
}

static void affine_grad(const float *z, const float *dy, size_t n, size_t c, const struct affine *f,
                        const struct affine_grad *d, float *dz)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        FOR_CHANNELS(c, affine_grad_block, z + at * c, dy + at * c, m, c, f, d, dz + at * c);
    }
}

VECTOR_INLINE void join_block(const float *z, const float *s, size_t n, size_t c,
                              const struct affine *f, float factor, float *y, size_t k,
                              const unsigned lanes)
{
    struct map m = load_map(f, k);
    for (size_t i = 0; i < n; i++) {
        vf v = (map_value(&m, load(z + i * c + k)) + load(s + i * c + k)) * factor;
        store(y + i * c + k, f->relu ? positive_part(v) : v, lanes);
    }
}

static void affine_join(const float *z, const float *s, size_t n, size_t c, const struct affine *f,
                        float factor, float *y)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        FOR_CHANNELS(c, join_block, z + at * c, s + at * c, m, c, f, factor, y + at * c);
    }
}

VECTOR_INLINE void join_sums_block(const float *z, const float *y, const float *dy, size_t n,
                                   size_t c, const struct affine *f, float factor, float *g,
                                   double *sum_g, double *sum_gz, size_t k, const unsigned lanes)
{
    struct map m = load_map(f, k);
    vf s = {0}, q = {0};
    for (size_t i = 0; i < n; i++) {
        vf d = load(dy + i * c + k) * factor;
        d = f->relu ? keep_vf(load(y + i * c + k) > 0, d) : d;
        store(g + i * c + k, d, lanes);
        s += d;
        q += d * (load(z + i * c + k) - m.mean);
    }
    add_lanes(s, lanes, sum_g + k);
    add_lanes(q, lanes, sum_gz + k);
}

static void join_sums(const float *z, const float *y, const float *dy, size_t n, size_t c,
                      const struct affine *f, float factor, float *g, double *sum_g, double *sum_gz)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        FOR_CHANNELS(c, join_sums_block, z + at * c, y + at * c, dy + at * c, m, c, f, factor,
                     g + at * c, sum_g, sum_gz);
    }
}

/* Of two candidates the later one wins only when its value is larger or NaN, as in PyTorch. */
VECTOR_INLINE void challenge(const struct map *m, vf z, vf *value, vf *top)
{
    vf v = map_value(m, z);
    vi wins = (v > *value) | (v != v);
    *value = select_vf(wins, v, *value);
    *top = select_vf(wins, z, *top);
}

VECTOR_INLINE void pool_row(const float *z, size_t half_w, size_t row, size_t c,
                            const struct affine *f, float *y, float *top, size_t k,
                            const unsigned lanes)
{
    struct map m = load_map(f, k);
    for (size_t i = 0; i < half_w; i++, z += 2 * c) {
        vf best = load(z + k), value = map_value(&m, best);
        challenge(&m, load(z + c + k), &value, &best);
        challenge(&m, load(z + row + k), &value, &best);
        challenge(&m, load(z + row + c + k), &value, &best);
        store(y + i * c + k, f->relu ? positive_part(value) : value, lanes);
        if (top)
            store(top + i * c + k, best, lanes);
    }
}

static void affine_pool(const float *z, uint32_t h, uint32_t w, size_t c, const struct affine *f,
                        float *y, float *top)
{
    size_t half_w = w / 2, row = w * c;
    for (uint32_t i = 0; i < h / 2; i++) {
        FOR_CHANNELS(c, pool_row, z, half_w, row, c, f, y, top);
        z += 2 * row;
        y += half_w * c;
        top = top ? top + half_w * c : NULL;
    }
}

/* One of a window's four: takes the gradient if it is the first to equal the winner. */
VECTOR_INLINE void settle(const float *z, const struct map *m, const struct slope *s, vf top, vf g,
                          vi *open, float *dz, unsigned lanes)
{
    vf v = load(z);
    vi mine = (v == top) & *open;
    *open &= ~mine;
    store(dz, slope_value(s, keep_vf(mine, g), v - m->mean), lanes);
}

VECTOR_INLINE void pool_grad_row(const float *z, const float *top, const float *dy, size_t half_w,
                                 size_t row, size_t c, const struct affine *f,
                                 const struct affine_grad *d, float *dz, size_t k,
                                 const unsigned lanes)
{
    struct map m = load_map(f, k);
    struct slope s = load_slope(d, k);
    z += k;
    dz += k;
    for (size_t i = 0; i < half_w; i++, z += 2 * c, dz += 2 * c) {
        vf t = load(top + i * c + k);
        vf g = masked(&m, f->relu, t, load(dy + i * c + k));
        vi open = t == t;
        settle(z, &m, &s, t, g, &open, dz, lanes);
        settle(z + c, &m, &s, t, g, &open, dz + c, lanes);
        settle(z + row, &m, &s, t, g, &open, dz + row, lanes);
        settle(z + row + c, &m, &s, t, g, &open, dz + row + c, lanes);
    }
}

static void affine_pool_grad(const float *z, const float *top, const float *dy, uint32_t h,
                             uint32_t w, size_t c, const struct affine *f,
                             const struct affine_grad *d, float *dz)
{
    size_t half_w = w / 2, row = w * c;
    for (uint32_t i = 0; i < h / 2; i++) {
        FOR_CHANNELS(c, pool_grad_row, z, top, dy, half_w, row, c, f, d, dz);
        z += 2 * row;
        dz += 2 * row;
        top += half_w * c;
        dy += half_w * c;
    }
}

typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));

/* m[i][j] becomes m[j][i]. */
VECTOR_INLINE void transpose_4x4(v4 m[4])
{
    v4 a = __builtin_shufflevector(m[0], m[1], 0, 4, 1, 5);
    v4 b = __builtin_shufflevector(m[2], m[3], 0, 4, 1, 5);
    v4 c = __builtin_shufflevector(m[0], m[1], 2, 6, 3, 7);
    v4 d = __builtin_shufflevector(m[2], m[3], 2, 6, 3, 7);
    m[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    m[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    m[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    m[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

static void interleave_edges(const float *rows, size_t step, unsigned lanes, size_t n, float *to)
{
    unsigned fours = lanes / 4 * 4;
    for (size_t i = n / 4 * 4; i < n; i++)
        for (unsigned l = 0; l < fours; l++)
            to[i * PANEL + l] = rows[l * step + i];
    for (size_t i = 0; i < n; i++)
        for (unsigned l = fours; l < PANEL; l++)
            to[i * PANEL + l] = l < lanes ? rows[l * step + i] : 0;
}

static void interleave(const float *rows, size_t step, unsigned lanes, size_t n, float *to)
{
    for (size_t i = 0; i + 4 <= n; i += 4)
        for (unsigned l = 0; l + 4 <= lanes; l += 4) {
            v4 m[4];
            for (unsigned k = 0; k < 4; k++)
                m[k] = *(const v4 *)(rows + (l + k) * step + i);
            transpose_4x4(m);
            for (unsigned k = 0; k < 4; k++)
                *(v4 *)(to + (i + k) * PANEL + l) = m[k];
        }
    interleave_edges(rows, step, lanes, n, to);
}

static void separate_add(const float *from, unsigned lanes, size_t n, float *rows, size_t step)
{
    unsigned fours = lanes / 4 * 4;
    for (unsigned l = 0; l < fours; l += 4)
        for (size_t i = 0; i + 4 <= n; i += 4) {
            v4 m[4];
            for (unsigned k = 0; k < 4; k++)
                m[k] = *(const v4 *)(from + (i + k) * PANEL + l);
            transpose_4x4(m);
            for (unsigned k = 0; k < 4; k++)
                *(v4 *)(rows + (l + k) * step + i) += m[k];
        }
    for (unsigned l = 0; l < lanes; l++)
        for (size_t i = l < fours ? n / 4 * 4 : 0; i < n; i++)
            rows[l * step + i] += from[i * PANEL + l];
}

/* torch.optim.SGD: g += wd p; v = momentum v + g; p -= lr v. */
static void sgd(const struct sgd_step *s, size_t n, float *param, float *grad, float *velocity)
{
    const float lr = s->lr, wd = s->weight_decay, mu = s->momentum, gs = s->grad_scale;
    if (!velocity) {
        for (size_t i = 0; i < n; i++) {
            param[i] -= lr * (grad[i] * gs + wd * param[i]);
            grad[i] = 0;
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float v = mu * velocity[i] + (grad[i] * gs + wd * param[i]);
        velocity[i] = v;
        param[i] -= lr * v;
        grad[i] = 0;
    }
}

/* torch.optim.Adam and AdamW; Kingma & Ba 2015, algorithm 1. */
static void adam(const struct adam_step *s, size_t n, float *param, float *grad, float *m, float *v)
{
    const float b1 = s->beta1, b2 = s->beta2, r1 = s->rest1, r2 = s->rest2, wd = s->weight_decay,
                gs = s->grad_scale;
    for (size_t i = 0; i < n; i++) {
        float p = param[i] * s->decay, g = grad[i] * gs + wd * p;
        m[i] = b1 * m[i] + r1 * g;
        v[i] = b2 * v[i] + r2 * g * g;
        param[i] = p - s->step_size * (m[i] / (sqrtf(v[i]) / s->root_correction + s->eps));
        grad[i] = 0;
    }
}

const struct kernels KERNEL(kernels) = {
    .name = KERNEL_NAME,
    .conv_panel = KERNEL(conv_panel),
    .conv_panel_grad = KERNEL(conv_panel_grad),
    .product = KERNEL(product),
    .product_adjoint = KERNEL(product_adjoint),
    .interleave = interleave,
    .separate_add = separate_add,
    .tiles_4 = &KERNEL(tiles_4),
    .tiles_2 = &KERNEL(tiles_2),
    .tiles_1 = &KERNEL(tiles_1),
    .relu = relu,
    .relu_grad = relu_grad,
    .add = add,
    .add_scaled = add_scaled,
    .scale = scale,
    .sum_squares = sum_squares,
    .channel_sums = channel_sums,
    .moments = moments,
    .affine = affine,
    .affine_sums = affine_sums,
    .affine_grad = affine_grad,
    .affine_join = affine_join,
    .join_sums = join_sums,
    .affine_pool = affine_pool,
    .affine_pool_grad = affine_pool_grad,
    .sgd = sgd,
    .adam = adam,
};
