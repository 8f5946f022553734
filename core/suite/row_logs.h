/* row_logs.h: what the plugins of each row printed, beside the report: logs/RUN.log. */
#ifndef SUITE_ROW_LOGS_H
#define SUITE_ROW_LOGS_H

#include "plan.h"
#include "store.h"

/* Writes out_dir/logs/<run>.log, run as in runs.csv, for every row of which some task printed
 * something or did not succeed; removes those of an earlier report. Each file has a section
 * "== title: verdict: reason ==" for every such task, with at most the last 256 KiB that it
 * printed. The whole of it is logs/<task id>.log of the store. */
int row_logs_write(const struct plan *p, const struct store *store, const char *out_dir,
                   struct error *err);
/* "logs/12.log"; malloc'd, NULL when out of memory. */
char *row_logs_name(unsigned run);

#endif
