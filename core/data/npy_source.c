/* npy_source.c: data sets of four .npy arrays: images (N, C, H, W) as uint8 (value / 255), uint16
 * (value / 65535), float32 or float64 in [0, 1]; labels (N) of any integer type. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "npy.h"
#include "strbuf.h"

enum { MAX_SIDE = 4096, MAX_CLASSES = 65536 };

static int wrong_shape(const char *path, const struct npy *a, const char *want, struct error *err)
{
    struct strbuf found;
    strbuf_init(&found);
    for (uint32_t d = 0; d < a->n_dim; d++)
        strbuf_addf(&found, d ? ", %zu" : "%zu", a->dim[d]);
    int rc = error_set(err, ERR_INVALID, "%s: shape (%s), expected %s", path, found.s, want);
    strbuf_release(&found);
    return rc;
}

static int check_images(const char *path, const struct npy *a, struct error *err)
{
    if (a->n_dim != 4)
        return wrong_shape(path, a,
                           a->n_dim == 3 ? "(N, C, H, W); images of one channel are x[:, None]"
                                         : "(N, C, H, W)",
                           err);
    if (a->n == 0 || a->dim[0] > INT32_MAX)
        return wrong_shape(path, a, "(N, C, H, W) with 1 to 2147483647 images", err);
    for (int i = 1; i < 4; i++)
        if (a->dim[i] > MAX_SIDE)
            return wrong_shape(path, a,
                               "(N, C, H, W) with C, H and W of at most 4096; images with channels "
                               "last are x.transpose(0, 3, 1, 2)",
                               err);
    if (a->type != NPY_U8 && a->type != NPY_U16 && a->type != NPY_F32 && a->type != NPY_F64)
        return error_set(err, ERR_INVALID,
                         "%s: numbers of type \"%s\", expected uint8, uint16, or float32 or "
                         "float64 in [0, 1]",
                         path, npy_type_name(a->type));
    return 0;
}

static int open_one(const struct data_source *s, const struct data_spec *spec, enum data_file file,
                    char **ret_path, struct npy *ret, struct error *err)
{
    struct npy a = {0};
    char *path = data_source_file(s, spec, file, err);
    if (!path)
        return err && err->code ? err->code : ERR_INVALID;
    int rc = npy_open(path, &a, err);
    if (rc == 0 && (file == TRAIN_IMAGES || file == TEST_IMAGES))
        rc = check_images(path, &a, err);
    else if (rc == 0 && a.n_dim != 1)
        rc = wrong_shape(path, &a, "(N)", err);
    if (rc < 0) {
        npy_release(&a);
        free(path);
        return rc;
    }
    *ret_path = path;
    *ret = a;
    return 0;
}

/* Labels 0..n_classes-1; malloc'd (n). */
static int read_labels(const struct data_source *s, const struct data_spec *spec,
                       enum data_file file, size_t n, uint32_t n_classes, int32_t **ret,
                       struct error *err)
{
    struct npy a;
    char *path = NULL;
    TRY(open_one(s, spec, file, &path, &a, err));
    int32_t *y = malloc((a.n + 1) * sizeof *y);
    int rc = y ? 0 : error_nomem(err);
    if (rc == 0 && a.n != n)
        rc = error_set(err, ERR_INVALID, "%s: %zu labels for %zu images", path, a.n, n);
    if (rc == 0 && npy_to_i32(&a, y, err) < 0)
        rc = error_prefix(err, "%s", path);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (y[i] < 0 || (uint32_t)y[i] >= n_classes)
            rc = error_set(err, ERR_INVALID, "%s: label %zu is %" PRId32 ", expected 0 to %" PRIu32,
                           path, i, y[i], n_classes - 1);
    npy_release(&a);
    free(path);
    if (rc < 0)
        free(y);
    else
        *ret = y;
    return rc;
}

/* Shape of one half's images and the largest label. */
static int look(const struct data_source *s, const struct data_spec *spec, enum data_file images,
                size_t ret_dim[4], bool *real, int32_t *most, struct error *err)
{
    struct npy a;
    char *path = NULL;
    int32_t *y = NULL;
    TRY(open_one(s, spec, images, &path, &a, err));
    memcpy(ret_dim, a.dim, 4 * sizeof *ret_dim);
    *real |= a.type != NPY_U8;
    npy_release(&a);
    free(path);
    uint32_t limit = spec->classes ? spec->classes : MAX_CLASSES;
    TRY(read_labels(s, spec, images + 1, ret_dim[0], limit, &y, err));
    for (size_t i = 0; i < ret_dim[0]; i++)
        *most = y[i] > *most ? y[i] : *most;
    free(y);
    return 0;
}

