/* The parent's side: which tests apply, a process each, and what became of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clean_text.h"
#include "conform.h"
#include "fs.h"
#include "text.h"

enum { MAX_JOBS = 16 };
#define MEMORY_LIMIT (4ull << 30)

/* A test in its process; child NULL: the place is free. */
struct slot {
    struct child *child;
    struct conform_result *result;
    char *dir;
};

struct run {
    const struct conform_options *o;
    struct conform_report *report;
    char *dir;
    struct slot slot[MAX_JOBS];
    unsigned n_started, n_running;
};

/* ---- which tests ---- */

static bool is_wanted(const struct conform_options *o, const char *name)
{
    for (size_t i = 0; o->only && o->only[i]; i++)
        if (strcmp(o->only[i], name) == 0)
            return true;
    return !o->only;
}

static void add(const struct conform_options *o, const struct plugin_desc *p,
                struct conform_report *r)
{
    for (const struct conform_test *t = conform_list; t->name; t++) {
        bool applies = p ? (t->kinds >> p->kind) & 1 : t->kinds == CONFORM_FILE;
        if (!applies || !is_wanted(o, t->name))
            continue;
        if (r->result) {
            struct conform_result *to = &r->result[r->n];
            *to = (struct conform_result){.test = t->name,
                                          .kind = p ? plugin_kind_name(p->kind) : ""};
            snprintf(to->id, sizeof(to->id), "%s", p ? p->id : "");
        }
        r->n++;
    }
}

static void add_all(const struct conform_options *o, struct conform_report *r)
{
    r->n = 0;
    add(o, NULL, r);
    for (unsigned i = 0; o->known && i < o->known->n; i++)
        if (strcmp(o->known->plugin[i].path, o->path) == 0)
            add(o, &o->known->plugin[i], r);
}

/* ---- one test ---- */

static json_t *attack_paths(const struct plugin_set *known)
{
    json_t *o = json_object();
    for (unsigned i = 0; known && i < known->n; i++) {
        const struct plugin_desc *p = &known->plugin[i];
        if (p->kind == PLUGIN_EXAMPLE_ATTACK && !p->shadowed_by)
            json_object_set_new(o, p->id, json_string(p->path));
    }
    return o;
}

static int kind_number(const char *kind)
{
    int k = PLUGIN_UNLEARNER;
    while (k <= PLUGIN_METRIC && strcmp(plugin_kind_name((enum plugin_kind)k), kind) != 0)
        k++;
    return k;
}

static int write_job(const struct run *run, const struct slot *s, const char *job,
                     struct error *err)
{
    const struct conform_options *o = run->o;
    char *result = fs_join(s->dir, "result.json"), *scratch = fs_join(s->dir, "scratch");
    json_t *json = NULL;
    int rc = result && scratch ? fs_mkdirs(scratch, err) : error_nomem(err);
    if (rc == 0) {
        json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:I,s:I,s:o}", "path", o->path, "result", result,
                         "scratch", scratch, "test", s->result->test, "id", s->result->id, "kind",
                         kind_number(s->result->kind), "seed", (json_int_t)o->seed, "fuzz",
                         (json_int_t)o->fuzz, "attacks", attack_paths(o->known));
        rc = json ? json_write_file(job, json, err) : error_nomem(err);
    }
    json_decref(json);
    free(result);
    free(scratch);
    return rc;
}

static int start(struct run *run, struct slot *s, struct conform_result *result, struct error *err)
{
    char *job = NULL, *log = NULL;
    s->result = result;
    s->dir = text_format("%s/%u", run->dir, run->n_started);
    int rc = s->dir ? fs_mkdirs(s->dir, err) : error_nomem(err);
    if (rc == 0 && !((job = fs_join(s->dir, "job.json")) && (log = fs_join(s->dir, "log.txt"))))
        rc = error_nomem(err);
    if (rc == 0)
        rc = write_job(run, s, job, err);
    if (rc == 0) {
        const char *const args[] = {"check", job, NULL};
        struct child_options options = {.program = run->o->worker,
                                        .args = args,
                                        .log_path = log,
                                        .wall_limit_s = run->o->wall_limit_s,
                                        .memory_limit = MEMORY_LIMIT};
        /* what a thread keeps of freed memory would look like a leak */
        bool leak = strcmp(result->test, "leak") == 0;
        if (leak)
            setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
        rc = child_start(&options, &s->child, err);
        if (leak)
            unsetenv("GLIBC_TUNABLES");
    }
    free(job);
    free(log);
    run->n_started++;
    run->n_running += s->child != NULL;
    return rc;
}

static enum conform_outcome outcome_from_name(const char *name)
{
    int k = 0;
    while (k < CONFORM_OUTCOMES && strcmp(conform_outcome_name((enum conform_outcome)k), name) != 0)
        k++;
    return (enum conform_outcome)k;
}

/* What the worker left; without a result (or one that does not read) the fields stay. */
static void read_result(const struct slot *s, struct conform_result *r)
{
    char *path = fs_join(s->dir, "result.json");
    json_t *o = NULL;
    const char *outcome, *text, *repeat;
    if (path && json_read_file(path, &o, NULL) == 0 &&
        json_get_string(o, path, "outcome", &outcome, NULL) == 0 &&
        json_get_string(o, path, "text", &text, NULL) == 0 &&
        json_get_string(o, path, "repeat", &repeat, NULL) == 0) {
        r->outcome = outcome_from_name(outcome);
        snprintf(r->text, sizeof(r->text), "%s", text);
        snprintf(r->repeat, sizeof(r->repeat), "%s", repeat);
    }
    json_decref(o);
    free(path);
}

