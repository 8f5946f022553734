/* conv_kernels.c: direct convolution by register tiles. A tile holds T pixels
 * (or T taps) times one panel of output channels in registers; inputs are
 * broadcast from where they lie, so nothing is copied into columns. Compiled
 * with fused multiply-adds where the class has them. */
#include <string.h>

#include "vector.h"

enum { PV = PANEL / VL };

#if VL == 16
enum { TILE = 14 };
#define FOR_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif VL == 8
enum { TILE = 6 };
#define FOR_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
enum { TILE = 3 };
#define FOR_TILES(X) X(1) X(2) X(3)
#endif

/* y[t] = bias + sum over the window of x[t ...] w, for T neighbouring outputs. */
VECTOR_INLINE void conv_tile(const unsigned T, const struct conv_window *g, const float *x,
                             const float *w, const float *bias, float *y, unsigned lanes)
{
    vf acc[TILE][PV];
    const size_t step = g->x_step, run = g->run;
    UNROLLED(t, T)
    {
        UNROLLED(v, PV)
        {
            acc[t][v] = *(const vf *)(bias + v * VL);
        }
    }
    for (uint32_t r = 0; r < g->rows; r++, x += g->x_row)
        for (size_t q = 0; q < run; q++, w += PANEL) {
            UNROLLED(t, T)
            {
                UNROLLED(v, PV)
                {
                    acc[t][v] += x[t * step + q] * *(const vf *)(w + v * VL);
                }
            }
        }
    UNROLLED(t, T)
    {
        float whole[PANEL], *to = y + t * g->y_step;
        UNROLLED(v, PV)
        {
            *(vf *)(lanes == PANEL ? to + v * VL : whole + v * VL) = acc[t][v];
        }
        if (lanes < PANEL)
            memcpy(to, whole, lanes * sizeof(float));
    }
}

/* dw[t] += sum over pixels of x[t ...] dy, for T neighbouring taps. */
VECTOR_INLINE void grad_tile(const unsigned T, const struct conv_window *g, const float *x,
                             const float *dy, float *dw)
{
    vf acc[TILE][PV];
    UNROLLED(t, T)
    {
        UNROLLED(v, PV)
        {
            acc[t][v] = (vf){0};
        }
    }
    for (uint32_t h = 0; h < g->out_h; h++, x += g->x_down) {
        const float *at = x;
        for (uint32_t w = 0; w < g->out_w; w++, at += g->x_step, dy += g->y_step) {
            UNROLLED(t, T)
            {
                UNROLLED(v, PV)
                {
                    acc[t][v] += at[t] * *(const vf *)(dy + v * VL);
                }
            }
        }
    }
    UNROLLED(t, T)
    {
        UNROLLED(v, PV)
        {
            *(vf *)(dw + t * PANEL + v * VL) += acc[t][v];
        }
    }
}

typedef void conv_tile_fn(const struct conv_window *g, const float *x, const float *w,
                          const float *bias, float *y, unsigned lanes);
typedef void grad_tile_fn(const struct conv_window *g, const float *x, const float *dy, float *dw);

/* Whole panels get a copy of their own, without the partial stores. */
#define DEFINE_TILES(T)                                                                            \
    static void conv_tile_##T(const struct conv_window *g, const float *x, const float *w,         \
                              const float *bias, float *y, unsigned lanes)                         \
    {                                                                                              \
        if (lanes == PANEL)                                                                        \
            conv_tile(T, g, x, w, bias, y, PANEL);                                                 \
        else                                                                                       \
            conv_tile(T, g, x, w, bias, y, lanes);                                                 \
    }                                                                                              \
    static void grad_tile_##T(const struct conv_window *g, const float *x, const float *dy,        \
                              float *dw)                                                           \
    {                                                                                              \
        grad_tile(T, g, x, dy, dw);                                                                \
    }
FOR_TILES(DEFINE_TILES)

#define CONV_TILE_ENTRY(T) conv_tile_##T,
#define GRAD_TILE_ENTRY(T) grad_tile_##T,
static conv_tile_fn *const conv_tiles[] = {NULL, FOR_TILES(CONV_TILE_ENTRY)};
static grad_tile_fn *const grad_tiles[] = {NULL, FOR_TILES(GRAD_TILE_ENTRY)};

/* The first parts of n split evenly into pieces of at most TILE. */
static uint32_t even_part(uint32_t left)
{
    uint32_t pieces = (left + TILE - 1) / TILE;
    return (left + pieces - 1) / pieces;
}

void KERNEL(conv_panel)(const struct conv_window *g, const float *x, const float *w,
                        const float *bias, float *y, unsigned lanes)
{
    for (uint32_t h = 0; h < g->out_h; h++, x += g->x_down)
        for (uint32_t at = 0, n; at < g->out_w; at += n, y += n * g->y_step) {
            n = even_part(g->out_w - at);
            conv_tiles[n](g, x + at * g->x_step, w, bias, y, lanes);
        }
}

void KERNEL(conv_panel_grad)(const struct conv_window *g, const float *x, const float *dy,
                             float *dw)
{
    for (uint32_t r = 0; r < g->rows; r++, x += g->x_row)
        for (uint32_t at = 0, n; at < g->run; at += n, dw += n * PANEL) {
            n = even_part(g->run - at);
            grad_tiles[n](g, x + at, dy, dw);
        }
}
