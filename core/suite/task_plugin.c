/* Tasks that run a plugin: adversarial sets, unlearning, membership attacks, metrics. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fs.h"
#include "model_file.h"
#include "npy.h"
#include "rng.h"
#include "task.h"
#include "view.h"

/* identity.plugin with the file opened. */
static int open_plugin(struct job *job, struct hosting *h, struct error *err)
{
    json_t *plugin = json_object_get(job->identity, "plugin");
    if (!job->plugin_path)
        return error_set(err, ERR_INVALID, "%s: plugin_path is missing", job->path);
    TRY(json_get_string(plugin, job->path, "id", &h->plugin_id, err));
    h->params = json_object_get(plugin, "params");
    h->par = job->par;
    h->events = job->events;
    return plugin_open(job->plugin_path, &h->file, err);
}

static int job_model(struct job *job, struct arch **ret_arch, struct model **ret, struct error *err)
{
    char *dir = job_input(job, "model", err);
    char *path = dir ? fs_join(dir, "model.safetensors") : NULL;
    int rc = path ? model_load(path, ret_arch, ret, err) : err->code ? err->code : error_nomem(err);
    free(path);
    free(dir);
    return rc;
}

/* ---- adversarial sets ---- */

static int perturb_forget_set(struct job *job, struct hosting *h, const struct model *m,
                              struct error *err)
{
    const struct split *split = h->split;
    const struct dataset *ds = h->ds;
    uint32_t n = split->n_forget;
    size_t pixels = (size_t)ds->channels * ds->height * ds->width;
    float *x = malloc((n * pixels + 1) * sizeof(*x)); /* (n, C, H, W) */
    int32_t *y = malloc((n + 1) * sizeof(*y));
    uint64_t *ids = malloc((n + 1) * sizeof(*ids));
    uint32_t *rows = malloc((n + 1) * sizeof(*rows));
    struct arena *arena = arena_new();
    struct adversarial set = {0};
    const struct view *view =
        x && y && ids && rows && arena ? view_dataset(arena, ds, split->forget, n) : NULL;
    int rc = view ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rows[i] = i;
    if (rc == 0) {
        view_fill(view, rows, n, 0, 0, false, x, y, ids);
        rc = hosting_perturb(h, m, x, y, ids, n, &set, err);
    }
    if (rc == 0)
        rc = adversarial_save(&set, ds, split->forget, y, job->out, err);
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
    struct hosting h = {.seed = task_seed("adversarial", 1)};
    int rc = open_plugin(job, &h, err);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_model(job, &arch, &m, err);
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    h.ds = ds;
    h.split = &split;
    if (rc == 0)
        rc = perturb_forget_set(job, &h, m, err);
    split_release(&split);
    model_free(m);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}

/* ---- unlearning ---- */

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
    if (rc == 0 && (json_object_set_new(job->cost, "prepare_s", json_real(r->prepare_s)) != 0 ||
                    json_object_set_new(job->cost, "run_s", json_real(r->run_s)) != 0))
        rc = error_nomem(err);
    free(model);
    free(meters);
    return rc;
}

static int unlearn(struct job *job, struct hosting *h, const struct model *original,
                   struct error *err)
{
    struct adversarial sets[4] = {{0}};
    struct unlearn_result result = {{0}, 0, 0};
    struct model *m = NULL;
    uint32_t n_sets = 0;
    int rc = load_sets(job, sets, 4, &n_sets, err);
    if (rc == 0)
        rc = model_clone(original, &m, err);
    if (rc == 0)
        rc = hosting_unlearn(h, original, m, sets, n_sets, &result, err);
    if (rc == 0)
        rc = save_unlearned(job, m, &result, err);
    model_free(m);
    for (uint32_t i = 0; i < 4; i++)
        adversarial_release(&sets[i]);
    return rc;
}

int task_unlearn(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct arch *arch = NULL;
    struct model *original = NULL;
    struct split split = {0};
    struct recipe recipe;
    json_int_t seed = 0;
    struct hosting h = {.find_attack = find_attack, .find_arg = job};
    const char *recipe_line = job_text(job, "recipe", err);
    int rc = recipe_line ? recipe_from_text(recipe_line, &recipe, err) : err->code;
    if (rc == 0)
        rc = json_get_int(job->identity, job->path, "seed", &seed, err);
    if (rc == 0)
        rc = open_plugin(job, &h, err);
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
    if (rc == 0)
        rc = unlearn(job, &h, original, err);
    split_release(&split);
    model_free(original);
    arch_free(arch);
    dataset_free(ds);
    return rc;
}