int npy_source_layout(const struct data_source *s, const struct data_spec *spec,
                      struct data_layout *ret, struct error *err)
{
    size_t train[4], test[4];
    int32_t most = 1; /* one class alone cannot be told from anything */
    struct data_layout l = {0};
    TRY(look(s, spec, TRAIN_IMAGES, train, &l.real, &most, err));
    TRY(look(s, spec, TEST_IMAGES, test, &l.real, &most, err));
    if (memcmp(train + 1, test + 1, 3 * sizeof *train) != 0)
        return error_set(err, ERR_INVALID,
                         "training images are %zux%zux%zu (channels, height, width), test images "
                         "%zux%zux%zu",
                         train[1], train[2], train[3], test[1], test[2], test[3]);
    l.n_train = l.default_train = (uint32_t)train[0];
    l.n_test = l.default_test = (uint32_t)test[0];
    l.n_classes = spec->classes ? spec->classes : (uint32_t)most + 1;
    for (int i = 0; i < 3; i++)
        l.shape[i] = (uint32_t)train[i + 1];
    *ret = l;
    return 0;
}

static double pixel(const struct npy *a, size_t i)
{
    switch (a->type) {
    case NPY_U8:
        return ((const uint8_t *)a->bytes)[i] / 255.0;
    case NPY_U16:
        return ((const uint16_t *)a->bytes)[i] / 65535.0;
    case NPY_F32:
        return (double)((const float *)a->bytes)[i];
    default:
        return ((const double *)a->bytes)[i];
    }
}

static int bad_pixel(const char *path, const struct npy *a, size_t at, double v, struct error *err)
{
    size_t c = a->dim[1], h = a->dim[2], w = a->dim[3];
    return error_set(err, ERR_INVALID,
                     "%s: image %zu, channel %zu, row %zu, column %zu is %g; expected numbers in "
                     "[0, 1] (save bytes as uint8, and normalise with a layer of the model: "
                     "normalize)",
                     path, at / (w * h * c), at / (w * h) % c, at / w % h, at % w, v);
}

/* u8 values become v / 255 as float, as bytes do when they are read. */
static int take_reals(const char *path, const struct npy *a, size_t n, float *out,
                      struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        double v = pixel(a, i);
        if (!(v >= 0 && v <= 1))
            return bad_pixel(path, a, i, v, err);
        out[i] = (float)v;
    }
    return 0;
}

static int read_half(const struct data_source *s, const struct data_spec *spec,
                     struct data_target *t, enum data_file images, uint32_t n_file, uint32_t n,
                     uint32_t at, struct error *err)
{
    const uint32_t *shape = t->layout->shape;
    size_t n_pixels = (size_t)shape[0] * shape[1] * shape[2];
    struct npy a;
    char *path = NULL;
    int32_t *y = NULL;
    TRY(open_one(s, spec, images, &path, &a, err));
    int rc = 0;
    if (a.n != n_file * n_pixels || (t->pixels && a.type != NPY_U8))
        rc = error_set(err, ERR_INVALID, "%s: changed while it was read", path);
    else if (t->pixels)
        memcpy(t->pixels + at * n_pixels, a.bytes, n * n_pixels);
    else
        rc = take_reals(path, &a, n * n_pixels, t->reals + at * n_pixels, err);
    npy_release(&a);
    free(path);
    TRY(rc);
    TRY(read_labels(s, spec, images + 1, n_file, t->layout->n_classes, &y, err));
    memcpy(t->labels + at, y, n * sizeof *y);
    free(y);
    return 0;
}

int npy_source_read(const struct data_source *s, const struct data_spec *spec,
                    struct data_target *t, struct error *err)
{
    const struct data_layout *l = t->layout;
    TRY(read_half(s, spec, t, TRAIN_IMAGES, l->n_train, t->n_train, 0, err));
    return read_half(s, spec, t, TEST_IMAGES, l->n_test, t->n_test, t->n_train, err);
}
