/* What a plugin declares, as JSON: the words of `lethe plugins --json`. Reads constant data only.
 */
#include <math.h>
#include <string.h>

#include "external.h"
#include "external_files.h"
#include "hosting.h"
#include "plugin_file.h"
#include "plugin_words.h"
#include "text.h"

static json_t *words_of(const struct plugin_word *table, uint64_t bits)
{
    json_t *list = json_array();
    for (; list && table->text; table++)
        if (bits & table->value)
            json_array_append_new(list, json_string(table->text));
    return list;
}

/* Takes value; remembers the first key that could not be set, which is a text that is no UTF-8
 * or the end of memory. */
struct description {
    json_t *o;
    const char *bad_key;
};

static void put(struct description *d, const char *key, json_t *value)
{
    if (json_object_set_new(d->o, key, value) != 0 && !d->bad_key)
        d->bad_key = key;
}

static void put_text(struct description *d, const char *key, const char *s)
{
    put(d, key, json_string(s));
}

/* Takes item's object. */
static void put_item(struct description *d, const char *key, json_t *list, struct description *item)
{
    if ((item->bad_key || json_array_append(list, item->o) != 0) && !d->bad_key)
        d->bad_key = item->bad_key ? item->bad_key : key;
    json_decref(item->o);
}

/* Bounds that are open are null: JSON has no infinities. */
static json_t *finite_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* ---- parameters ---- */

