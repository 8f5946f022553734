/* report_merge.h: one report of several finished runs. */
#ifndef CLI_REPORT_MERGE_H
#define CLI_REPORT_MERGE_H

#include "report_end.h"
#include "report_source.h"

struct report_merge {
    const char *const *path; /* (n) DIR or SUITE.yaml */
    size_t n;
    struct report_source_options source; /* path is not read; out is the folder that is written */
    bool no_figures;
    struct results results; /* of all, after report_merge_write */
    unsigned n_bad;         /* rows that did not succeed, as report_end_bad_rows */
    size_t n_missing;
    bool written; /* all but the pictures */
};

/* Writes the merged report. Formats, columns and decimals are those of the first suite. Files that
 * hold one suite's tuning or transfer stay with that suite's report. ERR_ENVIRONMENT when pictures
 * could not be drawn; everything else has been written then. */
int report_merge_write(struct report_merge *m, struct error *err);
void report_merge_release(struct report_merge *m);

#endif
