/* st_dtype.h: the element types of safetensors. */
#ifndef DATA_ST_DTYPE_H
#define DATA_ST_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "safetensors.h"

size_t st_dtype_size(const char *dtype); /* bytes; 0 when unknown */
/* Elements and bytes from dtype and dims; false on overflow. */
bool st_count(const struct st_tensor *t, size_t *ret_n, size_t *ret_bytes);

#endif
