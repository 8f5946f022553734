/* desc_internal.h: what desc*.c share. */
#ifndef PLUGIN_DESC_INTERNAL_H
#define PLUGIN_DESC_INTERNAL_H

#include <sys/stat.h>

#include "arena.h"
#include "desc.h"
#include "param_spec.h"

/* desc_json.c: fills *ret from one description; strings point into json, which ret borrows. What a
 * worker prints may come from a plugin's own code, so everything is checked. */
int desc_from_json(json_t *json, struct plugin_desc *ret, struct error *err);
/* Parameter i of the schema. ret->choices is malloc'd (its strings are not) and to be freed. */
int desc_param_spec(const struct plugin_desc *p, size_t i, struct param_spec *ret,
                    struct error *err);

/* desc_cache.c: the descriptions of a file that has not changed since. */
bool desc_cache_get(const char *dir, const char *path, const struct stat *st, json_t **ret);
/* Best effort: a cache that cannot be written costs time only. */
void desc_cache_put(const char *dir, const char *path, const struct stat *st, json_t *all);

#endif
