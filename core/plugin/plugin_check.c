/* What a plugin declares, checked before any of its code runs. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "plugin_file.h"
#include "text.h"

static int refuse(struct error *err, const char *what, const char *cure)
{
    return error_set(err, ERR_INVALID, "%s; %s", what, cure);
}

static int check_size(const char *type, uint32_t size, uint32_t least, struct error *err)
{
    if (size >= least)
        return 0;
    return error_set(err, ERR_INVALID,
                     "%s has struct_size %u, ABI %u.%u needs %u; set it with sizeof and build with "
                     "this Lethe's headers",
                     type, size, LETHE_ABI_MAJOR, LETHE_ABI_MINOR, least);
}

/* An array of n items of `least` bytes or more. */
static int check_array(const char *what, const void *array, uint32_t n, uint32_t stride,
                       uint32_t least, struct error *err)
{
    if (n > 0 && !array)
        return error_set(err, ERR_INVALID, "%s: %u are declared, but the array is NULL", what, n);
    if (n > 0 && stride < least)
        return error_set(err, ERR_INVALID,
                         "%s: items are %u bytes apart, ABI %u.%u needs %u; set the stride with "
                         "sizeof",
                         what, stride, LETHE_ABI_MAJOR, LETHE_ABI_MINOR, least);
    return 0;
}

static bool is_utf8(const char *s)
{
    json_t *text = json_string(s);
    json_decref(text);
    return text != NULL;
}

static int check_info(const lethe_info *info, struct error *err)
{
    const struct {
        const char *name, *value;
        bool required;
    } texts[] = {{"name", info->name, true},       {"short_name", info->short_name, false},
                 {"version", info->version, true}, {"author", info->author, false},
                 {"license", info->license, true}, {"summary", info->summary, true},
                 {"doc", info->doc, false},        {"citation", info->citation, false},
                 {"url", info->url, false}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *why = !texts[i].value                         ? "is NULL"
                          : texts[i].required && !*texts[i].value ? "is empty"
                          : !is_utf8(texts[i].value)              ? "is not valid UTF-8"
                                                                  : NULL;
        if (why)
            return error_set(err, ERR_INVALID, "info.%s %s", texts[i].name, why);
    }
    return 0;
}

/* ---- parameters ---- */

void plugin_param_spec(const lethe_param *p, struct param_spec *ret)
{
    *ret = (struct param_spec){.name = p->name,
                               .type = (enum param_type)p->type,
                               .min_i = p->min.i,
                               .max_i = p->max.i,
                               .choices = p->choices};
    if (p->type == LETHE_PARAM_REAL) {
        ret->min_r = p->min.r;
        ret->max_r = p->max.r;
    }
}

static int check_default(const lethe_param *p, struct error *err)
{
    int64_t n_choices = 0;
    while (p->type == LETHE_PARAM_CHOICE && p->choices && p->choices[n_choices])
        n_choices++;
    switch (p->type) {
    case LETHE_PARAM_BOOL:
        return p->def.i == 0 || p->def.i == 1 ? 0
                                              : refuse(err, "its default is not 0 or 1", "fix it");
    case LETHE_PARAM_INT:
        return p->def.i >= p->min.i && p->def.i <= p->max.i
                   ? 0
                   : error_set(err, ERR_INVALID,
                               "its default %" PRId64 " lies outside its bounds %" PRId64
                               " to %" PRId64,
                               p->def.i, p->min.i, p->max.i);
    case LETHE_PARAM_REAL:
        return isfinite(p->def.r) && p->def.r >= p->min.r && p->def.r <= p->max.r
                   ? 0
                   : error_set(err, ERR_INVALID, "its default %g lies outside its bounds %g to %g",
                               p->def.r, p->min.r, p->max.r);
    case LETHE_PARAM_CHOICE:
        return p->def.i >= 0 && p->def.i < n_choices
                   ? 0
                   : refuse(err, "its default is none of its choices", "list them, NULL-ended");
    case LETHE_PARAM_STRING:
        return p->def.s ? 0 : refuse(err, "its default is NULL", "\"\" stands for nothing");
    default:
        return error_set(err, ERR_INVALID, "type %u is unknown to ABI %u.%u", p->type,
                         LETHE_ABI_MAJOR, LETHE_ABI_MINOR);
    }
}

