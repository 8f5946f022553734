/* files_member.c: membership attacks on logits in files. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "files_attack.h"
#include "member_set.h"
#include "npy.h"
#include "score_values.h"
#include "split.h"
#include "task.h"
#include "text.h"

/* An array of logits, as float32. */
struct logits_file {
    const char *path;
    struct npy npy;
    float *converted; /* when the file holds float64 */
    const float *v;
};

struct member_files {
    struct logits_file target, references;
    uint32_t n, n_views, n_classes, n_models;
    int32_t *y;                   /* (n) */
    uint8_t *inclusion;           /* (n_models, n) */
    uint8_t *role;                /* (n) enum row_role; NULL without a split */
    const float **reference_at;   /* (n_models) */
    const uint8_t **inclusion_at; /* (n_models) */
    uint32_t *rows, n_rows;       /* candidates, as rows of the files */
    struct member_set known[2], judged;
    struct member_input in;
};

static void logits_release(struct logits_file *f)
{
    free(f->converted);
    npy_release(&f->npy);
}

static void member_files_release(struct member_files *f)
{
    logits_release(&f->target);
    logits_release(&f->references);
    member_set_release(&f->known[0]);
    member_set_release(&f->known[1]);
    member_set_release(&f->judged);
    free(f->y);
    free(f->inclusion);
    free(f->role);
    free(f->reference_at);
    free(f->inclusion_at);
    free(f->rows);
}

/* "[3, 1, 0]" of element `at` of the array. */
static void place(const struct npy *a, size_t at, char *out, size_t size)
{
    size_t index[NPY_MAX_DIM], used = 0;
    for (uint32_t d = a->n_dim; d-- > 0; at /= a->dim[d])
        index[d] = at % a->dim[d];
    for (uint32_t d = 0; d < a->n_dim && used < size; d++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu", d ? ", " : "[", index[d]);
    if (used < size)
        snprintf(out + used, size - used, "]");
}

/* Minus infinity is a probability of 0; NaN and plus infinity are refused with their place. */
static int check_values(const struct logits_file *f, struct error *err)
{
    char where[160];
    for (size_t i = 0; i < f->npy.n; i++) {
        if (f->v[i] < INFINITY)
            continue;
        place(&f->npy, i, where, sizeof(where));
        return error_set(err, ERR_INVALID, "%s: element %s is %s; expected numbers", f->path, where,
                         isnan(f->v[i]) ? "NaN" : "infinite");
    }
    return 0;
}

static int logits_open(const char *path, struct logits_file *f, struct error *err)
{
    f->path = path;
    TRY(npy_open(path, &f->npy, err));
    if (f->npy.type != NPY_F32 && f->npy.type != NPY_F64)
        return error_set(err, ERR_INVALID,
                         "%s: numbers of type \"%s\", expected float32 or float64", path,
                         npy_type_name(f->npy.type));
    f->v = f->npy.bytes;
    if (f->npy.type == NPY_F64) {
        const double *wide = f->npy.bytes;
        f->converted = malloc((f->npy.n + 1) * sizeof(*f->converted));
        if (!f->converted)
            return error_nomem(err);
        for (size_t i = 0; i < f->npy.n; i++)
            f->converted[i] = (float)wide[i];
        f->v = f->converted;
    }
    return check_values(f, err);
}

static int open_target(struct files_job *job, struct member_files *f, struct error *err)
{
    const char *path = files_text(job, "target", err);
    if (!path)
        return err->code;
    TRY(logits_open(path, &f->target, err));
    const struct npy *a = &f->target.npy;
    if ((a->n_dim != 2 && a->n_dim != 3) || a->n == 0 || a->dim[0] > INT32_MAX ||
        a->dim[a->n_dim - 1] > INT32_MAX)
        return error_set(err, ERR_INVALID,
                         "%s: %u dimensions and %zu numbers, expected logits (N, classes) or (N, "
                         "views, classes) of at least one sample",
                         path, a->n_dim, a->n);
    f->n = (uint32_t)a->dim[0];
    f->n_views = a->n_dim == 3 ? (uint32_t)a->dim[1] : 1;
    f->n_classes = (uint32_t)a->dim[a->n_dim - 1];
    return 0;
}

/* One integer a sample, (n). */
static int read_integers(const char *path, uint32_t n, int32_t **ret, struct error *err)
{
    struct npy a;
    TRY(npy_open(path, &a, err));
    int32_t *v = malloc((a.n + 1) * sizeof(*v));
    int rc = v ? 0 : error_nomem(err);
    if (rc == 0 && (a.n_dim != 1 || a.dim[0] != n))
        rc = error_set(err, ERR_INVALID,
                       "%s: %zu numbers in %u dimensions, expected (%" PRIu32
                       "): one a sample of --target",
                       path, a.n, a.n_dim, n);
    if (rc == 0 && npy_to_i32(&a, v, err) < 0)
        rc = error_prefix(err, "%s", path);
    npy_release(&a);
    if (rc < 0) {
        free(v);
        return rc;
    }
    *ret = v;
    return 0;
}

static int read_labels(struct files_job *job, struct member_files *f, struct error *err)
{
    const char *path = files_text(job, "labels", err);
    if (!path)
        return err->code;
    TRY(read_integers(path, f->n, &f->y, err));
    return file_labels_check(path, f->y, f->n, f->n_classes, err);
}

/* Bytes from 0 to most. */
static int to_bytes(const char *path, const int32_t *v, size_t n, int32_t most, const char *what,
                    uint8_t *ret, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] < 0 || v[i] > most)
            return error_set(err, ERR_INVALID, "%s: element %zu is %" PRId32 ", expected %s", path,
                             i, v[i], what);
        ret[i] = (uint8_t)v[i];
    }
    return 0;
}

