/* yaml_parse.c: from libfyaml's events to our tree. Events rather than its documents: they carry
 * positions for maps and lists too, and aliases are seen before anything is copied. */
#include <stdlib.h>
#include <string.h>

#include <libfyaml.h>

#include "fs.h"
#include "text.h"
#include "yaml.h"

enum { MAX_BYTES = 4 << 20, MAX_DEPTH = 64, MAX_NODES = 500000 };

struct loader {
    const char *name;
    struct fy_parser *parser;
    struct fy_diag *diag;
    struct error *err;
    int line, column; /* of the last event that had a place */
    unsigned n_nodes;
};

static int at_event(struct loader *l, const char *text)
{
    return error_set(l->err, ERR_INVALID, "%s:%d:%d: %s", l->name, l->line, l->column, text);
}

/* What libfyaml collected; it counts from 1 here. */
static int parser_error(struct loader *l)
{
    void *iter = NULL;
    for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(l->diag, &iter));)
        if (e->msg)
            return error_set(l->err, ERR_INVALID, "%s:%d:%d: %s", l->name, e->line, e->column,
                             e->msg);
    return at_event(l, "not valid YAML");
}

static void take_place(struct loader *l, struct fy_token *token)
{
    const struct fy_mark *m = token ? fy_token_start_mark(token) : NULL;
    if (!m)
        return;
    l->line = m->line + 1;
    l->column = m->column + 1;
}

/* The mark of a quoted scalar or an alias stands behind its first character. */
static void take_event_place(struct loader *l, const struct fy_event *e, struct fy_token *token)
{
    take_place(l, token);
    if (!token)
        return;
    enum fy_scalar_style style = e->type == FYET_SCALAR ? fy_token_scalar_style(token) : FYSS_PLAIN;
    if (l->column > 1 &&
        (e->type == FYET_ALIAS || style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED))
        l->column--;
}

/* Next event, or NULL with the error set. */
static struct fy_event *next_event(struct loader *l)
{
    struct fy_event *e = fy_parser_parse(l->parser);
    if (!e)
        parser_error(l);
    return e;
}

static struct fy_token *event_token(const struct fy_event *e, struct fy_token **ret_tag)
{
    *ret_tag = NULL;
    switch (e->type) {
    case FYET_SCALAR:
        *ret_tag = e->scalar.tag;
        return e->scalar.value;
    case FYET_MAPPING_START:
        *ret_tag = e->mapping_start.tag;
        return e->mapping_start.mapping_start;
    case FYET_SEQUENCE_START:
        *ret_tag = e->sequence_start.tag;
        return e->sequence_start.sequence_start;
    case FYET_ALIAS:
        return e->alias.anchor;
    default:
        return NULL;
    }
}

/* Text and style of a scalar event; "" for null. */
static int scalar_text(struct loader *l, const struct fy_event *e, char **ret, bool *ret_quoted)
{
    size_t n = 0;
    struct fy_token *value = e->scalar.value;
    const char *s = value ? fy_token_get_text(value, &n) : "";
    if (!s)
        return error_nomem(l->err);
    bool quoted = value && fy_token_scalar_style(value) != FYSS_PLAIN;
    if (memchr(s, '\0', n))
        return at_event(l, "text with a zero byte is not supported");
    static const char *const nulls[] = {"null", "Null", "NULL", "~"};
    for (size_t i = 0; !quoted && i < sizeof nulls / sizeof nulls[0]; i++)
        if (strlen(nulls[i]) == n && memcmp(s, nulls[i], n) == 0)
            n = 0;
    char *copy = strndup(s, n);
    if (!copy)
        return error_nomem(l->err);
    *ret = copy;
    *ret_quoted = quoted;
    return 0;
}

static int read_node(struct loader *l, struct fy_event *e, unsigned depth, struct yaml_node **ret);

/* Reads a key from its event; a pair without value is added to the map. */
static int read_key(struct loader *l, struct fy_event *e, struct yaml_node *map)
{
    struct fy_token *tag;
    take_event_place(l, e, event_token(e, &tag));
    if (e->type != FYET_SCALAR || tag)
        return at_event(l, e->type == FYET_ALIAS ? "aliases are not supported; write the key out"
                                                 : "a key must be a plain word");
    char *key = NULL;
    bool quoted = false;
    TRY(scalar_text(l, e, &key, &quoted));
    if (!quoted && (*key == '\0' || strcmp(key, "<<") == 0)) {
        bool merge = *key != '\0';
        free(key);
        return at_event(l, merge ? "merge keys (<<) are not supported; repeat the keys"
                                 : "a key is missing before the colon");
    }
    struct yaml_pair *pair = yaml_add_pair(map);
    if (!pair) {
        free(key);
        return error_nomem(l->err);
    }
    *pair = (struct yaml_pair){key, l->line, l->column, NULL};
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct yaml_pair *x = *(struct yaml_pair *const *)a, *y = *(struct yaml_pair *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x > y) - (x < y);
}

static int refuse_duplicates(struct loader *l, const struct yaml_node *map)
{
    if (map->n < 2)
        return 0;
    struct yaml_pair **sorted = malloc(map->n * sizeof *sorted);
    if (!sorted)
        return error_nomem(l->err);
    for (size_t i = 0; i < map->n; i++)
        sorted[i] = &map->child[i];
    qsort(sorted, map->n, sizeof *sorted, by_key);
    int rc = 0;
    for (size_t i = 1; i < map->n && rc == 0; i++)
        if (strcmp(sorted[i]->key, sorted[i - 1]->key) == 0)
            rc = yaml_key_error(map, (size_t)(sorted[i] - map->child), l->err,
                                "the key \"%s\" appears twice; first in line %d", sorted[i]->key,
                                sorted[i - 1]->line);
    free(sorted);
    return rc;
}

