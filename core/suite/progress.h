/* progress.h: what a person sees while tasks run: one status line on a
 * terminal, plain lines in a pipe. All of it goes to stderr. */
#ifndef SUITE_PROGRESS_H
#define SUITE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

struct progress_running { /* one task in flight */
    const struct task *task;
    double fraction, elapsed_s;
    const char *what;
};

struct run_events;

struct progress {
    bool terminal, quiet;
    bool shown; /* a status line stands on the terminal */
    uint64_t start_ns, last_ns;
    unsigned n_total, n_done, n_cached, n_failed;
    double weight_total, weight_done; /* of tasks that have to run */
    unsigned jobs;
    struct run_events *events; /* of --json; set by the executor; may be NULL */
};

void progress_init(struct progress *p, const struct plan *plan, unsigned jobs, bool quiet);
/* A task ended: counts it, and in a pipe prints its line; writes its event. */
void progress_task(struct progress *p, const struct task *t);
/* Refreshes the status line (thinned to 10 a second). */
void progress_show(struct progress *p, const struct progress_running *running, unsigned n);
void progress_clear(struct progress *p);
/* Seconds left, from the work done so far; negative while unknown. */
double progress_eta(const struct progress *p, const struct progress_running *running, unsigned n);

#endif
