/* run_executor.h: where the tasks of `lethe run` are run. */
#ifndef CLI_RUN_EXECUTOR_H
#define CLI_RUN_EXECUTOR_H

#include "cli.h"
#include "exec.h"

struct executor_options {
    bool slurm, detach;
    const char *slurm_args; /* NULL: none */
};
extern const struct argp executor_argp; /* child parser; its input is an executor_options */

/* Runs the session's plan with the executor that was chosen, and keeps a record of it for `lethe
 * status`. exec->record is overwritten. */
int executor_run(const struct executor_options *o, const struct session_options *session,
                 struct session *s, struct exec_options *exec, struct exec_result *ret,
                 struct error *err);
/* lethe run --executor slurm --dry-run: prints the jobs that would be submitted. Exit code. */
int executor_print(const struct executor_options *o, const struct session_options *session,
                   unsigned jobs);
/* The folder that gets the report, absolute; malloc'd. */
int executor_out_dir(const struct session_options *session, const struct session *s, char **ret,
                     struct error *err);
/* How to follow, end and collect what Slurm goes on with. suite: as on the command line; events:
 * may be NULL. */
void executor_say_detached(const struct session *s, const char *suite, const struct exec_result *x,
                           struct run_events *events);

#endif
