/* Reading and writing what tasks hand to each other: meters, adversarial sets. */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "npy.h"
#include "task.h"
#include "text.h"

int meters_save(const struct meters *m, const char *path, struct error *err)
{
    json_t *o = json_object();
    int bad = !o;
#define METERS_X(name)                                                                             \
    bad = bad || json_object_set_new(o, #name, json_integer((json_int_t)m->name)) != 0;
    METERS_MAP(METERS_X)
#undef METERS_X
    int rc = bad ? error_nomem(err) : json_write_file(path, o, err);
    json_decref(o);
    return rc;
}

int meters_load(const char *path, struct meters *ret, struct error *err)
{
    json_t *o = NULL;
    TRY(json_read_file(path, &o, err));
    struct meters m = {0};
#define METERS_X(name) m.name = (uint64_t)json_integer_value(json_object_get(o, #name));
    METERS_MAP(METERS_X)
#undef METERS_X
    json_decref(o);
    *ret = m;
    return 0;
}

/* ---- adversarial sets: adversarial.npy, labels.npy, perturbation.csv, meters.json ---- */

static const char *const columns[] = {"sample", "label", "clean_pred", "adv_pred", "found",
                                      "radius", "l2",    "linf",       "steps",    NULL};

static int save_table(const struct adversarial *a, const uint32_t *ids, const int32_t *y,
                      const char *path, struct error *err)
{
    struct csv_writer w;
    csv_writer_init(&w);
    for (size_t i = 0; columns[i]; i++)
        csv_cell(&w, columns[i]);
    csv_end_row(&w);
    for (uint32_t i = 0; i < a->n; i++) {
        csv_cell_int(&w, ids[i]);
        csv_cell_int(&w, y[i]);
        csv_cell_int(&w, a->clean_pred[i]);
        csv_cell_int(&w, a->label[i]);
        csv_cell_int(&w, a->found[i]);
        csv_cell_double(&w, (double)a->radius[i]);
        csv_cell_double(&w, (double)a->l2[i]);
        csv_cell_double(&w, (double)a->linf[i]);
        csv_cell_int(&w, a->steps[i]);
        csv_end_row(&w);
    }
    int rc = csv_writer_save(&w, path, err);
    csv_writer_release(&w);
    return rc;
}

static int save_labels(const struct adversarial *a, const char *path, struct error *err)
{
    size_t dim[1] = {a->n};
    int64_t *labels = malloc((a->n + 1) * sizeof(*labels));
    if (!labels)
        return error_nomem(err);
    for (uint32_t i = 0; i < a->n; i++)
        labels[i] = a->label[i];
    int rc = npy_write(path, NPY_I64, 1, dim, labels, err);
    free(labels);
    return rc;
}

int adversarial_save(const struct adversarial *a, const struct dataset *ds, const uint32_t *ids,
                     const int32_t *y, bool images_too, const char *dir, struct error *err)
{
    size_t dim[4] = {a->n, ds->channels, ds->height, ds->width};
    char *images = fs_join(dir, "adversarial.npy"), *labels = fs_join(dir, "labels.npy");
    char *table = fs_join(dir, "perturbation.csv"), *meters = fs_join(dir, "meters.json");
    int rc = images && labels && table && meters ? 0 : error_nomem(err);
    if (rc == 0 && images_too)
        rc = npy_write(images, NPY_F32, 4, dim, a->x, err);
    if (rc == 0)
        rc = save_labels(a, labels, err);
    if (rc == 0)
        rc = save_table(a, ids, y, table, err);
    if (rc == 0)
        rc = meters_save(&a->cost, meters, err);
    free(images);
    free(labels);
    free(table);
    free(meters);
    return rc;
}

static int alloc_adversarial(struct adversarial *a, uint32_t n, size_t n_floats, struct error *err)
{
    a->n = n;
    a->x = malloc((n_floats + 1) * sizeof(*a->x));
    a->label = calloc(n + 1u, sizeof(*a->label));
    a->clean_pred = calloc(n + 1u, sizeof(*a->clean_pred));
    a->found = calloc(n + 1u, sizeof(*a->found));
    a->radius = calloc(n + 1u, sizeof(*a->radius));
    a->l2 = calloc(n + 1u, sizeof(*a->l2));
    a->linf = calloc(n + 1u, sizeof(*a->linf));
    a->steps = calloc(n + 1u, sizeof(*a->steps));
    bool ok =
        a->x && a->label && a->clean_pred && a->found && a->radius && a->l2 && a->linf && a->steps;
    return ok ? 0 : error_nomem(err);
}

static int read_row(const char *path, char **cell, uint32_t i, struct adversarial *a,
                    struct error *err)
{
    int64_t label, clean, found, steps;
    double radius, l2, linf;
    if (!text_to_int(cell[2], &clean) || !text_to_int(cell[3], &label) ||
        !text_to_int(cell[4], &found) || !text_to_real(cell[5], &radius) ||
        !text_to_real(cell[6], &l2) || !text_to_real(cell[7], &linf) ||
        !text_to_int(cell[8], &steps))
        return error_set(err, ERR_INVALID, "%s:%u: a cell is not a number", path, i + 2);
    a->clean_pred[i] = (int32_t)clean;
    a->label[i] = (int32_t)label;
    a->found[i] = (uint8_t)found;
    a->radius[i] = (float)radius;
    a->l2[i] = (float)l2;
    a->linf[i] = (float)linf;
    a->steps[i] = (uint32_t)steps;
    return 0;
}

static int load_table(const char *path, struct adversarial *a, struct error *err)
{
    struct csv_table t;
    TRY(csv_read(path, (size_t)1 << 30, &t, err));
    int rc = t.n_rows == a->n && t.n_cols == 9
                 ? 0
                 : error_set(err, ERR_INVALID, "%s: %zu rows of %zu cells, expected %u of 9", path,
                             t.n_rows, t.n_cols, a->n);
    for (uint32_t i = 0; rc == 0 && i < a->n; i++)
        rc = read_row(path, t.row[i], i, a, err);
    csv_release(&t);
    return rc;
}

int adversarial_load(const char *dir, struct adversarial *ret, struct error *err)
{
    struct adversarial a = {0};
    struct npy images = {0};
    char *path = fs_join(dir, "adversarial.npy"), *table = fs_join(dir, "perturbation.csv");
    char *meters = fs_join(dir, "meters.json");
    int rc = path && table && meters ? npy_open(path, &images, err) : error_nomem(err);
    if (rc == 0) {
        if (images.n_dim != 4 || images.dim[0] > UINT32_MAX)
            rc = error_set(err, ERR_INVALID, "%s: expected four dimensions", path);
        if (rc == 0)
            rc = alloc_adversarial(&a, (uint32_t)images.dim[0], images.n, err);
        if (rc == 0)
            rc = npy_to_f32(&images, a.x, err);
        npy_release(&images);
    }
    if (rc == 0)
        rc = load_table(table, &a, err);
    if (rc == 0)
        rc = meters_load(meters, &a.cost, err);
    free(path);
    free(table);
    free(meters);
    if (rc < 0) {
        adversarial_release(&a);
        return rc;
    }
    *ret = a;
    return 0;
}
