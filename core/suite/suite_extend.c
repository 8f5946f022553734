#include "suite_extend.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "strbuf.h"
#include "text.h"

enum { MAX_CHAIN = 8, MAX_ITEMS = 1000 };

/* ---- extends ---- */

/* Adds what `from` has and `to` has not. */
static int merge(struct yaml_node *to, const struct yaml_node *from, struct error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct yaml_pair *theirs = &from->child[i];
        struct yaml_node *mine = (struct yaml_node *)yaml_get(to, theirs->key);
        if (mine && mine->kind == YAML_MAP && theirs->value->kind == YAML_MAP)
            TRY(merge(mine, theirs->value, err));
        if (mine || strcmp(theirs->key, "extends") == 0)
            continue;
        struct yaml_pair *pair = yaml_add_pair(to);
        if (!pair)
            return error_nomem(err);
        *pair = (struct yaml_pair){text_dup(theirs->key), theirs->line, theirs->column,
                                   yaml_clone(theirs->value)};
        if (!pair->key || !pair->value)
            return error_nomem(err);
    }
    return 0;
}

static void drop_key(struct yaml_node *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++) {
        if (strcmp(map->child[i].key, key) != 0)
            continue;
        free(map->child[i].key);
        yaml_free(map->child[i].value);
        map->n--;
        memmove(&map->child[i], &map->child[i + 1], (map->n - i) * sizeof(*map->child));
        return;
    }
}

static int extend(const char *path, struct yaml_node *root, unsigned depth, struct error *err)
{
    const struct yaml_node *node = yaml_get(root, "extends");
    const char *name;
    struct yaml_node *other = NULL;
    if (!node)
        return 0;
    if (depth == MAX_CHAIN)
        return yaml_error(node, err, "extends: more than %d suites in a chain; is it a circle?",
                          MAX_CHAIN);
    TRY(yaml_string(node, "extends", &name, err));
    char *dir = fs_dirname(path);
    char *file = dir ? fs_join(dir, name) : NULL;
    int rc = file ? yaml_load(file, &other, err) : error_nomem(err);
    if (rc < 0)
        error_prefix(err, "%s:%d:%d: extends", node->origin, node->line, node->column);
    if (rc == 0 && other->kind != YAML_MAP)
        rc = yaml_error(other, err, "expected a map with the keys of a suite");
    if (rc == 0)
        rc = extend(file, other, depth + 1, err);
    if (rc == 0)
        rc = merge(root, other, err);
    if (rc == 0)
        drop_key(root, "extends");
    yaml_free(other);
    free(file);
    free(dir);
    return rc;
}

int suite_extend(const char *path, struct yaml_node **root, struct error *err)
{
    return (*root)->kind == YAML_MAP ? extend(path, *root, 0, err) : 0;
}

/* ---- grid ---- */

/* The plugin id among an item's keys, or NULL. */
static const struct yaml_pair *id_pair(const struct yaml_node *item)
{
    static const char *const options[] = {"label", "plugin", "params", "expect", "grid", NULL};
    for (size_t i = 0; i < item->n; i++) {
        bool option = false;
        for (size_t k = 0; options[k]; k++)
            option |= strcmp(item->child[i].key, options[k]) == 0;
        if (!option)
            return &item->child[i];
    }
    return NULL;
}

static int check_grid(const struct yaml_node *item, const struct yaml_node *grid, size_t *ret_n,
                      struct error *err)
{
    size_t n = 1;
    if (!id_pair(item))
        return yaml_error(item, err,
                          "grid: expected a plugin beside it, as in {grid: {lr: [0.1, "
                          "0.01]}, finetune: {}}");
    if (grid->kind != YAML_MAP || grid->n == 0)
        return yaml_error(grid, err, "grid: expected parameters with lists of values");
    for (size_t i = 0; i < grid->n; i++) {
        const struct yaml_node *values = grid->child[i].value;
        if (values->kind != YAML_LIST || values->n == 0)
            return yaml_error(values, err, "grid.%s: expected a list of values",
                              grid->child[i].key);
        for (size_t k = 0; k < values->n; k++)
            if (values->child[k].value->kind != YAML_SCALAR)
                return yaml_error(values->child[k].value, err, "grid.%s: expected plain values",
                                  grid->child[i].key);
        n *= values->n;
        if (n > MAX_ITEMS)
            return yaml_error(grid, err, "grid: more than %d combinations", MAX_ITEMS);
    }
    *ret_n = n;
    return 0;
}

