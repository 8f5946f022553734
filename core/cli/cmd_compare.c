/* lethe compare: two reports of a suite, row by row: what changed beyond its interval. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "csv.h"
#include "fs.h"
#include "json.h"
#include "text.h"

struct compare_options {
    const char *dir[2];
    bool json;
};

enum { OPT_JSON = 1792 };

static const struct argp_option options[] = {
    {"json", OPT_JSON, 0, 0, "Print one JSON value on standard output", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct compare_options *o = state->input;
    switch (key) {
    case OPT_JSON:
        o->json = true;
        break;
    case ARGP_KEY_ARG:
        if (o->dir[1])
            argp_error(state, "two reports at a time");
        o->dir[o->dir[0] ? 1 : 0] = arg;
        break;
    case ARGP_KEY_END:
        if (!o->dir[1])
            argp_error(state, "which reports? Name two folders that `lethe run --out` wrote");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "DIR1 DIR2",
    "Compares the leaderboards of two reports: rows and metrics that only one of them has, ranks\n"
    "that differ, and means that changed beyond their intervals.\v"
    "A mean changed beyond its interval when the 95 % intervals of both reports do not overlap;\n"
    "where one of them has no interval (fewer than 3 cells) any change counts and is marked.\n\n"
    "Exit codes: 0 nothing changed beyond its interval; 1 something did, or rows differ; 2 usage,\n"
    "or not a report.",
    NULL,
    NULL,
    NULL,
};

struct comparison {
    struct csv_table board[2];
    json_t *changes;
    size_t n_means, n_beyond, n_rows;
    bool failed; /* out of memory */
};

static const char *cell(const struct csv_table *t, size_t row, const char *column)
{
    int c = csv_column(t, column);
    return c < 0 ? "" : t->row[row][c];
}

static size_t find_row(const struct csv_table *t, const char *scenario, const char *method)
{
    for (size_t i = 0; i < t->n_rows; i++)
        if (strcmp(cell(t, i, "scenario"), scenario) == 0 &&
            strcmp(cell(t, i, "method"), method) == 0)
            return i;
    return SIZE_MAX;
}

static void add(struct comparison *c, const char *scenario, const char *method, const char *metric,
                const char *first, const char *second, const char *what)
{
    json_t *o = json_pack("{s:s,s:s,s:s?,s:s?,s:s?,s:s}", "scenario", scenario, "method", method,
                          "metric", metric, "first", first, "second", second, "what", what);
    c->failed |= !o || json_array_append_new(c->changes, o) != 0;
    c->n_beyond++;
}

/* A metric is a column beside which NAME_ci_low stands. */
static bool has_interval(const struct csv_table *t, const char *name, char *ret, size_t size,
                         const char *suffix)
{
    snprintf(ret, size, "%s%s", name, suffix);
    return csv_column(t, ret) >= 0;
}

static double bound(const struct csv_table *t, size_t row, const char *metric, const char *suffix)
{
    char name[300];
    double v;
    return has_interval(t, metric, name, sizeof(name), suffix) &&
                   text_to_real(cell(t, row, name), &v)
               ? v
               : NAN;
}

static void compare_mean(struct comparison *c, size_t i, size_t j, const char *metric)
{
    const struct csv_table *a = &c->board[0], *b = &c->board[1];
    const char *x = cell(a, i, metric), *y = cell(b, j, metric);
    double low[2] = {bound(a, i, metric, "_ci_low"), bound(b, j, metric, "_ci_low")};
    double high[2] = {bound(a, i, metric, "_ci_high"), bound(b, j, metric, "_ci_high")};
    bool known = !isnan(low[0] + low[1] + high[0] + high[1]);
    c->n_means++;
    if (strcmp(x, y) == 0)
        return;
    if (!known)
        add(c, cell(a, i, "scenario"), cell(a, i, "method"), metric, x, y,
            "changed, without intervals to judge by");
    else if (low[0] > high[1] || low[1] > high[0])
        add(c, cell(a, i, "scenario"), cell(a, i, "method"), metric, x, y,
            "changed beyond its interval");
}

