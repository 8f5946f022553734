/* gather.h: from a plan whose tasks have run to the rows of runs.csv. */
#ifndef SUITE_GATHER_H
#define SUITE_GATHER_H

#include "plan.h"
#include "results.h"

/* Reads values, curves, meters and costs from the store. Tasks that did not succeed leave empty
 * cells with their verdict. manifest is left NULL. */
int gather_results(const struct plan *p, const struct store *store, struct results *ret,
                   struct error *err);

/* The rows of transfer.csv, added to ret. */
int gather_transfers(const struct plan *p, const struct store *store, struct results *ret,
                     struct error *err);

#endif
