#include "files_unlearn.h"

#include <stdlib.h>
#include <string.h>

#include "model_file.h"
#include "split.h"
#include "task.h"

enum { MAX_SETS = 4 };

/* What unlearning on files works with. */
struct unlearn_files {
    struct file_images images;
    int32_t *y; /* (n) */
    struct dataset ds;
    struct split split;
    struct arch *arch;
    struct model *original, *model;
    struct recipe recipe;
    struct adversarial set[MAX_SETS];
    uint32_t n_sets;
    struct files_job *job;
};

static void unlearn_files_release(struct unlearn_files *f)
{
    for (uint32_t i = 0; i < f->n_sets; i++)
        adversarial_release(&f->set[i]);
    split_release(&f->split);
    model_free(f->model);
    model_free(f->original);
    arch_free(f->arch);
    free(f->y);
    file_images_release(&f->images);
}

/* All images are training rows; there are no test rows. */
static void make_dataset(struct unlearn_files *f)
{
    const struct file_images *im = &f->images;
    f->ds = (struct dataset){.n_train = im->n,
                             .n_classes = f->arch->classes,
                             .channels = im->shape[0],
                             .height = im->shape[1],
                             .width = im->shape[2],
                             .labels = f->y};
    if (im->npy.type == NPY_U8)
        f->ds.pixels = im->npy.bytes;
    else
        f->ds.reals = im->converted ? im->converted : im->npy.bytes;
}

static int load_samples(struct unlearn_files *f, struct error *err)
{
    const char *labels = files_text(f->job, "labels", err);
    const char *forget = labels ? files_text(f->job, "forget", err) : NULL;
    const char *column = json_string_value(json_object_get(f->job->json, "column"));
    struct forget_spec spec;
    if (!forget)
        return err->code;
    TRY(files_images(f->job, &f->images, err));
    TRY(file_labels_read(labels, &f->images, &f->y, err));
    TRY(file_labels_check(labels, f->y, f->images.n, f->arch->classes, err));
    make_dataset(f);
    TRY(forget_read(forget, column, &spec, err));
    int rc = split_make(&f->ds, &spec, 0, &f->split, err);
    forget_release(&spec);
    return rc;
}

static int load(struct unlearn_files *f, struct error *err)
{
    const char *model = files_text(f->job, "model", err);
    const char *recipe = model ? files_text(f->job, "recipe", err) : NULL;
    if (!recipe)
        return err->code;
    TRY(recipe_from_text(recipe, &f->recipe, err));
    TRY(files_model(f->job, &f->arch, &f->original, err));
    TRY(model_load_into(f->original, model, err));
    TRY(load_samples(f, err));
    return model_clone(f->original, &f->model, err);
}

static int open_plugin(const json_t *plugin, struct unlearn_files *f, struct hosting *h,
                       struct error *err)
{
    const char *path;
    TRY(json_get_string(plugin, f->job->path, "path", &path, err));
    TRY(json_get_string(plugin, f->job->path, "id", &h->plugin_id, err));
    h->params = json_object_get(plugin, "params");
    h->par = f->job->par;
    h->events = f->job->events;
    h->ds = &f->ds;
    h->split = &f->split;
    return plugin_open(path, &h->file, err);
}

/* A declared adversarial set: of the forget set, on the original model, as in a suite. */
static int make_set(struct unlearn_files *f, const json_t *attack, struct error *err)
{
    struct hosting h = {.seed = task_seed("adversarial", 1)};
    uint32_t n = f->split.n_forget;
    size_t pixels = (size_t)f->ds.channels * f->ds.height * f->ds.width;
    float *x = malloc((n * pixels + 1) * sizeof(*x)); /* (n, C, H, W) */
    int32_t *y = malloc((n + 1) * sizeof(*y));
    uint64_t *ids = malloc((n + 1) * sizeof(*ids));
    uint32_t *rows = malloc((n + 1) * sizeof(*rows));
    struct arena *arena = arena_new();
    const struct view *view =
        x && y && ids && rows && arena ? view_dataset(arena, &f->ds, f->split.forget, n) : NULL;
    int rc = view ? open_plugin(attack, f, &h, err) : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rows[i] = i;
    if (rc == 0) {
        view_fill(view, rows, n, 0, 0, false, x, y, ids);
        rc = hosting_perturb(&h, f->original, x, y, ids, n, &f->set[f->n_sets], err);
    }
    f->n_sets += rc == 0;
    arena_free(arena);
    free(rows);
    free(ids);
    free(y);
    free(x);
    return rc;
}

static int make_sets(struct unlearn_files *f, struct error *err)
{
    const json_t *attacks = json_object_get(f->job->json, "attacks"), *attack;
    size_t i;
    json_array_foreach(attacks, i, attack)
    {
        if (i >= MAX_SETS)
            return error_set(err, ERR_INVALID, "%s: more than 4 attacks", f->job->path);
        events_progress(f->job->events, 0, "adversarial set");
        TRY(make_set(f, attack, err));
    }
    return 0;
}

/* The attack that the unlearner declared, for attack->run. */
static int find_attack(void *arg, const char *id, struct plugin_file **ret, struct error *err)
{
    const struct unlearn_files *f = arg;
    const json_t *attacks = json_object_get(f->job->json, "attacks"), *attack;
    size_t i;
    json_array_foreach(attacks, i, attack)
    {
        const char *known = json_string_value(json_object_get(attack, "id"));
        const char *path = json_string_value(json_object_get(attack, "path"));
        if (known && path && strcmp(known, id) == 0)
            return plugin_open(path, ret, err);
    }
    return error_set(err, ERR_DENIED,
                     "example attack %s: an unlearner may run only attacks it declares", id);
}

static int fill_result(struct unlearn_files *f, const struct unlearn_result *r, struct error *err)
{
    json_t *meters = json_object();
#define PUT(name) json_object_set_new(meters, #name, json_integer((json_int_t)r->meters.name));
    METERS_MAP(PUT)
#undef PUT
    json_t *o = json_pack("{s:I,s:I,s:o,s:f,s:f}", "forget", (json_int_t)f->split.n_forget,
                          "retain", (json_int_t)f->split.n_retain, "meters", meters, "prepare_s",
                          r->prepare_s, "run_s", r->run_s);
    int rc = o && json_object_update(f->job->result, o) == 0 ? 0 : error_nomem(err);
    json_decref(o);
    return rc;
}

static int unlearn(struct unlearn_files *f, struct error *err)
{
    struct hosting h = {.find_attack = find_attack, .find_arg = f, .recipe = &f->recipe};
    struct unlearn_result result = {{0}, 0, 0, 0, 0};
    json_int_t seed;
    const char *out = files_text(f->job, "out", err);
    if (!out)
        return err->code;
    TRY(json_get_int(f->job->json, f->job->path, "seed", &seed, err));
    h.seed = task_seed("unlearn", seed);
    TRY(open_plugin(json_object_get(f->job->json, "plugin"), f, &h, err));
    TRY(hosting_unlearn(&h, f->original, f->model, f->set, f->n_sets, &result, err));
    TRY(model_save(f->model, out, err));
    return fill_result(f, &result, err);
}

int files_unlearn(struct files_job *job, struct error *err)
{
    struct unlearn_files f = {.job = job};
    int rc = load(&f, err);
    if (rc == 0)
        rc = make_sets(&f, err);
    if (rc == 0)
        rc = unlearn(&f, err);
    unlearn_files_release(&f);
    return rc;
}
