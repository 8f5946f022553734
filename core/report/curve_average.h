/* curve_average.h: the runs of a method as one curve. */
#ifndef REPORT_CURVE_AVERAGE_H
#define REPORT_CURVE_AVERAGE_H

#include <stdbool.h>

#include "results.h"

struct curve_key {
    const char *scenario, *method, *name, *series; /* method NULL: all of the scenario */
};

/* Curves of successful rows that match, at most cap of them; the number found. */
size_t curve_find(const struct results *r, const struct curve_key *key,
                  const struct result_curve **ret, size_t cap);
/* y of the last point at or before x, as a ROC is read (never between points); NaN before the
 * first. */
double curve_step_at(const struct result_curve *c, double x);
/* y on the straight line between the points around x; 0 outside, for a density. */
double curve_line_at(const struct result_curve *c, double x);
/* Smallest positive step of x of any of the curves: 1/n of the negatives of a ROC. NaN if none. */
double curve_least_step(const struct result_curve *const *curve, size_t n);

#endif
