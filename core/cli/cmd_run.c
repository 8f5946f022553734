/* lethe run: a suite from nothing, or from where it stopped, to its report. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "exec.h"
#include "fs.h"
#include "gather.h"
#include "log.h"
#include "manifest.h"
#include "report.h"
#include "report_end.h"
#include "run_executor.h"
#include "text.h"

struct run_options {
    struct session_options session;
    struct executor_options executor;
    unsigned jobs;
    uint64_t memory;
    bool dry_run, quiet, no_figures;
    struct run_events *events; /* --json; else NULL */
};

enum { OPT_DRY_RUN = 512, OPT_OUT, OPT_NO_FIGURES, OPT_MEMORY };

static const struct argp_option options[] = {
    {"jobs", 'j', "N", 0, "Tasks at a time (default: one a core)", 0},
    {"memory", OPT_MEMORY, "SIZE", 0,
     "What all workers together may take, such as 6GiB (default: what the machine has left)", 0},
    {"out", OPT_OUT, "DIR", 0, "Where the report goes (default: ./lethe-out/SUITE)", 0},
    {"dry-run", OPT_DRY_RUN, 0, 0, "Print the plan, or what Slurm would get, and stop", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {"no-figures", OPT_NO_FIGURES, 0, 0, "Do not draw figures", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;
    int64_t n;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->session;
        state->child_inputs[1] = &o->executor;
        break;
    case 'j':
        if (!text_to_int(arg, &n) || n < 1 || n > 256)
            argp_error(state, "--jobs: expected a number from 1 to 256, found \"%s\"", arg);
        o->jobs = (unsigned)n;
        break;
    case OPT_MEMORY:
        if (!text_to_bytes(arg, &o->memory) || o->memory == 0)
            argp_error(state, "--memory: expected a size such as 6GiB, found \"%s\"", arg);
        break;
    case OPT_OUT:
        o->session.out = arg;
        break;
    case OPT_DRY_RUN:
        o->dry_run = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    case OPT_NO_FIGURES:
        o->no_figures = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_child children[] = {
    {&session_argp, 0, NULL, 0}, {&executor_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "SUITE.yaml",
    "Runs everything that a suite asks for and that the store does not hold yet,\n"
    "then writes runs.csv, leaderboard.csv, costs.csv, curves/, figures/, logs/,\n"
    "index.html and manifest.json, and prints the leaderboard. The same command resumes after any\n"
    "interruption.\v"
    "Examples:\n"
    "  lethe run benchmarks/fashion-mnist-quick.yaml\n"
    "  lethe run suite.yaml --set train.epochs=5 --set seeds.model=[1,2,3]\n"
    "  lethe run suite.yaml --only amun,finetune --scenario random-0.1\n"
    "  lethe run suite.yaml --executor slurm --slurm-args=--partition=long --detach\n"
    "\nExit codes: 0 all rows ok; 1 some rows failed; 2 usage or suite error; 3\n"
    "something is missing on this machine; 128+n ended by signal n.",
    children,
    NULL,
    NULL,
};

static void end_event(const struct run_options *o, const struct results *r,
                      const struct exec_result *x, const char *out_dir, unsigned n_bad, int code)
{
    if (!o->events)
        return;
    run_events_write(o->events, "end",
                     json_pack("{s:s,s:s,s:{s:i,s:i,s:i,s:i},s:i,s:i,s:f,s:i}", "suite", r->suite,
                               "out", out_dir, "tasks", "run", (int)x->n_run, "cached",
                               (int)x->n_cached, "failed", (int)x->n_failed, "skipped",
                               (int)x->n_skipped, "rows", (int)r->n_rows, "rows_failed", (int)n_bad,
                               "wall_s", x->wall_s, "exit", code));
}

static int say_interrupted(const struct run_options *o, const struct exec_result *x,
                           const struct plan *p)
{
    unsigned left = 0;
    for (unsigned i = 0; i < p->n; i++)
        left += p->task[i].state == TASK_WAITING;
    log_info("stopped by signal %d; %u of %u tasks are done and kept. The same command goes on "
             "from there.",
             x->signal, p->n - left, p->n);
    if (o->events)
        run_events_write(o->events, "stopped",
                         json_pack("{s:i,s:i,s:i,s:i}", "signal", x->signal, "done",
                                   (int)(p->n - left), "tasks", (int)p->n, "exit",
                                   128 + x->signal));
    return 128 + x->signal;
}

static int finish(const struct run_options *o, struct session *s, const struct exec_result *x,
                  const char *out_dir, struct error *err)
{
    struct results r;
    struct error report_err = ERROR_INIT;
    if (x->signal && !o->executor.slurm)
        return say_interrupted(o, x, &s->plan);
    if (x->signal || x->detached) {
        executor_say_detached(s, o->session.suite, x, o->events);
        return x->signal ? 128 + x->signal : EXIT_OK;
    }
    if (session_gather(s, &r, err) < 0)
        return cli_fail(err);
    struct report_end end = {.out_dir = out_dir, .no_figures = o->no_figures};
    int report_rc = report_end_write(s, &r, &end, &report_err);
    unsigned n_bad = report_end_bad_rows(&s->suite, &r);
    if (!o->events)
        report_print(&r, stdout, report_end_columns(), err);
    int code = n_bad ? EXIT_SOME_FAILED : EXIT_OK;
    if (report_rc < 0) {
        int failed = cli_fail(&report_err);
        code = code == EXIT_OK || failed != EXIT_ENVIRONMENT ? failed : code;
    }
    end_event(o, &r, x, out_dir, n_bad, code);
    results_release(&r);
    if (!o->quiet) {
        char took[32];
        text_duration(x->wall_s, took);
        log_info("%u tasks run, %u from the store, %u failed, %u skipped, in %s; report in %s",
                 x->n_run, x->n_cached, x->n_failed, x->n_skipped, took, out_dir);
    }
    return code;
}

/* Both stages of a suite with `tune:`, the only one of others. */
static int execute(const struct run_options *o, struct session *s, struct exec_result *ret,
                   struct error *err)
{
    struct exec_options exec = {.jobs = o->jobs,
                                .worker = s->worker,
                                .quiet = o->quiet,
                                .memory = o->memory,
                                .events = o->events};
    struct session_stage stage = {0};
    struct exec_result second;
    bool two = s->has_trials;
    exec.n_later = session_later(s);
    TRY(executor_run(&o->executor, &o->session, s, &exec, ret, err));
    if (!two || ret->signal || ret->detached)
        return 0;
    TRY(session_choose(s, &o->session, &stage, err));
    exec.n_later = 0;
    exec.n_before = stage.n_left;
    TRY(executor_run(&o->executor, &o->session, s, &exec, &second, err));
    ret->n_cached += stage.n_new_cached;
    ret->n_run += second.n_run;
    ret->n_failed += second.n_failed;
    ret->n_skipped += second.n_skipped;
    ret->wall_s += second.wall_s;
    ret->signal = second.signal;
    ret->detached = second.detached;
    return 0;
}

static int fail(const struct run_options *o, const struct error *err)
{
    int code = cli_fail(err);
    if (o->events)
        run_events_write(o->events, "error",
                         json_pack("{s:s,s:i}", "text", err->text, "exit", code));
    return code;
}

static int run(const struct run_options *o)
{
    struct error err = ERROR_INIT;
    struct session s;
    struct exec_result x;
    if (session_open(&o->session, &s, &err) < 0)
        return fail(o, &err);
    char *out_dir = NULL;
    int rc = executor_out_dir(&o->session, &s, &out_dir, &err);
    if (rc == 0)
        rc = manifest_check_dir(out_dir, s.suite.name, &err);
    if (rc == 0)
        rc = fs_mkdirs(out_dir, &err);
    if (rc == 0)
        rc = execute(o, &s, &x, &err);
    int code = rc < 0 ? fail(o, &err) : finish(o, &s, &x, out_dir, &err);
    free(out_dir);
    session_close(&s);
    return code;
}

int cmd_run(int argc, char **argv)
{
    struct run_options o = {0};
    struct run_events events = {.out = stdout, .start_ns = fs_now_ns()};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0 && o.dry_run) {
        code = o.executor.slurm ? executor_print(&o.executor, &o.session, o.jobs)
                                : cmd_plan_session(&o.session);
    } else if (code < 0) {
        o.events = o.session.json ? &events : NULL;
        code = run(&o);
    }
    session_options_release(&o.session);
    return code;
}
