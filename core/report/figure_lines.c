#include "figure_lines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cells.h"

enum { KEY_CELLS = 30 };

struct lines_range {
    double low, high;
    bool log;
};

void lines_init(struct lines *l, const char *name, const char *scenario)
{
    static const char *const header[] = {"panel", "line", "label", "x", "y", "low", "high", NULL};
    *l = (struct lines){.panel_height = 1.9};
    figure_init(&l->f, "lines");
    figure_name(&l->f, name);
    if (*scenario)
        figure_name(&l->f, scenario);
    figure_header(&l->f, header);
    strbuf_adds(&l->f.settings, "array title_of[999]\narray style_of[999]\narray keyed[999]\n"
                                "array panel_of[99]\narray x_of[99]\narray logs[99]\n"
                                "array floor_low[99]\narray floor_mean[99]\narray floor_high[99]\n"
                                "array x_low[99]\narray x_high[99]\narray y_low[99]\n"
                                "array y_high[99]\n");
}

void lines_release(struct lines *l)
{
    figure_release(&l->f);
    free(l->x);
    free(l->y);
}

static void indexed_text(struct lines *l, const char *array, size_t index, const char *text)
{
    char name[40];
    snprintf(name, sizeof(name), "%s[%zu]", array, index);
    figure_text(&l->f, name, text);
}

static void indexed_number(struct lines *l, const char *array, size_t index, double v)
{
    char name[40];
    snprintf(name, sizeof(name), "%s[%zu]", array, index);
    if (isnan(v))
        strbuf_addf(&l->f.settings, "%s = NaN\n", name);
    else
        figure_number(&l->f, name, v);
}

size_t lines_panel(struct lines *l, const char *title, const char *x_label, unsigned log)
{
    struct lines_range *x = realloc(l->x, (l->n_panels + 1) * sizeof(*x));
    if (x)
        l->x = x;
    struct lines_range *y = realloc(l->y, (l->n_panels + 1) * sizeof(*y));
    if (y)
        l->y = y;
    if (!x || !y) {
        error_nomem(&l->failed);
        return 0;
    }
    l->x[l->n_panels] = (struct lines_range){NAN, NAN, log & 1};
    l->y[l->n_panels] = (struct lines_range){NAN, NAN, log & 2};
    size_t panel = ++l->n_panels;
    indexed_text(l, "panel_of", panel, title);
    indexed_text(l, "x_of", panel, x_label ? x_label : "");
    indexed_number(l, "logs", panel, log);
    lines_floor(l, panel, NAN, NAN, NAN);
    return panel;
}

size_t lines_line(struct lines *l, const char *label, int style)
{
    size_t line = ++l->n_lines;
    figure_key(&l->f, line, label ? label : "", KEY_CELLS);
    strbuf_addf(&l->f.settings, "style_of[%zu] = %d\nkeyed[%zu] = %d\n", line, style, line,
                label != NULL);
    if (label) {
        unsigned cells = cells_width(label);
        l->key_width = cells > KEY_CELLS ? KEY_CELLS : cells > l->key_width ? cells : l->key_width;
        l->n_keys++;
    }
    return line;
}

static void widen(struct lines_range *r, double v)
{
    if (isnan(v) || (r->log && !(v > 0)))
        return;
    r->low = fmin(r->low, v); /* fmin and fmax drop a NaN */
    r->high = fmax(r->high, v);
}

void lines_point(struct lines *l, size_t panel, size_t line, double x, double y, double low,
                 double high)
{
    if (panel == 0 || isnan(y))
        return;
    widen(&l->x[panel - 1], x);
    widen(&l->y[panel - 1], y);
    widen(&l->y[panel - 1], low);
    widen(&l->y[panel - 1], high);
    csv_cell_int(&l->f.data, (int64_t)panel);
    csv_cell_int(&l->f.data, (int64_t)line);
    csv_cell(&l->f.data, NULL);
    csv_cell_double(&l->f.data, x);
    csv_cell_double(&l->f.data, y);
    csv_cell_double(&l->f.data, low);
    csv_cell_double(&l->f.data, high);
    csv_end_row(&l->f.data);
}

void lines_floor(struct lines *l, size_t panel, double low, double mean, double high)
{
    if (panel == 0)
        return;
    widen(&l->y[panel - 1], low);
    widen(&l->y[panel - 1], high);
    indexed_number(l, "floor_low", panel, low);
    indexed_number(l, "floor_mean", panel, mean);
    indexed_number(l, "floor_high", panel, high);
}

/* A little air around the data; an axis without extent gets some. */
static void settle(struct lines_range *r)
{
    if (isnan(r->low)) {
        r->low = r->log ? 1 : 0;
        r->high = r->log ? 10 : 1;
    }
    if (r->log) {
        double air = r->high > r->low ? pow(r->high / r->low, 0.06) : 2;
        r->low /= air;
        r->high *= air;
        return;
    }
    double air = r->high > r->low ? 0.05 * (r->high - r->low) : fmax(0.5, 0.05 * fabs(r->low));
    r->low -= air;
    r->high += air;
}

static void lay_out(struct lines *l)
{
    bool key = l->n_keys > 1;
    double key_inches = key ? 0.5 + 0.068 * l->key_width : 0;
    size_t most = key_inches > 1.6 ? 2 : 3;
    size_t columns = l->n_panels < most ? l->n_panels : most;
    size_t rows = (l->n_panels + columns - 1) / columns;
    size_t key_columns = l->key_width > 16 ? 1 : 2;
    size_t key_rows = key ? (l->n_keys + key_columns - 1) / key_columns : 0;
    double panels = columns == 1 ? 3.4 : 7 - key_inches;
    double key_height = 0.165 * (double)l->n_keys + 0.3;
    l->f.width = panels + key_inches;
    l->f.height = 0.15 + l->panel_height * (double)rows;
    if (l->f.height < key_height)
        l->f.height = key_height;
    l->f.one_width = 3.4;
    l->f.one_height =
        0.15 + l->panel_height * (double)l->n_panels + 0.165 * (double)key_rows + (key ? 0.2 : 0);
    figure_number(&l->f, "panels", (double)l->n_panels);
    figure_number(&l->f, "lines", (double)l->n_lines);
    figure_number(&l->f, "wide_columns", (double)columns);
    figure_number(&l->f, "key_inches", key_inches);
    figure_number(&l->f, "key_rows", (double)key_rows);
    figure_number(&l->f, "panel_inches", l->panel_height);
    figure_number(&l->f, "with_points", l->points || l->markers);
    figure_number(&l->f, "markers", l->markers);
    figure_number(&l->f, "with_band", l->band);
    figure_text(&l->f, "y_label", l->y_label ? l->y_label : "");
    for (size_t p = 0; p < l->n_panels; p++) {
        settle(&l->x[p]);
        settle(&l->y[p]);
        indexed_number(l, "x_low", p + 1, l->x[p].low);
        indexed_number(l, "x_high", p + 1, l->x[p].high);
        indexed_number(l, "y_low", p + 1, l->y[p].low);
        indexed_number(l, "y_high", p + 1, l->y[p].high);
    }
}

int lines_write(struct lines *l, struct figure_place *place, struct error *err)
{
    if (l->failed.code)
        return error_nomem(err);
    lay_out(l);
    return figure_write(&l->f, place, err);
}
