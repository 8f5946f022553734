#include "exec_slurm.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fs.h"
#include "log.h"
#include "slurm_internal.h"
#include "text.h"

enum { MAX_SHOWN = 64, MAX_REFUSALS = 5, MIN_POLL_MS = 300, MAX_POLL_MS = 15000 };

/* ---- opening and closing ---- */

static int cluster_open(struct cluster *c, struct error *err)
{
    c->signal_fd = -1;
    c->heard_ns = c->changed_ns = fs_now_ns();
    if (c->slurm->args) {
        TRY(words_split(&c->args, c->slurm->args, err));
        TRY(slurm_check_args(&c->args, err));
    }
    TRY(slurm_max_array(-1, &c->max_array, err));
    return slurm_grow(c, err);
}

static void cluster_release(struct cluster *c)
{
    for (unsigned i = 0; i < c->n_tasks; i++)
        slurm_verdict_release(&c->task[i].last);
    for (unsigned i = 0; i < c->n_batches && c->batch; i++)
        slurm_ids_release(&c->batch[i]);
    free(c->task);
    free(c->batch);
    free(c->refusal);
    words_release(&c->args);
    words_release(&c->exclude);
    slurm_jobs_release(&c->jobs);
}

/* ---- waiting ---- */

/* Soon after something happened, ever more seldom while nothing does: the queue serves everybody.
 */
static int poll_ms(const struct cluster *c)
{
    uint64_t idle_ms = (fs_now_ns() - c->changed_ns) / 1000000;
    return idle_ms / 10 < MIN_POLL_MS   ? MIN_POLL_MS
           : idle_ms / 10 > MAX_POLL_MS ? MAX_POLL_MS
                                        : (int)(idle_ms / 10);
}

static int take_signal(const struct cluster *c, int timeout_ms)
{
    struct pollfd p = {c->signal_fd, POLLIN, 0};
    struct signalfd_siginfo info;
    if (poll(&p, 1, timeout_ms) <= 0)
        return 0;
    return read(c->signal_fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static void show(struct cluster *c)
{
    struct progress_running running[MAX_SHOWN];
    unsigned n = 0;
    for (unsigned i = 0; i < c->plan->n && n < MAX_SHOWN; i++)
        if (c->plan->task[i].state == TASK_RUNNING)
            running[n++] = (struct progress_running){
                &c->plan->task[i], 0, (double)(fs_now_ns() - c->task[i].since_ns) / 1e9, ""};
    if (c->n_running + c->n_queued > 0 && c->n_running == 0 && *c->waits_for &&
        strcmp(c->waits_for, c->said) != 0 && fs_now_ns() - c->changed_ns > 20000000000ull) {
        snprintf(c->said, sizeof(c->said), "%s", c->waits_for);
        log_info("%u tasks are queued and none runs; Slurm's reason: %s", c->n_queued,
                 c->waits_for);
    }
    progress_show(&c->progress, running, n);
    run_record_update(c->options->record, c->plan, running, n,
                      progress_eta(&c->progress, running, n));
}

/* ---- submitting ---- */

/* Every node that the user's options allow is of another class: what was refused cannot run. */
static void settle_refused(struct cluster *c)
{
    for (unsigned i = 0; i < c->plan->n; i++)
        if (c->plan->task[i].state == TASK_WAITING && c->task[i].last.refused)
            slurm_settle(c, i, VERDICT_FAILED, 0, c->refusal, 0);
}

/* Limits on submitted jobs make sbatch refuse for a while; only with nothing of ours in the queue
 * it will not get better by waiting. */
static int submit(struct cluster *c, struct error *err)
{
    struct error why = ERROR_INIT;
    int rc = slurm_submit(c, false, &why);
    if (rc == 0) {
        c->n_refusals = 0;
        c->warned = false;
    }
    if (rc == 0 || rc == ERR_CANCELLED)
        return 0;
    if (rc != ERR_IO)
        return error_set(err, rc, "%s", why.text);
    if (c->refusal && strstr(why.text, "node configuration")) {
        settle_refused(c);
        return 0;
    }
    if (c->n_queued + c->n_running == 0 && ++c->n_refusals >= MAX_REFUSALS)
        return error_set(err, ERR_ENVIRONMENT, "Slurm takes no jobs: %s", why.text);
    if (!c->warned)
        log_warning("%s; the rest is sent later", why.text);
    c->warned = true;
    return 0;
}

static bool all_sent(const struct cluster *c)
{
    for (unsigned i = 0; i < c->plan->n; i++)
        if (c->plan->task[i].state == TASK_WAITING && c->task[i].state == SLURM_GONE)
            return false;
    return true;
}

/* ---- the run ---- */

static int loop(struct cluster *c, struct error *err)
{
    unsigned left;
    for (;;) {
        TRY(slurm_grow(c, err));
        TRY(slurm_hear(c, true, err));
        TRY(slurm_look(c, &left, err));
        if (left == 0)
            return 0;
        if (slurm_jobs_cancelled(&c->jobs))
            return error_set(err, ERR_CANCELLED,
                             "`lethe cancel` ended what was queued; the same command goes on from "
                             "what is done");
        if (c->heard)
            TRY(submit(c, err));
        show(c);
        c->result->detached = c->slurm->detach && c->heard && all_sent(c);
        if (c->result->detached)
            return 0;
        c->result->signal = take_signal(c, poll_ms(c));
        if (c->result->signal)
            return 0;
    }
}

/* Everything is settled: what is still queued would do nothing. */
static int tidy(struct cluster *c, struct error *err)
{
    unsigned n = 0;
    struct error ignored = ERROR_INIT;
    if (slurm_cancel_all(c->jobs.tag, c->signal_fd, &n, &ignored) < 0)
        log_debug("%s", ignored.text);
    return slurm_jobs_remove(&c->jobs, err);
}

static bool all_settled(const struct plan *p)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->task[i].state <= TASK_RUNNING)
            return false;
    return true;
}

