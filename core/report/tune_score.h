/* tune_score.h: what the trials of `tune:` are worth. */
#ifndef REPORT_TUNE_SCORE_H
#define REPORT_TUNE_SCORE_H

#include "results.h"

/* Ledger of one method (tune.h) from the results of the trials' suite. labels (n): its trials, as
 * methods of r; trials: their parameters; select: "gap", "gap_worst" or a column.
 *
 * The value of a trial is the mean over scenarios of its leaderboard's cell: the gap in percentage
 * points; of a column that is compared with the oracles its gap, else its mean. The smallest is
 * chosen, of columns that are better higher the largest; of equals the first. A trial with a run
 * that failed or is not in the average cannot be chosen. New reference. */
int tune_score(const struct results *r, const char *select, const char *const *labels, size_t n,
               const json_t *trials, json_t **ret, struct error *err);

#endif
