#include "words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "strbuf.h"

void words_release(struct words *w)
{
    for (unsigned i = 0; i < w->n; i++)
        free(w->w[i]);
    free(w->w);
    *w = (struct words){NULL, 0, 0, false};
}

/* Takes word. */
static void take(struct words *w, char *word)
{
    if (w->n + 2 > w->cap) {
        unsigned cap = w->cap ? 2 * w->cap : 16;
        char **grown = realloc(w->w, cap * sizeof(*grown));
        w->failed |= !grown;
        if (grown) {
            w->w = grown;
            w->cap = cap;
        }
    }
    if (w->failed || !word) {
        w->failed = true;
        free(word);
        return;
    }
    w->w[w->n++] = word;
    w->w[w->n] = NULL;
}

void words_add(struct words *w, const char *format, ...)
{
    char *word = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&word, format, args) < 0)
        word = NULL;
    va_end(args);
    take(w, word);
}

/* From *p to the end of one word; NULL: a quote stays open. */
static const char *read_word(const char *p, struct strbuf *ret)
{
    char quote = '\0';
    for (; *p && (quote || !strchr(" \t\n", *p)); p++) {
        if (quote && *p == quote)
            quote = '\0';
        else if (!quote && (*p == '\'' || *p == '"'))
            quote = *p;
        else if (*p == '\\' && quote != '\'' && p[1])
            strbuf_addc(ret, *++p);
        else
            strbuf_addc(ret, *p);
    }
    return quote ? NULL : p;
}

int words_split(struct words *w, const char *text, struct error *err)
{
    for (const char *p = text;;) {
        struct strbuf word;
        p += strspn(p, " \t\n");
        if (!*p)
            return w->failed ? error_nomem(err) : 0;
        strbuf_init(&word);
        const char *end = read_word(p, &word);
        take(w, end ? strbuf_detach(&word) : NULL);
        strbuf_release(&word);
        if (!end)
            return error_set(err, ERR_INVALID, "a quote is not closed in: %s", text);
        p = end;
    }
}

void words_print_quoted(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,%@";
    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}
