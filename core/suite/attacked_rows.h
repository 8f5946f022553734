/* attacked_rows.h: which samples an example attack of a suite perturbs. */
#ifndef SUITE_ATTACKED_ROWS_H
#define SUITE_ATTACKED_ROWS_H

#include "task.h"

/* Pool ids, ascending, malloc'd, of an adversarial task. With identity.forget: that forget set.
 * With identity.test_rows, n: n of the test rows, drawn without replacement from the stream
 * (task_seed("attacked-rows", 1), "test", 0), the same for every model; 0, or no more rows than
 * that: all. identity.without (a class scenario) leaves out test rows of the forgotten classes.
 * split (zeroed, released by the caller) is filled where there is a forget set. */
int attacked_rows(struct job *job, const struct dataset *ds, struct split *split,
                  uint32_t **ret_ids, uint32_t *ret_n, struct error *err);

#endif
