#include "verify_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "rng.h"
#include "text.h"

static int add_problem(json_t *problems, const struct task *t, const char *what, struct error *err)
{
    json_t *o = json_pack("{s:s,s:s,s:s}", "object", t->id, "title", t->title, "what", what);
    return o && json_array_append_new(problems, o) == 0 ? 0 : error_nomem(err);
}

int verify_look(struct plan *p, const struct store *store, struct error *err)
{
    for (unsigned i = 0; i < p->n; i++) {
        char *path = store_path(store, p->task[i].id, "meta.json");
        if (!path)
            return error_nomem(err);
        p->task[i].cached = fs_exists(path);
        p->task[i].state = p->task[i].cached ? TASK_DONE : TASK_WAITING;
        free(path);
    }
    return 0;
}

/* ---- objects ---- */

static int check_meta(const struct store *store, const struct task *t, struct error *why)
{
    json_t *meta = NULL;
    char id[HASH_HEX_SIZE];
    TRY(store_meta(store, t->id, &meta, why));
    const char *named = json_string_value(json_object_get(meta, "id"));
    const json_t *identity = json_object_get(meta, "identity");
    int rc = 0;
    if (!named || strcmp(named, t->id) != 0)
        rc = error_set(why, ERR_INVALID, "the folder holds object %s: it was swapped",
                       named ? named : "?");
    else if (store_id(identity, id, why) < 0 || strcmp(id, t->id) != 0)
        rc = error_set(why, ERR_INVALID, "the identity in meta.json is not this object's");
    json_decref(meta);
    return rc < 0 ? rc : store_check(store, t->id, why);
}

int verify_objects(const struct plan *p, const struct store *store, json_t *problems,
                   size_t *ret_objects, struct error *err)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct error why = ERROR_INIT;
        if (p->task[i].state != TASK_DONE)
            continue;
        ++*ret_objects;
        if (check_meta(store, &p->task[i], &why) < 0)
            TRY(add_problem(problems, &p->task[i], why.text, err));
    }
    return 0;
}

/* ---- running again ---- */

/* What is always run again: it is cheap, and every number of the report comes out of it. */
static bool is_always_run(enum task_kind kind)
{
    return kind == TASK_METRIC || kind == TASK_EVALUATE || kind == TASK_TRANSFER;
}

/* Marks the sample as waiting; rerun (n). */
static size_t choose(struct plan *p, double sample, bool *rerun)
{
    struct rng g;
    size_t n = 0;
    rng_stream(&g, 1, "verify-sample", 0);
    for (unsigned i = 0; i < p->n; i++) {
        bool picked = rng_uniform_double(&g) < sample && p->task[i].kind != TASK_DATA;
        rerun[i] = p->task[i].state == TASK_DONE && (is_always_run(p->task[i].kind) || picked);
        n += rerun[i];
    }
    return n;
}

static int link_object(const struct store *from, const struct store *to, const char *id,
                       struct error *err)
{
    char *source = store_path(from, id, NULL), *link = store_path(to, id, NULL);
    char *parent = link ? fs_dirname(link) : NULL;
    int rc = source && parent ? fs_mkdirs(parent, err) : error_nomem(err);
    if (rc == 0 && symlink(source, link) != 0)
        rc = error_errno(err, errno, "%s", link);
    free(source);
    free(link);
    free(parent);
    return rc;
}

/* Tasks that are run again wait; those that failed before stay as they are. */
static int prepare(struct plan *p, const struct store *store, const struct store *scratch,
                   const bool *rerun, struct error *err)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct task *t = &p->task[i];
        if (rerun[i])
            t->state = TASK_WAITING;
        else if (t->state == TASK_DONE)
            TRY(link_object(store, scratch, t->id, err));
        else
            t->state = TASK_SKIPPED;
        t->cached = t->state == TASK_DONE;
    }
    return 0;
}

/* Checksums of the files of both objects. */
static int compare_objects(const struct store *a, const struct store *b, const struct task *t,
                           json_t *problems, struct error *err)
{
    json_t *old = NULL, *new = NULL;
    struct error why = ERROR_INIT;
    if (store_meta(a, t->id, &old, &why) < 0)
        return add_problem(problems, t, why.text, err);
    int rc = store_meta(b, t->id, &new, err);
    const char *name;
    json_t *record;
    json_object_foreach(json_object_get(old, "files"), name, record)
    {
        json_t *other = json_object_get(json_object_get(new, "files"), name);
        const char *x = json_string_value(json_object_get(record, "sha256"));
        const char *y = json_string_value(json_object_get(other, "sha256"));
        if (rc < 0 || (x && y && strcmp(x, y) == 0))
            continue;
        char *what = text_format("%s comes out differently when it is made again", name);
        rc = what ? add_problem(problems, t, what, err) : error_nomem(err);
        free(what);
    }
    json_decref(old);
    json_decref(new);
    return rc;
}

static int compare_all(struct plan *p, const struct store *store, const struct store *scratch,
                       const bool *rerun, json_t *problems, struct error *err)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct task *t = &p->task[i];
        if (!rerun[i])
            continue;
        if (t->state == TASK_DONE)
            TRY(compare_objects(store, scratch, t, problems, err));
        else
            TRY(add_problem(problems, t,
                            t->reason ? t->reason : "it cannot be made again on this machine",
                            err));
        t->state = TASK_DONE;
    }
    return 0;
}

static char *scratch_folder(struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = text_format("%s/lethe-verify-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (dir && mkdtemp(dir))
        return dir;
    error_set(err, ERR_ENVIRONMENT, "cannot make a scratch folder; set TMPDIR");
    free(dir);
    return NULL;
}

int verify_rerun(struct plan *p, const struct store *store, const struct verify_rerun *options,
                 json_t *problems, size_t *ret_run, int *ret_signal, struct error *err)
{
    struct exec_options exec = {
        .jobs = options->jobs, .worker = options->worker, .quiet = options->quiet};
    struct exec_result result = {0};
    struct store scratch = {0};
    bool *rerun = calloc(p->n + 1, sizeof(*rerun));
    char *dir = scratch_folder(err);
    int rc = dir ? rerun ? 0 : error_nomem(err) : err->code;
    size_t n = rc == 0 ? choose(p, options->sample, rerun) : 0;
    if (rc == 0)
        rc = store_open(dir, &scratch, err);
    if (rc == 0)
        rc = prepare(p, store, &scratch, rerun, err);
    if (rc == 0)
        rc = exec_local(p, &scratch, &exec, &result, err);
    if (rc == 0 && !result.signal)
        rc = compare_all(p, store, &scratch, rerun, problems, err);
    store_release(&scratch);
    if (dir)
        fs_remove_tree(dir, NULL); /* removes links, not what they point to */
    free(dir);
    free(rerun);
    *ret_run = n;
    *ret_signal = result.signal;
    return rc;
}
