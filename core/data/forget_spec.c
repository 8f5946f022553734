/* forget_spec.c: what a suite's `forget:` list says, and its canonical JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "split.h"
#include "strbuf.h"
#include "text.h"

enum { MAX_REQUESTS = 1000 };
enum { MAX_CLASSES = sizeof((struct forget_spec *)0)->classes / sizeof(int32_t) };

static int name_random(struct forget_spec *spec)
{
    char number[32];
    text_from_double(spec->fraction, number);
    snprintf(spec->name, sizeof spec->name, "random-%s", number);
    return 0;
}

static int parse_random(const struct yaml_node *node, struct forget_spec *spec, struct error *err)
{
    TRY(yaml_real(node, "random", &spec->fraction, err));
    if (!(spec->fraction > 0 && spec->fraction < 1))
        return yaml_error(node, err,
                          "random: expected a share of the training rows between 0 and 1, found %s",
                          node->text);
    return name_random(spec);
}

static void name_consecutive(struct forget_spec *spec)
{
    snprintf(spec->name, sizeof spec->name, "consecutive-%" PRIu32 "x%.4g", spec->requests,
             spec->fraction / spec->requests);
}

static int parse_consecutive(const struct yaml_node *node, struct forget_spec *spec,
                             struct error *err)
{
    static const char *const keys[] = {"random", "requests", NULL};
    const struct yaml_node *requests = yaml_get(node, "requests");
    int64_t n;
    if (node->kind == YAML_MAP)
        TRY(yaml_known_keys(node, "consecutive", keys, err));
    if (node->kind != YAML_MAP || !yaml_get(node, "random") || !requests)
        return yaml_error(node, err, "consecutive: expected {random: SHARE, requests: NUMBER}");
    TRY(parse_random(yaml_get(node, "random"), spec, err));
    TRY(yaml_int(requests, "requests", &n, err));
    if (n < 2 || n > MAX_REQUESTS)
        return yaml_error(requests, err, "requests: expected 2 to %d, found %" PRId64, MAX_REQUESTS,
                          n);
    spec->requests = (uint32_t)n;
    name_consecutive(spec);
    return 0;
}

/* Sorts the classes, refuses duplicates (by index into the sorted list, or -1) and names the spec.
 */
static int finish_classes(struct forget_spec *spec)
{
    for (uint32_t i = 1; i < spec->n_classes; i++)
        for (uint32_t j = i; j > 0 && spec->classes[j - 1] > spec->classes[j]; j--) {
            int32_t keep = spec->classes[j];
            spec->classes[j] = spec->classes[j - 1];
            spec->classes[j - 1] = keep;
        }
    int n = snprintf(spec->name, sizeof spec->name, "class");
    for (uint32_t i = 0; i < spec->n_classes; i++) {
        if (i > 0 && spec->classes[i] == spec->classes[i - 1])
            return (int)i;
        if (n >= 0 && (size_t)n < sizeof spec->name)
            n += snprintf(spec->name + n, sizeof spec->name - (size_t)n, "%c%" PRId32,
                          i == 0 ? '-' : '+', spec->classes[i]);
    }
    return -1;
}

static int add_class(const struct yaml_node *node, struct forget_spec *spec, struct error *err)
{
    int64_t v;
    TRY(yaml_int(node, "class", &v, err));
    if (v < 0 || v > 9999)
        return yaml_error(node, err, "class: expected a class number from 0, found %" PRId64, v);
    if (spec->n_classes == MAX_CLASSES)
        return yaml_error(node, err, "class: more than %d classes", MAX_CLASSES);
    spec->classes[spec->n_classes++] = (int32_t)v;
    return 0;
}

static int parse_class(const struct yaml_node *node, struct forget_spec *spec, struct error *err)
{
    if (node->kind != YAML_LIST)
        TRY(add_class(node, spec, err));
    for (size_t i = 0; node->kind == YAML_LIST && i < node->n; i++)
        TRY(add_class(node->child[i].value, spec, err));
    if (spec->n_classes == 0)
        return yaml_error(node, err, "class: an empty list");
    int twice = finish_classes(spec);
    if (twice >= 0)
        return yaml_error(node, err, "class: %" PRId32 " appears twice", spec->classes[twice]);
    return 0;
}

/* A column of row numbers, where each stands for the error text. */
struct numbered {
    uint32_t row;
    size_t line;
};

