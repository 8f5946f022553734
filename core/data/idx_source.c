/* idx_source.c: data sets of four IDX files, as MNIST and Fashion-MNIST come. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "idx.h"

/* A damaged file is the machine's trouble, and the package its cure. */
static int damaged(const struct data_source *s, struct error *err)
{
    char why[sizeof err->text];
    if (!err)
        return ERR_ENVIRONMENT;
    if (err->code == ERR_NOMEM)
        return ERR_NOMEM;
    memcpy(why, err->text, sizeof why);
    return error_set(err, ERR_ENVIRONMENT, "%s; install it anew: apt-get install --reinstall %s",
                     why, s->package);
}

static int read_file(const struct data_source *s, enum data_file file, uint32_t n_dim,
                     const uint32_t *want, struct idx_array *ret, struct error *err)
{
    char *path = data_source_file(s, file, err);
    if (!path)
        return err && err->code ? err->code : ERR_ENVIRONMENT;
    struct idx_array a = {0};
    int rc = idx_read(path, n_dim, 0, &a, err);
    for (uint32_t i = 0; i < n_dim && rc == 0; i++)
        if (a.dim[i] != want[i])
            rc = error_set(err, ERR_INVALID,
                           "%s: its dimension %" PRIu32 " is %" PRIu32 ", expected %" PRIu32, path,
                           i, a.dim[i], want[i]);
    for (uint32_t i = 0; i < a.dim[0] && rc == 0 && n_dim == 1; i++)
        if (a.bytes[i] >= s->n_classes)
            rc = error_set(err, ERR_INVALID, "%s: label %" PRIu32 " is %u, expected 0 to %" PRIu32,
                           path, i, a.bytes[i], s->n_classes - 1);
    if (rc < 0) {
        rc = damaged(s, err);
        idx_release(&a);
    } else
        *ret = a;
    free(path);
    return rc;
}

/* One half of the pool: the first n images and labels. */
static int read_half(const struct data_source *s, enum data_file images, enum data_file labels,
                     uint32_t n_file, uint32_t n, uint8_t *pixels_out, int32_t *labels_out,
                     struct error *err)
{
    const uint32_t want[3] = {n_file, s->shape[1], s->shape[2]};
    size_t n_pixels = (size_t)s->shape[1] * s->shape[2];
    struct idx_array a = {0};
    TRY(read_file(s, images, 3, want, &a, err));
    memcpy(pixels_out, a.bytes, n * n_pixels);
    idx_release(&a);
    TRY(read_file(s, labels, 1, want, &a, err));
    for (uint32_t i = 0; i < n; i++)
        labels_out[i] = a.bytes[i];
    idx_release(&a);
    return 0;
}

int idx_source_read(const struct data_source *s, const struct data_spec *spec, struct dataset *ds,
                    uint8_t *pixels, int32_t *labels, struct error *err)
{
    size_t n_pixels = (size_t)s->shape[1] * s->shape[2];
    TRY(read_half(s, TRAIN_IMAGES, TRAIN_LABELS, s->n_train, ds->n_train, pixels, labels, err));
    return read_half(s, TEST_IMAGES, TEST_LABELS, s->n_test, ds->n_test,
                     pixels + ds->n_train * n_pixels, labels + ds->n_train, err);
}
