/* dataset.c: labelled images in memory and as a folder of the store. */
#include "dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "fs.h"
#include "npy.h"

/* What a data set's pointers point into: its own memory, or two maps. */
struct owner {
    uint8_t *pixels;
    float *reals;
    int32_t *labels;
    struct npy image_map, label_map;
};

static struct dataset *dataset_new(void)
{
    struct dataset *ds = calloc(1, sizeof *ds);
    struct owner *o = calloc(1, sizeof *o);
    if (!ds || !o) {
        free(ds);
        free(o);
        return NULL;
    }
    ds->owner = o;
    return ds;
}

void dataset_free(struct dataset *ds)
{
    if (!ds)
        return;
    struct owner *o = ds->owner;
    free(o->pixels);
    free(o->reals);
    free(o->labels);
    npy_release(&o->image_map);
    npy_release(&o->label_map);
    free(o);
    free(ds);
}

static void set_shape(struct dataset *ds, const uint32_t shape[3])
{
    ds->channels = shape[0];
    ds->height = shape[1];
    ds->width = shape[2];
}

/* Readers put held-out samples behind the training samples; they move behind the test samples. */
static void rotate(void *begin, size_t n_first, size_t n_second, size_t size, void *spare)
{
    char *at = begin;
    memcpy(spare, at, n_first * size);
    memmove(at, at + n_first * size, n_second * size);
    memcpy(at + n_second * size, spare, n_first * size);
}

static int hold_out(struct dataset *ds, uint32_t n, struct error *err)
{
    size_t at = ds->n_train -= n; /* in samples */
    size_t pixels = (size_t)ds->channels * ds->height * ds->width;
    size_t size = pixels * (ds->reals ? sizeof *ds->reals : 1);
    struct owner *o = ds->owner;
    void *spare = n ? malloc(n * (size > sizeof *o->labels ? size : sizeof *o->labels)) : NULL;
    if (n && !spare)
        return error_nomem(err);
    ds->n_validation = n;
    if (n) {
        rotate(ds->reals ? (char *)(o->reals + at * pixels) : (char *)(o->pixels + at * pixels), n,
               ds->n_test, size, spare);
        rotate(o->labels + at, n, ds->n_test, sizeof *o->labels, spare);
    }
    free(spare);
    return 0;
}

/* Room for n samples of the layout, and where a reader puts them. */
static int make_room(struct dataset *ds, const struct data_layout *l, struct data_target *t,
                     struct error *err)
{
    struct owner *o = ds->owner;
    size_t n = (size_t)t->n_train + t->n_test;
    size_t n_pixels = (size_t)l->shape[0] * l->shape[1] * l->shape[2], bytes;
    if (__builtin_mul_overflow(n, n_pixels * (l->real ? sizeof *o->reals : 1), &bytes))
        return error_set(err, ERR_INVALID, "the images are larger than memory");
    if (l->real)
        ds->reals = t->reals = o->reals = malloc(bytes);
    else
        ds->pixels = t->pixels = o->pixels = malloc(bytes);
    ds->labels = t->labels = o->labels = malloc(n * sizeof *o->labels);
    ds->n_train = t->n_train;
    ds->n_test = t->n_test;
    ds->n_classes = l->n_classes;
    set_shape(ds, l->shape);
    return (t->reals || t->pixels) && t->labels ? 0 : error_nomem(err);
}

int dataset_read(const struct data_spec *spec, struct dataset **ret, struct error *err)
{
    const struct data_source *s;
    struct data_layout layout;
    struct data_target target = {.layout = &layout};
    TRY(data_source_of(spec, &s, err));
    TRY(data_source_layout(s, spec, &layout, err));
    TRY(data_spec_counts(spec, &target.n_train, &target.n_test, err));
    struct dataset *ds = dataset_new();
    if (!ds)
        return error_nomem(err);
    target.n_train += spec->validation;
    int rc = make_room(ds, &layout, &target, err);
    if (rc == 0)
        rc = s->read(s, spec, &target, err);
    if (rc == 0)
        rc = hold_out(ds, spec->validation, err);
    if (rc < 0)
        dataset_free(ds);
    else
        *ret = ds;
    return rc;
}

static int save_info(const struct dataset *ds, const char *dir, struct error *err)
{
    char *path = fs_join(dir, "info.json");
    json_t *info = json_pack("{s:i,s:i,s:i,s:i}", "format", 1, "n_train", (int)ds->n_train,
                             "n_test", (int)ds->n_test, "n_classes", (int)ds->n_classes);
    bool bad = !info || (ds->n_validation &&
                         json_object_set_new(info, "n_validation", json_integer(ds->n_validation)));
    int rc = path && !bad ? json_write_file(path, info, err) : error_nomem(err);
    json_decref(info);
    free(path);
    return rc;
}

