/* A finished report: its manifest, its suite, the failures that only its runs.csv tells. */
#include "finished.h"

#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "text.h"
#include "verify_store.h"

/* ---- the manifest ---- */

void finished_release(struct finished *m)
{
    for (size_t i = 0; i < m->n_settings; i++)
        free(m->setting[i]);
    free(m->setting);
    free(m->only);
    json_decref(m->json);
}

static int read_settings(struct finished *m, struct error *err)
{
    const char *key;
    json_t *value;
    json_t *resolved = json_object_get(m->json, "resolved");
    m->setting = calloc(json_object_size(resolved) + 1, sizeof(*m->setting));
    if (!m->setting)
        return error_nomem(err);
    json_object_foreach(resolved, key, value)
    {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        m->setting[m->n_settings] = text ? text_format("%s=%s", key, text) : NULL;
        free(text);
        if (!m->setting[m->n_settings++])
            return error_nomem(err);
    }
    return 0;
}

static int read_restriction(struct finished *m, struct error *err)
{
    const json_t *o = json_object_get(m->json, "options");
    const json_t *only = json_object_get(o, "only");
    size_t n = json_array_size(only);
    m->scenario = json_string_value(json_object_get(o, "scenario"));
    if (!json_is_array(only))
        return 0;
    m->only = calloc(n + 1, sizeof(*m->only));
    for (size_t i = 0; m->only && i < n; i++)
        m->only[i] = json_string_value(json_array_get(only, i));
    return m->only ? 0 : error_nomem(err);
}

int finished_read(const char *dir, struct finished *m, struct error *err)
{
    char *path = fs_join(dir, "manifest.json");
    int rc = path ? 0 : error_nomem(err);
    if (rc == 0 && !fs_exists(path))
        rc = error_set(err, ERR_INVALID, "%s: there is no such file; is %s a report of Lethe?",
                       path, dir);
    if (rc == 0)
        rc = json_read_file(path, &m->json, err);
    if (rc == 0 && json_object_get(m->json, "merged"))
        rc = error_set(err, ERR_INVALID,
                       "%s is a merged report; merge its reports again with `lethe report --merge`",
                       dir);
    if (rc == 0)
        rc = json_get_string(m->json, path, "suite_file", &m->suite_file, err);
    if (rc == 0)
        rc = json_get_string(m->json, path, "store", &m->store, err);
    if (rc == 0)
        rc = read_settings(m, err);
    if (rc == 0)
        rc = read_restriction(m, err);
    if (rc < 0)
        err->code = err->code == ERR_NOMEM ? err->code : ERR_INVALID;
    free(path);
    return rc;
}

/* ---- its session ---- */

static int add_settings(struct finished *m, const struct session_options *extra, struct error *err)
{
    char **all = realloc(m->setting, (m->n_settings + extra->n_settings + 1) * sizeof(*all));
    if (!all)
        return error_nomem(err);
    m->setting = all;
    for (unsigned i = 0; i < extra->n_settings; i++) {
        if (!(all[m->n_settings] = text_dup(extra->setting[i])))
            return error_nomem(err);
        m->n_settings++;
    }
    return 0;
}

size_t finished_other_tasks(const struct finished *m, const struct plan *p, const char **ret_first)
{
    const json_t *tasks = json_object_get(m->json, "tasks");
    size_t n = json_array_size(tasks), other = 0;
    const char *first = NULL;
    for (unsigned i = 0; i < p->n; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(tasks, i), "id"));
        if (id && strcmp(id, p->task[i].id) == 0)
            continue;
        first = other++ ? first : p->task[i].title;
    }
    *ret_first = first;
    return other ? other : n != p->n;
}

int finished_open(struct finished *m, const struct session_options *extra, struct session *ret,
                  struct error *err)
{
    struct session_options so = {.suite = m->suite_file,
                                 .store = extra->store ? extra->store : m->store,
                                 .plugin = extra->plugin,
                                 .n_plugins = extra->n_plugins,
                                 .untouched = true,
                                 .only = m->only,
                                 .scenario = m->scenario};
    if (!fs_exists(m->suite_file))
        return error_set(err, ERR_INVALID,
                         "%s, the suite of this report, is not there (relative paths in it start "
                         "at its folder); put it back",
                         m->suite_file);
    if (!fs_is_dir(so.store))
        return error_set(err, ERR_INVALID, "the store %s is not there; name it with --store DIR",
                         so.store);
    TRY(add_settings(m, extra, err));
    so.setting = (const char **)m->setting;
    so.n_settings = (unsigned)m->n_settings;
    TRY(session_open(&so, ret, err));
    int rc = verify_look(&ret->plan, &ret->store, err);
    if (rc < 0)
        session_close(ret);
    return rc;
}

/* ---- rows that failed ---- */

static const char *cell_of(const struct csv_table *t, size_t row, const char *column)
{
    int c = csv_column(t, column);
    return c < 0 ? "" : t->row[row][c];
}

static bool is_row(const struct csv_table *t, size_t i, const struct result_row *row)
{
    int64_t run;
    return text_to_int(cell_of(t, i, "run"), &run) && run == row->run &&
           strcmp(cell_of(t, i, "method"), row->method) == 0 &&
           strcmp(cell_of(t, i, "scenario"), row->scenario) == 0;
}

static enum verdict verdict_of(const char *word)
{
    for (int v = 0; v < 16; v++)
        if (strcmp(verdict_name((enum verdict)v), word) == 0)
            return (enum verdict)v;
    return VERDICT_FAILED;
}

