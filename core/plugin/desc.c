/* Finding plugins and asking each file, once, what it contains. */
#include "desc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "clean_text.h"
#include "desc_internal.h"
#include "external_files.h"
#include "fs.h"
#include "hash.h"
#include "log.h"
#include "strbuf.h"
#include "text.h"

enum { DESCRIBE_LIMIT_S = 10, MAX_DESCRIPTION = 4 << 20 };

struct finder {
    struct plugin_set set;
    struct arena *arena;
    unsigned cap, cap_failures;
    const char *cache_dir;
    char *worker;         /* found when first needed */
    struct strbuf places; /* folders looked in, for the error */
};

/* ---- results ---- */

/* items with room for one more; arrays end with the arena. */
static void *grown(struct arena *a, void *items, unsigned n, unsigned *cap, size_t size)
{
    if (n < *cap)
        return items;
    unsigned bigger = *cap ? *cap * 2 : 32;
    void *p = arena_alloc(a, bigger * size);
    if (!p)
        return NULL;
    if (n > 0)
        memcpy(p, items, n * size);
    *cap = bigger;
    return p;
}

static int add_failure(struct finder *f, const char *path, const struct child_result *r,
                       struct error *err)
{
    struct plugin_failure *items =
        grown(f->arena, f->set.failure, f->set.n_failures, &f->cap_failures, sizeof(*items));
    if (!items)
        return error_nomem(err);
    f->set.failure = items;
    struct plugin_failure *fail = &items[f->set.n_failures];
    *fail = (struct plugin_failure){arena_strdup(f->arena, path), r->verdict, r->signal,
                                    arena_strdup(f->arena, r->reason)};
    if (!fail->path || !fail->reason)
        return error_nomem(err);
    f->set.n_failures++;
    return 0;
}

static int add_text_failure(struct finder *f, const char *path, enum verdict verdict,
                            const char *reason, struct error *err)
{
    struct child_result r = {.verdict = verdict};
    clean_text(reason, strlen(reason), r.reason, sizeof(r.reason));
    return add_failure(f, path, &r, err);
}

static void drop_json(void *json)
{
    json_decref(json);
}

static const char *shadowed_by(const struct plugin_set *set, const struct plugin_desc *p)
{
    for (unsigned i = 0; i < set->n; i++)
        if (set->plugin[i].kind == p->kind && strcmp(set->plugin[i].id, p->id) == 0)
            return set->plugin[i].path;
    return NULL;
}

/* Takes a reference of its own to json. */
static int add_plugin(struct finder *f, json_t *json, struct error *err)
{
    struct plugin_desc p;
    TRY(desc_from_json(json, &p, err));
    struct plugin_desc *items = grown(f->arena, f->set.plugin, f->set.n, &f->cap, sizeof(*items));
    if (!items)
        return error_nomem(err);
    f->set.plugin = items;
    if (arena_cleanup(f->arena, drop_json, json_incref(json)) < 0)
        return error_nomem(err);
    p.shadowed_by = shadowed_by(&f->set, &p);
    items[f->set.n++] = p;
    return 0;
}

/* ---- asking a file ---- */

static int worker(struct finder *f, const char **ret, struct error *err)
{
    if (!f->worker && !(f->worker = child_worker_path(err)))
        return ERR_ENVIRONMENT;
    *ret = f->worker;
    return 0;
}

/* Where the file is and what it hashes to is this process's own knowledge. An external plugin is
 * more than its manifest. */
static int complete(json_t *all, const char *path, struct error *err)
{
    char hex[HASH_HEX_SIZE];
    size_t i;
    json_t *o;
    if (!json_is_array(all))
        return error_set(err, ERR_OUTPUT, "its description is no list");
    json_array_foreach(all, i, o)
    {
        if (!json_is_object(o))
            return error_set(err, ERR_OUTPUT, "its description is no list of objects");
        TRY(external_is_manifest(path) ? external_hash(path, json_object_get(o, "files"), hex, err)
                                       : hash_file(path, hex, err));
        if (json_object_set_new(o, "path", json_string(path)) != 0 ||
            json_object_set_new(o, "sha256", json_string(hex)) != 0)
            return error_set(err, ERR_INVALID, "its path is not valid UTF-8");
    }
    return 0;
}

