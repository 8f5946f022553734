#include "figure_heat.h"

#include <math.h>
#include <stdio.h>

#include "cells.h"

enum { ROW_CELLS = 34 };

void heat_init(struct heat *h, const char *name, const char *scenario)
{
    static const char *const header[] = {"panel", "row", "column", "value", "text", NULL};
    *h = (struct heat){.n_panels = 0};
    figure_init(&h->f, "heat");
    figure_name(&h->f, name);
    if (*scenario)
        figure_name(&h->f, scenario);
    figure_header(&h->f, header);
    strbuf_adds(&h->f.settings, "array title_of[999]\narray column_of[999]\narray panel_of[99]\n");
}

void heat_release(struct heat *h)
{
    figure_release(&h->f);
}

static void indexed(struct heat *h, const char *array, size_t index, const char *label)
{
    char name[32];
    snprintf(name, sizeof(name), "%s[%zu]", array, index);
    figure_text(&h->f, name, label);
}

size_t heat_panel(struct heat *h, const char *title)
{
    indexed(h, "panel_of", ++h->n_panels, title);
    return h->n_panels;
}

size_t heat_row(struct heat *h, const char *label)
{
    unsigned cells = cells_width(label);
    cells = cells < ROW_CELLS ? cells : ROW_CELLS;
    h->row_cells = cells > h->row_cells ? cells : h->row_cells;
    figure_title(&h->f, ++h->n_rows, label, ROW_CELLS);
    return h->n_rows;
}

size_t heat_column(struct heat *h, const char *label)
{
    unsigned cells = cells_width(label);
    h->column_cells = cells > h->column_cells ? cells : h->column_cells;
    indexed(h, "column_of", ++h->n_columns, label);
    return h->n_columns;
}

void heat_value(struct heat *h, size_t panel, size_t row, size_t column, double v)
{
    char text[16] = "";
    if (!isnan(v) && !(h->percent && v < 0.005)) /* zeros are white, without a number */
        snprintf(text, sizeof(text), h->percent ? "%.0f" : "%.2f", h->percent ? 100 * v : v);
    csv_cell_int(&h->f.data, (int64_t)panel);
    csv_cell_int(&h->f.data, (int64_t)row);
    csv_cell_int(&h->f.data, (int64_t)column);
    csv_cell_double(&h->f.data, v);
    csv_cell(&h->f.data, text);
    csv_end_row(&h->f.data);
}

/* Long names of columns stand upright. */
static void lay_out(struct heat *h)
{
    double labels = 0.2 + 0.062 * h->row_cells;
    bool upright = h->column_cells > 4;
    double below = upright ? 0.15 + 0.06 * h->column_cells : 0.3;
    if (h->x_label)
        below += upright ? 0.05 : 0.2; /* upright names rarely fill their room */
    double above = h->n_panels > 1 ? 0.25 : 0.08;
    double cell = fmin(0.42, fmax(0.24, (7 - labels) / (double)h->n_columns));
    double one = fmin(0.42, fmax(0.18, (3.3 - labels) / (double)h->n_columns));
    size_t fit = (size_t)fmax(1, floor((7 - labels) / (cell * (double)h->n_columns + 0.15)));
    size_t columns = h->n_panels < fit ? h->n_panels : fit;
    size_t lines = (h->n_panels + columns - 1) / columns;
    double high = above + below + 0.22 * (double)h->n_rows;
    h->f.width = labels + (cell * (double)h->n_columns + 0.15) * (double)columns;
    h->f.height = 0.05 + high * (double)lines;
    h->f.one_width = labels + one * (double)h->n_columns + 0.15;
    h->f.one_height = 0.05 + high * (double)h->n_panels;
    figure_number(&h->f, "panels", (double)h->n_panels);
    figure_number(&h->f, "rows", (double)h->n_rows);
    figure_number(&h->f, "n_columns", (double)h->n_columns);
    figure_number(&h->f, "wide_columns", (double)columns);
    figure_number(&h->f, "label_inches", labels);
    figure_number(&h->f, "below_inches", below);
    figure_number(&h->f, "above_inches", above);
    figure_number(&h->f, "panel_inches", high);
    figure_number(&h->f, "upright", upright);
    figure_number(&h->f, "diverging", h->diverging);
    figure_text(&h->f, "x_label", h->x_label ? h->x_label : "");
}

int heat_write(struct heat *h, struct figure_place *place, struct error *err)
{
    lay_out(h);
    return figure_write(&h->f, place, err);
}
