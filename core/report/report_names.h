/* report_names.h: how methods and columns are called, coloured, ordered and cited in figures,
 * tables and the page: `report: names:` of the suite, else what plugins say of themselves. */
#ifndef REPORT_REPORT_NAMES_H
#define REPORT_REPORT_NAMES_H

#include <stdbool.h>

#include "results.h"
#include "strbuf.h"

/* Display name of a method ("original" -> "Original"), never NULL; the label itself when nothing
 * else is known. */
const char *report_method_name(const struct results *r, const char *method);
/* Heading of a column: the suite's name for it; else that of its attack, when the suite names it,
 * before the value's; else label_heading's. */
void report_column_name(struct strbuf *out, const struct results *r, const char *column);
/* Of an attack or metric: its display name, else the label. */
const char *report_part_name(const struct results *r, const char *label);
/* "#rrggbb". Without one of the suite's, methods take Okabe and Ito's colours in the suite's order;
 * original is grey and retrain black. */
const char *report_colour(const struct results *r, const char *method);
/* Dash pattern, 1 to 4, so that 6 colours and 4 patterns tell 24 methods apart. */
unsigned report_dash(const struct results *r, const char *method);
/* Methods in the order in which figures and tables name them where no rank decides: those with an
 * `order`, smallest first, then the others as in the suite. ret: (n_methods) indices in r->method.
 */
void report_method_order(const struct results *r, size_t *ret);
/* Keys for \cite of a method, attack, metric or column, ','-separated; "" when none is known. */
const char *report_cite(const struct results *r, const char *key);

/* references.bib: the BibTeX entries of the plugins used, each key once, in the suite's order. What
 * is no entry with balanced braces becomes a comment that says so. */
void report_references(const struct results *r, struct strbuf *out);

#endif
