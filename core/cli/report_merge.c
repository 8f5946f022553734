#include "report_merge.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "manifest.h"
#include "results_merge.h"
#include "text.h"
#include "version.h"

struct merging {
    struct report_merge *m;
    struct report_source *source; /* (n) */
    struct merge_origin *origin;  /* of each row of the results */
    size_t n_open;
    char *out_dir;
};

/* ---- manifest ---- */

/* The list of plugins of all suites, each naming its suite. A method that the board calls otherwise
 * than its suite does says how, in "board". */
static int add_entries(const struct merging *g, const char *key, json_t *list, struct error *err)
{
    for (size_t p = 0; p < g->m->n; p++) {
        const struct results *r = &g->source[p].results;
        size_t i;
        json_t *e;
        json_array_foreach(json_object_get(r->manifest, key), i, e)
        {
            json_t *copy = json_deep_copy(e);
            const char *label = json_string_value(json_object_get(copy, "label"));
            char *renamed = text_format("%s (%s)", label ? label : "", r->suite);
            bool known = false;
            for (size_t k = 0; renamed && k < g->m->results.n_methods; k++)
                known |= strcmp(g->m->results.method[k], renamed) == 0;
            int rc = copy && renamed ? 0 : -1;
            if (rc == 0)
                rc = json_object_set_new(copy, "suite", json_string(r->suite));
            if (rc == 0 && known)
                rc = json_object_set_new(copy, "board", json_string(renamed));
            free(renamed);
            if (rc < 0 || json_array_append_new(list, copy) < 0)
                return error_nomem(err);
        }
    }
    return 0;
}

static int add_list(const struct merging *g, const char *key, json_t *manifest, struct error *err)
{
    json_t *list = json_array();
    int rc = list ? add_entries(g, key, list, err) : error_nomem(err);
    if (rc == 0 && json_object_set(manifest, key, list) < 0)
        rc = error_nomem(err);
    json_decref(list);
    return rc;
}

/* What a suite's own manifest says, without the list of tasks and what differs between equal runs:
 * its report names where those stand. */
static int add_parts(const struct merging *g, json_t *manifest, struct error *err)
{
    json_t *list = json_array();
    for (size_t p = 0; list && p < g->m->n; p++) {
        json_t *copy = json_deep_copy(g->source[p].results.manifest);
        json_object_del(copy, "tasks");
        if (!copy || json_array_append_new(list, copy) < 0) {
            json_decref(list);
            return error_nomem(err);
        }
    }
    return list && json_object_set_new(manifest, "merged", list) == 0 ? 0 : error_nomem(err);
}

static int make_manifest(const struct merging *g, struct error *err)
{
    static const char *const lists[] = {"unlearn", "attacks", "metrics"};
    struct results *r = &g->m->results;
    json_int_t used = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        used += r->row[i].status == VERDICT_OK;
    json_t *machine = json_object_get(g->source[0].results.manifest, "machine");
    r->manifest = json_pack("{s:i,s:s,s:s,s:{s:I,s:I},s:O?}", "lethe_manifest", 1, "lethe",
                            LETHE_VERSION, "suite", r->suite, "rows", "planned",
                            (json_int_t)r->n_rows, "used", used, "machine", machine);
    if (!r->manifest)
        return error_nomem(err);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        TRY(add_list(g, lists[i], r->manifest, err));
    return add_parts(g, r->manifest, err);
}

static int write_manifest(const struct merging *g, struct error *err)
{
    char *path = fs_join(g->out_dir, "manifest.json");
    int rc = path ? json_write_file(path, g->m->results.manifest, err) : error_nomem(err);
    free(path);
    return rc;
}

/* ---- logs ---- */

/* Runs are numbered anew, and so are their logs. */
static int copy_log(const struct merging *g, size_t row, struct error *err)
{
    const struct merge_origin *o = &g->origin[row];
    char *from = text_format("%s/logs/%u.log", g->source[o->part].dir, (unsigned)o->run);
    char *to = text_format("%s/logs/%u.log", g->out_dir, (unsigned)row + 1);
    char *dir = to ? fs_dirname(to) : NULL, *bytes = NULL;
    size_t n;
    int rc = from && dir ? 0 : error_nomem(err);
    if (rc == 0 && fs_exists(from)) {
        rc = fs_mkdirs(dir, err);
        if (rc == 0)
            rc = fs_read(from, (size_t)1 << 30, &bytes, &n, err);
        if (rc == 0)
            rc = fs_write_atomic(to, bytes, n, err);
    }
    free(from);
    free(to);
    free(dir);
    free(bytes);
    return rc;
}

static int copy_logs(const struct merging *g, struct error *err)
{
    char *dir = fs_join(g->out_dir, "logs");
    int rc = dir ? fs_remove_tree(dir, err) : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < g->m->results.n_rows; i++)
        rc = copy_log(g, i, err);
    free(dir);
    return rc;
}

/* ---- all of it ---- */

static int open_sources(struct merging *g, struct error *err)
{
    struct report_merge *m = g->m;
    for (; g->n_open < m->n; g->n_open++) {
        struct report_source_options o = m->source;
        struct report_source *s = &g->source[g->n_open];
        o.path = m->path[g->n_open];
        o.out = NULL;
        TRY(report_source_open(&o, s, err)); /* released below also when it fails */
        TRY(report_end_manifest(&s->session, &s->results, err));
        m->n_missing += s->n_missing;
        m->n_bad += report_end_bad_rows(&s->session.suite, &s->results);
    }
    return 0;
}

static int merge(struct merging *g, struct error *err)
{
    struct results **part = calloc(g->m->n, sizeof(*part));
    if (!part)
        return error_nomem(err);
    for (size_t i = 0; i < g->m->n; i++)
        part[i] = &g->source[i].results;
    int rc = results_merge(part, g->m->n, &g->m->results, &g->origin, err);
    free(part);
    return rc;
}

static int write_all(struct merging *g, struct error *err)
{
    struct report_merge *m = g->m;
    TRY(make_manifest(g, err));
    TRY(manifest_check_dir(g->out_dir, m->results.suite, err));
    TRY(fs_mkdirs(g->out_dir, err));
    TRY(write_manifest(g, err));
    TRY(copy_logs(g, err));
    struct report_end end = {.out_dir = g->out_dir, .no_figures = m->no_figures};
    int rc = report_end_tables(&g->source[0].session.suite, &m->results, &end, err);
    m->written = rc == 0 || err->code == ERR_ENVIRONMENT;
    return rc;
}

int report_merge_write(struct report_merge *m, struct error *err)
{
    struct merging g = {.m = m, .source = calloc(m->n, sizeof(*g.source))};
    int rc = g.source ? fs_absolute(m->source.out, &g.out_dir, err) : error_nomem(err);
    if (rc == 0)
        rc = open_sources(&g, err);
    if (rc == 0)
        rc = merge(&g, err);
    if (rc == 0)
        rc = write_all(&g, err);
    for (size_t i = 0; g.source && i < m->n; i++)
        report_source_release(&g.source[i]);
    free(g.source);
    free(g.origin);
    free(g.out_dir);
    return rc;
}

void report_merge_release(struct report_merge *m)
{
    results_release(&m->results);
}
