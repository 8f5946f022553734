/* Ties a suite to the plugins at hand: kinds, parameters, columns. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "suite_internal.h"
#include "text.h"

/* Kinds that a list of a suite takes; ends with 0. `attacks:` has three of them. */
typedef enum plugin_kind kind_list[4];
static const kind_list unlearn_kinds = {PLUGIN_UNLEARNER};
static const kind_list attack_kinds = {PLUGIN_MEMBERSHIP_ATTACK, PLUGIN_EXAMPLE_ATTACK,
                                       PLUGIN_AUDIT};
static const kind_list metric_kinds = {PLUGIN_METRIC};
static const kind_list transfer_kinds = {PLUGIN_EXAMPLE_ATTACK};

static bool is_of(const enum plugin_kind *kinds, enum plugin_kind kind)
{
    while (*kinds && *kinds != kind)
        kinds++;
    return *kinds != 0;
}

static const char *kinds_name(const enum plugin_kind *kinds)
{
    return kinds == attack_kinds ? "membership-attack, example-attack or audit"
                                 : plugin_kind_name(kinds[0]);
}

static int unknown_id(const struct suite_entry *e, const enum plugin_kind *kinds,
                      const struct plugin_set *set, struct error *err)
{
    const struct plugin_desc *other = plugins_find(set, 0, e->id);
    if (other)
        return yaml_error(e->node, err, "%s is a plugin of kind %s; expected kind %s", e->id,
                          plugin_kind_name(other->kind), kinds_name(kinds));
    const char **ids = calloc(set->n + 1, sizeof(*ids));
    if (!ids)
        return error_nomem(err);
    size_t n = 0;
    for (unsigned i = 0; i < set->n; i++)
        if (is_of(kinds, set->plugin[i].kind))
            ids[n++] = set->plugin[i].id;
    const char *near = text_did_you_mean(e->id, ids);
    int rc =
        near ? yaml_error(e->node, err, "no %s named \"%s\"; did you mean \"%s\"?",
                          kinds_name(kinds), e->id, near)
             : yaml_error(e->node, err, "no %s named \"%s\"; `lethe plugins` lists what there is",
                          kinds_name(kinds), e->id);
    free(ids);
    return rc;
}

/* An entry that names a file: its plugin, or the reason why there is none. */
static int bind_file(struct suite_entry *e, const enum plugin_kind *kinds,
                     const struct plugin_set *set, struct error *err)
{
    for (unsigned i = 0; i < set->n && !e->desc; i++) {
        const struct plugin_desc *p = &set->plugin[i];
        if (strcmp(p->path, e->file) == 0 && is_of(kinds, p->kind) &&
            (!*e->id || !strcmp(p->id, e->id)))
            e->desc = p;
    }
    for (unsigned i = 0; i < set->n_failures && !e->desc; i++)
        if (strcmp(set->failure[i].path, e->file) == 0)
            e->failure = &set->failure[i];
    if (!e->desc && !e->failure)
        return yaml_error(e->node, err, "%s contains no %s%s%s", e->file, kinds_name(kinds),
                          *e->id ? " named " : "", e->id);
    return 0;
}

static int bind_entry(struct suite_entry *e, const enum plugin_kind *kinds,
                      const struct plugin_set *set, struct error *err)
{
    if (e->import)
        return 0;
    if (e->file)
        TRY(bind_file(e, kinds, set, err));
    for (size_t k = 0; !e->file && !e->desc && kinds[k]; k++)
        e->desc = plugins_find(set, kinds[k], e->id);
    if (!e->desc)
        return e->failure ? 0 : unknown_id(e, kinds, set, err);
    if (e->rows_at && e->desc->kind != PLUGIN_EXAMPLE_ATTACK)
        return yaml_error(e->rows_at, err,
                          "rows: only example attacks take test rows; %s is of kind %s", e->id,
                          plugin_kind_name(e->desc->kind));
    e->settings = e->given && e->given->n ? SETTINGS_GIVEN : SETTINGS_DEFAULT;
    return desc_params(e->desc, e->given, &e->params, err);
}

static int check_attack(const struct suite *s, const struct suite_entry *e, struct error *err)
{
    if (!e->desc)
        return 0;
    if (desc_has_cap(e->desc, "unlearned-shadows") && s->n_shadow > 0 && s->n_shadow < 4)
        return yaml_error(e->node, err,
                          "%s needs two shadow models on either side of every sample; found "
                          "references: {shadow: %u}, expected 4 or more",
                          e->id, s->n_shadow);
    if (s->n_shadow > 0)
        return 0;
    const json_t *needs = json_object_get(e->desc->json, "needs");
    size_t i;
    json_t *cap;
    json_array_foreach(needs, i, cap)
    {
        const char *word = json_string_value(cap);
        if (word && strcmp(word, "shadows") == 0)
            return yaml_error(e->node, err,
                              "%s needs shadow models; add references: {shadow: 8} or more", e->id);
    }
    return 0;
}

/* What a suite cannot give to a metric. */
static int check_metric(const struct suite_entry *e, struct error *err)
{
    const json_t *needs = e->desc ? json_object_get(e->desc->json, "needs") : NULL;
    size_t i;
    json_t *cap;
    json_array_foreach(needs, i, cap)
    {
        const char *word = json_string_value(cap);
        if (word && strcmp(word, "adversarial") == 0)
            return yaml_error(e->node, err,
                              "%s needs outputs on adversarial samples; in a suite, put an example "
                              "attack under `attacks:` (robust accuracy of every run) or "
                              "`transfer:`, or use `lethe metric %s` on files",
                              e->id, e->id);
    }
    return 0;
}

static int check_gap(const struct suite *s, struct error *err)
{
    struct columns columns;
    TRY(columns_make(s, &columns, err));
    const char **names = calloc(columns.n + 1, sizeof(*names));
    int rc = names ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < columns.n; i++)
        names[i] = columns.column[i].name;
    const struct yaml_node *at = yaml_get(yaml_get(s->root, "report"), "gap");
    for (unsigned g = 0; rc == 0 && g < s->n_gap; g++) {
        bool found = false;
        for (size_t i = 0; i < columns.n; i++)
            found |= strcmp(names[i], s->gap[g]) == 0;
        const char *near = found ? NULL : text_did_you_mean(s->gap[g], names);
        if (!found)
            rc = yaml_error(at ? at : s->root, err,
                            "report.gap: no metric or attack of this suite gives \"%s\"%s%s%s",
                            s->gap[g], near ? "; did you mean \"" : "", near ? near : "",
                            near ? "\"?" : "");
    }
    if (rc == 0)
        rc = suite_check_names(s, &columns, err);
    free(names);
    columns_release(&columns);
    return rc;
}

int suite_bind(struct suite *s, const struct plugin_set *plugins, struct error *err)
{
    for (unsigned i = 0; i < s->n_unlearn; i++)
        TRY(bind_entry(&s->unlearn[i], unlearn_kinds, plugins, err));
    for (unsigned i = 0; i < s->n_attacks; i++) {
        TRY(bind_entry(&s->attack[i], attack_kinds, plugins, err));
        TRY(check_attack(s, &s->attack[i], err));
    }
    for (unsigned i = 0; i < s->n_metrics; i++) {
        TRY(bind_entry(&s->metric[i], metric_kinds, plugins, err));
        TRY(check_metric(&s->metric[i], err));
    }
    for (unsigned i = 0; i < s->n_transfer; i++)
        TRY(bind_entry(&s->transfer[i], transfer_kinds, plugins, err));
    TRY(check_gap(s, err));
    return suite_check_select(s, err);
}
