/* tiling.c: geometry of tiles and the transforms of filters. */
#include "tiling.h"

#include <string.h>

/* Transformed filters above this do not stay in a second-level cache beside the tiles. */
enum { PHASED_FILTER_BYTES = 4 << 20, PHASED_TILES = 16 };
enum { MAX_PLANES = 36, MIN_CHANNELS = 16 };

static size_t ceiling(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static bool is_winograd(const struct arch_layer *l)
{
    return l->kernel == 3 && l->stride == 1;
}

bool tiling_serves(const struct kernels *k, const struct arch_layer *l)
{
    if (l->in[0] < MIN_CHANNELS || l->out[0] < MIN_CHANNELS)
        return false;
    return l->kernel <= TILING_MAX_KERNEL;
}

/* Products that F(m x m) needs for an image and a pair of channels. */
static size_t winograd_products(const struct arch_layer *l, size_t m)
{
    return (m + 2) * (m + 2) * ceiling(l->out[1], m) * ceiling(l->out[2], m);
}

struct tiling tiling_of(const struct kernels *k, const struct arch_layer *l, bool ties)
{
    /* A linear layer is a 1x1 convolution of a 1x1 map. */
    uint32_t kernel = l->kind == LAYER_LINEAR ? 1 : l->kernel;
    struct tiling t = {
        .kernels = k, .l = l, .winograd = is_winograd(l), .taps = (size_t)kernel * kernel};
    t.k = !t.winograd                                                  ? k->tiles_1
          : ties || winograd_products(l, 2) <= winograd_products(l, 4) ? k->tiles_2
                                                                       : k->tiles_4;
    t.out_edge = t.k->out;
    t.in_edge = t.out_edge - 1 + kernel;
    t.in_pixels = (size_t)t.in_edge * t.in_edge;
    t.out_pixels = (size_t)t.out_edge * t.out_edge;
    t.planes = t.in_pixels;
    t.down = ceiling(l->out[1], t.out_edge);
    t.across = ceiling(l->out[2], t.out_edge);
    t.in_panels = panels(l->in[0]);
    t.out_panels = panels(l->out[0]);
    size_t bytes = t.planes * t.in_panels * t.out_panels * PANEL * PANEL * sizeof(float);
    t.phased = l->kind == LAYER_LINEAR;
    t.phased |= bytes > PHASED_FILTER_BYTES && tiling_per_image(&t) <= PHASED_TILES;
    return t;
}

/* One panel's and one plane's worth of padding keep strides off powers of two, where lines of
 * several panels would share a cache set. */
struct tile_layout tile_layout_of(const struct tiling *t, size_t tiles)
{
    struct tile_layout y = {.panel = (tiles + 1) * PANEL};
    size_t m = t->out_panels * y.panel + PANEL;
    y.v_plane = t->in_panels * y.panel + (t->winograd ? PANEL : 0);
    y.v_size = t->planes * y.v_plane;
    y.m_plane = t->winograd ? m : 0;
    y.m_size = t->winograd ? t->planes * m : m;
    return y;
}

struct filter_layout filters_forward(const struct tiling *t, size_t out_panels)
{
    size_t inputs = t->in_panels * PANEL * PANEL;
    struct filter_layout f = {.panel = inputs, .plane = out_panels * inputs + PANEL};
    if (!t->winograd)
        f = (struct filter_layout){.panel = t->planes * inputs, .plane = inputs};
    f.size = t->winograd ? t->planes * f.plane : out_panels * f.panel;
    return f;
}

struct filter_layout filters_backward(const struct tiling *t, size_t in_panels)
{
    size_t panel = t->out_panels * PANEL * PANEL, plane = in_panels * panel + PANEL;
    return (struct filter_layout){.panel = panel, .plane = plane, .size = t->planes * plane};
}

struct filter_layout filters_gradient(const struct tiling *t, size_t in_panels)
{
    size_t panel = in_panels * PANEL * PANEL, plane = t->out_panels * panel + PANEL;
    return (struct filter_layout){.panel = panel, .plane = plane, .size = t->planes * plane};
}

/* Inputs whose taps are brought into lanes, or back, together. */
enum { CHUNK = 16, CHUNK_FLOATS = CHUNK * TILING_MAX_TAPS * PANEL };

void tiling_filter(const struct tiling *t, const float *w, size_t p, const struct filter_layout *f,
                   float *to)
{
    size_t n_in = t->l->in[0], row = n_in * t->taps, size = t->taps * PANEL;
    unsigned lanes = panel_lanes(t->l->out[0], p);
    float taps[CHUNK_FLOATS];
    w += p * PANEL * row;
    for (size_t first = 0; first < t->in_panels * PANEL; first += CHUNK) {
        size_t n = n_in - first < CHUNK ? n_in - first : CHUNK;
        float *here = t->taps == 1 ? to + first * PANEL : taps;
        t->kernels->interleave(w + first * t->taps, row, lanes, n * t->taps, here);
        memset(here + n * size, 0, (CHUNK - n) * size * sizeof(float));
        for (size_t c = 0; t->taps > 1 && c < CHUNK; c++)
            t->k->filter(taps + c * size, t->taps, f->plane, to + (first + c) * PANEL);
    }
}

/* Without a window, inputs lie side by side as they should. */
static void copy_back(const struct tiling *t, const float *w, size_t p, float *to)
{
    size_t n_in = t->l->in[0], n_out = t->l->out[0];
    unsigned lanes = panel_lanes(n_in, p);
    memset(to, 0, t->out_panels * PANEL * PANEL * sizeof(float));
    for (size_t o = 0; o < n_out; o++)
        memcpy(to + o * PANEL, w + o * n_in + p * PANEL, lanes * sizeof(float));
}

void tiling_filter_back(const struct tiling *t, const float *w, size_t p,
                        const struct filter_layout *f, float *to)
{
    size_t n_out = t->l->out[0], row = t->l->in[0] * t->taps;
    unsigned lanes = panel_lanes(t->l->in[0], p);
    float taps[TILING_MAX_TAPS * PANEL];
    if (t->taps == 1) {
        copy_back(t, w, p, to);
        return;
    }
    for (size_t o = 0; o < t->out_panels * PANEL; o++) {
        t->kernels->interleave(w + (o < n_out ? o * row + p * PANEL * t->taps : 0), t->taps,
                               o < n_out ? lanes : 0, t->taps, taps);
        t->k->filter(taps, t->taps, f->plane, to + o * PANEL);
    }
}

/* sum (planes, PANEL) over the groups, in order. */
static void sum_groups(const struct tiling *t, const float *from, size_t groups,
                       const struct filter_layout *f, float *sum)
{
    for (size_t i = 0; i < t->planes; i++)
        memcpy(sum + i * PANEL, from + i * f->plane, PANEL * sizeof(float));
    for (size_t g = 1; g < groups; g++)
        for (size_t i = 0; i < t->planes; i++)
            for (size_t l = 0; l < PANEL; l++)
                sum[i * PANEL + l] += from[g * f->size + i * f->plane + l];
}

void tiling_filter_gradient(const struct tiling *t, const float *from, size_t groups,
                            const struct filter_layout *f, size_t p, size_t first, size_t n,
                            float *grad)
{
    size_t n_in = t->l->in[0], row = n_in * t->taps, end = (first + n) * PANEL;
    unsigned lanes = panel_lanes(t->l->out[0], p);
    float sum[MAX_PLANES * PANEL], taps[CHUNK_FLOATS];
    from += p * f->panel;
    grad += p * PANEL * row;
    end = end < n_in ? end : n_in;
    for (size_t at = first * PANEL; at < end; at += CHUNK) {
        size_t here = end - at < CHUNK ? end - at : CHUNK;
        for (size_t c = 0; c < here; c++, from += PANEL) {
            sum_groups(t, from, groups, f, sum);
            t->k->filter_adjoint(sum, t->taps, PANEL, taps + c * t->taps * PANEL);
        }
        t->kernels->separate_add(taps, lanes, here * t->taps, grad + at * t->taps, row);
    }
}

/* A square of pixels at (top, left) of an image (H, W, C). */
static void point_square(const uint32_t shape[3], const float *image, ptrdiff_t top, ptrdiff_t left,
                         size_t edge, const float *beyond, float **at)
{
    const ptrdiff_t h = shape[1], w = shape[2], c = shape[0];
    for (ptrdiff_t y = top; y < top + (ptrdiff_t)edge; y++) {
        const float *row = image + y * w * c;
        bool inside = y >= 0 && y < h;
        for (ptrdiff_t x = left; x < left + (ptrdiff_t)edge; x++)
            *at++ = (float *)(inside && x >= 0 && x < w ? row + x * c : beyond);
    }
}

struct squares {
    const uint32_t *shape;
    const float *base, *beyond;
    size_t edge, step, pad; /* step: pixels from a tile to the next */
};

static void point_tiles(const struct tiling *t, const struct tile_range *r, const struct squares *s,
                        float **at)
{
    size_t image_size = (size_t)s->shape[0] * s->shape[1] * s->shape[2];
    size_t image = r->first / tiling_per_image(t), tile = r->first % tiling_per_image(t);
    size_t row = tile / t->across, column = tile % t->across;
    for (size_t i = 0; i < r->n; i++, at += s->edge * s->edge) {
        point_square(s->shape, s->base + image * image_size,
                     (ptrdiff_t)(row * s->step) - (ptrdiff_t)s->pad,
                     (ptrdiff_t)(column * s->step) - (ptrdiff_t)s->pad, s->edge, s->beyond, at);
        if (++column < t->across)
            continue;
        column = 0;
        if (++row < t->down)
            continue;
        row = 0;
        image++;
    }
}

void tiling_inputs(const struct tiling *t, const struct tile_range *r, const float *x,
                   const float *beyond, float **at)
{
    struct squares s = {.shape = t->l->in,
                        .base = x,
                        .beyond = beyond,
                        .edge = t->in_edge,
                        .step = (size_t)t->out_edge * t->l->stride,
                        .pad = t->l->pad};
    point_tiles(t, r, &s, at);
}

void tiling_outputs(const struct tiling *t, const struct tile_range *r, const float *y,
                    const float *beyond, float **at)
{
    struct squares s = {
        .shape = t->l->out, .base = y, .beyond = beyond, .edge = t->out_edge, .step = t->out_edge};
    point_tiles(t, r, &s, at);
}
