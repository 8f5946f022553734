/* board.h: the leaderboard: one entry per (scenario, method), from rows.
 *
 * Every row is compared with the oracles that it names (oracle_ids), never with itself: for a
 * row of `retrain` that is leave-one-out, each oracle against the mean of the others, and its
 * gap is the noise floor.
 *
 * Units: a cell is in its column's own unit (percent or fraction), its gaps too, so that
 * mean - gap_signed is the oracles' mean. The gaps of an entry are in percentage points: terms
 * that are fractions count 100-fold.
 *
 * A run is used when it succeeded, has every gap term, and has oracles that have them. Cells are
 * over all runs that have the value; gap, gap_of_means and gap_worst are over the used runs. */
#ifndef REPORT_BOARD_H
#define REPORT_BOARD_H

#include <stdint.h>

#include "results.h"

struct board_cell {         /* one metric of one entry; NaN where undefined */
    uint32_t n;             /* runs that have a value */
    double mean, sd;        /* sd: ddof 1, NaN below 2 */
    double ci_low, ci_high; /* 95 %; NaN below 3 cells; see board_interval.h */
    double gap;             /* mean over runs of |value - oracle mean| */
    double gap_signed;      /* mean over runs of value - oracle mean */
    double gap_z; /* gap in oracle standard deviations (ddof 1, pooled over forget sets); NaN
                   * below 3 oracles or where they do not differ */
};

struct board_entry {
    const char *scenario, *method, *plugin, *division;
    enum row_class row_class;
    uint32_t rank; /* 1..; 0: not ranked (sentinels original and retrain, methods without a gap) */
    uint32_t n_planned, n_used;
    double gap, gap_sd; /* mean of the suite's gap terms per run (percentage points), over runs */
    double gap_ci_low, gap_ci_high; /* 95 % of gap, as a cell's */
    double
        gap_of_means; /* the other order of averaging: mean over terms of the gap of mean values */
    double gap_worst; /* largest single term (mean over runs) */
    double gap_z;     /* mean over terms of their gap_z */
    char flags[128];  /* ';'-separated: board_flags.c */
    char *notes;      /* '; '-separated; never NULL */
    struct board_cell *cell; /* (n_columns) */
};

struct board {
    size_t n;
    struct board_entry
        *entry; /* scenario by scenario: original, retrain, methods by rank, failed last */
    const struct results *results;
};

/* Strings of entries (but notes) belong to r, which must outlive the board. Equal gaps are ranked
 * in the suite's order. Methods without rows (a restricted run) have no entry. */
int board_make(const struct results *r, struct board *ret, struct error *err);
void board_release(struct board *b);

/* 1 when a column is in percent, 100 when it is a fraction: to percentage points. */
double board_points(const struct result_column *c);
/* Entry of a row; NULL if the board has none. */
const struct board_entry *board_find(const struct board *b, const char *scenario,
                                     const char *method);

#endif
