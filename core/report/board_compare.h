/* board_compare.h: methods against each other, over the cells (model seed x forget set) that they
 * share. What is compared is a cell's gap: the mean of its runs' gaps, in percentage points.
 *
 * Two families per scenario, each adjusted by Holm's method on its own: every ranked method against
 * the first of the board, and against `original`, which does nothing. */
#ifndef REPORT_BOARD_COMPARE_H
#define REPORT_BOARD_COMPARE_H

#include "board.h"

struct board_comparison {
    const char *scenario, *family; /* family: "first" or "original" */
    const char *method, *baseline;
    uint32_t n_cells;       /* shared */
    double difference;      /* mean over them of gap(method) - gap(baseline) */
    double ci_low, ci_high; /* 95 %, as board_interval.h */
    double p, p_holm;       /* two-sided sign-flip test */
    double p_least;         /* the smallest p that so many cells can give */
    double cells_needed;    /* for 80 % power at 5 % with the spread seen; NaN: not to be told */
};

struct board_comparisons {
    size_t n;
    struct board_comparison *item; /* scenario by scenario, family by family, in board order */
};
int board_compare(const struct board *b, struct board_comparisons *ret, struct error *err);
void board_comparisons_release(struct board_comparisons *c);

/* ---- ranks ---- */

struct board_rank {
    const char *scenario, *method;
    uint32_t n_blocks; /* cells that all ranked methods of the scenario share */
    double mean_rank;  /* over the blocks; 1 is best */
    double p_first;    /* share of 2,000 bootstrap samples of seeds in which it is first */
    double friedman_chi2, friedman_p, nemenyi; /* of the scenario; NaN below 2 blocks or methods */
};
struct board_ranks {
    size_t n;
    struct board_rank *item;
};
int board_ranks_make(const struct board *b, struct board_ranks *ret, struct error *err);
void board_ranks_release(struct board_ranks *r);

/* ---- for both ---- */

/* Gaps of the entries of one scenario by cell. */
struct cell_table {
    size_t n_entries, n_cells;
    const struct board_entry **entry; /* original first if it is there, then ranked ones in order */
    int64_t *seed_model, *seed_forget; /* (n_cells) */
    double *gap;                       /* (n_entries, n_cells) NaN: no used run */
    bool has_original;
};
int cell_table_make(const struct board *b, const char *scenario, struct cell_table *ret,
                    struct error *err);
void cell_table_release(struct cell_table *t);

#endif