/* *ret is NULL when the file cannot be described; then *ret_why says how it ended. */
static int describe(struct finder *f, const char *path, json_t **ret, struct child_result *ret_why,
                    struct error *err)
{
    const char *program;
    char *text = NULL;
    struct error why = ERROR_INIT;
    const char *const args[] = {"describe", path, NULL};
    TRY(worker(f, &program, err));
    struct child_options o = {.program = program, .args = args, .wall_limit_s = DESCRIBE_LIMIT_S};
    *ret = NULL;
    int rc = child_capture(&o, MAX_DESCRIPTION, &text, ret_why, &why);
    if (rc == ERR_ENVIRONMENT || rc == ERR_NOMEM) { /* the worker itself does not start */
        if (err)
            *err = why;
        return rc;
    }
    if (rc == 0 && ret_why->verdict == VERDICT_OK) {
        rc = json_parse_text("its description", text, strlen(text), ret, &why);
        if (rc == 0)
            rc = complete(*ret, path, &why);
    }
    free(text);
    if (rc < 0) {
        json_decref(*ret);
        *ret = NULL;
        *ret_why = (struct child_result){.verdict = VERDICT_INVALID_OUTPUT};
        clean_text(why.text, strlen(why.text), ret_why->reason, sizeof(ret_why->reason));
    }
    return 0;
}

/* Plugins that this Lethe cannot use become failures of their own. */
static int add_all(struct finder *f, const char *path, json_t *all, struct error *err)
{
    size_t i;
    json_t *o;
    json_array_foreach(all, i, o)
    {
        struct error why = ERROR_INIT;
        int rc = add_plugin(f, o, &why);
        if (rc == ERR_NOMEM)
            return error_nomem(err);
        if (rc < 0)
            TRY(add_text_failure(
                f, path, rc == ERR_UNSUPPORTED ? VERDICT_UNSUPPORTED : VERDICT_INVALID_OUTPUT,
                why.text, err));
    }
    return 0;
}

static bool is_known(const struct finder *f, const char *path)
{
    for (unsigned i = 0; i < f->set.n; i++)
        if (strcmp(f->set.plugin[i].path, path) == 0)
            return true;
    for (unsigned i = 0; i < f->set.n_failures; i++)
        if (strcmp(f->set.failure[i].path, path) == 0)
            return true;
    return false;
}

static int add_file(struct finder *f, const char *path, struct error *err)
{
    struct stat st;
    struct child_result why = {0};
    json_t *all = NULL;
    if (is_known(f, path))
        return 0;
    if (stat(path, &st) < 0)
        return add_text_failure(f, path, VERDICT_FAILED, strerrordesc_np(errno), err);
    if (!S_ISREG(st.st_mode))
        return add_text_failure(f, path, VERDICT_FAILED, "is not a file", err);
    bool cached = desc_cache_get(f->cache_dir, path, &st, &all);
    if (cached && external_is_manifest(path) && complete(all, path, NULL) < 0) {
        cached = false; /* the manifest is as it was, its files are not */
        json_decref(all);
        all = NULL;
    }
    if (!cached)
        TRY(describe(f, path, &all, &why, err));
    if (!all)
        return add_failure(f, path, &why, err);
    if (!cached)
        desc_cache_put(f->cache_dir, path, &st, all);
    int rc = add_all(f, path, all, err);
    json_decref(all);
    return rc;
}

/* ---- where to look ---- */

/* Every *.so and every manifest of the folder, in bytewise order; a folder that does not exist has
 * none. */
static int add_folder(struct finder *f, const char *dir, struct error *err)
{
    char **names = NULL;
    size_t n = 0;
    strbuf_addf(&f->places, "%s%s", f->places.len ? ", " : "", dir);
    if (!fs_is_dir(dir))
        return 0;
    TRY(fs_list(dir, &names, &n, err));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!text_ends(names[i], ".so") && !external_is_manifest(names[i]))
            continue;
        char *path = fs_join(dir, names[i]);
        bool wanted = path && (text_ends(path, ".so") || external_declares(path));
        rc = !path ? error_nomem(err) : wanted ? add_file(f, path, err) : 0;
        free(path);
    }
    fs_names_free(names);
    return rc;
}

