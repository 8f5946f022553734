/* data_find.c: where the files of a data set lie. */
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "fs.h"
#include "strbuf.h"
#include "text.h"

/* $XDG_DATA_HOME/lethe/data; relative values are to be ignored (XDG base directory spec). */
static char *user_folder(void)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return fs_join(xdg, "lethe/data");
    return fs_join(home && *home ? home : "/", ".local/share/lethe/data");
}

char *data_home(void)
{
    const char *own = getenv("LETHE_DATA");
    return own && *own ? text_dup(own) : user_folder();
}

/* root/name when that is a folder; else NULL, and the place is noted in `tried`. */
static char *try_root(const char *root, const char *name, struct strbuf *tried)
{
    char *dir = root && *root ? fs_join(root, name) : NULL;
    if (!dir || fs_is_dir(dir))
        return dir;
    strbuf_addf(tried, "%s%s", tried->len > 0 ? ", " : "", dir);
    free(dir);
    return NULL;
}

char *data_find(const char *name, struct error *err)
{
    const struct data_source *s = data_source_find(name);
    struct strbuf tried;
    strbuf_init(&tried);
    char *user = user_folder(), *dir = try_root(getenv("LETHE_DATA"), name, &tried);
    if (!dir)
        dir = try_root(user, name, &tried);
    if (!dir)
        dir = try_root("/usr/share/datasets", name, &tried);
    if (!dir && s && s->get)
        error_set(err, ERR_ENVIRONMENT, "%s is not on this machine (looked for %s); install it: %s",
                  name, tried.s, s->get);
    else if (!dir)
        error_set(err, ERR_ENVIRONMENT, "%s is not on this machine (looked for %s)", name, tried.s);
    free(user);
    strbuf_release(&tried);
    return dir;
}

/* dir/file.gz or dir/file when it is there; malloc'd or NULL. */
static char *file_in(const char *dir, const char *file, bool gzip)
{
    char *plain = dir ? fs_join(dir, file) : NULL;
    char *gz = plain && gzip ? text_format("%s.gz", plain) : NULL;
    char *found = NULL;
    if (gz && fs_exists(gz)) {
        found = gz;
        gz = NULL;
    } else if (plain && fs_exists(plain)) {
        found = plain;
        plain = NULL;
    }
    free(plain);
    free(gz);
    return found;
}

static void no_such_file(const struct data_source *s, const char *dir, const char *file,
                         struct error *err)
{
    char *path = fs_join(dir, file);
    const char *gz = s->gzip ? ".gz" : "";
    if (!path)
        error_nomem(err);
    else if (s->get)
        error_set(err, ERR_ENVIRONMENT,
                  "%s%s: there is no such file; copy it there, or install it: %s", path, gz,
                  s->get_again);
    else
        error_set(err, ERR_INVALID, "%s%s: there is no such file", path, s->gzip ? "[.gz]" : "");
    free(path);
}

const char *data_source_key(const struct data_source *s, const struct data_spec *spec, unsigned i)
{
    static const char *const named[] = {"train_images.npy", "train_labels.npy", "test_images.npy",
                                        "test_labels.npy"};
    if (spec->file[0])
        return i < 4 ? named[i] : NULL;
    return i < DATA_MAX_FILES ? s->files[i] : NULL;
}

char *data_source_file(const struct data_source *s, const struct data_spec *spec, unsigned i,
                       struct error *err)
{
    if (spec->file[0]) {
        char *path = text_dup(spec->file[i]);
        if (!path)
            error_nomem(err);
        return path;
    }
    char *dir = spec->dir ? text_dup(spec->dir) : data_find(s->name, err);
    if (!dir)
        return NULL;
    char *inner = s->folder ? fs_join(dir, s->folder) : NULL;
    char *found = file_in(dir, s->files[i], s->gzip);
    if (!found)
        found = file_in(inner, s->files[i], s->gzip);
    if (!found)
        no_such_file(s, dir, s->files[i], err);
    free(inner);
    free(dir);
    return found;
}

int data_source_damaged(const struct data_source *s, struct error *err)
{
    char why[sizeof err->text];
    if (!err)
        return ERR_ENVIRONMENT;
    if (err->code == ERR_NOMEM || err->code == ERR_ENVIRONMENT || !s->get)
        return err->code;
    memcpy(why, err->text, sizeof why);
    return error_set(err, ERR_ENVIRONMENT, "%s; install it anew: %s", why, s->get_again);
}
