/* files_attack.c: example attacks on images and a model in files. */
#include "files_attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "model_file.h"
#include "npy.h"
#include "robust_values.h"
#include "task.h"

int files_plugin(struct files_job *job, struct hosting *h, struct error *err)
{
    const json_t *plugin = json_object_get(job->json, "plugin");
    const char *path;
    json_int_t seed;
    TRY(json_get_int(job->json, job->path, "seed", &seed, err));
    TRY(json_get_string(plugin, job->path, "path", &path, err));
    TRY(json_get_string(plugin, job->path, "id", &h->plugin_id, err));
    h->params = json_object_get(plugin, "params");
    h->seed = task_seed("attack", seed);
    h->par = job->par;
    h->events = job->events;
    return plugin_open(path, &h->file, err);
}

/* What an attack on files works with. */
struct perturb_files {
    struct file_images images;
    struct arch *arch;
    struct model *model;
    int32_t *y, *targets; /* targets: NULL when untargeted */
    float *x;             /* (n, C, H, W), clean */
    struct adversarial set;
};

static void perturb_files_release(struct perturb_files *f)
{
    adversarial_release(&f->set);
    free(f->x);
    free(f->y);
    free(f->targets);
    model_free(f->model);
    arch_free(f->arch);
    file_images_release(&f->images);
}

static size_t pixels(const struct perturb_files *f)
{
    return (size_t)f->images.shape[0] * f->images.shape[1] * f->images.shape[2];
}

/* A float32 copy of the images, whatever the file holds. */
static int copy_images(struct perturb_files *f, struct error *err)
{
    struct arena *arena = arena_new();
    uint32_t *rows = malloc((f->images.n + 1u) * sizeof(*rows));
    f->x = malloc((f->images.n * pixels(f) + 1) * sizeof(*f->x));
    const struct view *view = arena ? file_images_view(arena, &f->images, f->y) : NULL;
    int rc = view && rows && f->x ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < f->images.n; i++)
        rows[i] = i;
    if (rc == 0)
        view_fill(view, rows, f->images.n, 0, 0, false, f->x, NULL, NULL);
    arena_free(arena);
    free(rows);
    return rc;
}

static int load(struct files_job *job, struct perturb_files *f, struct error *err)
{
    const char *model = files_text(job, "model", err), *labels = files_text(job, "labels", err);
    if (!model || !labels)
        return err->code;
    TRY(files_model(job, &f->arch, &f->model, err));
    TRY(model_load_into(f->model, model, err));
    TRY(files_images(job, &f->images, err));
    TRY(file_labels_read(labels, &f->images, &f->y, err));
    TRY(file_labels_check(labels, f->y, f->images.n, f->arch->classes, err));
    const char *targets = json_string_value(json_object_get(job->json, "targets"));
    if (targets) {
        TRY(file_labels_read(targets, &f->images, &f->targets, err));
        TRY(file_labels_check(targets, f->targets, f->images.n, f->arch->classes, err));
    }
    return copy_images(f, err);
}

static int write_table(const struct perturb_files *f, const char *path, struct error *err)
{
    static const char *const header[] = {"sample", "label", "clean_pred", "adv_pred", "found",
                                         "radius", "l2",    "linf",       "steps"};
    const struct adversarial *a = &f->set;
    struct csv_writer w;
    csv_writer_init(&w);
    for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
        csv_cell(&w, header[i]);
    csv_end_row(&w);
    for (uint32_t i = 0; i < a->n; i++) {
        csv_cell_int(&w, i);
        csv_cell_int(&w, f->y[i]);
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

static int write_labels(const struct perturb_files *f, const char *path, struct error *err)
{
    size_t dim[1] = {f->set.n};
    int64_t *wide = malloc((f->set.n + 1u) * sizeof(*wide));
    if (!wide)
        return error_nomem(err);
    for (uint32_t i = 0; i < f->set.n; i++)
        wide[i] = f->set.label[i];
    int rc = npy_write(path, NPY_I64, 1, dim, wide, err);
    free(wide);
    return rc;
}

static int write_set(const struct perturb_files *f, const char *dir, struct error *err)
{
    size_t dim[4] = {f->set.n, f->images.shape[0], f->images.shape[1], f->images.shape[2]};
    char *images = fs_join(dir, "adversarial.npy"), *labels = fs_join(dir, "labels.npy");
    char *table = fs_join(dir, "perturbation.csv");
    int rc = images && labels && table ? fs_mkdirs(dir, err) : error_nomem(err);
    if (rc == 0)
        rc = npy_write(images, NPY_F32, 4, dim, f->set.x, err);
    if (rc == 0)
        rc = write_labels(f, labels, err);
    if (rc == 0)
        rc = write_table(f, table, err);
    free(images);
    free(labels);
    free(table);
    return rc;
}

static int fill_result(struct files_job *job, const struct perturb_files *f, struct error *err)
{
    const struct adversarial *a = &f->set;
    struct robust_counts k;
    robust_count(a, f->y, &k);
    json_t *o = json_pack(
        "{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I}", "n", (json_int_t)a->n, "found",
        (json_int_t)k.found, "accuracy_clean", json_number_or_null(robust_clean_acc(&k)),
        "accuracy_adversarial", json_number_or_null(robust_acc_raw(&k)), "robust_acc_cond",
        json_number_or_null(robust_acc_cond(&k)), "robust_acc_raw",
        json_number_or_null(robust_acc_raw(&k)), "mean_l2", json_number_or_null(k.l2 / a->n),
        "mean_linf", json_number_or_null(k.linf / a->n), "forward",
        (json_int_t)a->cost.attack_forward, "backward", (json_int_t)a->cost.attack_backward);
    int rc = o && json_object_update(job->result, o) == 0 ? 0 : error_nomem(err);
    json_decref(o);
    return rc;
}

int files_perturb(struct files_job *job, struct error *err)
{
    struct perturb_files f = {0};
    struct hosting h = {0};
    const char *out = json_string_value(json_object_get(job->json, "out"));
    int rc = load(job, &f, err);
    if (rc == 0)
        rc = files_plugin(job, &h, err);
    h.targets = f.targets;
    if (rc == 0)
        rc = hosting_perturb(&h, f.model, f.x, f.y, NULL, f.images.n, &f.set, err);
    if (rc == 0 && out)
        rc = write_set(&f, out, err);
    if (rc == 0)
        rc = fill_result(job, &f, err);
    perturb_files_release(&f);
    return rc;
}
