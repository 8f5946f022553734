/* table.h: the tables of a report, tables/NAME.tex with its twin NAME.csv. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "board.h"
#include "report.h"

/* tables/: paper-SCENARIO (values with gaps, intervals, blocks by data needed), costs, runs
 * (planned, used, failed), environment; and methods.tex, methods.md beside them. All but cost.* are
 * the same for equal results. */
int tables_write(const struct board *b, const struct report_options *options, struct error *err);

/* One of them each, into the folder dir. */
int table_paper(const struct board *b, const char *scenario, const struct report_choice *choice,
                const char *dir, struct error *err);
int table_cost(const struct board *b, const char *dir, struct error *err);
int table_runs(const struct board *b, const char *dir, struct error *err);
int table_environment(const struct results *r, const char *dir, struct error *err);
/* Nothing without `tune:`. */
int table_tuning(const struct results *r, const char *dir, struct error *err);
int methods_text(const struct results *r, const char *dir, struct error *err);

#endif
