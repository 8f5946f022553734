/* strbuf.c: the growable byte string. */
#include "strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* What an empty buffer shows; cap == 0 guards it against writes. */
static const char empty[1] = "";

void strbuf_init(struct strbuf *b)
{
    *b = (struct strbuf){.s = (char *)empty};
}

void strbuf_release(struct strbuf *b)
{
    if (b->cap > 0)
        free(b->s);
    strbuf_init(b);
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    if (b->cap > 0)
        b->s[0] = '\0';
}

/* Room for n more bytes and the NUL. */
static bool reserve(struct strbuf *b, size_t n)
{
    if (b->failed)
        return false;
    if (n >= SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap *= 2;
    char *s = realloc(b->cap > 0 ? b->s : NULL, cap);
    if (!s) {
        b->failed = true;
        return false;
    }
    s[b->len] = '\0';
    b->s = s;
    b->cap = cap;
    return true;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t n)
{
    if (n == 0 || !reserve(b, n))
        return;
    memcpy(b->s + b->len, bytes, n);
    b->len += n;
    b->s[b->len] = '\0';
}

void strbuf_adds(struct strbuf *b, const char *s)
{
    strbuf_add(b, s, strlen(s));
}

void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_addf(struct strbuf *b, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    if (n < 0)
        b->failed = true;
    else if (reserve(b, (size_t)n)) {
        vsnprintf(b->s + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void strbuf_add_double(struct strbuf *b, double v)
{
    char buf[32];
    if (v != v)
        return;
    text_from_double(v, buf);
    strbuf_adds(b, buf);
}

char *strbuf_detach(struct strbuf *b)
{
    char *s = NULL;
    if (reserve(b, 0)) {
        s = b->s;
        strbuf_init(b);
    } else
        strbuf_release(b);
    return s;
}
