/* Values of parameters: defaults, bounds, random ones; and the case most tests start from. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform_internal.h"
#include "fs.h"
#include "host_internal.h"
#include "text.h"

const lethe_param *conform_param(const struct conform *t, uint32_t i)
{
    return plugin_item(t->plugin->params, t->plugin->param_stride, i);
}

static json_t *number_value(const lethe_param *p, int64_t i, double r)
{
    return p->type == LETHE_PARAM_REAL ? json_real(r) : json_integer((json_int_t)i);
}

static json_t *choice_value(const lethe_param *p, int64_t i)
{
    return p->type == LETHE_PARAM_BOOL ? json_boolean(i) : json_string(p->choices[i]);
}

static int64_t n_choices(const lethe_param *p)
{
    int64_t n = 0;
    while (p->choices && p->choices[n])
        n++;
    return p->type == LETHE_PARAM_BOOL ? 2 : n;
}

/* ---- defaults ---- */

/* Values that keep a run short without taking anything out of it. */
static const struct {
    const char *name;
    int64_t most;
} quick_values[] = {{"epochs", 3}, {"batch", 8}, {"steps", 10}, {"attack_steps", 10}};

static void make_quick(const struct conform *t, json_t *params)
{
    for (uint32_t i = 0; i < t->plugin->n_params; i++) {
        const lethe_param *p = conform_param(t, i);
        for (size_t k = 0; k < sizeof(quick_values) / sizeof(quick_values[0]); k++) {
            int64_t most = quick_values[k].most;
            if (p->type == LETHE_PARAM_INT && strcmp(p->name, quick_values[k].name) == 0 &&
                p->def.i > most && p->min.i <= most)
                json_object_set_new(params, p->name, json_integer(most));
        }
    }
}

int conform_defaults(const struct conform *t, bool quick, json_t **ret, struct error *err)
{
    TRY(host_params_to_json(t->plugin, NULL, ret, err));
    if (quick)
        make_quick(t, *ret);
    return 0;
}

/* ---- values worth trying ---- */

json_t *conform_corners(const struct conform *t, uint32_t i)
{
    const lethe_param *p = conform_param(t, i);
    json_t *out = json_array();
    if (p->type == LETHE_PARAM_INT || p->type == LETHE_PARAM_REAL) {
        json_array_append_new(out, number_value(p, p->min.i, p->min.r));
        json_array_append_new(out, number_value(p, p->max.i, p->max.r));
    } else if (p->type == LETHE_PARAM_STRING) {
        json_array_append_new(out, json_string(""));
        json_array_append_new(out, json_string("no such thing"));
    }
    for (int64_t k = 0; k < n_choices(p); k++)
        json_array_append_new(out, choice_value(p, k));
    return out;
}

/* Half of the values lie within a factor of ten of the default, the others anywhere. */
static double random_real(double def, double lo, double hi, struct rng *rng)
{
    double u = rng_uniform_double(rng), v;
    if (rng_below(rng, 2) && def != 0)
        v = def * pow(10, 2 * u - 1);
    else if (lo >= 0 && hi > 0 && isfinite(hi))
        v = hi * pow(10, -9 * u);
    else
        v = isfinite(lo) && isfinite(hi) ? lo + u * (hi - lo) : (u - 0.5) * 20;
    return v < lo ? lo : v > hi ? hi : v;
}

json_t *conform_random_value(const struct conform *t, uint32_t i, struct rng *rng)
{
    const lethe_param *p = conform_param(t, i);
    int64_t n = n_choices(p);
    if (p->type == LETHE_PARAM_STRING)
        return json_string(p->def.s);
    if (n > 0)
        return choice_value(p, rng_below(rng, (uint32_t)n));
    if (rng_below(rng, 8) == 0)
        return rng_below(rng, 2) ? number_value(p, p->min.i, p->min.r)
                                 : number_value(p, p->max.i, p->max.r);
    if (p->type == LETHE_PARAM_REAL)
        return json_real(random_real(p->def.r, p->min.r, p->max.r, rng));
    double v = random_real((double)p->def.i, (double)p->min.i, (double)p->max.i, rng);
    return json_integer(v >= (double)p->max.i ? (json_int_t)p->max.i : (json_int_t)llround(v));
}

bool conform_accepts(const struct conform *t, uint32_t i, const json_t *value)
{
    struct param_spec spec;
    struct param_value v;
    struct error ignored = ERROR_INIT;
    plugin_param_spec(conform_param(t, i), &spec);
    return param_from_json(&spec, value, &v, &ignored) == 0;
}

