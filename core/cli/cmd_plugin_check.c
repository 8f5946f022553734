/* lethe plugin check: the conformance tests on one file, each in a process of its own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_plugin.h"
#include "conform.h"
#include "fs.h"
#include "log.h"
#include "text.h"

struct check_options {
    const char **file, **only; /* NULL-ended */
    unsigned n_files, n_only;
    bool json, list, quiet;
    uint64_t seed;
    uint32_t fuzz, jobs;
    double timeout_s;
};

enum { OPT_ONLY = 256, OPT_JSON, OPT_LIST, OPT_SEED, OPT_FUZZ, OPT_TIMEOUT };

static const struct argp_option options[] = {
    {"only", OPT_ONLY, "NAME", 0, "Run this test alone; may be repeated, or a list: a,b", 0},
    {"list", OPT_LIST, 0, 0, "Print the names of the tests and what must hold, and end", 0},
    {"fuzz", OPT_FUZZ, "N", 0, "Random cases of the test `fuzz` (default 12)", 0},
    {"seed", OPT_SEED, "N", 0, "Of every random choice (default 1)", 0},
    {"jobs", 'j', "N", 0, "Tests at a time (default: the processors)", 0},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "For each test (default 30s)", 0},
    {"quiet", 'q', 0, 0, "Print only what is not in order", 0},
    {"json", OPT_JSON, 0, 0, "Print a JSON object on stdout", 0},
    {0},
};

static const char doc[] =
    "Does a plugin keep the rules? Runs every conformance test that applies to what is in\n"
    "FILE.so, each test in a process of its own, on small synthetic tasks.\v"
    "Outcomes: pass; warn (allowed, but somebody will be sorry); skip (does not apply, and\n"
    "why); fail; crash (a signal, or the process ended in mid-test); timeout.\n"
    "\nExamples:\n"
    "  lethe plugin check ./build/my_method.so\n"
    "  lethe plugin check my_method.so --only state,threads\n"
    "  lethe plugin check my_method.so --only fuzz --fuzz 1000 --seed 7\n"
    "A failing random case is printed with the options that repeat it alone.\n"
    "\nExit codes: 0 nothing failed (warnings may be there); 1 something failed, crashed or\n"
    "hung; 2 wrong options, or no such file; 3 something is missing on this machine.";

static bool add_word(const char ***list, unsigned *n, const char *word)
{
    const char **grown = realloc(*list, (*n + 2) * sizeof(*grown));
    if (!grown)
        return false;
    *list = grown;
    grown[(*n)++] = word;
    grown[*n] = NULL;
    return true;
}

static bool add_only(struct check_options *o, char *list)
{
    char *rest = NULL;
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
        if (!add_word(&o->only, &o->n_only, name))
            return false;
    return true;
}

