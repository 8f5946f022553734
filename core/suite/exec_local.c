#include "exec.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "child.h"
#include "exec_common.h"
#include "exec_memory.h"
#include "exec_queue.h"
#include "fs.h"
#include "log.h"
#include "progress.h"
#include "run_record.h"
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
    struct exec_queue queue;
    struct exec_memory memory;
    struct slot *slot;
    unsigned n_slots, jobs;
    int signal_fd;
};

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
        return rc == ERR_IO ? exec_check_store(x->store, err->text, err) < 0 ? err->code : rc : rc;
    }
    t->state = TASK_RUNNING;
    x->slot[x->n_slots++] = s;
    run_events_running(x->options->events, t, threads);
    return 0;
}

/* One worker may always run: what is too large for the machine alone says so itself. */
static bool fits(struct executor *x, const struct task *t)
{
    if (x->n_slots == 0)
        return true;
    exec_memory_begin(&x->memory);
    for (unsigned i = 0; i < x->n_slots; i++)
        exec_memory_add(&x->memory, x->plan->task[x->slot[i].task].kind,
                        child_held_bytes(x->slot[i].child));
    return exec_memory_allows(&x->memory, t->kind, exec_memory_available());
}

static int start_ready(struct executor *x, struct error *err)
{
    while (x->n_slots < x->jobs) {
        uint32_t next = exec_queue_top(&x->queue);
        if (next == NO_TASK || !fits(x, &x->plan->task[next]))
            return 0;
        unsigned threads = threads_for(x, x->queue.n_heap);
        exec_queue_pop(&x->queue);
        TRY(start(x, next, threads, err));
    }
    return 0;
}

/* Fails when the store does, which is no fault of the task. */
static int settle(struct executor *x, struct slot *s, struct error *err)
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
        exec_queue_refresh(&x->queue);
        run_events_ended(x->options->events, t, &x->progress);
        return 0;
    }
    if (!ok && exec_check_store(x->store, r->reason, err) < 0) {
        t->state = TASK_WAITING;
        store_workspace_end(x->store, t->id, s->workspace, false);
        return err->code;
    }
    t->state = ok ? TASK_DONE : TASK_FAILED;
    t->verdict = ok ? VERDICT_OK : r->verdict == VERDICT_OK ? VERDICT_VANISHED : r->verdict;
    t->signal = r->signal;
    if (!ok)
        t->reason = text_dup(*r->reason ? r->reason : "the worker left no result in the store");
    store_workspace_end(x->store, t->id, s->workspace, !ok || t->plugin_path);
    x->result->n_run++;
    x->result->n_failed += !ok;
    exec_memory_learn(&x->memory, t->kind, r->peak_bytes);
    progress_task(&x->progress, t);
    if (ok)
        exec_queue_done(&x->queue, s->task);
    else
        exec_skip_dependents(x->plan, &x->progress, x->result);
    return 0;
}

static int collect(struct executor *x, struct error *err)
{
    struct child *children[256];
    unsigned n = x->n_slots < 256 ? x->n_slots : 256;
    for (unsigned i = 0; i < n; i++)
        children[i] = x->slot[i].child;
    int rc = child_wait(children, n, 100, err);
    TRY(rc < 0 ? rc : 0);
    for (unsigned i = 0; i < x->n_slots;) {
        struct slot *s = &x->slot[i];
        if (!child_ended(s->child)) {
            i++;
            continue;
        }
        rc = settle(x, s, err);
        child_free(s->child);
        free(s->workspace);
        *s = x->slot[--x->n_slots];
        TRY(rc);
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
    run_record_update(x->options->record, x->plan, running, n,
                      progress_eta(&x->progress, running, n));
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
    x.progress.n_total += options->n_later + options->n_before;
    x.progress.n_done += options->n_before;
    x.progress.events = options->events;
    run_events_start(options->events, p, &x.progress);
    exec_memory_init(&x.memory, p, store, options->memory);
    log_set_hooks(on_hook_before, NULL, &x.progress);
    int rc = exec_queue_init(&x.queue, p, err);
    if (rc == 0)
        rc = x.signal_fd >= 0 ? loop(&x, err)
                              : error_set(err, ERR_IO, "signalfd: cannot watch for Ctrl-C");
    stop_all(&x);
    progress_clear(&x.progress);
    log_set_hooks(NULL, NULL, NULL);
    if (x.signal_fd >= 0)
        close(x.signal_fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
    exec_queue_release(&x.queue);
    free(x.slot);
    result.wall_s = (double)(fs_now_ns() - start_ns) / 1e9;
    *ret = result;
    return rc;
}
