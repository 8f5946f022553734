/* setup.h: the experimental set-up of a suite as one value: what manifest.json holds of it, without
 * host, date, path or anything else that may differ between equal suites. */
#ifndef SUITE_SETUP_H
#define SUITE_SETUP_H

#include "plan.h"

/* {"lethe", "suite", "resolved" (the suite as run), "arch", "recipe": lines of text,
 *  "parameters" (of the model), "train_rows", "test_rows", "classes",
 *  "seeds": {"model", "forget", "unlearn"}, "retrain", "shadow", "gap": [...],
 *  "scenarios": [names], "unlearn_methods", "attacks", "metrics": [{"label", "id", "name",
 * "version", "sha256", "params"}], "worker": what the arithmetic depends on}. New reference. */
int setup_json(const struct plan *p, json_t **ret, struct error *err);
/* One of its lists of entries. New reference; NULL when out of memory. */
json_t *setup_entries(const struct suite_entry *e, unsigned n);

#endif
