/* figure_list.h: what a report has drawn and what not, and why. */
#ifndef REPORT_FIGURE_LIST_H
#define REPORT_FIGURE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "csv.h"
#include "error.h"

struct figure_item {
    char *name; /* file name without ending; "" when nothing was drawn */
    char *kind, *scenario;
    bool varies;   /* drawn from seconds */
    char *caption; /* or the reason why nothing was drawn */
};

struct figure_list {
    struct figure_item *item;
    size_t n;
    /* of the kind that is being drawn */
    const char *kind, *scenario;
    bool varies;
    size_t n_before;
    char why[256];
};

/* Begins a kind for a scenario; figure_list_end notes a reason if nothing was added since. */
void figure_list_begin(struct figure_list *l, const char *kind, const char *scenario, bool varies);
int figure_list_add(struct figure_list *l, const char *name, const char *caption,
                    struct error *err);
/* Why nothing is drawn; returns 0, so that a figure may end with it. */
int figure_list_skip(struct figure_list *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int figure_list_end(struct figure_list *l, struct error *err);
/* figure,kind,scenario,drawn,varies,text */
void figure_list_csv(const struct figure_list *l, struct csv_writer *out);
void figure_list_release(struct figure_list *l);

#endif
