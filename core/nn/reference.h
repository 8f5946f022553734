/* reference.h: convolution by its definition: slow, in double, NCHW. What the
 * engine's kernels are tested against. */
#ifndef NN_REFERENCE_H
#define NN_REFERENCE_H

#include <stddef.h>

struct reference_conv {
    size_t n, in, height, width; /* x (n, in, height, width) */
    size_t out, kernel, stride, pad;
};

size_t reference_out(const struct reference_conv *c, size_t size); /* of one axis */
/* w (out, in, kernel, kernel), bias (out) or NULL -> y (n, out, out_h, out_w). */
void reference_forward(const struct reference_conv *c, const float *x, const float *w,
                       const float *bias, double *y);
/* dy like y -> dx like x, dw like w, dbias (out). */
void reference_backward(const struct reference_conv *c, const float *x, const float *w,
                        const float *dy, double *dx, double *dw, double *dbias);

#endif
