#include "files_job.h"

#include "files_attack.h"
#include "files_metric.h"
#include "files_unlearn.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct files_kind {
    const char *name;
    int (*run)(struct files_job *job, struct error *err);
} kinds[] = {
    {"train", files_train},
    {"predict", files_predict},
    {"spectral", files_spectral},
    {"attack-member", files_member},
    {"attack-example", files_perturb},
    {"selftest-attacks", files_selftest},
    {"metric", files_metric},
    {"unlearn", files_unlearn},
};

static int run_kind(struct files_job *job, struct error *err)
{
    const char *name = files_text(job, "kind", err);
    if (!name)
        return err->code;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].run(job, err);
    return error_set(err, ERR_INVALID, "%s: unknown kind of job \"%s\"", job->path, name);
}

static int start(struct files_job *job, struct error *err)
{
    json_int_t version = 0, threads = 1;
    TRY(json_get_int(job->json, job->path, "lethe_files", &version, err));
    if (version != 1)
        return error_set(err, ERR_INVALID,
                         "%s: job format %" JSON_INTEGER_FORMAT ", this worker reads 1", job->path,
                         version);
    TRY(json_get_int(job->json, job->path, "threads", &threads, err));
    job->par = par_new(threads < 1 ? 1 : (unsigned)threads);
    job->result = json_object();
    return job->par && job->result ? 0 : error_nomem(err);
}

static int write_result(const struct files_job *job, int code, struct error *err)
{
    const char *path = files_text(job, "result", err);
    if (!path)
        return err->code;
    json_t *o = json_pack("{s:i,s:O?}", "code", code, "result", code < 0 ? NULL : job->result);
    int rc = o ? json_write_file(path, o, err) : error_nomem(err);
    json_decref(o);
    return rc;
}

int files_run(const char *path, struct events *events, struct error *err)
{
    struct files_job job = {.path = path, .events = events};
    struct error unwritten = ERROR_INIT;
    TRY(json_read_file(path, &job.json, err));
    int rc = start(&job, err);
    if (rc == 0)
        rc = run_kind(&job, err);
    if (rc == 0)
        rc = write_result(&job, 0, err);
    else
        write_result(&job, rc, &unwritten); /* the first failure is the one to report */
    par_free(job.par);
    json_decref(job.result);
    json_decref(job.json);
    return rc;
}

const char *files_text(const struct files_job *job, const char *key, struct error *err)
{
    const char *s = NULL;
    return json_get_string(job->json, job->path, key, &s, err) < 0 ? NULL : s;
}

int files_model(const struct files_job *job, struct arch **ret_arch, struct model **ret,
                struct error *err)
{
    struct arch *arch = NULL;
    const char *text = files_text(job, "arch", err);
    if (!text)
        return err->code;
    TRY(arch_from_text(text, &arch, err));
    int rc = model_new(arch, ret, err);
    if (rc < 0)
        arch_free(arch);
    else
        *ret_arch = arch;
    return rc;
}

/* Images that somebody has normalised already are no error for training and prediction, but most
 * often they are a mistake: 0 to 255 in floating point. */
static int warn_of_range(struct files_job *job, const struct file_images *im, struct error *err)
{
    if (im->lowest >= 0 && im->highest <= 1)
        return 0;
    char *text = text_format("%s: values from %g to %g; images are expected in [0, 1] (uint8 "
                             "files are divided by 255)",
                             im->path, (double)im->lowest, (double)im->highest);
    int rc = text && json_object_set_new(job->result, "warning", json_string(text)) == 0
                 ? 0
                 : error_nomem(err);
    free(text);
    return rc;
}

int files_images(struct files_job *job, struct file_images *ret, struct error *err)
{
    const char *path = files_text(job, "images", err);
    if (!path)
        return err->code;
    TRY(file_images_open(path, ret, err));
    TRY(file_images_check(ret, err));
    return warn_of_range(job, ret, err);
}

void files_fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    const struct files_source *s = self;
    view_fill(s->view, rows, n, epoch, s->seed, s->augment, x, y, NULL);
}