static int run(struct cluster *c, struct error *err)
{
    if (all_settled(c->plan))
        return 0;
    TRY(cluster_open(c, err));
    TRY(slurm_jobs_open(c->store, c->slurm->key, &c->jobs, err));
    slurm_jobs_clear_cancelled(&c->jobs);
    sigset_t mask, old;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &old);
    c->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    int rc = c->signal_fd >= 0 ? loop(c, err)
                               : error_set(err, ERR_IO, "signalfd: cannot watch for Ctrl-C");
    if (rc == 0 && all_settled(c->plan))
        rc = tidy(c, err);
    if (c->signal_fd >= 0)
        close(c->signal_fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return rc;
}

static void on_hook_before(void *arg)
{
    progress_clear(arg);
}

int exec_slurm(struct plan *p, struct store *store, const struct exec_options *options,
               const struct slurm_options *slurm, struct exec_result *ret, struct error *err)
{
    struct exec_result result = {0};
    struct cluster c = {
        .plan = p, .store = store, .options = options, .slurm = slurm, .result = &result};
    uint64_t start_ns = fs_now_ns();
    progress_init(&c.progress, p, 1, options->quiet);
    result.n_cached = c.progress.n_cached;
    c.progress.n_total += options->n_later + options->n_before;
    c.progress.n_done += options->n_before;
    c.progress.events = options->events;
    run_events_start(options->events, p, &c.progress);
    log_set_hooks(on_hook_before, NULL, &c.progress);
    int rc = run(&c, err);
    progress_clear(&c.progress);
    log_set_hooks(NULL, NULL, NULL);
    cluster_release(&c);
    result.wall_s = (double)(fs_now_ns() - start_ns) / 1e9;
    *ret = result;
    return rc;
}

/* ---- looking without doing ---- */

static int print(struct cluster *c, struct error *err)
{
    bool there = false;
    TRY(cluster_open(c, err));
    TRY(slurm_jobs_find(c->store, c->slurm->key, &c->jobs, &there, err));
    if (there) {
        TRY(slurm_hear(c, false, err));
    } else { /* the real tag is drawn when jobs are submitted */
        c->jobs =
            (struct slurm_jobs){text_format("%s/jobs/%s", c->store->dir, c->slurm->key), "TAG"};
        if (!c->jobs.dir)
            return error_nomem(err);
    }
    c->n_batches = 0;
    char *script = slurm_script_text(c);
    if (!script)
        return error_nomem(err);
    printf("cat >%s/step.sh <<'END'\n%sEND\n", c->jobs.dir, script);
    free(script);
    return slurm_submit(c, true, err);
}

int exec_slurm_print(struct plan *p, struct store *store, const struct exec_options *options,
                     const struct slurm_options *slurm, struct error *err)
{
    struct cluster c = {.plan = p, .store = store, .options = options, .slurm = slurm};
    int rc = print(&c, err);
    cluster_release(&c);
    return rc;
}

int exec_slurm_states(struct plan *p, struct store *store, const char *key, unsigned char *state,
                      struct error *err)
{
    struct cluster c = {.plan = p, .store = store, .signal_fd = -1};
    bool there = false;
    memset(state, SLURM_GONE, p->n);
    TRY(slurm_jobs_find(store, key, &c.jobs, &there, err));
    if (!there)
        return 0;
    int rc = slurm_grow(&c, err);
    if (rc == 0)
        rc = slurm_hear(&c, false, err);
    for (unsigned i = 0; rc == 0 && i < p->n; i++)
        state[i] = (unsigned char)c.task[i].state;
    cluster_release(&c);
    return rc;
}
