#include "report_end.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs.h"
#include "manifest.h"
#include "report.h"
#include "row_logs.h"
#include "text.h"

unsigned report_end_columns(void)
{
    struct winsize w;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40 ? w.ws_col : 0;
}

unsigned report_end_bad_rows(const struct suite *s, const struct results *r)
{
    unsigned n = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *row = &r->row[i];
        bool expected = false;
        for (unsigned k = 0; k < s->n_unlearn; k++)
            if (strcmp(s->unlearn[k].label, row->method) == 0)
                expected = s->unlearn[k].expect_unsupported && row->status == VERDICT_UNSUPPORTED;
        n += (row->status != VERDICT_OK && !expected) || *row->failed_parts;
    }
    for (size_t i = 0; i < r->n_transfer; i++)
        n += r->transfer[i].failed;
    return n;
}

/* The manifest as it stands in the folder; NULL when there is none that reads. */
static json_t *manifest_of(const char *dir)
{
    json_t *m = NULL;
    char *path = fs_join(dir, "manifest.json");
    if (path && fs_exists(path) && json_read_file(path, &m, NULL) < 0)
        m = NULL;
    free(path);
    return m;
}

/* What may differ between equal runs does not belong to the results. */
static void drop_volatile(json_t *manifest)
{
    static const char *const top[] = {"suite_file", "store", NULL};
    static const char *const machine[] = {"host", "written", "kernel", "cores", NULL};
    for (size_t i = 0; top[i]; i++)
        json_object_del(manifest, top[i]);
    for (size_t i = 0; machine[i]; i++)
        json_object_del(json_object_get(manifest, "machine"), machine[i]);
}

static int write_manifest(const struct session *s, struct results *r, const struct report_end *end,
                          struct error *err)
{
    char *path = fs_join(end->out_dir, "manifest.json");
    json_t *old = end->earlier ? manifest_of(end->earlier) : NULL, *new = NULL;
    json_t *machine = json_object_get(old, "machine");
    int rc = path ? manifest_write(&s->suite, &s->plan, &s->store, r, end->out_dir, err)
                  : error_nomem(err);
    if (rc == 0)
        rc = json_read_file(path, &new, err);
    if (rc == 0 && machine) {
        json_object_set(new, "machine", machine);
        rc = json_write_file(path, new, err);
    }
    if (rc == 0) {
        json_t *kept = json_deep_copy(new);
        drop_volatile(kept);
        json_decref(r->manifest);
        r->manifest = kept;
    }
    free(path);
    json_decref(old);
    json_decref(new);
    return rc;
}

static int copy_log(const char *from, const char *to, const char *name, struct error *err)
{
    char *source = fs_join(from, name), *target = fs_join(to, name), *bytes = NULL;
    size_t n = 0;
    int rc =
        source && target ? fs_read(source, (size_t)1 << 30, &bytes, &n, err) : error_nomem(err);
    if (rc == 0)
        rc = fs_write_atomic(target, bytes, n, err);
    free(source);
    free(target);
    free(bytes);
    return rc;
}

static int copy_logs(const char *from, const char *to, struct error *err)
{
    char **names = NULL;
    size_t n = 0;
    TRY(fs_list(from, &names, &n, err));
    int rc = fs_mkdirs(to, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (text_ends(names[i], ".log"))
            rc = copy_log(from, to, names[i], err);
    fs_names_free(names);
    return rc;
}

/* The store does not keep why a task failed; the run's own logs tell it. */
static int write_logs(const struct session *s, const struct report_end *end, struct error *err)
{
    char *runs = end->earlier ? fs_join(end->earlier, "runs.csv") : NULL;
    char *from = end->earlier ? fs_join(end->earlier, "logs") : NULL;
    char *to = fs_join(end->out_dir, "logs");
    int rc = !to || (end->earlier && !(runs && from)) ? error_nomem(err) : 0;
    if (rc == 0 && !(runs && fs_exists(runs)))
        rc = row_logs_write(&s->plan, &s->store, end->out_dir, err);
    else if (rc == 0 && strcmp(from, to) != 0 && fs_is_dir(from))
        rc = copy_logs(from, to, err);
    free(runs);
    free(from);
    free(to);
    return rc;
}

int report_end_manifest(const struct session *s, struct results *r, struct error *err)
{
    json_t *manifest = NULL;
    TRY(manifest_make(&s->suite, &s->plan, &s->store, r, &manifest, err));
    drop_volatile(manifest);
    json_decref(r->manifest);
    r->manifest = manifest;
    return 0;
}

int report_end_tables(const struct suite *s, const struct results *r, const struct report_end *end,
                      struct error *err)
{
    struct report_options report = {.out_dir = end->out_dir,
                                    .page = true,
                                    .figures = !end->no_figures,
                                    .svg = s->svg,
                                    .pdf = s->pdf,
                                    .choice = &s->report};
    return report_write(r, &report, err);
}

int report_end_write(const struct session *s, struct results *r, const struct report_end *end,
                     struct error *err)
{
    TRY(write_manifest(s, r, end, err));
    TRY(write_logs(s, end, err));
    return report_end_tables(&s->suite, r, end, err);
}
