/* lethe report: the report of a finished run again, without running anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fs.h"
#include "log.h"
#include "manifest.h"
#include "report.h"
#include "report_end.h"
#include "report_merge.h"
#include "report_source.h"
#include "text.h"

struct report_cli {
    struct report_source_options source;
    char **setting; /* malloc'd texts, which source.extra.setting points to */
    const char **plugin;
    const char **path; /* all that were named */
    size_t n_paths;
    bool json, quiet, no_figures, merge;
    bool failed; /* out of memory */
};

enum {
    OPT_FORMATS = 2048,
    OPT_FIGURES,
    OPT_STORE,
    OPT_OUT,
    OPT_SET,
    OPT_PLUGIN,
    OPT_PARTIAL,
    OPT_MERGE,
    OPT_NO_FIGURES,
    OPT_JSON
};

static const struct argp_option options[] = {
    {"formats", OPT_FORMATS, "LIST", 0,
     "Formats of the figures, as svg,pdf (default: report.formats of the suite)", 0},
    {"figures", OPT_FIGURES, "LIST", 0,
     "Kinds of figures, as gap,roc (default: report.figures of the suite)", 0},
    {"no-figures", OPT_NO_FIGURES, 0, 0, "Do not draw figures", 0},
    {"out", OPT_OUT, "DIR", 0, "Where the report goes (default: DIR itself, or ./lethe-out/SUITE)",
     0},
    {"store", OPT_STORE, "DIR", 0,
     "The store (default: the one that the report names; for a suite $LETHE_STORE, else "
     "$XDG_CACHE_HOME/lethe/store)",
     0},
    {"set", OPT_SET, "report.KEY=VALUE", 0,
     "Change the report: part of the suite: --set report.gap=[forget_acc]; may be repeated", 0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Load plugins from this file too; may be repeated", 0},
    {"partial", OPT_PARTIAL, 0, 0, "Report what there is of a run that is not finished", 0},
    {"merge", OPT_MERGE, 0, 0,
     "One report of several suites or folders; needs --out. Suites that share originals and "
     "oracles share blocks",
     0},
    {"json", OPT_JSON, 0, 0, "Print one JSON value on standard output", 0},
    {"quiet", 'q', 0, 0, "Do not print the leaderboard", 0},
    {0},
};

/* text is malloc'd (NULL: out of memory) and kept. */
static void add_setting(struct report_cli *o, char *text)
{
    unsigned n = o->source.extra.n_settings;
    char **grown = realloc(o->setting, (n + 2) * sizeof(*grown));
    if (grown)
        o->setting = grown;
    if (!grown || !text) {
        o->failed = true;
        free(text);
        return;
    }
    o->setting[n] = text;
    o->setting[n + 1] = NULL;
    o->source.extra.n_settings = n + 1;
    o->source.extra.setting = (const char **)o->setting;
}

static void add_plugin(struct report_cli *o, const char *file)
{
    unsigned n = o->source.extra.n_plugins;
    const char **grown = realloc(o->plugin, (n + 2) * sizeof(*grown));
    if (!grown) {
        o->failed = true;
        return;
    }
    o->plugin = grown;
    o->plugin[n] = file;
    o->plugin[n + 1] = NULL;
    o->source.extra.n_plugins = n + 1;
    o->source.extra.plugin = o->plugin;
}

static void take_setting(struct report_cli *o, const char *arg, const struct argp_state *state)
{
    if (!text_starts(arg, "report."))
        argp_error(state,
                   "--set %s: a finished run can change its report: part alone; `lethe run "
                   "--set` changes what is computed",
                   arg);
    add_setting(o, text_dup(arg));
}

static void take_path(struct report_cli *o, const char *arg)
{
    const char **grown = realloc(o->path, (o->n_paths + 1) * sizeof(*grown));
    if (!grown) {
        o->failed = true;
        return;
    }
    o->path = grown;
    o->path[o->n_paths++] = arg;
    o->source.path = o->path[0];
}

static void check_paths(const struct report_cli *o, const struct argp_state *state)
{
    if (o->n_paths == 0)
        argp_error(state, "which report? Name the folder that `lethe run --out` wrote, or its "
                          "suite file");
    if (o->n_paths > 1 && !o->merge)
        argp_error(state, "one report at a time: found both %s and %s; --merge makes one of both",
                   o->path[0], o->path[1]);
    if (o->merge && o->n_paths < 2)
        argp_error(state, "--merge: name two reports or more");
    if (o->merge && !o->source.out)
        argp_error(state, "--merge: where should the report go? Name a folder with --out");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct report_cli *o = state->input;
    switch (key) {
    case OPT_FORMATS:
        add_setting(o, text_format("report.formats=[%s]", arg));
        break;
    case OPT_FIGURES:
        add_setting(o, text_format("report.figures=[%s]", arg));
        break;
    case OPT_SET:
        take_setting(o, arg, state);
        break;
    case OPT_PLUGIN:
        add_plugin(o, arg);
        break;
    case OPT_STORE:
        o->source.extra.store = arg;
        break;
    case OPT_OUT:
        o->source.out = arg;
        break;
    case OPT_PARTIAL:
        o->source.partial = true;
        break;
    case OPT_MERGE:
        o->merge = true;
        break;
    case OPT_NO_FIGURES:
        o->no_figures = true;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    case ARGP_KEY_ARG:
        take_path(o, arg);
        break;
    case ARGP_KEY_END:
        check_paths(o, state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return o->failed ? ENOMEM : 0;
}

static const struct argp argp = {
    options,
    parse,
    "DIR|SUITE.yaml\n--merge --out DIR DIR|SUITE.yaml...",
    "Makes the report of a finished run again from its store, without running\n"
    "anything: tables, curves/, figures/, index.html and manifest.json. DIR is\n"
    "reported as it was run; SUITE.yaml with its report: part as it is now. The\n"
    "same results give the same bytes.\v"
    "Examples:\n"
    "  lethe report lethe-out/fashion-quick --formats svg\n"
    "  lethe report lethe-out/fashion-quick --set report.gap=[forget_acc]\n"
    "  lethe report --merge lethe-out/a lethe-out/b --out lethe-out/both\n"
    "\nExit codes: 0 all rows ok; 1 some rows failed, or the run is not finished;\n"
    "2 usage or suite error; 3 something is missing on this machine (without\n"
    "gnuplot everything but the pictures is written).",
    NULL,
    NULL,
    NULL,
};

static int print_json(const struct results *r, const char *out_dir, size_t n_missing,
                      unsigned n_bad)
{
    json_t *o = json_pack("{s:s,s:s,s:I,s:I,s:I}", "suite", r->suite, "out", out_dir, "rows",
                          (json_int_t)r->n_rows, "rows_failed", (json_int_t)n_bad, "rows_missing",
                          (json_int_t)n_missing);
    int rc = o ? json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS) : -1;
    json_decref(o);
    putchar('\n');
    return rc;
}

static int show(const struct report_cli *o, const struct results *r, size_t n_missing,
                const char *out_dir, unsigned n_bad, struct error *err)
{
    int rc = 0;
    if (o->json)
        rc = print_json(r, out_dir, n_missing, n_bad);
    else if (!o->quiet)
        rc = report_print(r, stdout, report_end_columns(), err);
    log_info("report of %zu rows in %s%s", r->n_rows, out_dir,
             n_missing ? "; PARTIAL: the run is not finished" : "");
    return rc;
}

static int write_all(const struct report_cli *o, struct report_source *s, struct error *err)
{
    struct error drawing = ERROR_INIT;
    char *out_dir = NULL;
    TRY(fs_absolute(o->source.out ? o->source.out : s->dir, &out_dir, err));
    struct report_end end = {.out_dir = out_dir, .no_figures = o->no_figures, .earlier = s->dir};
    unsigned n_bad = report_end_bad_rows(&s->session.suite, &s->results);
    int code = n_bad ? EXIT_SOME_FAILED : EXIT_OK;
    int rc = manifest_check_dir(out_dir, s->session.suite.name, err);
    if (rc == 0)
        rc = fs_mkdirs(out_dir, err);
    if (rc == 0 && report_end_write(&s->session, &s->results, &end, &drawing) < 0)
        code = cli_fail(&drawing);
    if (rc == 0)
        rc = show(o, &s->results, s->n_missing, out_dir, n_bad, err);
    free(out_dir);
    return rc < 0 ? rc : code;
}

static int run(const struct report_cli *o)
{
    struct error err = ERROR_INIT;
    struct report_source s;
    int rc = report_source_open(&o->source, &s, &err);
    if (rc == 0)
        rc = write_all(o, &s, &err);
    report_source_release(&s);
    return rc < 0 ? cli_fail(&err) : rc;
}

static int run_merge(const struct report_cli *o)
{
    struct error err = ERROR_INIT;
    struct report_merge m = {
        .path = o->path, .n = o->n_paths, .source = o->source, .no_figures = o->no_figures};
    int written = report_merge_write(&m, &err);
    int code = written < 0 ? cli_fail(&err) : m.n_bad ? EXIT_SOME_FAILED : EXIT_OK;
    if (written == 0 || m.written)
        if (show(o, &m.results, m.n_missing, o->source.out, m.n_bad, &err) < 0)
            code = cli_fail(&err);
    report_merge_release(&m);
    return code;
}

int cmd_report(int argc, char **argv)
{
    struct report_cli o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = o.merge ? run_merge(&o) : run(&o);
    for (unsigned i = 0; i < o.source.extra.n_settings; i++)
        free(o.setting[i]);
    free(o.setting);
    free(o.plugin);
    free(o.path);
    return code;
}