static int by_row(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static int find_column(const char *path, const struct csv_table *t, const char *column,
                       struct error *err)
{
    int64_t number;
    int at = csv_column(t, column ? column : "unlearn_idx");
    if (at < 0 && !column && t->n_cols == 1)
        at = 0;
    if (at < 0)
        return error_set(err, ERR_INVALID, "%s:1: no column \"%s\"; name one with column:", path,
                         column ? column : "unlearn_idx");
    if (text_to_int(t->header[at], &number))
        return error_set(err, ERR_INVALID,
                         "%s:1: the first line must name the column (unlearn_idx), found \"%s\"",
                         path, t->header[at]);
    return at;
}

static int take_numbers(const char *path, const struct csv_table *t, int column,
                        struct numbered *list, struct error *err)
{
    for (size_t i = 0; i < t->n_rows; i++) {
        int64_t v;
        if (!text_to_int(t->row[i][column], &v) || v < 0 || v > UINT32_MAX)
            return error_set(err, ERR_INVALID, "%s:%zu: expected a row number from 0, found \"%s\"",
                             path, t->line[i], t->row[i][column]);
        list[i] = (struct numbered){(uint32_t)v, t->line[i]};
    }
    qsort(list, t->n_rows, sizeof *list, by_row);
    for (size_t i = 1; i < t->n_rows; i++)
        if (list[i].row == list[i - 1].row)
            return error_set(err, ERR_INVALID,
                             "%s:%zu: row %" PRIu32 " appears twice; first in line %zu", path,
                             list[i].line, list[i].row, list[i - 1].line);
    return 0;
}

static int read_rows(const char *path, const char *column, struct forget_spec *spec,
                     struct error *err)
{
    struct csv_table t = {0};
    TRY(csv_read(path, (size_t)64 << 20, &t, err));
    struct numbered *list = NULL;
    uint32_t *rows = NULL;
    int at = find_column(path, &t, column, err), rc = at < 0 ? at : 0;
    if (rc == 0 && t.n_rows == 0)
        rc = error_set(err, ERR_INVALID, "%s: names no row", path);
    if (rc < 0)
        goto out;
    list = malloc(t.n_rows * sizeof *list);
    rows = malloc(t.n_rows * sizeof *rows);
    rc = list && rows ? take_numbers(path, &t, at, list, err) : error_nomem(err);
    if (rc < 0)
        goto out;
    for (size_t i = 0; i < t.n_rows; i++)
        rows[i] = list[i].row;
    spec->rows = rows;
    spec->n_rows = (uint32_t)t.n_rows;
    rows = NULL;
out:
    free(list);
    free(rows);
    csv_release(&t);
    return rc;
}

/* "indices-<stem>"; the name becomes part of file names and columns. */
static void name_indices(struct forget_spec *spec, const char *file)
{
    const char *stem = fs_basename(file), *dot = strrchr(stem, '.');
    int n = dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem);
    snprintf(spec->name, sizeof spec->name, "indices-%.*s", n, stem);
    for (char *p = spec->name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p))
            *p = '_';
}

static int parse_indices(const struct yaml_node *node, const struct yaml_node *column_node,
                         const char *base_dir, struct forget_spec *spec, struct error *err)
{
    const char *file = NULL, *column = NULL;
    TRY(yaml_string(node, "indices", &file, err));
    if (column_node)
        TRY(yaml_string(column_node, "column", &column, err));
    char *path = fs_join(base_dir, file);
    if (!path)
        return error_nomem(err);
    int rc = read_rows(path, column, spec, err);
    free(path);
    if (rc < 0)
        return node->line > 0
                   ? error_prefix(err, "%s:%d:%d: indices", node->origin, node->line, node->column)
                   : error_prefix(err, "%s: indices", node->origin);
    name_indices(spec, file);
    return 0;
}

int forget_read(const char *path, const char *column, struct forget_spec *ret, struct error *err)
{
    struct forget_spec spec = {.kind = FORGET_INDICES};
    TRY(read_rows(path, column, &spec, err));
    name_indices(&spec, path);
    *ret = spec;
    return 0;
}

int forget_parse(const struct yaml_node *node, const char *base_dir, struct forget_spec *ret,
                 struct error *err)
{
    static const char *const keys[] = {"random", "class", "indices", "column", "consecutive", NULL};
    static const char expected[] =
        "expected one of {random: SHARE}, {class: NUMBER}, {indices: FILE}, {consecutive: {random: "
        "SHARE, requests: NUMBER}}";
    struct forget_spec spec = {0};
    if (!node || node->kind != YAML_MAP)
        return yaml_error(node, err, "forget: %s", expected);
    TRY(yaml_known_keys(node, "forget", keys, err));
    const struct yaml_node *random = yaml_get(node, "random"), *class = yaml_get(node, "class"),
                           *indices = yaml_get(node, "indices"), *column = yaml_get(node, "column"),
                           *consecutive = yaml_get(node, "consecutive");
    if (!!random + !!class + !!indices + !!consecutive != 1)
        return yaml_error(node, err, "forget: %s", expected);
    if (column && !indices)
        return yaml_error(column, err, "forget: column belongs to indices");
    spec.kind = random        ? FORGET_RANDOM
                : class       ? FORGET_CLASS
                : consecutive ? FORGET_CONSECUTIVE
                              : FORGET_INDICES;
    if (consecutive)
        TRY(parse_consecutive(consecutive, &spec, err));
    else if (random)
        TRY(parse_random(random, &spec, err));
    else if (class)
        TRY(parse_class(class, &spec, err));
    else
        TRY(parse_indices(indices, column, base_dir, &spec, err));
    *ret = spec;
    return 0;
}

