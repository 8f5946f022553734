/* lethe status: how far a run is, from the store, Slurm's queue and what the run says of itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec_common.h"
#include "exec_slurm.h"
#include "log.h"
#include "run_record.h"
#include "run_target.h"
#include "slurm_jobs.h"
#include "slurm_queue.h"
#include "text.h"

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
    "Shows how far the newest run of a suite, or the run that reports into DIR, is:\n"
    "tasks by kind that are done, running, queued, failed or still to come, and the\n"
    "time that is left where the run knows it. Options of that run need not be given\n"
    "again. Changes nothing.\v"
    "Examples:\n"
    "  lethe status suite.yaml\n"
    "  lethe status lethe-out/tiny --json",
    children,
    NULL,
    NULL,
};

enum column { DONE = 0, RUNNING, QUEUED, FAILED, SKIPPED, TO_COME, COLUMNS };
static const char *const column_name[COLUMNS] = {"done",   "running", "queued",
                                                 "failed", "skipped", "to come"};

struct overview {
    struct session session;
    const json_t *record;  /* NULL: none */
    const char *key;       /* of the run; NULL without record */
    unsigned char *queued; /* (plan.n) enum slurm_state */
    bool alive, foreign;   /* the run's process: runs here; may run on another host */
    unsigned tally[TASK_KIND_COUNT + 1][COLUMNS]; /* the last is of all kinds */
};

/* ---- collecting ---- */

/* As the store says; damaged objects count as not there. */
static void look_at_store(struct plan *p, const struct store *store)
{
    for (unsigned i = 0; i < p->n; i++)
        if (store_look(store, p->task[i].id, NULL) == STORE_PRESENT)
            p->task[i].state = TASK_DONE;
}

static void set_state(struct plan *p, const char *id, enum task_state state, enum verdict verdict,
                      const char *reason)
{
    uint32_t i = id ? plan_find(p, id) : NO_TASK;
    if (i == NO_TASK || p->task[i].state == TASK_DONE)
        return;
    p->task[i].state = state;
    if (state == TASK_FAILED && !p->task[i].reason) {
        p->task[i].verdict = verdict;
        p->task[i].reason = text_dup(reason ? reason : "");
    }
}

static void take_record(struct overview *v)
{
    size_t i;
    const json_t *o;
    if (v->alive || v->foreign)
        json_array_foreach(json_object_get(v->record, "running"), i, o)
            set_state(&v->session.plan, json_string_value(json_object_get(o, "id")), TASK_RUNNING,
                      VERDICT_OK, NULL);
    json_array_foreach(json_object_get(v->record, "failed"), i, o)
        set_state(&v->session.plan, json_string_value(json_object_get(o, "id")), TASK_FAILED,
                  verdict_from_name(json_string_value(json_object_get(o, "verdict"))),
                  json_string_value(json_object_get(o, "reason")));
}

/* Verdicts that elements left and that nobody has collected yet. */
static int take_verdicts(struct overview *v, struct error *err)
{
    struct plan *p = &v->session.plan;
    struct slurm_jobs jobs;
    bool there = false;
    if (v->key)
        TRY(slurm_jobs_find(&v->session.store, v->key, &jobs, &there, err));
    if (!there)
        return 0;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < p->n; i++) {
        struct slurm_verdict verdict;
        bool left = false;
        if (p->task[i].state != TASK_WAITING || v->queued[i] != SLURM_GONE)
            continue;
        rc = slurm_verdict_read(jobs.dir, p->task[i].id, &verdict, &left, err);
        if (rc == 0 && left) {
            set_state(p, p->task[i].id, TASK_FAILED, verdict.verdict, verdict.reason);
            slurm_verdict_release(&verdict);
        }
    }
    slurm_jobs_release(&jobs);
    return rc;
}

static void take_queue(struct overview *v)
{
    struct error err = ERROR_INIT;
    if (v->key &&
        exec_slurm_states(&v->session.plan, &v->session.store, v->key, v->queued, &err) < 0)
        log_warning("%s; what is queued is not known", err.text);
}

static enum column column_of(const struct overview *v, unsigned i)
{
    static const enum column of[] = {[TASK_WAITING] = TO_COME,
                                     [TASK_RUNNING] = RUNNING,
                                     [TASK_DONE] = DONE,
                                     [TASK_FAILED] = FAILED,
                                     [TASK_SKIPPED] = SKIPPED};
    enum column c = of[v->session.plan.task[i].state];
    return c == TO_COME && v->queued[i] == SLURM_PENDING ? QUEUED : c;
}

static void count(struct overview *v)
{
    for (unsigned i = 0; i < v->session.plan.n; i++) {
        enum column c = column_of(v, i);
        v->tally[v->session.plan.task[i].kind][c]++;
        v->tally[TASK_KIND_COUNT][c]++;
    }
}

static int collect(struct overview *v, struct error *err)
{
    struct plan *p = &v->session.plan;
    struct progress unused = {0};
    struct exec_result nothing = {0};
    char host[65] = "";
    const char *there = json_string_value(json_object_get(v->record, "host"));
    const char *state = json_string_value(json_object_get(v->record, "state"));
    gethostname(host, sizeof(host) - 1);
    v->alive = v->record && run_record_alive(v->record);
    v->foreign = there && state && strcmp(there, host) != 0 && strcmp(state, "running") == 0;
    if (!(v->queued = calloc(p->n + 1, 1)))
        return error_nomem(err);
    look_at_store(p, &v->session.store);
    take_record(v);
    take_queue(v);
    TRY(take_verdicts(v, err));
    exec_skip_dependents(p, &unused, &nothing);
    count(v);
    return 0;
}

