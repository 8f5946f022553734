/* html_data.h: the data of index.html: what leaderboard.csv and runs.csv hold, with names, the
 * parameters of every plugin and the suite. docs/OUTPUTS.md says what stands where. */
#ifndef REPORT_HTML_DATA_H
#define REPORT_HTML_DATA_H

#include "board.h"
#include "html_text.h"
#include "report.h"

/* Appends one JSON object; the fields are named in page_*.js. */
void html_data(const struct board *b, const struct report_options *options, struct html_json *out);

#endif
