/* columns_text.h: text that stands in columns of a terminal or a figure: UTF-8,
 * counted in the cells it takes, free of control characters. */
#ifndef REPORT_COLUMNS_TEXT_H
#define REPORT_COLUMNS_TEXT_H

#include <stdbool.h>

#include "strbuf.h"

/* Cells that s takes: 0 for combining marks, 2 for wide letters and emoji; a byte that is not
 * UTF-8 counts as the one question mark that is printed for it. */
unsigned text_width(const char *s);
/* s, cut to at most `width` cells with an ellipsis as the last one. Control characters become
 * spaces: labels and reasons come from files and plugins, and must not steer the terminal. */
void text_cut(struct strbuf *out, const char *s, unsigned width);
/* As text_cut, and filled with spaces to `width`, on the left if `right` (numbers). */
void text_pad(struct strbuf *out, const char *s, unsigned width, bool right);
/* Words of s in lines of at most `width` cells; every line but the first begins with `indent`
 * spaces, and the first is taken to begin after `first` cells. Ends with a newline. */
void text_wrap(struct strbuf *out, const char *s, unsigned first, unsigned indent,
               unsigned width);
/* Name of a file from a label: bytes other than letters, digits, '.', '_', '+' and '-' become
 * '_', and so does a leading '.'. */
void text_file_name(struct strbuf *out, const char *label);
/* "forget_acc" -> "Forget acc", "rmia.auc_forget_test" -> "RMIA AUC": columns for people. */
void text_heading(struct strbuf *out, const char *column);

#endif
