#include "tune_space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { MAX_AXES = 12, DEFAULT_LEVELS = 5, MAX_TRIES = 64 };
static const unsigned bases[MAX_AXES] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};

struct axis { /* one tunable parameter */
    const char *name;
    bool numeric, whole, log;
    double lo, hi;    /* numeric */
    json_t *values;   /* to choose from; owned; NULL: only the range */
    unsigned n_level; /* of the grid */
};

struct box {
    struct axis axis[MAX_AXES];
    unsigned n;
    const json_t *base; /* parameters of the entry as it stands */
};

static void box_release(struct box *b)
{
    for (unsigned i = 0; i < b->n; i++)
        json_decref(b->axis[i].values);
}

/* Radical inverse of t: the digits of t behind the point. */
static double halton(unsigned t, unsigned base)
{
    double u = 0, digit = 1;
    for (; t; t /= base) {
        digit /= base;
        u += digit * (t % base);
    }
    return u;
}

/* ---- axes ---- */

static void range_of_list(struct axis *a)
{
    size_t i;
    json_t *v;
    a->lo = HUGE_VAL;
    a->hi = -HUGE_VAL;
    json_array_foreach(a->values, i, v)
    {
        a->lo = fmin(a->lo, json_number_value(v));
        a->hi = fmax(a->hi, json_number_value(v));
    }
}

/* False: it has neither values to try nor bounds. */
static bool axis_init(struct axis *a, json_t *param)
{
    const char *type = json_string_value(json_object_get(param, "type"));
    json_t *search = json_object_get(param, "search");
    json_t *choices = json_object_get(param, "choices");
    json_t *lo = json_object_get(param, "min"), *hi = json_object_get(param, "max");
    *a = (struct axis){.name = json_string_value(json_object_get(param, "name"))};
    a->whole = strcmp(type, "int") == 0;
    a->numeric = a->whole || strcmp(type, "real") == 0;
    if (json_array_size(search))
        a->values = json_incref(search);
    else if (json_array_size(choices))
        a->values = json_incref(choices);
    else if (strcmp(type, "bool") == 0)
        a->values = json_pack("[b,b]", 0, 1);
    if (a->numeric && a->values)
        range_of_list(a);
    else if (a->numeric && json_is_number(lo) && json_is_number(hi)) {
        a->lo = json_number_value(lo);
        a->hi = json_number_value(hi);
    } else if (!a->values)
        return false;
    a->log = json_is_true(json_object_get(param, "log_scale")) && a->lo > 0;
    return true;
}

static void box_init(struct box *b, const struct suite_entry *e, bool *ret_given)
{
    size_t i;
    json_t *param;
    *b = (struct box){.base = e->params};
    *ret_given = false;
    json_array_foreach(json_object_get(e->desc->json, "params"), i, param)
    {
        const char *name = json_string_value(json_object_get(param, "name"));
        if (!json_is_true(json_object_get(param, "tunable")) || !name || b->n == MAX_AXES)
            continue;
        if (yaml_get(e->given, name))
            *ret_given = true;
        else if (axis_init(&b->axis[b->n], param))
            b->n++;
    }
}

/* ---- points ---- */

/* Three significant digits: short in tables, and far finer than any search needs. */
static json_t *number_at(const struct axis *a, double u)
{
    double v =
        a->log ? exp(log(a->lo) + u * (log(a->hi) - log(a->lo))) : a->lo + u * (a->hi - a->lo);
    char text[32];
    if (a->whole)
        return json_integer((json_int_t)llround(v));
    snprintf(text, sizeof(text), "%.2e", v);
    text_to_real(text, &v);
    return json_real(v < a->lo ? a->lo : v > a->hi ? a->hi : v);
}

static json_t *value_at(const struct axis *a, double u)
{
    size_t n = json_array_size(a->values);
    return a->numeric ? number_at(a, u)
                      : json_incref(json_array_get(a->values, (size_t)(u * (double)n)));
}

/* Level k of n, evenly along the axis. */
static json_t *level_of(const struct axis *a, unsigned k, unsigned n)
{
    size_t n_values = json_array_size(a->values);
    double at = n > 1 ? (double)k / (n - 1) : 0.5;
    if (!n_values)
        return number_at(a, at);
    return json_incref(json_array_get(a->values, (size_t)lround(at * (double)(n_values - 1))));
}