static int replace(char **member, const char *text, struct error *err)
{
    char *copy = text_dup(text);
    if (!copy)
        return error_nomem(err);
    free(*member);
    *member = copy;
    return 0;
}

/* What gathering says of a task that did not run. */
static const char not_run[] = "not run";

/* The first column from c on whose measure did not run; n_columns if none. */
static size_t next_unrun(const struct results *r, const struct result_row *row, size_t c)
{
    while (c < r->n_columns && !(row->note[c] && strcmp(row->note[c], not_run) == 0))
        c++;
    return c;
}

/* The next column after c that has a note; n_columns if none has. */
static size_t next_noted(const struct results *r, const struct result_row *row, size_t c)
{
    for (c++; c < r->n_columns && !row->note[c]; c++)
        ;
    return c;
}

/* "column: why; column: why" of the report, for notes of measures that did not run here: the store
 * does not keep why. */
static int adopt_notes(const char *notes, const struct results *r, struct result_row *row,
                       struct error *err)
{
    char mark[300];
    for (size_t c = next_unrun(r, row, 0); c < r->n_columns; c = next_unrun(r, row, c + 1)) {
        size_t next = next_noted(r, row, c);
        snprintf(mark, sizeof(mark), "%s: ", r->column[c].name);
        const char *begin = strstr(notes, mark);
        if (!begin)
            continue;
        begin += strlen(mark);
        snprintf(mark, sizeof(mark), "; %s: ", next < r->n_columns ? r->column[next].name : "");
        const char *end = next < r->n_columns ? strstr(begin, mark) : NULL;
        char *why = end ? strndup(begin, (size_t)(end - begin)) : text_dup(begin);
        if (!why)
            return error_nomem(err);
        free(row->note[c]);
        row->note[c] = why;
    }
    return 0;
}

/* Why a run failed is told by the report alone: the store keeps what succeeded. */
static int adopt_failure(const struct csv_table *t, size_t i, const struct results *r,
                         struct result_row *row, struct error *err)
{
    int64_t signal;
    const char *status = cell_of(t, i, "status");
    if (row->status != VERDICT_OK && strcmp(status, "ok") != 0) {
        row->status = verdict_of(status);
        row->signal = text_to_int(cell_of(t, i, "signal"), &signal) ? (int)signal : 0;
        TRY(replace(&row->reason, cell_of(t, i, "reason"), err));
    }
    if (!*row->failed_parts || !*cell_of(t, i, "failed_parts"))
        return 0;
    TRY(adopt_notes(cell_of(t, i, "notes"), r, row, err));
    return replace(&row->failed_parts, cell_of(t, i, "failed_parts"), err);
}

static int adopt_rows(const char *dir, struct results *r, struct error *err)
{
    struct csv_table t = {0};
    struct error why = ERROR_INIT;
    char *path = fs_join(dir, "runs.csv");
    int rc = path ? 0 : error_nomem(err);
    if (rc == 0 && csv_read(path, (size_t)1 << 30, &t, &why) == 0)
        for (size_t i = 0; rc == 0 && i < r->n_rows; i++)
            for (size_t k = 0; rc == 0 && k < t.n_rows; k++)
                if (is_row(&t, k, &r->row[i]))
                    rc = adopt_failure(&t, k, r, &r->row[i], err);
    csv_release(&t);
    free(path);
    return rc;
}

/* The same of transfer.csv, whose cells are in the order of the plan. */
static int adopt_transfer_notes(const char *dir, struct results *r, struct error *err)
{
    struct csv_table t = {0};
    struct error why = ERROR_INIT;
    char *path = r->n_transfer ? fs_join(dir, "transfer.csv") : NULL;
    int rc = path || !r->n_transfer ? 0 : error_nomem(err);
    if (path && csv_read(path, (size_t)1 << 30, &t, &why) == 0)
        for (size_t i = 0; rc == 0 && i < r->n_transfer && i < t.n_rows; i++)
            if (r->transfer[i].failed)
                rc = replace(&r->transfer[i].note, cell_of(&t, i, "notes"), err);
    csv_release(&t);
    free(path);
    return rc;
}

int finished_adopt(const char *dir, struct results *r, struct error *err)
{
    TRY(adopt_rows(dir, r, err));
    return adopt_transfer_notes(dir, r, err);
}

/* ---- rows that were never run ---- */

static bool lacks_result(const struct results *r, const struct result_row *row)
{
    if (row->status == VERDICT_FAILED && strcmp(row->reason, not_run) == 0)
        return true;
    return *row->failed_parts && next_unrun(r, row, 0) < r->n_columns;
}

static bool is_told(const struct csv_table *t, size_t i, const struct result_row *row)
{
    return is_row(t, i, row) && (strcmp(cell_of(t, i, "status"), "ok") != 0 ||
                                 (row->status == VERDICT_OK && *cell_of(t, i, "failed_parts")));
}

int finished_missing(const char *dir, const struct results *r, size_t *ret_n, size_t *ret_first,
                     struct error *err)
{
    struct csv_table t = {0};
    struct error why = ERROR_INIT;
    char *path = fs_join(dir, "runs.csv");
    if (!path)
        return error_nomem(err);
    if (csv_read(path, (size_t)1 << 30, &t, &why) < 0)
        t = (struct csv_table){0};
    *ret_n = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        bool told = !lacks_result(r, &r->row[i]);
        for (size_t k = 0; !told && k < t.n_rows; k++)
            told = is_told(&t, k, &r->row[i]);
        if (!told && (*ret_n)++ == 0)
            *ret_first = i;
    }
    csv_release(&t);
    free(path);
    return 0;
}
