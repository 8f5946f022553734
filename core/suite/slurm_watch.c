/* What has become of the tasks: the queue's answer, results, verdicts. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "exec_common.h"
#include "fs.h"
#include "log.h"
#include "slurm_internal.h"
#include "text.h"

enum { SILENT_S = 600, LOOK_AT_PENDING_EVERY = 16, MAX_REFUSING_NODES = 50 };

int slurm_grow(struct cluster *c, struct error *err)
{
    unsigned n = c->plan->n;
    if (n <= c->n_tasks)
        return 0;
    struct slurm_task *grown = realloc(c->task, n * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    for (unsigned i = c->n_tasks; i < n; i++)
        grown[i] = (struct slurm_task){.gone = SLURM_GONE_POLLS}; /* unknown means: never sent */
    c->task = grown;
    c->n_tasks = n;
    return 0;
}

/* ---- the queue ---- */

/* Ids of a batch, read once. A folder that is gone has none. */
static const struct slurm_ids *batch_ids(struct cluster *c, unsigned batch, struct error *err)
{
    if (batch >= c->n_batches) {
        struct slurm_ids *grown = realloc(c->batch, (batch + 1) * sizeof(*grown));
        if (!grown) {
            error_nomem(err);
            return NULL;
        }
        memset(grown + c->n_batches, 0, (batch + 1 - c->n_batches) * sizeof(*grown));
        c->batch = grown;
        c->n_batches = batch + 1;
    }
    if (!c->batch[batch].id)
        (void)slurm_jobs_ids(&c->jobs, batch, &c->batch[batch], NULL);
    return &c->batch[batch];
}

/* A task can be queued twice (somebody else's submission); the one that runs counts. */
static void file_element(struct cluster *c, unsigned task, const struct slurm_element *e)
{
    static const int rank[] = {
        [SLURM_GONE] = 0, [SLURM_STUCK] = 1, [SLURM_PENDING] = 2, [SLURM_RUNNING] = 3};
    struct slurm_task *s = &c->task[task];
    if (rank[e->state] <= rank[s->state])
        return;
    s->state = e->state;
    s->batch = e->batch;
    snprintf(s->array, sizeof(s->array), "%s", e->array);
}

static int file_listing(struct cluster *c, const struct slurm_listing *l, struct error *err)
{
    for (unsigned i = 0; i < c->plan->n; i++)
        c->task[i].state = SLURM_GONE;
    for (size_t k = 0; k < l->n; k++) {
        const struct slurm_element *e = &l->element[k];
        const struct slurm_ids *ids = batch_ids(c, e->batch, err);
        if (!ids)
            return ERR_NOMEM;
        uint32_t task = e->index < ids->n ? plan_find(c->plan, ids->id[e->index]) : NO_TASK;
        if (e->state == SLURM_STUCK) {
            log_warning("Slurm holds job %s (%s) and would not start it again; it is sent anew",
                        e->id, e->reason);
            (void)slurm_cancel_element(e, c->signal_fd, NULL);
        }
        if (task == NO_TASK)
            continue;
        file_element(c, task, e);
        if (e->state == SLURM_PENDING && strcmp(e->reason, "Dependency") != 0)
            snprintf(c->waits_for, sizeof(c->waits_for), "%s", e->reason);
    }
    return 0;
}

static void count_states(struct cluster *c)
{
    c->n_queued = c->n_running = 0;
    for (unsigned i = 0; i < c->plan->n; i++) {
        struct slurm_task *s = &c->task[i];
        struct task *t = &c->plan->task[i];
        bool runs = s->state == SLURM_RUNNING, open = t->state <= TASK_RUNNING;
        s->gone = s->state == SLURM_GONE ? s->gone + 1 : 0;
        if (open && runs && s->since_ns == 0)
            run_events_running(c->options ? c->options->events : NULL, t, 1);
        s->since_ns = !runs ? 0 : s->since_ns ? s->since_ns : fs_now_ns();
        if (open)
            t->state = runs ? TASK_RUNNING : TASK_WAITING;
        c->n_running += open && runs;
        c->n_queued += open && s->state == SLURM_PENDING;
    }
}

