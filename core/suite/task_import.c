/* Models and logits made elsewhere become artifacts like those of unlearning and predicting. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "model_file.h"
#include "task.h"

/* The file must still be the one that was hashed. Errors name it without its folder: reasons end up
 * in tables. */
static int check_file(const struct job *job, const char *path, struct error *err)
{
    char hex[HASH_HEX_SIZE];
    const char *want = job_text(job, "import", err);
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
        rc = check_file(job, path, err);
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

static int read_logits(const char *path, size_t n, size_t classes, float **ret, struct error *err)
{
    const char *name = fs_basename(path);
    struct npy a;
    float *logits = NULL;
    if (npy_open(path, &a, err) < 0)
        return without_folder(path, err);
    int rc = 0;
    if (a.n_dim != 2 || a.dim[0] != n || a.dim[1] != classes)
        rc = error_set(err, ERR_INVALID,
                       "%s: expected shape (%zu, %zu): the training rows used, then the test rows",
                       name, n, classes);
    if (rc == 0)
        rc = (logits = malloc((n * classes + 1) * sizeof(*logits))) ? 0 : error_nomem(err);
    if (rc == 0 && npy_to_f32(&a, logits, err) < 0)
        rc = error_prefix(err, "%s", name);
    if (rc == 0)
        rc = check_logits(name, n, classes, logits, err);
    npy_release(&a);
    if (rc < 0)
        free(logits);
    else
        *ret = logits;
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
        rc = check_file(job, path, err);
    if (rc == 0)
        rc = json_get_int(job->identity, job->path, "classes", &classes, err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    size_t dim[2] = {ds ? (size_t)ds->n_train + ds->n_test : 0, (size_t)classes};
    if (rc == 0)
        rc = read_logits(path, dim[0], dim[1], &logits, err);
    if (rc == 0)
        rc = npy_write(out, NPY_F32, 2, dim, logits, err);
    free(logits);
    free(out);
    dataset_free(ds);
    return rc;
}
