#include "run_target.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "run_record.h"

/* A NULL-ended array of strings that record keeps; NULL: empty, or no memory (*ret_n tells). */
static const char **words_of(const json_t *record, const char *key, unsigned *ret_n)
{
    const json_t *list = json_object_get(record, key);
    size_t n = json_array_size(list);
    const char **words = n ? calloc(n + 1, sizeof(*words)) : NULL;
    for (size_t i = 0; words && i < n; i++)
        words[i] = json_string_value(json_array_get(list, i));
    *ret_n = (unsigned)n;
    return words;
}

static int take_command(struct run_target *t, struct error *err)
{
    struct session_options *o = &t->session;
    o->suite = json_string_value(json_object_get(t->record, "suite_file"));
    o->scenario = json_string_value(json_object_get(t->record, "scenario"));
    o->setting = words_of(t->record, "settings", &o->n_settings);
    o->only = words_of(t->record, "only", &o->n_only);
    o->plugin = words_of(t->record, "plugins", &o->n_plugins);
    bool bad =
        (o->n_settings && !o->setting) || (o->n_only && !o->only) || (o->n_plugins && !o->plugin);
    return bad ? error_nomem(err) : 0;
}

static int copy_command(const struct session_options *o, struct run_target *t, struct error *err)
{
    const struct {
        const char **from, ***to;
        unsigned n;
    } list[] = {{o->setting, &t->session.setting, o->n_settings},
                {o->only, &t->session.only, o->n_only},
                {o->plugin, &t->session.plugin, o->n_plugins}};
    t->session = *o;
    t->session.setting = t->session.only = t->session.plugin = NULL;
    for (size_t i = 0; i < 3; i++) {
        *list[i].to = list[i].n ? calloc(list[i].n + 1, sizeof(char *)) : NULL;
        if (list[i].n && !*list[i].to)
            return error_nomem(err);
        for (unsigned k = 0; k < list[i].n; k++)
            (*list[i].to)[k] = list[i].from[k];
    }
    return 0;
}

/* A finished report names its store. */
static int find_by_manifest(const char *dir, json_t **ret, struct error *err)
{
    char *path = fs_join(dir, "manifest.json");
    json_t *manifest = NULL;
    struct store store;
    int rc = path ? 0 : error_nomem(err);
    if (rc == 0 && fs_exists(path))
        rc = json_read_file(path, &manifest, err);
    const char *where = json_string_value(json_object_get(manifest, "store"));
    if (rc == 0 && where && (rc = store_attach(where, &store, err)) == 0) {
        rc = run_record_find(&store, NULL, dir, ret, err);
        store_release(&store);
    }
    json_decref(manifest);
    free(path);
    return rc;
}

static int find_folder(const struct session_options *o, const struct store *store,
                       struct run_target *t, struct error *err)
{
    char *dir = NULL;
    TRY(fs_absolute(o->suite, &dir, err));
    int rc = run_record_find(store, NULL, dir, &t->record, err);
    if (rc == 0 && !t->record && !o->store)
        rc = find_by_manifest(dir, &t->record, err);
    if (rc == 0 && !t->record)
        rc = error_set(err, ERR_INVALID,
                       "%s: no run with the store %s reports there; name its suite, or the store "
                       "with --store",
                       dir, store->dir);
    free(dir);
    return rc < 0 ? rc : take_command(t, err);
}

static bool same_file(const json_t *record, const char *path)
{
    char *mine = NULL;
    const char *there = json_string_value(json_object_get(record, "suite_file"));
    bool same = there && fs_absolute(path, &mine, NULL) == 0 && strcmp(mine, there) == 0;
    free(mine);
    return same;
}

static int find_suite(const struct session_options *o, const struct store *store,
                      struct run_target *t, struct error *err)
{
    struct suite suite;
    TRY(suite_load(o->suite, o->setting, o->n_settings, &suite, err));
    int rc = run_record_find(store, suite.name, NULL, &t->record, err);
    suite_release(&suite);
    TRY(rc);
    bool plain = !o->n_settings && !o->n_only && !o->n_plugins && !o->scenario;
    return plain && t->record && same_file(t->record, o->suite) ? take_command(t, err)
                                                                : copy_command(o, t, err);
}

int run_target_find(const struct session_options *o, struct run_target *ret, struct error *err)
{
    struct run_target t = {0};
    struct store store;
    TRY(store_open(o->store, &store, err));
    int rc = fs_is_dir(o->suite) ? find_folder(o, &store, &t, err) : find_suite(o, &store, &t, err);
    store_release(&store);
    t.session.store = json_string_value(json_object_get(t.record, "store"));
    if (!t.session.store)
        t.session.store = o->store;
    t.session.json = o->json;
    t.session.untouched = true;
    const char *suite = json_string_value(json_object_get(t.record, "suite"));
    const char *out = json_string_value(json_object_get(t.record, "out"));
    if (rc == 0 && suite && out && !(t.key = run_key(suite, out)))
        rc = error_nomem(err);
    if (rc < 0)
        run_target_release(&t);
    else
        *ret = t;
    return rc;
}

void run_target_release(struct run_target *t)
{
    session_options_release(&t->session);
    json_decref(t->record);
    free(t->key);
    *t = (struct run_target){0};
}
