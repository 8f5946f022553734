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

/* mask ? a : b, bit by bit. */
VECTOR_INLINE vf select_vf(vi mask, vf a, vf b)
{
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

VECTOR_INLINE vf keep_vf(vi mask, vf a)
{
    return (vf)((vi)a & mask);
}

/* conv_kernels.c defines them, elementwise.c puts them into the table. */
void KERNEL(conv_panel)(const struct conv_window *g, const float *x, const float *w,
                        const float *bias, float *y, unsigned lanes);
void KERNEL(conv_panel_grad)(const struct conv_window *g, const float *x, const float *dy,
                             float *dw);
extern const struct kernels KERNEL(kernels);

#endif
