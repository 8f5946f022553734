#include "exec_slurm.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "exec_slurm_queue.h"
#include "fs.h"
#include "log.h"
#include "progress.h"
#include "strbuf.h"
#include "text.h"

enum { MAX_RETRIES = 3, POLL_MS = 500, SILENT_S = 600 };

struct cluster {
    struct plan *plan;
    struct store *store;
    const struct slurm_options *options;
    struct exec_result *result;
    struct progress progress;
    char run[40];       /* also the jobs' name */
    char *dir, *record; /* jobs/<run>, jobs/<suite>.json */
    unsigned *level;    /* (plan->n) 1 + the longest chain of missing inputs */
    unsigned max_array, n_batches, n_stalls, n_empty, n_done_then;
    int signal_fd;
};

/* ---- submission ---- */

static unsigned find_levels(struct cluster *c)
{
    unsigned top = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned i = 0; i < c->plan->n; i++) {
            const struct task *t = &c->plan->task[i];
            unsigned level = t->state == TASK_WAITING;
            for (unsigned k = 0; level && k < t->n_deps; k++)
                if (c->level[t->dep[k]] + 1 > level)
                    level = c->level[t->dep[k]] + 1;
            changed |= level != c->level[i];
            c->level[i] = level;
            top = level > top ? level : top;
        }
    }
    return top;
}

static char *script_text(const struct cluster *c)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_adds(&b, "#!/bin/sh\n# One element of an array: job $SLURM_ARRAY_TASK_ID of folder $1.\n"
                    "exec '");
    for (const char *p = c->options->program; *p; p++) {
        if (*p == '\'')
            strbuf_adds(&b, "'\\'");
        strbuf_addc(&b, *p);
    }
    strbuf_adds(&b, "' worker \"$1/$SLURM_ARRAY_TASK_ID.json\"\n");
    return strbuf_detach(&b);
}

static int write_job(const struct cluster *c, unsigned task, const char *dir, unsigned element,
                     struct error *err)
{
    const struct task *t = &c->plan->task[task];
    json_t *job = plan_job(c->plan, task, c->store, "", 1);
    json_t *inputs = json_array();
    char *path = text_format("%s/%u.json", dir, element);
    char *old = text_format("%s/failed/%s.json", c->store->dir, t->id);
    int bad = !job || !inputs || !path || !old;
    for (unsigned k = 0; !bad && k < t->n_deps; k++)
        bad |= json_array_append_new(inputs, json_string(c->plan->task[t->dep[k]].id));
    bad = bad || json_object_set(job, "inputs", inputs) ||
          json_object_set_new(job, "run", json_string(c->run)) ||
          json_object_set(job, "numerics", json_object_get(c->plan->machine, "numerics"));
    int rc = bad ? error_nomem(err) : json_write_file(path, job, err);
    if (rc == 0)
        (void)!unlink(old); /* the verdict of an earlier try */
    json_decref(job);
    json_decref(inputs);
    free(path);
    free(old);
    return rc;
}

/* sbatch for n elements in dir; print: shows the command instead. */
static int submit(const struct cluster *c, const char *dir, unsigned n, const char *after,
                  bool print, struct strbuf *ids, struct error *err)
{
    char *array = text_format("--array=0-%u", n - 1),
         *out = text_format("--output=%s/%%a.out", dir);
    char *name = text_format("--job-name=%s", c->run), *script = fs_join(c->dir, "step.sh");
    char *dependency = text_format("--dependency=afterany%s", after);
    char *more = text_dup(c->options->args ? c->options->args : ""), *save = NULL, *id = NULL;
    const char *argv[64] = {"sbatch", "--parsable", "--requeue", "--open-mode=append",
                            array,    out,          name};
    unsigned k = 7;
    bool ok = array && out && name && script && dependency && more;
    if (*after)
        argv[k++] = dependency;
    for (char *w = ok ? strtok_r(more, " ", &save) : NULL; w && k < 60;
         w = strtok_r(NULL, " ", &save))
        argv[k++] = w;
    argv[k++] = script;
    argv[k++] = dir;
    int rc = ok ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && print && i < k; i++)
        printf("%s%s", argv[i], i + 1 < k ? " " : "\n");
    if (rc == 0 && !print)
        rc = slurm_call(argv, &id, err);
    if (rc == 0 && id)
        strbuf_addf(ids, ":%.*s", (int)strcspn(id, ";"), id);
    else if (rc == 0)
        strbuf_addf(ids, ":$JOB%u", c->n_batches);
    free(array), free(out), free(name), free(script), free(dependency), free(more), free(id);
    return rc;
}

