#include "report_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "text.h"

/* Okabe and Ito (2008), "Color Universal Design", in an order in which neighbours differ most. */
static const char *const okabe_ito[] = {"#0072B2", "#D55E00", "#009E73",
                                        "#CC79A7", "#E69F00", "#56B4E9"};
enum { N_COLOURS = sizeof(okabe_ito) / sizeof(okabe_ito[0]), N_DASHES = 4 };

static const struct result_name *find(const struct results *r, const char *key,
                                      enum name_kind first, enum name_kind last)
{
    for (size_t i = 0; i < r->n_names; i++)
        if (r->name[i].kind >= first && r->name[i].kind <= last && strcmp(r->name[i].key, key) == 0)
            return &r->name[i];
    return NULL;
}

const char *report_method_name(const struct results *r, const char *method)
{
    const struct result_name *n = find(r, method, NAME_METHOD, NAME_METHOD);
    return n && *n->name ? n->name : method;
}

const char *report_part_name(const struct results *r, const char *label)
{
    const struct result_name *n = find(r, label, NAME_ATTACK, NAME_METRIC);
    return n && *n->name ? n->name : label;
}

/* Is `column` one of the label's ("rmia-offline" -> "rmia_offline.auc")? Where its own part begins,
 * or NULL. */
static const char *part_of(const char *column, const char *label)
{
    size_t i = 0;
    for (; label[i]; i++) {
        char c = isalnum((unsigned char)label[i]) ? label[i] : '_';
        if (column[i] != c)
            return NULL;
    }
    return column[i] == '.' ? column + i : NULL;
}

void report_column_name(struct strbuf *out, const struct results *r, const char *column)
{
    const struct result_name *n = find(r, column, NAME_COLUMN, NAME_COLUMN);
    if (n && *n->name) {
        strbuf_adds(out, n->name);
        return;
    }
    for (size_t i = 0; i < r->n_names; i++) {
        bool part = r->name[i].kind == NAME_ATTACK || r->name[i].kind == NAME_METRIC;
        const char *rest = part && r->name[i].given ? part_of(column, r->name[i].key) : NULL;
        if (rest) {
            strbuf_adds(out, r->name[i].name);
            label_heading(out, rest);
            return;
        }
    }
    label_heading(out, column);
}

/* 0-based place among the suite's methods, sentinels apart. */
static size_t place_of(const struct results *r, const char *method)
{
    size_t place = 0;
    for (size_t i = 0; i < r->n_methods; i++) {
        if (strcmp(r->method[i], method) == 0)
            break;
        place += strcmp(r->method[i], "original") != 0 && strcmp(r->method[i], "retrain") != 0;
    }
    return place;
}

const char *report_colour(const struct results *r, const char *method)
{
    const struct result_name *n = find(r, method, NAME_METHOD, NAME_METHOD);
    if (n && *n->colour)
        return n->colour;
    if (strcmp(method, "original") == 0)
        return "#666666";
    if (strcmp(method, "retrain") == 0)
        return "#000000";
    return okabe_ito[place_of(r, method) % N_COLOURS];
}

unsigned report_dash(const struct results *r, const char *method)
{
    return (unsigned)(place_of(r, method) % N_DASHES) + 1;
}

static int64_t order_of(const struct results *r, size_t method)
{
    const struct result_name *n = find(r, r->method[method], NAME_METHOD, NAME_METHOD);
    return n ? n->order : INT64_MAX;
}

void report_method_order(const struct results *r, size_t *ret)
{
    for (size_t i = 0; i < r->n_methods; i++) { /* stable insertion: a few dozen at most */
        size_t at = i;
        for (; at > 0 && order_of(r, ret[at - 1]) > order_of(r, i); at--)
            ret[at] = ret[at - 1];
        ret[at] = i;
    }
}

const char *report_cite(const struct results *r, const char *key)
{
    const struct result_name *n = NULL;
    for (size_t i = 0; i < r->n_names && !n; i++)
        if (strcmp(r->name[i].key, key) == 0 && *r->name[i].cite)
            n = &r->name[i];
    return n ? n->cite : "";
}

/* ---- references.bib ---- */

/* "@type{key, ...}" with balanced braces, text and nothing after it. */
static bool is_entry(const char *s)
{
    long depth = 0;
    size_t n = strlen(s);
    if (*s != '@' || n == 0 || s[n - 1] != '}' || !text_is_utf8(s, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' && s[i] != '\n' && s[i] != '\t')
            return false;
        depth += (s[i] == '{') - (s[i] == '}');
        if (depth < 0 || (depth == 0 && s[i] == '}' && i + 1 < n))
            return false;
    }
    return depth == 0;
}

static bool is_first(const struct results *r, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (*r->name[i].bibtex && strcmp(r->name[i].cite, r->name[index].cite) == 0)
            return false;
    return true;
}

void report_references(const struct results *r, struct strbuf *out)
{
    for (size_t i = 0; i < r->n_names; i++) {
        const struct result_name *n = &r->name[i];
        if (!*n->bibtex || !is_first(r, i))
            continue;
        if (is_entry(n->bibtex) && *n->cite)
            strbuf_addf(out, "%s\n\n", n->bibtex);
        else
            strbuf_addf(out, "%% %zu: the plugin's citation is no BibTeX entry\n\n", i + 1);
    }
}
