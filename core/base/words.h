/* words.h: the words of a command line, put together or taken apart. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"

struct words {
    char **w; /* NULL-ended */
    unsigned n, cap;
    bool failed; /* memory ran out: one check at the end is enough */
};

void words_release(struct words *w);
void words_add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends the words of text as a shell takes it apart: blanks, '...', "..." and backslashes, but
 * nothing is substituted. ERR_INVALID: a quote is not closed. */
int words_split(struct words *w, const char *text, struct error *err);
/* One word so that a shell reads it back. */
void words_print_quoted(FILE *out, const char *word);

#endif