static json_t *choice_list(const lethe_param *p)
{
    json_t *list = p->type == LETHE_PARAM_CHOICE ? json_array() : json_null();
    for (size_t i = 0; p->type == LETHE_PARAM_CHOICE && p->choices[i]; i++)
        if (json_array_append_new(list, json_string(p->choices[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* "0.1,0.01" as a list of values of the parameter's type. */
static json_t *search_list(const lethe_param *p, const struct param_spec *spec)
{
    if (!p->search)
        return json_null();
    json_t *list = json_array();
    char *copy = text_dup(p->search), *save = NULL;
    struct param_value v;
    bool ok = list && copy;
    for (char *s = copy ? strtok_r(copy, ",", &save) : NULL; s; s = strtok_r(NULL, ",", &save))
        ok = ok && param_parse(spec, s + strspn(s, " "), &v, NULL) == 0 &&
             json_array_append_new(list, param_to_json(spec, &v)) == 0;
    free(copy);
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static void put_bounds(struct description *d, const lethe_param *p)
{
    bool whole = p->type == LETHE_PARAM_INT, real = p->type == LETHE_PARAM_REAL;
    put(d, "min", whole ? json_integer(p->min.i) : real ? finite_or_null(p->min.r) : json_null());
    put(d, "max", whole ? json_integer(p->max.i) : real ? finite_or_null(p->max.r) : json_null());
}

static void put_params(struct description *d, const lethe_plugin *plugin)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < plugin->n_params; i++) {
        const lethe_param *p = plugin_item(plugin->params, plugin->param_stride, i);
        struct description item = {json_object(), NULL};
        struct param_spec spec;
        struct param_value def = {p->type == LETHE_PARAM_REAL ? 0 : p->def.i, p->def.r,
                                  p->type == LETHE_PARAM_STRING ? p->def.s : NULL};
        plugin_param_spec(p, &spec);
        put_text(&item, "name", p->name);
        put_text(&item, "type", param_type_name(spec.type));
        put(&item, "default", param_to_json(&spec, &def));
        put_bounds(&item, p);
        put(&item, "choices", choice_list(p));
        put_text(&item, "unit", p->unit);
        put_text(&item, "doc", p->doc);
        put(&item, "tunable", json_boolean(p->flags & LETHE_PARAM_TUNABLE));
        put(&item, "log_scale", json_boolean(p->flags & LETHE_PARAM_LOG_SCALE));
        put(&item, "search", search_list(p, &spec));
        put_item(d, "params", list, &item);
    }
    put(d, "params", list);
}

/* ---- the table of each kind ---- */

static void put_unlearner(struct description *d, const void *iface)
{
    const lethe_unlearner *u = iface;
    json_t *uses = json_array();
    put(d, "scenarios", words_of(plugin_scenario_words, u->scenarios));
    for (uint32_t i = 0; i < u->n_attacks; i++) {
        const lethe_attack_use *a = plugin_item(u->attacks, u->attack_stride, i);
        struct description item = {json_object(), NULL};
        json_t *settings = json_array();
        for (size_t k = 0; a->settings && a->settings[k]; k++)
            if (json_array_append_new(settings, json_string(a->settings[k])) != 0)
                item.bad_key = "settings";
        put_text(&item, "attack", a->attack);
        put(&item, "settings", settings);
        put_item(d, "attacks", uses, &item);
    }
    put(d, "attacks", uses);
}

static void put_example(struct description *d, const void *iface)
{
    const lethe_example_attack *a = iface;
    put_text(d, "norm", plugin_word_of(plugin_norm_words, (uint64_t)a->norm));
}

static void put_member(struct description *d, const void *iface)
{
    const lethe_membership_attack *a = iface;
    json_t *scores = json_array();
    for (uint32_t i = 0; i < a->n_scores; i++) {
        const lethe_score *s = plugin_item(a->scores, a->score_stride, i);
        struct description item = {json_object(), NULL};
        put_text(&item, "name", s->name);
        put_text(&item, "doc", s->doc);
        put_item(d, "scores", scores, &item);
    }
    put(d, "scores", scores);
    put(d, "wants_fit", json_boolean(a->wants_fit == 1));
    put(d, "takes_population", json_boolean(a->wants_fit == 2));
}

static void put_outputs(struct description *d, const void *outputs, uint32_t n, uint32_t stride)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) {
        const lethe_output *o = plugin_item(outputs, stride, i);
        struct description item = {json_object(), NULL};
        put_text(&item, "name", o->name);
        put_text(&item, "unit", o->unit);
        put_text(&item, "doc", o->doc);
        put_text(&item, "shape", plugin_word_of(plugin_shape_words, o->shape));
        put_text(&item, "better", plugin_word_of(plugin_better_words, o->better));
        put_text(&item, "reference", plugin_word_of(plugin_reference_words, o->reference));
        put(&item, "min", finite_or_null(o->lo));
        put(&item, "max", finite_or_null(o->hi));
        put(&item, "constant",
            o->reference == LETHE_REF_CONSTANT ? finite_or_null(o->constant) : json_null());
        put_text(&item, "x_name", o->x_name);
        put_item(d, "outputs", list, &item);
    }
    put(d, "outputs", list);
}

static void put_audit(struct description *d, const void *iface)
{
    const lethe_audit *a = iface;
    put_outputs(d, a->outputs, a->n_outputs, a->output_stride);
    put(d, "min_references", json_integer(a->min_references));
}

static void put_metric(struct description *d, const void *iface)
{
    const lethe_metric *m = iface;
    put_outputs(d, m->outputs, m->n_outputs, m->output_stride);
    put_text(d, "scope", plugin_word_of(plugin_scope_words, m->scope));
    put(d, "min_models", json_integer(m->min_models));
}

static void (*const put_iface[])(struct description *, const void *) = {
    [LETHE_KIND_UNLEARNER] = put_unlearner,
    [LETHE_KIND_EXAMPLE_ATTACK] = put_example,
    [LETHE_KIND_MEMBERSHIP_ATTACK] = put_member,
    [LETHE_KIND_AUDIT] = put_audit,
    [LETHE_KIND_METRIC] = put_metric,
};

/* ---- one plugin ---- */

static void put_info(struct description *d, const lethe_info *info)
{
    put_text(d, "id", info->id);
    put_text(d, "name", info->name);
    put_text(d, "short_name", info->short_name);
    put_text(d, "version", info->version);
    put_text(d, "author", info->author);
    put_text(d, "license", info->license);
    put_text(d, "summary", info->summary);
    put_text(d, "doc", info->doc);
    put_text(d, "citation", info->citation);
    put_text(d, "url", info->url);
    json_t *tags = json_array();
    for (size_t i = 0; info->tags && info->tags[i]; i++)
        if (json_array_append_new(tags, json_string(info->tags[i])) != 0)
            d->bad_key = "tags";
    put(d, "tags", tags);
}

/* Empty lists where a kind has none, so that readers need not ask for the kind first. */
static void put_common(struct description *d, const lethe_plugin *p, const char *path)
{
    static const char *const lists[] = {"scenarios", "attacks", "scores", "outputs"};
    put_info(d, p->info);
    put_text(d, "path", path);
    put(d, "needs", words_of(plugin_cap_words, p->needs));
    put(d, "uses", words_of(plugin_cap_words, p->uses));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        put(d, lists[i], json_array());
}

static json_t *text_list(const char *const *texts)
{
    json_t *list = json_array();
    for (; list && *texts; texts++)
        json_array_append_new(list, json_string(*texts));
    return list;
}

/* What runs an external plugin, and the files that identify it. */
static void put_command(struct description *d, const lethe_plugin *p)
{
    const struct external_command *command = &external_of(p)->command;
    put(d, "command", text_list(command->shown));
    put(d, "files", text_list(command->file));
    put(d, "features", json_boolean(command->features));
}

static int describe_one(const lethe_plugin *p, const char *path, json_t *all, struct error *err)
{
    struct description d = {json_object(), NULL};
    bool known = p->kind > 0 && p->kind < sizeof(put_iface) / sizeof(put_iface[0]);
    put_text(&d, "kind", known ? plugin_word_of(plugin_kind_words, p->kind) : "too-new");
    put_common(&d, p, path);
    if (known) {
        put_params(&d, p);
        put_iface[p->kind](&d, p->iface);
        if (external_is_manifest(path))
            put_command(&d, p);
    } else {
        put(&d, "kind_number", json_integer(p->kind));
    }
    if (d.bad_key || json_array_append(all, d.o) != 0) {
        json_decref(d.o);
        return error_set(err, ERR_INVALID,
                         "plugin %s: \"%s\" cannot be described: its text is not valid UTF-8, or "
                         "its values are none of its type",
                         p->info->id, d.bad_key ? d.bad_key : "it");
    }
    json_decref(d.o);
    return 0;
}

int plugin_describe(struct plugin_file *file, const char *path, json_t **ret, struct error *err)
{
    const lethe_entry *e = plugin_entry(file);
    json_t *all = json_array();
    int rc = all ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < e->n_plugins; i++)
        rc = describe_one(e->plugins[i], path, all, err);
    if (rc < 0) {
        json_decref(all);
        return rc;
    }
    *ret = all;
    return 0;
}
