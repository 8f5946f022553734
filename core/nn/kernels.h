/* kernels.h: the inner loops, built once for each vector class and chosen at run
 * time. Activations are NHWC. Every reduction has an order of its own that does
 * not depend on the vector width, so that classes differ at most by fused
 * multiply-adds (in `conv_panel` and `conv_panel_grad`). */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Output channels of a packed panel of weights. */
enum { PANEL = 16 };

/* A convolution over one image whose padding is already there. */
struct conv_window {
    uint32_t out_h, out_w;
    uint32_t rows; /* kernel rows */
    uint32_t run;  /* kernel columns x input channels: contiguous in x */
    size_t x_row;  /* floats from an input row to the next */
    size_t x_step; /* floats between neighbouring outputs' inputs: stride x channels */
    size_t x_down; /* the same for output rows: stride x x_row */
    size_t y_step; /* output channels */
};

/* c (columns panels of rows x PANEL) = a b over inner panels of PANEL. Strides in floats. */
struct product {
    size_t rows, inner, columns; /* rows; panels of the inner index; panels of columns */
    size_t a_panel;              /* a: inner panels, each (rows, PANEL) */
    size_t b_panel;              /* b: column panels, each (inner x PANEL, PANEL) */
    size_t c_panel;              /* c: column panels, each (rows, PANEL) */
};

/* d (columns panels of a_panels x PANEL rows, PANEL) += a^T b over `rows`. */
struct product_adjoint {
    size_t rows, a_panels, columns;
    size_t a_panel, b_panel; /* (rows, PANEL) each */
    size_t d_panel;
};

/* n tiles with all their channels. A tile's pixels are found through pointers, row by row, to
 * their first channel; what lies beyond the map points to zeros, or to a place for rubbish. */
struct tile_set {
    float *const *at; /* (n, pixels) */
    size_t n;
    size_t pixels; /* of a tile, on the side that is read or written through `at` */
    size_t channels;
    size_t panel, plane; /* floats from a panel, (n, PANEL), to the next; from plane to plane */
};

/* A transform of convolution tiles: Winograd's F(4x4, 3x3) and F(2x2, 3x3) (Lavin & Gray 2016),
 * or the plain columns of one output pixel. y = A^T [(G w) * (B^T x)]: a plane is one place of
 * the transformed tile. */
struct tile_kernels {
    unsigned out;                                       /* edge of a tile of outputs */
    void (*gather)(const struct tile_set *t, float *v); /* v = B^T x */
    void (*scatter)(const struct tile_set *t, const float *m, const float *bias); /* y */
    void (*gather_adjoint)(const struct tile_set *t, float *m);                   /* dm = A dy */
    void (*scatter_adjoint)(const struct tile_set *t, const float *v);            /* dx += B dv */
    /* Filters of PANEL outputs: taps (n_taps, PANEL) and planes of (PANEL). */
    void (*filter)(const float *taps, size_t n_taps, size_t plane, float *u);
    void (*filter_adjoint)(const float *u, size_t n_taps, size_t plane, float *taps);
};

/* Per-channel affine map with optional ReLU: y = (z - mean) scale + beta. */
struct affine {
    const float *mean, *scale, *beta; /* (C) each */
    bool relu;
};

/* dz = a g + b (z - mean) + c, g the gradient behind ReLU's mask. */
struct affine_grad {
    const float *a, *b, *c; /* (C) each */
};

struct sgd_step {
    float lr, momentum, weight_decay, grad_scale;
};

struct adam_step {
    float step_size, beta1, beta2, eps, weight_decay, grad_scale;
    float rest1, rest2;    /* 1 - beta1, 1 - beta2, rounded once as in PyTorch */
    float root_correction; /* sqrt(1 - beta2^t) */
    float decay;           /* AdamW: 1 - lr wd; Adam: 1 */
};

struct kernels {
    const char *name; /* "x86-64-v4" */

    /* y (out_h, out_w, y_step), its first `lanes` channels: the window over x with w (rows x run,
     * PANEL) and bias (PANEL). */
    void (*conv_panel)(const struct conv_window *g, const float *x, const float *w,
                       const float *bias, float *y, unsigned lanes);
    /* Adds to dw (rows x run, PANEL). Reads PANEL channels of dy whatever y_step is: lanes beyond
     * it hold nonsense. */
    void (*conv_panel_grad)(const struct conv_window *g, const float *x, const float *dy,
                            float *dw);

    void (*product)(const struct product *g, const float *a, const float *b, float *c);
    void (*product_adjoint)(const struct product_adjoint *g, const float *a, const float *b,
                            float *d);
    /* Up to PANEL rows of n numbers, `step` apart, to (n, PANEL), absent lanes zero; and back,
     * added to what is there. */
    void (*interleave)(const float *rows, size_t step, unsigned lanes, size_t n, float *to);
    void (*separate_add)(const float *from, unsigned lanes, size_t n, float *rows, size_t step);
    const struct tile_kernels *tiles_4, *tiles_2, *tiles_1; /* 1: columns */

    /* Over n numbers. */
    void (*relu)(const float *x, size_t n, float *y);
    void (*relu_grad)(const float *y, const float *dy, size_t n, float *dx);
    void (*add)(const float *x, size_t n, float *y); /* y += x */
    void (*add_scaled)(const float *a, const float *b, float scale, size_t n, float *y);
    void (*scale)(const float *x, float scale, size_t n, float *y);
    double (*sum_squares)(const float *x, size_t n);

    /* Over n pixels of c channels; sums are added to. */
    void (*channel_sums)(const float *x, size_t n, size_t c, double *sum);
    void (*moments)(const float *x, size_t n, size_t c, const float *shift, double *sum,
                    double *squares);
    void (*affine)(const float *z, size_t n, size_t c, const struct affine *f, float *y);
    void (*affine_sums)(const float *z, const float *dy, size_t n, size_t c, const struct affine *f,
                        double *sum_g, double *sum_gz);
    void (*affine_grad)(const float *z, const float *dy, size_t n, size_t c, const struct affine *f,
                        const struct affine_grad *d, float *dz);
    /* y = (map(z) + s) factor, behind ReLU if f has one. */
    void (*affine_join)(const float *z, const float *s, size_t n, size_t c, const struct affine *f,
                        float factor, float *y);
    /* g = dy factor where y > 0 (everywhere without ReLU), and its sums as in affine_sums. g may be
     * dy. */
    void (*join_sums)(const float *z, const float *y, const float *dy, size_t n, size_t c,
                      const struct affine *f, float factor, float *g, double *sum_g,
                      double *sum_gz);
    /* One image (h, w, c), h and w even, with 2x2 max pooling behind the map. top (h/2, w/2, c):
     * the z that won each window, the first of equals; may be NULL. */
    void (*affine_pool)(const float *z, uint32_t h, uint32_t w, size_t c, const struct affine *f,
                        float *y, float *top);
    void (*affine_pool_grad)(const float *z, const float *top, const float *dy, uint32_t h,
                             uint32_t w, size_t c, const struct affine *f,
                             const struct affine_grad *d, float *dz);

    /* Optimisers; grad is zeroed. velocity may be NULL. */
    void (*sgd)(const struct sgd_step *s, size_t n, float *param, float *grad, float *velocity);
    void (*adam)(const struct adam_step *s, size_t n, float *param, float *grad, float *m,
                 float *v);
};

/* What this machine runs fastest. */
const struct kernels *kernels_best(void);
/* Class i of those this machine can run, the portable one first; NULL past the end. */
const struct kernels *kernels_usable(unsigned i);

#endif
