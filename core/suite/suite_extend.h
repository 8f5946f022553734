/* suite_extend.h: what happens to a suite's tree before it is read: `extends`
 * and `grid`. */
#ifndef SUITE_SUITE_EXTEND_H
#define SUITE_SUITE_EXTEND_H

#include "error.h"
#include "yaml.h"

/* `extends: other.yaml` (relative to the file that says it): the other suite's keys, where this one
 * does not give its own; maps are merged key by key, lists and scalars replaced whole. Cycles and
 * chains of more than 8 files are errors. path: of the file that *root was read from. */
int suite_extend(const char *path, struct yaml_node **root, struct error *err);

/* An item `{grid: {lr: [0.1, 0.01], epochs: [5]}, finetune: {momentum: 0.9}}` of `unlearn:` or
 * `attacks:` becomes one item for each combination, the last parameter fastest, labelled
 * "finetune lr=0.1 epochs=5". At most 1,000 items. */
int suite_expand_grids(struct yaml_node *root, struct error *err);

#endif
