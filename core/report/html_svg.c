/* Pictures of gnuplot inside a page. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "html_figures.h"
#include "text.h"

static const char *const tags[] = {
    "svg",     "g",        "path",    "use",    "text",    "tspan",       "title",
    "desc",    "defs",     "rect",    "circle", "line",    "ellipse",     "polyline",
    "polygon", "clippath", "pattern", "filter", "feflood", "fecomposite", NULL};

static bool is_known(const char *name, size_t n)
{
    for (size_t i = 0; tags[i]; i++)
        if (strlen(tags[i]) == n && strncasecmp(tags[i], name, n) == 0)
            return true;
    return false;
}

/* An attribute that may be there. value: between its quotes. */
static bool is_harmless(const char *name, size_t n_name, const char *value, size_t n_value)
{
    bool refers = n_name >= 4 && strncasecmp(name + n_name - 4, "href", 4) == 0;
    if (n_name >= 2 && strncasecmp(name, "on", 2) == 0)
        return false;
    if (refers && (n_value == 0 || *value != '#'))
        return false;
    for (size_t i = 0; i + 4 <= n_value; i++)
        if (strncasecmp(value + i, "url(", 4) == 0 && value[i + 4] != '#')
            return false;
    return true;
}

static void add_value(struct strbuf *out, const char *name, size_t n_name, const char *value,
                      size_t n, const char *prefix)
{
    bool id = n_name == 2 && strncasecmp(name, "id", 2) == 0;
    if (id)
        strbuf_adds(out, prefix);
    for (size_t i = 0; i < n; i++) {
        bool local = value[i] == '#' && (i == 0 ? n_name >= 4 : value[i - 1] == '(');
        bool reference = local && (i > 0 || strncasecmp(name + n_name - 4, "href", 4) == 0);
        strbuf_addc(out, value[i]);
        if (reference)
            strbuf_adds(out, prefix);
    }
}

/* One attribute of a tag, with the blanks before it; NULL when it may not be there. */
static const char *add_attribute(const char *p, const char *prefix, struct strbuf *out)
{
    size_t blanks = strspn(p, " \t\r\n");
    const char *name = p + blanks;
    size_t n = strcspn(name, " \t\r\n=>");
    const char *value = name + n + strspn(name + n, " \t\r\n");
    if (n == 0 || *value != '=')
        return NULL;
    value += 1 + strspn(value + 1, " \t\r\n");
    char quote = *value;
    const char *end = quote == '"' || quote == '\'' ? strchr(value + 1, quote) : NULL;
    if (!end || !is_harmless(name, n, value + 1, (size_t)(end - value - 1)))
        return NULL;
    strbuf_addc(out, ' ');
    strbuf_add(out, name, n);
    strbuf_addc(out, '=');
    strbuf_addc(out, quote);
    add_value(out, name, n, value + 1, (size_t)(end - value - 1), prefix);
    strbuf_addc(out, quote);
    return end + 1;
}

/* From '<' to behind '>'; NULL when the tag may not be there. */
static const char *add_tag(const char *p, const char *prefix, struct strbuf *out)
{
    bool closing = p[1] == '/';
    const char *name = p + 1 + closing;
    size_t n = 0;
    while (isalnum((unsigned char)name[n]))
        n++;
    if (!is_known(name, n))
        return NULL;
    strbuf_adds(out, closing ? "</" : "<");
    strbuf_add(out, name, n);
    for (p = name + n; p;) {
        size_t blanks = strspn(p, " \t\r\n");
        if (p[blanks] == '>' || (p[blanks] == '/' && p[blanks + 1] == '>')) {
            strbuf_adds(out, p[blanks] == '>' ? ">" : "/>");
            return p + blanks + (p[blanks] == '>' ? 1 : 2);
        }
        p = add_attribute(p, prefix, out);
    }
    return NULL;
}

/* Behind a comment or a CDATA section that begins at p, which are left out; NULL: neither. */
static const char *skip(const char *p)
{
    static const char *const pair[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}};
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
        if (text_starts(p, pair[i][0])) {
            const char *end = strstr(p, pair[i][1]);
            return end ? end + 3 : NULL;
        }
    return NULL;
}

bool html_inline_svg(const char *svg, const char *prefix, struct strbuf *out)
{
    struct strbuf text;
    const char *p = strstr(svg, "<svg");
    strbuf_init(&text);
    while (p && *p) {
        size_t plain = strcspn(p, "<");
        strbuf_add(&text, p, plain);
        p += plain;
        if (*p == '<')
            p = p[1] == '!' ? skip(p) : add_tag(p, prefix, &text);
    }
    bool ok = p && !text.failed;
    if (ok)
        strbuf_add(out, text.s, text.len);
    out->failed |= text.failed;
    strbuf_release(&text);
    return ok;
}
