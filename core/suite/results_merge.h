/* results_merge.h: several suites' results as one, for one leaderboard. */
#ifndef SUITE_RESULTS_MERGE_H
#define SUITE_RESULTS_MERGE_H

#include "results.h"

/* Where a row of merged results comes from. */
struct merge_origin {
    size_t part;  /* index of the suite */
    uint32_t run; /* its line in that suite's runs.csv */
};

/* Scenarios of one name whose originals and oracles are the same models are one block, in which the
 * methods of all suites compete; rows that two suites share stand there once. Others are blocks of
 * their own, named "suite/scenario". Of two methods that share a label but not their runs in one
 * block, the later one is labelled "method (suite)". Columns are united; runs are numbered anew.
 *
 * The suites must rank by the same gap terms (ERR_INVALID). Rows move to *ret; the parts keep what
 * they shared with an earlier one, and are still to be released. *ret_origin: (ret->n_rows),
 * malloc'd. */
int results_merge(struct results *const *part, size_t n, struct results *ret,
                  struct merge_origin **ret_origin, struct error *err);

#endif
