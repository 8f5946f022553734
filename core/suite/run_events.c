#include "run_events.h"

#include <math.h>

#include "fs.h"

#define PROGRESS_NS UINT64_C(1000000000)

void run_events_write(struct run_events *e, const char *event, json_t *o)
{
    double t = (double)(fs_now_ns() - e->start_ns) / 1e9;
    if (o) {
        json_object_set_new(o, "event", json_string(event));
        json_object_set_new(o, "t_s", json_real(t));
        json_dumpf(o, e->out, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
        fputc('\n', e->out);
        fflush(e->out);
    }
    json_decref(o);
}

static void add_counts(json_t *o, const struct progress *p, double eta_s)
{
    json_object_set_new(o, "done", json_integer(p->n_done));
    json_object_set_new(o, "total", json_integer(p->n_total));
    json_object_set_new(o, "failed", json_integer(p->n_failed));
    json_object_set_new(o, "eta_s", json_number_or_null(eta_s < 0 ? NAN : eta_s));
}

void run_events_start(struct run_events *e, const struct plan *p, const struct progress *progress)
{
    if (!e)
        return;
    if (e->stage++ == 0)
        e->start_ns = fs_now_ns();
    run_events_write(e, "start",
                     json_pack("{s:i,s:s,s:i,s:i,s:i,s:i,s:i}", "schema", RUN_EVENTS_SCHEMA,
                               "suite", p->suite->name, "stage", (int)e->stage, "tasks", (int)p->n,
                               "cached", (int)progress->n_cached, "total", (int)progress->n_total,
                               "jobs", (int)progress->jobs));
}

static json_t *task_json(const struct task *t, const char *state)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "id", t->id, "kind", task_kind_name(t->kind), "title",
                     t->title, "state", state);
}

void run_events_running(struct run_events *e, const struct task *t, unsigned threads)
{
    if (!e)
        return;
    json_t *o = task_json(t, "running");
    if (o)
        json_object_set_new(o, "threads", json_integer(threads));
    run_events_write(e, "task", o);
}

void run_events_ended(struct run_events *e, const struct task *t, const struct progress *progress)
{
    static const char *const words[] = {"waiting", "running", "done", "failed", "skipped"};
    if (!e)
        return;
    json_t *o = task_json(t, words[t->state]);
    if (o) {
        json_object_set_new(o, "wall_s", json_real(t->wall_s));
        add_counts(o, progress, progress_eta(progress, NULL, 0));
    }
    if (o && t->state == TASK_FAILED) {
        json_object_set_new(o, "verdict", json_string(verdict_name(t->verdict)));
        json_object_set_new(o, "signal", t->signal ? json_integer(t->signal) : json_null());
    }
    if (o && (t->state == TASK_FAILED || t->state == TASK_SKIPPED))
        json_object_set_new(o, "reason", json_string(t->reason ? t->reason : ""));
    run_events_write(e, "task", o);
}

void run_events_progress(struct run_events *e, const struct progress *progress,
                         const struct progress_running *running, unsigned n)
{
    uint64_t now = fs_now_ns();
    if (!e || now - e->progress_ns < PROGRESS_NS)
        return;
    e->progress_ns = now;
    json_t *o = json_object(), *list = json_array();
    for (unsigned i = 0; list && i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:f,s:f,s:s}", "id", running[i].task->id, "fraction",
                                        running[i].fraction, "elapsed_s", running[i].elapsed_s,
                                        "what", running[i].what ? running[i].what : ""));
    if (o) {
        add_counts(o, progress, progress_eta(progress, running, n));
        json_object_set_new(o, "running", list);
    }
    run_events_write(e, "progress", o);
}
