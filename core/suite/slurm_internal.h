/* slurm_internal.h: what the files of the Slurm executor share. */
#ifndef SUITE_SLURM_INTERNAL_H
#define SUITE_SLURM_INTERNAL_H

#include "exec_slurm.h"
#include "progress.h"
#include "run_record.h"
#include "slurm_jobs.h"
#include "slurm_queue.h"
#include "words.h"

enum {
    SLURM_ATTEMPTS = 5,  /* of one task, with all its inputs there */
    SLURM_GONE_POLLS = 2 /* listings in a row without a task before it is sent again */
};

/* What the executor knows of a task beside the plan. */
struct slurm_task {
    enum slurm_state state;
    unsigned gone;             /* listings in a row that did not know it */
    unsigned attempts;         /* that had all inputs */
    bool counted;              /* the last submission is in attempts */
    unsigned refusals;         /* of nodes that are shut out since */
    unsigned batch;            /* of the last submission */
    uint64_t since_ns;         /* seen running since; 0: does not run */
    char array[24];            /* where it is queued, for those that wait for it */
    struct slurm_verdict last; /* of an attempt that is tried again; reason NULL: none */
    unsigned level;            /* of submission; see slurm_submit.c */
};

struct cluster {
    struct plan *plan;
    struct store *store;
    const struct exec_options *options;
    const struct slurm_options *slurm;
    struct exec_result *result;
    struct progress progress;
    struct slurm_jobs jobs;
    struct slurm_task *task; /* (n_tasks >= plan->n) */
    unsigned n_tasks;
    struct slurm_ids *batch; /* (n_batches) tasks of batches seen in the queue */
    unsigned n_batches;
    struct words args;    /* the user's options of sbatch */
    struct words exclude; /* nodes that refused */
    unsigned max_array;   /* 0: no arrays */
    int signal_fd;
    bool heard, warned; /* the queue answered this time; that sbatch refused was said */
    char *refusal;      /* what a node of another class said; NULL: none did */
    unsigned n_queued, n_running, n_looks, n_refusals;
    char waits_for[64], said[64]; /* why Slurm does not start what is queued; told already */
    uint64_t heard_ns, changed_ns;
};

/* ---- slurm_watch.c ---- */
/* Asks the queue and files the answer with the tasks. Silence is no error for ten minutes, or, not
 * patient, ERR_ENVIRONMENT at once. */
int slurm_hear(struct cluster *c, bool patient, struct error *err);
/* Takes results and verdicts from the store; the number of tasks that are not settled. */
int slurm_look(struct cluster *c, unsigned *ret_left, struct error *err);
/* As a task that is over. */
void slurm_settle(struct cluster *c, unsigned task, enum verdict verdict, int signal,
                  const char *reason, double wall_s);
/* Room for as many tasks as the plan has now. */
int slurm_grow(struct cluster *c, struct error *err);

/* ---- slurm_submit.c ---- */
/* Sends everything that is neither settled nor queued and whose inputs are stored, queued or sent
 * with it. print: writes the commands to stdout instead. */
int slurm_submit(struct cluster *c, bool print, struct error *err);

/* ---- slurm_sbatch.c ---- */
struct slurm_batch { /* one array while it is put together */
    unsigned *task, n, cap;
    char *wait;   /* ":id:id" of the arrays it waits for, or "" */
    bool limited; /* tasks of plugins, under the suite's limits */
    unsigned number;
    char *dir;
};
/* Writes its jobs and submits it (print: to stdout instead). Its tasks count as queued then. */
int slurm_send(struct cluster *c, struct slurm_batch *b, bool print, struct error *err);
int slurm_check_args(const struct words *args, struct error *err);
char *slurm_script_text(const struct cluster *c); /* malloc'd */

#endif