static void compare_row(struct comparison *c, size_t i, size_t j)
{
    static const char *const plain[] = {"rank", "n_used", "flags", NULL};
    const struct csv_table *a = &c->board[0], *b = &c->board[1];
    char name[300];
    c->n_rows++;
    for (const char *const *p = plain; *p; p++)
        if (strcmp(cell(a, i, *p), cell(b, j, *p)) != 0)
            add(c, cell(a, i, "scenario"), cell(a, i, "method"), *p, cell(a, i, *p), cell(b, j, *p),
                "differs");
    for (size_t k = 0; k < a->n_cols; k++)
        if (has_interval(a, a->header[k], name, sizeof(name), "_ci_low") &&
            csv_column(b, a->header[k]) >= 0)
            compare_mean(c, i, j, a->header[k]);
}

static void compare_boards(struct comparison *c)
{
    const struct csv_table *a = &c->board[0], *b = &c->board[1];
    for (size_t i = 0; i < a->n_rows; i++) {
        size_t j = find_row(b, cell(a, i, "scenario"), cell(a, i, "method"));
        if (j == SIZE_MAX)
            add(c, cell(a, i, "scenario"), cell(a, i, "method"), NULL, NULL, NULL,
                "only in the first report");
        else
            compare_row(c, i, j);
    }
    for (size_t j = 0; j < b->n_rows; j++)
        if (find_row(a, cell(b, j, "scenario"), cell(b, j, "method")) == SIZE_MAX)
            add(c, cell(b, j, "scenario"), cell(b, j, "method"), NULL, NULL, NULL,
                "only in the second report");
}

static int read_board(const char *dir, struct csv_table *ret, struct error *err)
{
    char *path = fs_join(dir, "leaderboard.csv");
    int rc = path ? 0 : error_nomem(err);
    if (rc == 0 && !fs_exists(path))
        rc = error_set(err, ERR_INVALID, "%s: there is no such file; is %s a report of Lethe?",
                       path, dir);
    if (rc == 0)
        rc = csv_read(path, (size_t)1 << 30, ret, err);
    free(path);
    return rc;
}

static void print_change(const json_t *o)
{
    const char *metric = json_string_value(json_object_get(o, "metric"));
    printf("%s, %s: ", json_string_value(json_object_get(o, "scenario")),
           json_string_value(json_object_get(o, "method")));
    if (metric)
        printf("%s %s -> %s, ", metric, json_string_value(json_object_get(o, "first")),
               json_string_value(json_object_get(o, "second")));
    printf("%s\n", json_string_value(json_object_get(o, "what")));
}

static void show(const struct compare_options *o, const struct comparison *c)
{
    if (o->json) {
        json_t *all =
            json_pack("{s:b,s:O,s:I,s:I}", "same", (int)(c->n_beyond == 0), "changes", c->changes,
                      "rows", (json_int_t)c->n_rows, "means", (json_int_t)c->n_means);
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
        putchar('\n');
        json_decref(all);
        return;
    }
    for (size_t i = 0; i < json_array_size(c->changes); i++)
        print_change(json_array_get(c->changes, i));
    printf("%zu rows and %zu means compared: %zu changes\n", c->n_rows, c->n_means, c->n_beyond);
}

static int run(const struct compare_options *o)
{
    struct error err = ERROR_INIT;
    struct comparison c = {.changes = json_array()};
    int rc = c.changes ? 0 : error_nomem(&err);
    for (int k = 0; rc == 0 && k < 2; k++)
        rc = read_board(o->dir[k], &c.board[k], &err);
    if (rc == 0) {
        compare_boards(&c);
        rc = c.failed ? error_nomem(&err) : 0;
    }
    if (rc == 0)
        show(o, &c);
    csv_release(&c.board[0]);
    csv_release(&c.board[1]);
    json_decref(c.changes);
    return rc < 0 ? cli_fail(&err) : c.n_beyond ? EXIT_SOME_FAILED : EXIT_OK;
}

int cmd_compare(int argc, char **argv)
{
    struct compare_options o = {{NULL, NULL}, false};
    int code = cli_parse(&argp, argc, argv, &o);
    return code < 0 ? run(&o) : code;
}
