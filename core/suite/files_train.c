/* files_train.c: `lethe train`: the same loop as a suite's models, on files. */
#include <inttypes.h>
#include <stdlib.h>

#include "files_job.h"
#include "model_file.h"
#include "task.h"
#include "text.h"

/* What the hooks keep. */
struct watch {
    struct files_job *job;
    json_t *loss, *accuracy; /* one number an epoch; owned by the job's result */
    json_t *spectral;        /* NULL without spectral_clip */
    uint32_t epochs, epoch;  /* epoch: how many are done */
    double last_loss;
};

static int epoch_done(void *arg, uint32_t epoch, double loss, double accuracy, struct error *err)
{
    struct watch *w = arg;
    w->epoch = epoch + 1;
    w->last_loss = loss;
    bool kept = json_array_append_new(w->loss, json_number_or_null(loss)) == 0 &&
                json_array_append_new(w->accuracy, json_number_or_null(accuracy)) == 0;
    return kept ? 0 : error_nomem(err);
}

static int spectral(void *arg, uint32_t epoch, const char *layer, uint32_t k, double value,
                    struct error *err)
{
    struct watch *w = arg;
    json_t *o = json_pack("{s:I,s:s,s:I,s:f}", "epoch", (json_int_t)epoch, "layer", layer, "k",
                          (json_int_t)k, "value", value);
    return o && json_array_append_new(w->spectral, o) == 0 ? 0 : error_nomem(err);
}

static int progress(void *arg, double fraction)
{
    const struct watch *w = arg;
    char what[96];
    uint32_t now = w->epoch < w->epochs ? w->epoch + 1 : w->epochs;
    if (w->epoch == 0)
        snprintf(what, sizeof(what), "epoch %" PRIu32 "/%" PRIu32, now, w->epochs);
    else
        snprintf(what, sizeof(what), "epoch %" PRIu32 "/%" PRIu32 ", loss %.4g", now, w->epochs,
                 w->last_loss);
    events_progress(w->job->events, fraction, what);
    return 0;
}

/* {"epochs", "loss", "accuracy", "seed", "params"}, and with spectral_clip "spectral"; the arrays
 * are filled as training goes on. */
static int start_result(struct files_job *job, const struct model *m, const struct recipe *r,
                        json_int_t seed, struct watch *w, struct error *err)
{
    json_t *o = json_pack("{s:I,s:[],s:[],s:I,s:I}", "epochs", (json_int_t)r->epochs, "loss",
                          "accuracy", "seed", seed, "params", (json_int_t)m->n_param);
    int rc = o && json_object_update(job->result, o) == 0 ? 0 : error_nomem(err);
    json_decref(o);
    w->loss = json_object_get(job->result, "loss");
    w->accuracy = json_object_get(job->result, "accuracy");
    if (rc == 0 && r->spectral.method != CLIP_OFF &&
        json_object_set_new(job->result, "spectral", json_array()) != 0)
        rc = error_nomem(err);
    w->spectral = json_object_get(job->result, "spectral");
    return rc;
}

/* Weights of the init file, or drawn from the seed. */
static int start_weights(struct files_job *job, struct model *m, uint64_t stream, struct error *err)
{
    const json_t *init = json_object_get(job->json, "init");
    if (json_is_string(init))
        return model_load_into(m, json_string_value(init), err);
    model_init(m, stream, "init");
    return 0;
}

static int run(struct files_job *job, struct model *m, const struct view *view,
               const struct recipe *recipe, struct error *err)
{
    json_int_t seed;
    struct watch watch = {.job = job, .epochs = recipe->epochs};
    TRY(json_get_int(job->json, job->path, "seed", &seed, err));
    TRY(start_result(job, m, recipe, seed, &watch, err));
    uint64_t stream = task_seed("train", seed);
    struct files_source source = {view, stream, recipe->augment};
    struct batch_source batches = {(uint32_t)view_count(view), files_fill, &source};
    struct train_hooks hooks = {
        .epoch_done = epoch_done, .progress = progress, .spectral = spectral, .arg = &watch};
    TRY(start_weights(job, m, stream, err));
    TRY(train_run(m, recipe, &batches, stream, job->par, &hooks, err));
    if (!model_is_finite(m))
        return error_set(err, ERR_NUMERIC, "the trained weights are not finite; lower lr");
    return 0;
}

static int train_view(struct arena *arena, struct file_images *im, const int32_t *labels,
                      const struct recipe *recipe, const struct view **ret, struct error *err)
{
    const struct view *view = arena ? file_images_view(arena, im, labels) : NULL;
    if (view && recipe->augment)
        view = view_augment(arena, view, AUGMENT_CROP_FLIP);
    *ret = view;
    return view ? 0 : error_nomem(err);
}

static int read_labels(struct files_job *job, const struct file_images *im, uint32_t classes,
                       int32_t **ret, struct error *err)
{
    const char *path = files_text(job, "labels", err);
    if (!path)
        return err->code;
    TRY(file_labels_read(path, im, ret, err));
    return file_labels_check(path, *ret, im->n, classes, err);
}

int files_train(struct files_job *job, struct error *err)
{
    struct file_images im = {0};
    struct arch *arch = NULL;
    struct model *m = NULL;
    struct recipe recipe;
    int32_t *labels = NULL;
    const struct view *view = NULL;
    struct arena *arena = arena_new();
    const char *text = files_text(job, "recipe", err), *out = files_text(job, "out", err);
    int rc = text && out ? recipe_from_text(text, &recipe, err) : err->code;
    if (rc == 0 && recipe.lotos.on)
        rc = error_set(err, ERR_INVALID,
                       "lotos trains several models together, this command one; it is for the "
                       "originals of a suite");
    if (rc == 0)
        rc = files_model(job, &arch, &m, err);
    if (rc == 0)
        rc = files_images(job, &im, err);
    if (rc == 0)
        rc = read_labels(job, &im, arch->classes, &labels, err);
    if (rc == 0)
        rc = train_view(arena, &im, labels, &recipe, &view, err);
    if (rc == 0)
        rc = run(job, m, view, &recipe, err);
    if (rc == 0)
        rc = model_save(m, out, err);
    arena_free(arena);
    free(labels);
    file_images_release(&im);
    model_free(m);
    arch_free(arch);
    return rc;
}
