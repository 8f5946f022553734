/* conv_pack.h: weights of convolutions in the order kernels read them, and the
 * way back for gradients. Taps run over (kernel row, kernel column, channel). */
#ifndef NN_CONV_PACK_H
#define NN_CONV_PACK_H

#include "net_internal.h"

/* Where tap k of output o stands: base + k tap + (o / PANEL) panel + o % PANEL. */
struct packing {
    size_t tap, panel;
};

/* Panels of PANEL outputs, one after the other: what conv_panel reads. */
struct packing packing_panels(size_t taps);
/* A plain matrix (taps, outputs). */
struct packing packing_matrix(size_t outputs);

/* w (O, I, K, K) -> packed taps of (K, K, I). Lanes beyond O are not touched. */
void conv_pack(const struct arch_layer *l, const float *w, struct packing to, float *packed);
/* For the gradient of the input: outputs are the channels I, taps run over the flipped kernel and
 * O. */
void conv_pack_flipped(const struct arch_layer *l, const float *w, struct packing to,
                       float *packed);
/* The same without sums: outputs are the taps (K, K, I), the only taps are the channels O. */
void conv_pack_transposed(const struct arch_layer *l, const float *w, struct packing to,
                          float *packed);
/* grad (O, I, K, K) += sum over g of part[g], each `size` floats. */
void conv_unpack_add(const struct arch_layer *l, const float *part, size_t groups, size_t size,
                     struct packing from, struct par *par, float *grad);

/* grad (O) += sum over g of part[g], `size` doubles apart. */
void conv_bias_add(const struct arch_layer *l, const double *part, size_t groups, size_t size,
                   float *grad);

/* Taps of a filter: kernel x kernel x input channels. */
size_t conv_taps(const struct arch_layer *l);
/* Partial sums of a weight gradient over so many images: enough for as many threads. */
uint32_t conv_groups(uint32_t images);

/* One image with its padding: x (H, W, C) -> (H + 2 pad, W + 2 pad, C). */
void conv_pad_image(const float *x, size_t h, size_t w, size_t c, size_t pad, float *padded);

#endif
