/* exec.h: runs a plan's tasks on this machine, one worker process each. */
#ifndef SUITE_EXEC_H
#define SUITE_EXEC_H

#include "plan.h"
#include "run_events.h"
#include "store.h"

struct run_record;

struct exec_options {
    unsigned jobs;      /* tasks at a time; 0: one a core */
    const char *worker; /* path of lethe-worker */
    bool quiet;
    /* For what is shown: tasks of a later plan, and of an earlier one that are none of this. */
    unsigned n_later, n_before;
    uint64_t memory;           /* bytes that workers may take together; 0: what the machine has */
    struct run_events *events; /* may be NULL */
    struct run_record *record; /* what `lethe status` reads; NULL: none */
};

struct exec_result {
    unsigned n_run, n_cached, n_failed, n_skipped;
    int signal;    /* SIGINT or SIGTERM ended the run early; 0: ran to the end */
    bool detached; /* Slurm goes on with what is not settled */
    double wall_s;
};

/* Tasks that fail leave their verdict in the plan and cost only what depends on them. Every state
 * change is in the store first, so a kill at any moment loses at most the tasks in flight. */
int exec_local(struct plan *p, struct store *store, const struct exec_options *options,
               struct exec_result *ret, struct error *err);

#endif
