/* json.c: reading documents and members with jansson. */
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"

int json_parse_text(const char *name, const char *text, size_t n, json_t **ret, struct error *err)
{
    json_error_t why;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value)
        return error_set(err, ERR_INVALID, "%s:%d:%d: %s", name, why.line, why.column, why.text);
    *ret = value;
    return 0;
}

int json_read_file(const char *path, json_t **ret, struct error *err)
{
    char *text = NULL;
    size_t n = 0;
    TRY(fs_read(path, (size_t)64 << 20, &text, &n, err));
    int rc = json_parse_text(path, text, n, ret, err);
    free(text);
    return rc;
}

static const json_t *member(const json_t *o, const char *name, const char *key, struct error *err)
{
    const json_t *v = json_object_get(o, key);
    if (!v && !json_is_object(o))
        error_set(err, ERR_INVALID, "%s: expected an object with the key \"%s\"", name, key);
    else if (!v)
        error_set(err, ERR_INVALID, "%s: the key \"%s\" is missing", name, key);
    return v;
}

static int wrong_type(const char *name, const char *key, const char *wanted, struct error *err)
{
    return error_set(err, ERR_INVALID, "%s: \"%s\": expected %s", name, key, wanted);
}

int json_get_string(const json_t *o, const char *name, const char *key, const char **ret,
                    struct error *err)
{
    const json_t *v = member(o, name, key, err);
    if (!v)
        return ERR_INVALID;
    if (!json_is_string(v))
        return wrong_type(name, key, "a string", err);
    *ret = json_string_value(v);
    return 0;
}

int json_get_int(const json_t *o, const char *name, const char *key, json_int_t *ret,
                 struct error *err)
{
    const json_t *v = member(o, name, key, err);
    if (!v)
        return ERR_INVALID;
    if (!json_is_integer(v))
        return wrong_type(name, key, "a whole number", err);
    *ret = json_integer_value(v);
    return 0;
}

int json_get_real(const json_t *o, const char *name, const char *key, double *ret,
                  struct error *err)
{
    const json_t *v = member(o, name, key, err);
    if (!v)
        return ERR_INVALID;
    if (!json_is_number(v))
        return wrong_type(name, key, "a number", err);
    *ret = json_number_value(v);
    return 0;
}

json_t *json_number_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

double json_number_or_nan(const json_t *v)
{
    return json_is_number(v) ? json_number_value(v) : NAN;
}
