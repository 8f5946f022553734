/* html_figures.h: the pictures of index.html. */
#ifndef REPORT_HTML_FIGURES_H
#define REPORT_HTML_FIGURES_H

#include "error.h"
#include "report.h"
#include "strbuf.h"

/* Appends a <figure> for every picture that figures/figures.csv lists and that was drawn as svg:
 * the svg itself, or, of pictures that may differ between equal runs, an <img> that refers to it;
 * then what was not drawn and why. Nothing without a figures.csv. */
int html_figures(const struct report_options *options, struct strbuf *out, struct error *err);

/* Appends an svg that gnuplot drew for use inside a page: without prolog, ids prefixed, since all
 * pictures of a page share one name space. Returns false, appending nothing, when it holds anything
 * but plain shapes and text (scripts, event handlers, references to other places). */
bool html_inline_svg(const char *svg, const char *prefix, struct strbuf *out);

#endif