/* map[key] = value (cloned). */
static int put(struct yaml_node *map, const char *key, const struct yaml_node *value,
               struct error *err)
{
    struct yaml_node *copy = yaml_clone(value);
    drop_key(map, key);
    struct yaml_pair *pair = copy ? yaml_add_pair(map) : NULL;
    if (!pair) {
        yaml_free(copy);
        return error_nomem(err);
    }
    *pair = (struct yaml_pair){text_dup(key), value->line, value->column, copy};
    return pair->key ? 0 : error_nomem(err);
}

static int set_label(struct yaml_node *item, const char *text, struct error *err)
{
    struct yaml_node *label = yaml_node_new(YAML_SCALAR, item->origin, item->line, item->column);
    if (label)
        label->text = text_dup(text);
    int rc = label && label->text ? put(item, "label", label, err) : error_nomem(err);
    yaml_free(label);
    return rc;
}

/* Combination `index` of an item with a grid. */
static int combine(const struct yaml_node *from, const struct yaml_node *grid, size_t index,
                   struct yaml_node **ret, struct error *err)
{
    struct yaml_node *item = yaml_clone(from);
    struct strbuf label;
    if (!item)
        return error_nomem(err);
    drop_key(item, "grid");
    const struct yaml_node *given = yaml_get(item, "label");
    struct yaml_pair *id = (struct yaml_pair *)id_pair(item);
    strbuf_init(&label);
    strbuf_adds(&label, given && given->kind == YAML_SCALAR ? given->text : id->key);
    if (id->value->kind == YAML_SCALAR && !*id->value->text)
        id->value->kind = YAML_MAP;
    int rc = id->value->kind == YAML_MAP
                 ? 0
                 : yaml_error(id->value, err, "%s: expected a map of parameters", id->key);
    size_t below = 1;
    for (size_t i = 0; i < grid->n; i++)
        below *= grid->child[i].value->n;
    for (size_t i = 0; rc == 0 && i < grid->n; i++) {
        const struct yaml_node *values = grid->child[i].value;
        below /= values->n;
        const struct yaml_node *value = values->child[index / below % values->n].value;
        rc = put(id->value, grid->child[i].key, value, err);
        strbuf_addf(&label, " %s=%s", grid->child[i].key, value->text);
    }
    if (rc == 0)
        rc = label.failed ? error_nomem(err) : set_label(item, label.s, err);
    strbuf_release(&label);
    if (rc < 0) {
        yaml_free(item);
        return rc;
    }
    *ret = item;
    return 0;
}

static int add_item(struct yaml_node *list, struct yaml_node *item, struct error *err)
{
    struct yaml_pair *pair = yaml_add_pair(list);
    if (!pair) {
        yaml_free(item);
        return error_nomem(err);
    }
    pair->line = item->line;
    pair->column = item->column;
    pair->value = item;
    return 0;
}

static int expand_item(const struct yaml_node *item, struct yaml_node *out, struct error *err)
{
    const struct yaml_node *grid = yaml_get(item, "grid");
    struct yaml_node *copy = NULL;
    size_t n = 1;
    if (!grid) {
        copy = yaml_clone(item);
        return copy ? add_item(out, copy, err) : error_nomem(err);
    }
    TRY(check_grid(item, grid, &n, err));
    for (size_t i = 0; i < n; i++) {
        TRY(combine(item, grid, i, &copy, err));
        TRY(add_item(out, copy, err));
    }
    return 0;
}

static int expand_list(struct yaml_node *root, const char *key, struct error *err)
{
    const struct yaml_node *list = yaml_get(root, key);
    bool any = false;
    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n; i++)
        any |= yaml_get(list->child[i].value, "grid") != NULL;
    if (!any)
        return 0;
    struct yaml_node *out = yaml_node_new(YAML_LIST, list->origin, list->line, list->column);
    int rc = out ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < list->n; i++)
        rc = expand_item(list->child[i].value, out, err);
    for (size_t i = 0; rc == 0 && i < root->n; i++)
        if (strcmp(root->child[i].key, key) == 0) {
            yaml_free(root->child[i].value);
            root->child[i].value = out;
            return 0;
        }
    yaml_free(out);
    return rc;
}

int suite_expand_grids(struct yaml_node *root, struct error *err)
{
    if (root->kind != YAML_MAP)
        return 0;
    TRY(expand_list(root, "unlearn", err));
    TRY(expand_list(root, "transfer", err));
    return expand_list(root, "attacks", err);
}
