/* error.c: recording and prefixing failure texts. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies at most size - 1 bytes and never leaves half a UTF-8 character at the end. */
static void copy_text(char *to, size_t size, const char *from)
{
    size_t n = strlen(from);
    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
            n--;
    }
    memmove(to, from, n);
    to[n] = '\0';
}

static int record(struct error *err, int code, const char *suffix, const char *format, va_list ap)
{
    if (!err)
        return code;
    /* The arguments may point into err->text, so it is written last. */
    char text[sizeof err->text * 2];
    int n = vsnprintf(text, sizeof text, format, ap);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    text[used] = '\0';
    if (suffix)
        snprintf(text + used, sizeof text - used, ": %s", suffix);
    err->code = code;
    copy_text(err->text, sizeof err->text, text);
    return code;
}

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    record(err, code, NULL, format, ap);
    va_end(ap);
    return code;
}

int error_errno(struct error *err, int errno_value, const char *format, ...)
{
    char buf[128];
    const char *why = strerror_r(errno_value, buf, sizeof buf); /* the GNU form returns the text */
    va_list ap;
    va_start(ap, format);
    record(err, ERR_IO, why, format, ap);
    va_end(ap);
    return ERR_IO;
}

int error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return ERR_INTERNAL;
    va_list ap;
    va_start(ap, format);
    record(err, err->code, err->text, format, ap);
    va_end(ap);
    return err->code;
}

int error_nomem(struct error *err)
{
    return error_set(err, ERR_NOMEM, "out of memory");
}

const char *error_name(int code)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {
        {0, "OK"},
        {ERR_INVALID, "E_INVALID"},
        {ERR_UNSUPPORTED, "E_UNSUPPORTED"},
        {ERR_NOMEM, "E_NOMEM"},
        {ERR_CANCELLED, "E_CANCELLED"},
        {ERR_NUMERIC, "E_NUMERIC"},
        {ERR_IO, "E_IO"},
        {ERR_DENIED, "E_DENIED"},
        {ERR_BUDGET, "E_BUDGET"},
        {ERR_INTERNAL, "E_INTERNAL"},
        {ERR_OUTPUT, "E_OUTPUT"},
        {ERR_ENVIRONMENT, "E_ENVIRONMENT"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].code == code)
            return names[i].name;
    return "E_UNKNOWN";
}
