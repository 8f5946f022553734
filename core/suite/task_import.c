/* Models and logits made elsewhere become artifacts like those of unlearning and predicting. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "model_file.h"
#include "task.h"

/* The file must still be the one that was hashed (identity[key]). Errors name it without its
 * folder: reasons end up in tables. */
static int check_file(const struct job *job, const char *key, const char *path, struct error *err)
{
    char hex[HASH_HEX_SIZE];
    const char *want = job_text(job, key, err);
    if (!want)
        return err->code;
    TRY(hash_file(path, hex, err));
    return strcmp(hex, want) == 0
               ? 0
               : error_set(err, ERR_INVALID, "%s changed after the plan was made; run again",
                           fs_basename(path));
}

/* "FOLDER/x.safetensors: why" -> "x.safetensors: why" */
static int without_folder(const char *path, struct error *err)
{
    size_t folder = (size_t)(fs_basename(path) - path);
    if (strncmp(err->text, path, strlen(path)) == 0)
        memmove(err->text, err->text + folder, strlen(err->text + folder) + 1);
    return err->code;
}

static int load(const struct job *job, const char *path, struct arch **arch, struct model **m,
                struct error *err)
{
    const char *text = job_text(job, "arch", err);
    if (!text)
        return err->code;
    TRY(arch_from_text(text, arch, err));
    TRY(model_new(*arch, m, err));
    if (model_load_into(*m, path, err) < 0)
        return without_folder(path, err);
    return model_is_finite(*m) ? 0
                               : error_set(err, ERR_OUTPUT, "%s holds weights that are not finite",
                                           fs_basename(path));
}

int task_import_model(struct job *job, struct error *err)
{
    struct arch *arch = NULL;
    struct model *m = NULL;
    const struct meters none = {0};
    const char *path = NULL;
    char *model = job_out(job, "model.safetensors"), *meters = job_out(job, "meters.json");
    int rc = model && meters ? json_get_string(job->json, job->path, "import_path", &path, err)
                             : error_nomem(err);
    if (rc == 0)
        rc = check_file(job, "import", path, err);
    if (rc == 0)
        rc = load(job, path, &arch, &m, err);
    if (rc == 0)
        rc = model_save(m, model, err);
    if (rc == 0)
        rc = meters_save(&none, meters, err);
    free(model);
    free(meters);
    model_free(m);
    arch_free(arch);
    return rc;
}

/* One row of finite logits for each sample of the pool, training rows first. */
static int check_logits(const char *name, size_t n, size_t classes, const float *logits,
                        struct error *err)
{
    for (size_t i = 0; i < n * classes; i++)
        if (!isfinite(logits[i]))
            return error_set(err, ERR_OUTPUT, "%s: logit %zu of sample %zu is not finite", name,
                             i % classes, i / classes);
    return 0;
}

static int take_logits(const struct npy *a, const char *name, size_t n, size_t classes, float **ret,
                       struct error *err)
{
    float *logits = NULL;
    int rc = 0;
    if (a->n_dim != 2 || a->dim[0] != n || a->dim[1] != classes)
        rc = error_set(err, ERR_INVALID,
                       "%s: expected shape (%zu, %zu): the training rows used, then the test rows",
                       name, n, classes);
    if (rc == 0)
        rc = (logits = malloc((n * classes + 1) * sizeof(*logits))) ? 0 : error_nomem(err);
    if (rc == 0 && npy_to_f32(a, logits, err) < 0)
        rc = error_prefix(err, "%s", name);
    if (rc == 0)
        rc = check_logits(name, n, classes, logits, err);
    if (rc < 0)
        free(logits);
    else
        *ret = logits;
    return rc;
}

/* identity.row (of identity.rows): the file holds that many models, (models, pool, classes). */
static int read_logits(struct job *job, const char *path, size_t n, size_t classes, float **ret,
                       struct error *err)
{
    const char *name = fs_basename(path);
    const json_t *row = json_object_get(job->identity, "row");
    size_t k = (size_t)json_integer_value(row),
           models = (size_t)json_integer_value(json_object_get(job->identity, "rows"));
    struct npy a;
    if (npy_open(path, &a, err) < 0)
        return without_folder(path, err);
    bool fits = !row || (a.n_dim == 3 && a.dim[0] == models && k < models);
    struct npy part = row && fits ? npy_item(&a, k) : a;
    int rc = fits ? take_logits(&part, name, n, classes, ret, err)
                  : error_set(err, ERR_INVALID, "%s: expected (%zu, %zu, %zu)", name, models, n,
                              classes);
    npy_release(&a);
    return rc;
}

/* Row identity.row of the imported inclusion: inclusion.npy, a byte for each row of the pool. */
static int import_inclusion(struct job *job, size_t n, struct error *err)
{
    const char *path = NULL;
    size_t k = (size_t)json_integer_value(json_object_get(job->identity, "row"));
    size_t models = (size_t)json_integer_value(json_object_get(job->identity, "rows"));
    struct npy a = {0};
    TRY(json_get_string(job->json, job->path, "inclusion_path", &path, err));
    TRY(check_file(job, "inclusion", path, err));
    if (npy_open(path, &a, err) < 0)
        return without_folder(path, err);
    const char *name = fs_basename(path);
    int32_t *v = malloc((n + 1) * sizeof(*v));
    uint8_t *bytes = malloc(n + 1);
    char *out = job_out(job, "inclusion.npy");
    int rc = v && bytes && out ? 0 : error_nomem(err);
    if (rc == 0 && (a.n_dim != 2 || a.dim[0] != models || a.dim[1] != n || k >= models))
        rc = error_set(err, ERR_INVALID,
                       "%s: expected shape (%zu, %zu): models, then the training rows used and the "
                       "test rows used",
                       name, models, n);
    struct npy row = rc == 0 ? npy_item(&a, k) : a;
    if (rc == 0 && npy_to_i32(&row, v, err) < 0)
        rc = error_prefix(err, "%s", name);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bytes[i] = (uint8_t)v[i];
        if (v[i] < 0 || v[i] > 2)
            rc =
                error_set(err, ERR_INVALID,
                          "%s: model %zu, row %zu is %" PRId32 ", expected 1 trained on it, 0 not, "
                          "2 leave it out",
                          name, k, i, v[i]);
    }
    if (rc == 0)
        rc = npy_write(out, NPY_U8, 1, &n, bytes, err);
    npy_release(&a);
    free(v);
    free(bytes);
    free(out);
    return rc;
}

int task_import_logits(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    const char *path = NULL;
    float *logits = NULL; /* (pool, classes) */
    json_int_t classes = 0;
    char *out = job_out(job, "logits.npy");
    int rc =
        out ? json_get_string(job->json, job->path, "import_path", &path, err) : error_nomem(err);
    if (rc == 0)
        rc = check_file(job, "import", path, err);
    if (rc == 0)
        rc = json_get_int(job->identity, job->path, "classes", &classes, err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    size_t dim[2] = {ds ? (size_t)ds->n_train + ds->n_test : 0, (size_t)classes};
    if (rc == 0)
        rc = read_logits(job, path, dim[0], dim[1], &logits, err);
    if (rc == 0)
        rc = npy_write(out, NPY_F32, 2, dim, logits, err);
    if (rc == 0 && json_object_get(job->identity, "inclusion"))
        rc = import_inclusion(job, dim[0], err);
    free(logits);
    free(out);
    dataset_free(ds);
    return rc;
}
