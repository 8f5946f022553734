/* lethe debug: one task of a suite in the foreground, for a debugger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fs.h"
#include "log.h"
#include "text.h"

struct debug_options {
    struct session_options session;
    const char *task;
    bool print;
};

static const struct argp_option options[] = {
    {"print", 'p', 0, 0, "Write the job and print the command lines, but run nothing", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct debug_options *o = state->input;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &o->session;
    else if (key == 'p')
        o->print = true;
    else if (key == ARGP_KEY_ARG && o->session.suite && !o->task)
        o->task = arg;
    else if (key == ARGP_KEY_END && o->session.suite && !o->task)
        argp_error(state, "which task? Give its id, or text of its title; `lethe why --all "
                          "SUITE.yaml` lists those that would run");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "SUITE.yaml TASK",
    "Runs one task of a suite in the foreground, with its output on this terminal\n"
    "and one thread, and prints the command line that does the same under gdb. TASK\n"
    "is the beginning of an id, or text of a title. What the task needs must be in\n"
    "the store. The suite's time and memory limits hold, as in a run, but for the\n"
    "wall clock, which would end a debugging session.\v"
    "Examples:\n"
    "  lethe debug suite.yaml \"unlearn amun\"\n"
    "  lethe debug --print suite.yaml 3f2a",
    children,
    NULL,
    NULL,
};

static bool matches(const struct task *t, const char *text, bool exact)
{
    if (exact)
        return strcmp(t->id, text) == 0 || strcmp(t->title, text) == 0;
    return strncmp(t->id, text, strlen(text)) == 0 || strstr(t->title, text);
}

/* The one task that is meant: a whole id or title wins over a part of several. */
static int find_task(const struct plan *p, const char *text, unsigned *ret, struct error *err)
{
    for (int exact = 1; exact >= 0; exact--) {
        unsigned n = 0, first = 0, second = 0;
        for (unsigned i = 0; i < p->n; i++) {
            if (!matches(&p->task[i], text, exact))
                continue;
            *(n == 0 ? &first : &second) = i;
            n++;
        }
        if (n > 1)
            return error_set(err, ERR_INVALID,
                             "\"%s\" means %u tasks, among them \"%s\" (%.12s) and \"%s\" (%.12s); "
                             "give more of the title, or an id",
                             text, n, p->task[first].title, p->task[first].id,
                             p->task[second].title, p->task[second].id);
        if (n == 1) {
            *ret = first;
            return 0;
        }
    }
    return error_set(err, ERR_INVALID,
                     "no task of this suite has the id or title \"%s\"; `lethe why --all` lists "
                     "those that would run",
                     text);
}

static int check_inputs(const struct plan *p, const struct task *t, struct error *err)
{
    for (unsigned i = 0; i < t->n_deps; i++) {
        const struct task *dep = &p->task[t->dep[i]];
        if (!dep->cached)
            return error_set(err, ERR_INVALID,
                             "\"%s\" needs \"%s\" (%.12s), which is not in the store; debug that "
                             "first, or make it with `lethe run`",
                             t->title, dep->title, dep->id);
    }
    return 0;
}

/* Beside the store's own workspaces, which end with their process: this one stays for gdb. */
static int write_job(const struct session *s, unsigned task, char **ret_path, struct error *err)
{
    char *dir = text_format("%s/debug/%.16s", s->store.dir, s->plan.task[task].id);
    char *out = dir ? fs_join(dir, "out") : NULL;
    char *path = dir ? fs_join(dir, "job.json") : NULL;
    json_t *job = dir ? plan_job(&s->plan, task, &s->store, dir, 1) : NULL;
    int rc = out && path && job ? fs_remove_tree(dir, err) : error_nomem(err);
    if (rc == 0)
        rc = fs_mkdirs(out, err);
    if (rc == 0)
        rc = json_write_file(path, job, err);
    json_decref(job);
    free(out);
    free(dir);
    if (rc < 0) {
        free(path);
        return rc;
    }
    *ret_path = path;
    return 0;
}

static int prepare(const struct debug_options *o, struct session *s, char **ret_job,
                   struct error *err)
{
    unsigned task = 0;
    TRY(find_task(&s->plan, o->task, &task, err));
    TRY(check_inputs(&s->plan, &s->plan.task[task], err));
    TRY(write_job(s, task, ret_job, err));
    fprintf(stderr, "%s (%s)\n", s->plan.task[task].title, s->plan.task[task].id);
    char *log = store_log(&s->store, s->plan.task[task].id);
    if (log && fs_exists(log))
        log_info("what it printed in the last run: %s", log);
    free(log);
    if (s->plan.task[task].cached)
        log_info("the store holds its result already; this run's is dropped at the end");
    fprintf(o->print ? stdout : stderr,
            "  OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 gdb --args '%s' task '%s'\n", s->worker,
            *ret_job);
    return 0;
}

int cmd_debug(int argc, char **argv)
{
    struct debug_options o = {0};
    struct error err = ERROR_INIT;
    struct session s;
    char *job = NULL;
    int code = cli_parse(&argp, argc, argv, &o);
    if (code >= 0) {
        session_options_release(&o.session);
        return code;
    }
    int rc = session_open(&o.session, &s, &err);
    if (rc < 0) {
        session_options_release(&o.session);
        return cli_fail(&err);
    }
    rc = prepare(&o, &s, &job, &err);
    if (rc == 0 && !o.print) {
        fflush(NULL);
        execl(s.worker, "lethe-worker", "task", job, (char *)NULL);
        rc = error_set(&err, ERR_ENVIRONMENT, "cannot run %s", s.worker);
    }
    code = rc < 0 ? cli_fail(&err) : EXIT_OK;
    free(job);
    session_close(&s);
    session_options_release(&o.session);
    return code;
}
