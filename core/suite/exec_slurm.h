/* exec_slurm.h: runs a plan's tasks as arrays of Slurm jobs over a shared store.
 * Truth is the store and Slurm's queue of this moment, never a job id that was remembered: whatever
 * is neither stored nor queued is sent again, and an element that runs twice does nothing the
 * second time. */
#ifndef SUITE_EXEC_SLURM_H
#define SUITE_EXEC_SLURM_H

#include "exec.h"

struct slurm_options {
    const char *program; /* path of lethe, the same on every node */
    const char *key;     /* run_key of the run: its folder below jobs/ */
    const char *args;    /* further options of sbatch, as for a shell; NULL: none */
    bool detach;         /* return once everything is submitted */
};

/* As exec_local; options->jobs is the most elements of one array that run at a time (0: no limit).
 * Detached or interrupted, tasks that Slurm goes on with stay TASK_WAITING or TASK_RUNNING.
 * Errors: ERR_ENVIRONMENT without Slurm or when its controller stays silent; ERR_INVALID for
 * options of sbatch that Lethe sets itself; ERR_CANCELLED after `lethe cancel`. */
int exec_slurm(struct plan *p, struct store *store, const struct exec_options *options,
               const struct slurm_options *slurm, struct exec_result *ret, struct error *err);
/* Prints, as a shell script, the jobs that exec_slurm would submit first. */
int exec_slurm_print(struct plan *p, struct store *store, const struct exec_options *options,
                     const struct slurm_options *slurm, struct error *err);
/* What the queue holds of a run's plan, for `lethe status`: state[i] for task i of p (array of
 * p->n, an enum slurm_state each). All SLURM_GONE when nothing was ever submitted.
 * ERR_ENVIRONMENT: Slurm does not answer. */
int exec_slurm_states(struct plan *p, struct store *store, const char *key, unsigned char *state,
                      struct error *err);

/* One element of an array: makes a workspace, runs the worker under the job's limits, and leaves
 * the object or a verdict. *ret_code: 0 done, 1 failed or refused, 4 an input is not there yet. */
int slurm_step(const char *job_path, const char *worker, int *ret_code, struct error *err);

#endif
