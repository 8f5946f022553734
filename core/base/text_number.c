/* text_number.c: numbers from and to text, whatever locale a plugin may have set. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* glibc hands out its one static object for "C": no allocation, nothing to free. */
static locale_t c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

/* End of a decimal number at s, or NULL. strtod alone would also take blanks, hex, inf and nan. */
static const char *number_end(const char *s)
{
    if (*s == '+' || *s == '-')
        s++;
    const char *whole = s, *dot = skip_digits(s), *end = dot;
    bool any = dot > whole;
    if (*dot == '.') {
        end = skip_digits(dot + 1);
        any = any || end > dot + 1;
    }
    if (!any)
        return NULL;
    if (*end == 'e' || *end == 'E') {
        const char *power = end + 1 + (end[1] == '+' || end[1] == '-');
        if (skip_digits(power) == power)
            return NULL;
        end = skip_digits(power);
    }
    return end;
}

/* Parses a plain real at *s and moves *s behind it. */
static bool take_real(const char **s, double *ret)
{
    const char *end = number_end(*s);
    if (!end)
        return false;
    double v = strtod_l(*s, NULL, c_locale());
    if (!isfinite(v))
        return false;
    *s = end;
    *ret = v;
    return true;
}

bool text_to_real(const char *s, double *ret)
{
    double v, d;
    if (!take_real(&s, &v))
        return false;
    if (*s == '/') {
        s++;
        if (!take_real(&s, &d) || d == 0 || !isfinite(v / d))
            return false;
        v /= d;
    }
    if (*s)
        return false;
    *ret = v;
    return true;
}

bool text_to_int(const char *s, int64_t *ret)
{
    const char *digits = s + (*s == '+' || *s == '-');
    const char *end = skip_digits(digits);
    if (end == digits || *end)
        return false;
    errno = 0;
    intmax_t v = strtoimax(s, NULL, 10);
    if (errno || v < INT64_MIN || v > INT64_MAX)
        return false;
    *ret = v;
    return true;
}

bool text_to_bool(const char *s, bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"yes", true},  {"no", false},
                 {"on", true},   {"off", false},   {"1", true},    {"0", false},
                 {"True", true}, {"False", false}, {"TRUE", true}, {"FALSE", false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(s, words[i].word) == 0) {
            *ret = words[i].value;
            return true;
        }
    return false;
}

struct unit {
    const char *name;
    double factor;
};

static const struct unit byte_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1048576.0},
    {"GiB", 1073741824.0},
    {"TiB", 1099511627776.0},
};

static const struct unit time_units[] = {
    {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"m", 60}, {"h", 3600}, {"d", 86400},
};

static const struct unit *find_unit(const struct unit *units, size_t n, const char *s, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, s, len) == 0)
            return &units[i];
    return NULL;
}

bool text_to_bytes(const char *s, uint64_t *ret)
{
    double v;
    if (*s == '-' || !take_real(&s, &v))
        return false;
    if (*s == ' ')
        s++;
    const struct unit *u =
        find_unit(byte_units, sizeof byte_units / sizeof byte_units[0], s, strlen(s));
    if (!u)
        return false;
    double bytes = floor(v * u->factor + 0.5);
    if (bytes >= 9223372036854775808.0)
        return false;
    *ret = (uint64_t)bytes;
    return true;
}

bool text_to_seconds(const char *s, double *ret)
{
    double total = 0, v;
    bool any = false;
    while (*s) {
        if (*s == '-' || *s == '+' || !take_real(&s, &v))
            return false;
        if (*s == '\0' && !any) { /* a bare number is seconds */
            *ret = v;
            return true;
        }
        s += *s == ' ';
        size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz");
        const struct unit *u =
            find_unit(time_units, sizeof time_units / sizeof time_units[0], s, len);
        if (!u)
            return false;
        total += v * u->factor;
        s += len;
        s += *s == ' ';
        any = true;
    }
    if (!any || !isfinite(total))
        return false;
    *ret = total;
    return true;
}

void text_from_double(double v, char buf[32])
{
    locale_t c = c_locale(), old = uselocale(c);
    if (isnan(v))
        strcpy(buf, "nan");
    else if (isinf(v))
        strcpy(buf, v > 0 ? "inf" : "-inf");
    else if (v == floor(v) && fabs(v) < 1e15)
        snprintf(buf, 32, "%.0f", v);
    else
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(buf, 32, "%.*g", digits, v);
            if (strtod_l(buf, NULL, c) == v)
                break;
        }
    uselocale(old);
}

void text_duration(double seconds, char buf[32])
{
    if (!(seconds >= 0) || seconds > 1e9) {
        strcpy(buf, "?");
        return;
    }
    uint64_t s = (uint64_t)(seconds + 0.5), m = (s + 30) / 60;
    if (seconds < 59.95) {
        uint64_t tenths = (uint64_t)(seconds * 10 + 0.5);
        snprintf(buf, 32, "%" PRIu64 ".%" PRIu64 " s", tenths / 10, tenths % 10);
    } else if (s < 3600)
        snprintf(buf, 32, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else
        snprintf(buf, 32, "%" PRIu64 " h %" PRIu64 " min", m / 60, m % 60);
}
