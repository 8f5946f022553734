/* report.h: everything that is written from results: CSVs, curves, figures,
 * the table on the terminal. Files are replaced atomically.
 *
 *   runs.csv, costs.csv, leaderboard.csv, comparisons.csv, ranks.csv, agreement.csv, variance.csv
 *   transfer.csv         where the suite asks for it (docs/OUTPUTS.md)
 *   tuning.csv           trials of `tune:`; only of suites that have it
 *   curves/NAME.csv      scenario,method,seed_model,seed_forget,seed_unlearn,series,x,y
 *       roc-ATTACK:      x false positive rate, y true positive rate; series forget_test: the
 *                        forget set is positive, the test set negative
 *       confidence:      x centre of a bin of the logit-scaled confidence, y density; series
 *                        forget, retain or test: the set
 *   figures/NAME.gp      a gnuplot script with its data NAME.csv beside it; `gnuplot NAME.gp` in
 *                        that folder draws NAME.svg and NAME.pdf
 *       gap-SCENARIO, roc-ATTACK-SCENARIO, confidence-SCENARIO
 *   index.html           all of it in one file (html_page.h)
 *   references.bib       what the plugins cite
 *
 * Equal results give equal bytes in all of them but costs.csv. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"
#include "report_choice.h"
#include "results.h"

struct report_options {
    const char *out_dir;
    bool figures;  /* needs gnuplot */
    bool svg, pdf; /* figure formats; with none, only scripts and data are written */
    bool page;     /* index.html */
    const struct report_choice *choice; /* figures, widths, columns, digits; NULL: the default */
};

/* runs.csv, costs.csv, leaderboard.csv, curves/, figures/, index.html. A missing gnuplot writes
 * everything else and then returns ERR_ENVIRONMENT with the package to install. */
int report_write(const struct results *r, const struct report_options *options, struct error *err);
/* The leaderboard for people: width-aware, UTF-8, at most `columns` wide (0: 100). */
int report_print(const struct results *r, FILE *out, unsigned columns, struct error *err);

#endif
