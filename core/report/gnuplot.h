/* gnuplot.h: runs one script. */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include "error.h"

/* `gnuplot --default-settings -e expression script` in the folder dir, without a shell and without
 * the user's start-up files. ERR_ENVIRONMENT when gnuplot is not installed, or with what it said
 * when it fails. */
int gnuplot_run(const char *dir, const char *expression, const char *script, struct error *err);
/* Whether err tells that gnuplot is not installed, which no other script would change. */
int gnuplot_is_missing(const struct error *err);

#endif
