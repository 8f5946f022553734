/* board_work.h: the pieces of board_make, inside the report room. */
#ifndef REPORT_BOARD_WORK_H
#define REPORT_BOARD_WORK_H

#include <stdbool.h>

#include "board.h"
#include "strbuf.h"

/* What each row is compared with. Arrays are (n_rows, n_columns) but the first. */
struct board_reference {
    uint32_t *n_oracles; /* (n_rows) oracles of the row, itself among them if it is one */
    uint32_t *n;         /* oracles that have the value */
    double *mean;        /* NaN when n is 0 */
    double *sd;          /* ddof 1, for an oracle's row with itself; NaN below 2 */
    uint32_t *n_sd;      /* oracles behind sd */
};
int board_reference_make(const struct results *r, struct board_reference *ret, struct error *err);
void board_reference_release(struct board_reference *ref);

struct board_work {
    const struct results *r;
    struct board_reference ref;
    int *term;  /* (n_gap) columns of the gap terms; -1: no such column */
    bool *used; /* (n_rows) */
    double
        *gap; /* (n_rows) mean of the terms, percentage points; NaN where not used or no oracle */
};
int board_work_make(const struct results *r, struct board_work *ret, struct error *err);
void board_work_release(struct board_work *w);

/* row: the n rows of an entry, as indices. */
int board_fill_cells(const struct board_work *w, const size_t *row, size_t n, struct board_entry *e,
                     struct error *err);
int board_fill_gaps(const struct board_work *w, const size_t *row, size_t n, struct board_entry *e,
                    struct error *err);
int board_fill_notes(const struct board_work *w, const size_t *row, size_t n, struct board_entry *e,
                     struct error *err);
/* original: the entry `original` of the same scenario, or NULL. */
void board_fill_flags(const struct board_work *w, const size_t *row, size_t n,
                      const struct board_entry *original, struct board_entry *e);

#endif
