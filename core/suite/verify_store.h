/* verify_store.h: does the store hold what a plan made, and does a sample of it come out the same
 * when it is made again? */
#ifndef SUITE_VERIFY_STORE_H
#define SUITE_VERIFY_STORE_H

#include "exec.h"

/* Marks tasks as done whose object is there, corrupt or not; changes nothing in the store. */
int verify_look(struct plan *p, const struct store *store, struct error *err);
/* Checks every finished task's object: meta.json names it, its identity hashes to its id, every
 * checksum fits. Differences are appended to `problems` as {"object", "title", "what"}. */
int verify_objects(const struct plan *p, const struct store *store, json_t *problems,
                   size_t *ret_objects, struct error *err);

struct verify_rerun {
    double sample; /* share of tasks that compute for long, 0 to 1 */
    const char *worker;
    unsigned jobs;
    bool quiet;
};
/* Runs every finished metric and evaluation, and a sample of the other finished tasks, in a scratch
 * store that links to the inputs, and compares the checksums of what comes out. *ret_run: how
 * many; *ret_signal: the signal that ended it early, or 0. */
int verify_rerun(struct plan *p, const struct store *store, const struct verify_rerun *options,
                 json_t *problems, size_t *ret_run, int *ret_signal, struct error *err);

#endif
