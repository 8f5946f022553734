#include "manifest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "setup.h"
#include "strbuf.h"
#include "version.h"

int manifest_check_dir(const char *out_dir, const char *suite, struct error *err)
{
    char *path = fs_join(out_dir, "manifest.json");
    json_t *old = NULL;
    int rc = path ? 0 : error_nomem(err);
    if (rc == 0 && fs_exists(path)) {
        rc = json_read_file(path, &old, err);
        const char *name = json_string_value(json_object_get(old, "suite"));
        if (rc == 0 && (!name || strcmp(name, suite) != 0))
            rc = error_set(err, ERR_INVALID,
                           "%s holds the report of suite \"%s\", not of \"%s\"; choose another "
                           "folder with --out",
                           out_dir, name ? name : "?", suite);
        else if (rc < 0)
            rc = error_set(err, ERR_INVALID,
                           "%s: not a manifest of Lethe; choose another folder "
                           "with --out",
                           path);
    } else if (rc == 0) {
        char *runs = fs_join(out_dir, "runs.csv");
        if (runs && fs_exists(runs))
            rc = error_set(err, ERR_INVALID,
                           "%s exists but no manifest.json is beside it; choose another folder "
                           "with --out",
                           runs);
        free(runs);
    }
    json_decref(old);
    free(path);
    return rc;
}

static json_t *machine_json(const struct plan *p)
{
    struct utsname u;
    char host[65] = "unknown", date[32] = "";
    time_t now = time(NULL);
    struct tm tm;
    gethostname(host, sizeof(host) - 1);
    if (gmtime_r(&now, &tm))
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
    uname(&u);
    return json_pack("{s:s,s:s,s:s,s:s,s:i,s:O}", "host", host, "written", date, "kernel",
                     u.release, "arch", u.machine, "cores", (int)sysconf(_SC_NPROCESSORS_ONLN),
                     "worker", p->machine);
}

static json_t *tasks_json(const struct plan *p)
{
    json_t *tasks = json_array();
    for (unsigned i = 0; tasks && i < p->n; i++)
        json_array_append_new(tasks, json_pack("{s:s,s:s,s:s}", "id", p->task[i].id, "kind",
                                               task_kind_name(p->task[i].kind), "title",
                                               p->task[i].title));
    return tasks;
}

static json_t *rows_json(const struct results *r)
{
    size_t used = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        used += r->row[i].status == VERDICT_OK;
    return json_pack("{s:I,s:I}", "planned", (json_int_t)r->n_rows, "used", (json_int_t)used);
}

int manifest_make(const struct suite *s, const struct plan *p, const struct store *store,
                  const struct results *r, json_t **ret, struct error *err)
{
    struct strbuf suite;
    struct strbuf arch, recipe;
    strbuf_init(&suite);
    strbuf_init(&arch);
    strbuf_init(&recipe);
    yaml_to_json(s->root, &suite);
    arch_text(s->arch, &arch);
    recipe_text(&s->train, &recipe);
    json_t *text = NULL;
    int rc = json_parse_text("the suite", suite.s, suite.len, &text, err);
    json_t *m =
        rc == 0
            ? json_pack("{s:i,s:s,s:s,s:s,s:o,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:O}",
                        "lethe_manifest", 1, "lethe", LETHE_VERSION, "suite", s->name, "suite_file",
                        s->path, "resolved", json_incref(text), "arch", arch.s, "recipe", recipe.s,
                        "store", store->dir, "unlearn", setup_entries(s->unlearn, s->n_unlearn),
                        "attacks", setup_entries(s->attack, s->n_attacks), "metrics",
                        setup_entries(s->metric, s->n_metrics), "rows", rows_json(r), "machine",
                        machine_json(p), "tasks", tasks_json(p), "options", p->options)
            : NULL;
    if (m && s->n_transfer &&
        json_object_set_new(m, "transfer", setup_entries(s->transfer, s->n_transfer)) != 0)
        rc = error_nomem(err);
    if (rc == 0 && !m)
        rc = error_nomem(err);
    if (rc == 0)
        *ret = m;
    json_decref(text);
    strbuf_release(&suite);
    strbuf_release(&arch);
    strbuf_release(&recipe);
    return rc;
}

int manifest_write(const struct suite *s, const struct plan *p, const struct store *store,
                   const struct results *r, const char *out_dir, struct error *err)
{
    json_t *m = NULL;
    TRY(manifest_make(s, p, store, r, &m, err));
    char *path = fs_join(out_dir, "manifest.json");
    int rc = path ? json_write_file(path, m, err) : error_nomem(err);
    free(path);
    json_decref(m);
    return rc;
}
