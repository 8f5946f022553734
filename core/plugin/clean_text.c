#include "clean_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the well-formed UTF-8 character at p (n >= 1 bytes left), 0 when malformed:
 * Unicode 15, table 3-7 (no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first_lo, first_hi, second_lo, second_hi, length;
    } table[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (p[0] < table[i].first_lo || p[0] > table[i].first_hi)
            continue;
        size_t length = table[i].length;
        if (length > n || (length > 1 && (p[1] < table[i].second_lo || p[1] > table[i].second_hi)))
            return 0;
        for (size_t k = 2; k < length; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

size_t clean_text(const char *in, size_t n, char *out, size_t cap)
{
    const unsigned char *p = (const unsigned char *)in;
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(p + i, n - i);
        bool plain = length == 1, bad = length == 0;
        if (used + (bad ? 1 : length) >= cap)
            break;
        if (bad || plain)
            out[used++] = (char)(bad ? '?' : p[i] < 0x20 || p[i] == 0x7f ? ' ' : p[i]);
        else
            memcpy(out + used, in + i, length);
        used += bad || plain ? 0 : length;
        i += bad ? 1 : length;
    }
    out[used] = '\0';
    return used;
}

static bool is_blank(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] > ' ' && s[i] != 0x7f)
            return false;
    return true;
}

size_t clean_last_line(const char *in, size_t n, char *out, size_t cap)
{
    while (n > 0) {
        const char *newline = memrchr(in, '\n', n);
        size_t start = newline ? (size_t)(newline - in) + 1 : 0;
        if (!is_blank(in + start, n - start))
            return clean_text(in + start, n - start, out, cap);
        n = newline ? start - 1 : 0;
    }
    out[0] = '\0';
    return 0;
}
