/* cifar_source.c: CIFAR-10 and CIFAR-100 as data sets: some training files, then one test file. */
#include <stdlib.h>

#include "cifar_file.h"
#include "data_source.h"

/* The first n of n_file images of file i (n_file 0: however many it holds), behind `at`. */
static int read_one(const struct data_source *s, const struct data_spec *spec, unsigned i,
                    struct data_target *t, uint32_t want, uint32_t n, uint32_t at,
                    struct error *err)
{
    char *path = data_source_file(s, spec, i, err);
    if (!path)
        return err && err->code ? err->code : ERR_ENVIRONMENT;
    int rc = cifar_read(path, s->label_bytes, t->layout->n_classes, want, n,
                        t->pixels + (size_t)at * CIFAR_PIXELS, t->labels + at, err);
    free(path);
    return rc < 0 ? data_source_damaged(s, err) : 0;
}

static int count_one(const struct data_source *s, const struct data_spec *spec, unsigned i,
                     uint32_t *ret, struct error *err)
{
    char *path = data_source_file(s, spec, i, err);
    if (!path)
        return err && err->code ? err->code : ERR_ENVIRONMENT;
    int rc = cifar_count(path, s->label_bytes, ret, err);
    free(path);
    return rc < 0 ? data_source_damaged(s, err) : 0;
}

/* Of a known set each file has its share; of a folder, what it holds. */
int cifar_source_read(const struct data_source *s, const struct data_spec *spec,
                      struct data_target *t, struct error *err)
{
    uint32_t at = 0;
    for (unsigned i = 0; i < s->n_train_files; i++) {
        uint32_t n_file = s->fixed ? s->fixed->n_train / s->n_train_files : 0,
                 left = t->n_train - at;
        if (!s->fixed)
            TRY(count_one(s, spec, i, &n_file, err));
        uint32_t n = left < n_file ? left : n_file;
        TRY(read_one(s, spec, i, t, n_file, n, at, err));
        at += n;
    }
    uint32_t n_test = s->fixed ? s->fixed->n_test : 0;
    return read_one(s, spec, s->n_train_files, t, n_test, t->n_test, t->n_train, err);
}

int cifar_source_layout(const struct data_source *s, const struct data_spec *spec,
                        struct data_layout *ret, struct error *err)
{
    struct data_layout l = {.n_classes = s->label_bytes == 1 ? 10 : 100, .shape = {3, 32, 32}};
    uint64_t n = 0;
    for (unsigned i = 0; i <= s->n_train_files; i++) {
        uint32_t n_file = 0;
        TRY(count_one(s, spec, i, &n_file, err));
        if (i < s->n_train_files)
            n += n_file;
        else
            l.n_test = n_file;
    }
    if (n > INT32_MAX)
        return error_set(err, ERR_INVALID, "%s: more than 2147483647 images", spec->dir);
    l.n_train = (uint32_t)n;
    l.default_train = l.n_train;
    l.default_test = l.n_test;
    *ret = l;
    return 0;
}
