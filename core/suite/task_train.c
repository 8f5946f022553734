/* Tasks of the engine alone: decode data, train a model, predict with one. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fs.h"
#include "model_file.h"
#include "npy.h"
#include "task.h"
#include "task_training.h"
#include "train_watch.h"
#include "view.h"

/* What is read must be what was hashed: a file that changed in between would be stored under the
 * identity of its old content. */
static int check_source(const struct data_spec *spec, const json_t *want, struct error *err)
{
    json_t *found = NULL;
    TRY(data_spec_identity(spec, &found, err));
    bool same = json_equal(found, want);
    json_decref(found);
    return same ? 0
                : error_set(err, ERR_INVALID,
                            "%s: a file changed after the plan was made; run again", spec->name);
}

/* The spec is in the identity as written by data_spec_identity; files that the user named are in
 * the job beside it, so that equal files give equal tasks wherever they lie. */
int task_data(struct job *job, struct error *err)
{
    struct data_spec spec;
    struct dataset *ds = NULL;
    const json_t *source = json_object_get(job->identity, "source");
    TRY(data_spec_from_identity(source, json_object_get(job->json, "data_paths"), &spec, err));
    int rc = dataset_read(&spec, &ds, err);
    if (rc == 0)
        rc = check_source(&spec, source, err);
    data_spec_release(&spec);
    if (rc == 0)
        rc = dataset_save(ds, job->out, err);
    dataset_free(ds);
    return rc;
}

/* ---- batches from a view ---- */

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    const struct task_view *s = self;
    view_fill(s->view, rows, n, epoch, s->seed, s->augment, x, y, NULL);
}

/* ---- train ---- */

/* Pool ids that a train task learns from: {"all": true}, {"retain": FORGET} or {"shadow_bank":
 * seed}. */
static int train_rows(struct job *job, const struct dataset *ds, int64_t seed, uint32_t **ret,
                      uint32_t *ret_n, struct error *err)
{
    json_t *rows = json_object_get(job->identity, "rows");
    uint32_t n_pool = ds->n_train + ds->n_test, n = 0;
    uint32_t *ids = malloc((n_pool + 1) * sizeof(*ids));
    uint8_t *keep = malloc(n_pool + 1);
    struct split split = {0};
    int rc = ids && keep ? 0 : error_nomem(err);
    if (rc == 0 && json_object_get(rows, "shadow_bank")) {
        json_int_t bank = json_integer_value(json_object_get(rows, "shadow_bank"));
        split_shadow(n_pool, task_seed("shadow-bank", bank), (uint32_t)seed, keep);
    } else if (rc == 0 && json_object_get(rows, "retain")) {
        struct forget_spec spec;
        uint64_t forget_seed;
        rc = forget_from_json(json_object_get(rows, "retain"), &spec, &forget_seed, err);
        if (rc == 0) {
            rc = split_make(ds, &spec, forget_seed, &split, err);
            forget_release(&spec);
        }
        for (uint32_t i = 0; rc == 0 && i < n_pool; i++)
            keep[i] = split.role[i] == ROW_RETAIN;
    } else if (rc == 0) {
        for (uint32_t i = 0; i < n_pool; i++)
            keep[i] = i < ds->n_train;
    }
    for (uint32_t i = 0; rc == 0 && i < n_pool; i++)
        if (keep[i])
            ids[n++] = i;
    split_release(&split);
    free(keep);
    if (rc < 0) {
        free(ids);
        return rc;
    }
    *ret = ids;
    *ret_n = n;
    return 0;
}

int task_training_view(struct job *job, const struct dataset *ds, int64_t seed,
                       const struct recipe *recipe, struct arena *arena, const struct view **ret,
                       struct error *err)
{
    uint32_t *rows = NULL, n_rows = 0;
    TRY(train_rows(job, ds, seed, &rows, &n_rows, err));
    const struct view *view = view_dataset(arena, ds, rows, n_rows);
    if (view && recipe->augment)
        view = view_augment(arena, view, AUGMENT_CROP_FLIP);
    free(rows);
    *ret = view;
    return view ? 0 : error_nomem(err);
}

