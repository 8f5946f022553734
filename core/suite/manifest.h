/* manifest.h: manifest.json of an output folder: what was run, with what, on
 * which machine, and how much of it succeeded. */
#ifndef SUITE_MANIFEST_H
#define SUITE_MANIFEST_H

#include "plan.h"
#include "results.h"
#include "store.h"

int manifest_write(const struct suite *s, const struct plan *p, const struct store *store,
                   const struct results *r, const char *out_dir, struct error *err);
/* What manifest_write writes; new reference. */
int manifest_make(const struct suite *s, const struct plan *p, const struct store *store,
                  const struct results *r, json_t **ret, struct error *err);
/* Refuses (ERR_INVALID) a folder that holds another suite's manifest, or files but no manifest at
 * all where a report would overwrite them. */
int manifest_check_dir(const char *out_dir, const char *suite, struct error *err);

#endif
