/* Membership attacks: scores of the whole pool, without the truth. */
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "member_set.h"
#include "npy.h"
#include "rng.h"
#include "task.h"
#include "unlearned_shadow.h"

struct attack_input {
    struct npy target, *reference;
    uint32_t n_references;
    const float **logits; /* per reference: (pool, classes) */
    uint8_t **inclusion;  /* per reference: (pool) */
    uint8_t
        *known; /* (pool): 1 member, 2 non-member given to the attack; 0 candidate; 3 not judged */
    struct member_set fit[2];     /* members, non-members */
    uint32_t *judged, n_judged;   /* (n_judged) pool ids; NULL: the whole pool is judged */
    struct member_set candidates; /* of the judged alone */
};

static void attack_input_release(struct attack_input *in)
{
    npy_release(&in->target);
    for (uint32_t i = 0; i < in->n_references; i++) {
        npy_release(&in->reference[i]);
        free(in->inclusion[i]);
    }
    for (int i = 0; i < 2; i++)
        member_set_release(&in->fit[i]);
    free(in->reference);
    free(in->logits);
    free(in->inclusion);
    free(in->known);
    free(in->judged);
    member_set_release(&in->candidates);
}

/* inclusion.npy of imported outputs of a shadow model: what task_import_shadow wrote. */
static int load_inclusion(struct job *job, const char *id, uint32_t n_pool, uint8_t *ret,
                          struct error *err)
{
    struct npy a = {0};
    char *dir = job_object(job, id, err), *path = dir ? fs_join(dir, "inclusion.npy") : NULL;
    int rc = path ? npy_open(path, &a, err) : dir ? error_nomem(err) : err->code;
    if (rc == 0 && (a.type != NPY_U8 || a.n != n_pool))
        rc = error_set(err, ERR_INVALID, "%s: expected one byte for each of %u rows", path, n_pool);
    if (rc == 0)
        memcpy(ret, a.bytes, n_pool);
    npy_release(&a);
    free(path);
    free(dir);
    return rc;
}

static int load_references(struct job *job, const struct dataset *ds, struct attack_input *in,
                           struct error *err)
{
    json_t *ids = json_object_get(job->identity, "references");
    uint32_t n = (uint32_t)json_array_size(ids), n_pool = ds->n_train + ds->n_test;
    json_int_t bank = json_integer_value(json_object_get(job->identity, "shadow_bank"));
    bool imported = json_object_get(job->identity, "inclusion") != NULL;
    in->reference = calloc(n + 1, sizeof(*in->reference));
    in->logits = calloc(n + 1, sizeof(*in->logits));
    in->inclusion = calloc(n + 1, sizeof(*in->inclusion));
    if (!in->reference || !in->logits || !in->inclusion)
        return error_nomem(err);
    for (uint32_t k = 0; k < n; k++) {
        const char *id = json_string_value(json_array_get(ids, k));
        TRY(job_logits(job, id, ds, &in->reference[k], err));
        in->n_references = k + 1;
        in->logits[k] = in->reference[k].bytes;
        in->inclusion[k] = malloc(n_pool + 1);
        if (!in->inclusion[k])
            return error_nomem(err);
        if (imported)
            TRY(load_inclusion(job, id, n_pool, in->inclusion[k], err));
        else
            split_shadow(n_pool, task_seed("shadow-bank", bank), k, in->inclusion[k]);
    }
    return 0;
}

/* n of the candidates (n_of), drawn, marked and copied out. */
static int draw_side(const struct member_input *pool, const uint32_t *candidates, uint32_t n_of,
                     const char *stream, uint8_t mark, uint32_t n, struct attack_input *in,
                     struct error *err)
{
    struct rng rng;
    uint32_t *pick = malloc((n + 1) * sizeof(*pick)), k = 0;
    if (!pick)
        return error_nomem(err);
    rng_stream(&rng, task_seed("fit-fold", 1), stream, 0);
    rng_choose(&rng, n_of, n, pick);
    for (uint32_t i = 0; i < n; i++)
        in->known[candidates[pick[i]]] = mark;
    for (uint32_t i = 0; i < pool->candidates.n; i++)
        if (in->known[i] == mark)
            pick[k++] = i;
    int rc = member_set_take(pool, pick, n, &in->fit[mark - 1], err);
    free(pick);
    return rc;
}

