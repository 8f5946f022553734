/* tune_space.h: which parameters a method is tried with under `tune:`. The list depends on the
 * plugin's schema, on what the suite gives, and on the number of trials: on nothing measured. */
#ifndef SUITE_TUNE_SPACE_H
#define SUITE_TUNE_SPACE_H

#include "suite_file.h"

/* *ret: array of at most spec->trials resolved parameter objects, all different. The parameters
 * that are tried are those that the schema calls tunable and the entry does not give:
 *   quasi-random  first the entry as it stands, then the Halton sequence in the box of the tunable
 *                 parameters (Halton 1960, bases 2, 3, 5, ...). Numbers run from the least to the
 *                 largest value that the plugin lists to search (without a list, its bounds), on a
 *                 logarithmic scale where it says so, in three significant digits; other types
 *                 take one of their values.
 *   grid          all combinations of the values that plugins list, thinned evenly when there are
 *                 more than `trials`; a method with fewer goes on with the quasi-random list.
 * Shorter only when the parameters have fewer combinations. Nothing to tune: an empty array and
 * *ret_why says why (malloc'd), else NULL. */
int tune_space(const struct suite_entry *e, const struct suite_tune *spec, json_t **ret,
               char **ret_why, struct error *err);

#endif
