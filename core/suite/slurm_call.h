/* slurm_call.h: one run of a program of Slurm (sbatch, squeue, scancel, scontrol). */
#ifndef SUITE_SLURM_CALL_H
#define SUITE_SLURM_CALL_H

#include "error.h"

/* Runs argv (NULL-ended, found in PATH) and waits for its end, at most a minute; its standard
 * output without the last newline, malloc'd. cancel_fd: when that becomes readable the program is
 * ended (-1: none).
 * Errors: ERR_ENVIRONMENT names the package when the program is missing; ERR_IO when it fails or
 * takes too long, with the first line it complained with; ERR_CANCELLED after cancel_fd. */
int slurm_call(const char *const *argv, int cancel_fd, char **ret_text, struct error *err);

#endif
