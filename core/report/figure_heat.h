/* figure_heat.h: a matrix as coloured squares with their values, panels beside each other. */
#ifndef REPORT_FIGURE_HEAT_H
#define REPORT_FIGURE_HEAT_H

#include "figure.h"

struct heat {
    struct figure f;
    size_t n_panels, n_rows, n_columns;
    unsigned row_cells, column_cells; /* widest labels */
    bool diverging;                   /* -1 to 1; else 0 to 1 */
    bool percent;                     /* values are shown times 100 */
    const char *x_label;
};

void heat_init(struct heat *h, const char *name, const char *scenario);
void heat_release(struct heat *h);
size_t heat_panel(struct heat *h, const char *title);
size_t heat_row(struct heat *h, const char *label);
size_t heat_column(struct heat *h, const char *label);
void heat_value(struct heat *h, size_t panel, size_t row, size_t column, double v);
int heat_write(struct heat *h, struct figure_place *place, struct error *err);

#endif