/* ---- outputs of models ---- */

/* logits.npy of a predict task: (pool, classes). */
static int open_logits(struct job *job, const char *id, const struct dataset *ds, struct npy *ret,
                       struct error *err)
{
    char *dir = job_object(job, id, err);
    char *path = dir ? fs_join(dir, "logits.npy") : NULL;
    int rc = path ? npy_open(path, ret, err) : err->code ? err->code : error_nomem(err);
    if (rc == 0 &&
        (ret->n_dim != 2 || ret->type != NPY_F32 || ret->dim[0] != ds->n_train + ds->n_test)) {
        npy_release(ret);
        rc = error_set(err, ERR_INVALID, "%s: expected float32 logits of %u samples", path,
                       ds->n_train + ds->n_test);
    }
    free(path);
    free(dir);
    return rc;
}

/* ---- membership attacks ---- */

struct attack_input {
    struct npy target, *reference;
    uint32_t n_references;
    const float **logits; /* per reference: (pool, classes) */
    uint8_t **inclusion;  /* per reference: (pool) */
    uint8_t *known;       /* (pool): 1 member, 2 non-member given to the attack; 0 candidate */
    struct outputs members, nonmembers;
    float *fit_logits[2];
    int32_t *fit_y[2];
};

static void attack_input_release(struct attack_input *in)
{
    npy_release(&in->target);
    for (uint32_t i = 0; i < in->n_references; i++) {
        npy_release(&in->reference[i]);
        free(in->inclusion[i]);
    }
    for (int i = 0; i < 2; i++) {
        free(in->fit_logits[i]);
        free(in->fit_y[i]);
    }
    free(in->reference);
    free(in->logits);
    free(in->inclusion);
    free(in->known);
}

static int load_references(struct job *job, const struct dataset *ds, struct attack_input *in,
                           struct error *err)
{
    json_t *ids = json_object_get(job->identity, "references");
    uint32_t n = (uint32_t)json_array_size(ids), n_pool = ds->n_train + ds->n_test;
    json_int_t bank = json_integer_value(json_object_get(job->identity, "shadow_bank"));
    in->reference = calloc(n + 1, sizeof(*in->reference));
    in->logits = calloc(n + 1, sizeof(*in->logits));
    in->inclusion = calloc(n + 1, sizeof(*in->inclusion));
    if (!in->reference || !in->logits || !in->inclusion)
        return error_nomem(err);
    for (uint32_t k = 0; k < n; k++) {
        TRY(open_logits(job, json_string_value(json_array_get(ids, k)), ds, &in->reference[k],
                        err));
        in->n_references = k + 1;
        in->logits[k] = in->reference[k].bytes;
        in->inclusion[k] = malloc(n_pool + 1);
        if (!in->inclusion[k])
            return error_nomem(err);
        split_shadow(n_pool, task_seed("shadow-bank", bank), k, in->inclusion[k]);
    }
    return 0;
}

/* Copies the rows marked `mark` out of the target's logits. */
static int fit_outputs(const struct dataset *ds, struct attack_input *in, uint8_t mark, uint32_t n,
                       struct outputs *ret, struct error *err)
{
    size_t c = in->target.dim[1];
    int side = mark - 1;
    float *z = in->fit_logits[side] = malloc((n * c + 1) * sizeof(*z));
    int32_t *y = in->fit_y[side] = malloc((n + 1) * sizeof(*y));
    if (!z || !y)
        return error_nomem(err);
    const float *all = in->target.bytes; /* (pool, c) */
    for (uint32_t i = 0; i < ds->n_train + ds->n_test; i++) {
        if (in->known[i] != mark)
            continue;
        memcpy(z, all + i * c, c * sizeof(*z));
        z += c;
        *y++ = ds->labels[i];
    }
    *ret = (struct outputs){n, 1, (uint32_t)c, in->fit_logits[side], in->fit_y[side]};
    return 0;
}

/* The fold: equal numbers of retain and test samples, at most half of either, are shown to the
 * attack with their membership and never judged. */
