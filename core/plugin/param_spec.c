#include "param_spec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clean_text.h"
#include "strbuf.h"
#include "text.h"

static const char *const type_names[] = {"", "bool", "int", "real", "choice", "string"};

const char *param_type_name(enum param_type type)
{
    return (unsigned)type <= PARAM_STRING ? type_names[type] : "";
}

enum param_type param_type_from_name(const char *name)
{
    for (int t = PARAM_BOOL; name && t <= PARAM_STRING; t++)
        if (strcmp(name, type_names[t]) == 0)
            return (enum param_type)t;
    return 0;
}

/* ---- what was expected, in words ---- */

static void add_range(struct strbuf *b, bool has_min, const char *min, bool has_max,
                      const char *max)
{
    if (has_min && has_max)
        strbuf_addf(b, " from %s to %s", min, max);
    else if (has_min)
        strbuf_addf(b, " of at least %s", min);
    else if (has_max)
        strbuf_addf(b, " of at most %s", max);
}

static void add_expected(struct strbuf *b, const struct param_spec *s)
{
    char min[32], max[32];
    strbuf_adds(b, "expected ");
    if (s->type == PARAM_BOOL)
        strbuf_adds(b, "true or false");
    if (s->type == PARAM_STRING)
        strbuf_adds(b, "a text");
    if (s->type == PARAM_INT) {
        snprintf(min, sizeof(min), "%" PRId64, s->min_i);
        snprintf(max, sizeof(max), "%" PRId64, s->max_i);
        strbuf_adds(b, "a whole number");
        add_range(b, s->min_i != INT64_MIN, min, s->max_i != INT64_MAX, max);
    }
    if (s->type == PARAM_REAL) {
        text_from_double(s->min_r, min);
        text_from_double(s->max_r, max);
        strbuf_adds(b, "a number");
        add_range(b, isfinite(s->min_r), min, isfinite(s->max_r), max);
    }
    for (size_t i = 0; s->type == PARAM_CHOICE && s->choices[i]; i++)
        strbuf_addf(b, "%s%s", i ? ", " : "one of ", s->choices[i]);
}

int param_refuse(const struct param_spec *s, const char *found, struct error *err)
{
    struct strbuf b;
    strbuf_init(&b);
    add_expected(&b, s);
    int rc = b.failed ? error_nomem(err)
                      : error_set(err, ERR_INVALID, "%s%s found %s", b.s,
                                  s->type == PARAM_CHOICE ? ";" : ",", found);
    strbuf_release(&b);
    return rc;
}

static int refuse_text(const struct param_spec *s, const char *text, struct error *err)
{
    char found[64], quoted[200];
    size_t n = clean_text(text, strlen(text), found, sizeof(found));
    const char *near = s->type == PARAM_CHOICE ? text_did_you_mean(text, s->choices) : NULL;
    snprintf(quoted, sizeof(quoted), "\"%s%s\"%s%.60s%s", found, n < strlen(text) ? "..." : "",
             near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return param_refuse(s, quoted, err);
}

/* ---- values ---- */

static bool parse_choice(const struct param_spec *s, const char *text, int64_t *ret)
{
    for (int64_t i = 0; s->choices[i]; i++)
        if (strcmp(s->choices[i], text) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static bool in_bounds(const struct param_spec *s, const struct param_value *v)
{
    if (s->type == PARAM_INT)
        return v->i >= s->min_i && v->i <= s->max_i;
    return s->type != PARAM_REAL || (isfinite(v->r) && v->r >= s->min_r && v->r <= s->max_r);
}

int param_parse(const struct param_spec *s, const char *text, struct param_value *ret,
                struct error *err)
{
    struct param_value v = {0, 0, NULL};
    bool ok = false, yes = false;
    switch (s->type) {
    case PARAM_BOOL:
        ok = text_to_bool(text, &yes);
        v.i = yes;
        break;
    case PARAM_INT:
        ok = text_to_int(text, &v.i);
        break;
    case PARAM_REAL:
        ok = text_to_real(text, &v.r);
        break;
    case PARAM_CHOICE:
        ok = parse_choice(s, text, &v.i);
        break;
    case PARAM_STRING:
        ok = true;
        v.s = text;
        break;
    }
    if (!ok || !in_bounds(s, &v))
        return refuse_text(s, text, err);
    *ret = v;
    return 0;
}

int param_from_json(const struct param_spec *s, const json_t *value, struct param_value *ret,
                    struct error *err)
{
    struct param_value v = {0, 0, NULL};
    bool ok = false;
    if (s->type == PARAM_BOOL && (ok = json_is_boolean(value)))
        v.i = json_is_true(value);
    if (s->type == PARAM_INT && (ok = json_is_integer(value)))
        v.i = json_integer_value(value);
    if (s->type == PARAM_REAL && (ok = json_is_number(value)))
        v.r = json_number_value(value);
    if (s->type == PARAM_STRING && (ok = json_is_string(value)))
        v.s = json_string_value(value);
    if (s->type == PARAM_CHOICE)
        ok = json_is_string(value) && parse_choice(s, json_string_value(value), &v.i);
    if (!ok || !in_bounds(s, &v)) {
        char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        int rc = param_refuse(s, text ? text : "nothing", err);
        free(text);
        return rc;
    }
    *ret = v;
    return 0;
}

json_t *param_to_json(const struct param_spec *s, const struct param_value *v)
{
    switch (s->type) {
    case PARAM_BOOL:
        return json_boolean(v->i);
    case PARAM_INT:
        return json_integer(v->i);
    case PARAM_REAL:
        return json_real(v->r);
    case PARAM_CHOICE:
        return json_string(s->choices[v->i]);
    case PARAM_STRING:
        return json_string(v->s);
    }
    return NULL;
}
