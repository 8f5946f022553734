/* board_variance.h: how much of the spread of a metric comes from which seeds. */
#ifndef REPORT_BOARD_VARIANCE_H
#define REPORT_BOARD_VARIANCE_H

#include "board_interval.h"

/* Components of variance of a full a x b grid of cells (model seeds x forget sets), by the method
 * of moments (Searle, Casella, McCulloch 1992, ch. 4), negative estimates as 0. */
struct variance_parts {
    double model, forget, rest; /* rest: their interaction, and what unlearning seeds leave of it */
    double unlearn;             /* between runs of one cell; NaN without repeated cells */
};
/* All NaN unless the grid is full with 2 levels on either side. */
int board_variance(const struct board_sample *v, size_t n, struct variance_parts *ret,
                   struct error *err);

#endif
