/* Transfer: test rows that were perturbed on one model are shown to another. */
#include <stdlib.h>

#include "arena.h"
#include "csv.h"
#include "fs.h"
#include "loss.h"
#include "task.h"
#include "text.h"
#include "transfer_counts.h"
#include "view.h"

struct transfer {
    struct adversarial set; /* made on the source */
    uint32_t *ids;          /* (set.n) pool ids */
    int32_t *y;             /* (set.n) */
    int32_t *clean, *adv;   /* (set.n) the target's predictions */
    struct dataset *ds;
    struct arch *arch;
    struct model *target;
};

static void transfer_release(struct transfer *t)
{
    adversarial_release(&t->set);
    free(t->ids);
    free(t->y);
    free(t->clean);
    free(t->adv);
    model_free(t->target);
    arch_free(t->arch);
    dataset_free(t->ds);
}

/* The first column of perturbation.csv: which samples they are. */
static int read_ids(const char *dir, struct transfer *t, struct error *err)
{
    char *path = fs_join(dir, "perturbation.csv");
    struct csv_table table = {0};
    int64_t id;
    int rc = path ? csv_read(path, (size_t)1 << 30, &table, err) : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < t->set.n; i++) {
        bool ok = i < table.n_rows && text_to_int(table.row[i][0], &id) && id >= 0 &&
                  id < (int64_t)t->ds->n_train + t->ds->n_test;
        if (!ok)
            rc = error_set(err, ERR_INVALID, "%s:%u: not a sample of this data set", path, i + 2);
        else
            t->ids[i] = (uint32_t)id;
    }
    csv_release(&table);
    free(path);
    return rc;
}

static int load_set(struct job *job, struct transfer *t, struct error *err)
{
    char *dir = job_input(job, "set", err);
    if (!dir)
        return err->code;
    int rc = adversarial_load(dir, &t->set, err);
    size_t n = t->set.n + 1u;
    if (rc == 0) {
        t->ids = malloc(n * sizeof(*t->ids));
        t->y = malloc(n * sizeof(*t->y));
        t->clean = malloc(n * sizeof(*t->clean));
        t->adv = malloc(n * sizeof(*t->adv));
        rc = t->ids && t->y && t->clean && t->adv ? read_ids(dir, t, err) : error_nomem(err);
    }
    for (uint32_t i = 0; rc == 0 && i < t->set.n; i++)
        t->y[i] = t->ds->labels[t->ids[i]];
    free(dir);
    return rc;
}

static int clean_predictions(struct job *job, struct transfer *t, struct error *err)
{
    struct npy logits = {0};
    const char *id = job_text(job, "target", err);
    if (!id)
        return err->code;
    TRY(job_logits(job, id, t->ds, &logits, err));
    const float *all = logits.bytes; /* (pool, classes) */
    for (uint32_t i = 0; i < t->set.n; i++)
        t->clean[i] = loss_argmax(all + (size_t)t->ids[i] * logits.dim[1], (uint32_t)logits.dim[1]);
    npy_release(&logits);
    return 0;
}

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    view_fill(self, rows, n, epoch, 0, false, x, y, NULL);
}

static int adversarial_predictions(struct job *job, struct transfer *t, struct error *err)
{
    const uint32_t shape[3] = {t->ds->channels, t->ds->height, t->ds->width};
    uint32_t classes = t->target->arch->classes;
    float *logits = malloc(((size_t)t->set.n * classes + 1) * sizeof(*logits)); /* (n, classes) */
    struct arena *arena = arena_new();
    const struct view *view = arena ? view_arrays(arena, t->set.x, t->y, t->set.n, shape) : NULL;
    struct batch_source source = {t->set.n, fill, (void *)view};
    int rc = logits && view ? predict_run(t->target, &source, 128, job->par, logits, err)
                            : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < t->set.n; i++)
        t->adv[i] = loss_argmax(logits + (size_t)i * classes, classes);
    free(logits);
    arena_free(arena);
    return rc;
}

int task_transfer(struct job *job, struct error *err)
{
    bool self = json_is_true(json_object_get(job->identity, "self"));
    struct transfer t = {0};
    struct transfer_counts counts;
    int rc = job_dataset(job, &t.ds, err);
    if (rc == 0)
        rc = load_set(job, &t, err);
    if (rc == 0)
        rc = job_model(job, &t.arch, &t.target, err);
    if (rc == 0)
        rc = clean_predictions(job, &t, err);
    if (rc == 0)
        rc = adversarial_predictions(job, &t, err);
    if (rc == 0) {
        transfer_count(&t.set, t.y, t.clean, t.adv, &counts);
        json_t *values = transfer_values(&counts, self);
        char *path = job_out(job, "values.json");
        rc = values && path ? json_write_file(path, values, err) : error_nomem(err);
        free(path);
        json_decref(values);
    }
    transfer_release(&t);
    return rc;
}