/* Takes value. */
static int set(json_t *point, const char *name, json_t *value, struct error *err)
{
    return json_object_set_new(point, name, value) == 0 ? 0 : error_nomem(err);
}

static int halton_point(const struct box *b, unsigned t, json_t **ret, struct error *err)
{
    json_t *point = json_deep_copy(b->base);
    int rc = point ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < b->n; i++)
        rc = set(point, b->axis[i].name, value_at(&b->axis[i], halton(t, bases[i])), err);
    if (rc < 0)
        json_decref(point);
    else
        *ret = point;
    return rc;
}

static int grid_point(const struct box *b, unsigned index, unsigned n, json_t **ret,
                      struct error *err)
{
    json_t *point = json_deep_copy(b->base);
    int rc = point ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < b->n; i++) {
        const struct axis *a = &b->axis[i];
        n /= a->n_level;
        rc = set(point, a->name, level_of(a, index / n % a->n_level, a->n_level), err);
    }
    if (rc < 0)
        json_decref(point);
    else
        *ret = point;
    return rc;
}

/* Takes point. Equal points are tried once. */
static int add(json_t *list, json_t *point, struct error *err)
{
    size_t i;
    json_t *other;
    bool seen = false;
    json_array_foreach(list, i, other) seen = seen || json_equal(other, point);
    int rc = seen || json_array_append(list, point) == 0 ? 0 : error_nomem(err);
    json_decref(point);
    return rc;
}

/* ---- lists ---- */

static int add_quasi_random(const struct box *b, unsigned trials, json_t *list, struct error *err)
{
    json_t *point = json_deep_copy(b->base);
    int rc = point ? add(list, point, err) : error_nomem(err);
    for (unsigned t = 1; rc == 0 && json_array_size(list) < trials && t < MAX_TRIES * trials; t++) {
        rc = halton_point(b, t, &point, err);
        if (rc == 0)
            rc = add(list, point, err);
    }
    return rc;
}

/* Levels of each axis, the finest thinned first until all combinations fit. */
static unsigned set_levels(struct box *b, unsigned trials)
{
    uint64_t n = 1;
    for (unsigned i = 0; i < b->n; i++) {
        size_t values = json_array_size(b->axis[i].values);
        b->axis[i].n_level = values ? (unsigned)values : DEFAULT_LEVELS;
        n *= b->axis[i].n_level;
    }
    while (n > trials) {
        struct axis *finest = &b->axis[0];
        for (unsigned i = 1; i < b->n; i++)
            if (b->axis[i].n_level >= finest->n_level)
                finest = &b->axis[i];
        n = n / finest->n_level * (finest->n_level - 1);
        finest->n_level--;
    }
    return (unsigned)n;
}

static int add_grid(struct box *b, unsigned trials, json_t *list, struct error *err)
{
    unsigned n = set_levels(b, trials);
    json_t *point = NULL;
    for (unsigned i = 0; i < n; i++) {
        TRY(grid_point(b, i, n, &point, err));
        TRY(add(list, point, err));
    }
    return json_array_size(list) < trials ? add_quasi_random(b, trials, list, err) : 0;
}

int tune_space(const struct suite_entry *e, const struct suite_tune *spec, json_t **ret,
               char **ret_why, struct error *err)
{
    struct box b;
    bool given = false;
    char *why = NULL;
    json_t *list = json_array();
    box_init(&b, e, &given);
    int rc = list ? 0 : error_nomem(err);
    if (rc == 0 && b.n == 0) {
        why = text_dup(given ? "every tunable parameter is given"
                             : "it declares no tunable parameter");
        rc = why ? 0 : error_nomem(err);
    } else if (rc == 0) {
        rc = spec->method == TUNE_GRID ? add_grid(&b, spec->trials, list, err)
                                       : add_quasi_random(&b, spec->trials, list, err);
    }
    box_release(&b);
    if (rc < 0) {
        json_decref(list);
        return rc;
    }
    *ret = list;
    *ret_why = why;
    return 0;
}
