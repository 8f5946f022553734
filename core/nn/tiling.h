/* tiling.h: how a convolution is cut into tiles, and where the parts of its
 * transformed operands lie.
 *
 * A tile of outputs (out_edge x out_edge) is computed from a tile of inputs (in_edge x in_edge).
 * Its transform has `planes` numbers for each channel. In each plane the convolution is a matrix
 * product over channels (Winograd), or the sum over all planes is one (columns). */
#ifndef NN_TILING_H
#define NN_TILING_H

#include "net_internal.h"

struct tiling {
    const struct kernels *kernels;
    const struct tile_kernels *k;
    const struct arch_layer *l;
    bool winograd; /* else columns */
    /* Few tiles and many channels: each phase runs over the whole batch, so that filters are read
     * once; else one block of tiles goes through all phases while it is in the cache. */
    bool phased;
    uint32_t in_edge, out_edge;
    size_t in_pixels, out_pixels; /* of a tile */
    size_t planes, taps;
    size_t down, across; /* tiles of an image */
    size_t in_panels, out_panels;
};

/* Strides of transformed operands of so many tiles, in floats. A plane of inputs v holds
 * in_panels panels of (tiles, PANEL), a plane of outputs m out_panels; with columns m has one
 * plane for all. */
struct tile_layout {
    size_t panel, v_plane, m_plane, v_size, m_size;
};

/* Strides of transformed filters, for some panels of input or output channels. */
struct filter_layout {
    size_t panel, plane, size;
};

enum { TILING_MAX_KERNEL = 5, TILING_MAX_TAPS = 25 };

/* Whether tiles pay for this layer. */
bool tiling_serves(const struct kernels *k, const struct arch_layer *l);
/* ties: of the 2x2 outputs that a pooling window sees, those that see equal inputs are equal. */
struct tiling tiling_of(const struct kernels *k, const struct arch_layer *l, bool ties);
struct tile_layout tile_layout_of(const struct tiling *t, size_t tiles);

/* The forward pass reads [plane][output panel][inputs][PANEL], columns with the plane inside the
 * output panel. */
struct filter_layout filters_forward(const struct tiling *t, size_t out_panels);
/* The input gradient reads [plane][input panel][outputs][PANEL]. */
struct filter_layout filters_backward(const struct tiling *t, size_t in_panels);
/* The filters' gradient is [plane][output panel][inputs of some panels][PANEL]. */
struct filter_layout filters_gradient(const struct tiling *t, size_t in_panels);

/* Transforms w (O, I, K, K) for output panel p, or for input panel p. */
void tiling_filter(const struct tiling *t, const float *w, size_t p, const struct filter_layout *f,
                   float *to);
void tiling_filter_back(const struct tiling *t, const float *w, size_t p,
                        const struct filter_layout *f, float *to);
/* grad (O, I, K, K) += the transform's adjoint of the sum of `groups` gradients, `f->size` apart,
 * for output panel p and the input panels [first, first + n). */
void tiling_filter_gradient(const struct tiling *t, const float *from, size_t groups,
                            const struct filter_layout *f, size_t p, size_t first, size_t n,
                            float *grad);

/* Tiles [first, first + n) of the batch. */
struct tile_range {
    size_t first, n;
};

/* Pointers to the tiles' pixels in a batch of images: inputs (n, in_pixels), outputs (n,
 * out_pixels). Pixels beyond the map point to `beyond`. */
void tiling_inputs(const struct tiling *t, const struct tile_range *r, const float *x,
                   const float *beyond, float **at);
void tiling_outputs(const struct tiling *t, const struct tile_range *r, const float *y,
                    const float *beyond, float **at);

static inline size_t tiling_per_image(const struct tiling *t)
{
    return t->down * t->across;
}

/* Channels of panel p of `channels`. */
static inline unsigned panel_lanes(size_t channels, size_t p)
{
    size_t left = channels - p * PANEL;
    return left < PANEL ? (unsigned)left : PANEL;
}

#endif