json_t *forget_sequence(const struct forget_spec *spec, uint64_t seed)
{
    return json_pack("{s:f,s:I,s:I}", "random", spec->fraction, "requests",
                     (json_int_t)spec->requests, "seed", (json_int_t)seed);
}

json_t *forget_identity(const struct forget_spec *spec, uint64_t seed)
{
    if (spec->kind == FORGET_CONSECUTIVE && spec->request && spec->request < spec->requests) {
        json_t *o = forget_sequence(spec, seed);
        if (o && json_object_set_new(o, "request", json_integer(spec->request)) == 0)
            return o;
        json_decref(o);
        return NULL;
    }
    if (spec->kind == FORGET_RANDOM || spec->kind == FORGET_CONSECUTIVE)
        return json_pack("{s:f,s:I}", "random", spec->fraction, "seed", (json_int_t)seed);
    bool class = spec->kind == FORGET_CLASS;
    uint32_t n = class ? spec->n_classes : spec->n_rows;
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < n; i++) {
        json_int_t v = class ? spec->classes[i] : (json_int_t)spec->rows[i];
        if (json_array_append_new(list, json_integer(v)) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return json_pack("{s:o}", class ? "class" : "indices", list);
}

static int bad_identity(struct error *err)
{
    return error_set(err, ERR_INVALID, "forget identity: not one that this version writes");
}

static int class_from_json(const json_t *list, struct forget_spec *spec, struct error *err)
{
    if (json_array_size(list) == 0 || json_array_size(list) > MAX_CLASSES)
        return bad_identity(err);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 9999)
            return bad_identity(err);
        spec->classes[spec->n_classes++] = (int32_t)json_integer_value(v);
    }
    return finish_classes(spec) >= 0 ? bad_identity(err) : 0;
}

static int rows_from_json(const json_t *list, struct forget_spec *spec, struct error *err)
{
    size_t n = json_array_size(list);
    uint32_t *rows = malloc((n + 1) * sizeof *rows);
    if (!rows)
        return error_nomem(err);
    bool good = n > 0 && n <= UINT32_MAX;
    for (size_t i = 0; i < n && good; i++) {
        const json_t *v = json_array_get(list, i);
        json_int_t row = json_integer_value(v);
        good = json_is_integer(v) && row >= 0 && row <= UINT32_MAX &&
               (i == 0 || (uint32_t)row > rows[i - 1]);
        rows[i] = (uint32_t)row;
    }
    if (!good) {
        free(rows);
        return bad_identity(err);
    }
    spec->rows = rows;
    spec->n_rows = (uint32_t)n;
    snprintf(spec->name, sizeof spec->name, "indices"); /* the file's name is no part of it */
    return 0;
}

/* A part of the random forget set: all requests, or the first few. */
static int requests_from_json(const json_t *identity, struct forget_spec *spec, struct error *err)
{
    json_int_t n, k = 0;
    TRY(json_get_int(identity, "forget identity", "requests", &n, err));
    if (json_object_get(identity, "request"))
        TRY(json_get_int(identity, "forget identity", "request", &k, err));
    if (n < 2 || n > MAX_REQUESTS || k < 0 || k > n)
        return bad_identity(err);
    spec->kind = FORGET_CONSECUTIVE;
    spec->requests = (uint32_t)n;
    spec->request = (uint32_t)k;
    name_consecutive(spec);
    return 0;
}

int forget_from_json(const json_t *identity, struct forget_spec *ret, uint64_t *ret_seed,
                     struct error *err)
{
    struct forget_spec spec = {0};
    json_int_t seed = 0;
    const json_t *class = json_object_get(identity, "class"),
                 *indices = json_object_get(identity, "indices");
    if (class) {
        spec.kind = FORGET_CLASS;
        TRY(class_from_json(class, &spec, err));
    } else if (indices) {
        spec.kind = FORGET_INDICES;
        TRY(rows_from_json(indices, &spec, err));
    } else {
        spec.kind = FORGET_RANDOM;
        TRY(json_get_real(identity, "forget identity", "random", &spec.fraction, err));
        TRY(json_get_int(identity, "forget identity", "seed", &seed, err));
        if (!(spec.fraction > 0 && spec.fraction < 1))
            return bad_identity(err);
        name_random(&spec);
        if (json_object_get(identity, "requests"))
            TRY(requests_from_json(identity, &spec, err));
    }
    *ret = spec;
    *ret_seed = (uint64_t)seed;
    return 0;
}
