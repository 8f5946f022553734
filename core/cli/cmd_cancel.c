/* lethe cancel: ends what one suite has in Slurm's queue, and only that. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "run_record.h"
#include "run_target.h"
#include "slurm_jobs.h"
#include "slurm_queue.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    NULL,
    parse,
    "SUITE.yaml|DIR",
    "Ends what a suite, or the run that reports into DIR, has in Slurm's queue, and\n"
    "nothing else there. A run that is attached to it, or that runs on this machine,\n"
    "is told to stop. What is done stays in the store; the same `lethe run` goes on\n"
    "from there.",
    children,
    NULL,
    NULL,
};

/* Its process ends by itself when it sees the mark, or, when it runs tasks here, by SIGTERM. */
static bool stop_process(const json_t *record)
{
    const char *executor = json_string_value(json_object_get(record, "executor"));
    json_int_t pid = json_integer_value(json_object_get(record, "pid"));
    if (!record || !run_record_alive(record))
        return false;
    bool local = executor && strcmp(executor, "local") == 0;
    if (local && kill((pid_t)pid, SIGTERM) != 0)
        return false;
    log_info("process %lld is told to stop", (long long)pid);
    return true;
}

static int cancel_jobs(const struct run_target *t, unsigned *ret_n, bool *ret_there,
                       struct error *err)
{
    struct store store;
    struct slurm_jobs jobs;
    if (!t->key) /* nothing was ever run */
        return 0;
    TRY(store_open(t->session.store, &store, err));
    int rc = slurm_jobs_find(&store, t->key, &jobs, ret_there, err);
    store_release(&store);
    if (rc == 0 && *ret_there) {
        rc = slurm_jobs_mark_cancelled(&jobs, err); /* first: nothing new is sent from now on */
        if (rc == 0)
            rc = slurm_cancel_all(jobs.tag, -1, ret_n, err);
        slurm_jobs_release(&jobs);
    }
    return rc;
}

int cmd_cancel(int argc, char **argv)
{
    struct session_options o = {0};
    struct error err = ERROR_INIT;
    struct run_target target = {0};
    unsigned n = 0;
    bool there = false;
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0) {
        int rc = run_target_find(&o, &target, &err);
        if (rc == 0)
            rc = cancel_jobs(&target, &n, &there, &err);
        bool told = rc == 0 && stop_process(target.record);
        if (rc == 0 && there)
            log_info("%u queued or running task%s of this run ended", n, n == 1 ? "" : "s");
        else if (rc == 0 && !told)
            log_info("nothing of this run is queued or running");
        code = rc < 0 ? cli_fail(&err) : EXIT_OK;
        run_target_release(&target);
    }
    session_options_release(&o);
    return code;
}
