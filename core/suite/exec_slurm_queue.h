/* exec_slurm_queue.h: Slurm's commands, as seen by the executor. */
#ifndef SUITE_EXEC_SLURM_QUEUE_H
#define SUITE_EXEC_SLURM_QUEUE_H

#include <stdbool.h>

#include "error.h"

/* Runs argv (NULL-ended, found in PATH); its stdout as text, malloc'd. ERR_ENVIRONMENT names the
 * package when the program is missing; ERR_IO when it fails, with what it printed. */
int slurm_call(const char *const *argv, char **ret_text, struct error *err);
/* Largest number of elements of one array. */
int slurm_max_array(unsigned *ret, struct error *err);
/* Elements of this user's jobs of that name which wait, run or end. ERR_IO: no answer. */
int slurm_count(const char *name, unsigned *ret_pending, unsigned *ret_running, struct error *err);
/* Ends them all. */
int slurm_cancel(const char *name, struct error *err);

#endif
