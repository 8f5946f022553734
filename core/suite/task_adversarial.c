/* Example attacks: the forget set perturbed for an unlearner, or test rows for robust accuracy and
 * transfer. */
#include <stdlib.h>

#include "arena.h"
#include "attacked_rows.h"
#include "fs.h"
#include "robust_values.h"
#include "task.h"
#include "view.h"

/* Test rows have values; their images are kept only where other models are attacked with them. */
static int save_set(struct job *job, const struct dataset *ds, const struct adversarial *set,
                    const uint32_t *ids, const int32_t *y, struct error *err)
{
    bool test = json_object_get(job->identity, "test_rows") != NULL;
    bool images = !test || json_is_true(json_object_get(job->identity, "keep_images"));
    json_t *values = NULL;
    TRY(adversarial_save(set, ds, ids, y, images, job->out, err));
    if (!test)
        return 0;
    TRY(robust_values(set, y, &values, err));
    char *path = job_out(job, "values.json");
    int rc = path ? json_write_file(path, values, err) : error_nomem(err);
    free(path);
    json_decref(values);
    return rc;
}

static int perturb_rows(struct job *job, struct hosting *h, const struct model *m,
                        const uint32_t *pool_ids, uint32_t n, struct error *err)
{
    const struct dataset *ds = h->ds;
    size_t pixels = (size_t)ds->channels * ds->height * ds->width;
    float *x = malloc((n * pixels + 1) * sizeof(*x)); /* (n, C, H, W) */
    int32_t *y = malloc((n + 1) * sizeof(*y));
    uint64_t *ids = malloc((n + 1) * sizeof(*ids));
    uint32_t *rows = malloc((n + 1) * sizeof(*rows));
    struct arena *arena = arena_new();
    struct adversarial set = {0};
    const struct view *view =
        x && y && ids && rows && arena ? view_dataset(arena, ds, pool_ids, n) : NULL;
    int rc = view ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rows[i] = i;
    if (rc == 0) {
        view_fill(view, rows, n, 0, 0, false, x, y, ids);
        rc = hosting_perturb(h, m, x, y, ids, n, &set, err);
    }
    if (rc == 0)
        rc = save_set(job, ds, &set, pool_ids, y, err);
    adversarial_release(&set);
    arena_free(arena);
    free(rows);
    free(ids);
    free(y);
    free(x);
    return rc;
}

int task_adversarial(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct arch *arch = NULL;
    struct model *m = NULL;
    struct split split = {0};
    uint32_t *ids = NULL, n = 0;
    struct hosting h = {.seed = task_seed("adversarial", 1)};
    int rc = job_plugin(job, &h, err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_model(job, &arch, &m, err);
    if (rc == 0)
        rc = attacked_rows(job, ds, &split, &ids, &n, err);
    h.ds = ds;
    h.split = split.n ? &split : NULL;
    if (rc == 0)
        rc = perturb_rows(job, &h, m, ids, n, err);
    free(ids);
    split_release(&split);
    model_free(m);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}
