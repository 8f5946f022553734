/* split.c: roles of the pool rows, and the halves of a shadow bank. */
#include "split.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "text.h"

bool forget_depends_on_seed(const struct forget_spec *spec)
{
    return spec->kind == FORGET_RANDOM || spec->kind == FORGET_CONSECUTIVE;
}

void forget_release(struct forget_spec *spec)
{
    free(spec->rows);
    spec->rows = NULL;
    spec->n_rows = 0;
}

static bool is_forgotten_class(const struct forget_spec *spec, int32_t y)
{
    for (uint32_t i = 0; i < spec->n_classes; i++)
        if (spec->classes[i] == y)
            return true;
    return false;
}

/* round(fraction * n_train) rows without replacement (AMUN draws its forget sets so); malloc'd. */
static int draw_rows(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                     uint32_t **ret, uint32_t *ret_n, struct error *err)
{
    uint32_t k = (uint32_t)lround(spec->fraction * (double)ds->n_train);
    uint32_t *rows = malloc(((size_t)k + 1) * sizeof *rows);
    if (!rows)
        return error_nomem(err);
    struct rng r;
    rng_stream(&r, seed, "forget-set", 0);
    rng_choose(&r, ds->n_train, k, rows);
    *ret = rows;
    *ret_n = k;
    return 0;
}

static int mark_random(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                       uint8_t *role, struct error *err)
{
    uint32_t *rows = NULL, k = 0;
    TRY(draw_rows(ds, spec, seed, &rows, &k, err));
    for (uint32_t i = 0; i < k; i++)
        role[rows[i]] = ROW_FORGET;
    free(rows);
    return 0;
}

/* The same rows in the order in which they are deleted, cut into equal parts: those of requests
 * below `from` are gone, those up to `to` are forgotten. */
static int mark_requests(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                         const uint32_t range[2], uint8_t *role, struct error *err)
{
    uint32_t *rows = NULL, k = 0;
    struct rng r;
    TRY(draw_rows(ds, spec, seed, &rows, &k, err));
    uint32_t *order = malloc(((size_t)k + 1) * sizeof *order);
    int rc = !order ? error_nomem(err)
             : k >= spec->requests
                 ? 0
                 : error_set(err, ERR_INVALID,
                             "%s: %" PRIu32 " rows cannot be deleted in %" PRIu32 " requests",
                             spec->name, k, spec->requests);
    rng_stream(&r, seed, "forget-requests", 0);
    if (order)
        rng_permute(&r, order, k);
    for (uint32_t i = 0; rc == 0 && i < k; i++) {
        uint32_t request = (uint32_t)((uint64_t)i * spec->requests / k) + 1;
        if (request <= range[1])
            role[rows[order[i]]] = request < range[0] ? ROW_DELETED : ROW_FORGET;
    }
    free(order);
    free(rows);
    return rc;
}

static int mark_classes(const struct dataset *ds, const struct forget_spec *spec, uint8_t *role,
                        struct error *err)
{
    for (uint32_t i = 0; i < spec->n_classes; i++)
        if (spec->classes[i] < 0 || (uint32_t)spec->classes[i] >= ds->n_classes)
            return error_set(err, ERR_INVALID,
                             "%s: there is no class %" PRId32 "; classes are 0 to %" PRIu32,
                             spec->name, spec->classes[i], ds->n_classes - 1);
    for (uint32_t i = 0; i < ds->n_train + ds->n_test; i++)
        if (is_forgotten_class(spec, ds->labels[i]))
            role[i] = i < ds->n_train ? ROW_FORGET : ROW_TEST_FORGOTTEN;
    return 0;
}

static int mark_rows(const struct dataset *ds, const struct forget_spec *spec, uint8_t *role,
                     struct error *err)
{
    for (uint32_t i = 0; i < spec->n_rows; i++) {
        if (spec->rows[i] >= ds->n_train)
            return error_set(err, ERR_INVALID,
                             "%s: row %" PRIu32 " is not among the first %" PRIu32
                             " training rows that are used",
                             spec->name, spec->rows[i], ds->n_train);
        role[spec->rows[i]] = ROW_FORGET;
    }
    return 0;
}

