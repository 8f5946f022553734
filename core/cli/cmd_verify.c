/* lethe verify: every number of a report again, from stored rows and predictions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "finished.h"
#include "fs.h"
#include "gather.h"
#include "json.h"
#include "log.h"
#include "report.h"
#include "table_diff.h"
#include "text.h"
#include "verify_store.h"

struct verify_options {
    const char *dir, *store;
    const char *plugin[9]; /* --plugin, NULL-ended */
    unsigned n_plugins;
    double sample;
    unsigned jobs;
    bool json, quiet;
};

enum { OPT_SAMPLE = 1536, OPT_STORE, OPT_PLUGIN, OPT_JSON };

static const struct argp_option options[] = {
    {"sample", OPT_SAMPLE, "SHARE", 0,
     "Share of trainings, unlearnings, attacks and predictions to run again, as 10% or 0.1 "
     "(default 10%); metrics are always computed again",
     0},
    {"store", OPT_STORE, "DIR", 0, "The store (default: the one that the report names)", 0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Load plugins from this file too; may be repeated", 0},
    {"jobs", 'j', "N", 0, "Tasks at a time (default: one a core)", 0},
    {"json", OPT_JSON, 0, 0, "Print one JSON value on standard output", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static void take_sample(struct verify_options *o, const char *arg, const struct argp_state *state)
{
    size_t n = strlen(arg);
    char *number = n && arg[n - 1] == '%' ? strndup(arg, n - 1) : strdup(arg);
    double v = 0;
    bool ok = number && text_to_real(number, &v);
    free(number);
    if (ok && arg[n - 1] == '%')
        v /= 100;
    if (!ok || !(v >= 0 && v <= 1))
        argp_error(state, "--sample: expected a share such as 10%% or 0.1, found \"%s\"", arg);
    o->sample = v;
}

static void take_jobs(struct verify_options *o, const char *arg, const struct argp_state *state)
{
    int64_t n;
    if (!text_to_int(arg, &n) || n < 1 || n > 256)
        argp_error(state, "--jobs: expected a number from 1 to 256, found \"%s\"", arg);
    o->jobs = (unsigned)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct verify_options *o = state->input;
    switch (key) {
    case OPT_SAMPLE:
        take_sample(o, arg, state);
        break;
    case OPT_STORE:
        o->store = arg;
        break;
    case OPT_PLUGIN:
        if (o->n_plugins == 8)
            argp_error(state, "--plugin: more than 8");
        o->plugin[o->n_plugins++] = arg;
        break;
    case 'j':
        take_jobs(o, arg, state);
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (o->dir)
            argp_error(state, "one report at a time: found both %s and %s", o->dir, arg);
        o->dir = arg;
        break;
    case ARGP_KEY_END:
        if (!o->dir)
            argp_error(state, "which report? Name the folder that `lethe run --out` wrote");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "DIR",
    "Recomputes a report: the checksums of everything stored, every metric from stored\n"
    "predictions, every cell of runs.csv, leaderboard.csv, the other tables and curves, and a\n"
    "sample of the trainings, unlearnings and attacks. Every difference is named.\v"
    "costs.csv holds what may differ between equal runs and is not compared, nor are figures,\n"
    "which are drawn from the compared tables (`lethe run` draws them again).\n\n"
    "Exit codes: 0 everything fits; 1 something does not; 2 usage, or not a report; 3 something\n"
    "is missing on this machine; 128+n ended by signal n.",
    NULL,
    NULL,
    NULL,
};

/* ---- problems ---- */

struct verification {
    struct session session;
    struct results results;
    json_t *problems;
    size_t n_cells, n_objects, n_rerun;
    int signal;
};

__attribute__((format(printf, 3, 4))) static int add(struct verification *v, struct error *err,
                                                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[600];
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_t *o = json_pack("{s:s}", "what", text);
    return o && json_array_append_new(v->problems, o) == 0 ? 0 : error_nomem(err);
}

/* The tasks that the report lists are those that its suite asks for now. */
static int check_tasks(struct verification *v, const struct finished *m, struct error *err)
{
    const char *first;
    const struct plan *p = &v->session.plan;
    size_t other = finished_other_tasks(m, p, &first);
    if (other == 0)
        return 0;
    return add(v, err,
               "%zu of %zu tasks are not those of the report (the first: %s): the suite's data, a "
               "plugin, or this build of Lethe is another one",
               other, json_array_size(json_object_get(m->json, "tasks")),
               first ? first : "a task too many");
}

/* ---- tables ---- */

static int diff_file(struct verification *v, const char *dir, const char *again, const char *name,
                     struct error *err)
{
    char *found = fs_join(dir, name), *expected = fs_join(again, name);
    int rc = found && expected ? table_diff(name, found, expected, v->problems, &v->n_cells, err)
                               : error_nomem(err);
    free(found);
    free(expected);
    return rc;
}

/* Every CSV that was written again, but costs.csv. */
static int diff_folder(struct verification *v, const char *dir, const char *again,
                       const char *below, struct error *err)
{
    char *folder = *below ? fs_join(again, below) : text_dup(again);
    char **names = NULL;
    size_t n = 0;
    int rc = folder ? 0 : error_nomem(err);
    if (rc == 0 && fs_is_dir(folder))
        rc = fs_list(folder, &names, &n, err);
    else if (rc == 0) /* no row has a result: check_tasks has said why */
        rc = add(v, err, "%s: the store has nothing to recompute it from", below);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        size_t len = strlen(names[i]);
        if (len < 4 || strcmp(names[i] + len - 4, ".csv") != 0 ||
            strcmp(names[i], "costs.csv") == 0)
            continue;
        char *name = *below ? fs_join(below, names[i]) : text_dup(names[i]);
        rc = name ? diff_file(v, dir, again, name, err) : error_nomem(err);
        free(name);
    }
    fs_names_free(names);
    free(folder);
    return rc;
}

static int check_tables(struct verification *v, const char *dir, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    char *again = text_format("%s/lethe-verify-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!again || !mkdtemp(again)) {
        free(again);
        return error_set(err, ERR_ENVIRONMENT, "cannot make a scratch folder; set TMPDIR");
    }
    struct report_options report = {.out_dir = again};
    int rc = report_write(&v->results, &report, err);
    if (rc == 0)
        rc = diff_folder(v, dir, again, "", err);
    if (rc == 0)
        rc = diff_folder(v, dir, again, "curves", err);
    fs_remove_tree(again, NULL);
    free(again);
    return rc;
}

/* ---- all of it ---- */

/* What cannot be read from a damaged store is a difference, not an error. */
static int check_report(struct verification *v, const char *dir, struct error *err)
{
    struct error why = ERROR_INIT;
    if (session_gather(&v->session, &v->results, &why) < 0)
        return add(v, err, "the report cannot be made again: %s", why.text);
    TRY(finished_adopt(dir, &v->results, err));
    return check_tables(v, dir, err);
}

static int verify(const struct verify_options *o, const struct finished *m, struct verification *v,
                  struct error *err)
{
    struct session *s = &v->session;
    struct verify_rerun rerun = {o->sample, s->worker, o->jobs, o->quiet};
    TRY(check_tasks(v, m, err));
    TRY(verify_objects(&s->plan, &s->store, v->problems, &v->n_objects, err));
    TRY(check_report(v, o->dir, err));
    return verify_rerun(&s->plan, &s->store, &rerun, v->problems, &v->n_rerun, &v->signal, err);
}

static void print_problem(const json_t *p)
{
    const char *file = json_string_value(json_object_get(p, "file"));
    const char *row = json_string_value(json_object_get(p, "row"));
    const char *column = json_string_value(json_object_get(p, "column"));
    const char *title = json_string_value(json_object_get(p, "title"));
    const char *what = json_string_value(json_object_get(p, "what"));
    json_int_t line = json_integer_value(json_object_get(p, "line"));
    if (title)
        printf("store: %s (%.12s): %s\n", title, json_string_value(json_object_get(p, "object")),
               what);
    else if (!file)
        printf("%s\n", what);
    else if (column)
        printf("%s:%d: %s: %s is \"%.200s\", recomputed \"%.200s\"\n", file, (int)line, row, column,
               json_string_value(json_object_get(p, "found")),
               json_string_value(json_object_get(p, "expected")));
    else
        printf("%s:%d: %s%s%s\n", file, (int)line, row, *row ? ": " : "", what);
}

static void show(const struct verify_options *o, const struct verification *v)
{
    size_t n = json_array_size(v->problems);
    if (o->json) {
        json_t *all = json_pack("{s:b,s:O,s:{s:I,s:I,s:I}}", "ok", (int)(n == 0), "problems",
                                v->problems, "checked", "cells", (json_int_t)v->n_cells, "objects",
                                (json_int_t)v->n_objects, "rerun", (json_int_t)v->n_rerun);
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
        putchar('\n');
        json_decref(all);
        return;
    }
    for (size_t i = 0; i < n; i++)
        print_problem(json_array_get(v->problems, i));
    printf("%zu cells recomputed, %zu stored objects checked, %zu tasks run again: %s\n",
           v->n_cells, v->n_objects, v->n_rerun, n ? "DIFFERENT" : "all equal");
}

static int run(const struct verify_options *o)
{
    struct error err = ERROR_INIT;
    struct finished m = {0};
    struct verification v = {.problems = json_array()};
    int rc = v.problems ? finished_read(o->dir, &m, &err) : error_nomem(&err);
    bool opened = false;
    if (rc == 0) {
        rc = finished_open(&m,
                           &(struct session_options){.store = o->store,
                                                     .plugin = (const char **)o->plugin,
                                                     .n_plugins = o->n_plugins},
                           &v.session, &err);
        opened = rc == 0;
    }
    if (rc == 0)
        rc = verify(o, &m, &v, &err);
    int code = rc < 0                        ? cli_fail(&err)
               : v.signal                    ? 128 + v.signal
               : json_array_size(v.problems) ? EXIT_SOME_FAILED
                                             : EXIT_OK;
    if (rc == 0 && !v.signal)
        show(o, &v);
    results_release(&v.results);
    if (opened)
        session_close(&v.session);
    finished_release(&m);
    json_decref(v.problems);
    return code;
}

int cmd_verify(int argc, char **argv)
{
    struct verify_options o = {.sample = 0.1};
    int code = cli_parse(&argp, argc, argv, &o);
    return code < 0 ? run(&o) : code;
}
