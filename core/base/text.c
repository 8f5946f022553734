/* text.c: small strings: copies, prefixes, names, suggestions. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_dup(const char *s)
{
    return s ? strdup(s) : NULL;
}

char *text_format(const char *format, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&s, format, ap);
    va_end(ap);
    return n < 0 ? NULL : s;
}

/* Length of the well-formed character at s (RFC 3629, section 4), or 0. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    static const struct {
        unsigned char first_lo, first_hi, second_lo, second_hi;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if (s[0] < forms[f].first_lo || s[0] > forms[f].first_hi)
            continue;
        if (forms[f].length > n)
            return 0;
        for (size_t i = 1; i < forms[f].length; i++)
            if (s[i] < (i == 1 ? forms[f].second_lo : 0x80) ||
                s[i] > (i == 1 ? forms[f].second_hi : 0xbf))
                return 0;
        return forms[f].length;
    }
    return 0;
}

bool text_is_utf8(const char *s, size_t n)
{
    size_t k = 1;
    for (size_t i = 0; i < n && k > 0; i += k)
        k = utf8_length((const unsigned char *)s + i, n - i);
    return k > 0;
}

bool text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);
    return k <= n && memcmp(s + n - k, suffix, k) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

enum { WORD_MAX = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edit distance with swaps of neighbours (optimal string alignment), case ignored. */
static unsigned edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned row[3][WORD_MAX + 1];
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned differ = lower(a[i - 1]) != lower(b[j - 1]);
            now[j] = min3(now[j - 1] + 1, last[j] + 1, last[j - 1] + differ);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[na % 3][nb];
}

const char *text_did_you_mean(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    size_t n = strlen(word);
    if (n == 0 || n > WORD_MAX)
        return NULL;
    unsigned limit = (unsigned)(n + 2) / 3, best_distance = limit + 1;
    for (; *candidates; candidates++) {
        size_t k = strlen(*candidates);
        if (k > WORD_MAX)
            continue;
        unsigned d = edit_distance(word, n, *candidates, k);
        if (d < best_distance && d < n && d < k) {
            best = *candidates;
            best_distance = d;
        }
    }
    return best;
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_is_plugin_id(const char *s)
{
    bool after_word = false;
    for (; *s; s++) {
        if (is_lower_or_digit(*s))
            after_word = true;
        else if ((*s == '.' || *s == '-') && after_word)
            after_word = false;
        else
            return false;
    }
    return after_word;
}

bool text_is_param_name(const char *s)
{
    if (*s < 'a' || *s > 'z')
        return false;
    while (is_lower_or_digit(*s) || *s == '_')
        s++;
    return *s == '\0';
}

void text_to_column(const char *s, char *out)
{
    for (; *s; s++)
        *out++ = *s == '-' || *s == '.' ? '_' : *s;
    *out = '\0';
}