static void last_words(const struct slot *s, char *out, size_t cap)
{
    char *path = fs_join(s->dir, "log.txt"), *text = NULL;
    size_t n = 0;
    *out = 0;
    if (path && fs_read(path, 1 << 20, &text, &n, NULL) == 0)
        clean_last_line(text, n, out, cap);
    free(text);
    free(path);
}

/* A process that did not end well: its note says what was being tried. */
static void settle(const struct slot *s)
{
    const struct child_result *c = child_result(s->child);
    struct conform_result *r = s->result;
    char doing[sizeof(r->text)], words[300];
    read_result(s, r);
    if (c->verdict == VERDICT_OK)
        return;
    snprintf(doing, sizeof(doing), "%s", r->outcome == CONFORM_CRASH ? r->text : "");
    last_words(s, words, sizeof(words));
    r->outcome = c->verdict == VERDICT_TIMEOUT  ? CONFORM_TIMEOUT
                 : c->verdict == VERDICT_FAILED ? CONFORM_FAIL
                                                : CONFORM_CRASH;
    bool quote = r->outcome == CONFORM_CRASH && *words;
    char *text = text_format("%s%s%s%s%s%s", c->reason, *doing ? "; while trying: " : "", doing,
                             quote ? " (last words: " : "", quote ? words : "", quote ? ")" : "");
    snprintf(r->text, sizeof(r->text), "%s", text ? text : c->reason);
    free(text);
}

static void finish(struct run *run, struct slot *s)
{
    settle(s);
    child_free(s->child);
    fs_remove_tree(s->dir, NULL);
    free(s->dir);
    *s = (struct slot){NULL, NULL, NULL};
    run->n_running--;
}

/* Until at most `most` are running. */
static int drain(struct run *run, unsigned most, struct error *err)
{
    while (run->n_running > most) {
        struct child *child[MAX_JOBS];
        unsigned n = 0;
        for (unsigned i = 0; i < MAX_JOBS; i++)
            if (run->slot[i].child)
                child[n++] = run->slot[i].child;
        TRY(child_wait(child, n, -1, err));
        for (unsigned i = 0; i < MAX_JOBS; i++)
            if (run->slot[i].child && child_ended(run->slot[i].child))
                finish(run, &run->slot[i]);
    }
    return 0;
}

/* ---- all tests ---- */

/* Tests behind `defaults` run the plugin again and again. */
static const struct conform_result *defaults_of(const struct run *run, unsigned i)
{
    const struct conform_result *all = run->report->result;
    for (unsigned k = 0; k < i; k++)
        if (strcmp(all[k].test, "defaults") == 0 && strcmp(all[k].id, all[i].id) == 0 &&
            strcmp(all[k].kind, all[i].kind) == 0)
            return &all[k];
    return NULL;
}

static int run_one(struct run *run, unsigned i, struct error *err)
{
    struct conform_result *r = &run->report->result[i];
    unsigned jobs = run->o->jobs < MAX_JOBS ? run->o->jobs : MAX_JOBS, at = 0;
    const struct conform_result *d = defaults_of(run, i);
    bool first = strcmp(r->test, "load") == 0 || strcmp(r->test, "defaults") == 0;
    if (d && d->outcome == CONFORM_TIMEOUT) {
        r->outcome = CONFORM_SKIP;
        snprintf(r->text, sizeof(r->text), "a run with the default parameters does not end");
        return 0;
    }
    TRY(drain(run, first ? 0 : jobs - 1, err));
    while (run->slot[at].child)
        at++;
    TRY(start(run, &run->slot[at], r, err));
    return first ? drain(run, 0, err) : 0;
}

/* A file that does not load has nothing else to say. */
static bool stops(const struct conform_result *r)
{
    return strcmp(r->test, "load") == 0 && r->outcome >= CONFORM_FAIL;
}

static int run_all(struct run *run, struct error *err)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < run->report->n; i++) {
        rc = run_one(run, i, err);
        if (rc == 0 && stops(&run->report->result[i]))
            run->report->n = i + 1;
    }
    if (rc == 0)
        rc = drain(run, 0, err);
    for (unsigned i = 0; i < MAX_JOBS; i++)
        if (run->slot[i].child || run->slot[i].dir) { /* only after a failure */
            child_free(run->slot[i].child);
            free(run->slot[i].dir);
        }
    return rc;
}

static int make_folder(struct run *run, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    run->dir = text_format("%s/lethe-check-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!run->dir)
        return error_nomem(err);
    if (mkdtemp(run->dir))
        return 0;
    return error_set(
        err, ERR_ENVIRONMENT,
        "cannot make a temporary folder %s; set TMPDIR to a folder that can be written", run->dir);
}

int conform_run(const struct conform_options *o, struct conform_report *ret, struct error *err)
{
    struct conform_report report = {0};
    struct run run = {.o = o, .report = &report};
    add_all(o, &report);
    report.result = calloc(report.n + 1, sizeof(*report.result));
    int rc = report.result ? make_folder(&run, err) : error_nomem(err);
    if (rc == 0) {
        add_all(o, &report);
        rc = run_all(&run, err);
        fs_remove_tree(run.dir, NULL);
    }
    free(run.dir);
    if (rc < 0) {
        conform_report_release(&report);
        return rc;
    }
    for (unsigned i = 0; i < report.n; i++)
        report.count[report.result[i].outcome]++;
    *ret = report;
    return 0;
}

void conform_report_release(struct conform_report *r)
{
    free(r->result);
    *r = (struct conform_report){0};
}

bool conform_failed(const struct conform_report *r)
{
    return r->count[CONFORM_FAIL] + r->count[CONFORM_CRASH] + r->count[CONFORM_TIMEOUT] > 0;
}
