/* From membership scores to AUCs: runs in a process of its own, since the truth
 * of membership never enters the one that scores. */
#include <stdlib.h>

#include "fs.h"
#include "npy.h"
#include "score_values.h"
#include "task.h"

/* Object of the attack task: scores.npy (n_scores, pool), scores.json, known.npy. */
static int evaluate_dir(struct job *job, const char *dir, const struct split *split,
                        struct error *err)
{
    struct npy scores = {0}, known = {0};
    bool unlearned = json_is_true(json_object_get(job->identity, "unlearned"));
    json_t *names = NULL, *all = json_pack("{s:{},s:{},s:{}}", "values", "notes", "curves");
    struct score_report report = {json_object_get(all, "values"), json_object_get(all, "notes"),
                                  json_object_get(all, "curves")};
    char *path = fs_join(dir, "scores.npy"), *list = fs_join(dir, "scores.json");
    char *mask = fs_join(dir, "known.npy"), *out = job_out(job, "values.json");
    int rc = path && list && mask && out && all ? npy_open(path, &scores, err) : error_nomem(err);
    if (rc == 0)
        rc = json_read_file(list, &names, err);
    if (rc == 0 && fs_exists(mask))
        rc = npy_open(mask, &known, err);
    if (rc == 0 &&
        (scores.n_dim != 2 || scores.type != NPY_F64 || scores.dim[1] != split->n ||
         scores.dim[0] != json_array_size(names) || (known.bytes && known.n != split->n)))
        rc = error_set(err, ERR_INVALID, "%s: not the scores of %u samples", path, split->n);
    for (size_t i = 0; rc == 0 && i < scores.dim[0]; i++) {
        const double *v = (const double *)scores.bytes + i * split->n;
        const char *name = json_string_value(json_array_get(names, i));
        rc = score_values(v, split->role, known.bytes, split->n, name, &report, err);
        if (rc == 0 && unlearned)
            rc = score_accuracy(v, split->role, known.bytes, split->n, name, &report, err);
    }
    if (rc == 0)
        rc = json_write_file(out, all, err);
    npy_release(&scores);
    npy_release(&known);
    json_decref(all);
    json_decref(names);
    free(path);
    free(list);
    free(mask);
    free(out);
    return rc;
}

/* Attacks on unlearning judge the forget set against samples of the same kind that were never seen:
 * in class scenarios those are the test rows of the forgotten classes. */
static void forgotten_as_test(struct split *split)
{
    for (uint32_t i = 0; i < split->n; i++)
        if (split->role[i] == ROW_TEST_FORGOTTEN)
            split->role[i] = ROW_TEST;
}

int task_evaluate(struct job *job, struct error *err)
{
    struct dataset *ds = NULL;
    struct split split = {0};
    char *dir = job_input(job, "scores", err);
    int rc = dir ? job_dataset(job, &ds, err) : err->code;
    if (rc == 0)
        rc = job_split(job, "forget", ds, &split, err);
    if (rc == 0 && json_is_true(json_object_get(job->identity, "unlearned")))
        forgotten_as_test(&split);
    if (rc == 0)
        rc = evaluate_dir(job, dir, &split, err);
    free(dir);
    split_release(&split);
    dataset_free(ds);
    return rc;
}