/* Children up to the end event, for maps and lists. */
static int read_children(struct loader *l, struct yaml_node *node, unsigned depth)
{
    enum fy_event_type end = node->kind == YAML_MAP ? FYET_MAPPING_END : FYET_SEQUENCE_END;
    for (;;) {
        struct fy_event *e = next_event(l);
        if (!e)
            return ERR_INVALID;
        if (e->type == end) {
            fy_parser_event_free(l->parser, e);
            return node->kind == YAML_MAP ? refuse_duplicates(l, node) : 0;
        }
        int rc = 0;
        if (node->kind == YAML_MAP) {
            rc = read_key(l, e, node);
            fy_parser_event_free(l->parser, e);
            if (rc < 0)
                return rc;
            e = next_event(l);
            if (!e)
                return ERR_INVALID;
        } else if (!yaml_add_pair(node))
            rc = error_nomem(l->err);
        struct yaml_node *value = NULL;
        if (rc == 0)
            rc = read_node(l, e, depth + 1, &value);
        fy_parser_event_free(l->parser, e);
        if (rc < 0)
            return rc;
        node->child[node->n - 1].value = value;
    }
}

/* The node that starts with event e (which stays the caller's). */
static int read_node(struct loader *l, struct fy_event *e, unsigned depth, struct yaml_node **ret)
{
    struct fy_token *tag, *token = event_token(e, &tag);
    take_event_place(l, e, token);
    if (e->type == FYET_ALIAS)
        return at_event(l, "aliases (*name) are not supported; write the value out");
    if (tag) {
        take_place(l, tag);
        return at_event(l, "tags (!name) are not supported");
    }
    if (depth >= MAX_DEPTH)
        return at_event(l, "nested more than 64 levels deep");
    if (++l->n_nodes > MAX_NODES)
        return at_event(l, "more than 500000 values in one file");
    enum yaml_kind kind = e->type == FYET_MAPPING_START    ? YAML_MAP
                          : e->type == FYET_SEQUENCE_START ? YAML_LIST
                          : e->type == FYET_SCALAR         ? YAML_SCALAR
                                                           : 0;
    if (!kind)
        return at_event(l, "unexpected end of the text");
    struct yaml_node *node = yaml_node_new(kind, l->name, l->line, l->column);
    if (!node)
        return error_nomem(l->err);
    int rc = kind == YAML_SCALAR ? scalar_text(l, e, &node->text, &node->quoted)
                                 : read_children(l, node, depth);
    if (rc < 0)
        yaml_free(node);
    else
        *ret = node;
    return rc;
}

/* The one document of the stream; nothing at all reads as null. */
static int read_stream(struct loader *l, struct yaml_node **ret)
{
    struct yaml_node *root = NULL;
    int rc = 0;
    for (bool end = false; rc == 0 && !end;) {
        struct fy_event *e = next_event(l);
        if (!e) {
            rc = ERR_INVALID;
            break;
        }
        if (e->type == FYET_STREAM_END)
            end = true;
        else if (e->type == FYET_DOCUMENT_START && root) {
            take_place(l, e->document_start.document_start);
            rc = at_event(l, "a second document (---) is not supported");
        } else if (e->type == FYET_SCALAR || e->type == FYET_ALIAS ||
                   e->type == FYET_MAPPING_START || e->type == FYET_SEQUENCE_START)
            rc = read_node(l, e, 0, &root);
        fy_parser_event_free(l->parser, e);
    }
    if (rc == 0 && !root) {
        root = yaml_node_new(YAML_SCALAR, l->name, 1, 1);
        if (root)
            root->text = text_dup("");
        if (!root || !root->text)
            rc = error_nomem(l->err);
    }
    if (rc < 0)
        yaml_free(root);
    else
        *ret = root;
    return rc;
}

/* Printing an error with its source line was where libfyaml 0.7 had its memory bugs: collect. */
static struct fy_diag *make_diag(void)
{
    struct fy_diag_cfg cfg;
    fy_diag_cfg_default(&cfg);
    cfg.fp = NULL;
    cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&cfg);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    return diag;
}

static int bad_bytes(const char *name, const char *text, size_t n, struct error *err)
{
    if (n > MAX_BYTES)
        return error_set(err, ERR_INVALID, "%s: larger than the 4 MiB that are accepted", name);
    if (n > 0 && (memchr(text, '\0', n) || !text_is_utf8(text, n)))
        return error_set(err, ERR_INVALID, "%s: not UTF-8 text; is it a YAML file?", name);
    return 0;
}

int yaml_parse(const char *name, const char *text, size_t n, struct yaml_node **ret,
               struct error *err)
{
    TRY(bad_bytes(name, text, n, err));
    struct loader l = {.name = name, .err = err, .line = 1, .column = 1};
    l.diag = make_diag();
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_JSON_NONE, .diag = l.diag};
    l.parser = l.diag ? fy_parser_create(&cfg) : NULL;
    int rc = 0;
    if (!l.parser || fy_parser_set_string(l.parser, n > 0 ? text : " ", n > 0 ? n : 1) != 0)
        rc = error_nomem(err);
    else
        rc = read_stream(&l, ret);
    if (l.parser)
        fy_parser_destroy(l.parser);
    if (l.diag)
        fy_diag_destroy(l.diag);
    return rc;
}

int yaml_load(const char *path, struct yaml_node **ret, struct error *err)
{
    char *text = NULL;
    size_t n = 0;
    TRY(fs_read(path, MAX_BYTES, &text, &n, err));
    int rc = yaml_parse(path, text, n, ret, err);
    free(text);
    return rc;
}
