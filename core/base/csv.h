/* csv.h: tables with one header line. Reading uses libcsv in strict mode;
 * writing quotes only where needed and prints doubles in their shortest form. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "strbuf.h"

struct csv_table {
    size_t n_rows, n_cols;
    char **header; /* n_cols */
    char ***row;   /* n_rows pointers to n_cols cells */
    size_t *line;  /* n_rows: where each row begins in the file, 1-based */
    void *memory;
};

/* Blank lines are skipped and blanks around unquoted cells are trimmed. Errors name the file and
 * line. Every row must have as many cells as the header. */
int csv_read(const char *path, size_t max_bytes, struct csv_table *ret, struct error *err);
int csv_parse_text(const char *name, const char *text, size_t n, struct csv_table *ret,
                   struct error *err);
void csv_release(struct csv_table *t); /* accepts a zeroed table */
/* Index of a column, or -1. */
int csv_column(const struct csv_table *t, const char *name);

/* Cells are appended to a strbuf; a comma is put between cells of a row. */
struct csv_writer {
    struct strbuf out;
    size_t in_row;
};
void csv_writer_init(struct csv_writer *w);
void csv_writer_release(struct csv_writer *w);
void csv_cell(struct csv_writer *w, const char *s);   /* NULL is an empty cell */
void csv_cell_double(struct csv_writer *w, double v); /* NaN is an empty cell */
void csv_cell_int(struct csv_writer *w, int64_t v);
void csv_end_row(struct csv_writer *w);
int csv_writer_save(struct csv_writer *w, const char *path, struct error *err); /* atomic */

#endif
