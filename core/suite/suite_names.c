/* `report: names:` of a suite: how methods, attacks, metrics and columns are called in figures,
 * tables and the page. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "suite_internal.h"
#include "text.h"

static int take_text(const struct yaml_node *map, const char *key, char **ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = "";
    if (node)
        TRY(yaml_string(node, key, &text, err));
    *ret = text_dup(text);
    return *ret ? 0 : error_nomem(err);
}

static int check_colour(const struct yaml_node *at, const char *s, struct error *err)
{
    size_t digits = 0;
    while (s[0] == '#' && isxdigit((unsigned char)s[1 + digits]))
        digits++;
    return *s == '\0' || (digits == 6 && s[7] == '\0')
               ? 0
               : yaml_error(at, err,
                            "colour: expected six digits such as \"#0072B2\", found \"%s\"", s);
}

/* A key that \cite takes: what BibTeX itself allows in one. */
static int check_cite(const struct yaml_node *at, const char *s, struct error *err)
{
    for (const char *p = s; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_:.+/,", *p))
            return yaml_error(at, err,
                              "cite: expected keys of BibTeX entries such as smith2024, found "
                              "\"%s\"",
                              s);
    return 0;
}

/* "amun: AMUN" or "amun: {name: AMUN, cite: ..., colour: ..., order: 1}". */
static int take_name(const struct yaml_node *value, struct suite_name *n, struct error *err)
{
    static const char *const keys[] = {"name", "cite", "colour", "order", NULL};
    const char *text;
    n->node = value;
    n->order = INT64_MAX;
    if (value->kind == YAML_SCALAR) {
        TRY(yaml_string(value, "report.names", &text, err));
        n->name = text_dup(text);
        n->cite = text_dup("");
        n->colour = text_dup("");
        return n->name && n->cite && n->colour ? 0 : error_nomem(err);
    }
    TRY(yaml_known_keys(value, "report.names", keys, err));
    TRY(take_text(value, "name", &n->name, err));
    TRY(take_text(value, "cite", &n->cite, err));
    TRY(take_text(value, "colour", &n->colour, err));
    TRY(check_cite(value, n->cite, err));
    TRY(check_colour(value, n->colour, err));
    const struct yaml_node *order = yaml_get(value, "order");
    return order ? yaml_int(order, "order", &n->order, err) : 0;
}

int suite_parse_names(struct suite *s, const struct yaml_node *node, struct error *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_MAP)
        return yaml_error(node, err,
                          "report.names: expected a map such as {amun: {name: AMUN, cite: "
                          "smith2024}}");
    s->names = calloc(node->n + 1, sizeof(*s->names));
    if (!s->names)
        return error_nomem(err);
    for (size_t i = 0; i < node->n; i++) {
        struct suite_name *n = &s->names[s->n_names++];
        n->key = text_dup(node->child[i].key);
        TRY(n->key ? take_name(node->child[i].value, n, err) : error_nomem(err));
    }
    return 0;
}

void suite_names_release(struct suite *s)
{
    for (unsigned i = 0; i < s->n_names; i++) {
        free(s->names[i].key);
        free(s->names[i].name);
        free(s->names[i].cite);
        free(s->names[i].colour);
    }
    free(s->names);
}

/* ---- do they name anything? ---- */

static size_t add_labels(const struct suite_entry *e, unsigned n, const char **known, size_t at)
{
    for (unsigned i = 0; i < n; i++)
        known[at++] = e[i].label;
    return at;
}

static int check_key(const struct suite_name *n, const char *const *known, struct error *err)
{
    for (size_t i = 0; known[i]; i++)
        if (strcmp(known[i], n->key) == 0)
            return 0;
    const char *near = text_did_you_mean(n->key, known);
    return yaml_error(n->node, err,
                      "report.names: no method, attack, metric or column of this suite is called "
                      "\"%s\"%s%s%s",
                      n->key, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

int suite_check_names(const struct suite *s, const struct columns *columns, struct error *err)
{
    const char **known =
        calloc(s->n_unlearn + s->n_attacks + s->n_metrics + columns->n + 3, sizeof(*known));
    if (!known)
        return error_nomem(err);
    size_t n = 0;
    known[n++] = "original";
    known[n++] = "retrain";
    n = add_labels(s->unlearn, s->n_unlearn, known, n);
    n = add_labels(s->attack, s->n_attacks, known, n);
    n = add_labels(s->metric, s->n_metrics, known, n);
    for (size_t i = 0; i < columns->n; i++)
        known[n++] = columns->column[i].name;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < s->n_names; i++)
        rc = check_key(&s->names[i], known, err);
    free(known);
    return rc;
}
