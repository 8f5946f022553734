/* figure_rows.h: a method a row, panels beside each other: strips, costs, values of metrics. */
#ifndef REPORT_FIGURE_ROWS_H
#define REPORT_FIGURE_ROWS_H

#include "figure.h"

struct rows {
    struct figure f;
    size_t n, n_panels;
    unsigned label_width; /* cells of the widest label */
};
/* template_name: KIND.gp.in; columns of the data are the caller's (figure_header). */
void rows_init(struct rows *r, const char *template_name, const char *name, const char *scenario);
void rows_release(struct rows *r);
/* 1-based index of a new row, from the top. style: figure_style. */
size_t rows_add(struct rows *r, const char *label, int style);
/* 1-based index of a new panel, with its range of x. */
size_t rows_panel(struct rows *r, const char *title, double low, double high);
/* most: panels beside each other across two columns. */
int rows_write(struct rows *r, size_t most, struct figure_place *place, struct error *err);

#endif
