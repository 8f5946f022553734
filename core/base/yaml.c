/* yaml.c: the tree, its errors, and reading typed values from it. */
#include "yaml.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct yaml_node *yaml_node_new(enum yaml_kind kind, const char *origin, int line, int column)
{
    struct yaml_node *node = calloc(1, sizeof *node);
    char *copy = text_dup(origin);
    if (!node || !copy) {
        free(node);
        free(copy);
        return NULL;
    }
    node->kind = kind;
    node->origin = copy;
    node->line = line;
    node->column = column;
    return node;
}

struct yaml_pair *yaml_add_pair(struct yaml_node *node)
{
    if ((node->n & (node->n - 1)) == 0) { /* full at every power of two */
        size_t cap = node->n == 0 ? 1 : node->n * 2;
        struct yaml_pair *more = realloc(node->child, cap * sizeof *more);
        if (!more)
            return NULL;
        node->child = more;
    }
    struct yaml_pair *pair = &node->child[node->n++];
    *pair = (struct yaml_pair){0};
    return pair;
}

void yaml_free(struct yaml_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n; i++) {
        free(node->child[i].key);
        yaml_free(node->child[i].value);
    }
    free(node->child);
    free(node->text);
    free((char *)node->origin);
    free(node);
}

struct yaml_node *yaml_clone(const struct yaml_node *node)
{
    struct yaml_node *copy = yaml_node_new(node->kind, node->origin, node->line, node->column);
    if (!copy)
        return NULL;
    copy->quoted = node->quoted;
    copy->text = text_dup(node->text);
    if (node->text && !copy->text)
        goto fail;
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_pair *from = &node->child[i];
        struct yaml_pair *to = yaml_add_pair(copy);
        if (!to)
            goto fail;
        *to = (struct yaml_pair){text_dup(from->key), from->line, from->column,
                                 yaml_clone(from->value)};
        if (!to->value || (from->key && !to->key))
            goto fail;
    }
    return copy;
fail:
    yaml_free(copy);
    return NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key)
{
    if (!node || node->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->child[i].key, key) == 0)
            return node->child[i].value;
    return NULL;
}

static int error_at(const char *origin, int line, int column, struct error *err, const char *format,
                    va_list ap)
{
    char text[sizeof err->text];
    vsnprintf(text, sizeof text, format, ap);
    if (!origin)
        return error_set(err, ERR_INVALID, "%s", text);
    if (line == 0)
        return error_set(err, ERR_INVALID, "%s: %s", origin, text);
    return error_set(err, ERR_INVALID, "%s:%d:%d: %s", origin, line, column, text);
}

int yaml_error(const struct yaml_node *node, struct error *err, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int rc = node ? error_at(node->origin, node->line, node->column, err, format, ap)
                  : error_at(NULL, 0, 0, err, format, ap);
    va_end(ap);
    return rc;
}

int yaml_key_error(const struct yaml_node *map, size_t index, struct error *err, const char *format,
                   ...)
{
    const struct yaml_pair *pair = &map->child[index];
    const char *origin = pair->line == 0 && pair->value ? pair->value->origin : map->origin;
    va_list ap;
    va_start(ap, format);
    int rc = error_at(origin, pair->line, pair->column, err, format, ap);
    va_end(ap);
    return rc;
}

static bool is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->quoted && *node->text == '\0';
}

static int wrong(const struct yaml_node *node, const char *what, const char *wanted,
                 struct error *err)
{
    if (!node)
        return error_set(err, ERR_INVALID, "%s: expected %s, found nothing", what, wanted);
    if (node->kind != YAML_SCALAR || is_null(node))
        return yaml_error(node, err, "%s: expected %s, found %s", what, wanted,
                          node->kind == YAML_MAP    ? "a map"
                          : node->kind == YAML_LIST ? "a list"
                                                    : "nothing");
    return yaml_error(node, err, "%s: expected %s, found \"%s\"%s", what, wanted, node->text,
                      node->quoted ? " in quotes" : "");
}

