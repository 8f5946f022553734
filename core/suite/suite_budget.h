/* suite_budget.h: budgets in identities and jobs. */
#ifndef SUITE_SUITE_BUDGET_H
#define SUITE_SUITE_BUDGET_H

#include "budget.h"
#include "json.h"

/* Only what is limited; an empty object: nothing. New reference, NULL when out of memory. */
json_t *budget_json(const struct budget *b);
void budget_from_json(const json_t *o, struct budget *ret); /* o may be NULL */

#endif
