/* From membership scores to AUCs: runs in a process of its own, since the truth
 * of membership never enters the one that scores. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "fs.h"
#include "npy.h"
#include "rng.h"
#include "stats.h"
#include "task.h"
#include "text.h"

/* Scores by role, without the samples that the attack was fitted on. */
struct sides {
    double *score[3]; /* by enum row_role: retain, forget, test */
    size_t n[3];
};

static int split_scores(const double *scores, const struct split *split, const uint8_t *known,
                        struct sides *ret, struct error *err)
{
    memset(ret, 0, sizeof(*ret));
    for (int r = 0; r < 3; r++)
        if (!(ret->score[r] = malloc((split->n + 1) * sizeof(double))))
            return error_nomem(err);
    for (uint32_t i = 0; i < split->n; i++) {
        uint8_t role = split->role[i];
        if (role <= ROW_TEST && !(known && known[i]))
            ret->score[role][ret->n[role]++] = scores[i];
    }
    return 0;
}

static void sides_release(struct sides *s)
{
    for (int r = 0; r < 3; r++)
        free(s->score[r]);
}

static int auc(const struct sides *s, int pos, int neg, double *ret, struct error *err)
{
    struct roc roc;
    TRY(roc_make(s->score[pos], s->n[pos], s->score[neg], s->n[neg], &roc, err));
    *ret = roc.auc;
    roc_release(&roc);
    return 0;
}

/* AMUN's protocol (rmia_evaluate.py): n = size of the smallest of the three sets, drawn without
 * replacement from the larger ones in the order test, forget, retain; mean over three draws. */
static int balanced_auc(const struct sides *s, double *ret, struct error *err)
{
    size_t n = s->n[0] < s->n[1] ? s->n[0] : s->n[1];
    n = n < s->n[2] ? n : s->n[2];
    uint32_t *pick = malloc((n + 1) * sizeof(*pick));
    double *side[2] = {malloc((n + 1) * sizeof(double)), malloc((n + 1) * sizeof(double))};
    const int order[2] = {ROW_TEST, ROW_FORGET};
    double sum = 0;
    int rc = pick && side[0] && side[1] ? 0 : error_nomem(err);
    for (uint64_t draw = 0; rc == 0 && draw < 3; draw++) {
        struct rng rng;
        rng_stream(&rng, task_seed("evaluate", 1), "balanced", draw);
        for (int k = 0; k < 2; k++) {
            rng_choose(&rng, (uint32_t)s->n[order[k]], (uint32_t)n, pick);
            for (size_t i = 0; i < n; i++)
                side[k][i] = s->score[order[k]][pick[i]];
        }
        struct roc roc;
        rc = roc_make(side[1], n, side[0], n, &roc, err);
        if (rc == 0) {
            sum += roc.auc;
            roc_release(&roc);
        }
    }
    *ret = sum / 3;
    free(pick);
    free(side[0]);
    free(side[1]);
    return rc;
}

static int add_value(json_t *values, const char *score, const char *suffix, double v,
                     struct error *err)
{
    char *key = text_format("%s%s%s", score, *score ? "." : "", suffix);
    int rc =
        key && json_object_set_new(values, key, json_number_or_null(v)) == 0 ? 0 : error_nomem(err);
    free(key);
    return rc;
}

static json_t *number_array(const double *v, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < n; i++)
        if (json_array_append_new(a, json_real(v[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    return a;
}

static int add_curve(json_t *curves, const char *score, const struct roc *roc, struct error *err)
{
    char *key = text_format("%s%sforget_test", score, *score ? "." : "");
    json_t *curve = json_pack("{s:o,s:o}", "x", number_array(roc->fpr, roc->n), "y",
                              number_array(roc->tpr, roc->n));
    int rc = key && curve && json_object_set(curves, key, curve) == 0 ? 0 : error_nomem(err);
    json_decref(curve);
    free(key);
    return rc;
}

static int evaluate_score(const double *scores, const char *name, const struct split *split,
                          const uint8_t *known, json_t *values, json_t *curves, struct error *err)
{
    struct sides s;
    struct roc roc = {0};
    double retain_test = 0, forget_retain = 0, balanced = 0;
    int rc = split_scores(scores, split, known, &s, err);
    if (rc == 0)
        rc = roc_make(s.score[ROW_FORGET], s.n[ROW_FORGET], s.score[ROW_TEST], s.n[ROW_TEST], &roc,
                      err);
    if (rc == 0)
        rc = auc(&s, ROW_RETAIN, ROW_TEST, &retain_test, err);
    if (rc == 0)
        rc = auc(&s, ROW_RETAIN, ROW_FORGET, &forget_retain, err);
    if (rc == 0)
        rc = balanced_auc(&s, &balanced, err);
    /* in the order of attack_values (columns.c) */
    const double v[] = {roc.auc,
                        retain_test,
                        forget_retain,
                        balanced,
                        roc_tpr_at(&roc, 0.01),
                        roc_tpr_at(&roc, 0.001)};
    for (size_t i = 0; rc == 0 && attack_values[i].suffix; i++)
        rc = add_value(values, name, attack_values[i].suffix, v[i], err);
    if (rc == 0)
        rc = add_curve(curves, name, &roc, err);
    roc_release(&roc);
    sides_release(&s);
    return rc;
}

/* Object of the attack task: scores.npy (n_scores, pool), scores.json, known.npy. */
static int evaluate_dir(struct job *job, const char *dir, const struct split *split,
                        struct error *err)
{
    struct npy scores = {0}, known = {0};
    json_t *names = NULL, *values = json_object(), *curves = json_object(), *all = NULL;
    char *path = fs_join(dir, "scores.npy"), *list = fs_join(dir, "scores.json");
    char *mask = fs_join(dir, "known.npy"), *out = job_out(job, "values.json");
    int rc = path && list && mask && out && values && curves ? npy_open(path, &scores, err)
                                                             : error_nomem(err);
    if (rc == 0)
        rc = json_read_file(list, &names, err);
    if (rc == 0 && fs_exists(mask))
        rc = npy_open(mask, &known, err);
    if (rc == 0 &&
        (scores.n_dim != 2 || scores.type != NPY_F64 || scores.dim[1] != split->n ||
         scores.dim[0] != json_array_size(names) || (known.bytes && known.n != split->n)))
        rc = error_set(err, ERR_INVALID, "%s: not the scores of %u samples", path, split->n);
    for (size_t i = 0; rc == 0 && i < scores.dim[0]; i++)
        rc = evaluate_score((const double *)scores.bytes + i * split->n,
                            json_string_value(json_array_get(names, i)), split, known.bytes, values,
                            curves, err);
    if (rc == 0)
        all = json_pack("{s:O,s:{},s:O}", "values", values, "notes", "curves", curves);
    if (rc == 0)
        rc = all ? json_write_file(out, all, err) : error_nomem(err);
    npy_release(&scores);
    npy_release(&known);
    json_decref(all);
    json_decref(values);
    json_decref(curves);
    json_decref(names);
    free(path);
    free(list);
    free(mask);
    free(out);
    return rc;
}

int task_evaluate(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct split split = {0};
    char *dir = job_input(job, "scores", err);
    int rc = dir ? job_dataset(job, &ds, err) : err->code;
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    if (rc == 0)
        rc = evaluate_dir(job, dir, &split, err);
    free(dir);
    split_release(&split);
    dataset_free(ds);
    return rc;
}