/* All missing tasks of one level, in arrays no longer than the cluster takes. */
static int submit_level(struct cluster *c, unsigned level, const char *after, bool print,
                        struct strbuf *ids, struct error *err)
{
    for (unsigned i = 0; i < c->plan->n;) {
        char *dir = text_format("%s/%u", c->dir, c->n_batches++);
        unsigned n = 0;
        int rc = !dir ? error_nomem(err) : print ? 0 : fs_mkdirs(dir, err);
        for (; rc == 0 && i < c->plan->n && n < c->max_array; i++)
            if (c->level[i] == level)
                rc = print ? (n++, 0) : write_job(c, i, dir, n++, err);
        if (rc == 0 && n > 0)
            rc = submit(c, dir, n, after, print, ids, err);
        free(dir);
        TRY(rc);
    }
    return ids->failed ? error_nomem(err) : 0;
}

/* Elements run when the level before has ended in whatever way; those whose inputs are missing then
 * do nothing, and are sent again. */
static int submit_all(struct cluster *c, bool print, struct error *err)
{
    unsigned top = find_levels(c);
    struct strbuf after, ids;
    strbuf_init(&after);
    strbuf_init(&ids);
    int rc = 0;
    for (unsigned level = 1; rc == 0 && level <= top; level++) {
        strbuf_reset(&ids);
        rc = submit_level(c, level, after.s, print, &ids, err);
        strbuf_reset(&after);
        strbuf_adds(&after, ids.s);
    }
    strbuf_release(&after);
    strbuf_release(&ids);
    return rc;
}

/* ---- what has become of the tasks ---- */

static void skip_dependents(struct cluster *c)
{
    for (unsigned i = 0; i < c->plan->n; i++) {
        struct task *t = &c->plan->task[i];
        for (unsigned k = 0; k < t->n_deps && t->state == TASK_WAITING; k++) {
            const struct task *dep = &c->plan->task[t->dep[k]];
            if (dep->state != TASK_FAILED && dep->state != TASK_SKIPPED)
                continue;
            t->state = TASK_SKIPPED;
            t->verdict = dep->verdict;
            t->signal = dep->signal;
            t->reason = dep->state == TASK_SKIPPED
                            ? text_dup(dep->reason ? dep->reason : "")
                            : text_format("%s: %s%s%s", dep->title, verdict_name(dep->verdict),
                                          dep->reason && *dep->reason ? ": " : "",
                                          dep->reason ? dep->reason : "");
            c->result->n_skipped++;
            c->progress.n_done++;
            c->progress.weight_done += t->weight;
        }
    }
}

static void settle(struct cluster *c, struct task *t, enum verdict verdict, int signal,
                   const char *reason)
{
    bool ok = verdict == VERDICT_OK;
    t->state = ok ? TASK_DONE : TASK_FAILED;
    t->verdict = verdict;
    t->signal = signal;
    t->reason = ok ? NULL : text_dup(reason);
    c->result->n_run++;
    c->result->n_failed += !ok;
    progress_task(&c->progress, t);
    if (!ok)
        skip_dependents(c);
}

/* An input whose bytes are not what was stored is made again with the next submission. */
static bool discard_corrupt(struct cluster *c, const char *reason)
{
    static const char prefix[] = "corrupt input ";
    const char *id = strstr(reason, prefix);
    for (unsigned i = 0; id && i < c->plan->n; i++) {
        struct task *t = &c->plan->task[i];
        if (strncmp(t->id, id + sizeof(prefix) - 1, HASH_HEX_SIZE - 1) != 0)
            continue;
        log_warning("%s; it is made again", reason);
        if (t->state == TASK_DONE && store_discard(c->store, t->id, NULL) == 0) {
            t->state = TASK_WAITING;
            t->cached = false;
            c->progress.n_done--;
            c->progress.weight_total += t->weight;
        }
        return true;
    }
    return false;
}

