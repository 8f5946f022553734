/* html_text.h: foreign text inside a page: JSON in a script element, text between tags. Labels,
 * reasons and notes come from files and plugins and must not become markup. */
#ifndef REPORT_HTML_TEXT_H
#define REPORT_HTML_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"
#include "strbuf.h"

/* JSON, built in order. Numbers are in their shortest form that reads back, NaN is null. '<', '>'
 * and '&' are escaped in strings, so that nothing ends the script element; bytes that are no UTF-8
 * become U+FFFD. A comma is put where one is due. */
struct html_json {
    struct strbuf out;
    bool due; /* a comma before the next item */
};
void html_json_init(struct html_json *j);
void html_json_release(struct html_json *j);
void html_json_open(struct html_json *j, char bracket);  /* '{' or '[' */
void html_json_close(struct html_json *j, char bracket); /* '}' or ']' */
void html_json_key(struct html_json *j, const char *key);
void html_json_string(struct html_json *j, const char *s); /* NULL is null */
void html_json_number(struct html_json *j, double v);
void html_json_int(struct html_json *j, int64_t v);
void html_json_bool(struct html_json *j, bool v);
/* NULL is null. */
void html_json_value(struct html_json *j, const json_t *v);
/* The same with a key. */
void html_json_put_string(struct html_json *j, const char *key, const char *s);
void html_json_put_number(struct html_json *j, const char *key, double v);
void html_json_put_int(struct html_json *j, const char *key, int64_t v);

/* s as text between tags and in quoted attributes. */
void html_escape(struct strbuf *out, const char *s);

#endif
