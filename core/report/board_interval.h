/* board_interval.h: 95 % intervals of a mean over crossed seeds. */
#ifndef REPORT_BOARD_INTERVAL_H
#define REPORT_BOARD_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct board_sample { /* a run's value with the seeds that it depends on */
    int64_t seed_model, seed_forget;
    double value;
};

/* The values of one (model seed, forget seed) cell are averaged first: unlearning seeds repeat a
 * cell, they do not add one. Below 3 cells, or where the spread cannot be judged, both limits
 * are NaN.
 *
 * A full a x b grid of cells is a two-way random-effects table with one observation a cell
 * (Searle, Casella, McCulloch, "Variance Components", 1992, ch. 4): the variance of the mean is
 * (MS_model + MS_forget - MS_rest) / ab, with Satterthwaite's degrees of freedom (Biometrics
 * Bulletin 2, 1946). A component whose estimate is negative counts as zero: its factor is
 * dropped, and with both dropped the cells are one sample. With one seed on a side (a x 1) this
 * is the plain Student interval over the other, and says nothing about other seeds of that side.
 * How often it covers the truth is measured by tests/unit_stats/simulate_studies.c.
 *
 * A grid with holes gets the wider of the Student intervals over the means of the model seeds
 * and over the means of the forget seeds (3 or more levels each). */
int board_interval(const struct board_sample *v, size_t n, double *ret_low, double *ret_high,
                   struct error *err);

#endif