/* Pool ids with a role, ascending. */
static int collect(const struct split *s, enum row_role role, uint32_t **ret, uint32_t *ret_n,
                   struct error *err)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        n += s->role[i] == role;
    uint32_t *ids = malloc(((size_t)n + 1) * sizeof *ids);
    if (!ids)
        return error_nomem(err);
    n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->role[i] == role)
            ids[n++] = i;
    *ret = ids;
    *ret_n = n;
    return 0;
}

static int collect_all(struct split *s, const char *name, struct error *err)
{
    TRY(collect(s, ROW_FORGET, &s->forget, &s->n_forget, err));
    TRY(collect(s, ROW_RETAIN, &s->retain, &s->n_retain, err));
    TRY(collect(s, ROW_TEST, &s->test, &s->n_test, err));
    TRY(collect(s, ROW_TEST_FORGOTTEN, &s->test_forgotten, &s->n_test_forgotten, err));
    if (s->n_forget == 0)
        return error_set(err, ERR_INVALID, "%s: no training row is forgotten", name);
    if (s->n_retain == 0)
        return error_set(err, ERR_INVALID, "%s: no training row is left", name);
    return 0;
}

static int mark(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                const uint32_t range[2], uint8_t *role, struct error *err)
{
    switch (spec->kind) {
    case FORGET_RANDOM:
        return mark_random(ds, spec, seed, role, err);
    case FORGET_CLASS:
        return mark_classes(ds, spec, role, err);
    case FORGET_CONSECUTIVE:
        return mark_requests(ds, spec, seed, range, role, err);
    default:
        return mark_rows(ds, spec, role, err);
    }
}

/* Of a consecutive spec the requests from range[0] to range[1]. */
static int make(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                const uint32_t range[2], struct split *ret, struct error *err)
{
    struct split s = {.n = ds->n_train + ds->n_test};
    s.role = malloc((size_t)s.n + 1);
    if (!s.role)
        return error_nomem(err);
    memset(s.role, ROW_RETAIN, ds->n_train);
    memset(s.role + ds->n_train, ROW_TEST, ds->n_test);
    int rc = mark(ds, spec, seed, range, s.role, err);
    if (rc == 0)
        rc = collect_all(&s, spec->name, err);
    if (rc < 0)
        split_release(&s);
    else
        *ret = s;
    return rc;
}

int split_make(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
               struct split *ret, struct error *err)
{
    const uint32_t range[2] = {1, spec->request ? spec->request : spec->requests};
    return make(ds, spec, seed, range, ret, err);
}

int split_make_request(const struct dataset *ds, const struct forget_spec *spec, uint64_t seed,
                       uint32_t k, struct split *ret, struct error *err)
{
    const uint32_t range[2] = {k, k};
    return make(ds, spec, seed, range, ret, err);
}

int split_from_roles(const uint8_t *role, uint32_t n, const char *name, struct split *ret,
                     struct error *err)
{
    struct split s = {.n = n, .role = malloc((size_t)n + 1)};
    if (!s.role)
        return error_nomem(err);
    memcpy(s.role, role, n);
    int rc = collect_all(&s, name, err);
    if (rc < 0)
        split_release(&s);
    else
        *ret = s;
    return rc;
}

void split_release(struct split *s)
{
    free(s->role);
    free(s->forget);
    free(s->retain);
    free(s->test);
    free(s->test_forgotten);
    *s = (struct split){0};
}

/* Selection sampling as in rng_choose, marking instead of listing. */
void split_shadow(uint32_t n_pool, uint64_t seed, uint32_t k, uint8_t *inclusion)
{
    struct rng r;
    uint32_t left = n_pool / 2;
    rng_stream(&r, seed, "shadow-bank", k / 2);
    for (uint32_t i = 0; i < n_pool; i++) {
        uint32_t in_first = left > 0 && rng_below(&r, n_pool - i) < left;
        left -= in_first;
        inclusion[i] = (uint8_t)(in_first ^ (k & 1));
    }
}
