/* Parameters of a suite file against a plugin's schema. */
#include <stdlib.h>
#include <string.h>

#include "desc_internal.h"
#include "text.h"

static const json_t *schema_of(const struct plugin_desc *p)
{
    return json_object_get(p->json, "params");
}

static const char *name_at(const json_t *schema, size_t i)
{
    const char *s = json_string_value(json_object_get(json_array_get(schema, i), "name"));
    return s ? s : "";
}

/* "; did you mean "lr"?" or the list of what there is; malloc'd. */
static char *suggestion(const struct plugin_desc *p, const char *name)
{
    const json_t *schema = schema_of(p);
    size_t n = json_array_size(schema);
    const char **names = calloc(n + 1, sizeof(*names));
    if (!names)
        return NULL;
    struct strbuf b;
    strbuf_init(&b);
    for (size_t i = 0; i < n; i++)
        names[i] = name_at(schema, i);
    const char *near = text_did_you_mean(name, names);
    if (near)
        strbuf_addf(&b, "; did you mean \"%s\"?", near);
    else if (n == 0)
        strbuf_addf(&b, "; it takes none");
    for (size_t i = 0; i < n && !near; i++)
        strbuf_addf(&b, "%s%s", i ? ", " : "; it takes ", names[i]);
    free(names);
    return strbuf_detach(&b);
}

static bool in_schema(const struct plugin_desc *p, const char *name)
{
    const json_t *schema = schema_of(p);
    for (size_t i = 0; i < json_array_size(schema); i++)
        if (strcmp(name_at(schema, i), name) == 0)
            return true;
    return false;
}

static int check_keys(const struct plugin_desc *p, const struct yaml_node *given, struct error *err)
{
    for (size_t i = 0; i < given->n; i++) {
        if (in_schema(p, given->child[i].key))
            continue;
        char *hint = suggestion(p, given->child[i].key);
        int rc = hint ? yaml_key_error(given, i, err, "%s has no parameter \"%s\"%s", p->id,
                                       given->child[i].key, hint)
                      : error_nomem(err);
        free(hint);
        return rc;
    }
    return 0;
}

/* The given value, or the error with its place in the file. */
static int read_given(const struct plugin_desc *p, const struct param_spec *spec,
                      const struct yaml_node *node, struct param_value *ret, struct error *err)
{
    struct error why = ERROR_INIT;
    int rc;
    if (node->kind != YAML_SCALAR) {
        rc = param_refuse(spec, node->kind == YAML_LIST ? "a list" : "a map", &why);
    } else if (node->quoted && spec->type != PARAM_STRING && spec->type != PARAM_CHOICE) {
        rc = param_refuse(spec, "a text in quotes", &why);
    } else if (!node->quoted && !*node->text && spec->type != PARAM_STRING) {
        rc = param_refuse(spec, "nothing", &why);
    } else {
        rc = param_parse(spec, node->text, ret, &why);
    }
    if (rc < 0)
        return yaml_error(node, err, "%s.%s: %s", p->id, spec->name, why.text);
    return 0;
}

/* Parameter i: as given, else its default. */
static int resolve_one(const struct plugin_desc *p, size_t i, const struct yaml_node *given,
                       json_t *out, struct error *err)
{
    struct param_spec spec;
    struct param_value v;
    json_t *value = NULL;
    TRY(desc_param_spec(p, i, &spec, err));
    const struct yaml_node *node = yaml_get(given, spec.name);
    int rc = 0;
    if (node) {
        rc = read_given(p, &spec, node, &v, err);
        value = rc == 0 ? param_to_json(&spec, &v) : NULL;
    } else {
        value = json_incref(json_object_get(json_array_get(schema_of(p), i), "default"));
    }
    if (rc == 0 && json_object_set(out, spec.name, value) != 0)
        rc = node && spec.type == PARAM_STRING
                 ? yaml_error(node, err, "%s.%s: the text is not valid UTF-8", p->id, spec.name)
                 : error_nomem(err);
    json_decref(value);
    free((void *)spec.choices);
    return rc;
}

