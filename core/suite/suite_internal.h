/* suite_internal.h: what the suite_*.c files share. */
#ifndef SUITE_SUITE_INTERNAL_H
#define SUITE_SUITE_INTERNAL_H

#include "suite_file.h"

/* Replaces the limits that node names; node may be NULL. */
int suite_parse_budget(const struct yaml_node *node, struct budget *io, struct error *err);
/* formats, gap terms and baselines; `unlearn` and `attacks` have been read. */
int suite_parse_report(struct suite *s, struct error *err);

/* variants: recipes laid over `train`, each with every scenario; `train` and `forget` have been
 * read. */
int suite_parse_variants(struct suite *s, struct error *err);
void suite_variants_release(struct suite *s);

/* references: how many oracles and shadow models, and which of them are imported. */
int suite_parse_references(struct suite *s, struct error *err);
/* `import: {models: PATTERN}` or `{logits: PATTERN}`; of shadows `{logits: FILE, inclusion: FILE}`.
 * words: the {word}s that may stand in the pattern, NULL-ended. */
int suite_parse_import(const struct suite *s, const struct yaml_node *node,
                       const char *const *words, struct suite_import *ret, struct error *err);
void suite_import_release(struct suite_import *im);
int suite_parse_count(const struct yaml_node *node, const char *what, int64_t lo, int64_t hi,
                      unsigned *ret, struct error *err);
/* A seed or a list of different ones; node NULL: only `otherwise`. */
int suite_parse_seeds(const struct yaml_node *node, const char *what, int64_t otherwise,
                      struct suite_seeds *ret, struct error *err);
/* *ret and *ret_n grow while scenarios are read, so that a failure leaves nothing behind. */
int suite_parse_scenarios(const struct yaml_node *node, const char *what, const char *dir,
                          struct forget_spec **ret, unsigned *ret_n, struct error *err);

/* tune; seeds, scenarios and references have been read. */
int suite_parse_tune(struct suite *s, struct error *err);
void suite_tune_release(struct suite_tune *t);
bool suite_tune_is_gap(const char *select);
/* That `select` is a column, once columns are known. */
int suite_check_select(const struct suite *s, struct error *err);

/* names; node may be NULL. */
int suite_parse_names(struct suite *s, const struct yaml_node *node, struct error *err);
void suite_names_release(struct suite *s);
struct columns;
/* Every name is one of something in the suite. */
int suite_check_names(const struct suite *s, const struct columns *columns, struct error *err);

#endif
