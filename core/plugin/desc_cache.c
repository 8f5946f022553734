/* Descriptions by path, inode, size and mtime: the worker is asked once per version of a file.
 * Files so young that a change could leave the same time stamp are asked again. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "desc_internal.h"
#include "fs.h"
#include "hash.h"
#include "lethe/abi.h"
#include "log.h"
#include "text.h"
#include "version.h"

enum { CACHE_FORMAT = 1, YOUNG_S = 2 };

static char *cache_path(const char *dir, const char *path)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes(path, strlen(path), hex);
    return text_format("%s/%.32s.json", dir, hex);
}

/* What must be equal for an entry to count. NULL when out of memory. */
static json_t *fingerprint(const char *path, const struct stat *st)
{
    return json_pack("{s:i,s:s,s:i,s:s,s:I,s:I,s:I,s:I,s:I}", "format", CACHE_FORMAT, "lethe",
                     LETHE_VERSION, "abi_minor", (int)LETHE_ABI_MINOR, "path", path, "device",
                     (json_int_t)st->st_dev, "inode", (json_int_t)st->st_ino, "size",
                     (json_int_t)st->st_size, "mtime_s", (json_int_t)st->st_mtim.tv_sec, "mtime_ns",
                     (json_int_t)st->st_mtim.tv_nsec);
}

bool desc_cache_get(const char *dir, const char *path, const struct stat *st, json_t **ret)
{
    char *file = dir ? cache_path(dir, path) : NULL;
    json_t *entry = NULL, *wanted = fingerprint(path, st);
    bool hit = file && wanted && fs_exists(file) && json_read_file(file, &entry, NULL) == 0 &&
               json_equal(json_object_get(entry, "file"), wanted) &&
               json_is_array(json_object_get(entry, "plugins"));
    if (hit)
        *ret = json_incref(json_object_get(entry, "plugins"));
    json_decref(entry);
    json_decref(wanted);
    free(file);
    return hit;
}

void desc_cache_put(const char *dir, const char *path, const struct stat *st, json_t *all)
{
    struct error err = ERROR_INIT;
    if (!dir || st->st_mtim.tv_sec + YOUNG_S > time(NULL))
        return;
    char *file = cache_path(dir, path);
    json_t *wanted = fingerprint(path, st);
    json_t *entry = wanted ? json_pack("{s:o,s:O}", "file", wanted, "plugins", all) : NULL;
    int rc = file && entry ? fs_mkdirs(dir, &err) : error_nomem(&err);
    if (rc == 0)
        rc = json_write_file(file, entry, &err);
    if (rc < 0)
        log_debug("plugin descriptions are not cached: %s", err.text);
    json_decref(entry);
    free(file);
}
