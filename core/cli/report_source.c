#include "report_source.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "gather.h"
#include "text.h"
#include "verify_store.h"

static int open_folder(const struct report_source_options *o, struct report_source *s,
                       struct error *err)
{
    TRY(fs_absolute(o->path, &s->dir, err));
    TRY(finished_read(o->path, &s->finished, err));
    TRY(finished_open(&s->finished, &o->extra, &s->session, err));
    s->opened = true;
    return 0;
}

static int open_suite(const struct report_source_options *o, struct report_source *s,
                      struct error *err)
{
    struct session_options so = o->extra;
    so.suite = o->path;
    so.untouched = true;
    s->is_suite = true;
    TRY(session_open(&so, &s->session, err));
    s->opened = true;
    TRY(verify_look(&s->session.plan, &s->session.store, err));
    char *dir = text_format("lethe-out/%s", s->session.suite.name);
    int rc = dir ? fs_absolute(o->out ? o->out : dir, &s->dir, err) : error_nomem(err);
    free(dir);
    return rc;
}

/* ---- what is not finished ---- */

static int refuse(const struct report_source_options *o, const struct report_source *s,
                  const struct result_row *row, struct error *err)
{
    const char *other = NULL;
    size_t n_other = s->is_suite ? 0 : finished_other_tasks(&s->finished, &s->session.plan, &other);
    if (n_other)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: the store has no result for %zu of %zu rows, and %zu tasks are not "
                         "those of the report (the first: %s): the suite's data, a plugin, or this "
                         "build of Lethe is another one. `lethe run %s` computes them; --partial "
                         "reports what there is",
                         o->path, s->n_missing, s->results.n_rows, n_other,
                         other ? other : "a task too many", s->session.suite.path);
    return error_set(err, ERR_UNSUPPORTED,
                     "%s is not finished: %zu of %zu rows have no result in %s (the first: run %u, "
                     "%s, %s). `lethe run %s` computes them; --partial reports what there is%s",
                     o->path, s->n_missing, s->results.n_rows, s->session.store.dir, row->run,
                     row->method, row->scenario, s->session.suite.path,
                     s->is_suite ? "; a run that --only or --scenario restricted is reported by "
                                   "naming its folder"
                                 : "");
}

/* Failures that an earlier report tells are results. */
static int gather(const struct report_source_options *o, struct report_source *s, struct error *err)
{
    size_t first = 0;
    TRY(session_gather(&s->session, &s->results, err));
    s->gathered = true;
    TRY(finished_missing(s->dir, &s->results, &s->n_missing, &first, err));
    if (s->n_missing && !o->partial)
        return refuse(o, s, &s->results.row[first], err);
    return finished_adopt(s->dir, &s->results, err);
}

int report_source_open(const struct report_source_options *o, struct report_source *ret,
                       struct error *err)
{
    *ret = (struct report_source){0};
    if (!fs_exists(o->path))
        return error_set(err, ERR_INVALID, "%s: there is no such suite or report", o->path);
    TRY(fs_is_dir(o->path) ? open_folder(o, ret, err) : open_suite(o, ret, err));
    return gather(o, ret, err);
}

void report_source_release(struct report_source *s)
{
    if (s->gathered)
        results_release(&s->results);
    if (s->opened)
        session_close(&s->session);
    finished_release(&s->finished);
    free(s->dir);
    *s = (struct report_source){0};
}