static int64_t whole(struct argp_state *state, const char *option, const char *text, int64_t lo,
                     int64_t hi)
{
    int64_t v;
    if (!text_to_int(text, &v) || v < lo || v > hi)
        argp_error(state,
                   "--%s: expected a whole number from %" PRId64 " to %" PRId64 ", found \"%s\"",
                   option, lo, hi, text);
    return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct check_options *o = state->input;
    switch (key) {
    case OPT_ONLY:
        return add_only(o, arg) ? 0 : ENOMEM;
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_LIST:
        o->list = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    case OPT_SEED:
        o->seed = (uint64_t)whole(state, "seed", arg, 0, INT64_MAX - 1000000);
        break;
    case OPT_FUZZ:
        o->fuzz = (uint32_t)whole(state, "fuzz", arg, 0, 1000000);
        break;
    case 'j':
        o->jobs = (uint32_t)whole(state, "jobs", arg, 1, 16);
        break;
    case OPT_TIMEOUT:
        if (!text_to_seconds(arg, &o->timeout_s) || o->timeout_s <= 0)
            argp_error(state, "--timeout: expected a time such as 30s or 2m, found \"%s\"", arg);
        break;
    case ARGP_KEY_ARG:
        return add_word(&o->file, &o->n_files, arg) ? 0 : ENOMEM;
    case ARGP_KEY_END:
        if (o->n_files == 0 && !o->list)
            argp_error(state, "which file? The build of a plugin makes a .so");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {options, parse, "FILE.so...", doc, NULL, NULL, NULL};

static int check_names(const struct check_options *o)
{
    const char *names[128];
    size_t n = 0;
    for (const struct conform_test *t = conform_list; t->name && n + 1 < 128; t++)
        if (t->kinds)
            names[n++] = t->name;
    names[n] = NULL;
    for (unsigned i = 0; i < o->n_only; i++) {
        size_t k = 0;
        while (k < n && strcmp(names[k], o->only[i]) != 0)
            k++;
        if (k < n)
            continue;
        const char *near = text_did_you_mean(o->only[i], names);
        log_error("--only: no test \"%s\"%s%s%s; --list prints them", o->only[i],
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static void print_tests(void)
{
    for (const struct conform_test *t = conform_list; t->name; t++)
        if (t->kinds)
            printf("%-14s %s\n", t->name, t->doc);
}

/* ---- results ---- */

static const char *doc_of(const char *test)
{
    const struct conform_test *t = conform_list;
    while (strcmp(t->name, test) != 0)
        t++;
    return t->doc;
}

static void print_result(const struct check_options *o, const char *file,
                         const struct conform_result *r)
{
    if (o->quiet && (r->outcome == CONFORM_PASS || r->outcome == CONFORM_SKIP))
        return;
    printf("  %-8s %-14s %s\n", conform_outcome_name(r->outcome), r->test,
           *r->text ? r->text : doc_of(r->test));
    if (*r->repeat && r->outcome != CONFORM_PASS)
        printf("  %-8s %-14s repeat with: lethe plugin check %s %s\n", "", "", file, r->repeat);
}

static void print_report(const struct check_options *o, const char *file,
                         const struct conform_report *report)
{
    const char *id = NULL, *kind = NULL;
    for (unsigned i = 0; i < report->n; i++) {
        const struct conform_result *r = &report->result[i];
        if (!id || strcmp(id, r->id) != 0 || strcmp(kind, r->kind) != 0) {
            if (*r->id)
                printf("%s (%s)\n", r->id, r->kind);
            else
                printf("%s\n", fs_basename(file));
        }
        id = r->id;
        kind = r->kind;
        print_result(o, file, r);
    }
    for (int k = 0; k < CONFORM_OUTCOMES; k++)
        printf("%s%u %s", k ? ", " : "", report->count[k],
               conform_outcome_name((enum conform_outcome)k));
    printf("\n\n");
    fflush(stdout);
}

/* Adds to what is printed at the end; 0 or an error. */
static int add_json(const char *file, const struct conform_report *report, json_t *files,
                    struct error *err)
{
    json_t *all = json_array(), *counts = json_object();
    for (unsigned i = 0; all && i < report->n; i++) {
        const struct conform_result *r = &report->result[i];
        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "plugin", r->id, "kind",
                                             r->kind, "test", r->test, "outcome",
                                             conform_outcome_name(r->outcome), "text", r->text,
                                             "repeat", r->repeat));
    }
    for (int k = 0; counts && k < CONFORM_OUTCOMES; k++)
        json_object_set_new(counts, conform_outcome_name((enum conform_outcome)k),
                            json_integer(report->count[k]));
    json_t *one = json_pack("{s:s,s:o,s:o}", "file", file, "counts", counts, "results", all);
    return one && json_array_append_new(files, one) == 0 ? 0 : error_nomem(err);
}

static void print_json(const struct check_options *o, const json_t *files)
{
    json_t *out = json_pack("{s:I,s:O}", "seed", (json_int_t)o->seed, "files", files);
    if (out)
        json_dumpf(out, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(out);
}

/* ---- the run ---- */

static int run(const struct check_options *o, const char *path, const struct plugin_set *known,
               struct conform_report *ret, struct error *err)
{
    char *worker = child_worker_path(err);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct conform_options options_ = {.worker = worker,
                                       .path = path,
                                       .only = o->only,
                                       .seed = o->seed,
                                       .fuzz = o->fuzz,
                                       .jobs = o->jobs          ? o->jobs
                                               : processors > 0 ? (uint32_t)processors
                                                                : 1,
                                       .wall_limit_s = o->timeout_s,
                                       .known = known};
    int rc = worker ? conform_run(&options_, ret, err) : err->code;
    free(worker);
    return rc;
}

static int check_file(const struct check_options *o, const char *file,
                      const struct plugin_set *known, json_t *files, bool *failed,
                      struct error *err)
{
    struct conform_report report = {0};
    char *path = NULL;
    TRY(fs_absolute(file, &path, err));
    int rc = run(o, path, known, &report, err);
    free(path);
    TRY(rc);
    if (o->json)
        rc = add_json(file, &report, files, err);
    else
        print_report(o, file, &report);
    *failed |= conform_failed(&report);
    conform_report_release(&report);
    return rc;
}

static int discover(const struct check_options *o, struct plugin_set *ret, struct error *err)
{
    char **paths = calloc(o->n_files + 1, sizeof(*paths));
    int rc = paths ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < o->n_files; i++) {
        if (!fs_exists(o->file[i]))
            rc = error_set(err, ERR_INVALID, "%s: there is no such file", o->file[i]);
        else
            rc = fs_absolute(o->file[i], &paths[i], err);
    }
    if (rc == 0)
        rc = plugins_discover((const char *const *)paths, NULL, ret, err);
    for (unsigned i = 0; paths && i < o->n_files; i++)
        free(paths[i]);
    free(paths);
    return rc;
}

static int check_all(const struct check_options *o)
{
    struct plugin_set known;
    struct error err = ERROR_INIT;
    bool failed = false;
    json_t *files = json_array();
    int rc = files ? discover(o, &known, &err) : error_nomem(&err);
    if (rc == 0) {
        for (unsigned i = 0; rc == 0 && i < o->n_files; i++)
            rc = check_file(o, o->file[i], &known, files, &failed, &err);
        plugins_release(&known);
    }
    if (rc == 0 && o->json)
        print_json(o, files);
    json_decref(files);
    return rc < 0 ? cli_fail(&err) : failed ? EXIT_SOME_FAILED : EXIT_OK;
}

int cmd_plugin_check(int argc, char **argv)
{
    struct check_options o = {.seed = 1, .fuzz = 12, .timeout_s = 30};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = check_names(&o);
    if (code == EXIT_OK && o.list)
        print_tests();
    else if (code == EXIT_OK && o.n_files > 0)
        code = check_all(&o);
    free(o.file);
    free(o.only);
    return code;
}
