/* SPDX-License-Identifier: MIT
 * model.h: models and their tensors as a plugin sees them. Layout is PyTorch's:
 * conv weights (out, in, kh, kw), linear weights (out, in). */
#ifndef LETHE_MODEL_H
#define LETHE_MODEL_H

#include "data.h"

typedef struct lethe_model lethe_model;
typedef struct lethe_optim lethe_optim;

/* mode of a forward pass */
enum {
    LETHE_EVAL = 0,     /* running statistics, no dropout; nothing in the model changes */
    LETHE_TRAIN = 1,    /* batch statistics, running statistics updated, dropout on */
    LETHE_BN_FROZEN = 2 /* as LETHE_EVAL, but a backward pass may follow into the parameters
                           with dropout on; running statistics stay */
};

/* lethe_tensor.flags */
#define LETHE_TENSOR_TRAINABLE 1u /* has a gradient and is stepped by optimisers */
#define LETHE_TENSOR_STATISTIC 2u /* batch-norm running mean or variance */
#define LETHE_TENSOR_BIAS 4u
#define LETHE_TENSOR_NORM 8u /* affine parameters of a normalisation layer */

typedef struct lethe_tensor {
    uint32_t struct_size; /* set by the caller; the host fills at most this much */
    uint32_t flags;
    const char *name; /* PyTorch's: "conv1.weight", "bn1.running_mean", "0.weight" */
    lethe_shape shape;
    uint64_t n; /* elements */
    float *w;   /* values; NULL unless LETHE_CAP_WEIGHTS was declared */
    float *g;   /* gradient; NULL for statistics and where not granted */
} lethe_tensor;
LETHE_NO_TAIL_PADDING(lethe_tensor, g);

/* Layers in forward order; layers inside a residual block are listed too. */
typedef struct lethe_layer {
    uint32_t struct_size;
    uint32_t first_tensor; /* index of its first tensor */
    uint32_t n_tensors;    /* 0 for layers without parameters */
    uint32_t reserved;
    const char *name; /* "conv1", "3.body.0" */
    const char *kind; /* "conv", "linear", "batchnorm", "relu", ... */
    /* Geometry; a host that does not know it leaves it as the caller set it. */
    uint32_t in[3], out[3];       /* (C, H, W); after flatten (features, 1, 1) */
    uint32_t kernel, stride, pad; /* convolutions and pools; else 0 */
    uint32_t halve;               /* residual: the sum of both branches counts half */
    uint32_t parent;              /* index + 1 of the residual around it; 0: none */
    uint32_t branch;              /* there: 0 the body, 1 the shortcut */
    double scale; /* normalize: the largest 1 / deviation; elu: alpha; batchnorm: epsilon */
} lethe_layer;
LETHE_NO_TAIL_PADDING(lethe_layer, scale);

#endif
