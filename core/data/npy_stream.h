/* npy_stream.h: an .npy file whose data come piece by piece, so that arrays larger than memory can
 * be written. */
#ifndef DATA_NPY_STREAM_H
#define DATA_NPY_STREAM_H

#include <stdio.h>

#include "npy.h"

struct npy_stream {
    FILE *file; /* NULL: none */
    char *path;
    size_t left; /* bytes that are still to come */
};

int npy_stream_open(const char *path, enum npy_type type, uint32_t n_dim, const size_t *dim,
                    struct npy_stream *ret, struct error *err);
int npy_stream_add(struct npy_stream *s, const void *bytes, size_t n, struct error *err);
/* Everything must have come. */
int npy_stream_close(struct npy_stream *s, struct error *err);
void npy_stream_release(struct npy_stream *s); /* accepts a zeroed or closed one */

#endif