int slurm_hear(struct cluster *c, bool patient, struct error *err)
{
    struct error why = ERROR_INIT;
    struct slurm_listing l;
    int rc = slurm_list(c->jobs.tag, c->signal_fd, &l, &why);
    c->heard = rc == 0;
    c->waits_for[0] = '\0';
    if (rc == 0) {
        rc = file_listing(c, &l, err);
        slurm_listing_release(&l);
        count_states(c);
        c->heard_ns = fs_now_ns();
        return rc;
    }
    if (rc == ERR_CANCELLED) /* the loop reads the signal */
        return 0;
    if (rc != ERR_IO)
        return error_set(err, rc, "%s", why.text);
    if (!patient)
        return error_set(err, ERR_ENVIRONMENT, "Slurm does not answer: %s", why.text);
    if (fs_now_ns() - c->heard_ns >= SILENT_S * 1000000000ull)
        return error_set(err, ERR_ENVIRONMENT,
                         "Slurm has not answered for %d minutes (%s); what it runs goes on, and "
                         "the same command collects it later",
                         SILENT_S / 60, why.text);
    snprintf(c->waits_for, sizeof(c->waits_for), "Slurm does not answer");
    return 0;
}

/* ---- the store ---- */

void slurm_settle(struct cluster *c, unsigned task, enum verdict verdict, int signal,
                  const char *reason, double wall_s)
{
    struct task *t = &c->plan->task[task];
    bool ok = verdict == VERDICT_OK;
    t->state = ok ? TASK_DONE : TASK_FAILED;
    t->verdict = verdict;
    t->signal = signal;
    t->wall_s = wall_s;
    if (!ok) {
        free(t->reason);
        t->reason = text_dup(reason ? reason : "");
    }
    c->result->n_run++;
    c->result->n_failed += !ok;
    c->changed_ns = fs_now_ns();
    progress_task(&c->progress, t);
}

static double wall_of(const struct cluster *c, const char *id)
{
    json_t *meta = NULL;
    if (store_meta(c->store, id, &meta, NULL) < 0)
        return 0;
    double wall_s = json_number_value(json_object_get(json_object_get(meta, "cost"), "wall_s"));
    json_decref(meta);
    return wall_s;
}

/* Shuts the node out from now on. False: the user has chosen the nodes, or there are too many. */
static bool shut_out(struct cluster *c, struct slurm_task *s, const char *node)
{
    if (!*node || ++s->refusals > MAX_REFUSING_NODES)
        return false;
    for (unsigned i = 0; i < c->args.n; i++)
        if (text_starts(c->args.w[i], "--exclude") || text_starts(c->args.w[i], "-x"))
            return false;
    for (unsigned i = 0; i < c->exclude.n; i++)
        if (strcmp(c->exclude.w[i], node) == 0)
            return true;
    words_add(&c->exclude, "%s", node);
    return true;
}

static void note_refusal(struct cluster *c, unsigned i, const struct slurm_verdict *v)
{
    struct slurm_task *s = &c->task[i];
    log_warning("%s: node %s %s", c->plan->task[i].title, *v->node ? v->node : "?", v->reason);
    if (!c->refusal)
        c->refusal = text_format("the cluster's node %s", v->reason);
    if (shut_out(c, s, v->node) && s->attempts > 0)
        s->attempts--; /* the task itself was not tried */
}

/* Whether an attempt that ended so says nothing about the task itself. */
static bool try_again(struct cluster *c, unsigned i, const struct slurm_verdict *v)
{
    bool killed = v->verdict == VERDICT_CRASHED && (v->signal == SIGKILL || v->signal == SIGTERM);
    if (v->refused)
        note_refusal(c, i, v);
    return (killed || v->refused ||
            exec_discard_corrupt(c->plan, c->store, &c->progress, v->reason)) &&
           c->task[i].attempts < SLURM_ATTEMPTS;
}

