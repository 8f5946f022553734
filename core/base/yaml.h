/* yaml.h: YAML (and JSON, its subset) as a small tree that knows where every
 * node stands. libfyaml parses; aliases, duplicate keys, more than 64 levels
 * and large files are refused. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "strbuf.h"

enum yaml_kind { YAML_SCALAR = 1, YAML_MAP, YAML_LIST };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;        /* scalar written in quotes: always a string */
    int line, column;   /* 1-based; 0 when set from the command line */
    const char *origin; /* file name, or "--set" */
    char *text;         /* scalar: its text ("" for null) */
    size_t n;           /* children of a map or list */
    struct yaml_pair {
        char *key; /* NULL in lists */
        int line, column;
        struct yaml_node *value;
    } * child;
};

int yaml_load(const char *path, struct yaml_node **ret, struct error *err);
int yaml_parse(const char *name, const char *text, size_t n, struct yaml_node **ret,
               struct error *err);
void yaml_free(struct yaml_node *node);                     /* accepts NULL */
struct yaml_node *yaml_clone(const struct yaml_node *node); /* NULL when out of memory */

/* Building trees: an empty node (origin is copied), and a new last child of a map or list, to be
 * filled at once; NULL when out of memory. */
struct yaml_node *yaml_node_new(enum yaml_kind kind, const char *origin, int line, int column);
struct yaml_pair *yaml_add_pair(struct yaml_node *node);

/* Child of a map, or NULL (also when node is NULL or no map). */
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);
/* "file:line:column: " + text, code ERR_INVALID. */
int yaml_error(const struct yaml_node *node, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As yaml_error at a key of a map. */
int yaml_key_error(const struct yaml_node *map, size_t index, struct error *err, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));
/* Typed reads: error says what was expected and what was found. `what` names the value. */
int yaml_real(const struct yaml_node *node, const char *what, double *ret, struct error *err);
int yaml_int(const struct yaml_node *node, const char *what, int64_t *ret, struct error *err);
int yaml_bool(const struct yaml_node *node, const char *what, bool *ret, struct error *err);
int yaml_string(const struct yaml_node *node, const char *what, const char **ret,
                struct error *err);
/* Every key of map must be in the NULL-ended list; else an error with a did-you-mean. */
int yaml_known_keys(const struct yaml_node *map, const char *what, const char *const *keys,
                    struct error *err);
/* Sets path ("train.epochs", "unlearn.0.amun.lr") to a parsed value; maps are made
 * on the way, list items must exist. */
int yaml_set(struct yaml_node *root, const char *path, const char *value, struct error *err);
/* Canonical one-line JSON: keys in order of appearance, scalars that read as
 * numbers, booleans or null unquoted. */
void yaml_to_json(const struct yaml_node *node, struct strbuf *out);

#endif