static int check_param(const lethe_plugin *plugin, uint32_t i, struct error *err)
{
    const lethe_param *p = plugin_item(plugin->params, plugin->param_stride, i);
    TRY(check_size("it", p->struct_size, SIZE_1_0_PARAM, err));
    if (!p->name || !text_is_param_name(p->name))
        return refuse(err, "its name is no lower-case word", "names are [a-z][a-z0-9_]*");
    for (uint32_t k = 0; k < i; k++) {
        const lethe_param *other = plugin_item(plugin->params, plugin->param_stride, k);
        if (strcmp(other->name, p->name) == 0)
            return error_set(err, ERR_INVALID, "\"%s\" is declared twice", p->name);
    }
    if (!p->unit || !p->doc)
        return refuse(err, "unit or doc is NULL", "\"\" stands for nothing");
    return check_default(p, err);
}

static int check_params(const lethe_plugin *p, struct error *err)
{
    TRY(check_array("params", p->params, p->n_params, p->param_stride, SIZE_1_0_PARAM, err));
    for (uint32_t i = 0; i < p->n_params; i++)
        if (check_param(p, i, err) < 0) {
            const lethe_param *bad = plugin_item(p->params, p->param_stride, i);
            bool named = bad->struct_size >= SIZE_1_0_PARAM && bad->name;
            return error_prefix(err, "parameter %u%s%.40s%s", i + 1, named ? " (" : "",
                                named ? bad->name : "", named ? ")" : "");
        }
    return 0;
}

/* ---- the table of each kind ---- */

static int check_attack_use(const lethe_attack_use *use, struct error *err)
{
    TRY(check_size("lethe_attack_use", use->struct_size, SIZE_1_0_ATTACK_USE, err));
    if (!use->attack || !text_is_plugin_id(use->attack))
        return refuse(err, "an attack to use has no valid id", "name an example attack");
    for (size_t i = 0; use->settings && use->settings[i]; i++)
        if (!strchr(use->settings[i], '='))
            return error_set(err, ERR_INVALID, "setting \"%.60s\" of attack %.60s has no '='",
                             use->settings[i], use->attack);
    return 0;
}

static int check_unlearner(const void *iface, struct error *err)
{
    const lethe_unlearner *u = iface;
    TRY(check_size("lethe_unlearner", u->struct_size, SIZE_1_0_UNLEARNER, err));
    if (!u->run)
        return refuse(err, "lethe_unlearner.run is NULL", "it is required");
    if (!(u->scenarios & (LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS)))
        return refuse(err, "it serves no scenario", "set lethe_unlearner.scenarios");
    TRY(check_array("attacks", u->attacks, u->n_attacks, u->attack_stride, SIZE_1_0_ATTACK_USE,
                    err));
    for (uint32_t i = 0; i < u->n_attacks; i++)
        TRY(check_attack_use(plugin_item(u->attacks, u->attack_stride, i), err));
    return 0;
}

static int check_example(const void *iface, struct error *err)
{
    const lethe_example_attack *a = iface;
    TRY(check_size("lethe_example_attack", a->struct_size, SIZE_1_0_EXAMPLE, err));
    if (!a->perturb)
        return refuse(err, "lethe_example_attack.perturb is NULL", "it is required");
    if (a->norm != LETHE_NORM_L0 && a->norm != LETHE_NORM_L1 && a->norm != LETHE_NORM_L2 &&
        a->norm != LETHE_NORM_LINF)
        return error_set(err, ERR_INVALID, "norm %d is none of LETHE_NORM_*", a->norm);
    return 0;
}

static int check_member(const void *iface, struct error *err)
{
    const lethe_membership_attack *a = iface;
    TRY(check_size("lethe_membership_attack", a->struct_size, SIZE_1_0_MEMBER, err));
    if (!a->score)
        return refuse(err, "lethe_membership_attack.score is NULL", "it is required");
    if (a->n_scores == 0)
        return refuse(err, "it declares no score", "one named \"\" is enough");
    TRY(check_array("scores", a->scores, a->n_scores, a->score_stride, SIZE_1_0_SCORE, err));
    for (uint32_t i = 0; i < a->n_scores; i++) {
        const lethe_score *s = plugin_item(a->scores, a->score_stride, i);
        TRY(check_size("lethe_score", s->struct_size, SIZE_1_0_SCORE, err));
        if (!s->name || !s->doc || (*s->name ? !text_is_param_name(s->name) : a->n_scores > 1))
            return error_set(err, ERR_INVALID,
                             "score %u has no name; names are [a-z][a-z0-9_]*, \"\" for a single "
                             "one",
                             i + 1);
    }
    return 0;
}

