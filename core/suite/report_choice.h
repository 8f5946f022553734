/* report_choice.h: what the `report:` part of a suite says about pictures and tables. */
#ifndef SUITE_REPORT_CHOICE_H
#define SUITE_REPORT_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "yaml.h"

/* A kind of figure that a report knows. */
struct figure_kind {
    const char *name;
    const char *title; /* what it shows, one line */
    const char *needs; /* what must be there for it to be drawn */
    bool by_default;   /* drawn unless `report: figures:` says otherwise */
    bool varies;       /* drawn from seconds: differs between equal runs (as costs.csv) */
};
extern const struct figure_kind figure_kinds[]; /* in the order of a report; ends with name NULL */

struct report_choice {
    char **figures; /* kinds asked for; none: the default ones */
    size_t n_figures;
    char **columns; /* of the paper table; none: the gap terms */
    size_t n_columns;
    bool one_column, two_columns; /* widths of figures */
    bool png, latex;              /* beside suite.svg and suite.pdf */
    int decimals_percent;         /* digits behind the point; -1: the default */
    int decimals_fraction;
    bool spread_sd; /* tables show mean ± sd over runs, not the 95 % interval */
};

/* Adds a figure kind; an unknown name is ERR_INVALID with a did-you-mean. */
int report_choice_add_figure(struct report_choice *c, const char *name, struct error *err);
/* Whether a kind is to be drawn. c NULL: the default. */
bool report_choice_has(const struct report_choice *c, const struct figure_kind *kind);
/* Reads figures, columns, widths, decimals and spread from a `report:` map (may be NULL). */
int report_choice_parse(const struct yaml_node *report, struct report_choice *ret,
                        struct error *err);
void report_choice_release(struct report_choice *c);

#endif