static int read_split(struct files_job *job, struct member_files *f, struct error *err)
{
    const char *path = json_string_value(json_object_get(job->json, "split"));
    int32_t *v = NULL;
    if (!path)
        return 0;
    TRY(read_integers(path, f->n, &v, err));
    f->role = malloc(f->n + 1u);
    int rc = f->role
                 ? to_bytes(path, v, f->n, ROW_TEST_FORGOTTEN,
                            "0 retain, 1 forget, 2 test, 3 test of forgotten classes", f->role, err)
                 : error_nomem(err);
    free(v);
    return rc;
}

static int check_references(const struct member_files *f, struct error *err)
{
    const struct npy *r = &f->references.npy, *t = &f->target.npy;
    bool same = r->n_dim == t->n_dim + 1;
    for (uint32_t d = 0; same && d < t->n_dim; d++)
        same = r->dim[d + 1] == t->dim[d];
    if (same && r->dim[0] > 0 && r->dim[0] <= 100000)
        return 0;
    return error_set(err, ERR_INVALID,
                     "%s: expected (models, ...) with the %u dimensions of %s behind: (R, N%s, "
                     "classes) with N = %" PRIu32 " and %" PRIu32 " classes",
                     f->references.path, t->n_dim, f->target.path, t->n_dim == 3 ? ", views" : "",
                     f->n, f->n_classes);
}

static int read_inclusion(const char *path, struct member_files *f, struct error *err)
{
    struct npy a;
    TRY(npy_open(path, &a, err));
    int32_t *v = malloc((a.n + 1) * sizeof(*v));
    f->inclusion = malloc((size_t)f->n_models * f->n + 1);
    int rc = v && f->inclusion ? 0 : error_nomem(err);
    if (rc == 0 && (a.n_dim != 2 || a.dim[0] != f->n_models || a.dim[1] != f->n))
        rc = error_set(err, ERR_INVALID,
                       "%s: expected (models, N) = (%" PRIu32 ", %" PRIu32 "), as the references",
                       path, f->n_models, f->n);
    if (rc == 0 && npy_to_i32(&a, v, err) < 0)
        rc = error_prefix(err, "%s", path);
    if (rc == 0)
        rc = to_bytes(path, v, a.n, 2, "0 not trained on it, 1 trained on it, 2 leave it out",
                      f->inclusion, err);
    free(v);
    npy_release(&a);
    return rc;
}

