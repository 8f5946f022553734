/* slurm_queue.h: what Slurm's queue holds of one suite.
 * A suite's jobs are known by their names, lethe-<tag>-<batch>, never by remembered ids: a
 * controller that lost its state hands out the same ids again. */
#ifndef SUITE_SLURM_QUEUE_H
#define SUITE_SLURM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum slurm_state {
    SLURM_GONE = 0, /* the queue does not know it */
    SLURM_PENDING,
    SLURM_RUNNING, /* or starting, or ending */
    SLURM_STUCK    /* Slurm holds it and will not start it again by itself */
};

struct slurm_element { /* one element of one array */
    unsigned batch, index;
    enum slurm_state state;
    char id[32], array[24]; /* as squeue gave them just now */
    char reason[64];        /* why it waits: "Resources", "Dependency" */
};

struct slurm_listing {
    struct slurm_element *element;
    size_t n;
};

/* Name of the jobs of one batch, or with batch < 0 the beginning of all names of the suite. */
void slurm_job_name(const char *tag, long batch, char ret[64]);
/* This user's jobs of the suite. ERR_IO: no answer; ERR_CANCELLED: see slurm_call. */
int slurm_list(const char *tag, int cancel_fd, struct slurm_listing *ret, struct error *err);
void slurm_listing_release(struct slurm_listing *l);
/* The same from text as squeue prints it (for tests). Lines of other jobs are passed over. */
int slurm_list_parse(const char *tag, char *text, struct slurm_listing *ret, struct error *err);

/* Most elements of one array as the controller says (MaxArraySize); 0: arrays are switched off. */
int slurm_max_array(int cancel_fd, unsigned *ret, struct error *err);
/* Ends what the queue holds of the suite; *ret_n: how many elements that were. */
int slurm_cancel_all(const char *tag, int cancel_fd, unsigned *ret_n, struct error *err);
/* Ends one element of a fresh listing. */
int slurm_cancel_element(const struct slurm_element *e, int cancel_fd, struct error *err);

#endif
