/* html_page.h: index.html, the whole report in one file. */
#ifndef REPORT_HTML_PAGE_H
#define REPORT_HTML_PAGE_H

#include "board.h"
#include "report.h"

/* Writes out_dir/index.html from the templates page.html.in, page.css and page_*.js, which stand
 * beside those of the figures; without scripts a reader is sent to the CSVs. Needs the tables and
 * figures of the folder: it names what is there. Equal results give equal bytes: neither host,
 * date, path nor seconds stand in it. */
int html_page_write(const struct board *b, const struct report_options *options, struct error *err);

#endif