static int read_references(struct files_job *job, struct member_files *f, struct error *err)
{
    const char *path = json_string_value(json_object_get(job->json, "references"));
    const char *inclusion = json_string_value(json_object_get(job->json, "inclusion"));
    if (!path)
        return 0;
    TRY(logits_open(path, &f->references, err));
    TRY(check_references(f, err));
    f->n_models = (uint32_t)f->references.npy.dim[0];
    TRY(read_inclusion(inclusion, f, err));
    f->reference_at = calloc(f->n_models, sizeof(*f->reference_at));
    f->inclusion_at = calloc(f->n_models, sizeof(*f->inclusion_at));
    if (!f->reference_at || !f->inclusion_at)
        return error_nomem(err);
    for (uint32_t m = 0; m < f->n_models; m++) {
        f->reference_at[m] = f->references.v + (size_t)m * f->target.npy.n;
        f->inclusion_at[m] = f->inclusion + (size_t)m * f->n;
    }
    return 0;
}

/* Rows of that role; every row when role is negative. */
static uint32_t rows_of(const struct member_files *f, int role, uint32_t *ret)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < f->n; i++)
        if (role < 0 || f->role[i] == role)
            ret[k++] = i;
    return k;
}

/* Who is judged and what the attack is told. Fitted attacks judge the forget set (their features
 * may depend on which labels occur there); attacks with a population judge every row, members of
 * the population too, as published code does. */
static int make_input(struct files_job *job, struct member_files *f, struct error *err)
{
    const char *fit = json_string_value(json_object_get(job->json, "fit"));
    bool required = fit && strcmp(fit, "required") == 0;
    bool told = required || (fit && strcmp(fit, "population") == 0);
    struct member_input all = {.candidates = {f->n, f->n_views, f->n_classes, f->target.v, f->y},
                               .n_models = f->n_models,
                               .reference_logits = f->reference_at,
                               .inclusion = f->inclusion_at};
    f->rows = malloc((f->n + 1u) * sizeof(*f->rows));
    if (!f->rows)
        return error_nomem(err);
    f->in = all;
    for (int side = 0; told && side < 2; side++) {
        uint32_t n = rows_of(f, side == 0 ? ROW_RETAIN : ROW_TEST, f->rows);
        TRY(member_set_take(&all, f->rows, n, &f->known[side], err));
        member_set_known(&f->known[side], side, &f->in);
    }
    f->n_rows = rows_of(f, required ? ROW_FORGET : -1, f->rows);
    if (!required)
        return 0;
    if (f->n_rows == 0)
        return error_set(err, ERR_UNSUPPORTED,
                         "undefined: no sample is in split 1 (forget), nothing is judged");
    TRY(member_set_take(&all, f->rows, f->n_rows, &f->judged, err));
    f->in.candidates = f->judged.o;
    f->in.reference_logits = (const float *const *)f->judged.reference;
    f->in.inclusion = (const uint8_t *const *)f->judged.inclusion;
    return 0;
}

/* ---- results ---- */

static int write_scores(const char *path, const struct member_files *f, uint32_t n_scores,
                        const char *const *names, const double *scores, struct error *err)
{
    struct csv_writer w;
    csv_writer_init(&w);
    csv_cell(&w, "sample");
    for (uint32_t s = 0; s < n_scores; s++) {
        char *name = n_scores > 1 ? text_format("score_%s", names[s]) : text_dup("score");
        csv_cell(&w, name ? name : "");
        free(name);
    }
    csv_end_row(&w);
    for (uint32_t i = 0; i < f->n_rows; i++) {
        csv_cell_int(&w, f->rows[i]);
        for (uint32_t s = 0; s < n_scores; s++)
            csv_cell_double(&w, scores[(size_t)s * f->n_rows + i]);
        csv_end_row(&w);
    }
    int rc = csv_writer_save(&w, path, err);
    csv_writer_release(&w);
    return rc;
}

