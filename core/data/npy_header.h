/* npy_header.h: the Python dictionary at the head of an .npy file. */
#ifndef DATA_NPY_HEADER_H
#define DATA_NPY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "npy.h"
#include "strbuf.h"

struct npy_header {
    char descr[16];
    bool fortran_order;
    uint32_t n_dim;
    size_t dim[NPY_MAX_DIM];
};

/* The whole head of a file, to which out is appended (it must be empty); *ret_bytes: of the data
 * that follow. */
int npy_header_make(const char *path, enum npy_type type, uint32_t n_dim, const size_t *dim,
                    struct strbuf *out, size_t *ret_bytes, struct error *err);
int npy_header_parse(const char *path, const char *text, size_t n, struct npy_header *ret,
                     struct error *err);

#endif
