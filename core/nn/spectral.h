/* spectral.h: singular values of a network's linear maps.
 *
 * A convolution is the zero-padded map at its true input size, stride and padding, a matrix of
 * (co oh ow) x (ci h w) that is never written down: only its products with vectors are needed.
 * Vectors are in PyTorch's order (C, H, W), in double. */
#ifndef NN_SPECTRAL_H
#define NN_SPECTRAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "model.h"
#include "par.h"
#include "rng.h"

#define SPECTRAL_NO_NORM UINT32_MAX
/* epsilon of batch-norm, as the engine's */
#define SPECTRAL_BN_EPS 1e-5

/* y = D W columns(x): W the weights of a convolution or a linear layer as a matrix, D one, or what
 * a batch-norm behind it multiplies channels with in evaluation mode. Biases play no part. */
struct spectral_map {
    const struct arch_layer *layer;
    uint32_t index;        /* of the layer in model->layer */
    uint32_t norm;         /* of the batch-norm, or SPECTRAL_NO_NORM */
    size_t n_in, n_out;    /* floats of an input, of an output */
    size_t rows, cols;     /* of W: outputs; inputs x kernel x kernel */
    size_t pixels;         /* of an output map; 1 for a linear layer */
    bool flat;             /* the map is W itself: spectral_map_flatten */
    double *weight;        /* D W (rows, cols) */
    double *scale;         /* D (rows) */
    double *columns, *out; /* scratch: (cols, pixels), (n_out) */
};

/* Every convolution and linear layer of a network, in forward order; with conv_bn also each
 * convolution together with the batch-norm right behind it. *ret: malloc'd (n). */
int spectral_maps_new(const struct model *m, bool conv_bn, struct spectral_map **ret,
                      uint32_t *ret_n, struct error *err);
void spectral_maps_free(struct spectral_map *map, uint32_t n); /* accepts NULL */
/* Takes over the weights and statistics that the model has now. */
void spectral_map_load(struct spectral_map *map, const struct model *m);

/* From now on the map is x -> W x, W the (co, ci k k) matrix: what Miyato et al. 2018 take the norm
 * of, and no map of the network. */
void spectral_map_flatten(struct spectral_map *map);

void spectral_map_apply(struct spectral_map *map, const double *x, double *y); /* A x */
void spectral_map_adjoint(struct spectral_map *map, const double *y, double *x);
/* dw (rows, cols): the gradient of <u, A v> by W (D taken along), u (n_out), v (n_in). */
void spectral_map_outer(struct spectral_map *map, const double *u, const double *v, double *dw);

/* Orthonormal vectors near the largest right singular vectors of a map. */
struct spectral_basis {
    uint32_t k;    /* at most the smaller side of the map */
    size_t n_in;   /* of the map */
    double *v;     /* (k, n_in); all zeros: not drawn yet */
    double *sigma; /* (k) |A v_i|, largest first, as of the last iteration */
    double shift;  /* of the iteration; 0, as published 1 */
};
enum { SPECTRAL_BLOCK = 8, SPECTRAL_ITERATIONS = 200 };

int spectral_basis_init(struct spectral_basis *b, const struct spectral_map *map, uint32_t k,
                        struct error *err);
void spectral_basis_release(struct spectral_basis *b);
void spectral_basis_draw(struct spectral_basis *b, struct rng *rng);
bool spectral_basis_is_drawn(const struct spectral_basis *b);
/* PowerQR (Ebrahimpour-Boroojeny et al., "Spectrum extraction and clipping for implicitly linear
 * layers", AISTATS 2024, algorithm 1): n times X <- (shift I + A^T A) X = QR, X <- Q; then
 * Rayleigh-Ritz: X is turned inside its span so that sigma are the singular values of A on it,
 * which are never above A's own. The published shift of 1 falls out of how they differentiate; it
 * only slows the iteration, a map of small norm the most. false: out of memory. */
bool spectral_refine(struct spectral_map *map, struct spectral_basis *b, uint32_t n);
/* The same; returns by how much (relatively) sigma[0] still grew in the last iteration, infinite
 * when out of memory. */
double spectral_iterate(struct spectral_map *map, struct spectral_basis *b, uint32_t n);

/* A number at least the L2 norm of W (rows, cols; entries row_step and col_step apart), within a
 * few thousandths of it: |W|^2 <= |(W W^T)^(2^p)|_F^(1/2^p), p = 12 (Delattre et al. 2023,
 * "Efficient bound of Lipschitz constant for convolutional layers by Gram iteration", theorem
 * 1, for a plain matrix). NaN: out of memory. */
double spectral_matrix_bound(const double *w, size_t rows, size_t cols, size_t row_step,
                             size_t col_step);
/* A number that no singular value of the map exceeds. Convolutions: the smallest of the sum of
 * their taps' norms (each tap is a shift of one matrix), and ceil(k / stride) |W| with W as
 * (co, ci k k), since an input pixel is in that many windows along each axis; for stride 1 also k
 * times the norm of the (ci, co k k) matrix. Any zero padding. NaN: out of memory. */
double spectral_certified(const struct spectral_map *map);
/* L2 norm of the weights as a (co, ci k k) matrix (Miyato et al. 2018): no norm of the map. */
double spectral_reshaped(const struct spectral_map *map);

/* ---- a whole network ---- */

struct spectral_options {
    uint32_t iterations; /* of PowerQR */
    uint32_t top;        /* singular values wanted a layer, 1..SPECTRAL_BLOCK */
    uint64_t seed;
};

struct spectral_row {
    uint32_t layer; /* in model->layer */
    const char *name, *kind;
    bool composed;     /* a convolution with the batch-norm behind it */
    double norm;       /* estimate, from below */
    double certified;  /* bound, from above */
    double reshaped;   /* convolutions; else NaN */
    double growth;     /* of the estimate in the last iteration, relative; 0 for exact norms */
    uint32_t n_values; /* 0 where the norm is a rule, not computed */
    double value[SPECTRAL_BLOCK];
};

struct spectral_report {
    uint32_t n;
    struct spectral_row *row;                  /* blocks are no rows: their branches' layers are */
    double bound, certified;                   /* products: of estimates; rigorous */
    double bound_composed, certified_composed; /* conv and batch-norm as one map */
};
/* Products by rules: linear maps as above; ReLU, flatten, dropout 1; ELU max(1, alpha); batch-norm
 * max |gamma| / sqrt(var + eps); max-pool ceil(k / s); average pool ceil(k / s) / k, global
 * 1 / sqrt(H W); normalisation 1 / min std; residual body + shortcut (identity 1), half of it
 * where it halves. The same numbers on any number of threads. */
int spectral_report_make(const struct model *m, const struct spectral_options *o, struct par *par,
                         struct spectral_report *ret, struct error *err);
void spectral_report_release(struct spectral_report *r);

#endif
