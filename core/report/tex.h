/* tex.h: text for LaTeX, and tables that stand as LaTeX and as CSV. */
#ifndef REPORT_TEX_H
#define REPORT_TEX_H

#include "csv.h"
#include "strbuf.h"

/* Foreign text: what LaTeX would take for its own is escaped, control characters become blanks, and
 * characters that its fonts lack are left to its input encoding (UTF-8). */
void tex_escape(struct strbuf *out, const char *text);

/* A booktabs table with its CSV twin. Both are written cell by cell: tex_* goes to the LaTeX alone,
 * csv_* on t->csv to the twin. */
struct tex_table {
    struct strbuf tex, notes;
    struct csv_writer csv;
    size_t in_row, n_columns;
};
/* columns: of the tabular, as "lrr"; source: where the numbers come from, for a comment. */
void tex_table_begin(struct tex_table *t, const char *columns, const char *source);
void tex_cell(struct tex_table *t, const char *text);            /* escaped */
void tex_cell_raw(struct tex_table *t, const char *latex);       /* as it stands */
void tex_cell_number(struct tex_table *t, double v, int digits); /* NaN: n/a */
void tex_end_row(struct tex_table *t);
void tex_rule(struct tex_table *t); /* \midrule */
/* A line across all columns, set in italics. */
void tex_block(struct tex_table *t, const char *title);
/* A line below the table. */
void tex_note(struct tex_table *t, const char *text);
/* Writes DIR/NAME.tex and DIR/NAME.csv, and releases t. */
int tex_table_save(struct tex_table *t, const char *dir, const char *name, struct error *err);
void tex_table_release(struct tex_table *t);

#endif