/* A verdict of this run; a worker that somebody else killed, or a corrupt input, is no verdict. */
static void take_verdict(struct cluster *c, struct task *t)
{
    char *path = text_format("%s/failed/%s.json", c->store->dir, t->id);
    json_t *o = NULL;
    if (path && fs_exists(path) && json_read_file(path, &o, NULL) == 0) {
        const char *run = json_string_value(json_object_get(o, "run"));
        const char *word = json_string_value(json_object_get(o, "verdict"));
        const char *reason = json_string_value(json_object_get(o, "reason"));
        int signal = (int)json_integer_value(json_object_get(o, "signal"));
        enum verdict v = word ? verdict_from_name(word) : VERDICT_COUNT;
        bool killed = v == VERDICT_CRASHED && (signal == SIGKILL || signal == SIGTERM);
        if (run && strcmp(run, c->run) == 0 && v != VERDICT_COUNT && v != VERDICT_OK) {
            bool again =
                t->retries < MAX_RETRIES && (killed || discard_corrupt(c, reason ? reason : ""));
            if (again && ++t->retries)
                (void)!unlink(path);
            else
                settle(c, t, v, signal, reason ? reason : "");
        }
    }
    json_decref(o);
    free(path);
}

static unsigned look(struct cluster *c)
{
    unsigned left = 0;
    for (unsigned i = 0; i < c->plan->n; i++) {
        struct task *t = &c->plan->task[i];
        if (t->state != TASK_WAITING)
            continue;
        if (store_look(c->store, t->id, NULL) == STORE_PRESENT)
            settle(c, t, VERDICT_OK, 0, NULL);
        else
            take_verdict(c, t);
        left += t->state == TASK_WAITING;
    }
    return left;
}

/* Nothing is queued and something is missing. */
static int send_missing(struct cluster *c, struct error *err)
{
    c->n_stalls = c->progress.n_done == c->n_done_then ? c->n_stalls + 1 : 0;
    c->n_done_then = c->progress.n_done;
    for (unsigned i = 0; c->n_stalls > MAX_RETRIES && i < c->plan->n; i++)
        if (c->plan->task[i].state == TASK_WAITING)
            settle(c, &c->plan->task[i], VERDICT_VANISHED, 0,
                   "the cluster ended its job several times without a result");
    return c->n_stalls > MAX_RETRIES ? 0 : submit_all(c, false, err);
}

/* ---- the run ---- */

