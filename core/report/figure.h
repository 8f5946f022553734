/* figure.h: a figure is a gnuplot script and its data, FIGURES/NAME.gp and
 * FIGURES/NAME.csv. The script comes from two templates, head.gp.in and KIND.gp.in. */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H

#include "board.h"
#include "csv.h"
#include "figure_list.h"
#include "report.h"

struct figure {
    struct strbuf name;           /* "gap-random-0.1" */
    const char *kind;             /* template: "gap", "roc", "confidence" */
    double width, height;         /* inches, across the two columns of a page */
    double one_width, one_height; /* inches, in one column; 0: as above */
    struct csv_writer data;
    struct strbuf settings; /* lines of gnuplot that name layout, not data */
    struct strbuf caption;  /* what a paper says below it, one paragraph of plain text */
};
void figure_init(struct figure *f, const char *kind);
void figure_release(struct figure *f);
/* Adds the file-name form of `part` to the name, after a '-' if it is not the first. */
void figure_name(struct figure *f, const char *part);
/* `title_of[index] = 'label'` in the settings, the label cut to `width` cells (two thirds of them
 * where the figure is drawn in one column). gnuplot 5.4 cuts what it reads from a header or by
 * strcol() at a comma, quoted or not, so keys and titles are named here; numbers never are. */
void figure_title(struct figure *f, size_t index, const char *label, unsigned width);
/* The same for a key, which has room for the whole width in one column too. */
void figure_key(struct figure *f, size_t index, const char *label, unsigned width);
/* A line `name = v` in the settings. */
void figure_number(struct figure *f, const char *name, double v);
/* `name[index] = 'label'`, the array named in `name`, without cutting. */
void figure_text(struct figure *f, const char *name, const char *label);
/* A header row of the data; names is NULL-ended. */
void figure_header(struct figure *f, const char *const *names);

/* Where scripts come from and where figures go. */
struct figure_place {
    char *templates, *dir;
    const struct report_options *options;
    struct error first; /* the first failure to draw; later figures are still tried */
    struct figure_list list;
    const struct results *results;
};
/* Writes script and data, then draws. A figure that cannot be drawn is recorded in `first`; what
 * cannot be written is an error. */
int figure_write(struct figure *f, struct figure_place *place, struct error *err);

/* The figures of a report. Each draws what there is for one scenario, and notes in place->list
 * why nothing was drawn (figure_list_skip). */
typedef int figure_fn(const struct board *b, const char *scenario, struct figure_place *place,
                      struct error *err);
figure_fn figure_gap, figure_strip, figure_time, figure_cost, figure_roc, figure_risk,
    figure_confidence, figure_predictions, figure_consecutive, figure_ablation, figure_difference,
    figure_agreement, figure_training, figure_spectral, figure_transfer, figure_metric,
    figure_curve;

/* Draws every kind that the options ask for, and writes figures/figures.csv: what was drawn, with
 * its caption, and what was not, with the reason. */
int figures_write(const struct board *b, const struct report_options *options, struct error *err);

#endif