struct batch_source task_batches(struct task_view *source)
{
    return (struct batch_source){(uint32_t)view_count(source->view), fill, source};
}

static int train_model(struct job *job, const struct dataset *ds, struct model *m,
                       const struct recipe *recipe, struct error *err)
{
    json_int_t seed;
    const char *role = job_text(job, "role", err);
    if (!role)
        return err->code;
    TRY(json_get_int(job->identity, job->path, "seed", &seed, err));
    struct task_view source = {NULL, task_seed(role, seed), recipe->augment};
    struct train_watch watch;
    struct arena *arena = arena_new();
    train_watch_init(&watch, job->events, recipe);
    struct train_hooks hooks = train_watch_hooks(&watch);
    model_init(m, source.seed, "init");
    int rc = arena ? task_training_view(job, ds, seed, recipe, arena, &source.view, err)
                   : error_nomem(err);
    if (rc == 0) {
        struct batch_source batches = task_batches(&source);
        rc = train_run(m, recipe, &batches, source.seed, job->par, &hooks, err);
    }
    if (rc == 0)
        rc = train_watch_save(&watch, job, "", err);
    train_watch_release(&watch);
    arena_free(arena);
    return rc;
}

int task_train(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct arch *arch = NULL;
    struct model *m = NULL;
    struct recipe recipe;
    if (json_object_get(job->identity, "import"))
        return task_import_model(job, err);
    if (json_object_get(job->identity, "joint"))
        return task_pick(job, err);
    if (json_object_get(job->identity, "seeds"))
        return task_joint(job, err);
    const char *arch_line = job_text(job, "arch", err);
    const char *recipe_line = arch_line ? job_text(job, "recipe", err) : NULL;
    if (!recipe_line)
        return err->code;
    int rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = arch_from_text(arch_line, &arch, err);
    if (rc == 0)
        rc = recipe_from_text(recipe_line, &recipe, err);
    if (rc == 0)
        rc = model_new(arch, &m, err);
    if (rc == 0)
        rc = train_model(job, ds, m, &recipe, err);
    if (rc == 0 && !model_is_finite(m))
        rc = error_set(err, ERR_NUMERIC, "the trained weights are not finite; lower train.lr");
    char *path = job_out(job, "model.safetensors");
    if (rc == 0)
        rc = path ? model_save(m, path, err) : error_nomem(err);
    free(path);
    model_free(m);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}

/* ---- predict ---- */

static int predict_pool(struct job *job, const struct dataset *ds, const struct model *m,
                        struct error *err)
{
    uint32_t n = ds->n_train + ds->n_test;
    size_t dim[2] = {n, m->arch->classes};
    float *logits = malloc(dim[0] * dim[1] * sizeof(*logits)); /* (pool, classes) */
    uint32_t *rows = malloc((n + 1) * sizeof(*rows));
    struct arena *arena = arena_new();
    int rc = logits && rows && arena ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rows[i] = i;
    const struct view *view = rc == 0 ? view_dataset(arena, ds, rows, n) : NULL;
    if (rc == 0 && !view)
        rc = error_nomem(err);
    struct task_view source = {view, 0, false};
    struct batch_source batches = {n, fill, &source};
    if (rc == 0)
        rc = predict_run(m, &batches, 128, job->par, logits, err);
    char *path = job_out(job, "logits.npy");
    if (rc == 0)
        rc = path ? npy_write(path, NPY_F32, 2, dim, logits, err) : error_nomem(err);
    free(path);
    free(logits);
    free(rows);
    arena_free(arena);
    return rc;
}

int task_predict(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct arch *arch = NULL;
    struct model *m = NULL;
    if (json_object_get(job->identity, "import"))
        return task_import_logits(job, err);
    char *dir = job_input(job, "model", err);
    char *path = dir ? fs_join(dir, "model.safetensors") : NULL;
    int rc = path ? model_load(path, &arch, &m, err) : err->code ? err->code : error_nomem(err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = predict_pool(job, ds, m, err);
    free(path);
    free(dir);
    model_free(m);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}
