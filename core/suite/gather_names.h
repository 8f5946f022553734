/* gather_names.h: display names, colours and citations of a suite's methods, attacks, metrics and
 * columns, for the results. */
#ifndef SUITE_GATHER_NAMES_H
#define SUITE_GATHER_NAMES_H

#include "results.h"
#include "suite_file.h"

/* Fills r->name of a bound suite. */
int gather_names(const struct suite *s, struct results *r, struct error *err);

#endif
