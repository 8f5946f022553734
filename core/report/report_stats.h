/* report_stats.h: the tables of statistics: comparisons.csv, ranks.csv, agreement.csv,
 * variance.csv. docs/OUTPUTS.md explains their columns. Writers are empty when they come in. */
#ifndef REPORT_REPORT_STATS_H
#define REPORT_REPORT_STATS_H

#include "board.h"
#include "csv.h"

int report_comparisons(const struct board *b, struct csv_writer *out, struct error *err);
int report_ranks(const struct board *b, struct csv_writer *out, struct error *err);
/* Kendall's tau between the gap terms over the ranked methods of a scenario. */
int report_agreement(const struct board *b, struct csv_writer *out, struct error *err);
/* Of terms i and j (n_gap: the gap itself) in one scenario; *ret_n: methods. */
int report_agreement_of(const struct board *b, const char *scenario, size_t i, size_t j,
                        size_t *ret_n, double *ret_tau, struct error *err);
/* Components of variance of every gap term and method. */
int report_variance(const struct board *b, struct csv_writer *out, struct error *err);

#endif
