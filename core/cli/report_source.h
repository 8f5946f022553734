/* report_source.h: what a report is made from: the folder of an earlier report, or a suite file,
 * and the store that holds its results. Nothing is run and nothing in the store is changed. */
#ifndef CLI_REPORT_SOURCE_H
#define CLI_REPORT_SOURCE_H

#include "finished.h"

struct report_source {
    char *dir; /* absolute: the earlier report, or where one of the suite would go */
    bool is_suite;
    struct finished finished; /* of a folder */
    struct session session;
    struct results results;
    size_t n_missing; /* rows without a result; with `partial` */
    bool opened, gathered;
};

struct report_source_options {
    const char *path;             /* DIR or SUITE.yaml */
    const char *out;              /* --out or NULL */
    struct session_options extra; /* store, settings, plugins */
    bool partial;                 /* rows without a result are no error */
};
/* Release also after a failure. */
int report_source_open(const struct report_source_options *o, struct report_source *ret,
                       struct error *err);
void report_source_release(struct report_source *s);

#endif
