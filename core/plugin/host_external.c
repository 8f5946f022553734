/* What every run of an external plugin's command has: a folder, job.json, an end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "host_external.h"
#include "text.h"

static int make_folder(struct external_call *e, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = text_format("%s/external-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    if (!dir)
        return error_nomem(err);
    if (!mkdtemp(dir)) {
        int why = errno;
        free(dir);
        return error_errno(err, why, "cannot make a folder for an external plugin");
    }
    e->dir = dir;
    char *in = external_path(e, "in"), *out = external_path(e, "out");
    int rc = in && out ? fs_mkdirs(in, err) : error_nomem(err);
    if (rc == 0)
        rc = fs_mkdirs(out, err);
    free(in);
    free(out);
    return rc;
}

char *external_path(const struct external_call *e, const char *name)
{
    return fs_join(e->dir, name);
}

void external_put(struct external_call *e, const char *key, json_t *value)
{
    if (e->job && value && json_object_set(e->job, key, value) == 0) {
        json_decref(value);
        return;
    }
    json_decref(value);
    json_decref(e->job);
    e->job = NULL;
}

/* Whole numbers that every language reads exactly. */
enum { SEED_BITS = 53 };

static json_t *seed_of(const struct host *host, uint64_t index)
{
    struct rng r;
    if (host_stream(host, "external", index, &r) < 0)
        return NULL;
    return json_integer((json_int_t)(r.key & ((UINT64_C(1) << SEED_BITS) - 1)));
}

int external_begin(struct external_call *e, lethe_ctx *ctx, uint64_t index, struct error *err)
{
    struct host_ctx *c = host_ctx_of(ctx);
    const struct hosting *h = c->host->h;
    *e = (struct external_call){.c = c, .x = external_of(c->host->plugin), .job = json_object()};
    TRY(make_folder(e, err));
    external_put(e, "lethe_external", json_integer(1));
    external_put(e, "id", json_string(e->x->info.id));
    external_put(e, "version", json_string(e->x->info.version));
    external_put(e, "params", h->params ? json_incref((json_t *)h->params) : json_object());
    external_put(e, "seed", seed_of(c->host, index));
    external_put(e, "threads", json_integer(par_threads(h->par)));
    return e->job ? 0 : error_nomem(err);
}

/* Reasons go into tables, which must not tell where something was computed. */
static void hide(char *text, const char *dir)
{
    size_t n = strlen(dir);
    for (char *at = text; n > 1 && (at = strstr(at, dir));) {
        size_t cut = n + (at[n] == '/');
        memmove(at, at + cut, strlen(at + cut) + 1);
    }
}

lethe_status external_end(struct external_call *e, int rc, struct error *err)
{
    if (rc < 0) {
        if (e->dir)
            hide(err->text, e->dir);
        hide(err->text, e->x->command.dir);
    }
    if (e->dir)
        fs_remove_tree(e->dir, NULL);
    free(e->dir);
    json_decref(e->job);
    return rc < 0 ? host_pass_on(e->c, err) : LETHE_OK;
}

int external_run(struct external_call *e, struct error *err)
{
    char *path = external_path(e, "job.json");
    int rc = path && e->job ? json_write_file(path, e->job, err) : error_nomem(err);
    free(path);
    return rc < 0 ? rc : external_spawn(e, err);
}

int external_array(struct external_call *e, json_t *job, const char *key, const char *name,
                   enum npy_type type, uint32_t n_dim, const size_t *dim, const void *bytes,
                   struct error *err)
{
    char *file = text_format("in/%s.npy", name);
    char *path = file ? external_path(e, file) : NULL;
    int rc = path ? npy_write(path, type, n_dim, dim, bytes, err) : error_nomem(err);
    if (rc == 0 && json_object_set_new(job, key, json_string(file)) != 0)
        rc = error_nomem(err);
    free(path);
    free(file);
    return rc;
}

int external_expect(const struct external_call *e, const char *name, char **ret_path,
                    struct error *err)
{
    char *path = external_path(e, name);
    if (!path)
        return error_nomem(err);
    if (fs_exists(path) && !fs_is_dir(path)) {
        *ret_path = path;
        return 0;
    }
    free(path);
    return error_set(err, ERR_OUTPUT, "its command ended without writing %s", name);
}
