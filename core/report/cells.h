/* cells.h: text on a terminal: UTF-8, counted in the cells that it takes, free
 * of control characters. Labels and reasons come from files and plugins, and
 * must not steer the terminal: control characters are printed as spaces. */
#ifndef REPORT_CELLS_H
#define REPORT_CELLS_H

#include <stdbool.h>

#include "strbuf.h"

/* Cells that s takes: 0 for combining marks, 2 for wide letters and emoji; a byte that is not
 * UTF-8 counts as the one question mark that is printed for it. */
unsigned cells_width(const char *s);
/* s, cut to at most `width` cells with an ellipsis as the last one. */
void cells_cut(struct strbuf *out, const char *s, unsigned width);
/* As cells_cut, and filled with spaces to `width`, on the left if `right` (numbers). */
void cells_pad(struct strbuf *out, const char *s, unsigned width, bool right);
/* The words of s in lines of at most `width` cells (a longer word has a line of its own). Every
 * line but the first begins with `indent` spaces; the first is taken to begin after `first`
 * cells. Ends with a newline. */
void cells_wrap(struct strbuf *out, const char *s, unsigned first, unsigned indent, unsigned width);

#endif
