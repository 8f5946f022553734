/* board.h: the leaderboard: one entry per (scenario, method), from rows. */
#ifndef REPORT_BOARD_H
#define REPORT_BOARD_H

#include <stdint.h>

#include "results.h"

struct board_cell { /* one metric of one entry; NaN where undefined */
    uint32_t n;     /* runs that have a value */
    double mean, sd; /* sd: ddof 1, NaN below 2 */
    double ci_low, ci_high; /* 95 %; NaN below 3 cells */
    double gap;        /* mean over runs of |value - oracle mean| */
    double gap_signed; /* mean over runs of value - oracle mean */
    double gap_z;      /* gap in oracle standard deviations; NaN below 3 oracles */
};

struct board_entry {
    const char *scenario, *method, *plugin, *division;
    enum row_class row_class;
    uint32_t rank;      /* 1..; 0: not ranked (sentinels original and retrain, failed methods) */
    uint32_t n_planned, n_used;
    double gap, gap_sd;  /* mean of the suite's gap terms per run (percentage points), over runs */
    double gap_of_means; /* the other order of averaging */
    double gap_worst;   /* largest single term (mean over runs) */
    double gap_z;
    char flags[128];    /* ';'-separated */
    char *notes;
    struct board_cell *cell; /* (n_columns) */
};

struct board {
    size_t n;
    struct board_entry *entry; /* scenario by scenario: original, retrain, methods by rank, failed last */
    const struct results *results;
};

/* For `retrain` the gaps are leave-one-out: each oracle against the mean of the others. */
int board_make(const struct results *r, struct board *ret, struct error *err);
void board_release(struct board *b);

#endif
