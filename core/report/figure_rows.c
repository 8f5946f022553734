#include "figure_rows.h"

#include <math.h>
#include <stdio.h>

#include "cells.h"

enum { LABEL_WIDTH = 34 };

void rows_init(struct rows *r, const char *template_name, const char *name, const char *scenario)
{
    *r = (struct rows){.n = 0};
    figure_init(&r->f, template_name);
    figure_name(&r->f, name);
    if (*scenario)
        figure_name(&r->f, scenario);
    strbuf_adds(&r->f.settings, "array title_of[999]\narray style_of[999]\narray panel_of[99]\n"
                                "array x_low[99]\narray x_high[99]\n");
}

void rows_release(struct rows *r)
{
    figure_release(&r->f);
}

size_t rows_add(struct rows *r, const char *label, int style)
{
    unsigned cells = cells_width(label);
    size_t row = ++r->n;
    figure_title(&r->f, row, label, LABEL_WIDTH);
    strbuf_addf(&r->f.settings, "style_of[%zu] = %d\n", row, style);
    cells = cells < LABEL_WIDTH ? cells : LABEL_WIDTH;
    r->label_width = cells > r->label_width ? cells : r->label_width;
    return row;
}

size_t rows_panel(struct rows *r, const char *title, double low, double high)
{
    char name[32];
    size_t panel = ++r->n_panels;
    if (isnan(low)) {
        low = 0;
        high = 1;
    } else if (!(high > low)) {
        double air = fmax(0.5, 0.05 * fabs(low));
        low -= air;
        high += air;
    }
    snprintf(name, sizeof(name), "panel_of[%zu]", panel);
    figure_text(&r->f, name, title);
    snprintf(name, sizeof(name), "x_low[%zu]", panel);
    figure_number(&r->f, name, low);
    snprintf(name, sizeof(name), "x_high[%zu]", panel);
    figure_number(&r->f, name, high);
    return panel;
}

int rows_write(struct rows *r, size_t most, struct figure_place *place, struct error *err)
{
    struct figure *f = &r->f;
    size_t columns = r->n_panels < most ? r->n_panels : most;
    size_t lines = (r->n_panels + columns - 1) / columns;
    double high = 0.62 + 0.17 * (double)r->n;
    f->width = columns == 1 ? 5.5 : 7;
    f->height = 0.35 + high * (double)lines;
    f->one_width = 3.4;
    f->one_height = 0.35 + high * (double)r->n_panels;
    figure_number(f, "rows", (double)r->n);
    figure_number(f, "panels", (double)r->n_panels);
    figure_number(f, "wide_columns", (double)columns);
    figure_number(f, "label_cells", r->label_width);
    figure_number(f, "panel_inches", high);
    return figure_write(f, place, err);
}
