/* table_diff.h: two CSV tables cell by cell, rows matched by their key columns. */
#ifndef REPORT_TABLE_DIFF_H
#define REPORT_TABLE_DIFF_H

#include "error.h"
#include "json.h"

/* Adds to `problems` (a JSON array) an object for every difference between the table of a report
 * and the recomputed one: {"file", "line", "row", "column", "found", "expected", "what"}. `file` is
 * the name for messages; line is that of the report's file, 0 for a row that is missing there.
 * Returns 0 also when there are differences. *ret_cells: cells compared. */
int table_diff(const char *file, const char *found_path, const char *expected_path,
               json_t *problems, size_t *ret_cells, struct error *err);

#endif
