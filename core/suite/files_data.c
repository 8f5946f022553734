#include "files_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "strbuf.h"

enum { MAX_SIDE = 4096, MAX_CHANNELS = 4096 };

/* "(60000, 28, 28)" */
static void add_shape(struct strbuf *out, const struct npy *a)
{
    strbuf_addc(out, '(');
    for (uint32_t d = 0; d < a->n_dim; d++)
        strbuf_addf(out, d ? ", %zu" : "%zu", a->dim[d]);
    strbuf_addc(out, ')');
}

static int wrong_shape(const char *path, const struct npy *a, const char *want, const char *cure,
                       struct error *err)
{
    struct strbuf found;
    strbuf_init(&found);
    add_shape(&found, a);
    int rc = error_set(err, ERR_INVALID, "%s: shape %s, expected %s%s", path, found.s, want, cure);
    strbuf_release(&found);
    return rc;
}

static int check_shape(const char *path, const struct npy *a, struct error *err)
{
    static const char want[] = "(N, C, H, W)";
    if (a->n_dim == 3)
        return wrong_shape(path, a, want, "; images of one channel are x[:, None]", err);
    if (a->n_dim != 4)
        return wrong_shape(path, a, want, "", err);
    if (a->n == 0 || a->dim[0] > INT32_MAX)
        return wrong_shape(path, a, want, " with 1 to 2147483647 images", err);
    if (a->dim[1] > MAX_CHANNELS || a->dim[2] > MAX_SIDE || a->dim[3] > MAX_SIDE)
        return wrong_shape(path, a, want,
                           " with C, H and W of at most 4096; NumPy images with channels last are "
                           "x.transpose(0, 3, 1, 2)",
                           err);
    return 0;
}

int file_images_open(const char *path, struct file_images *ret, struct error *err)
{
    struct file_images im = {.path = path};
    TRY(npy_open(path, &im.npy, err));
    enum npy_type type = im.npy.type;
    int rc = check_shape(path, &im.npy, err);
    if (rc == 0 && type != NPY_U8 && type != NPY_F32 && type != NPY_F64)
        rc =
            error_set(err, ERR_INVALID,
                      "%s: numbers of type \"%s\", expected float32 or float64 in [0, 1], or uint8",
                      path, npy_type_name(type));
    if (rc < 0) {
        npy_release(&im.npy);
        return rc;
    }
    im.n = (uint32_t)im.npy.dim[0];
    for (int d = 0; d < 3; d++)
        im.shape[d] = (uint32_t)im.npy.dim[d + 1];
    *ret = im;
    return 0;
}

void file_images_release(struct file_images *im)
{
    free(im->converted);
    npy_release(&im->npy);
    im->converted = NULL;
}

static int bad_value(const struct file_images *im, size_t at, double v, struct error *err)
{
    size_t w = im->shape[2], h = im->shape[1], c = im->shape[0];
    return error_set(err, ERR_INVALID,
                     "%s: image %zu, channel %zu, row %zu, column %zu is %s; expected numbers in "
                     "[0, 1]",
                     im->path, at / (w * h * c), at / (w * h) % c, at / w % h, at % w,
                     isnan(v) ? "NaN"
                     : v > 0  ? "infinite"
                              : "minus infinity");
}

static int check_floats(struct file_images *im, const float *x, struct error *err)
{
    float lowest = INFINITY, highest = -INFINITY;
    for (size_t i = 0; i < im->npy.n; i++) {
        if (!isfinite(x[i]))
            return bad_value(im, i, (double)x[i], err);
        lowest = x[i] < lowest ? x[i] : lowest;
        highest = x[i] > highest ? x[i] : highest;
    }
    im->lowest = lowest;
    im->highest = highest;
    return 0;
}

static int convert(struct file_images *im, struct error *err)
{
    const double *x = im->npy.bytes;
    im->converted = malloc(im->npy.n * sizeof(*im->converted));
    if (!im->converted)
        return error_nomem(err);
    for (size_t i = 0; i < im->npy.n; i++) {
        if (!isfinite(x[i]))
            return bad_value(im, i, x[i], err);
        im->converted[i] = (float)x[i];
    }
    return check_floats(im, im->converted, err);
}

int file_images_check(struct file_images *im, struct error *err)
{
    if (im->npy.type == NPY_U8)
        return 0;
    return im->npy.type == NPY_F64 ? convert(im, err) : check_floats(im, im->npy.bytes, err);
}

static const struct view *bytes_view(struct arena *a, struct file_images *im, const int32_t *labels)
{
    uint32_t *rows = malloc(im->n * sizeof(*rows));
    if (!rows)
        return NULL;
    for (uint32_t i = 0; i < im->n; i++)
        rows[i] = i;
    im->bytes = (struct dataset){.n_train = im->n,
                                 .channels = im->shape[0],
                                 .height = im->shape[1],
                                 .width = im->shape[2],
                                 .pixels = im->npy.bytes,
                                 .labels = labels};
    const struct view *view = view_dataset(a, &im->bytes, rows, im->n);
    free(rows);
    return view;
}

const struct view *file_images_view(struct arena *a, struct file_images *im, const int32_t *labels)
{
    if (im->npy.type == NPY_U8)
        return bytes_view(a, im, labels);
    const float *x = im->converted ? im->converted : im->npy.bytes;
    return view_arrays(a, x, labels, im->n, im->shape);
}

int file_labels_read(const char *path, const struct file_images *im, int32_t **ret,
                     struct error *err)
{
    struct npy a;
    int32_t *labels = NULL;
    TRY(npy_open(path, &a, err));
    int rc = 0;
    if (a.n_dim != 1)
        rc = wrong_shape(path, &a, "(N)", "", err);
    else if (a.dim[0] != im->n)
        rc = error_set(err, ERR_INVALID, "%s: %zu labels, but %s holds %" PRIu32 " images", path,
                       a.dim[0], im->path, im->n);
    else if (!(labels = malloc(im->n * sizeof(*labels))))
        rc = error_nomem(err);
    if (rc == 0 && npy_to_i32(&a, labels, err) < 0)
        rc = error_prefix(err, "%s", path);
    npy_release(&a);
    if (rc < 0) {
        free(labels);
        return rc;
    }
    *ret = labels;
    return 0;
}

int file_labels_check(const char *path, const int32_t *labels, uint32_t n, uint32_t classes,
                      struct error *err)
{
    for (uint32_t i = 0; i < n; i++)
        if (labels[i] < 0 || (uint32_t)labels[i] >= classes)
            return error_set(err, ERR_INVALID,
                             "%s: label %" PRIu32 " is %" PRId32 ", expected 0 to %" PRIu32, path,
                             i, labels[i], classes - 1);
    return 0;
}
