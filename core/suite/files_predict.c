/* files_predict.c: `lethe predict`: logits of a model file for images in a file. */
#include <stdlib.h>

#include "files_job.h"
#include "model_file.h"
#include "npy.h"

/* A batch source that reports how far it is. */
struct reporting_source {
    struct files_source source;
    struct events *events;
    uint32_t n, n_read;
};

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    struct reporting_source *s = self;
    files_fill(&s->source, rows, n, epoch, x, y);
    events_progress(s->events, (double)s->n_read / s->n, "logits");
    s->n_read += n;
}

static int predict(struct files_job *job, const struct model *m, const struct view *view,
                   const char *out, struct error *err)
{
    json_int_t batch;
    uint32_t n = (uint32_t)view_count(view);
    size_t dim[2] = {n, m->arch->classes};
    struct reporting_source source = {{view, 0, false}, job->events, n, 0};
    struct batch_source batches = {n, fill, &source};
    TRY(json_get_int(job->json, job->path, "batch", &batch, err));
    float *logits = malloc(dim[0] * dim[1] * sizeof(*logits)); /* (n, classes) */
    if (!logits)
        return error_nomem(err);
    int rc = predict_run(m, &batches, (uint32_t)batch, job->par, logits, err);
    if (rc == 0)
        rc = npy_write(out, NPY_F32, 2, dim, logits, err);
    free(logits);
    if (rc == 0 &&
        (json_object_set_new(job->result, "images", json_integer(n)) != 0 ||
         json_object_set_new(job->result, "classes", json_integer((json_int_t)dim[1])) != 0))
        rc = error_nomem(err);
    return rc;
}

int files_predict(struct files_job *job, struct error *err)
{
    struct file_images im = {0};
    struct arch *arch = NULL;
    struct model *m = NULL;
    const struct view *view = NULL;
    int32_t *zeros = NULL; /* (n): labels that nothing looks at */
    struct arena *arena = arena_new();
    const char *model = files_text(job, "model", err), *out = files_text(job, "out", err);
    int rc = model && out ? files_model(job, &arch, &m, err) : err->code;
    if (rc == 0)
        rc = model_load_into(m, model, err);
    if (rc == 0)
        rc = files_images(job, &im, err);
    if (rc == 0 && arena && (zeros = calloc(im.n, sizeof(*zeros))))
        view = file_images_view(arena, &im, zeros);
    if (rc == 0)
        rc = view ? predict(job, m, view, out, err) : error_nomem(err);
    arena_free(arena);
    free(zeros);
    file_images_release(&im);
    model_free(m);
    arch_free(arch);
    return rc;
}
