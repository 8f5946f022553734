/* data_source.c: where data sets are found, and the table of those that are known. */
#include "data_source.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "strbuf.h"
#include "text.h"

/* Counts and shapes are those of the published files; a file that differs is refused. */
static const struct data_source sources[] = {
    {.name = "fashion-mnist",
     .package = "dataset-fashion-mnist",
     .files = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
               "t10k-labels-idx1-ubyte"},
     .n_train = 60000,
     .n_test = 10000,
     .default_train = 60000,
     .default_test = 10000,
     .n_classes = 10,
     .shape = {1, 28, 28},
     .read = idx_source_read},
    {.name = "synthetic",
     .n_train = 1000000,
     .n_test = 1000000,
     .default_train = 1000,
     .default_test = 500,
     .n_classes = 10,
     .shape = {1, 28, 28},
     .seeded = true,
     .read = synthetic_read},
};

enum { N_SOURCES = sizeof sources / sizeof sources[0] };

const struct data_source *data_source_find(const char *name)
{
    for (size_t i = 0; i < N_SOURCES; i++)
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    return NULL;
}

const char *const *data_source_names(void)
{
    static const char *const names[] = {"fashion-mnist", "synthetic", NULL};
    return names;
}

/* $XDG_DATA_HOME/lethe/data; relative values are to be ignored (XDG base directory spec). */
static char *user_folder(void)
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return fs_join(xdg, "lethe/data");
    return fs_join(home && *home ? home : "/", ".local/share/lethe/data");
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
    if (!dir && s && s->package)
        error_set(err, ERR_ENVIRONMENT,
                  "%s is not on this machine (looked for %s); install it: apt-get install %s", name,
                  tried.s, s->package);
    else if (!dir)
        error_set(err, ERR_ENVIRONMENT, "%s is not on this machine (looked for %s)", name, tried.s);
    free(user);
    strbuf_release(&tried);
    return dir;
}

char *data_source_file(const struct data_source *s, enum data_file file, struct error *err)
{
    char *dir = data_find(s->name, err);
    if (!dir)
        return NULL;
    char *plain = fs_join(dir, s->files[file]), *gz = plain ? text_format("%s.gz", plain) : NULL;
    free(dir);
    char *found = NULL;
    if (!gz)
        error_nomem(err);
    else if (fs_exists(gz)) {
        found = gz;
        gz = NULL;
    } else if (fs_exists(plain)) {
        found = plain;
        plain = NULL;
    } else
        error_set(err, ERR_ENVIRONMENT,
                  "%s: there is no such file; copy it there, or install it: apt-get install "
                  "--reinstall %s",
                  gz, s->package);
    free(plain);
    free(gz);
    return found;
}