static int check_output(const lethe_output *o, struct error *err)
{
    TRY(check_size("lethe_output", o->struct_size, SIZE_1_0_OUTPUT, err));
    if (!o->name || !text_is_param_name(o->name))
        return refuse(err, "its name is no lower-case word", "names are [a-z][a-z0-9_]*");
    if (!o->unit || !o->doc || !o->x_name)
        return refuse(err, "unit, doc or x_name is NULL", "\"\" stands for nothing");
    if (o->shape != LETHE_SHAPE_SCALAR && o->shape != LETHE_SHAPE_CURVE)
        return error_set(err, ERR_INVALID, "shape %u is none of LETHE_SHAPE_*", o->shape);
    if (!(o->lo <= o->hi))
        return error_set(err, ERR_INVALID, "its range %g to %g is empty", o->lo, o->hi);
    return 0;
}

static int check_outputs(const void *outputs, uint32_t n, uint32_t stride, struct error *err)
{
    if (n == 0)
        return refuse(err, "it declares no outputs", "list what it emits");
    TRY(check_array("outputs", outputs, n, stride, SIZE_1_0_OUTPUT, err));
    for (uint32_t i = 0; i < n; i++) {
        const lethe_output *o = plugin_item(outputs, stride, i);
        if (check_output(o, err) < 0)
            return error_prefix(err, "output %u", i + 1);
        for (uint32_t k = 0; k < i; k++) {
            const lethe_output *other = plugin_item(outputs, stride, k);
            if (strcmp(other->name, o->name) == 0)
                return error_set(err, ERR_INVALID, "output \"%s\" is declared twice", o->name);
        }
    }
    return 0;
}

static int check_audit(const void *iface, struct error *err)
{
    const lethe_audit *a = iface;
    TRY(check_size("lethe_audit", a->struct_size, SIZE_1_0_AUDIT, err));
    if (!a->evaluate)
        return refuse(err, "lethe_audit.evaluate is NULL", "it is required");
    return check_outputs(a->outputs, a->n_outputs, a->output_stride, err);
}

static int check_metric(const void *iface, struct error *err)
{
    const lethe_metric *m = iface;
    TRY(check_size("lethe_metric", m->struct_size, SIZE_1_0_METRIC, err));
    if (!m->evaluate)
        return refuse(err, "lethe_metric.evaluate is NULL", "it is required");
    if (m->scope != LETHE_SCOPE_RUN && m->scope != LETHE_SCOPE_GROUP)
        return error_set(err, ERR_INVALID, "scope %u is none of LETHE_SCOPE_*", m->scope);
    return check_outputs(m->outputs, m->n_outputs, m->output_stride, err);
}

static int (*const check_iface[])(const void *, struct error *) = {
    [LETHE_KIND_UNLEARNER] = check_unlearner,
    [LETHE_KIND_EXAMPLE_ATTACK] = check_example,
    [LETHE_KIND_MEMBERSHIP_ATTACK] = check_member,
    [LETHE_KIND_AUDIT] = check_audit,
    [LETHE_KIND_METRIC] = check_metric,
};

static int check_rest(const lethe_plugin *p, struct error *err)
{
    TRY(check_info(p->info, err));
    if (p->kind == 0 || p->kind >= sizeof(check_iface) / sizeof(check_iface[0]))
        return 0; /* of a newer Lethe: listed, never run */
    TRY(check_params(p, err));
    if (!p->iface)
        return refuse(err, "its table (iface) is NULL", "it is required");
    return check_iface[p->kind](p->iface, err);
}

int plugin_check(const lethe_plugin *p, struct error *err)
{
    TRY(check_size("lethe_plugin", p->struct_size, SIZE_1_0_PLUGIN, err));
    if (!p->info)
        return refuse(err, "a plugin has no info", "it is required");
    TRY(check_size("lethe_info", p->info->struct_size, SIZE_1_0_INFO, err));
    if (!p->info->id || !text_is_plugin_id(p->info->id))
        return refuse(err, "a plugin has no valid id",
                      "ids are [a-z0-9]+([.-][a-z0-9]+)*, e.g. org.lab.method");
    if (check_rest(p, err) < 0)
        return error_prefix(err, "plugin %s", p->info->id);
    return 0;
}