int dataset_save(const struct dataset *ds, const char *dir, struct error *err)
{
    const size_t n = (size_t)ds->n_train + ds->n_test + ds->n_validation;
    const size_t dim[4] = {n, ds->channels, ds->height, ds->width};
    char *images = fs_join(dir, "images.npy"), *labels = fs_join(dir, "labels.npy");
    int rc = images && labels ? fs_mkdirs(dir, err) : error_nomem(err);
    if (rc == 0)
        rc = ds->reals ? npy_write(images, NPY_F32, 4, dim, ds->reals, err)
                       : npy_write(images, NPY_U8, 4, dim, ds->pixels, err);
    if (rc == 0)
        rc = npy_write(labels, NPY_I32, 1, dim, ds->labels, err);
    if (rc == 0)
        rc = save_info(ds, dir, err);
    free(images);
    free(labels);
    return rc;
}

static int load_info(const char *path, struct dataset *ds, struct error *err)
{
    json_t *info = NULL;
    json_int_t v[5] = {0};
    static const char *const keys[5] = {"format", "n_train", "n_test", "n_classes", "n_validation"};
    TRY(json_read_file(path, &info, err));
    int rc = 0;
    for (int i = 0; i < 4 && rc == 0; i++)
        rc = json_get_int(info, path, keys[i], &v[i], err);
    if (rc == 0 && json_object_get(info, keys[4]))
        rc = json_get_int(info, path, keys[4], &v[4], err);
    json_decref(info);
    TRY(rc);
    for (int i = 1; i < 5; i++)
        if (v[i] < 0 || v[i] > INT32_MAX)
            return error_set(err, ERR_INVALID, "%s: %s is out of range", path, keys[i]);
    if (v[0] != 1)
        return error_set(err, ERR_INVALID, "%s: format %" JSON_INTEGER_FORMAT " is not supported",
                         path, v[0]);
    ds->n_train = (uint32_t)v[1];
    ds->n_test = (uint32_t)v[2];
    ds->n_classes = (uint32_t)v[3];
    ds->n_validation = (uint32_t)v[4];
    return 0;
}

/* Types, shapes and labels must agree with info.json. */
static int check_maps(const char *dir, struct dataset *ds, const struct owner *o, struct error *err)
{
    const struct npy *x = &o->image_map, *y = &o->label_map;
    size_t n = (size_t)ds->n_train + ds->n_test + ds->n_validation;
    if ((x->type != NPY_U8 && x->type != NPY_F32) || x->n_dim != 4 || x->dim[0] != n ||
        x->dim[1] > UINT16_MAX || x->dim[2] > UINT16_MAX || x->dim[3] > UINT16_MAX)
        return error_set(err, ERR_INVALID, "%s/images.npy: does not fit info.json", dir);
    if (y->type != NPY_I32 || y->n_dim != 1 || y->dim[0] != n)
        return error_set(err, ERR_INVALID, "%s/labels.npy: does not fit info.json", dir);
    if (x->type == NPY_U8)
        ds->pixels = x->bytes;
    else
        ds->reals = x->bytes;
    ds->labels = y->bytes;
    for (size_t i = 0; i < n; i++)
        if (ds->labels[i] < 0 || (uint32_t)ds->labels[i] >= ds->n_classes)
            return error_set(err, ERR_INVALID,
                             "%s/labels.npy: label %zu is %" PRId32 ", expected 0 to %" PRIu32, dir,
                             i, ds->labels[i], ds->n_classes - 1);
    const uint32_t shape[3] = {(uint32_t)x->dim[1], (uint32_t)x->dim[2], (uint32_t)x->dim[3]};
    set_shape(ds, shape);
    return 0;
}

int dataset_map(const char *dir, struct dataset **ret, struct error *err)
{
    struct dataset *ds = dataset_new();
    char *info = fs_join(dir, "info.json"), *images = fs_join(dir, "images.npy"),
         *labels = fs_join(dir, "labels.npy");
    int rc = ds && info && images && labels ? load_info(info, ds, err) : error_nomem(err);
    struct owner *o = ds ? ds->owner : NULL;
    if (rc == 0)
        rc = npy_open(images, &o->image_map, err);
    if (rc == 0)
        rc = npy_open(labels, &o->label_map, err);
    if (rc == 0)
        rc = check_maps(dir, ds, o, err);
    free(info);
    free(images);
    free(labels);
    if (rc < 0)
        dataset_free(ds);
    else
        *ret = ds;
    return rc;
}
