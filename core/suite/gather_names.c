/* How methods, attacks, metrics and columns are called: what the suite says, else what the plugin
 * says of itself, else the label. */
#include "gather_names.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static const char *word_of(const struct plugin_desc *d, const char *key)
{
    const char *s = d ? json_string_value(json_object_get(d->json, key)) : NULL;
    return s ? s : "";
}

static const struct suite_name *given(const struct suite *s, const char *key)
{
    for (unsigned i = 0; i < s->n_names; i++)
        if (strcmp(s->names[i].key, key) == 0)
            return &s->names[i];
    return NULL;
}

/* "@article{smith2024, ..." -> "smith2024"; "" when it does not begin like that. malloc'd. */
static char *bibtex_key(const char *citation)
{
    const char *begin = *citation == '@' ? strchr(citation, '{') : NULL;
    size_t n = begin ? strcspn(begin + 1, ", \t\r\n{}") : 0;
    return n && begin[1 + n] == ',' ? strndup(begin + 1, n) : text_dup("");
}

static int add(struct results *r, const struct suite *s, const char *key, const char *by_default,
               const struct plugin_desc *desc, enum name_kind kind, struct error *err)
{
    const struct suite_name *n = given(s, key);
    struct result_name *grown = realloc(r->name, (r->n_names + 1) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    r->name = grown;
    bool cited = n && *n->cite;
    struct result_name *to = &grown[r->n_names++];
    *to = (struct result_name){.kind = kind,
                               .given = n && *n->name,
                               .order = n ? n->order : INT64_MAX,
                               .key = text_dup(key),
                               .name = text_dup(n && *n->name ? n->name : by_default),
                               .cite = cited ? text_dup(n->cite)
                                             : bibtex_key(word_of(desc, "citation")),
                               .colour = text_dup(n ? n->colour : ""),
                               .bibtex = text_dup(word_of(desc, "citation"))};
    return to->key && to->name && to->cite && to->colour && to->bibtex ? 0 : error_nomem(err);
}

/* A plugin's own name stands for its id; a label that the author chose stays. */
static int add_entries(struct results *r, const struct suite *s, const struct suite_entry *e,
                       unsigned n, enum name_kind kind, struct error *err)
{
    for (unsigned i = 0; i < n; i++) {
        const char *own = word_of(e[i].desc, "name");
        bool by_id = e[i].desc && strcmp(e[i].label, e[i].desc->id) == 0 && *own;
        TRY(add(r, s, e[i].label, by_id ? own : e[i].label, e[i].desc, kind, err));
    }
    return 0;
}

int gather_names(const struct suite *s, struct results *r, struct error *err)
{
    TRY(add(r, s, "original", "Original", NULL, NAME_METHOD, err));
    TRY(add(r, s, "retrain", "Retrain", NULL, NAME_METHOD, err));
    TRY(add_entries(r, s, s->unlearn, s->n_unlearn, NAME_METHOD, err));
    TRY(add_entries(r, s, s->attack, s->n_attacks, NAME_ATTACK, err));
    TRY(add_entries(r, s, s->metric, s->n_metrics, NAME_METRIC, err));
    for (unsigned i = 0; i < s->n_names; i++)
        TRY(add(r, s, s->names[i].key, "", NULL, NAME_COLUMN, err));
    return 0;
}
