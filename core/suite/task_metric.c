/* Metrics: numbers from the outputs of one model or of all runs of a method on the sets of a
 * scenario, compared with other models' where the metric asks for them. */
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "metric_inputs.h"
#include "model_file.h"
#include "task.h"

static int run_metric(struct job *job, const struct hosting *h, const struct metric_inputs *f,
                      struct error *err)
{
    json_t *values = NULL;
    bool class_scenario = json_object_get(json_object_get(job->identity, "forget"), "class");
    struct metric_input in = {.n_classes = f->n_classes,
                              .n_targets = f->targets.n,
                              .targets = f->targets.model,
                              .n_references = f->references.n,
                              .references = f->references.model,
                              .original = f->original.model,
                              .scenario = class_scenario ? 2 : 1,
                              .random = f->random.model,
                              .model = f->model.m,
                              .original_model = f->original_model.m,
                              .reference_models = f->oracle_list,
                              .cost = f->has_cost ? &f->cost : NULL,
                              .reference_costs = f->oracle_cost};
    TRY(hosting_metric(h, &in, &values, err));
    char *path = job_out(job, "values.json");
    int rc = path ? json_write_file(path, values, err) : error_nomem(err);
    free(path);
    json_decref(values);
    return rc;
}

int task_metric(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct split split = {0};
    struct metric_inputs inputs = {0};
    struct recipe recipe;
    struct hosting h = {.seed = task_seed("metric", 1)};
    int rc = job_plugin(job, &h, err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    if (rc == 0)
        rc = metric_inputs_load(job, ds, &split, &inputs, err);
    const char *recipe_line = json_string_value(json_object_get(job->identity, "recipe"));
    if (rc == 0 && recipe_line)
        rc = recipe_from_text(recipe_line, &recipe, err);
    h.ds = inputs.model.m ? ds : NULL;
    h.split = inputs.model.m ? &split : NULL;
    h.recipe = recipe_line ? &recipe : NULL;
    if (rc == 0)
        rc = run_metric(job, &h, &inputs, err);
    metric_inputs_release(&inputs);
    split_release(&split);
    dataset_free(ds);
    return rc;
}
