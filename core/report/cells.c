#include "cells.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UNLIMITED 0xffffffffu

struct range {
    uint32_t first, last;
};

/* Unicode 15: what takes no cell of its own. */
static const struct range zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
    {0x064b, 0x065f}, {0x200b, 0x200f}, {0x2060, 0x2064}, {0x20d0, 0x20f0},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};
/* East Asian wide and emoji. */
static const struct range double_width[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff},
    {0x20000, 0x3fffd},
};

static bool in_table(uint32_t c, const struct range *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= table[i].first && c <= table[i].last)
            return true;
    return false;
}

/* One code point at s (not at the NUL); the bytes it takes. Malformed bytes give '?', one each:
 * stray continuations, overlong forms, surrogates, cut sequences. */
static size_t decode(const char *s, uint32_t *ret)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    size_t n = u[0] < 0x80   ? 1
               : u[0] < 0xc2 ? 0
               : u[0] < 0xe0 ? 2
               : u[0] < 0xf0 ? 3
               : u[0] < 0xf5 ? 4
                             : 0;
    *ret = '?';
    if (n == 0)
        return 1;
    uint32_t c = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (u[i] & 0x3fu);
    }
    if (n > 1 && (c < smallest[n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff))
        return 1;
    *ret = c;
    return n;
}

/* C0, C1, line separators and what reverses the direction of a line. */
static bool is_control(uint32_t c)
{
    bool reorders = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || reorders;
}

/* Cells of the code point at s, its length, and what to print for it: itself, or one byte. */
static unsigned step(const char *s, size_t *ret_n, const char **ret_print, size_t *ret_print_n)
{
    uint32_t c;
    *ret_n = decode(s, &c);
    *ret_print = is_control(c) ? " " : c == '?' ? "?" : s;
    *ret_print_n = is_control(c) || c == '?' ? 1 : *ret_n;
    if (in_table(c, zero_width, sizeof(zero_width) / sizeof(zero_width[0])))
        return 0;
    return in_table(c, double_width, sizeof(double_width) / sizeof(double_width[0])) ? 2 : 1;
}

/* Appends (out may be NULL) the longest beginning of s that fits; returns its cells. */
static unsigned take(struct strbuf *out, const char *s, unsigned width)
{
    unsigned cells = 0;
    size_t n, n_print;
    const char *print;
    for (; *s; s += n) {
        unsigned w = step(s, &n, &print, &n_print);
        if (w > width - cells)
            break;
        cells += w;
        if (out)
            strbuf_add(out, print, n_print);
    }
    return cells;
}

unsigned cells_width(const char *s)
{
    return take(NULL, s, UNLIMITED);
}

static unsigned cut(struct strbuf *out, const char *s, unsigned width)
{
    if (cells_width(s) <= width)
        return take(out, s, width);
    if (width == 0)
        return 0;
    unsigned cells = take(out, s, width - 1);
    strbuf_adds(out, "…");
    return cells + 1;
}

void cells_cut(struct strbuf *out, const char *s, unsigned width)
{
    cut(out, s, width);
}

static void spaces(struct strbuf *out, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        strbuf_addc(out, ' ');
}

void cells_pad(struct strbuf *out, const char *s, unsigned width, bool right)
{
    unsigned cells = cells_width(s);
    if (right && cells < width)
        spaces(out, width - cells);
    cells = cut(out, s, width);
    if (!right && cells < width)
        spaces(out, width - cells);
}

void cells_wrap(struct strbuf *out, const char *s, unsigned first, unsigned indent, unsigned width)
{
    struct strbuf word;
    unsigned at = first;
    bool begun = false;
    strbuf_init(&word);
    while (*s) {
        size_t n = strcspn(s, " \t\r\n");
        strbuf_reset(&word);
        strbuf_add(&word, s, n);
        s += n + strspn(s + n, " \t\r\n");
        unsigned cells = cells_width(word.s);
        if (cells == 0)
            continue;
        if (begun && at + 1 + cells > width) {
            strbuf_addc(out, '\n');
            spaces(out, indent);
            at = indent;
        } else if (begun) {
            strbuf_addc(out, ' ');
            at++;
        }
        at += take(out, word.s, UNLIMITED);
        begun = true;
    }
    strbuf_addc(out, '\n');
    out->failed |= word.failed;
    strbuf_release(&word);
}
