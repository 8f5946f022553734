/* idx_source.c: data sets of four IDX files, as MNIST and Fashion-MNIST come. Images are (N, H, W)
 * or, in colour, (N, C, H, W). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "idx.h"

/* Dimension by dimension, as far as `want` says more than 0. */
static int check_shape(const char *path, const struct idx_array *a, const uint32_t *want,
                       struct error *err)
{
    for (uint32_t i = 0; i < a->n_dim; i++)
        if (a->dim[i] != want[i])
            return error_set(err, ERR_INVALID,
                             "%s: its dimension %" PRIu32 " is %" PRIu32 ", expected %" PRIu32,
                             path, i, a->dim[i], want[i]);
    return 0;
}

static int check_labels(const char *path, const struct idx_array *a, uint32_t n_classes,
                        struct error *err)
{
    for (uint32_t i = 0; i < a->dim[0]; i++)
        if (a->bytes[i] >= n_classes)
            return error_set(err, ERR_INVALID,
                             "%s: label %" PRIu32 " is %u, expected 0 to %" PRIu32, path, i,
                             a->bytes[i], n_classes - 1);
    return 0;
}

/* Labels against n_classes when want is given; want (n_dim) NULL: anything goes. */
static int read_file(const struct data_source *s, const struct data_spec *spec, enum data_file file,
                     uint32_t n_dim, const uint32_t *want, uint32_t n_classes,
                     struct idx_array *ret, struct error *err)
{
    char *path = data_source_file(s, spec, file, err);
    if (!path)
        return err && err->code ? err->code : ERR_ENVIRONMENT;
    struct idx_array a = {0};
    int rc = idx_read(path, n_dim, 0, &a, err);
    if (rc == 0 && want)
        rc = check_shape(path, &a, want, err);
    if (rc == 0 && want && n_dim == 1)
        rc = check_labels(path, &a, n_classes, err);
    free(path);
    if (rc < 0) {
        idx_release(&a);
        return data_source_damaged(s, err);
    }
    *ret = a;
    return 0;
}

/* One half of the pool: the first n images and labels. */
static int read_half(const struct data_source *s, const struct data_spec *spec,
                     const struct data_layout *l, enum data_file images, uint32_t n_file,
                     uint32_t n, uint8_t *pixels_out, int32_t *labels_out, struct error *err)
{
    const uint32_t grey[3] = {n_file, l->shape[1], l->shape[2]};
    const uint32_t colour[4] = {n_file, l->shape[0], l->shape[1], l->shape[2]};
    const bool one = l->shape[0] == 1;
    size_t n_pixels = (size_t)l->shape[0] * l->shape[1] * l->shape[2];
    struct idx_array a = {0};
    TRY(read_file(s, spec, images, one ? 3 : 4, one ? grey : colour, 0, &a, err));
    memcpy(pixels_out, a.bytes, n * n_pixels);
    idx_release(&a);
    TRY(read_file(s, spec, images + 1, 1, grey, l->n_classes, &a, err));
    for (uint32_t i = 0; i < n; i++)
        labels_out[i] = a.bytes[i];
    idx_release(&a);
    return 0;
}

int idx_source_read(const struct data_source *s, const struct data_spec *spec,
                    struct data_target *t, struct error *err)
{
    const struct data_layout *l = t->layout;
    size_t n_pixels = (size_t)l->shape[0] * l->shape[1] * l->shape[2];
    TRY(read_half(s, spec, l, TRAIN_IMAGES, l->n_train, t->n_train, t->pixels, t->labels, err));
    return read_half(s, spec, l, TEST_IMAGES, l->n_test, t->n_test,
                     t->pixels + t->n_train * n_pixels, t->labels + t->n_train, err);
}

static int peek(const struct data_source *s, const struct data_spec *spec, enum data_file file,
                uint32_t ret_shape[4], struct error *err)
{
    struct idx_array a = {0};
    char *path = data_source_file(s, spec, file, err);
    if (!path)
        return err && err->code ? err->code : ERR_INVALID;
    int rc = idx_peek(path, &a, err);
    if (rc == 0 && a.n_dim < 3)
        rc = error_set(err, ERR_INVALID, "%s: %" PRIu32 " dimensions, expected images of 3 or 4",
                       path, a.n_dim);
    if (rc == 0 && (a.dim[0] == 0 || a.dim[0] > INT32_MAX))
        rc = error_set(err, ERR_INVALID, "%s: %" PRIu32 " images", path, a.dim[0]);
    for (uint32_t i = 1; i < a.n_dim && rc == 0; i++)
        if (a.dim[i] < 1 || a.dim[i] > 4096)
            rc = error_set(err, ERR_INVALID,
                           "%s: its dimension %" PRIu32 " is %" PRIu32 ", expected 1 to 4096", path,
                           i, a.dim[i]);
    free(path);
    TRY(rc);
    ret_shape[0] = a.dim[0];
    ret_shape[1] = a.n_dim == 4 ? a.dim[1] : 1;
    memcpy(ret_shape + 2, a.dim + a.n_dim - 2, 2 * sizeof *a.dim);
    return 0;
}

static int largest_label(const struct data_source *s, const struct data_spec *spec,
                         enum data_file file, uint32_t *most, struct error *err)
{
    struct idx_array a = {0};
    TRY(read_file(s, spec, file, 1, NULL, 0, &a, err));
    for (uint32_t i = 0; i < a.dim[0]; i++)
        *most = a.bytes[i] > *most ? a.bytes[i] : *most;
    idx_release(&a);
    return 0;
}

int idx_source_layout(const struct data_source *s, const struct data_spec *spec,
                      struct data_layout *ret, struct error *err)
{
    uint32_t train[4], test[4], most = 1;
    TRY(peek(s, spec, TRAIN_IMAGES, train, err));
    TRY(peek(s, spec, TEST_IMAGES, test, err));
    if (memcmp(train + 1, test + 1, 3 * sizeof *train) != 0)
        return error_set(err, ERR_INVALID,
                         "%s: training images are %" PRIu32 "x%" PRIu32 "x%" PRIu32
                         ", test images %" PRIu32 "x%" PRIu32 "x%" PRIu32,
                         spec->dir, train[1], train[2], train[3], test[1], test[2], test[3]);
    TRY(largest_label(s, spec, TRAIN_LABELS, &most, err));
    TRY(largest_label(s, spec, TEST_LABELS, &most, err));
    *ret = (struct data_layout){.n_train = train[0],
                                .n_test = test[0],
                                .default_train = train[0],
                                .default_test = test[0],
                                .n_classes = most + 1};
    memcpy(ret->shape, train + 1, sizeof ret->shape);
    return 0;
}
