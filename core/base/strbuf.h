/* strbuf.h: a growable byte string, the only string builder in the tree.
 * `s` is always NUL-terminated. Running out of memory sets `failed`; later
 * appends do nothing, so one check at the end is enough. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *s; /* never NULL after strbuf_init */
    size_t len, cap;
    bool failed;
};

void strbuf_init(struct strbuf *b);
void strbuf_release(struct strbuf *b);
void strbuf_reset(struct strbuf *b); /* length 0, memory kept */
void strbuf_add(struct strbuf *b, const void *bytes, size_t n);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Shortest decimal form that reads back as the same double; "" for NaN. */
void strbuf_add_double(struct strbuf *b, double v);
/* The string, to be freed by the caller; NULL when memory ran out. b is re-initialised. */
char *strbuf_detach(struct strbuf *b);

#endif
