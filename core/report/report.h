/* report.h: everything that is written from results: CSVs, curves, figures,
 * the table on the terminal. Files are replaced atomically. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"
#include "results.h"

struct report_options {
    const char *out_dir;
    bool figures;       /* needs gnuplot */
    bool svg, pdf;      /* figure formats */
};

/* runs.csv, costs.csv, leaderboard.csv, curves/, figures/. A missing gnuplot writes everything else and then
 * returns ERR_ENVIRONMENT with the package to install. */
int report_write(const struct results *r, const struct report_options *options, struct error *err);
/* The leaderboard for people: width-aware, UTF-8, at most `columns` wide (0: 100). */
int report_print(const struct results *r, FILE *out, unsigned columns, struct error *err);

#endif
