#include "run_executor.h"

#include <stdlib.h>
#include <string.h>

#include "exec_slurm.h"
#include "fs.h"
#include "log.h"
#include "run_record.h"
#include "text.h"

enum { OPT_EXECUTOR = 1024, OPT_SLURM_ARGS, OPT_DETACH };

static const struct argp_option options[] = {
    {"executor", OPT_EXECUTOR, "local|slurm", 0, "Where tasks run (default: local)", 0},
    {"slurm-args", OPT_SLURM_ARGS, "OPTIONS", 0,
     "Further options of sbatch, in one word: --slurm-args=\"--partition=long --account=lab\"", 0},
    {"detach", OPT_DETACH, 0, 0, "Submit to Slurm and return; the same command collects later", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct executor_options *o = state->input;
    switch (key) {
    case OPT_EXECUTOR:
        o->slurm = strcmp(arg, "slurm") == 0;
        if (!o->slurm && strcmp(arg, "local") != 0)
            argp_error(state, "--executor: expected local or slurm, found \"%s\"", arg);
        break;
    case OPT_SLURM_ARGS:
        o->slurm_args = arg;
        break;
    case OPT_DETACH:
        o->detach = true;
        break;
    case ARGP_KEY_END:
        if (!o->slurm && (o->detach || o->slurm_args))
            argp_error(state, "%s needs --executor slurm", o->detach ? "--detach" : "--slurm-args");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp executor_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

/* Path of this program, which the nodes start: the same on all of them. */
static int own_path(char **ret, struct error *err)
{
    char *dir = fs_program_dir();
    char *path = dir ? fs_join(dir, "lethe") : NULL;
    free(dir);
    if (!path)
        return error_nomem(err);
    *ret = path;
    return 0;
}

int executor_out_dir(const struct session_options *session, const struct session *s, char **ret,
                     struct error *err)
{
    char *wanted =
        session->out ? text_dup(session->out) : text_format("lethe-out/%s", s->suite.name);
    int rc = wanted ? fs_absolute(wanted, ret, err) : error_nomem(err);
    free(wanted);
    return rc;
}

static int run_slurm(const struct executor_options *o, const struct session_options *session,
                     struct session *s, const struct exec_options *exec, bool print,
                     struct exec_result *ret, struct error *err)
{
    char *program = NULL, *out = NULL, *key = NULL;
    int rc = own_path(&program, err);
    if (rc == 0)
        rc = executor_out_dir(session, s, &out, err);
    if (rc == 0)
        rc = (key = run_key(s->suite.name, out)) ? 0 : error_nomem(err);
    struct slurm_options slurm = {program, key, o->slurm_args, o->detach};
    if (rc == 0)
        rc = print ? exec_slurm_print(&s->plan, &s->store, exec, &slurm, err)
                   : exec_slurm(&s->plan, &s->store, exec, &slurm, ret, err);
    free(program);
    free(out);
    free(key);
    return rc;
}

static int open_record(const struct executor_options *o, const struct session_options *session,
                       const struct session *s, struct run_record **ret, struct error *err)
{
    char *out = NULL;
    TRY(executor_out_dir(session, s, &out, err));
    struct run_command command = {.out = out,
                                  .executor = o->slurm ? "slurm" : "local",
                                  .settings = session->setting,
                                  .only = session->only,
                                  .plugins = session->plugin,
                                  .scenario = session->scenario};
    *ret = run_record_new(&s->store, &s->suite, &command);
    free(out);
    return *ret ? 0 : error_nomem(err);
}

int executor_run(const struct executor_options *o, const struct session_options *session,
                 struct session *s, struct exec_options *exec, struct exec_result *ret,
                 struct error *err)
{
    struct exec_result x = {0};
    TRY(open_record(o, session, s, &exec->record, err));
    int rc = o->slurm ? run_slurm(o, session, s, exec, false, &x, err)
                      : exec_local(&s->plan, &s->store, exec, &x, err);
    run_record_end(exec->record, &s->plan,
                   rc < 0       ? "failed"
                   : x.signal   ? "interrupted"
                   : x.detached ? "detached"
                                : "finished");
    run_record_free(exec->record);
    exec->record = NULL;
    if (rc == 0)
        *ret = x;
    return rc;
}

int executor_print(const struct executor_options *o, const struct session_options *session,
                   unsigned jobs)
{
    struct error err = ERROR_INIT;
    struct session s;
    if (session_open(session, &s, &err) < 0)
        return cli_fail(&err);
    struct exec_options exec = {.jobs = jobs, .worker = s.worker};
    int rc = run_slurm(o, session, &s, &exec, true, NULL, &err);
    session_close(&s);
    return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

void executor_say_detached(const struct session *s, const char *suite, const struct exec_result *x,
                           struct run_events *events)
{
    unsigned left = 0;
    for (unsigned i = 0; i < s->plan.n; i++)
        left += s->plan.task[i].state == TASK_WAITING || s->plan.task[i].state == TASK_RUNNING;
    log_info("%u of %u tasks are done; %u %s with Slurm and go on without this program. `lethe "
             "status %s` shows them, `lethe cancel %s` ends them, and the same command%s collects "
             "them.",
             s->plan.n - left, s->plan.n, left, left == 1 ? "is" : "are", suite, suite,
             x->signal ? "" : " without --detach");
    if (events)
        run_events_write(events, x->signal ? "stopped" : "detached",
                         json_pack("{s:i,s:i,s:i,s:i}", "signal", x->signal, "done",
                                   (int)(s->plan.n - left), "tasks", (int)s->plan.n, "exit",
                                   x->signal ? 128 + x->signal : 0));
}
