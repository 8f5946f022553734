/* files_selftest.c: `lethe selftest attacks`: every membership attack against a model that is known
 * to leak and one that cannot. Images are noise and labels are drawn, so that a model can do
 * nothing but memorise: the overfit model must be seen through, and a model that never saw the
 * candidates must look innocent. */
#include <stdlib.h>
#include <string.h>

#include "files_attack.h"
#include "fs.h"
#include "member_set.h"
#include "rng.h"
#include "split.h"
#include "stats.h"
#include "task.h"

enum {
    N_POOL = 1600, /* each model is trained on half of them */
    N_FRESH = 800, /* what the innocent model is trained on */
    N_SHADOWS = 16,
    N_KNOWN = 200, /* of either side, told to attacks that are fitted */
    N_CLASSES = 10,
    SIDE = 24,
    EPOCHS = 42
};

struct selftest {
    struct files_job *job;
    uint64_t seed;
    struct arch *arch;
    float *x;                                 /* (N_POOL + N_FRESH, 1, SIDE, SIDE) */
    int32_t *y;                               /* (N_POOL + N_FRESH) */
    float *logits[N_SHADOWS + 2];             /* (N_POOL, N_CLASSES): shadows, overfit, innocent */
    uint8_t *inclusion[N_SHADOWS + 1];        /* (N_POOL) */
    uint32_t *candidate, n_candidates;        /* rows that are judged */
    struct member_set known[2][2], judged[2]; /* by model; known by side */
};

enum { OVERFIT = 0, INNOCENT = 1 };

static void selftest_release(struct selftest *t)
{
    for (int k = 0; k < N_SHADOWS + 2; k++)
        free(t->logits[k]);
    for (int k = 0; k < N_SHADOWS + 1; k++)
        free(t->inclusion[k]);
    for (int m = 0; m < 2; m++) {
        member_set_release(&t->known[m][0]);
        member_set_release(&t->known[m][1]);
        member_set_release(&t->judged[m]);
    }
    free(t->x);
    free(t->y);
    free(t->candidate);
    arch_free(t->arch);
}

static int make_arch(struct selftest *t, struct error *err)
{
    static const char text[] = "{arch: mlp, width: 256}";
    static const uint32_t input[3] = {1, SIDE, SIDE};
    struct yaml_node *node = NULL;
    TRY(yaml_parse("selftest", text, sizeof(text) - 1, &node, err));
    int rc = arch_parse(node, input, N_CLASSES, &t->arch, err);
    yaml_free(node);
    return rc;
}

static int make_data(struct selftest *t, struct error *err)
{
    size_t n = N_POOL + N_FRESH;
    struct rng rng;
    t->x = malloc(n * SIDE * SIDE * sizeof(*t->x));
    t->y = malloc(n * sizeof(*t->y));
    if (!t->x || !t->y)
        return error_nomem(err);
    rng_stream(&rng, t->seed, "images", 0);
    rng_fill_uniform(&rng, t->x, n * SIDE * SIDE);
    rng_stream(&rng, t->seed, "labels", 0);
    for (size_t i = 0; i < n; i++)
        t->y[i] = (int32_t)rng_below(&rng, N_CLASSES);
    return 0;
}

static int train(const struct selftest *t, struct model *m, const struct view *view, uint64_t seed,
                 struct error *err)
{
    struct recipe recipe;
    recipe_defaults(&recipe);
    recipe.epochs = EPOCHS;
    recipe.batch = 32;
    recipe.lr = 1e-3;
    recipe.optim.kind = OPTIM_ADAM;
    recipe.schedule.kind = SCHEDULE_COSINE;
    struct files_source source = {view, seed, false};
    struct batch_source batches = {(uint32_t)view_count(view), files_fill, &source};
    model_init(m, seed, "init");
    return train_run(m, &recipe, &batches, seed, t->job->par, NULL, err);
}

