/* report_end.h: how `run` and `report` end: manifest, tables, figures and page in the output
 * folder. */
#ifndef CLI_REPORT_END_H
#define CLI_REPORT_END_H

#include "cli.h"
#include "results.h"

struct report_end {
    const char *out_dir; /* exists */
    bool no_figures;
    const char *earlier; /* nothing was run: the folder of the run's report, whose logs and machine
                          * stay (it may be out_dir, or hold nothing); NULL after a run */
};
/* Fills r->manifest. ERR_ENVIRONMENT when pictures could not be drawn; everything else has been
 * written then. */
int report_end_write(const struct session *s, struct results *r, const struct report_end *end,
                     struct error *err);
/* Tables, figures and page alone, as the suite's report: part says. r->manifest is there. */
int report_end_tables(const struct suite *s, const struct results *r, const struct report_end *end,
                      struct error *err);
/* Fills r->manifest without writing anything. */
int report_end_manifest(const struct session *s, struct results *r, struct error *err);
/* Rows that did not succeed, minus those that the suite expects. */
unsigned report_end_bad_rows(const struct suite *s, const struct results *r);
/* Width of the terminal on standard output; 0: unknown. */
unsigned report_end_columns(void);

#endif
