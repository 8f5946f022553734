/* npy.h: NumPy .npy files (versions 1.0 to 3.0), C order, little-endian. */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "fs.h"

#define NPY_MAX_DIM 8

enum npy_type {
    NPY_F32 = 1,
    NPY_F64,
    NPY_I32,
    NPY_I64,
    NPY_U8,
    NPY_BOOL,
    NPY_I8,
    NPY_I16,
    NPY_U16,
    NPY_U32,
    NPY_U64
};

struct npy {
    enum npy_type type;
    uint32_t n_dim;
    size_t dim[NPY_MAX_DIM];
    size_t n;          /* elements */
    const void *bytes; /* into the map, aligned for the type */
    struct fs_map map;
    void *copy; /* when the file was not aligned */
};

/* Maps and checks: header, type, shape product, file length exactly right. */
int npy_open(const char *path, struct npy *ret, struct error *err);
void npy_release(struct npy *a);               /* accepts a zeroed one */
const char *npy_type_name(enum npy_type type); /* "<f4" */
/* Copies as float, double or int32 from whatever type is there. Integers that do not fit exactly
 * are refused, and so are fractions where integers are wanted. out holds a->n entries. */
int npy_to_f32(const struct npy *a, float *out, struct error *err);
int npy_to_f64(const struct npy *a, double *out, struct error *err);
int npy_to_i32(const struct npy *a, int32_t *out, struct error *err);
/* Element i along the first dimension, i < dim[0]: a view that lives as long as a and is not to be
 * released. a has two dimensions or more. */
struct npy npy_item(const struct npy *a, size_t i);
/* Atomic; version 1.0, data at a multiple of 64 bytes. */
int npy_write(const char *path, enum npy_type type, uint32_t n_dim, const size_t *dim,
              const void *bytes, struct error *err);

#endif
