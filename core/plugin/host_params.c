/* A plugin's parameters as it sees them: one value per entry of its table, in its order. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

static lethe_value value_of(const struct param_spec *spec, const struct param_value *v)
{
    lethe_value out = {0};
    if (spec->type == PARAM_REAL)
        out.r = v->r;
    else if (spec->type == PARAM_STRING)
        out.s = v->s;
    else
        out.i = v->i;
    return out;
}

static const lethe_param *param_at(const lethe_plugin *p, uint32_t i)
{
    return plugin_item(p->params, p->param_stride, i);
}

/* Every parameter must be there: the parent has filled in the defaults. */
int host_params_from_json(const lethe_plugin *p, const json_t *params, lethe_value **ret,
                          struct error *err)
{
    lethe_value *values = calloc(p->n_params + 1u, sizeof(*values));
    if (!values)
        return error_nomem(err);
    for (uint32_t i = 0; i < p->n_params; i++) {
        struct param_spec spec;
        struct param_value v;
        plugin_param_spec(param_at(p, i), &spec);
        if (param_from_json(&spec, json_object_get(params, spec.name), &v, err) < 0) {
            free(values);
            return error_prefix(err, "%s.%s", p->info->id, spec.name);
        }
        values[i] = value_of(&spec, &v);
    }
    *ret = values;
    return 0;
}

static json_t *defaults_of(const lethe_plugin *p)
{
    json_t *out = json_object();
    for (uint32_t i = 0; out && i < p->n_params; i++) {
        const lethe_param *param = param_at(p, i);
        struct param_spec spec;
        struct param_value v = {0, 0, NULL};
        plugin_param_spec(param, &spec);
        if (param->type == LETHE_PARAM_REAL)
            v.r = param->def.r;
        else if (param->type == LETHE_PARAM_STRING)
            v.s = param->def.s;
        else
            v.i = param->def.i;
        if (json_object_set_new(out, spec.name, param_to_json(&spec, &v)) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static int apply(const lethe_plugin *p, const char *setting, json_t *out, struct error *err)
{
    size_t n = strcspn(setting, "=");
    for (uint32_t i = 0; i < p->n_params; i++) {
        const lethe_param *param = param_at(p, i);
        struct param_spec spec;
        struct param_value v;
        if (strncmp(param->name, setting, n) != 0 || param->name[n] || setting[n] != '=')
            continue;
        plugin_param_spec(param, &spec);
        if (param_parse(&spec, setting + n + 1, &v, err) < 0)
            return error_prefix(err, "%s.%s", p->info->id, spec.name);
        return json_object_set_new(out, spec.name, param_to_json(&spec, &v)) == 0
                   ? 0
                   : error_nomem(err);
    }
    return error_set(err, ERR_INVALID, "%s: setting \"%s\" names none of its parameters",
                     p->info->id, setting);
}

int host_params_to_json(const lethe_plugin *p, const char *const *settings, json_t **ret,
                        struct error *err)
{
    json_t *out = defaults_of(p);
    int rc = out ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && settings && settings[i]; i++)
        rc = apply(p, settings[i], out, err);
    if (rc < 0) {
        json_decref(out);
        return rc;
    }
    *ret = out;
    return 0;
}
