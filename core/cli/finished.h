/* finished.h: the report of a finished run, read back: what it was made from, and how to open that
 * again. Used by `verify` and `report`. */
#ifndef CLI_FINISHED_H
#define CLI_FINISHED_H

#include "cli.h"
#include "json.h"
#include "results.h"

struct finished {
    json_t *json;                   /* manifest.json */
    const char *suite_file, *store; /* absolute */
    char **setting;                 /* (n): every top-level key of the suite as it was run */
    size_t n_settings;
    const char **only; /* NULL-ended, or NULL */
    const char *scenario;
};

/* Reads DIR/manifest.json; ERR_INVALID when dir is no report. Start from zeros; release also after
 * a failure. */
int finished_read(const char *dir, struct finished *m, struct error *err);
void finished_release(struct finished *m);
/* The session of its suite as it was run, with the tasks marked that the store has; nothing in the
 * store is changed. Of extra count store (NULL: the one the report names), plugins, and settings,
 * which come after those of the report. ret borrows from m. */
int finished_open(struct finished *m, const struct session_options *extra, struct session *ret,
                  struct error *err);
/* Verdicts, reasons and notes of the rows of dir/runs.csv that failed: the store keeps what
 * succeeded alone. A dir without runs.csv changes nothing. */
int finished_adopt(const char *dir, struct results *r, struct error *err);

/* Rows that have no result and of which dir/runs.csv (it may be missing) tells no failure either:
 * they were never run, or the store has lost them. *ret_first: index of the first. Ask before
 * finished_adopt. */
int finished_missing(const char *dir, const struct results *r, size_t *ret_n, size_t *ret_first,
                     struct error *err);
/* Number of tasks of a plan that are not those which the report lists. *ret_first: title of the
 * first other one, or NULL. */
size_t finished_other_tasks(const struct finished *m, const struct plan *p, const char **ret_first);

#endif
