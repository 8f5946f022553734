/* gather_curves.h: curves of a row that no plugin writes, read from what its tasks left in the
 * store:
 *   training       originals and oracles trained here; series loss, accuracy (percent); x: epoch
 *   predictions    class scenarios; series: a forgotten class; x: class, y: share of the forget
 *                  set's samples of that class that are predicted as it
 *   risk-ATTACK    first seeds of a method alone; series: the attack's score; x: sample of the
 *                  forget set (pool id), y: share of the test samples (ties half) that the model
 *                  makes look less like members than it */
#ifndef SUITE_GATHER_CURVES_H
#define SUITE_GATHER_CURVES_H

#include "plan.h"
#include "results.h"

struct gather_curves {
    const struct plan *plan;
    const struct store *store;
    struct dataset *ds; /* NULL until a row needs it */
};

void gather_curves_release(struct gather_curves *g);
/* row: of plan->row[index], with its status settled. What is not in the store is left out. */
int gather_curves_row(struct gather_curves *g, unsigned index, struct result_row *row,
                      struct error *err);

#endif
