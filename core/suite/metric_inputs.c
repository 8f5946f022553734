#include "metric_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "model_file.h"
#include "npy.h"

enum { SETS = 4 };

struct set_outputs {
    struct outputs o;
    float *logits; /* (n, c) */
    int32_t *y;
};

/* ---- outputs ---- */

static int cut_set(const struct dataset *ds, const struct npy *logits, const uint32_t *ids,
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

static int load_one(struct job *job, const char *id, const struct dataset *ds,
                    const struct split *split, struct set_outputs *set, struct model_outputs *model,
                    uint32_t *ret_classes, struct error *err)
{
    const uint32_t *ids[SETS] = {split->forget, split->retain, split->test, split->test_forgotten};
    const uint32_t n[SETS] = {split->n_forget, split->n_retain, split->n_test,
                              split->n_test_forgotten};
    struct npy logits;
    TRY(job_logits(job, id, ds, &logits, err));
    int rc = 0;
    for (int k = 0; rc == 0 && k < SETS; k++)
        rc = cut_set(ds, &logits, ids[k], n[k], &set[k], err);
    *ret_classes = (uint32_t)logits.dim[1];
    npy_release(&logits);
    *model = (struct model_outputs){&set[0].o, &set[1].o, &set[2].o, n[3] ? &set[3].o : NULL};
    return rc;
}

static void list_release(struct model_list *list)
{
    for (uint32_t i = 0; list->set && i < list->n * SETS; i++) {
        free(list->set[i].logits);
        free(list->set[i].y);
    }
    free(list->set);
    free(list->model);
}

/* value: one id, or a list of ids; NULL leaves *list empty. */
static int load_list(struct job *job, const json_t *value, const struct dataset *ds,
                     const struct split *split, struct model_list *list, uint32_t *ret_classes,
                     struct error *err)
{
    if (!value)
        return 0;
    uint32_t n = json_is_array(value) ? (uint32_t)json_array_size(value) : 1;
    list->set = calloc((size_t)n * SETS + 1, sizeof(*list->set));
    list->model = calloc(n + 1u, sizeof(*list->model));
    if (!list->set || !list->model)
        return error_nomem(err);
    list->n = n;
    for (uint32_t i = 0; i < n; i++) {
        const char *id = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        TRY(load_one(job, id, ds, split, &list->set[(size_t)i * SETS], &list->model[i], ret_classes,
                     err));
    }
    return 0;
}

/* ---- models and costs ---- */

static int load_model(struct job *job, const char *id, struct stored_model *ret, struct error *err)
{
    if (!id)
        return 0;
    char *dir = job_object(job, id, err);
    char *path = dir ? fs_join(dir, "model.safetensors") : NULL;
    int rc = path ? model_load(path, &ret->arch, &ret->m, err) : dir ? error_nomem(err) : err->code;
    free(path);
    free(dir);
    return rc;
}

static int load_cost(struct job *job, const char *id, struct meters *ret, struct error *err)
{
    char *dir = job_object(job, id, err);
    char *path = dir ? fs_join(dir, "meters.json") : NULL;
    int rc = path ? meters_load(path, ret, err) : dir ? error_nomem(err) : err->code;
    free(path);
    free(dir);
    return rc;
}

static int load_oracles(struct job *job, struct metric_inputs *f, bool models, struct error *err)
{
    const json_t *ids = json_object_get(job->identity, "oracle_models");
    uint32_t n = (uint32_t)json_array_size(ids);
    if (!ids)
        return 0;
    f->oracle = calloc(n + 1u, sizeof(*f->oracle));
    f->oracle_list = calloc(n + 1u, sizeof(*f->oracle_list));
    f->oracle_cost = calloc(n + 1u, sizeof(*f->oracle_cost));
    if (!f->oracle || !f->oracle_list || !f->oracle_cost)
        return error_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        f->n_oracles = i + 1;
        TRY(load_cost(job, id, &f->oracle_cost[i], err));
        if (models)
            TRY(load_model(job, id, &f->oracle[i], err));
        f->oracle_list[i] = f->oracle[i].m;
    }
    return 0;
}

static int load_models(struct job *job, struct metric_inputs *f, struct error *err)
{
    const json_t *o = job->identity;
    const char *model = json_string_value(json_object_get(o, "model"));
    const char *cost = json_string_value(json_object_get(o, "cost"));
    TRY(load_model(job, model, &f->model, err));
    TRY(load_model(job, json_string_value(json_object_get(o, "original_model")), &f->original_model,
                   err));
    f->has_cost = cost != NULL;
    if (cost && !json_is_true(json_object_get(o, "free")))
        TRY(load_cost(job, cost, &f->cost, err));
    return load_oracles(job, f, model != NULL, err);
}

static int load(struct job *job, const struct dataset *ds, const struct split *split,
                struct metric_inputs *f, struct error *err)
{
    const json_t *o = job->identity;
    const json_t *target = json_object_get(o, "target");
    const struct {
        const json_t *value;
        struct model_list *list;
    } table[] = {
        {target ? target : json_object_get(o, "targets"), &f->targets},
        {json_object_get(o, "references"), &f->references},
        {json_object_get(o, "original"), &f->original},
        {json_object_get(o, "random"), &f->random},
    };
    if (!table[0].value)
        return error_set(err, ERR_INVALID, "%s: neither target nor targets", job->path);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        TRY(load_list(job, table[i].value, ds, split, table[i].list, &f->n_classes, err));
    return load_models(job, f, err);
}

int metric_inputs_load(struct job *job, const struct dataset *ds, const struct split *split,
                       struct metric_inputs *ret, struct error *err)
{
    struct metric_inputs f = {0};
    int rc = load(job, ds, split, &f, err);
    if (rc < 0)
        metric_inputs_release(&f);
    else
        *ret = f;
    return rc;
}

static void release_model(struct stored_model *s)
{
    model_free(s->m);
    arch_free(s->arch);
}

void metric_inputs_release(struct metric_inputs *f)
{
    list_release(&f->targets);
    list_release(&f->references);
    list_release(&f->original);
    list_release(&f->random);
    release_model(&f->model);
    release_model(&f->original_model);
    for (uint32_t i = 0; i < f->n_oracles; i++)
        release_model(&f->oracle[i]);
    free(f->oracle);
    free(f->oracle_list);
    free(f->oracle_cost);
    memset(f, 0, sizeof(*f));
}
