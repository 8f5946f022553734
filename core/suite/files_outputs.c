#include "files_outputs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "npy.h"

/* ---- the split ---- */

/* (n) integers; *ret is malloc'd. */
static int read_integers(const char *path, uint32_t n, const char *what, int32_t **ret,
                         struct error *err)
{
    struct npy a;
    int32_t *v = NULL;
    TRY(npy_open(path, &a, err));
    int rc = 0;
    if (a.n_dim != 1 || a.dim[0] != n)
        rc = error_set(err, ERR_INVALID,
                       "%s: %zu %s in %" PRIu32 " dimensions, expected one for each of the %" PRIu32
                       " samples of --target",
                       path, a.n, what, a.n_dim, n);
    else if (!(v = malloc((n + 1) * sizeof(*v))))
        rc = error_nomem(err);
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

/* Places in the file's words: 0 retain, 1 forget, 2 test, 3 test of forgotten classes. */
static const int set_of_word[] = {1, 0, 2, 3};

static int read_sets(const char *path, uint32_t n, int32_t **ret, struct error *err)
{
    int32_t *set = NULL;
    if (!path) {
        *ret = calloc(n + 1u, sizeof(**ret));
        return *ret ? 0 : error_nomem(err);
    }
    TRY(read_integers(path, n, "entries", &set, err));
    for (uint32_t i = 0; i < n; i++) {
        if (set[i] < 0 || set[i] > 3) {
            int rc = error_set(err, ERR_INVALID,
                               "%s: entry %" PRIu32 " is %" PRId32
                               "; expected 0 retain, 1 forget, 2 test, 3 test samples of the "
                               "forgotten classes",
                               path, i, set[i]);
            free(set);
            return rc;
        }
        set[i] = set_of_word[set[i]];
    }
    *ret = set;
    return 0;
}

static int fill_sets(const int32_t *set, const int32_t *labels, struct file_split *s,
                     struct error *err)
{
    for (int k = 0; k < FILE_SETS; k++) {
        s->row[k] = malloc((s->n + 1) * sizeof(*s->row[k]));
        s->y[k] = malloc((s->n + 1) * sizeof(*s->y[k]));
        if (!s->row[k] || !s->y[k])
            return error_nomem(err);
    }
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t at = s->size[set[i]]++;
        s->row[set[i]][at] = i;
        s->y[set[i]][at] = labels ? labels[i] : -1;
    }
    return 0;
}

int file_split_read(const char *split, const char *labels, uint32_t n, struct file_split *ret,
                    struct error *err)
{
    struct file_split s = {.n = n};
    int32_t *set = NULL, *y = NULL;
    int rc = read_sets(split, n, &set, err);
    if (rc == 0 && labels)
        rc = read_integers(labels, n, "labels", &y, err);
    if (rc == 0)
        rc = fill_sets(set, y, &s, err);
    free(set);
    free(y);
    if (rc < 0) {
        file_split_release(&s);
        return rc;
    }
    *ret = s;
    return 0;
}

void file_split_release(struct file_split *s)
{
    for (int k = 0; k < FILE_SETS; k++) {
        free(s->row[k]);
        free(s->y[k]);
    }
    memset(s, 0, sizeof(*s));
}

/* ---- outputs ---- */

static int open_outputs(const char *path, bool several, struct npy *ret, struct error *err)
{
    TRY(npy_open(path, ret, err));
    int rc = 0;
    if (ret->n_dim != 2 && !(several && ret->n_dim == 3))
        rc = error_set(err, ERR_INVALID, "%s: %" PRIu32 " dimensions, expected (N, C)%s", path,
                       ret->n_dim, several ? " or (M, N, C), M models" : "");
    else if (ret->type != NPY_F32 && ret->type != NPY_F64)
        rc = error_set(err, ERR_INVALID, "%s: numbers of type \"%s\", expected float32 or float64",
                       path, npy_type_name(ret->type));
    else if (ret->dim[ret->n_dim - 1] < 1 || ret->dim[ret->n_dim - 1] > 1000000 ||
             ret->dim[ret->n_dim - 2] > INT32_MAX ||
             (ret->n_dim == 3 && (ret->dim[0] < 1 || ret->dim[0] > 1000000)))
        rc = error_set(err, ERR_INVALID, "%s: an impossible number of models, samples or classes",
                       path);
    if (rc < 0)
        npy_release(ret);
    return rc;
}

int file_outputs_size(const char *path, uint32_t *ret_n, struct error *err)
{
    struct npy a;
    TRY(open_outputs(path, true, &a, err));
    *ret_n = (uint32_t)a.dim[a.n_dim - 2];
    npy_release(&a);
    return 0;
}

/* One model's rows of `all` (n, classes) into `to`, set after set. */
static void cut_model(const struct file_split *split, const float *all, float *to,
                      struct file_outputs *o, uint32_t m)
{
    size_t c = o->n_classes;
    const struct outputs *place[FILE_SETS];
    for (int k = 0; k < FILE_SETS; k++) {
        struct outputs *set = &o->set[(size_t)m * FILE_SETS + (size_t)k];
        *set = (struct outputs){split->size[k], 1, o->n_classes, to, split->y[k]};
        for (uint32_t i = 0; i < split->size[k]; i++, to += c)
            memcpy(to, all + split->row[k][i] * c, c * sizeof(*to));
        place[k] = set;
    }
    o->model[m] =
        (struct model_outputs){place[0], place[1], place[2], split->size[3] ? place[3] : NULL};
}

static int cut(const struct npy *a, const struct file_split *split, struct file_outputs *o,
               struct error *err)
{
    size_t per_model = (size_t)o->n * o->n_classes;
    float *all = malloc((a->n + 1) * sizeof(*all));
    o->logits = malloc((a->n + 1) * sizeof(*o->logits));
    o->set = calloc((size_t)o->n_models * FILE_SETS + 1, sizeof(*o->set));
    o->model = calloc(o->n_models + 1u, sizeof(*o->model));
    int rc = all && o->logits && o->set && o->model ? npy_to_f32(a, all, err) : error_nomem(err);
    for (uint32_t m = 0; rc == 0 && m < o->n_models; m++)
        cut_model(split, all + m * per_model, o->logits + m * per_model, o, m);
    free(all);
    return rc;
}

int file_outputs_read(const char *path, bool several, const struct file_split *split,
                      struct file_outputs *ret, struct error *err)
{
    struct file_outputs o = {0};
    struct npy a;
    TRY(open_outputs(path, several, &a, err));
    o.n_models = a.n_dim == 3 ? (uint32_t)a.dim[0] : 1;
    o.n = (uint32_t)a.dim[a.n_dim - 2];
    o.n_classes = (uint32_t)a.dim[a.n_dim - 1];
    int rc = o.n == split->n
                 ? cut(&a, split, &o, err)
                 : error_set(err, ERR_INVALID,
                             "%s: outputs of %" PRIu32 " samples, --target has %" PRIu32, path, o.n,
                             split->n);
    npy_release(&a);
    if (rc < 0) {
        file_outputs_release(&o);
        return rc;
    }
    *ret = o;
    return 0;
}

void file_outputs_release(struct file_outputs *o)
{
    free(o->logits);
    free(o->set);
    free(o->model);
    memset(o, 0, sizeof(*o));
}
