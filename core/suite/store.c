#include "store.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "json.h"
#include "strbuf.h"
#include "text.h"

static const char *const folders[] = {"objects", "tmp", "logs", "plugins", NULL};

static char *default_dir(void)
{
    const char *env = getenv("LETHE_STORE");
    if (env && *env)
        return text_dup(env);
    env = getenv("XDG_CACHE_HOME");
    if (env && env[0] == '/')
        return text_format("%s/lethe/store", env);
    env = getenv("HOME");
    return env && *env ? text_format("%s/.cache/lethe/store", env) : NULL;
}

static void host_name(char out[65])
{
    if (gethostname(out, 64) != 0)
        strcpy(out, "unknown");
    out[64] = '\0';
    for (char *p = out; *p; p++)
        if (*p == '.' || *p == '/')
            *p = '-';
}

/* tmp/<id16>.<host>.<pid>.<n>: true when that process is of this host and gone. */
static bool left_behind(const char *name, const char *host)
{
    const char *p = strchr(name, '.');
    size_t n = strlen(host);
    if (!p || strncmp(p + 1, host, n) != 0 || p[1 + n] != '.')
        return false;
    int64_t pid = strtoll(p + 2 + n, NULL, 10);
    return pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* A parent that was killed may have missed that a plugin's task was done: what it printed is kept,
 * as store_workspace_end would have. */
static void rescue_log(const struct store *s, const char *workspace)
{
    json_t *job = NULL;
    char *file = fs_join(workspace, "job.json"), *log = fs_join(workspace, "log.txt");
    if (file && log && fs_size(log) > 0 && json_read_file(file, &job, NULL) == 0) {
        const char *id = json_string_value(json_object_get(job, "id"));
        char *kept = id && json_object_get(job, "plugin_path") ? store_log(s, id) : NULL;
        if (kept && !fs_exists(kept))
            (void)!rename(log, kept);
        free(kept);
    }
    json_decref(job);
    free(file);
    free(log);
}

static void sweep(const struct store *s)
{
    char host[65];
    host_name(host);
    char *tmp = fs_join(s->dir, "tmp");
    char **names = NULL;
    size_t n = 0;
    if (tmp && fs_list(tmp, &names, &n, NULL) == 0) {
        for (size_t i = 0; i < n; i++) {
            char *path = left_behind(names[i], host) ? fs_join(tmp, names[i]) : NULL;
            if (path) {
                rescue_log(s, path);
                fs_remove_tree(path, NULL);
            }
            free(path);
        }
        fs_names_free(names);
    }
    free(tmp);
}

int store_attach(const char *dir, struct store *ret, struct error *err)
{
    struct store s = {text_dup(dir), 0};
    if (!s.dir)
        return error_nomem(err);
    *ret = s;
    return 0;
}

int store_open(const char *path, struct store *ret, struct error *err)
{
    struct store s = {NULL, 0};
    char *dir = path ? text_dup(path) : default_dir();
    int rc = dir ? fs_absolute(dir, &s.dir, err)
                 : error_set(err, ERR_ENVIRONMENT,
                             "no place for the store: set LETHE_STORE or use --store DIR");
    for (size_t i = 0; rc == 0 && folders[i]; i++) {
        char *folder = fs_join(s.dir, folders[i]);
        rc = folder ? fs_mkdirs(folder, err) : error_nomem(err);
        free(folder);
    }
    free(dir);
    if (rc < 0) {
        error_prefix(err, "store");
        store_release(&s);
        return rc;
    }
    sweep(&s);
    *ret = s;
    return 0;
}

void store_release(struct store *s)
{
    free(s->dir);
    s->dir = NULL;
}

int store_id(const json_t *identity, char ret_id[HASH_HEX_SIZE], struct error *err)
{
    char *text = json_canonical(identity);
    if (!text)
        return error_nomem(err);
    hash_bytes(text, strlen(text), ret_id);
    free(text);
    return 0;
}

char *store_path(const struct store *s, const char *id, const char *file)
{
    return text_format("%s/objects/%.2s/%s%s%s", s->dir, id, id, file ? "/" : "", file ? file : "");
}

int store_meta(const struct store *s, const char *id, json_t **ret, struct error *err)
{
    char *path = store_path(s, id, "meta.json");
    if (!path)
        return error_nomem(err);
    int rc = json_read_file(path, ret, err);
    free(path);
    return rc;
}

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* One file against its record in meta.json; `always` compares checksums even when the mtime fits.
 */
static int check_file(const char *path, const json_t *record, bool always, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_errno(err, errno, "%s", path);
    json_int_t size = json_integer_value(json_object_get(record, "size"));
    if (st.st_size != size)
        return error_set(err, ERR_IO, "%s: %lld bytes, %lld were written", path,
                         (long long)st.st_size, (long long)size);
    if (!always && mtime_ns(&st) == json_integer_value(json_object_get(record, "mtime_ns")))
        return 0;
    char hex[HASH_HEX_SIZE];
    TRY(hash_file(path, hex, err));
    const char *want = json_string_value(json_object_get(record, "sha256"));
    if (!want || strcmp(hex, want) != 0)
        return error_set(err, ERR_IO, "%s: its SHA-256 is not the one recorded", path);
    return 0;
}

static int check_files(const struct store *s, const char *id, bool always, struct error *err)
{
    json_t *meta = NULL;
    TRY(store_meta(s, id, &meta, err));
    json_t *files = json_object_get(meta, "files");
    int rc = json_is_object(files) ? 0 : error_set(err, ERR_IO, "object %s: no file list", id);
    const char *name;
    json_t *record;
    json_object_foreach(files, name, record)
    {
        char *path = rc == 0 ? store_path(s, id, name) : NULL;
        if (rc == 0)
            rc = path ? check_file(path, record, always, err) : error_nomem(err);
        free(path);
    }
    json_decref(meta);
    return rc;
}

enum store_state store_look(const struct store *s, const char *id, struct error *err)
{
    char *path = store_path(s, id, "meta.json");
    bool there = path && fs_exists(path);
    free(path);
    if (!there)
        return STORE_ABSENT;
    return check_files(s, id, false, err) == 0 ? STORE_PRESENT : STORE_CORRUPT;
}

int store_check(const struct store *s, const char *id, struct error *err)
{
    return check_files(s, id, true, err);
}

int store_discard(const struct store *s, const char *id, struct error *err)
{
    char *path = store_path(s, id, NULL);
    char *aside = text_format("%s/tmp/discarded-%s-%lld", s->dir, id, (long long)getpid());
    int rc = path && aside ? 0 : error_nomem(err);
    if (rc == 0 && rename(path, aside) != 0 && errno != ENOENT)
        rc = error_errno(err, errno, "%s", path);
    if (rc == 0)
        fs_remove_tree(aside, NULL);
    free(path);
    free(aside);
    return rc;
}

int store_probe(const struct store *s, struct error *err)
{
    static const char block[4096] = {0};
    struct error why = ERROR_INIT;
    char *path = text_format("%s/tmp/probe-%lld", s->dir, (long long)getpid());
    if (!path)
        return error_nomem(err);
    int rc = fs_write_atomic(path, block, sizeof(block), &why);
    unlink(path);
    free(path);
    return rc == 0 ? 0
                   : error_set(err, ERR_ENVIRONMENT,
                               "the store cannot be written: %s. What is finished is kept; make "
                               "room, and the same command goes on from there",
                               why.text);
}

int store_workspace(struct store *s, const char *id, char **ret_dir, struct error *err)
{
    char host[65];
    host_name(host);
    char *dir =
        text_format("%s/tmp/%.16s.%s.%lld.%llu", s->dir, id, host, (long long)getpid(), s->n_tmp++);
    char *out = dir ? fs_join(dir, "out") : NULL;
    int rc = out ? fs_mkdirs(out, err) : error_nomem(err);
    free(out);
    if (rc < 0) {
        free(dir);
        return rc;
    }
    *ret_dir = dir;
    return 0;
}

static int record_files(const char *out, json_t *files, struct error *err)
{
    char **names = NULL;
    size_t n = 0;
    TRY(fs_list(out, &names, &n, err));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        char *path = fs_join(out, names[i]);
        char hex[HASH_HEX_SIZE];
        struct stat st;
        rc = path ? hash_file(path, hex, err) : error_nomem(err);
        if (rc == 0 && stat(path, &st) != 0)
            rc = error_errno(err, errno, "%s", path);
        if (rc == 0)
            rc = json_object_set_new(files, names[i],
                                     json_pack("{s:I,s:s,s:I}", "size", (json_int_t)st.st_size,
                                               "sha256", hex, "mtime_ns",
                                               (json_int_t)mtime_ns(&st)));
        free(path);
    }
    fs_names_free(names);
    return rc;
}