/* Shares of the judged that a fitted attack takes for non-members and for members. */
static int add_shares(json_t *result, const struct member_files *f, const char *name,
                      const double *scores, struct error *err)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < f->n_rows; i++)
        below += scores[i] < 0;
    const char *key = *name ? name : "score";
    double n = f->n_rows;
    return json_object_set_new(json_object_get(result, "scores"), key,
                               json_real(1 - (n - below) / n)) != 0 ||
                   json_object_set_new(json_object_get(result, "member"), key,
                                       json_real((n - below) / n)) != 0
               ? error_nomem(err)
               : 0;
}

static int add_counts(json_t *result, const struct member_files *f, struct error *err)
{
    static const char *const names[] = {"retain", "forget", "test", "test_forgotten"};
    json_t *n =
        json_pack("{s:I,s:I}", "samples", (json_int_t)f->n, "judged", (json_int_t)f->n_rows);
    json_int_t count[4] = {0, 0, 0, 0};
    for (uint32_t i = 0; f->role && i < f->n; i++)
        count[f->role[i]]++;
    bool ok = n != NULL;
    for (int r = 0; ok && f->role && r < 4; r++)
        ok = json_object_set_new(n, names[r], json_integer(count[r])) == 0;
    if (ok && f->n_models)
        ok = json_object_set_new(n, "references", json_integer(f->n_models)) == 0;
    return ok && json_object_set(result, "n", n) == 0 ? (json_decref(n), 0)
                                                      : (json_decref(n), error_nomem(err));
}

static int fill_result(struct files_job *job, const struct member_files *f, uint32_t n_scores,
                       const char *const *names, const double *scores, struct error *err)
{
    bool judged = f->judged.y != NULL;
    json_t *o = judged ? json_pack("{s:{},s:{}}", "scores", "member")
                       : json_pack("{s:{},s:{},s:{}}", "roc", "notes", "curves");
    int rc = o ? add_counts(o, f, err) : error_nomem(err);
    struct score_report report = {json_object_get(o, "roc"), json_object_get(o, "notes"),
                                  json_object_get(o, "curves")};
    for (uint32_t s = 0; rc == 0 && s < n_scores; s++) {
        const double *v = scores + (size_t)s * f->n_rows;
        if (judged)
            rc = add_shares(o, f, names[s], v, err);
        else if (f->role)
            rc = score_values(v, f->role, NULL, f->n, names[s], &report, err);
    }
    json_object_del(o, "curves");
    json_object_del(json_object_get(o, "roc"), "nonmember_forget"); /* no decision was made */
    if (rc == 0 && json_object_update(job->result, o) != 0)
        rc = error_nomem(err);
    json_decref(o);
    return rc;
}

static int attack(struct files_job *job, const struct member_files *f, struct error *err)
{
    const char *out = json_string_value(json_object_get(job->json, "out"));
    struct hosting h = {0};
    const char **names = NULL;
    double *scores = NULL;
    uint32_t n_scores = 0;
    TRY(files_plugin(job, &h, err));
    int rc = hosting_member(&h, &f->in, &n_scores, &names, &scores, err);
    if (rc == 0 && out)
        rc = write_scores(out, f, n_scores, names, scores, err);
    if (rc == 0)
        rc = fill_result(job, f, n_scores, names, scores, err);
    free(names);
    free(scores);
    return rc;
}

int files_member(struct files_job *job, struct error *err)
{
    struct member_files f = {0};
    int rc = open_target(job, &f, err);
    if (rc == 0)
        rc = read_labels(job, &f, err);
    if (rc == 0)
        rc = read_split(job, &f, err);
    if (rc == 0)
        rc = read_references(job, &f, err);
    if (rc == 0)
        rc = make_input(job, &f, err);
    if (rc == 0)
        rc = attack(job, &f, err);
    member_files_release(&f);
    return rc;
}