int desc_params(const struct plugin_desc *p, const struct yaml_node *given, json_t **ret,
                struct error *err)
{
    bool empty = given && given->kind == YAML_SCALAR && !given->quoted && !*given->text;
    if (given && given->kind != YAML_MAP && !empty)
        return yaml_error(given, err, "expected parameters of %s, e.g. {%s: ...}, found %s", p->id,
                          json_array_size(schema_of(p)) ? name_at(schema_of(p), 0) : "name",
                          given->kind == YAML_LIST ? "a list" : "a single value");
    json_t *out = json_object();
    int rc = out ? 0 : error_nomem(err);
    if (rc == 0 && given)
        rc = check_keys(p, given, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(schema_of(p)); i++)
        rc = resolve_one(p, i, given, out, err);
    if (rc < 0) {
        json_decref(out);
        return rc;
    }
    *ret = out;
    return 0;
}

/* ---- settings of an attack that an unlearner uses ---- */

/* A resolved value as the text that param_parse reads back to the same; malloc'd. */
static char *value_text(const json_t *v)
{
    char number[32];
    if (json_is_string(v))
        return text_dup(json_string_value(v));
    if (json_is_boolean(v))
        return text_dup(json_is_true(v) ? "true" : "false");
    if (json_is_integer(v))
        return text_format("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (!json_is_real(v))
        return NULL;
    text_from_double(json_real_value(v), number);
    return text_dup(number);
}

struct setting { /* "name=value" taken apart; both malloc'd */
    char *name, *value;
};

static void setting_release(struct setting *s)
{
    free(s->name);
    free(s->value);
}

static int read_setting(const char *text, const json_t *unlearner_params, struct setting *ret,
                        struct error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return error_set(err, ERR_INVALID, "setting \"%s\": expected name=value", text);
    const json_t *own = NULL;
    if (equals[1] == '$') {
        own = json_object_get(unlearner_params, equals + 2);
        if (!own)
            return error_set(err, ERR_INVALID,
                             "setting \"%s\": the unlearner has no parameter \"%s\"", text,
                             equals + 2);
    }
    struct setting s = {strndup(text, (size_t)(equals - text)),
                        own ? value_text(own) : text_dup(equals + 1)};
    if (!s.name || !s.value) {
        setting_release(&s);
        return error_nomem(err);
    }
    *ret = s;
    return 0;
}

static size_t schema_index(const struct plugin_desc *p, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(schema_of(p)) && strcmp(name_at(schema_of(p), i), name) != 0)
        i++;
    return i;
}

static int apply_setting(const struct plugin_desc *attack, const struct setting *s, json_t *out,
                         struct error *err)
{
    size_t i = schema_index(attack, s->name);
    if (i == json_array_size(schema_of(attack))) {
        char *hint = suggestion(attack, s->name);
        int rc = hint ? error_set(err, ERR_INVALID, "%s has no parameter \"%s\"%s", attack->id,
                                  s->name, hint)
                      : error_nomem(err);
        free(hint);
        return rc;
    }
    struct param_spec spec;
    struct param_value v;
    TRY(desc_param_spec(attack, i, &spec, err));
    int rc = param_parse(&spec, s->value, &v, err);
    if (rc < 0)
        error_prefix(err, "%s.%s", attack->id, s->name);
    else if (json_object_set_new(out, s->name, param_to_json(&spec, &v)) != 0)
        rc = error_nomem(err);
    free((void *)spec.choices);
    return rc;
}

int desc_attack_params(const struct plugin_desc *attack, const json_t *use,
                       const json_t *unlearner_params, json_t **ret, struct error *err)
{
    json_t *out = NULL;
    size_t i;
    json_t *text;
    TRY(desc_params(attack, NULL, &out, err));
    int rc = 0;
    json_array_foreach(json_object_get(use, "settings"), i, text)
    {
        struct setting s = {NULL, NULL};
        const char *word = json_string_value(text);
        if (rc == 0)
            rc = read_setting(word ? word : "", unlearner_params, &s, err);
        if (rc == 0)
            rc = apply_setting(attack, &s, out, err);
        setting_release(&s);
    }
    if (rc < 0) {
        json_decref(out);
        return rc;
    }
    *ret = out;
    return 0;
}

/* ---- lists of words ---- */

static bool has_word(const json_t *list, const char *word)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
            return true;
    }
    return false;
}

bool desc_has_cap(const struct plugin_desc *p, const char *cap)
{
    return has_word(json_object_get(p->json, "needs"), cap) ||
           has_word(json_object_get(p->json, "uses"), cap);
}

bool desc_serves(const struct plugin_desc *p, const char *scenario)
{
    return has_word(json_object_get(p->json, "scenarios"), scenario);
}
