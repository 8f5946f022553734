/* idx.h: the IDX format of MNIST and its kin, plain or gzip. */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct idx_array {
    uint32_t n_dim, dim[4];
    uint8_t *bytes; /* product of dim, malloc'd */
};

/* Unsigned bytes with exactly want_dim dimensions; only the first max_items items are kept
 * (0 = all), but counts and file length are always checked. Errors name the file. */
int idx_read(const char *path, uint32_t want_dim, uint32_t max_items, struct idx_array *ret,
             struct error *err);
/* The header alone: as many dimensions (1 to 4) as the file says; ret->bytes stays NULL. */
int idx_peek(const char *path, struct idx_array *ret, struct error *err);
void idx_release(struct idx_array *a);

#endif
