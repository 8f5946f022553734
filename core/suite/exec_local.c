#include "exec.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "child.h"
#include "exec_common.h"
#include "fs.h"
#include "log.h"
#include "progress.h"
#include "text.h"

struct slot { /* one worker in flight */
    struct child *child;
    unsigned task;
    char *workspace;
    uint64_t start_ns;
};

struct executor {
    struct plan *plan;
    struct store *store;
    const struct exec_options *options;
    struct exec_result *result;
    struct progress progress;
    struct slot *slot;
    unsigned n_slots, jobs;
    int signal_fd;
};

static bool ready(const struct plan *p, const struct task *t)
{
    if (t->state != TASK_WAITING)
        return false;
    for (unsigned i = 0; i < t->n_deps; i++)
        if (p->task[t->dep[i]].state != TASK_DONE)
            return false;
    return true;
}

static void on_hook_before(void *arg)
{
    progress_clear(arg);
}

/* Threads for one more task: all free cores when nothing else waits for them. The
 * number never changes a result (every kernel splits its work into fixed pieces). */
static unsigned threads_for(const struct executor *x, unsigned n_ready)
{
    unsigned wanted = x->n_slots + n_ready;
    return wanted >= x->jobs || wanted == 0 ? 1 : x->jobs / wanted;
}

static int start(struct executor *x, unsigned task, unsigned threads, struct error *err)
{
    struct slot s = {.task = task, .start_ns = fs_now_ns()};
    struct task *t = &x->plan->task[task];
    char *job_path = NULL, *log_path = NULL;
    json_t *job = NULL;
    int rc = store_workspace(x->store, t->id, &s.workspace, err);
    if (rc == 0) {
        job = plan_job(x->plan, task, x->store, s.workspace, threads);
        job_path = fs_join(s.workspace, "job.json");
        log_path = fs_join(s.workspace, "log.txt");
        rc = job && job_path && log_path ? json_write_file(job_path, job, err) : error_nomem(err);
    }
    const char *const args[] = {"task", job_path, NULL};
    struct child_options o = {.program = x->options->worker,
                              .args = args,
                              .log_path = log_path,
                              .wall_limit_s = t->plugin_path ? x->plan->suite->wall_limit_s : 0,
                              .memory_limit = t->plugin_path ? x->plan->suite->memory_limit : 0};
    if (rc == 0)
        rc = child_start(&o, &s.child, err);
    json_decref(job);
    free(job_path);
    free(log_path);
    if (rc < 0) {
        if (s.workspace)
            store_workspace_end(x->store, t->id, s.workspace, false);
        free(s.workspace);
        return rc;
    }
    t->state = TASK_RUNNING;
    x->slot[x->n_slots++] = s;
    return 0;
}

static int start_ready(struct executor *x, struct error *err)
{
    unsigned n_ready = 0;
    for (unsigned i = 0; i < x->plan->n; i++)
        n_ready += ready(x->plan, &x->plan->task[i]);
    for (unsigned i = 0; i < x->plan->n && x->n_slots < x->jobs && n_ready > 0; i++) {
        if (!ready(x->plan, &x->plan->task[i]))
            continue;
        TRY(start(x, i, threads_for(x, n_ready), err));
        n_ready--;
    }
    return 0;
}

static void settle(struct executor *x, struct slot *s)
{
    struct task *t = &x->plan->task[s->task];
    const struct child_result *r = child_result(s->child);
    bool stored = store_look(x->store, t->id, NULL) == STORE_PRESENT;
    bool ok = r->verdict == VERDICT_OK && stored;
    t->wall_s = r->wall_s;
    if (!ok && t->retries < 2 && exec_discard_corrupt(x->plan, x->store, &x->progress, r->reason)) {
        t->state = TASK_WAITING;
        t->retries++;
        store_workspace_end(x->store, t->id, s->workspace, false);
        return;
    }
    t->state = ok ? TASK_DONE : TASK_FAILED;
    t->verdict = ok ? VERDICT_OK : r->verdict == VERDICT_OK ? VERDICT_VANISHED : r->verdict;
    t->signal = r->signal;
    if (!ok)
        t->reason = text_dup(*r->reason ? r->reason : "the worker left no result in the store");
    store_workspace_end(x->store, t->id, s->workspace, !ok || t->plugin_path);
    x->result->n_run++;
    x->result->n_failed += !ok;
    progress_task(&x->progress, t);
    if (!ok)
        exec_skip_dependents(x->plan, &x->progress, x->result);
}

