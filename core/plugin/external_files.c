#include "external_files.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "strbuf.h"
#include "text.h"

enum { MAX_MANIFEST = 64 << 10 };

bool external_is_manifest(const char *path)
{
    return text_ends(path, ".yaml") || text_ends(path, ".yml");
}

bool external_declares(const char *path)
{
    static const char key[] = "lethe_plugin:";
    char *text = NULL;
    size_t n = 0;
    if (fs_read(path, MAX_MANIFEST, &text, &n, NULL) < 0)
        return false;
    bool found = text_starts(text, key);
    for (const char *at = text; !found && (at = strchr(at, '\n'));)
        found = text_starts(++at, key);
    free(text);
    return found;
}

static int add_file(struct strbuf *all, const char *name, const char *path, struct error *err)
{
    char hex[HASH_HEX_SIZE];
    if (!fs_exists(path))
        return error_set(err, ERR_INVALID, "files: there is no %s beside the manifest", name);
    TRY(hash_file(path, hex, err));
    strbuf_addf(all, "%s %s\n", hex, name);
    return 0;
}

int external_hash(const char *path, const json_t *files, char ret_hex[HASH_HEX_SIZE],
                  struct error *err)
{
    char *dir = fs_dirname(path);
    struct strbuf all;
    size_t i;
    json_t *file;
    strbuf_init(&all);
    int rc = dir ? add_file(&all, "manifest", path, err) : error_nomem(err);
    json_array_foreach(files, i, file)
    {
        const char *name = json_string_value(file);
        char *joined = name && dir ? fs_join(dir, name) : NULL;
        if (rc == 0)
            rc = joined ? add_file(&all, name, joined, err) : error_nomem(err);
        free(joined);
    }
    if (rc == 0 && all.failed)
        rc = error_nomem(err);
    if (rc == 0)
        hash_bytes(all.s, all.len, ret_hex);
    strbuf_release(&all);
    free(dir);
    return rc;
}