static int add_named_files(struct finder *f, const char *const *files, struct error *err)
{
    for (size_t i = 0; files && files[i]; i++) {
        char *path = NULL;
        TRY(fs_absolute(files[i], &path, err));
        int rc = add_file(f, path, err);
        free(path);
        TRY(rc);
    }
    return 0;
}

static int add_path_entry(struct finder *f, const char *entry, size_t n, struct error *err)
{
    char *given = strndup(entry, n), *dir = NULL;
    int rc = given ? 0 : error_nomem(err);
    if (rc == 0 && *given != '/')
        rc = error_set(err, ERR_INVALID,
                       "LETHE_PLUGIN_PATH: expected absolute folders separated by ':', found "
                       "\"%s\"",
                       given);
    if (rc == 0)
        rc = fs_absolute(given, &dir, err);
    if (rc == 0 && !fs_is_dir(dir))
        log_warning("LETHE_PLUGIN_PATH: there is no folder %s", dir);
    if (rc == 0)
        rc = add_folder(f, dir, err);
    free(dir);
    free(given);
    return rc;
}

static int add_path_variable(struct finder *f, struct error *err)
{
    const char *s = getenv("LETHE_PLUGIN_PATH");
    if (!s || !*s)
        return 0;
    for (;;) {
        size_t n = strcspn(s, ":");
        TRY(add_path_entry(f, s, n, err));
        if (!s[n])
            return 0;
        s += n + 1;
    }
}

/* $XDG_DATA_HOME/lethe/plugins; a relative value is to be ignored (XDG base directories). */
static int add_user_folder(struct finder *f, struct error *err)
{
    const char *base = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    bool set = base && *base == '/';
    if (!set && !(home && *home == '/'))
        return 0;
    char *dir = text_format("%s%s/lethe/plugins", set ? base : home, set ? "" : "/.local/share");
    int rc = dir ? add_folder(f, dir, err) : error_nomem(err);
    free(dir);
    return rc;
}

static int add_own_folder(struct finder *f, struct error *err)
{
    char *program = fs_program_dir(), *prefix = program ? fs_dirname(program) : NULL;
    char *dir = prefix ? fs_join(prefix, "lib/lethe-1/plugins") : NULL;
    int rc = dir ? add_folder(f, dir, err) : error_nomem(err);
    free(dir);
    free(prefix);
    free(program);
    return rc;
}

static int find_all(struct finder *f, const char *const *files, struct error *err)
{
    TRY(add_named_files(f, files, err));
    TRY(add_path_variable(f, err));
    TRY(add_user_folder(f, err));
    TRY(add_own_folder(f, err));
    if (f->set.n == 0 && f->set.n_failures == 0)
        return error_set(err, ERR_ENVIRONMENT,
                         "no plugins: there is no *.so in %s; build or install Lethe's plugins, or "
                         "name their folder in LETHE_PLUGIN_PATH",
                         f->places.s);
    return 0;
}

int plugins_discover(const char *const *files, const char *cache_dir, struct plugin_set *ret,
                     struct error *err)
{
    struct finder f = {.cache_dir = cache_dir, .arena = arena_new()};
    strbuf_init(&f.places);
    f.set.memory = f.arena;
    int rc = f.arena ? find_all(&f, files, err) : error_nomem(err);
    strbuf_release(&f.places);
    free(f.worker);
    if (rc < 0) {
        arena_free(f.arena);
        return rc;
    }
    *ret = f.set;
    return 0;
}

void plugins_release(struct plugin_set *set)
{
    if (!set)
        return;
    arena_free(set->memory);
    *set = (struct plugin_set){0};
}

/* ---- looking up ---- */

const struct plugin_desc *plugins_find(const struct plugin_set *set, enum plugin_kind kind,
                                       const char *id)
{
    for (unsigned i = 0; i < set->n; i++) {
        const struct plugin_desc *p = &set->plugin[i];
        if (!p->shadowed_by && (kind == 0 || p->kind == kind) && strcmp(p->id, id) == 0)
            return p;
    }
    return NULL;
}

const struct plugin_desc *plugins_find_file(const struct plugin_set *set, const char *path)
{
    for (unsigned i = 0; i < set->n; i++)
        if (strcmp(set->plugin[i].path, path) == 0)
            return &set->plugin[i];
    return NULL;
}
