/* task_joint.c: training several originals together, and taking one out. */
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "model_file.h"
#include "task_training.h"
#include "text.h"
#include "train_watch.h"

struct joint_models {
    unsigned n;
    struct lotos_model *model; /* (n) */
    struct train_watch *watch; /* (n) */
    struct train_hooks *hooks; /* (n) */
};

static void release(struct joint_models *j)
{
    for (unsigned i = 0; i < j->n; i++) {
        if (j->model)
            model_free(j->model[i].m);
        if (j->watch)
            train_watch_release(&j->watch[i]);
    }
    free(j->model);
    free(j->watch);
    free(j->hooks);
}

/* Each starts as the original of its seed would alone; the first one shows progress. */
static int init(struct joint_models *j, struct job *job, const struct arch *arch,
                const struct recipe *r, const json_t *seeds, struct error *err)
{
    j->n = (unsigned)json_array_size(seeds);
    j->model = calloc(j->n + 1, sizeof(*j->model));
    j->watch = calloc(j->n + 1, sizeof(*j->watch));
    j->hooks = calloc(j->n + 1, sizeof(*j->hooks));
    if (!j->model || !j->watch || !j->hooks)
        return error_nomem(err);
    for (unsigned i = 0; i < j->n; i++) {
        struct lotos_model *m = &j->model[i];
        m->seed = task_seed("original", json_integer_value(json_array_get(seeds, i)));
        train_watch_init(&j->watch[i], i == 0 ? job->events : NULL, r);
        j->hooks[i] = train_watch_hooks(&j->watch[i]);
        m->hooks = &j->hooks[i];
        TRY(model_new(arch, &m->m, err));
        model_init(m->m, m->seed, "init");
    }
    return 0;
}

static int save(struct joint_models *j, const struct job *job, struct error *err)
{
    for (unsigned i = 0; i < j->n; i++) {
        char suffix[16], name[48];
        snprintf(suffix, sizeof(suffix), "-%u", i + 1);
        snprintf(name, sizeof(name), "model%s.safetensors", suffix);
        if (!model_is_finite(j->model[i].m))
            return error_set(err, ERR_NUMERIC,
                             "the trained weights are not finite; lower train.lr");
        char *path = job_out(job, name);
        int rc = path ? model_save(j->model[i].m, path, err) : error_nomem(err);
        free(path);
        TRY(rc);
        TRY(train_watch_save(&j->watch[i], job, suffix, err));
    }
    return 0;
}

static int train(struct job *job, const struct dataset *ds, const struct arch *arch,
                 const struct recipe *r, struct error *err)
{
    const json_t *seeds = json_object_get(job->identity, "seeds");
    struct joint_models j = {0};
    struct task_view source = {NULL, task_seed("joint", 1), r->augment};
    struct arena *arena = arena_new();
    int rc = arena ? task_training_view(job, ds, 1, r, arena, &source.view, err) : error_nomem(err);
    if (rc == 0)
        rc = init(&j, job, arch, r, seeds, err);
    if (rc == 0) {
        struct batch_source batches = task_batches(&source);
        rc = lotos_train(j.model, j.n, r, &batches, job->par, err);
    }
    if (rc == 0)
        rc = save(&j, job, err);
    release(&j);
    arena_free(arena);
    return rc;
}

int task_joint(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct arch *arch = NULL;
    struct recipe recipe;
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
        rc = train(job, ds, arch, &recipe, err);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}

/* ---- taking one out ---- */

static int copy(const struct job *job, const char *dir, const char *from, const char *to,
                struct error *err)
{
    char *source = fs_join(dir, from), *target = job_out(job, to);
    struct fs_map map;
    int rc = source && target ? fs_map(source, &map, err) : error_nomem(err);
    if (rc == 0) {
        rc = fs_write_atomic(target, map.bytes, map.n, err);
        fs_unmap(&map);
    }
    free(source);
    free(target);
    return rc;
}

int task_pick(struct job *job, struct error *err)
{
    static const char *const files[][2] = {
        {"model", ".safetensors"}, {"training", ".csv"}, {"spectral", ".csv"}, {"meters", ".json"}};
    json_int_t index;
    TRY(json_get_int(job->identity, job->path, "index", &index, err));
    char *dir = job_input(job, "joint", err);
    if (!dir)
        return err->code;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
        char from[64], to[48];
        snprintf(from, sizeof(from), "%s-%d%s", files[i][0], (int)index + 1, files[i][1]);
        snprintf(to, sizeof(to), "%s%s", files[i][0], files[i][1]);
        rc = copy(job, dir, from, to, err);
    }
    free(dir);
    return rc;
}