static int predict(const struct selftest *t, const struct model *m, struct arena *arena, float *ret,
                   struct error *err)
{
    static const uint32_t shape[3] = {1, SIDE, SIDE};
    const struct view *view = view_arrays(arena, t->x, t->y, N_POOL, shape);
    struct files_source source = {view, 0, false};
    struct batch_source batches = {N_POOL, files_fill, &source};
    return view ? predict_run(m, &batches, 256, t->job->par, ret, err) : error_nomem(err);
}

/* Model k: a shadow, the overfit or the innocent one; its logits on the pool. */
static int make_model(struct selftest *t, uint32_t k, struct error *err)
{
    static const uint32_t shape[3] = {1, SIDE, SIDE};
    struct arena *arena = arena_new();
    struct model *m = NULL;
    uint32_t *rows = malloc((N_POOL + N_FRESH) * sizeof(*rows)), n = 0;
    t->logits[k] = malloc((size_t)N_POOL * N_CLASSES * sizeof(**t->logits));
    int rc = arena && rows && t->logits[k] ? model_new(t->arch, &m, err) : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < N_POOL + N_FRESH; i++)
        if (k > N_SHADOWS ? i >= N_POOL : i < N_POOL && t->inclusion[k][i])
            rows[n++] = i;
    const struct view *all =
        rc == 0 ? view_arrays(arena, t->x, t->y, N_POOL + N_FRESH, shape) : NULL;
    const struct view *view = all ? view_subset(arena, all, rows, n) : NULL;
    if (rc == 0)
        rc = view ? train(t, m, view, t->seed + 1 + k, err) : error_nomem(err);
    if (rc == 0)
        rc = predict(t, m, arena, t->logits[k], err);
    model_free(m);
    free(rows);
    arena_free(arena);
    return rc;
}

static int make_models(struct selftest *t, struct error *err)
{
    for (uint32_t k = 0; k < N_SHADOWS + 1; k++) {
        if (!(t->inclusion[k] = malloc(N_POOL)))
            return error_nomem(err);
        split_shadow(N_POOL, t->seed, k, t->inclusion[k]);
    }
    for (uint32_t k = 0; k < N_SHADOWS + 2; k++) {
        TRY(make_model(t, k, err));
        events_progress(t->job->events, (k + 1.0) / (N_SHADOWS + 3), "models");
    }
    return 0;
}

/* The first N_KNOWN of either side are told, the others judged; the same for both models. */
static int make_sets(struct selftest *t, struct error *err)
{
    const uint8_t *truth = t->inclusion[N_SHADOWS];
    uint32_t known[2][N_KNOWN], n[2] = {0, 0};
    t->candidate = malloc(N_POOL * sizeof(*t->candidate));
    if (!t->candidate)
        return error_nomem(err);
    for (uint32_t i = 0; i < N_POOL; i++) {
        int side = truth[i] ? 0 : 1;
        if (n[side] < N_KNOWN)
            known[side][n[side]++] = i;
        else
            t->candidate[t->n_candidates++] = i;
    }
    for (int m = 0; m < 2; m++) {
        struct member_input all = {
            .candidates = {N_POOL, 1, N_CLASSES, t->logits[N_SHADOWS + m], t->y},
            .n_models = N_SHADOWS,
            .reference_logits = (const float *const *)t->logits,
            .inclusion = (const uint8_t *const *)t->inclusion};
        for (int side = 0; side < 2; side++)
            TRY(member_set_take(&all, known[side], n[side], &t->known[m][side], err));
        TRY(member_set_take(&all, t->candidate, t->n_candidates, &t->judged[m], err));
    }
    return 0;
}

static int auc_of(const struct selftest *t, const double *score, double *ret, struct error *err)
{
    double *side[2] = {malloc(N_POOL * sizeof(double)), malloc(N_POOL * sizeof(double))};
    size_t n[2] = {0, 0};
    struct roc roc;
    int rc = side[0] && side[1] ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < t->n_candidates; i++) {
        int out = !t->inclusion[N_SHADOWS][t->candidate[i]];
        side[out][n[out]++] = score[i];
    }
    if (rc == 0)
        rc = roc_make(side[0], n[0], side[1], n[1], &roc, err);
    free(side[0]);
    free(side[1]);
    if (rc < 0)
        return rc;
    *ret = roc.auc;
    roc_release(&roc);
    return 0;
}

