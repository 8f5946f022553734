#include "gather_curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "npy.h"
#include "text.h"

void gather_curves_release(struct gather_curves *g)
{
    dataset_free(g->ds);
    g->ds = NULL;
}

/* Takes x and y, of n points. */
static int add(struct result_row *row, const char *name, const char *series, size_t n, double *x,
               double *y, struct error *err)
{
    struct result_curve *grown = realloc(row->curve, (row->n_curves + 1) * sizeof(*grown));
    char *name_copy = text_dup(name), *series_copy = text_dup(series);
    if (grown)
        row->curve = grown;
    if (!grown || !name_copy || !series_copy) {
        free(name_copy);
        free(series_copy);
        free(x);
        free(y);
        return error_nomem(err);
    }
    row->curve[row->n_curves++] = (struct result_curve){name_copy, series_copy, n, x, y};
    return 0;
}

static int two_columns(size_t n, double **ret_x, double **ret_y, struct error *err)
{
    *ret_x = malloc((n + 1) * sizeof(double));
    *ret_y = calloc(n + 1, sizeof(double));
    if (*ret_x && *ret_y)
        return 0;
    free(*ret_x);
    free(*ret_y);
    return error_nomem(err);
}

/* A file of a finished task; *ret is NULL when there is none. */
static int file_of(const struct gather_curves *g, const char *id, const char *name, char **ret,
                   struct error *err)
{
    *ret = store_path(g->store, id, name);
    if (!*ret)
        return error_nomem(err);
    if (!fs_exists(*ret)) {
        free(*ret);
        *ret = NULL;
    }
    return 0;
}

/* ---- training ---- */

static int read_training(const char *path, struct result_row *row, struct error *err)
{
    static const char *const series[] = {"loss", "accuracy"};
    struct csv_table t;
    TRY(csv_read(path, 1 << 24, &t, err));
    int epoch = csv_column(&t, "epoch"), rc = 0;
    for (size_t s = 0; rc == 0 && s < 2; s++) {
        int c = csv_column(&t, series[s]);
        double *x, *y;
        if (epoch < 0 || c < 0)
            continue;
        rc = two_columns(t.n_rows, &x, &y, err);
        if (rc < 0)
            break;
        for (size_t i = 0; i < t.n_rows; i++) {
            x[i] = y[i] = NAN;
            text_to_real(t.row[i][epoch], &x[i]);
            text_to_real(t.row[i][c], &y[i]);
        }
        rc = add(row, "training", series[s], t.n_rows, x, y, err);
    }
    csv_release(&t);
    return rc;
}

static int add_training(const struct gather_curves *g, const struct plan_row *r,
                        struct result_row *row, struct error *err)
{
    char *path;
    if (g->plan->task[r->model].kind != TASK_TRAIN)
        return 0;
    TRY(file_of(g, g->plan->task[r->model].id, "training.csv", &path, err));
    int rc = path ? read_training(path, row, err) : 0;
    free(path);
    return rc;
}

/* ---- the split ---- */

static int map_dataset(struct gather_curves *g, struct error *err)
{
    for (unsigned i = 0; !g->ds && i < g->plan->n; i++) {
        const struct task *t = &g->plan->task[i];
        if (t->kind != TASK_DATA || t->state != TASK_DONE)
            continue;
        char *dir = store_path(g->store, t->id, NULL);
        int rc = dir ? dataset_map(dir, &g->ds, err) : error_nomem(err);
        free(dir);
        return rc;
    }
    return 0;
}

static int split_of(struct gather_curves *g, const struct plan_row *r, struct split *ret,
                    struct error *err)
{
    struct forget_spec spec;
    uint64_t seed;
    TRY(forget_from_json(r->forget, &spec, &seed, err));
    int rc = split_make(g->ds, &spec, seed, ret, err);
    forget_release(&spec);
    return rc;
}

/* ---- predictions ---- */

static uint32_t largest(const float *z, size_t n)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < n; k++)
        if (z[k] > z[best])
            best = k;
    return best;
}

/* Shares of the predicted classes among the forgotten samples of one class. */
static int add_class(const struct gather_curves *g, const struct npy *logits,
                     const struct split *split, int32_t label, struct result_row *row,
                     struct error *err)
{
    size_t n_classes = logits->dim[1];
    const float *z = logits->bytes;
    double *x, *y, n = 0;
    char series[16];
    TRY(two_columns(n_classes, &x, &y, err));
    for (size_t k = 0; k < n_classes; k++)
        x[k] = (double)k;
    for (uint32_t i = 0; i < split->n_forget; i++) {
        uint32_t id = split->forget[i];
        if (g->ds->labels[id] != label)
            continue;
        y[largest(z + id * n_classes, n_classes)]++;
        n++;
    }
    for (size_t k = 0; k < n_classes; k++)
        y[k] = n > 0 ? y[k] / n : NAN;
    snprintf(series, sizeof(series), "%d", (int)label);
    return add(row, "predictions", series, n_classes, x, y, err);
}

static int add_predictions(struct gather_curves *g, const struct plan_row *r,
                           const struct forget_spec *scenario, const struct split *split,
                           struct result_row *row, struct error *err)
{
    char *path;
    struct npy logits = {0};
    if (r->predict == NO_TASK || g->plan->task[r->predict].state != TASK_DONE)
        return 0;
    TRY(file_of(g, g->plan->task[r->predict].id, "logits.npy", &path, err));
    int rc = path ? npy_open(path, &logits, err) : 0;
    bool fits =
        rc == 0 && path && logits.n_dim == 2 && logits.type == NPY_F32 && logits.dim[0] == split->n;
    for (uint32_t k = 0; rc == 0 && fits && k < scenario->n_classes; k++)
        rc = add_class(g, &logits, split, scenario->classes[k], row, err);
    npy_release(&logits);
    free(path);
    return rc;
}

