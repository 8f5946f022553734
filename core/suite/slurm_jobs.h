/* slurm_jobs.h: the folder in the store through which the submitter and the elements of its arrays
 * talk. key: run_key (run_record.h).
 *
 *   jobs/<key>/tag             8 hex digits in the names of this run's jobs
 *   jobs/<key>/step.sh         what sbatch gets
 *   jobs/<key>/<batch>/ids     the tasks of an array, one a line
 *   jobs/<key>/<batch>/<n>.json, <n>.out   the job of element n, and what it printed
 *   jobs/<key>/verdict/<id>.json           how a task ended that did not succeed
 *   jobs/<key>/cancelled       `lethe cancel` was here: an attached run ends
 *
 * Files appear whole (by a rename). A folder of a batch is made by whoever gets its number first,
 * so that two submitters of one run share it. */
#ifndef SUITE_SLURM_JOBS_H
#define SUITE_SLURM_JOBS_H

#include <stdbool.h>

#include "hash.h"
#include "store.h"
#include "verdict.h"

struct slurm_jobs {
    char *dir; /* <store>/jobs/<key> */
    char tag[9];
};

/* Makes the folder and its tag when they are not there yet. */
int slurm_jobs_open(const struct store *store, const char *key, struct slurm_jobs *ret,
                    struct error *err);
/* Does not make anything: *ret_there tells whether the run has a folder; ret is set only then. */
int slurm_jobs_find(const struct store *store, const char *key, struct slurm_jobs *ret,
                    bool *ret_there, struct error *err);
void slurm_jobs_release(struct slurm_jobs *j);
int slurm_jobs_remove(const struct slurm_jobs *j, struct error *err);

/* The folder of the next free number; malloc'd. */
int slurm_jobs_new_batch(const struct slurm_jobs *j, unsigned *ret_batch, char **ret_dir,
                         struct error *err);
/* Ids of a batch in the order of its elements. */
struct slurm_ids {
    char (*id)[HASH_HEX_SIZE];
    unsigned n;
};
int slurm_jobs_ids(const struct slurm_jobs *j, unsigned batch, struct slurm_ids *ret,
                   struct error *err);
void slurm_ids_release(struct slurm_ids *ids);

/* How an element ended without a result. */
struct slurm_verdict {
    enum verdict verdict;
    int signal;
    char *reason;  /* goes into the row: no host, no path */
    char *node;    /* where; "" when Slurm did not say */
    bool refused;  /* the node computes other bytes than the plan is made for */
    double wall_s; /* of the worker */
};
int slurm_verdict_write(const char *jobs_dir, const char *id, const struct slurm_verdict *v,
                        struct error *err);
/* *ret_there false: none. A file that does not read counts as none. */
int slurm_verdict_read(const char *jobs_dir, const char *id, struct slurm_verdict *ret,
                       bool *ret_there, struct error *err);
void slurm_verdict_remove(const char *jobs_dir, const char *id);
void slurm_verdict_release(struct slurm_verdict *v);

/* The mark of `lethe cancel`. */
int slurm_jobs_mark_cancelled(const struct slurm_jobs *j, struct error *err);
bool slurm_jobs_cancelled(const struct slurm_jobs *j);
void slurm_jobs_clear_cancelled(const struct slurm_jobs *j);

#endif