/* The fold: equal numbers of retain and test samples, at most half of either, are shown to the
 * attack with their membership and never judged. */
static int draw_fit_fold(struct job *job, const struct dataset *ds, const struct member_input *pool,
                         struct attack_input *in, struct error *err)
{
    struct split split;
    TRY(job_split(job, "fit", ds, &split, err));
    uint32_t n = (split.n_retain < split.n_test ? split.n_retain : split.n_test) / 2;
    in->known = calloc(ds->n_train + ds->n_test + 1, 1);
    int rc = in->known ? 0 : error_nomem(err);
    if (rc == 0)
        rc = draw_side(pool, split.retain, split.n_retain, "members", 1, n, in, err);
    if (rc == 0)
        rc = draw_side(pool, split.test, split.n_test, "non-members", 2, n, in, err);
    split_release(&split);
    return rc;
}

/* Attacks on unlearning judge samples that shadow models have unlearned, and no others: the rest is
 * marked 3 in known, so that nobody evaluates it. */
static int choose_judged(struct job *job, const struct dataset *ds, struct member_input *m,
                         struct attack_input *in, struct error *err)
{
    uint32_t n_pool = ds->n_train + ds->n_test;
    in->known = malloc(n_pool + 1u);
    in->judged = malloc((n_pool + 1u) * sizeof(*in->judged));
    if (!in->known || !in->judged)
        return error_nomem(err);
    TRY(shadow_judged(ds, json_object_get(job->identity, "unlearned"), in->known, err));
    for (uint32_t i = 0; i < n_pool; i++) {
        if (in->known[i])
            in->judged[in->n_judged++] = i;
        in->known[i] = in->known[i] ? 0 : 3;
    }
    TRY(member_set_take(m, in->judged, in->n_judged, &in->candidates, err));
    m->candidates = in->candidates.o;
    m->reference_logits = (const float *const *)in->candidates.reference;
    m->inclusion = (const uint8_t *const *)in->candidates.inclusion;
    return 0;
}

/* From (n_scores, n_judged) to (n_scores, n_pool), 0 for the others. */
static int spread_scores(const struct attack_input *in, uint32_t n_pool, uint32_t n_scores,
                         double **scores, struct error *err)
{
    double *all = calloc((size_t)n_scores * n_pool + 1, sizeof(*all));
    if (!all)
        return error_nomem(err);
    for (uint32_t s = 0; s < n_scores; s++)
        for (uint32_t i = 0; i < in->n_judged; i++)
            all[(size_t)s * n_pool + in->judged[i]] = (*scores)[(size_t)s * in->n_judged + i];
    free(*scores);
    *scores = all;
    return 0;
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
    bool fit = json_object_get(job->identity, "fit") != NULL;
    uint32_t n_pool = ds->n_train + ds->n_test, n_scores = 0;
    const char **names = NULL;
    double *scores = NULL;
    struct member_input m = {
        .candidates = {n_pool, 1, (uint32_t)in->target.dim[1], in->target.bytes, ds->labels},
        .n_models = in->n_references,
        .reference_logits = in->logits,
        .inclusion = (const uint8_t *const *)in->inclusion};
    int rc = fit ? draw_fit_fold(job, ds, &m, in, err) : 0;
    for (int side = 0; rc == 0 && fit && side < 2; side++)
        member_set_known(&in->fit[side], side, &m);
    if (rc == 0 && json_object_get(job->identity, "unlearned"))
        rc = choose_judged(job, ds, &m, in, err);
    if (rc == 0)
        rc = hosting_member(h, &m, &n_scores, &names, &scores, err);
    if (rc == 0 && in->judged)
        rc = spread_scores(in, n_pool, n_scores, &scores, err);
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
    int rc = target ? job_plugin(job, &h, err) : err->code;
    if (rc == 0)
        rc = json_get_int(job->identity, job->path, "seed", &seed, err);
    h.seed = task_seed("attack", seed);
    if (rc == 0)
        rc = job_dataset(job, &ds, err);
    if (rc == 0)
        rc = job_logits(job, target, ds, &in.target, err);
    if (rc == 0)
        rc = load_references(job, ds, &in, err);
    if (rc == 0)
        rc = run_attack(job, &h, ds, &in, err);
    attack_input_release(&in);
    dataset_free(ds);
    return rc;
}