static int take_verdict(struct cluster *c, unsigned i, struct error *err)
{
    struct task *t = &c->plan->task[i];
    struct slurm_task *s = &c->task[i];
    struct slurm_verdict v;
    bool there = false;
    TRY(slurm_verdict_read(c->jobs.dir, t->id, &v, &there, err));
    if (!there)
        return 0;
    s->attempts += !s->counted; /* it ran, so the inputs were there by then */
    s->counted = true;
    if (!try_again(c, i, &v)) {
        slurm_settle(c, i, v.verdict, v.signal, v.reason, v.wall_s);
        slurm_verdict_release(&v);
        return 0;
    }
    slurm_verdict_remove(c->jobs.dir, t->id);
    slurm_verdict_release(&s->last);
    s->last = v;
    return 0;
}

/* What the last element that was to run this task printed last; malloc'd, NULL: nothing. */
static char *last_words(const struct cluster *c, unsigned task)
{
    const struct slurm_task *s = &c->task[task];
    struct slurm_ids ids;
    char *line = NULL;
    if (slurm_jobs_ids(&c->jobs, s->batch, &ids, NULL) < 0)
        return NULL;
    for (unsigned k = 0; k < ids.n && !line; k++) {
        if (strcmp(ids.id[k], c->plan->task[task].id) != 0)
            continue;
        char *path = text_format("%s/%u/%u.out", c->jobs.dir, s->batch, k), *text = NULL;
        size_t n = 0;
        if (path && fs_read(path, 1u << 20, &text, &n, NULL) == 0) {
            while (n > 0 && text[n - 1] == '\n')
                text[--n] = '\0';
            const char *at = strrchr(text, '\n');
            line = n ? text_dup(at ? at + 1 : text) : NULL;
        }
        free(text);
        free(path);
    }
    slurm_ids_release(&ids);
    return line;
}

/* Every one of its jobs left the queue without a trace, or was killed. */
static void give_up(struct cluster *c, unsigned i)
{
    const struct slurm_task *s = &c->task[i];
    char *line = last_words(c, i);
    if (line)
        log_warning("%s: its last job printed: %s", c->plan->task[i].title, line);
    free(line);
    if (s->last.reason) {
        slurm_settle(c, i, s->last.verdict, s->last.signal, s->last.reason, s->last.wall_s);
        return;
    }
    char reason[96];
    snprintf(reason, sizeof(reason), "its Slurm job ended %d times without a result",
             SLURM_ATTEMPTS);
    slurm_settle(c, i, VERDICT_VANISHED, 0, reason, 0);
}

static int look_at(struct cluster *c, unsigned i, struct error *err)
{
    struct task *t = &c->plan->task[i];
    struct slurm_task *s = &c->task[i];
    enum store_state state = store_look(c->store, t->id, NULL);
    if (state == STORE_PRESENT) {
        slurm_settle(c, i, VERDICT_OK, 0, NULL, wall_of(c, t->id));
        return 0;
    }
    if (state == STORE_CORRUPT) {
        log_warning("%s: what was stored is damaged; it is made again", t->title);
        TRY(store_discard(c->store, t->id, err));
    }
    TRY(take_verdict(c, i, err));
    if (t->state == TASK_WAITING && c->heard && s->gone >= SLURM_GONE_POLLS &&
        s->attempts >= SLURM_ATTEMPTS)
        give_up(c, i);
    return 0;
}

int slurm_look(struct cluster *c, unsigned *ret_left, struct error *err)
{
    unsigned left = 0;
    bool all = c->n_looks++ % LOOK_AT_PENDING_EVERY == 0;
    for (unsigned i = 0; i < c->plan->n; i++) {
        const struct task *t = &c->plan->task[i];
        if (t->state <= TASK_RUNNING && (all || c->task[i].state != SLURM_PENDING))
            TRY(look_at(c, i, err));
    }
    /* Here and not when a task fails: what needed it may have been running, for nothing. */
    exec_skip_dependents(c->plan, &c->progress, c->result);
    for (unsigned i = 0; i < c->plan->n; i++)
        left += c->plan->task[i].state <= TASK_RUNNING;
    *ret_left = left;
    return 0;
}
