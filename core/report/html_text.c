#include "html_text.h"

#include <math.h>
#include <string.h>

#include "text.h"

void html_json_init(struct html_json *j)
{
    strbuf_init(&j->out);
    j->due = false;
}

void html_json_release(struct html_json *j)
{
    strbuf_release(&j->out);
}

static void begin(struct html_json *j)
{
    if (j->due)
        strbuf_addc(&j->out, ',');
    j->due = true;
}

void html_json_open(struct html_json *j, char bracket)
{
    begin(j);
    strbuf_addc(&j->out, bracket);
    j->due = false;
}

void html_json_close(struct html_json *j, char bracket)
{
    strbuf_addc(&j->out, bracket);
    j->due = true;
}

/* Bytes of the UTF-8 sequence at s; 0 when it is none. */
static size_t sequence(const char *s)
{
    size_t n = 1;
    while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n++;
    for (; n > 0; n--)
        if (text_is_utf8(s, n) && (n == 1 || !text_is_utf8(s, 1)))
            return n;
    return 0;
}

/* U+2028 and U+2029 end lines in old scripts. */
static bool is_separator(const char *s)
{
    return strncmp(s, "\xe2\x80\xa8", 3) == 0 || strncmp(s, "\xe2\x80\xa9", 3) == 0;
}

static void add_quoted(struct strbuf *out, const char *s)
{
    strbuf_addc(out, '"');
    while (*s) {
        unsigned char c = (unsigned char)*s;
        size_t n = sequence(s);
        if (n == 0)
            strbuf_adds(out, "\\ufffd");
        else if (c == '"' || c == '\\')
            strbuf_addf(out, "\\%c", c);
        else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x7f)
            strbuf_addf(out, "\\u%04x", c);
        else if (is_separator(s))
            strbuf_adds(out, s[2] == '\xa8' ? "\\u2028" : "\\u2029");
        else
            strbuf_add(out, s, n);
        s += n ? n : 1;
    }
    strbuf_addc(out, '"');
}

void html_json_key(struct html_json *j, const char *key)
{
    begin(j);
    add_quoted(&j->out, key);
    strbuf_addc(&j->out, ':');
    j->due = false;
}

void html_json_string(struct html_json *j, const char *s)
{
    begin(j);
    if (s)
        add_quoted(&j->out, s);
    else
        strbuf_adds(&j->out, "null");
}

void html_json_number(struct html_json *j, double v)
{
    begin(j);
    if (isfinite(v))
        strbuf_add_double(&j->out, v);
    else
        strbuf_adds(&j->out, "null");
}

void html_json_int(struct html_json *j, int64_t v)
{
    begin(j);
    strbuf_addf(&j->out, "%lld", (long long)v);
}

void html_json_bool(struct html_json *j, bool v)
{
    begin(j);
    strbuf_adds(&j->out, v ? "true" : "false");
}

static void add_object(struct html_json *j, const json_t *v)
{
    const char *key;
    json_t *child;
    html_json_open(j, '{');
    json_object_foreach((json_t *)v, key, child)
    {
        html_json_key(j, key);
        html_json_value(j, child);
    }
    html_json_close(j, '}');
}

void html_json_value(struct html_json *j, const json_t *v)
{
    size_t i;
    json_t *child;
    if (json_is_object(v)) {
        add_object(j, v);
    } else if (json_is_array(v)) {
        html_json_open(j, '[');
        json_array_foreach(v, i, child) html_json_value(j, child);
        html_json_close(j, ']');
    } else if (json_is_string(v)) {
        html_json_string(j, json_string_value(v));
    } else if (json_is_integer(v)) {
        html_json_int(j, json_integer_value(v));
    } else if (json_is_boolean(v)) {
        html_json_bool(j, json_is_true(v));
    } else {
        html_json_number(j, json_is_real(v) ? json_real_value(v) : NAN);
    }
}

void html_json_put_string(struct html_json *j, const char *key, const char *s)
{
    html_json_key(j, key);
    html_json_string(j, s);
}

void html_json_put_number(struct html_json *j, const char *key, double v)
{
    html_json_key(j, key);
    html_json_number(j, v);
}

void html_json_put_int(struct html_json *j, const char *key, int64_t v)
{
    html_json_key(j, key);
    html_json_int(j, v);
}

void html_escape(struct strbuf *out, const char *s)
{
    while (*s) {
        size_t n = sequence(s);
        if (n == 0)
            strbuf_adds(out, "\xef\xbf\xbd");
        else if (*s == '<')
            strbuf_adds(out, "&lt;");
        else if (*s == '>')
            strbuf_adds(out, "&gt;");
        else if (*s == '&')
            strbuf_adds(out, "&amp;");
        else if (*s == '"')
            strbuf_adds(out, "&quot;");
        else if (*s == '\'')
            strbuf_adds(out, "&#39;");
        else
            strbuf_add(out, s, n);
        s += n ? n : 1;
    }
}
