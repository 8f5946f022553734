/* text.h: locale-free parsing and printing of numbers and small strings. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole string or false. Reals accept "0.1", "1e-3", "8/255"; NaN and infinities are refused. */
bool text_to_real(const char *s, double *ret);
bool text_to_int(const char *s, int64_t *ret);
bool text_to_bool(const char *s, bool *ret); /* true false yes no on off 1 0 */
/* Bytes: "4GiB", "512MiB", "100kB", "1000". */
bool text_to_bytes(const char *s, uint64_t *ret);
/* Seconds: "30m", "2h", "90s", "1.5h", "1h30m", "250ms", "10". */
bool text_to_seconds(const char *s, double *ret);

/* Form with the fewest digits that reads back as v ("0.1", "5e-05"); whole numbers below 1e15
 * without exponent ("100"); "nan", "inf", "-inf". */
void text_from_double(double v, char buf[32]);
/* "1.2 s", "3 min 10 s", "2 h 5 min". */
void text_duration(double seconds, char buf[32]);

char *text_dup(const char *s); /* NULL when out of memory */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool text_is_utf8(const char *s, size_t n); /* well-formed, without surrogates */
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
/* Nearest of the NULL-ended candidates by edit distance, or NULL if none is close. */
const char *text_did_you_mean(const char *word, const char *const *candidates);
/* [a-z0-9]+([.-][a-z0-9]+)* */
bool text_is_plugin_id(const char *s);
/* [a-z][a-z0-9_]* */
bool text_is_param_name(const char *s);
/* Copies with '-' and '.' as '_' (column names). out holds strlen(s) + 1 bytes. */
void text_to_column(const char *s, char *out);

#endif
