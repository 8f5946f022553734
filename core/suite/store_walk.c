#include "store_walk.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"

static int visit_folder(const struct store *s, const char *dir, store_visit_fn visit, void *arg,
                        struct error *err)
{
    char **names = NULL;
    size_t n = 0;
    TRY(fs_list(dir, &names, &n, err));
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        struct error why = ERROR_INIT;
        json_t *meta = NULL;
        if (strlen(names[i]) != HASH_HEX_SIZE - 1)
            continue;
        if (store_meta(s, names[i], &meta, &why) < 0)
            meta = NULL;
        rc = visit(arg, names[i], meta, why.text, err);
        json_decref(meta);
    }
    fs_names_free(names);
    return rc < 0 ? rc : 0;
}

int store_walk(const struct store *s, store_visit_fn visit, void *arg, struct error *err)
{
    char **names = NULL;
    size_t n = 0;
    char *objects = fs_join(s->dir, "objects");
    int rc = objects ? fs_list(objects, &names, &n, err) : error_nomem(err);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        char *dir = fs_join(objects, names[i]);
        if (!dir)
            rc = error_nomem(err);
        else if (fs_is_dir(dir))
            rc = visit_folder(s, dir, visit, arg, err);
        free(dir);
    }
    fs_names_free(names);
    free(objects);
    return rc;
}

unsigned long long store_meta_bytes(const json_t *meta)
{
    unsigned long long sum = 0;
    const char *name;
    json_t *record;
    json_object_foreach(json_object_get(meta, "files"), name, record) sum +=
        (unsigned long long)json_integer_value(json_object_get(record, "size"));
    return sum;
}