static int write_meta(const char *id, const char *out, const json_t *identity, const json_t *cost,
                      struct error *err)
{
    json_t *files = json_object();
    int rc = files ? record_files(out, files, err) : error_nomem(err);
    json_t *meta = rc == 0 ? json_pack("{s:i,s:s,s:O,s:O,s:O}", "lethe_object", 1, "id", id,
                                       "identity", identity, "cost", cost, "files", files)
                           : NULL;
    char *path = fs_join(out, "meta.json");
    if (rc == 0)
        rc = meta && path ? json_write_file(path, meta, err) : error_nomem(err);
    free(path);
    json_decref(meta);
    json_decref(files);
    return rc;
}

int store_commit(const struct store *s, const char *id, const char *workspace,
                 const json_t *identity, const json_t *cost, struct error *err)
{
    char *out = fs_join(workspace, "out");
    char *final = store_path(s, id, NULL);
    char *parent = final ? fs_dirname(final) : NULL;
    int rc = out && parent ? 0 : error_nomem(err);
    if (rc == 0)
        rc = write_meta(id, out, identity, cost, err);
    if (rc == 0)
        rc = fs_mkdirs(parent, err);
    if (rc == 0 && rename(out, final) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        rc = error_errno(err, errno, "%s", final);
    free(out);
    free(final);
    free(parent);
    return rc < 0 ? error_prefix(err, "store"), rc : 0;
}

char *store_log(const struct store *s, const char *id)
{
    return text_format("%s/logs/%s.log", s->dir, id);
}

void store_workspace_end(const struct store *s, const char *id, const char *workspace, bool keep)
{
    char *log = fs_join(workspace, "log.txt");
    char *kept = keep ? store_log(s, id) : NULL;
    if (log && kept && fs_size(log) > 0)
        (void)!rename(log, kept);
    else if (kept)
        unlink(kept); /* what an earlier try printed is not this one's */
    free(log);
    free(kept);
    fs_remove_tree(workspace, NULL);
}
