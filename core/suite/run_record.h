/* run_record.h: what a run says of itself in the store, for `lethe status`.
 *   runs/<suite>-<8 digits>.json   one a report folder; replaced every other second
 * It only informs: results come from the store's objects. */
#ifndef SUITE_RUN_RECORD_H
#define SUITE_RUN_RECORD_H

#include "json.h"
#include "plan.h"
#include "progress.h"

/* The command line of a run, to open the same plan again. Lists are NULL-ended or NULL. */
struct run_command {
    const char *out; /* absolute */
    const char *executor;
    const char *const *settings, *const *only, *const *plugins;
    const char *scenario; /* NULL: all */
};

struct run_record;
/* Names of what a run keeps in the store: <suite>-<8 digits of its report folder>, so that variants
 * of one suite do not meet. malloc'd; NULL when out of memory. */
char *run_key(const char *suite, const char *out);
/* NULL when out of memory; a store that cannot be written to is no error here. */
struct run_record *run_record_new(const struct store *store, const struct suite *suite,
                                  const struct run_command *command);
/* Thinned to one write in two seconds. record NULL: does nothing. eta_s negative: unknown. */
void run_record_update(struct run_record *record, const struct plan *p,
                       const struct progress_running *running, unsigned n, double eta_s);
/* state: "finished", "interrupted", "detached", "failed". */
void run_record_end(struct run_record *record, const struct plan *p, const char *state);
void run_record_free(struct run_record *record);

/* The newest record of a suite (suite) or of a report folder (out, absolute); the other is NULL.
 * *ret stays NULL when there is none. */
int run_record_find(const struct store *store, const char *suite, const char *out, json_t **ret,
                    struct error *err);
/* Whether the process that wrote it still runs. False on another host: nobody knows. */
bool run_record_alive(const json_t *record);

#endif
