/* figure_lines.h: panels of lines or points over common styles, the form of most figures: one
 * panel a quantity or parameter, one line a method or model. */
#ifndef REPORT_FIGURE_LINES_H
#define REPORT_FIGURE_LINES_H

#include "figure.h"

struct lines {
    struct figure f;
    size_t n_panels, n_lines;
    unsigned key_width;        /* cells of the widest label that stands in the key */
    size_t n_keys;             /* lines in the key */
    bool points, band;         /* markers on the lines; low and high drawn as a band */
    bool markers;              /* a line of one point is a marker */
    const char *x_label;       /* below each panel; NULL: lines_panel's x_label */
    const char *y_label;       /* beside all panels; NULL: the panels' titles say it */
    double panel_height;       /* inches; 0: 1.9 */
    struct lines_range *x, *y; /* (n_panels) extents */
    struct error failed;
};

void lines_init(struct lines *l, const char *name, const char *scenario);
void lines_release(struct lines *l);
/* 1-based index of a new panel. log: bit 1 logarithmic x, bit 2 logarithmic y. */
size_t lines_panel(struct lines *l, const char *title, const char *x_label, unsigned log);
/* 1-based index of a new line. label NULL: without an entry in the key. style: figure_style. */
size_t lines_line(struct lines *l, const char *label, int style);
/* NaN for low and high where there is no spread. A NaN y is left out. */
void lines_point(struct lines *l, size_t panel, size_t line, double x, double y, double low,
                 double high);
/* A horizontal band over a whole panel, e.g. the noise floor; NaN: none. */
void lines_floor(struct lines *l, size_t panel, double low, double mean, double high);
int lines_write(struct lines *l, struct figure_place *place, struct error *err);

#endif