static int collect(struct executor *x, struct error *err)
{
    struct child *children[256];
    unsigned n = x->n_slots < 256 ? x->n_slots : 256;
    for (unsigned i = 0; i < n; i++)
        children[i] = x->slot[i].child;
    int rc = child_wait(children, n, 100, err);
    TRY(rc);
    for (unsigned i = 0; i < x->n_slots;) {
        struct slot *s = &x->slot[i];
        if (!child_ended(s->child)) {
            i++;
            continue;
        }
        settle(x, s);
        child_free(s->child);
        free(s->workspace);
        *s = x->slot[--x->n_slots];
    }
    return 0;
}

static void show(struct executor *x)
{
    struct progress_running running[256];
    unsigned n = x->n_slots < 256 ? x->n_slots : 256;
    for (unsigned i = 0; i < n; i++) {
        const struct slot *s = &x->slot[i];
        running[i] = (struct progress_running){&x->plan->task[s->task], child_fraction(s->child),
                                               (double)(fs_now_ns() - s->start_ns) / 1e9,
                                               child_what(s->child)};
    }
    progress_show(&x->progress, running, n);
}

static int take_signal(struct executor *x)
{
    struct signalfd_siginfo info;
    return read(x->signal_fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static int loop(struct executor *x, struct error *err)
{
    for (;;) {
        TRY(start_ready(x, err));
        if (x->n_slots == 0)
            return 0;
        TRY(collect(x, err));
        show(x);
        x->result->signal = take_signal(x);
        if (x->result->signal)
            return 0;
    }
}

static void stop_all(struct executor *x)
{
    for (unsigned i = 0; i < x->n_slots; i++) {
        struct slot *s = &x->slot[i];
        struct task *t = &x->plan->task[s->task];
        child_kill(s->child);
        child_free(s->child);
        store_workspace_end(x->store, t->id, s->workspace, false);
        free(s->workspace);
        t->state = TASK_WAITING;
    }
    x->n_slots = 0;
}

int exec_local(struct plan *p, struct store *store, const struct exec_options *options,
               struct exec_result *ret, struct error *err)
{
    struct exec_result result = {0};
    struct executor x = {.plan = p, .store = store, .options = options, .result = &result};
    sigset_t mask, old;
    uint64_t start_ns = fs_now_ns();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    x.jobs = options->jobs ? options->jobs : cores > 0 ? (unsigned)cores : 1;
    if (x.jobs > 256)
        x.jobs = 256;
    x.slot = calloc(x.jobs, sizeof(*x.slot));
    if (!x.slot)
        return error_nomem(err);
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &old);
    x.signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    progress_init(&x.progress, p, x.jobs, options->quiet);
    result.n_cached = x.progress.n_cached;
    log_set_hooks(on_hook_before, NULL, &x.progress);
    int rc = x.signal_fd >= 0 ? loop(&x, err)
                              : error_set(err, ERR_IO, "signalfd: cannot watch for Ctrl-C");
    stop_all(&x);
    progress_clear(&x.progress);
    log_set_hooks(NULL, NULL, NULL);
    if (x.signal_fd >= 0)
        close(x.signal_fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
    free(x.slot);
    result.wall_s = (double)(fs_now_ns() - start_ns) / 1e9;
    *ret = result;
    return rc;
}
