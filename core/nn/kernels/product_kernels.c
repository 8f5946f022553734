/* product_kernels.c: matrix products over operands in panels of PANEL lanes, by
 * register tiles. The broadcast operand has a fixed row stride of PANEL floats, so that rows are
 * immediates; nothing is packed here. Compiled with fused multiply-adds where the class has
 * them. Every sum runs in the order of its inner index, whatever the tile. */
#include "vector.h"

enum { PV = PANEL / VL };

#if VL == 16
enum { ROWS = 14, WIDE = 2, CHANNELS = 8 };
#define FOR_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif VL == 8
enum { ROWS = 6, WIDE = 1, CHANNELS = 4 };
#define FOR_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
enum { ROWS = 3, WIDE = 1, CHANNELS = 2 };
#define FOR_ROWS(X) X(1) X(2) X(3)
#endif

/* c[t] = sum over inner of a[t] b, for T rows and P panels of columns. */
VECTOR_INLINE void product_tile(const unsigned T, const unsigned P, const struct product *g,
                                const float *a, const float *b, float *c)
{
    vf acc[ROWS][WIDE * PV];
    UNROLLED(t, T)
    {
        UNROLLED(v, P * PV)
        {
            acc[t][v] = (vf){0};
        }
    }
    for (size_t p = 0; p < g->inner; p++, a += g->a_panel)
        for (size_t q = 0; q < PANEL; q++, b += PANEL) {
            vf w[WIDE * PV];
            UNROLLED(v, P * PV)
            {
                w[v] = *(const vf *)(b + v / PV * g->b_panel + v % PV * VL);
            }
            UNROLLED(t, T)
            {
                UNROLLED(v, P * PV)
                {
                    acc[t][v] += a[t * PANEL + q] * w[v];
                }
            }
        }
    UNROLLED(t, T)
    {
        UNROLLED(v, P * PV)
        {
            *(vf *)(c + v / PV * g->c_panel + t * PANEL + v % PV * VL) = acc[t][v];
        }
    }
}

typedef void product_tile_fn(const struct product *g, const float *a, const float *b, float *c);

#define DEFINE_TILES(T)                                                                            \
    static void product_one_##T(const struct product *g, const float *a, const float *b, float *c) \
    {                                                                                              \
        product_tile(T, 1, g, a, b, c);                                                            \
    }                                                                                              \
    static void product_wide_##T(const struct product *g, const float *a, const float *b,          \
                                 float *c)                                                         \
    {                                                                                              \
        product_tile(T, WIDE, g, a, b, c);                                                         \
    }
FOR_ROWS(DEFINE_TILES)

#define ONE_ENTRY(T) product_one_##T,
#define WIDE_ENTRY(T) product_wide_##T,
static product_tile_fn *const one_tiles[] = {NULL, FOR_ROWS(ONE_ENTRY)};
static product_tile_fn *const wide_tiles[] = {NULL, FOR_ROWS(WIDE_ENTRY)};

/* The first of `left` rows split evenly into pieces of at most ROWS. */
static size_t even_part(size_t left)
{
    size_t pieces = (left + ROWS - 1) / ROWS;
    return (left + pieces - 1) / pieces;
}

void KERNEL(product)(const struct product *g, const float *a, const float *b, float *c)
{
    for (size_t p = 0, wide; p < g->columns; p += wide) {
        wide = g->columns - p < WIDE ? 1 : WIDE;
        product_tile_fn *const *tiles = wide == WIDE ? wide_tiles : one_tiles;
        for (size_t at = 0, n; at < g->rows; at += n) {
            n = even_part(g->rows - at);
            tiles[n](g, a + at * PANEL, b + p * g->b_panel, c + p * g->c_panel + at * PANEL);
        }
    }
}

/* d[i] += sum over rows of a[i] b, for CHANNELS columns of a and P panels of b. */
VECTOR_INLINE void adjoint_tile(const unsigned P, const struct product_adjoint *g, size_t rows,
                                const float *a, const float *b, float *d)
{
    vf acc[CHANNELS][WIDE * PV];
    UNROLLED(i, CHANNELS)
    {
        UNROLLED(v, P * PV)
        {
            acc[i][v] = *(const vf *)(d + v / PV * g->d_panel + i * PANEL + v % PV * VL);
        }
    }
    for (size_t t = 0; t < rows; t++, a += PANEL, b += PANEL) {
        vf w[WIDE * PV];
        UNROLLED(v, P * PV)
        {
            w[v] = *(const vf *)(b + v / PV * g->b_panel + v % PV * VL);
        }
        UNROLLED(i, CHANNELS)
        {
            UNROLLED(v, P * PV)
            {
                acc[i][v] += a[i] * w[v];
            }
        }
    }
    UNROLLED(i, CHANNELS)
    {
        UNROLLED(v, P * PV)
        {
            *(vf *)(d + v / PV * g->d_panel + i * PANEL + v % PV * VL) = acc[i][v];
        }
    }
}

/* Rows that are summed before the next columns come: two panels of b stay in the first-level
 * cache. */
enum { ROW_BLOCK = 128 };

static void adjoint_rows(const struct product_adjoint *g, size_t rows, const float *a,
                         const float *b, float *d)
{
    for (size_t p = 0, wide; p < g->columns; p += wide) {
        wide = g->columns - p < WIDE ? 1 : WIDE;
        const float *bp = b + p * g->b_panel;
        for (size_t q = 0; q < g->a_panels; q++)
            for (size_t i = 0; i < PANEL; i += CHANNELS) {
                const float *ap = a + q * g->a_panel + i;
                float *dp = d + p * g->d_panel + (q * PANEL + i) * PANEL;
                if (wide == WIDE)
                    adjoint_tile(WIDE, g, rows, ap, bp, dp);
                else
                    adjoint_tile(1, g, rows, ap, bp, dp);
            }
    }
}

void KERNEL(product_adjoint)(const struct product_adjoint *g, const float *a, const float *b,
                             float *d)
{
    for (size_t at = 0; at < g->rows; at += ROW_BLOCK) {
        size_t left = g->rows - at, n = left < ROW_BLOCK ? left : ROW_BLOCK;
        adjoint_rows(g, n, a + at * PANEL, b + at * PANEL, d);
    }
}
