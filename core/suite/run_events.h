/* run_events.h: `lethe run --json`: one JSON object a line on standard output. docs/OUTPUTS.md
 * has the schema; a NULL stream writes nothing. */
#ifndef SUITE_RUN_EVENTS_H
#define SUITE_RUN_EVENTS_H

#include <stdio.h>

#include "plan.h"
#include "progress.h"

enum { RUN_EVENTS_SCHEMA = 1 };

struct run_events {
    FILE *out;
    uint64_t start_ns;
    uint64_t progress_ns; /* when the last progress event was written */
    unsigned stage;       /* 1, of suites with `tune:` then 2 */
};

/* Each executor calls it once a stage. */
void run_events_start(struct run_events *e, const struct plan *p, const struct progress *progress);
void run_events_running(struct run_events *e, const struct task *t, unsigned threads);
/* done, failed or skipped; or waiting again, because an input turned out to be corrupt. */
void run_events_ended(struct run_events *e, const struct task *t, const struct progress *progress);
/* What runs now; thinned to one a second. */
void run_events_progress(struct run_events *e, const struct progress *progress,
                         const struct progress_running *running, unsigned n);
/* Writes any other object; adds "event" and "t_s". Takes o. */
void run_events_write(struct run_events *e, const char *event, json_t *o);

#endif
