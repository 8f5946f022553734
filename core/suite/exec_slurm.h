/* exec_slurm.h: runs a plan's tasks as arrays of Slurm jobs over a shared store.
 * Truth is the store, never a job id: an element that runs twice does nothing the
 * second time, and whatever is missing when the queue is empty is sent again.
 *
 *   jobs/<run>/<batch>/<n>.json   the job of element n of one array
 *   jobs/<run>/<batch>/<n>.out    what that element printed
 *   failed/<id>.json              how a task failed: verdict, signal, reason, run
 *   jobs/<suite>.json             the run of a suite that is not collected yet */
#ifndef SUITE_EXEC_SLURM_H
#define SUITE_EXEC_SLURM_H

#include "exec.h"

struct slurm_options {
    const char *program; /* path of lethe, the same on every node */
    const char *args;    /* further options of sbatch, separated by blanks; NULL: none */
    bool detach;         /* return once everything is submitted */
    bool quiet;
};

/* As exec_local. Detached, tasks stay TASK_WAITING. ERR_ENVIRONMENT without Slurm. */
int exec_slurm(struct plan *p, struct store *store, const struct slurm_options *options,
               struct exec_result *ret, struct error *err);
/* Prints the script and the commands that exec_slurm would use first. */
int exec_slurm_print(const struct plan *p, const struct store *store,
                     const struct slurm_options *options, struct error *err);

/* One element of an array: makes a workspace, runs the worker under the job's limits, and leaves
 * the object or failed/<id>.json. *ret_code: 0 done, 1 failed, 4 an input is not there yet. */
int slurm_step(const char *job_path, const char *worker, int *ret_code, struct error *err);

#endif