/* ---- risk ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Number of sorted values (n) below v, or at most v. */
static size_t count_below(const double *sorted, size_t n, double v, bool or_equal)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (sorted[mid] < v || (or_equal && sorted[mid] <= v))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* score (pool): of one attack on one model. */
static int add_risk(const double *score, const struct split *split, const char *name,
                    const char *series, struct result_row *row, struct error *err)
{
    double *test = malloc((split->n_test + 1) * sizeof(*test)), *x = NULL, *y = NULL;
    int rc = test ? two_columns(split->n_forget, &x, &y, err) : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < split->n_test; i++)
        test[i] = score[split->test[i]];
    if (rc == 0)
        qsort(test, split->n_test, sizeof(*test), by_size);
    for (uint32_t i = 0; rc == 0 && i < split->n_forget; i++) {
        double v = score[split->forget[i]];
        size_t below = count_below(test, split->n_test, v, false);
        size_t most = count_below(test, split->n_test, v, true);
        x[i] = split->forget[i];
        y[i] = split->n_test ? (double)(below + most) / (2.0 * split->n_test) : NAN;
    }
    free(test);
    return rc < 0 ? rc : add(row, name, series, split->n_forget, x, y, err);
}

static int add_scores(const char *dir, const struct split *split, const char *label,
                      struct result_row *row, struct error *err)
{
    char *path = fs_join(dir, "scores.npy"), *list = fs_join(dir, "scores.json");
    char *known = fs_join(dir, "known.npy"), *name = text_format("risk-%s", label);
    struct npy scores = {0};
    json_t *names = NULL;
    int rc = path && list && known && name ? 0 : error_nomem(err);
    /* a fitted attack has seen some of the test samples: its risks are not comparable */
    bool usable = rc == 0 && fs_exists(path) && fs_exists(list) && !fs_exists(known);
    if (usable)
        rc = npy_open(path, &scores, err);
    if (usable && rc == 0)
        rc = json_read_file(list, &names, err);
    usable &= scores.n_dim == 2 && scores.type == NPY_F64 && scores.dim[1] == split->n;
    for (size_t i = 0; rc == 0 && usable && i < scores.dim[0]; i++) {
        const char *series = json_string_value(json_array_get(names, i));
        rc = add_risk((const double *)scores.bytes + i * split->n, split, name,
                      series ? series : "", row, err);
    }
    npy_release(&scores);
    json_decref(names);
    free(path);
    free(list);
    free(known);
    free(name);
    return rc;
}

static int add_risks(const struct gather_curves *g, const struct plan_row *r,
                     const struct split *split, struct result_row *row, struct error *err)
{
    const struct suite *s = g->plan->suite;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < s->n_attacks; i++) {
        const struct task *t = r->evaluate[i] == NO_TASK ? NULL : &g->plan->task[r->evaluate[i]];
        const char *id = t ? json_string_value(json_object_get(t->identity, "scores")) : NULL;
        char *dir = id && t->state == TASK_DONE ? store_path(g->store, id, NULL) : NULL;
        if (dir)
            rc = add_scores(dir, split, s->attack[i].label, row, err);
        free(dir);
    }
    return rc;
}

/* Whether the row is the first of its method and scenario to succeed with the suite's first seeds:
 * all risks of all runs would fill a disk. */
static bool has_first_seeds(const struct gather_curves *g, const struct plan_row *r)
{
    const struct suite *s = g->plan->suite;
    bool forget =
        r->seed_forget < 0 || s->seed_forget.n == 0 || r->seed_forget == s->seed_forget.v[0];
    bool unlearn =
        r->seed_unlearn < 0 || s->seed_unlearn.n == 0 || r->seed_unlearn == s->seed_unlearn.v[0];
    bool model = r->kind == PLAN_ORACLE ? r->seed_model == 1 : r->seed_model == s->seed_model.v[0];
    return forget && unlearn && model;
}

static int add_of_split(struct gather_curves *g, const struct plan_row *r,
                        const struct forget_spec *scenario, struct result_row *row,
                        struct error *err)
{
    bool classes = scenario->kind == FORGET_CLASS, risks = has_first_seeds(g, r);
    struct split split = {0};
    if (!r->forget || !(classes || risks))
        return 0;
    TRY(map_dataset(g, err));
    if (!g->ds)
        return 0;
    TRY(split_of(g, r, &split, err));
    int rc = classes ? add_predictions(g, r, scenario, &split, row, err) : 0;
    if (rc == 0 && risks)
        rc = add_risks(g, r, &split, row, err);
    split_release(&split);
    return rc;
}

int gather_curves_row(struct gather_curves *g, unsigned index, struct result_row *row,
                      struct error *err)
{
    const struct plan_row *r = &g->plan->row[index];
    if (row->status != VERDICT_OK || r->model == NO_TASK)
        return 0;
    if (r->kind != PLAN_METHOD)
        TRY(add_training(g, r, row, err));
    return add_of_split(g, r, &g->plan->suite->scenario[r->scenario], row, err);
}
