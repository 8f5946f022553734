/* SPDX-License-Identifier: MIT
 * data.h: samples as a plugin sees them. Views are immutable, composable, and
 * end with the call; the host reads, augments, relabels and meters. */
#ifndef LETHE_DATA_H
#define LETHE_DATA_H

#include "abi.h"
#include "status.h"

#define LETHE_MAX_DIM 8

typedef struct lethe_view lethe_view;     /* an ordered set of labelled samples */
typedef struct lethe_loader lethe_loader; /* one pass over a view in batches */

/* Frozen: never grows. */
typedef struct lethe_shape {
    uint32_t n_dim, reserved;
    int64_t dim[LETHE_MAX_DIM];
} lethe_shape;

/* Memory belongs to the host and is valid until the next call on the same
 * loader (or the next data->batch). */
typedef struct lethe_batch {
    uint32_t struct_size;
    uint32_t n;         /* samples in this batch */
    lethe_shape input;  /* of one sample: (channels, height, width) */
    const float *x;     /* (n, C, H, W), values in [0, 1] */
    const int32_t *y;   /* (n) class indices */
    const uint64_t *id; /* (n) stable sample identifiers */
} lethe_batch;
LETHE_NO_TAIL_PADDING(lethe_batch, id);

typedef struct lethe_loader_opts {
    uint32_t struct_size;
    uint32_t batch_size; /* >= 1; the last batch may be shorter and is kept */
    uint32_t shuffle;    /* 1: order from the stream; 0: view order */
    uint32_t epoch;      /* part of the stream: another epoch, another order */
    const char *stream;  /* shared stream of the order, without its "/"; NULL: "shuffle" */
} lethe_loader_opts;
LETHE_NO_TAIL_PADDING(lethe_loader_opts, stream);

/* Called by the host for a sample at the epoch it is loaded for; returns the
 * label to use. `id` and `y` are the sample's own. Must depend on nothing else
 * (draw from rng->stream(..., name, id) for randomness). */
typedef int32_t (*lethe_relabel_fn)(void *arg, uint32_t epoch, uint64_t id, int32_t y);

#endif
