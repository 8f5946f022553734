/* external_internal.h: what external_*.c share while they read a manifest. */
#ifndef PLUGIN_EXTERNAL_INTERNAL_H
#define PLUGIN_EXTERNAL_INTERNAL_H

#include "external.h"
#include "plugin_words.h"
#include "yaml.h"

struct external_reader {
    const struct yaml_node *root;
    struct external *out;
    char *memory; /* zeroed */
    size_t used, room;
    bool full;
};

/* Zeroed memory that lives as long as the process; NULL, and r->full, when there is no more. */
void *external_alloc(struct external_reader *r, size_t bytes);
const char *external_copy(struct external_reader *r, const char *s); /* "" when full */
/* A text of a map; "" where the key is not there and not required. */
int external_text(struct external_reader *r, const struct yaml_node *map, const char *key,
                  bool required, const char **ret, struct error *err);
int external_word(const struct yaml_node *map, const char *key, const struct plugin_word *table,
                  uint64_t otherwise, uint64_t *ret, struct error *err);

/* external_tables.c */
int external_params(struct external_reader *r, struct error *err); /* into r->out->plugin */
int external_scores(struct external_reader *r, const lethe_score **ret, uint32_t *ret_n,
                    struct error *err);
int external_outputs(struct external_reader *r, const lethe_output **ret, uint32_t *ret_n,
                     struct error *err);

#endif
