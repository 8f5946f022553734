/* yaml_set.c: `--set key.path=value`. */
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "yaml.h"

static const char origin[] = "--set";

/* Positions inside a value on the command line say nothing. */
static void forget_places(struct yaml_node *node)
{
    node->line = node->column = 0;
    for (size_t i = 0; i < node->n; i++) {
        node->child[i].line = node->child[i].column = 0;
        forget_places(node->child[i].value);
    }
}

/* Length of the key of `map` that path begins with. Plugin ids contain dots, so the longest key
 * that is there wins; else the text up to the first dot. */
static size_t key_length(const struct yaml_node *map, const char *path)
{
    size_t best = 0;
    for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++) {
        size_t n = strlen(map->child[i].key);
        if (n > best && strncmp(path, map->child[i].key, n) == 0 &&
            (path[n] == '.' || path[n] == '\0'))
            best = n;
    }
    return best > 0 ? best : strcspn(path, ".");
}

/* The pair of a map with that key, made if it is not there; NULL when out of memory. */
static struct yaml_pair *map_pair(struct yaml_node *map, const char *key, size_t n)
{
    for (size_t i = 0; i < map->n; i++)
        if (strlen(map->child[i].key) == n && memcmp(map->child[i].key, key, n) == 0)
            return &map->child[i];
    char *copy = strndup(key, n);
    struct yaml_pair *pair = copy ? yaml_add_pair(map) : NULL;
    if (!pair)
        free(copy);
    else
        pair->key = copy;
    return pair;
}

static int list_pair(struct yaml_node *list, const char *path, const char *at, size_t n,
                     struct yaml_pair **ret, struct error *err)
{
    char number[24];
    int64_t index = -1;
    if (n < sizeof number) {
        memcpy(number, at, n);
        number[n] = '\0';
        if (!text_to_int(number, &index))
            index = -1;
    }
    if (index < 0 || (uint64_t)index >= list->n)
        return error_set(
            err, ERR_INVALID,
            "--set %s: %.*s is a list of %zu items, numbered from 0; it has no \"%.*s\"", path,
            at > path ? (int)(at - path - 1) : 4, at > path ? path : "this", list->n, (int)n, at);
    *ret = &list->child[index];
    return 0;
}

/* A node that is null or not there yet becomes an empty map. */
static int make_map(struct yaml_node **node, struct error *err)
{
    if (!*node) {
        *node = yaml_node_new(YAML_MAP, origin, 0, 0);
        return *node ? 0 : error_nomem(err);
    }
    if ((*node)->kind == YAML_SCALAR && !(*node)->quoted && *(*node)->text == '\0')
        (*node)->kind = YAML_MAP;
    return 0;
}

/* Walks to the pair that path names, making maps on the way. */
static int find_pair(struct yaml_node *root, const char *path, struct yaml_pair **ret,
                     struct error *err)
{
    struct yaml_node *node = root;
    struct yaml_pair *pair = NULL;
    for (const char *at = path;;) {
        if (make_map(&node, err) < 0)
            return ERR_NOMEM;
        if (pair)
            pair->value = node;
        size_t n = key_length(node, at);
        if (n == 0)
            return error_set(err, ERR_INVALID, "--set %s: an empty name in the path", path);
        if (node->kind == YAML_SCALAR)
            return error_set(err, ERR_INVALID,
                             "--set %s: %.*s is \"%s\", not a map; set %.*s={...} as a whole", path,
                             (int)(at - path - 1), path, node->text, (int)(at - path - 1), path);
        if (node->kind == YAML_LIST)
            TRY(list_pair(node, path, at, n, &pair, err));
        else
            pair = map_pair(node, at, n);
        if (!pair)
            return error_nomem(err);
        if (at[n] == '\0') {
            *ret = pair;
            return 0;
        }
        at += n + 1;
        node = pair->value;
    }
}

/* The same walk without making anything: refuses a bad path before the tree is touched. */
static int check_path(const struct yaml_node *root, const char *path, struct error *err)
{
    if (root->kind == YAML_SCALAR && (root->quoted || *root->text))
        return error_set(err, ERR_INVALID, "--set %s: the document is no map", path);
    for (const char *at = path;; at++) {
        size_t n = strcspn(at, ".");
        if (n == 0)
            return error_set(err, ERR_INVALID, "--set %s: an empty name in the path", path);
        at += n;
        if (*at == '\0')
            return 0;
    }
}

/* "--set a=[1: flow sequence without ...": the position in so short a text helps nobody. */
static int value_error(const char *path, const char *value, struct error *err)
{
    if (!err)
        return ERR_INVALID;
    const char *text = err->text;
    if (text_starts(text, origin)) {
        text += strspn(text + strlen(origin), ":0123456789") + strlen(origin);
        text += *text == ' ';
    }
    return error_set(err, err->code, "--set %s=%s: %s", path, value, text);
}

int yaml_set(struct yaml_node *root, const char *path, const char *value, struct error *err)
{
    struct yaml_node *parsed = NULL;
    struct yaml_pair *pair = NULL;
    TRY(check_path(root, path, err));
    if (yaml_parse(origin, value, strlen(value), &parsed, err) < 0)
        return value_error(path, value, err);
    forget_places(parsed);
    int rc = find_pair(root, path, &pair, err);
    if (rc < 0) {
        yaml_free(parsed);
        return rc;
    }
    yaml_free(pair->value);
    pair->value = parsed;
    pair->line = pair->column = 0;
    return 0;
}