/* The plugin's scores (n_scores, candidates) of one of the two models. */
static int score(const struct selftest *t, struct hosting *h, int model, bool fit,
                 uint32_t *ret_n_scores, const char ***ret_names, double **ret, struct error *err)
{
    const struct member_set *j = &t->judged[model];
    struct member_input in = {.candidates = j->o,
                              .n_models = N_SHADOWS,
                              .reference_logits = (const float *const *)j->reference,
                              .inclusion = (const uint8_t *const *)j->inclusion};
    for (int side = 0; fit && side < 2; side++)
        member_set_known(&t->known[model][side], side, &in);
    return hosting_member(h, &in, ret_n_scores, ret_names, ret, err);
}

static int add_row(json_t *rows, const char *id, const char *name, const double auc[2],
                   double seconds, struct error *err)
{
    json_t *row = json_pack("{s:s,s:s,s:f,s:f,s:f}", "attack", id, "score", name, "overfit",
                            auc[OVERFIT], "unseen", auc[INNOCENT], "seconds", seconds);
    return row && json_array_append_new(rows, row) == 0 ? 0 : error_nomem(err);
}

static int try_attack(const struct selftest *t, const json_t *plugin, json_t *rows,
                      struct error *err)
{
    struct hosting h = {
        .params = json_object_get(plugin, "params"), .seed = t->seed, .par = t->job->par};
    const char *path, **names[2] = {NULL, NULL};
    double *scores[2] = {NULL, NULL}, auc[2];
    uint32_t n = 0;
    uint64_t start = fs_now_ns();
    bool fit = json_is_true(json_object_get(plugin, "fit"));
    TRY(json_get_string(plugin, t->job->path, "path", &path, err));
    TRY(json_get_string(plugin, t->job->path, "id", &h.plugin_id, err));
    int rc = plugin_open(path, &h.file, err);
    for (int m = 0; rc == 0 && m < 2; m++)
        rc = score(t, &h, m, fit, &n, &names[m], &scores[m], err);
    double seconds = (double)(fs_now_ns() - start) / 2e9;
    for (uint32_t s = 0; rc == 0 && s < n; s++) {
        for (int m = 0; rc == 0 && m < 2; m++)
            rc = auc_of(t, scores[m] + (size_t)s * t->n_candidates, &auc[m], err);
        if (rc == 0)
            rc = add_row(rows, h.plugin_id, names[0][s], auc, seconds / n, err);
    }
    for (int m = 0; m < 2; m++) {
        free(names[m]);
        free(scores[m]);
    }
    return rc < 0 ? error_prefix(err, "%s", h.plugin_id) : 0;
}

int files_selftest(struct files_job *job, struct error *err)
{
    struct selftest t = {.job = job};
    json_t *rows = json_array(), *plugin;
    json_int_t seed;
    size_t i;
    int rc = rows ? json_get_int(job->json, job->path, "seed", &seed, err) : error_nomem(err);
    if (rc == 0) {
        t.seed = task_seed("selftest", seed);
        rc = make_arch(&t, err);
    }
    if (rc == 0)
        rc = make_data(&t, err);
    if (rc == 0)
        rc = make_models(&t, err);
    if (rc == 0)
        rc = make_sets(&t, err);
    json_array_foreach(json_object_get(job->json, "plugins"), i, plugin)
    {
        if (rc == 0)
            rc = try_attack(&t, plugin, rows, err);
    }
    if (rc == 0 &&
        (json_object_set(job->result, "rows", rows) != 0 ||
         json_object_set_new(job->result, "members", json_integer(N_POOL / 2 - N_KNOWN)) != 0))
        rc = error_nomem(err);
    json_decref(rows);
    selftest_release(&t);
    return rc;
}
