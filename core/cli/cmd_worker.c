/* lethe worker: one task of a plan on a node of a cluster; the scripts that `lethe run --executor
 * slurm` submits start it. */
#include <stdlib.h>

#include "cli.h"
#include "exec_slurm.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const char **job = state->input;
    if (key == ARGP_KEY_ARG && !*job)
        *job = arg;
    else if (key == ARGP_KEY_END && !*job)
        argp_error(state, "which job? Name a file that `lethe run --executor slurm` wrote");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp argp = {
    NULL,
    parse,
    "JOB.json",
    "Runs one task as an element of a Slurm array. Does nothing when the store holds\n"
    "its result already. A task that fails leaves its verdict in the store.\v"
    "Exit codes: 0 the result is in the store; 1 the task failed; 3 this node lacks\n"
    "something; 4 an input is not in the store.",
    NULL,
    NULL,
    NULL,
};

int cmd_worker(int argc, char **argv)
{
    const char *job = NULL;
    struct error err = ERROR_INIT;
    int code = cli_parse(&argp, argc, argv, &job);
    if (code >= 0)
        return code;
    char *worker = child_worker_path(&err);
    int rc = worker ? slurm_step(job, worker, &code, &err) : err.code;
    free(worker);
    return rc < 0 ? cli_fail(&err) : code;
}
