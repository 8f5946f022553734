/* vector.h: the vector type and the names of the class a file is compiled for. */
#ifndef NN_VECTOR_H
#define NN_VECTOR_H

#include <stdint.h>

#include "kernels.h"

#if defined(__AVX512F__)
#define VL 16
#define KERNEL_NAME "x86-64-v4"
#define KERNEL(name) name##_v4
#elif defined(__AVX2__)
#define VL 8
#define KERNEL_NAME "x86-64-v3"
#define KERNEL(name) name##_v3
#else
#define VL 4
#define KERNEL_NAME "portable"
#define KERNEL(name) name##_portable
#endif

/* Any alignment; may alias float. */
typedef float vf __attribute__((vector_size(4 * VL), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * VL), aligned(4), may_alias));

#define VECTOR_INLINE static inline __attribute__((always_inline))

/* Accumulators are registers only when the loops over them are gone. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif
#define UNROLLED(i, n) UNROLL for (unsigned i = 0; i < (n); i++)

/* mask ? a : b, bit by bit. */
VECTOR_INLINE vf select_vf(vi mask, vf a, vf b)
{
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

VECTOR_INLINE vf keep_vf(vi mask, vf a)
{
    return (vf)((vi)a & mask);
}

/* The other files define them, elementwise.c puts them into the table. */
void KERNEL(conv_panel)(const struct conv_window *g, const float *x, const float *w,
                        const float *bias, float *y, unsigned lanes);
void KERNEL(conv_panel_grad)(const struct conv_window *g, const float *x, const float *dy,
                             float *dw);
void KERNEL(product)(const struct product *g, const float *a, const float *b, float *c);
void KERNEL(product_adjoint)(const struct product_adjoint *g, const float *a, const float *b,
                             float *d);
extern const struct tile_kernels KERNEL(tiles_4), KERNEL(tiles_2), KERNEL(tiles_1);
extern const struct kernels KERNEL(kernels);

#endif
