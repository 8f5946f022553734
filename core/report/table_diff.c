#include "table_diff.h"

#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "strbuf.h"

/* Columns that name a row, as far as a table has them. */
static const char *const key_names[] = {"scenario",   "family",      "method",       "baseline",
                                        "seed_model", "seed_forget", "seed_unlearn", "request",
                                        "metric",     "metric_a",    "metric_b",     NULL};

struct diff {
    const char *file;
    const struct csv_table *found, *expected;
    int key[16]; /* columns of the expected table */
    size_t n_keys;
    json_t *problems;
    bool failed; /* out of memory */
};

static void report(struct diff *d, size_t line, const char *row, const char *column,
                   const char *found, const char *expected, const char *what)
{
    json_t *o =
        json_pack("{s:s,s:i,s:s,s:s?,s:s?,s:s?,s:s}", "file", d->file, "line", (int)line, "row",
                  row, "column", column, "found", found, "expected", expected, "what", what);
    d->failed |= !o || json_array_append_new(d->problems, o) != 0;
}

/* "random-0.1, amun, seed_model 1" */
static void row_name(const struct diff *d, char **cell, struct strbuf *out)
{
    strbuf_reset(out);
    for (size_t k = 0; k < d->n_keys; k++) {
        const char *column = d->expected->header[d->key[k]], *v = cell[d->key[k]];
        if (*v)
            strbuf_addf(out, "%s%s%s%s", out->len ? ", " : "",
                        strncmp(column, "seed_", 5) == 0 ? column : "",
                        strncmp(column, "seed_", 5) == 0 ? " " : "", v);
    }
}

static bool same_key(const struct diff *d, char **a, char **b)
{
    for (size_t k = 0; k < d->n_keys; k++)
        if (strcmp(a[d->key[k]], b[d->key[k]]) != 0)
            return false;
    return d->n_keys > 0;
}

static bool check_header(struct diff *d)
{
    bool same = d->found->n_cols == d->expected->n_cols;
    for (size_t c = 0; same && c < d->found->n_cols; c++)
        same = strcmp(d->found->header[c], d->expected->header[c]) == 0;
    if (!same)
        report(d, 1, "header", NULL, NULL, NULL, "the columns are not those of this report");
    return same;
}

static size_t find(const struct diff *d, char **row, const bool *taken)
{
    for (size_t i = 0; i < d->found->n_rows; i++)
        if (!taken[i] && same_key(d, d->found->row[i], row))
            return i;
    return SIZE_MAX;
}

static void compare_rows(struct diff *d, bool *taken, struct strbuf *name, size_t *cells)
{
    for (size_t i = 0; i < d->expected->n_rows; i++) {
        char **want = d->expected->row[i];
        size_t at = d->n_keys ? find(d, want, taken) : i < d->found->n_rows ? i : SIZE_MAX;
        row_name(d, want, name);
        if (at == SIZE_MAX) {
            report(d, 0, name->s, NULL, NULL, NULL, "the row is missing");
            continue;
        }
        taken[at] = true;
        for (size_t c = 0; c < d->expected->n_cols; c++, ++*cells)
            if (strcmp(d->found->row[at][c], want[c]) != 0)
                report(d, d->found->line[at], name->s, d->expected->header[c], d->found->row[at][c],
                       want[c], "the cell differs");
    }
    for (size_t i = 0; i < d->found->n_rows; i++)
        if (!taken[i]) {
            row_name(d, d->found->row[i], name);
            report(d, d->found->line[i], name->s, NULL, NULL, NULL, "the row was not planned");
        }
}

static int compare(struct diff *d, size_t *cells, struct error *err)
{
    struct strbuf name;
    bool *taken = calloc(d->found->n_rows + 1, sizeof(*taken));
    if (!taken)
        return error_nomem(err);
    strbuf_init(&name);
    for (const char *const *k = key_names; *k; k++) {
        int c = csv_column(d->expected, *k);
        if (c >= 0)
            d->key[d->n_keys++] = c;
    }
    if (check_header(d))
        compare_rows(d, taken, &name, cells);
    d->failed |= name.failed;
    strbuf_release(&name);
    free(taken);
    return d->failed ? error_nomem(err) : 0;
}

int table_diff(const char *file, const char *found_path, const char *expected_path,
               json_t *problems, size_t *ret_cells, struct error *err)
{
    static const size_t most = (size_t)1 << 30;
    struct csv_table found = {0}, expected = {0};
    struct diff d = {.file = file, .found = &found, .expected = &expected, .problems = problems};
    struct error why = ERROR_INIT;
    TRY(csv_read(expected_path, most, &expected, err));
    int rc = 0;
    if (!fs_exists(found_path))
        report(&d, 0, "", NULL, NULL, NULL, "the file is missing");
    else if (csv_read(found_path, most, &found, &why) < 0)
        report(&d, 0, "", NULL, NULL, NULL, why.text);
    else
        rc = compare(&d, ret_cells, err);
    csv_release(&found);
    csv_release(&expected);
    return rc < 0 ? rc : d.failed ? error_nomem(err) : 0;
}