/* ---- showing ---- */

static const char *state_word(const struct overview *v)
{
    const unsigned *all = v->tally[TASK_KIND_COUNT];
    const char *state = json_string_value(json_object_get(v->record, "state"));
    if (v->alive || v->foreign)
        return "running";
    if (all[QUEUED] + all[RUNNING] > 0)
        return "detached";
    if (all[DONE] == v->session.plan.n)
        return "done";
    return state && strcmp(state, "finished") == 0 ? "finished with failures" : "not running";
}

static void print_head(const struct overview *v)
{
    char age[32];
    const json_t *r = v->record, *eta = json_object_get(r, "eta_s");
    printf("suite %s: %s", v->session.suite.name, state_word(v));
    if (v->alive || v->foreign) {
        text_duration((double)(time(NULL) - json_integer_value(json_object_get(r, "started"))),
                      age);
        printf(" (%s, process %lld on %s) for %s",
               json_string_value(json_object_get(r, "executor")),
               (long long)json_integer_value(json_object_get(r, "pid")),
               json_string_value(json_object_get(r, "host")), age);
        if (json_is_number(eta)) {
            text_duration(json_number_value(eta), age);
            printf(", ETA %s", age);
        }
    }
    printf("; store %s\n", v->session.store.dir);
    if (r)
        printf("report: %s\n", json_string_value(json_object_get(r, "out")));
}

static void print_line(const char *name, const unsigned *cell)
{
    unsigned total = 0;
    for (int c = 0; c < COLUMNS; c++)
        total += cell[c];
    if (total == 0)
        return;
    printf("%-12s %8u", name, total);
    for (int c = 0; c < COLUMNS; c++)
        printf(" %8u", cell[c]);
    putchar('\n');
}

static void print_tasks(const struct overview *v)
{
    const struct plan *p = &v->session.plan;
    for (unsigned i = 0; i < p->n; i++) {
        const struct task *t = &p->task[i];
        if (t->state == TASK_RUNNING)
            printf("running  %s\n", t->title);
        else if (t->state == TASK_FAILED)
            printf("failed   %s: %s%s%s\n", t->title, verdict_name(t->verdict),
                   t->reason && *t->reason ? ": " : "", t->reason ? t->reason : "");
    }
}

static void print_text(const struct overview *v)
{
    print_head(v);
    printf("\n%-12s %8s", "task", "total");
    for (int c = 0; c < COLUMNS; c++)
        printf(" %8s", column_name[c]);
    putchar('\n');
    for (unsigned k = 0; k < TASK_KIND_COUNT; k++)
        print_line(task_kind_name((enum task_kind)k), v->tally[k]);
    print_line("all", v->tally[TASK_KIND_COUNT]);
    print_tasks(v);
}

static json_t *cells_json(const unsigned *cell)
{
    return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "done", (int)cell[DONE], "running",
                     (int)cell[RUNNING], "queued", (int)cell[QUEUED], "failed", (int)cell[FAILED],
                     "skipped", (int)cell[SKIPPED], "to_come", (int)cell[TO_COME]);
}

static json_t *failed_json(const struct plan *p)
{
    json_t *list = json_array();
    for (unsigned i = 0; list && i < p->n; i++)
        if (p->task[i].state == TASK_FAILED)
            json_array_append_new(list,
                                  json_pack("{s:s,s:s,s:s}", "title", p->task[i].title, "verdict",
                                            verdict_name(p->task[i].verdict), "reason",
                                            p->task[i].reason ? p->task[i].reason : ""));
    return list;
}

static void print_json(const struct overview *v)
{
    json_t *kinds = json_object();
    const json_t *eta = json_object_get(v->record, "eta_s");
    for (unsigned k = 0; kinds && k < TASK_KIND_COUNT; k++)
        json_object_set_new(kinds, task_kind_name((enum task_kind)k), cells_json(v->tally[k]));
    json_t *o = json_pack(
        "{s:s,s:s,s:s,s:s?,s:s?,s:i,s:o,s:o,s:o,s:o}", "suite", v->session.suite.name, "state",
        state_word(v), "store", v->session.store.dir, "out",
        json_string_value(json_object_get(v->record, "out")), "executor",
        json_string_value(json_object_get(v->record, "executor")), "tasks", (int)v->session.plan.n,
        "all", cells_json(v->tally[TASK_KIND_COUNT]), "kinds", kinds, "failed",
        failed_json(&v->session.plan), "eta_s",
        json_is_number(eta) && (v->alive || v->foreign) ? json_real(json_number_value(eta))
                                                        : json_null());
    if (o)
        json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(o);
}

static int show(const struct session_options *o)
{
    struct error err = ERROR_INIT;
    struct run_target target;
    struct overview v = {0};
    if (run_target_find(o, &target, &err) < 0)
        return cli_fail(&err);
    v.record = target.record;
    v.key = target.key;
    int rc = session_open(&target.session, &v.session, &err);
    if (rc == 0) {
        rc = collect(&v, &err);
        if (rc == 0)
            (o->json ? print_json : print_text)(&v);
        session_close(&v.session);
    }
    free(v.queued);
    run_target_release(&target);
    return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

int cmd_status(int argc, char **argv)
{
    struct session_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = show(&o);
    session_options_release(&o);
    return code;
}
