/* yaml_internal.h: how yaml_*.c make nodes. */
#ifndef BASE_YAML_INTERNAL_H
#define BASE_YAML_INTERNAL_H

#include "yaml.h"

/* NULL when out of memory; origin is copied. */
struct yaml_node *yaml_node_new(enum yaml_kind kind, const char *origin, int line, int column);
/* A zeroed child at the end; NULL when out of memory. */
struct yaml_pair *yaml_add_pair(struct yaml_node *node);

#endif
