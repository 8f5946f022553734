/* safetensors.h: named tensors in one file, as Hugging Face's safetensors
 * library reads and writes them. The product checks everything it trusts:
 * header length, JSON, dtype x shape = span, no overlap, no hole, no overflow. */
#ifndef DATA_SAFETENSORS_H
#define DATA_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "fs.h"

#define ST_MAX_DIM 8

struct st_tensor {
    const char *name;
    const char *dtype; /* "F32", "I64", ... */
    uint32_t n_dim;
    size_t dim[ST_MAX_DIM];
    size_t n;          /* elements */
    const void *bytes; /* not necessarily aligned */
    size_t n_bytes;
};

struct safetensors {
    size_t n;
    struct st_tensor *tensor; /* in file order */
    size_t n_meta;
    const char **meta_key, **meta_value;
    struct fs_map map;
    void *json; /* owner of the strings */
};

int safetensors_open(const char *path, struct safetensors *ret, struct error *err);
void safetensors_release(struct safetensors *st);
const struct st_tensor *safetensors_find(const struct safetensors *st, const char *name);
const char *safetensors_meta(const struct safetensors *st, const char *key); /* NULL if absent */
/* F32, F64, F16 and BF16 convert; out holds t->n floats. */
int st_to_f32(const struct st_tensor *t, float *out, struct error *err);
/* Writes tensors in the given order; data starts at a multiple of 64 bytes. Atomic. */
int safetensors_write(const char *path, const struct st_tensor *tensors, size_t n,
                      const char *const *meta_keys, const char *const *meta_values, size_t n_meta,
                      struct error *err);

#endif