void conform_setting(const struct conform *t, uint32_t i, const json_t *value, char ret[96])
{
    char number[32] = "";
    const char *text = json_is_string(value) ? json_string_value(value) : number;
    if (json_is_boolean(value))
        text = json_is_true(value) ? "true" : "false";
    else if (json_is_integer(value))
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        text_from_double(json_real_value(value), number);
    snprintf(ret, 96, "%.40s=%.40s", conform_param(t, i)->name, text);
}

/* ---- sentences ---- */

int conform_say(struct conform *t, enum conform_outcome outcome, const char *format, ...)
{
    va_list args;
    if (outcome < t->outcome || (t->outcome == outcome && *t->text))
        return 0; /* the worst, and of those the first */
    va_start(args, format);
    vsnprintf(t->text, sizeof(t->text), format, args);
    va_end(args);
    t->outcome = outcome;
    return 0;
}

bool conform_clean(struct conform *t, const struct conform_answer *a, const char *what)
{
    static const char mute[] = "the plugin gave no reason";
    if (a->rc == 0)
        return true;
    if (a->rc == ERR_OUTPUT)
        conform_say(t, CONFORM_FAIL,
                    "%s: expected a sound answer or a refusal with a sentence, "
                    "the host found: %s",
                    what, a->why.text);
    else if (a->rc == ERR_INTERNAL)
        conform_say(t, CONFORM_FAIL, "%s: expected success or a refusal, found a bug: %s", what,
                    a->why.text);
    else if (strstr(a->why.text, mute))
        conform_say(t, CONFORM_WARN, "%s: it refuses without saying why (%s); call core->fail",
                    what, a->why.text);
    return a->rc != ERR_OUTPUT && a->rc != ERR_INTERNAL;
}

/* ---- the usual case ---- */

/* Methods that forget nothing but classes are given classes. */
static struct world_spec suited(const struct conform *t, const struct world_spec *spec)
{
    const lethe_unlearner *u = t->plugin->iface;
    struct world_spec s = *spec;
    if (t->plugin->kind == LETHE_KIND_UNLEARNER && !(u->scenarios & LETHE_SCENARIO_RANDOM)) {
        s.forget = WORLD_CLASS;
        s.one_class = false;
    }
    return s;
}

int conform_world(const struct conform *t, const struct world_spec *spec, struct world *ret,
                  struct error *err)
{
    const struct world_spec own = suited(t, spec);
    const lethe_metric *m = t->plugin->iface;
    const lethe_audit *a = t->plugin->iface;
    uint32_t kind = t->plugin->kind, targets = 1, oracles = 3;
    if (kind == LETHE_KIND_METRIC && m->scope == LETHE_SCOPE_GROUP)
        targets = oracles = m->min_models > 2 ? m->min_models : 2;
    if (kind == LETHE_KIND_AUDIT && a->min_references > oracles)
        oracles = a->min_references;
    TRY(world_make(&own, ret, err));
    if (kind == LETHE_KIND_UNLEARNER || kind == LETHE_KIND_EXAMPLE_ATTACK)
        return 0;
    int rc = kind == LETHE_KIND_MEMBERSHIP_ATTACK
                 ? world_make_shadows(ret, err)
                 : world_make_unlearned(ret, targets, oracles, err);
    if (rc < 0)
        world_release(ret);
    return rc;
}

int conform_usual_open(struct conform *t, struct conform_usual *ret, struct error *err)
{
    struct conform_usual *u = ret;
    *u = (struct conform_usual){.c = {.seed = t->seed}};
    TRY(conform_defaults(t, true, &u->params, err));
    int rc = conform_world(t, &world_usual, &u->world, err);
    u->c.world = &u->world;
    u->c.params = u->params;
    if (rc < 0)
        json_decref(u->params);
    return rc;
}

void conform_usual_close(struct conform_usual *u)
{
    world_release(&u->world);
    json_decref(u->params);
}

int conform_usual_call(struct conform *t, struct conform_usual *u, struct conform_answer *ret,
                       struct error *err)
{
    TRY(conform_call(t, &u->c, ret, err));
    if (ret->rc == 0)
        return 0;
    conform_say(t, CONFORM_SKIP, "the usual case already fails (see the test defaults): %s",
                ret->why.text);
    conform_answer_release(ret);
    return 1;
}
