/* store_walk.h: everything that a store holds, object by object. */
#ifndef SUITE_STORE_WALK_H
#define SUITE_STORE_WALK_H

#include "store.h"

/* Called with the id and the parsed meta.json (NULL when it does not read; why then says so). A
 * negative return ends the walk with that code. */
typedef int (*store_visit_fn)(void *arg, const char *id, const json_t *meta, const char *why,
                              struct error *err);
/* In order of ids. */
int store_walk(const struct store *s, store_visit_fn visit, void *arg, struct error *err);
/* Bytes of an object's files as recorded. */
unsigned long long store_meta_bytes(const json_t *meta);

#endif
