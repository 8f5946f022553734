/* lethe plan: what a run would do. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "log.h"
#include "strbuf.h"
#include "text.h"

static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};

struct plan_cli {
    struct session_options session;
    bool list;
};

static const struct argp_option options[] = {
    {"list", 'l', 0, 0, "Every task with its identity and state", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct plan_cli *o = state->input;
    (void)arg;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &o->session;
    else if (key == 'l')
        o->list = true;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "SUITE.yaml",
    "Shows the tasks of a suite by kind, how many the store holds already, and the\n"
    "work that is left in image passes (a training pass of one image counts as\n"
    "three), with an estimate from half a second of training. Runs nothing else.",
    children,
    NULL,
    NULL,
};

struct tally {
    unsigned total, cached;
    double weight;
};

/* The others take milliseconds; their weight only serves the ETA. */
static bool passes_images(enum task_kind kind)
{
    return kind == TASK_TRAIN || kind == TASK_PREDICT || kind == TASK_ADVERSARIAL ||
           kind == TASK_UNLEARN;
}

static void count_task(const struct task *task, struct tally tally[TASK_KIND_COUNT])
{
    struct tally *t = &tally[task->kind];
    t->total++;
    t->cached += task->cached;
    if (!task->cached && passes_images(task->kind))
        t->weight += task->weight;
}

/* Of a suite with `tune:` also what follows the choice, counted with the parameters as given: what
 * is chosen changes neither number nor work, unless it is another entry's. */
static void count(const struct session *s, struct tally tally[TASK_KIND_COUNT])
{
    for (unsigned i = 0; i < s->plan.n; i++)
        count_task(&s->plan.task[i], tally);
    for (unsigned i = 0; s->has_trials && i < s->later.n; i++)
        if (session_is_later(s, i))
            count_task(&s->later.task[i], tally);
}

/* Work that is left, in image passes (a training pass is three). */
static double work_left(const struct session *s)
{
    double sum = 0;
    for (unsigned i = 0; i < s->plan.n; i++)
        if (!s->plan.task[i].cached)
            sum += s->plan.task[i].weight;
    for (unsigned i = 0; s->has_trials && i < s->later.n; i++)
        if (session_is_later(s, i))
            sum += s->later.task[i].weight;
    return sum;
}

/* Seconds of one core, from a short measurement of this suite's network on this machine. */
static int estimate(const struct session *s, double *ret_core_s, double *ret_peak_mb,
                    struct error *err)
{
    struct strbuf arch;
    char batch[16];
    json_t *speed = NULL;
    double images_s = 0;
    strbuf_init(&arch);
    arch_text(s->suite.arch, &arch);
    snprintf(batch, sizeof(batch), "%u", s->suite.train.batch);
    const char *const args[] = {"calibrate", arch.s, batch, NULL};
    int rc = arch.failed ? error_nomem(err) : cli_worker_json(s->worker, args, &speed, err);
    if (rc == 0)
        rc = json_get_real(speed, "calibration", "train_images_per_s", &images_s, err);
    if (rc == 0)
        rc = json_get_real(speed, "calibration", "peak_mb", ret_peak_mb, err);
    *ret_core_s = images_s > 0 ? work_left(s) / 3 / images_s : 0;
    json_decref(speed);
    strbuf_release(&arch);
    return rc;
}

static void print_estimate(const struct session *s)
{
    struct error err = ERROR_INIT;
    double core_s, peak_mb;
    char left[32];
    if (work_left(s) <= 0)
        return;
    if (estimate(s, &core_s, &peak_mb, &err) < 0) {
        log_warning("no estimate: %s", err.text);
        return;
    }
    text_duration(core_s, left);
    printf("\nestimate: %s of one core (%.3f core-hours), about %.0f MB a task; measured on this\n"
           "machine just now, on one core, while whatever else was running\n",
           left, core_s / 3600, peak_mb);
}

static unsigned n_rows(const struct session *s)
{
    return s->has_trials ? s->later.n_rows : s->plan.n_rows;
}

static void print_tuning(const struct session *s)
{
    const struct tuning *t = &s->tuning;
    size_t trials = 0;
    unsigned pending = 0, chosen = 0;
    for (unsigned i = 0; s->has_tuning && i < t->n; i++) {
        trials += t->item[i].pending ? json_array_size(t->item[i].trials) : 0;
        pending += t->item[i].pending;
        chosen += t->item[i].ledger && !t->item[i].pending;
    }
    if (pending)
        printf("tuning: %zu trials of %u methods first, then %u tasks with what they choose\n",
               trials, pending, session_later(s));
    if (chosen)
        printf("tuning: the store knows the choice for %u method%s\n", chosen,
               chosen == 1 ? "" : "s");
}

static void print_table(const struct session *s)
{
    struct tally tally[TASK_KIND_COUNT] = {{0, 0, 0}};
    struct tally sum = {0, 0, 0};
    count(s, tally);
    print_tuning(s);
    printf("suite %s: %u rows, store %s\n\n%-12s %8s %8s %8s %14s\n", s->suite.name, n_rows(s),
           s->store.dir, "task", "total", "done", "to run", "image passes");
    for (unsigned k = 0; k < TASK_KIND_COUNT; k++) {
        const struct tally *t = &tally[k];
        if (t->total)
            printf("%-12s %8u %8u %8u %14.0f\n", task_kind_name((enum task_kind)k), t->total,
                   t->cached, t->total - t->cached, t->weight);
        sum.total += t->total;
        sum.cached += t->cached;
        sum.weight += t->weight;
    }
    printf("%-12s %8u %8u %8u %14.0f\n", "all", sum.total, sum.cached, sum.total - sum.cached,
           sum.weight);
    print_estimate(s);
}

static void print_list(const struct plan *p)
{
    for (unsigned i = 0; i < p->n; i++)
        printf("%.12s %-11s %-7s %s\n", p->task[i].id, task_kind_name(p->task[i].kind),
               p->task[i].cached ? "done" : "to run", p->task[i].title);
}

static json_t *kinds_json(const struct session *s)
{
    struct tally tally[TASK_KIND_COUNT] = {{0, 0, 0}};
    json_t *kinds = json_object();
    count(s, tally);
    for (unsigned k = 0; k < TASK_KIND_COUNT && kinds; k++)
        if (tally[k].total)
            json_object_set_new(kinds, task_kind_name((enum task_kind)k),
                                json_pack("{s:i,s:i,s:f}", "total", (int)tally[k].total, "cached",
                                          (int)tally[k].cached, "image_passes", tally[k].weight));
    return kinds;
}

static void print_json(const struct session *s)
{
    json_t *o =
        json_pack("{s:s,s:s,s:i,s:i,s:i,s:o}", "suite", s->suite.name, "store", s->store.dir,
                  "rows", (int)n_rows(s), "tasks", (int)(s->plan.n + session_later(s)),
                  "tasks_after_tuning", (int)session_later(s), "kinds", kinds_json(s));
    if (o)
        json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(o);
}

static int show(const struct session_options *o, bool list)
{
    struct error err = ERROR_INIT;
    struct session s;
    if (session_open(o, &s, &err) < 0)
        return cli_fail(&err);
    if (o->json)
        print_json(&s);
    else if (list)
        print_list(&s.plan);
    else
        print_table(&s);
    session_close(&s);
    return EXIT_OK;
}

int cmd_plan_session(const struct session_options *o)
{
    return show(o, false);
}

int cmd_plan(int argc, char **argv)
{
    struct plan_cli o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = show(&o.session, o.list);
    session_options_release(&o.session);
    return code;
}
