#include "files_metric.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files_outputs.h"
#include "model_file.h"
#include "text.h"

/* The arrays of a job that hold one model's outputs each, but for target and retrained. */
enum { TARGET, RETRAINED, ORIGINAL, RANDOM, ADVERSARIAL, SOURCE, SOURCE_ADVERSARIAL, N_ARRAYS };
static const char *const array_names[N_ARRAYS] = {
    "target", "retrained", "original", "random", "adversarial", "source", "source_adversarial"};

struct loaded_model {
    struct arch *arch; /* NULL: the first model's */
    struct model *m;
};

struct metric_files {
    struct file_split split;
    struct file_outputs array[N_ARRAYS];
    struct loaded_model model, original;
    struct loaded_model *oracle; /* (n_oracles) */
    const struct model **oracle_list;
    uint32_t n_oracles;
    struct model_outputs none; /* stands in where a metric on models has no outputs */
};

static const char *optional(const struct files_job *job, const char *key)
{
    return json_string_value(json_object_get(job->json, key));
}

static void release_model(struct loaded_model *l)
{
    model_free(l->m);
    arch_free(l->arch);
}

static void release(struct metric_files *f)
{
    file_split_release(&f->split);
    for (int i = 0; i < N_ARRAYS; i++)
        file_outputs_release(&f->array[i]);
    for (uint32_t i = 0; i < f->n_oracles; i++)
        release_model(&f->oracle[i]);
    release_model(&f->original);
    release_model(&f->model);
    free(f->oracle);
    free(f->oracle_list);
}

/* ---- outputs ---- */

static int load_outputs(struct files_job *job, struct metric_files *f, struct error *err)
{
    const char *target = optional(job, "target");
    uint32_t n = 0;
    if (!target)
        return 0;
    TRY(file_outputs_size(target, &n, err));
    TRY(file_split_read(optional(job, "split"), optional(job, "labels"), n, &f->split, err));
    for (int i = 0; i < N_ARRAYS; i++) {
        const char *path = optional(job, array_names[i]);
        if (!path)
            continue;
        TRY(file_outputs_read(path, i <= RETRAINED, &f->split, &f->array[i], err));
        if (f->array[i].n_classes != f->array[TARGET].n_classes)
            return error_set(err, ERR_INVALID, "%s: %" PRIu32 " classes, %s has %" PRIu32, path,
                             f->array[i].n_classes, target, f->array[TARGET].n_classes);
    }
    return 0;
}

/* ---- models ---- */

static int load_model(struct files_job *job, const char *path, struct loaded_model *l,
                      struct error *err)
{
    if (!optional(job, "arch"))
        return model_load(path, &l->arch, &l->m, err);
    TRY(files_model(job, &l->arch, &l->m, err));
    return model_load_into(l->m, path, err);
}

static int check_alike(const struct model *a, const struct model *b, const char *path,
                       struct error *err)
{
    bool alike = a->n_param == b->n_param && a->n_tensors == b->n_tensors;
    for (size_t t = 0; alike && t < a->n_tensors; t++)
        alike = a->tensor[t].n == b->tensor[t].n && !strcmp(a->tensor[t].name, b->tensor[t].name);
    return alike ? 0
                 : error_set(err, ERR_INVALID, "%s: its architecture is not that of --model", path);
}

static int load_oracles(struct files_job *job, struct metric_files *f, struct error *err)
{
    const json_t *list = json_object_get(job->json, "retrained_models");
    size_t n = json_array_size(list);
    f->oracle = calloc(n + 1, sizeof(*f->oracle));
    f->oracle_list = calloc(n + 1, sizeof(*f->oracle_list));
    if (!f->oracle || !f->oracle_list)
        return error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const char *path = json_string_value(json_array_get(list, i));
        f->n_oracles = (uint32_t)i + 1;
        TRY(load_model(job, path, &f->oracle[i], err));
        TRY(check_alike(f->model.m, f->oracle[i].m, path, err));
        f->oracle_list[i] = f->oracle[i].m;
    }
    return 0;
}

static int load_models(struct files_job *job, struct metric_files *f, struct error *err)
{
    const char *model = optional(job, "model"), *original = optional(job, "original_model");
    if (!model)
        return 0;
    TRY(load_model(job, model, &f->model, err));
    if (original) {
        TRY(load_model(job, original, &f->original, err));
        TRY(check_alike(f->model.m, f->original.m, original, err));
    }
    return load_oracles(job, f, err);
}

/* ---- one run, or the mean over runs ---- */

static const struct model_outputs *array_of(const struct metric_files *f, int i)
{
    return f->array[i].n_models ? f->array[i].model : NULL;
}

static int open_plugin(struct files_job *job, struct hosting *h, struct error *err)
{
    const char *path = files_text(job, "plugin_path", err);
    h->plugin_id = path ? files_text(job, "plugin_id", err) : NULL;
    if (!h->plugin_id)
        return err->code;
    h->params = json_object_get(job->json, "params");
    h->par = job->par;
    h->events = job->events;
    return plugin_open(path, &h->file, err);
}

