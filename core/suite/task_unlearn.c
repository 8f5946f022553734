/* Unlearning: a model that a plugin changes. */
#include <stdlib.h>
#include <string.h>

#include "model_file.h"
#include "suite_budget.h"
#include "task.h"

/* The attack that the unlearner declared, for attack->run. */
static int find_attack(void *arg, const char *id, struct plugin_file **ret, struct error *err)
{
    struct job *job = arg;
    json_t *attack = json_object_get(job->json, "attack_plugin");
    const char *known = json_string_value(json_object_get(attack, "id"));
    const char *path = json_string_value(json_object_get(attack, "path"));
    if (!known || !path || strcmp(known, id) != 0)
        return error_set(err, ERR_DENIED,
                         "example attack %s: an unlearner may run only attacks it declares", id);
    return plugin_open(path, ret, err);
}

static int load_sets(struct job *job, struct adversarial *sets, uint32_t max, uint32_t *ret_n,
                     struct error *err)
{
    json_t *ids = json_object_get(job->identity, "adversarial");
    uint32_t n = (uint32_t)json_array_size(ids);
    if (n > max)
        return error_set(err, ERR_INVALID, "%s: %u adversarial sets", job->path, n);
    for (uint32_t i = 0; i < n; i++) {
        char *dir = job_object(job, json_string_value(json_array_get(ids, i)), err);
        if (!dir)
            return err->code;
        int rc = adversarial_load(dir, &sets[i], err);
        free(dir);
        TRY(rc);
        *ret_n = i + 1;
    }
    return 0;
}

static int save_unlearned(struct job *job, const struct model *m, const struct unlearn_result *r,
                          struct error *err)
{
    char *model = job_out(job, "model.safetensors"), *meters = job_out(job, "meters.json");
    int rc = model && meters ? model_save(m, model, err) : error_nomem(err);
    if (rc == 0)
        rc = meters_save(&r->meters, meters, err);
    json_t *cost = json_pack("{s:f,s:f,s:f,s:f}", "prepare_s", r->prepare_s, "run_s", r->run_s,
                             "prepare_cpu_s", r->prepare_cpu_s, "run_cpu_s", r->run_cpu_s);
    if (rc == 0 && (!cost || json_object_update(job->cost, cost) != 0))
        rc = error_nomem(err);
    json_decref(cost);
    free(model);
    free(meters);
    return rc;
}

static int unlearn(struct job *job, struct hosting *h, const struct model *original,
                   struct error *err)
{
    struct adversarial sets[4] = {{0}};
    struct unlearn_result result = {{0}, 0, 0, 0, 0};
    struct model *m = NULL;
    uint32_t n_sets = 0;
    int rc = load_sets(job, sets, 4, &n_sets, err);
    bool sequence = json_object_get(json_object_get(job->identity, "forget"), "requests") != NULL;
    if (rc == 0 && sequence)
        rc = task_unlearn_sequence(job, h, original, sets, n_sets, err);
    if (rc == 0 && !sequence)
        rc = model_clone(original, &m, err);
    if (rc == 0 && !sequence)
        rc = hosting_unlearn(h, original, m, sets, n_sets, &result, err);
    if (rc == 0 && !sequence)
        rc = save_unlearned(job, m, &result, err);
    model_free(m);
    for (uint32_t i = 0; i < 4; i++)
        adversarial_release(&sets[i]);
    return rc;
}

/* The pool ids of the rows behind the pool, which no model is trained on. */
static int hold_out(const struct dataset *ds, struct hosting *h, uint32_t **ret, struct error *err)
{
    uint32_t n = ds->n_validation;
    if (n == 0)
        return 0;
    uint32_t *rows = malloc(n * sizeof(*rows));
    if (!rows)
        return error_nomem(err);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = ds->n_train + ds->n_test + i;
    h->validation = rows;
    h->n_validation = n;
    *ret = rows;
    return 0;
}

int task_unlearn(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct arch *arch = NULL;
    struct model *original = NULL;
    struct split split = {0};
    struct recipe recipe;
    struct budget budget;
    uint32_t *validation = NULL;
    json_int_t seed = 0;
    struct hosting h = {.find_attack = find_attack, .find_arg = job};
    if (json_object_get(job->identity, "import"))
        return task_import_model(job, err);
    if (json_object_get(job->identity, "sequence"))
        return task_unlearn_request(job, err);
    const char *recipe_line = job_text(job, "recipe", err);
    int rc = recipe_line ? recipe_from_text(recipe_line, &recipe, err) : err->code;
    if (rc == 0)
        rc = json_get_int(job->identity, job->path, "seed", &seed, err);
    if (rc == 0)
        rc = job_plugin(job, &h, err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_model(job, &arch, &original, err);
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    h.seed = task_seed("unlearn", seed);
    h.ds = ds;
    h.split = &split;
    h.recipe = &recipe;
    budget_from_json(json_object_get(job->identity, "budget"), &budget);
    h.budget = &budget;
    if (rc == 0)
        rc = hold_out(ds, &h, &validation, err);
    if (rc == 0)
        rc = unlearn(job, &h, original, err);
    free(validation);
    split_release(&split);
    model_free(original);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}