static bool is_plain(const struct yaml_node *node)
{
    return node && node->kind == YAML_SCALAR && !node->quoted;
}

int yaml_real(const struct yaml_node *node, const char *what, double *ret, struct error *err)
{
    if (!is_plain(node) || !text_to_real(node->text, ret))
        return wrong(node, what, "a number", err);
    return 0;
}

int yaml_int(const struct yaml_node *node, const char *what, int64_t *ret, struct error *err)
{
    if (!is_plain(node) || !text_to_int(node->text, ret))
        return wrong(node, what, "a whole number", err);
    return 0;
}

int yaml_bool(const struct yaml_node *node, const char *what, bool *ret, struct error *err)
{
    if (!is_plain(node) || !text_to_bool(node->text, ret))
        return wrong(node, what, "true or false", err);
    return 0;
}

int yaml_string(const struct yaml_node *node, const char *what, const char **ret, struct error *err)
{
    if (!node || node->kind != YAML_SCALAR || is_null(node))
        return wrong(node, what, "a text", err);
    *ret = node->text;
    return 0;
}

static int unknown_key(const struct yaml_node *map, size_t index, const char *what,
                       const char *const *keys, struct error *err)
{
    const char *key = map->child[index].key, *like = text_did_you_mean(key, keys);
    if (like)
        return yaml_key_error(map, index, err, "unknown key \"%s\" in %s; did you mean \"%s\"?",
                              key, what, like);
    struct strbuf list;
    strbuf_init(&list);
    for (size_t i = 0; keys[i]; i++)
        strbuf_addf(&list, "%s%s", i > 0 ? ", " : "", keys[i]);
    int rc = yaml_key_error(map, index, err, "unknown key \"%s\" in %s; %s%s", key, what,
                            keys[0] ? "known keys: " : "it takes none", list.s);
    strbuf_release(&list);
    return rc;
}

int yaml_known_keys(const struct yaml_node *map, const char *what, const char *const *keys,
                    struct error *err)
{
    if (!map || is_null(map)) /* "train:" with nothing behind it is an empty map */
        return 0;
    if (map->kind != YAML_MAP)
        return wrong(map, what, "a map", err);
    for (size_t i = 0; i < map->n; i++) {
        size_t k = 0;
        while (keys[k] && strcmp(keys[k], map->child[i].key) != 0)
            k++;
        if (!keys[k])
            return unknown_key(map, i, what, keys, err);
    }
    return 0;
}

static void add_json_string(struct strbuf *out, const char *s)
{
    strbuf_addc(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            strbuf_addf(out, "\\%c", c);
        else if (c < 0x20)
            strbuf_addf(out, "\\u%04x", c);
        else
            strbuf_addc(out, (char)c);
    }
    strbuf_addc(out, '"');
}

static void add_json_scalar(const struct yaml_node *node, struct strbuf *out)
{
    int64_t whole;
    double real;
    if (node->quoted)
        add_json_string(out, node->text);
    else if (*node->text == '\0')
        strbuf_adds(out, "null");
    else if (strcasecmp(node->text, "true") == 0 || strcasecmp(node->text, "false") == 0)
        strbuf_adds(out, (*node->text | 0x20) == 't' ? "true" : "false");
    else if (text_to_int(node->text, &whole))
        strbuf_addf(out, "%" PRId64, whole);
    else if (text_to_real(node->text, &real))
        strbuf_add_double(out, real);
    else
        add_json_string(out, node->text);
}

void yaml_to_json(const struct yaml_node *node, struct strbuf *out)
{
    if (node->kind == YAML_SCALAR) {
        add_json_scalar(node, out);
        return;
    }
    strbuf_addc(out, node->kind == YAML_MAP ? '{' : '[');
    for (size_t i = 0; i < node->n; i++) {
        if (i > 0)
            strbuf_addc(out, ',');
        if (node->kind == YAML_MAP) {
            add_json_string(out, node->child[i].key);
            strbuf_addc(out, ':');
        }
        yaml_to_json(node->child[i].value, out);
    }
    strbuf_addc(out, node->kind == YAML_MAP ? '}' : ']');
}
