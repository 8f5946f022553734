/* Critical-difference diagram (Demsar, "Statistical comparisons of classifiers over multiple data
 * sets", JMLR 7, 2006, section 3.2.4): mean ranks on a line, bars join methods whose ranks differ
 * by less than Nemenyi's critical difference. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board_compare.h"
#include "cells.h"
#include "figure.h"
#include "report_names.h"

enum { LABEL_WIDTH = 34 };

struct difference {
    struct figure f;
    const struct results *results;
    const struct board_rank **rank; /* (n) best first */
    size_t n, n_bars;
    double nemenyi;
};

static int by_rank(const void *a, const void *b)
{
    const struct board_rank *const *x = a, *const *y = b;
    double d = (*x)->mean_rank - (*y)->mean_rank;
    return d != 0 ? (d > 0) - (d < 0) : strcmp((*x)->method, (*y)->method);
}

static int collect(const struct board_ranks *all, const char *scenario, struct difference *d,
                   struct error *err)
{
    d->rank = calloc(all->n + 1, sizeof(*d->rank));
    if (!d->rank)
        return error_nomem(err);
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->item[i].scenario, scenario) == 0 && !isnan(all->item[i].mean_rank)) {
            d->rank[d->n++] = &all->item[i];
            d->nemenyi = all->item[i].nemenyi;
        }
    qsort(d->rank, d->n, sizeof(*d->rank), by_rank);
    return 0;
}

static void add_row(struct difference *d, const char *kind, const char *method, double from,
                    double to, double level, bool right)
{
    csv_cell(&d->f.data, kind);
    csv_cell(&d->f.data, method);
    csv_cell_double(&d->f.data, from);
    csv_cell_double(&d->f.data, to);
    csv_cell_double(&d->f.data, level);
    csv_cell_int(&d->f.data, right);
    csv_end_row(&d->f.data);
}

/* Best half on the left from above, the others on the right from below, so that lines do not
 * cross. */
static void add_methods(struct difference *d)
{
    size_t left = (d->n + 1) / 2;
    unsigned widest[2] = {0, 0};
    char name[32];
    for (size_t i = 0; i < d->n; i++) {
        bool right = i >= left;
        size_t level = right ? d->n - i : i + 1;
        const char *label = report_method_name(d->results, d->rank[i]->method);
        unsigned cells = cells_width(label);
        cells = cells < LABEL_WIDTH ? cells : LABEL_WIDTH;
        widest[right] = cells > widest[right] ? cells : widest[right];
        figure_title(&d->f, i + 1, label, LABEL_WIDTH);
        snprintf(name, sizeof(name), "mean_of[%zu]", i + 1);
        figure_number(&d->f, name, d->rank[i]->mean_rank);
        add_row(d, "method", d->rank[i]->method, d->rank[i]->mean_rank, NAN, (double)level, right);
    }
    figure_number(&d->f, "left_cells", widest[0]);
    figure_number(&d->f, "right_cells", widest[1]);
    figure_number(&d->f, "levels", (double)left);
}

/* Longest runs of methods within the critical difference; a run inside another is not shown. */
static void add_bars(struct difference *d)
{
    size_t reached = 0;
    for (size_t i = 0; i < d->n; i++) {
        size_t k = i;
        while (k + 1 < d->n && d->rank[k + 1]->mean_rank - d->rank[i]->mean_rank < d->nemenyi)
            k++;
        if (k > i && k + 1 > reached) {
            add_row(d, "bar", NULL, d->rank[i]->mean_rank, d->rank[k]->mean_rank,
                    (double)++d->n_bars, false);
            reached = k + 1;
        }
    }
}

static int draw(struct difference *d, const char *scenario, struct figure_place *place,
                struct error *err)
{
    static const char *const header[] = {"kind", "method", "from", "to", "level", "right", NULL};
    figure_name(&d->f, "critical-difference");
    figure_name(&d->f, scenario);
    figure_header(&d->f, header);
    strbuf_addf(&d->f.settings, "array title_of[%zu]\narray mean_of[%zu]\n", d->n + 1, d->n + 1);
    add_methods(d);
    add_bars(d);
    figure_number(&d->f, "methods", (double)d->n);
    figure_number(&d->f, "bars", (double)d->n_bars);
    figure_number(&d->f, "critical", d->nemenyi);
    d->f.width = 7;
    d->f.height = 0.8 + 0.07 * (double)d->n_bars + 0.17 * (double)((d->n + 1) / 2);
    strbuf_addf(&d->f.caption,
                "Mean ranks by gap over %u pairs of original model and forget set (%s); bars join "
                "methods closer than Nemenyi's critical difference at 5 %% (CD). Friedman's test: "
                "chi-square %.1f, p = %.2g.",
                (unsigned)d->rank[0]->n_blocks, scenario, d->rank[0]->friedman_chi2,
                d->rank[0]->friedman_p);
    return figure_write(&d->f, place, err);
}

int figure_difference(const struct board *b, const char *scenario, struct figure_place *place,
                      struct error *err)
{
    struct board_ranks all;
    struct difference d = {.results = b->results, .nemenyi = NAN};
    TRY(board_ranks_make(b, &all, err));
    figure_init(&d.f, "difference");
    int rc = collect(&all, scenario, &d, err);
    if (rc == 0 && (d.n < 3 || !(d.nemenyi > 0)))
        figure_list_skip(&place->list,
                         "fewer than three ranked methods, or fewer than two pairs of original "
                         "model and forget set that all of them share");
    else if (rc == 0)
        rc = draw(&d, scenario, place, err);
    figure_release(&d.f);
    free(d.rank);
    board_ranks_release(&all);
    return rc;
}
