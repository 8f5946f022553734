/* Descriptions read back from JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "desc_internal.h"
#include "text.h"

static const char *const kind_names[] = {
    "any", "unlearner", "example-attack", "membership-attack", "audit", "metric"};

const char *plugin_kind_name(enum plugin_kind kind)
{
    return (unsigned)kind <= PLUGIN_METRIC ? kind_names[kind] : "unknown";
}

static int kind_from_name(const char *name, enum plugin_kind *ret)
{
    for (int k = PLUGIN_UNLEARNER; k <= PLUGIN_METRIC; k++)
        if (strcmp(name, kind_names[k]) == 0) {
            *ret = (enum plugin_kind)k;
            return 0;
        }
    return -1;
}

static int check_schema(const struct plugin_desc *p, struct error *err)
{
    const json_t *params = json_object_get(p->json, "params");
    if (!json_is_array(params))
        return error_set(err, ERR_OUTPUT, "its parameters are no list");
    for (size_t i = 0; i < json_array_size(params); i++) {
        struct param_spec spec;
        struct param_value v;
        TRY(desc_param_spec(p, i, &spec, err));
        int rc =
            param_from_json(&spec, json_object_get(json_array_get(params, i), "default"), &v, err);
        if (rc < 0)
            rc = error_set(err, ERR_OUTPUT, "default of parameter %s: %s", spec.name, err->text);
        free((void *)spec.choices);
        TRY(rc);
    }
    return 0;
}

int desc_from_json(json_t *json, struct plugin_desc *ret, struct error *err)
{
    static const char what[] = "the description of a plugin";
    struct error local = ERROR_INIT;
    struct plugin_desc p = {.json = json};
    const char *kind;
    err = err ? err : &local;
    const struct {
        const char *key, **to;
    } texts[] = {{"id", &p.id},           {"name", &p.name},         {"kind", &kind},
                 {"version", &p.version}, {"license", &p.license},   {"summary", &p.summary},
                 {"doc", &p.doc},         {"citation", &p.citation}, {"url", &p.url},
                 {"path", &p.path},       {"sha256", &p.sha256},     {"short_name", &p.short_name}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        TRY(json_get_string(json, what, texts[i].key, texts[i].to, err));
    if (!text_is_plugin_id(p.id))
        return error_set(err, ERR_OUTPUT, "its id is none");
    if (strcmp(kind, "too-new") == 0)
        return error_set(err, ERR_UNSUPPORTED,
                         "plugin %s is of kind %" JSON_INTEGER_FORMAT
                         ", which is newer than this Lethe; update Lethe",
                         p.id, json_integer_value(json_object_get(json, "kind_number")));
    if (kind_from_name(kind, &p.kind) < 0)
        return error_set(err, ERR_OUTPUT, "plugin %s is of unknown kind", p.id);
    if (check_schema(&p, err) < 0)
        return error_prefix(err, "plugin %s", p.id);
    *ret = p;
    return 0;
}

static const char *const *choice_array(const json_t *list)
{
    size_t n = json_array_size(list);
    const char **choices = calloc(n + 1, sizeof(*choices));
    for (size_t i = 0; choices && i < n; i++) {
        choices[i] = json_string_value(json_array_get(list, i));
        if (!choices[i]) {
            free(choices);
            return NULL;
        }
    }
    return choices;
}

static double bound(const json_t *o, const char *key, double open)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : open;
}

int desc_param_spec(const struct plugin_desc *p, size_t i, struct param_spec *ret,
                    struct error *err)
{
    const json_t *o = json_array_get(json_object_get(p->json, "params"), i);
    const json_t *min = json_object_get(o, "min"), *max = json_object_get(o, "max");
    struct param_spec s = {.name = json_string_value(json_object_get(o, "name")),
                           .type =
                               param_type_from_name(json_string_value(json_object_get(o, "type"))),
                           .min_i = json_is_integer(min) ? json_integer_value(min) : INT64_MIN,
                           .max_i = json_is_integer(max) ? json_integer_value(max) : INT64_MAX,
                           .min_r = bound(o, "min", -HUGE_VAL),
                           .max_r = bound(o, "max", HUGE_VAL)};
    if (!s.name || s.type == 0)
        return error_set(err, ERR_OUTPUT, "parameter %zu of %s has no name or no type", i + 1,
                         p->id);
    s.choices = choice_array(json_object_get(o, "choices"));
    if (!s.choices)
        return error_nomem(err);
    *ret = s;
    return 0;
}
