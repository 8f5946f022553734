/* json.h: jansson with our habits: doubles that read back, sorted keys for
 * canonical text, errors with file and position. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "error.h"

int json_read_file(const char *path, json_t **ret,
                   struct error *err); /* <= 64 MiB, no duplicates */
int json_parse_text(const char *name, const char *text, size_t n, json_t **ret, struct error *err);
/* Indented, sorted keys, trailing newline; atomic. */
int json_write_file(const char *path, const json_t *value, struct error *err);
/* Compact with sorted keys: the text that is hashed. malloc'd; NULL when out of memory. */
char *json_canonical(const json_t *value);
/* Typed members; error names the key. `name` is the document, for messages. */
int json_get_string(const json_t *o, const char *name, const char *key, const char **ret,
                    struct error *err);
int json_get_int(const json_t *o, const char *name, const char *key, json_int_t *ret,
                 struct error *err);
int json_get_real(const json_t *o, const char *name, const char *key, double *ret,
                  struct error *err);
/* A number, or null for NaN (JSON has none). */
json_t *json_number_or_null(double v);
double json_number_or_nan(const json_t *v);

#endif
