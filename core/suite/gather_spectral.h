/* gather_spectral.h: singular values that an original's training recorded. */
#ifndef SUITE_GATHER_SPECTRAL_H
#define SUITE_GATHER_SPECTRAL_H

#include "plan.h"
#include "results.h"

/* Nothing for other rows, and for originals without spectral_clip or made elsewhere. */
int gather_spectral(const struct plan *p, const struct store *store,
                    const struct plan_row *plan_row, struct result_row *row, struct error *err);

#endif