static int evaluate(const struct hosting *h, const struct metric_files *f, uint32_t first,
                    uint32_t n, json_t **ret, struct error *err)
{
    bool models = f->model.m && !f->array[TARGET].n_models;
    uint32_t n_references = models ? f->n_oracles : f->array[RETRAINED].n_models;
    struct model_outputs *nothing = NULL;
    struct metric_input in = {.n_classes =
                                  models ? f->model.m->arch->classes : f->array[TARGET].n_classes,
                              .n_targets = models ? 1 : n,
                              .targets = models ? &f->none : f->array[TARGET].model + first,
                              .n_references = n_references,
                              .references = array_of(f, RETRAINED),
                              .original = array_of(f, ORIGINAL),
                              .scenario = f->split.size[3] ? 2 : 1,
                              .random = array_of(f, RANDOM),
                              .adversarial = array_of(f, ADVERSARIAL),
                              .source = array_of(f, SOURCE),
                              .source_adversarial = array_of(f, SOURCE_ADVERSARIAL),
                              .model = f->model.m,
                              .original_model = f->original.m,
                              .reference_models = f->n_oracles ? f->oracle_list : NULL};
    if (models) {
        nothing = calloc(f->n_oracles + 1u, sizeof(*nothing));
        if (!nothing)
            return error_nomem(err);
        in.references = nothing;
    } else if (f->n_oracles && f->n_oracles != n_references) {
        return error_set(err, ERR_INVALID,
                         "%" PRIu32 " --retrained-model, %" PRIu32
                         " models in --retrained; expected the same oracles",
                         f->n_oracles, n_references);
    }
    int rc = hosting_metric(h, &in, ret, err);
    free(nothing);
    return rc;
}

/* Adds the values of one model; undefined ones keep the mean undefined. */
static int add_values(json_t *sum, const json_t *one, struct error *err)
{
    const char *key;
    json_t *v;
    json_object_foreach(json_object_get((json_t *)one, "values"), key, v)
    {
        double both = json_number_or_nan(json_object_get(sum, key)) + json_number_or_nan(v);
        if (json_object_set_new(sum, key, json_number_or_null(both)) != 0)
            return error_nomem(err);
    }
    return 0;
}

/* Means over the models; notes are the first model's, as far as the value is undefined, or that a
 * later model has none. */
static int mean_of(json_t *first, json_t *sum, uint32_t n, struct error *err)
{
    json_t *notes = json_object_get(first, "notes");
    const char *key;
    json_t *v;
    json_object_foreach(sum, key, v)
    {
        double mean = json_number_or_nan(v) / n;
        int bad =
            json_object_set_new(json_object_get(first, "values"), key, json_number_or_null(mean));
        if (isnan(mean) && !json_object_get(notes, key))
            bad |= json_object_set_new(notes, key, json_string("undefined for one of the models"));
        if (bad)
            return error_nomem(err);
    }
    return 0;
}

static int evaluate_each(const struct hosting *h, const struct metric_files *f, uint32_t n,
                         json_t **ret, struct error *err)
{
    json_t *first = NULL, *one = NULL, *sum;
    TRY(evaluate(h, f, 0, 1, &first, err));
    sum = json_copy(json_object_get(first, "values"));
    int rc = sum ? 0 : error_nomem(err);
    for (uint32_t m = 1; rc == 0 && m < n; m++) {
        rc = evaluate(h, f, m, 1, &one, err);
        if (rc == 0) {
            rc = add_values(sum, one, err);
            json_decref(one);
        }
    }
    if (rc == 0 && n > 1)
        rc = mean_of(first, sum, n, err);
    json_decref(sum);
    if (rc < 0)
        json_decref(first);
    else
        *ret = first;
    return rc;
}

static int add_counts(struct files_job *job, const struct metric_files *f, struct error *err)
{
    static const char *const names[FILE_SETS] = {"forget", "retain", "test", "test_forgotten"};
    json_t *n = json_object();
    int bad = !n;
    for (int k = 0; !bad && k < FILE_SETS; k++)
        bad = json_object_set_new(n, names[k], json_integer(f->split.size[k]));
    bad =
        bad || json_object_set(job->result, "n", n) ||
        json_object_set_new(job->result, "models",
                            json_integer(f->model.m ? 1 : f->array[TARGET].n_models)) ||
        json_object_set_new(job->result, "oracles",
                            json_integer(f->model.m ? f->n_oracles : f->array[RETRAINED].n_models));
    json_decref(n);
    return bad ? error_nomem(err) : 0;
}

int files_metric(struct files_job *job, struct error *err)
{
    struct metric_files f = {0};
    struct hosting h = {.seed = 1};
    json_t *values = NULL;
    bool group = json_is_true(json_object_get(job->json, "group"));
    int rc = open_plugin(job, &h, err);
    if (rc == 0)
        rc = load_outputs(job, &f, err);
    if (rc == 0)
        rc = load_models(job, &f, err);
    uint32_t n = f.array[TARGET].n_models;
    if (rc == 0)
        rc = group ? evaluate(&h, &f, 0, n, &values, err)
                   : evaluate_each(&h, &f, n ? n : 1, &values, err);
    if (rc == 0)
        rc = add_counts(job, &f, err);
    if (rc == 0 && json_object_update(job->result, values) != 0)
        rc = error_nomem(err);
    json_decref(values);
    release(&f);
    return rc;
}
