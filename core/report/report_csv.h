/* report_csv.h: the tables of a report as CSV text. Writers are empty when they come in. */
#ifndef REPORT_REPORT_CSV_H
#define REPORT_REPORT_CSV_H

#include "board.h"
#include "csv.h"

void report_runs(const struct results *r, struct csv_writer *out);
void report_costs(const struct results *r, struct csv_writer *out);
void report_leaderboard(const struct board *b, struct csv_writer *out);
/* curves/spectral-originals.csv: singular values of the originals' layers over their training.
 * false: there are none, nothing is written. */
bool report_spectral(const struct results *r, struct csv_writer *out);
void report_tuning(const struct results *r, struct csv_writer *out); /* r->ledger is there */
/* All series of the curve `name`, row by row. */
void report_curve(const struct results *r, const char *name, struct csv_writer *out);

/* transfer.csv: attack,source,target,rate,n,transferred,label_match,rows,source_id,target_id,notes
 */
void report_transfer(const struct results *r, struct csv_writer *out);

#endif