static int take_signal(const struct cluster *c, int timeout_ms)
{
    struct pollfd p = {c->signal_fd, POLLIN, 0};
    struct signalfd_siginfo info;
    if (poll(&p, 1, timeout_ms) <= 0)
        return 0;
    return read(c->signal_fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* A controller that restarts does not answer for a while. */
static int ask_queue(struct cluster *c, uint64_t *heard_ns, unsigned *ret, struct error *err)
{
    unsigned pending, running;
    int rc = slurm_count(c->run, &pending, &running, err);
    if (rc == 0) {
        *heard_ns = fs_now_ns();
        *ret = pending + running;
        return 0;
    }
    bool patient = rc == ERR_IO && fs_now_ns() - *heard_ns < SILENT_S * 1000000000ull;
    *ret = 1;
    return patient ? 0 : rc;
}

static int loop(struct cluster *c, struct error *err)
{
    uint64_t heard_ns = fs_now_ns();
    unsigned queued;
    while (look(c) > 0) {
        TRY(ask_queue(c, &heard_ns, &queued, err));
        c->n_empty = queued ? 0 : c->n_empty + 1;
        if (c->n_empty > 1 ||
            (c->n_batches == 0 && !queued)) { /* twice: results may be on the way */
            TRY(send_missing(c, err));
            c->n_empty = 0;
        }
        if (c->options->detach)
            return 0;
        progress_show(&c->progress, NULL, 0);
        c->result->signal = take_signal(c, POLL_MS);
        if (c->result->signal)
            return 0;
    }
    (void)!unlink(c->record);
    return fs_remove_tree(c->dir, err);
}

static int name_run(struct cluster *c, bool keep, struct error *err)
{
    struct timespec now;
    json_t *o = NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(c->run, sizeof(c->run), "lethe-%llx%05lx%llx", (unsigned long long)now.tv_sec,
             (unsigned long)now.tv_nsec / 1000, (unsigned long long)getpid());
    c->record = text_format("%s/jobs/%s.json", c->store->dir, c->plan->suite->name);
    if (!c->record)
        return error_nomem(err);
    const char *old = fs_exists(c->record) && json_read_file(c->record, &o, NULL) == 0
                          ? json_string_value(json_object_get(o, "run"))
                          : NULL;
    if (old && keep)
        snprintf(c->run, sizeof(c->run), "%s", old);
    json_decref(o);
    c->dir = text_format("%s/jobs/%s", c->store->dir, c->run);
    return c->dir ? 0 : error_nomem(err);
}

static int write_record(const struct cluster *c, struct error *err)
{
    json_t *o = json_pack("{s:s}", "run", c->run);
    char *script = script_text(c), *path = fs_join(c->dir, "step.sh");
    char *failed = fs_join(c->store->dir, "failed");
    int rc = o && script && path && failed ? fs_mkdirs(c->dir, err) : error_nomem(err);
    if (rc == 0)
        rc = fs_mkdirs(failed, err);
    if (rc == 0)
        rc = fs_write_atomic(path, script, strlen(script), err);
    if (rc == 0)
        rc = json_write_file(c->record, o, err);
    json_decref(o);
    free(script), free(path), free(failed);
    return rc;
}

static void cluster_release(struct cluster *c)
{
    free(c->dir);
    free(c->record);
    free(c->level);
}

int exec_slurm_print(const struct plan *p, const struct store *store,
                     const struct slurm_options *options, struct error *err)
{
    struct cluster c = {.plan = (struct plan *)(uintptr_t)p,
                        .store = (struct store *)(uintptr_t)store,
                        .options = options,
                        .max_array = 1001};
    c.level = calloc(p->n + 1, sizeof(*c.level));
    int rc = c.level ? slurm_max_array(&c.max_array, err) : error_nomem(err);
    if (rc == 0)
        rc = name_run(&c, false, err);
    char *script = rc == 0 ? script_text(&c) : NULL;
    if (rc == 0 && !script)
        rc = error_nomem(err);
    if (rc == 0)
        printf("# %s/step.sh\n%s\n", c.dir, script);
    if (rc == 0)
        rc = submit_all(&c, true, err);
    free(script);
    cluster_release(&c);
    return rc;
}

int exec_slurm(struct plan *p, struct store *store, const struct slurm_options *options,
               struct exec_result *ret, struct error *err)
{
    struct exec_result result = {0};
    struct cluster c = {.plan = p, .store = store, .options = options, .result = &result};
    sigset_t mask, old;
    uint64_t start_ns = fs_now_ns();
    c.level = calloc(p->n + 1, sizeof(*c.level));
    int rc = c.level ? slurm_max_array(&c.max_array, err) : error_nomem(err);
    if (rc == 0)
        rc = name_run(&c, true, err);
    if (rc == 0)
        rc = write_record(&c, err);
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &old);
    c.signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    progress_init(&c.progress, p, 1, options->quiet);
    result.n_cached = c.progress.n_cached;
    if (rc == 0)
        rc = c.signal_fd >= 0 ? loop(&c, err) : error_set(err, ERR_IO, "signalfd");
    progress_clear(&c.progress);
    if (c.signal_fd >= 0)
        close(c.signal_fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
    cluster_release(&c);
    result.wall_s = (double)(fs_now_ns() - start_ns) / 1e9;
    *ret = result;
    return rc;
}
