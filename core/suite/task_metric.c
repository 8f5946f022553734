/* Metrics: numbers from one model's outputs on the sets of a scenario. */
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "task.h"

struct set_outputs {
    struct outputs o;
    float *logits; /* (n, c) */
    int32_t *y;
};

static int gather_set(const struct dataset *ds, const struct npy *logits, const uint32_t *ids,
                      uint32_t n, struct set_outputs *ret, struct error *err)
{
    size_t c = logits->dim[1];
    const float *all = logits->bytes; /* (pool, c) */
    ret->logits = malloc((n * c + 1) * sizeof(*ret->logits));
    ret->y = malloc((n + 1) * sizeof(*ret->y));
    if (!ret->logits || !ret->y)
        return error_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(ret->logits + i * c, all + ids[i] * c, c * sizeof(float));
        ret->y[i] = ds->labels[ids[i]];
    }
    ret->o = (struct outputs){n, 1, (uint32_t)c, ret->logits, ret->y};
    return 0;
}

static int run_metric(struct job *job, const struct hosting *h, const struct dataset *ds,
                      const struct split *split, const struct npy *logits, struct error *err)
{
    struct set_outputs set[4] = {{{0}, NULL, NULL}};
    const uint32_t *ids[4] = {split->forget, split->retain, split->test, split->test_forgotten};
    const uint32_t n[4] = {split->n_forget, split->n_retain, split->n_test,
                           split->n_test_forgotten};
    json_t *values = NULL;
    int rc = 0;
    for (int i = 0; rc == 0 && i < 4; i++)
        rc = gather_set(ds, logits, ids[i], n[i], &set[i], err);
    bool class_scenario = json_object_get(json_object_get(job->identity, "forget"), "class");
    struct model_outputs target = {&set[0].o, &set[1].o, &set[2].o, n[3] ? &set[3].o : NULL};
    struct metric_input in = {.n_classes = (uint32_t)logits->dim[1],
                              .n_targets = 1,
                              .targets = &target,
                              .scenario = class_scenario ? 2 : 1};
    if (rc == 0)
        rc = hosting_metric(h, &in, &values, err);
    char *path = job_out(job, "values.json");
    if (rc == 0)
        rc = path ? json_write_file(path, values, err) : error_nomem(err);
    free(path);
    json_decref(values);
    for (int i = 0; i < 4; i++) {
        free(set[i].logits);
        free(set[i].y);
    }
    return rc;
}

int task_metric(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct split split = {0};
    struct npy logits = {0};
    struct hosting h = {.seed = task_seed("metric", 1)};
    const char *target = job_text(job, "target", err);
    int rc = target ? job_plugin(job, &h, err) : err->code;
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    if (rc == 0)
        rc = job_logits(job, target, ds, &logits, err);
    if (rc == 0)
        rc = run_metric(job, &h, ds, &split, &logits, err);
    npy_release(&logits);
    split_release(&split);
    dataset_free(ds);
    return rc;
}