static int draw_fit_fold(struct job *job, const struct dataset *ds, struct attack_input *in,
                         struct error *err)
{
    struct split split;
    struct rng rng;
    TRY(job_split(job, "fit", ds, &split, err));
    uint32_t n = (split.n_retain < split.n_test ? split.n_retain : split.n_test) / 2;
    uint32_t *pick = malloc((n + 1) * sizeof(*pick));
    in->known = calloc(ds->n_train + ds->n_test + 1, 1);
    int rc = pick && in->known ? 0 : error_nomem(err);
    if (rc == 0) {
        rng_stream(&rng, task_seed("fit-fold", 1), "members", 0);
        rng_choose(&rng, split.n_retain, n, pick);
        for (uint32_t i = 0; i < n; i++)
            in->known[split.retain[pick[i]]] = 1;
        rng_stream(&rng, task_seed("fit-fold", 1), "non-members", 0);
        rng_choose(&rng, split.n_test, n, pick);
        for (uint32_t i = 0; i < n; i++)
            in->known[split.test[pick[i]]] = 2;
        rc = fit_outputs(ds, in, 1, n, &in->members, err);
    }
    if (rc == 0)
        rc = fit_outputs(ds, in, 2, n, &in->nonmembers, err);
    free(pick);
    split_release(&split);
    return rc;
}

static int save_scores(struct job *job, const struct attack_input *in, uint32_t n_pool,
                       uint32_t n_scores, const char *const *names, const double *scores,
                       struct error *err)
{
    size_t dim[2] = {n_scores, n_pool}, known_dim[1] = {n_pool};
    char *path = job_out(job, "scores.npy"), *list = job_out(job, "scores.json");
    char *known = job_out(job, "known.npy");
    json_t *words = json_array();
    int rc = path && list && known && words ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n_scores; i++)
        rc = json_array_append_new(words, json_string(names[i])) ? error_nomem(err) : 0;
    if (rc == 0)
        rc = npy_write(path, NPY_F64, 2, dim, scores, err);
    if (rc == 0)
        rc = json_write_file(list, words, err);
    if (rc == 0 && in->known)
        rc = npy_write(known, NPY_U8, 1, known_dim, in->known, err);
    json_decref(words);
    free(path);
    free(list);
    free(known);
    return rc;
}

static int run_attack(struct job *job, const struct hosting *h, const struct dataset *ds,
                      struct attack_input *in, struct error *err)
{
    uint32_t n_pool = ds->n_train + ds->n_test, n_scores = 0;
    const char **names = NULL;
    double *scores = NULL;
    struct member_input m = {
        .candidates = {n_pool, 1, (uint32_t)in->target.dim[1], in->target.bytes, ds->labels},
        .n_models = in->n_references,
        .reference_logits = in->logits,
        .inclusion = (const uint8_t *const *)in->inclusion,
        .known_members = in->known ? &in->members : NULL,
        .known_nonmembers = in->known ? &in->nonmembers : NULL};
    int rc = hosting_member(h, &m, &n_scores, &names, &scores, err);
    if (rc == 0)
        rc = save_scores(job, in, n_pool, n_scores, names, scores, err);
    free(scores);
    free(names);
    return rc;
}

int task_attack(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct attack_input in = {0};
    struct hosting h = {0};
    json_int_t seed = 1;
    const char *target = job_text(job, "target", err);
    int rc = target ? open_plugin(job, &h, err) : err->code;
    if (rc == 0)
        rc = json_get_int(job->identity, job->path, "seed", &seed, err);
    h.seed = task_seed("attack", seed);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = open_logits(job, target, ds, &in.target, err);
    if (rc == 0)
        rc = load_references(job, ds, &in, err);
    if (rc == 0 && json_object_get(job->identity, "fit"))
        rc = draw_fit_fold(job, ds, &in, err);
    if (rc == 0)
        rc = run_attack(job, &h, ds, &in, err);
    attack_input_release(&in);
    dataset_free(ds);
    return rc;
}

/* ---- metrics ---- */

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
    int rc = target ? open_plugin(job, &h, err) : err->code;
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    if (rc == 0)
        rc = open_logits(job, target, ds, &logits, err);
    if (rc == 0)
        rc = run_metric(job, &h, ds, &split, &logits, err);
    npy_release(&logits);
    split_release(&split);
    dataset_free(ds);
    return rc;
}
