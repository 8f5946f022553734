/* The emit table: what metrics and audits report, checked as it comes. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clean_text.h"
#include "host_internal.h"

/* A refused emission stays refused, also when the plugin passes over it: the first is kept. */
__attribute__((format(printf, 2, 3))) static lethe_status refuse(struct host_ctx *c,
                                                                 const char *format, ...)
{
    struct error *first = &c->host->emit->refusal;
    char text[sizeof(first->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (first->code == 0)
        error_set(first, ERR_OUTPUT, "%s", text);
    return host_fail(c, ERR_OUTPUT, "%s", text);
}

static const lethe_output *find_output(struct host_ctx *c, uint32_t index, uint32_t shape)
{
    const struct host_emit *e = c->host->emit;
    if (index >= e->n) {
        refuse(c, "emit: output %u of the %u that are declared", index, e->n);
        return NULL;
    }
    const lethe_output *o = plugin_item(e->outputs, e->stride, index);
    if (o->shape != shape)
        refuse(c, "emit: %s is declared as a %s", o->name,
               o->shape == LETHE_SHAPE_CURVE ? "curve" : "scalar");
    else if (e->given[index])
        refuse(c, "emit: %s was emitted before", o->name);
    else
        return o;
    return NULL;
}

/* Rounding may carry a mean a little over its bound. */
static bool in_range(const lethe_output *o, double v)
{
    double slack = 1e-9 * fmax(1, fabs(v));
    return v >= o->lo - slack && v <= o->hi + slack;
}

static lethe_status check_scalar(struct host_ctx *c, const lethe_output *o, double v,
                                 const char *note)
{
    if (isinf(v))
        return refuse(c, "emit: %s is infinite", o->name);
    if (isnan(v) && (!note || !*note))
        return refuse(c, "emit: %s is NaN without a note that says why", o->name);
    if (!isnan(v) && !in_range(o, v))
        return refuse(c, "emit: %s is %.9g, outside its range %g to %g", o->name, v, o->lo, o->hi);
    return LETHE_OK;
}

static json_t *part(struct host_ctx *c, const char *name)
{
    return json_object_get(c->host->emit->result, name);
}

static lethe_status emit_scalar(lethe_ctx *ctx, uint32_t index, double value, const char *note)
{
    struct host_ctx *c = host_ctx_of(ctx);
    char text[512];
    const lethe_output *o = find_output(c, index, LETHE_SHAPE_SCALAR);
    if (!o)
        return LETHE_E_INTERNAL;
    lethe_status status = check_scalar(c, o, value, note);
    if (status < 0)
        return status;
    if (json_object_set_new(part(c, "values"), o->name, json_number_or_null(value)) != 0)
        return host_nomem(c);
    if (note && clean_text(note, strlen(note), text, sizeof(text)) > 0 &&
        json_object_set_new(part(c, "notes"), o->name, json_string(text)) != 0)
        return host_nomem(c);
    c->host->emit->given[index] = true;
    return LETHE_OK;
}

/* NULL when a number is not finite, or memory ran out. */
static json_t *number_list(const double *v, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < n; i++)
        if (!isfinite(v[i]) || json_array_append_new(list, json_real(v[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static lethe_status emit_curve(lethe_ctx *ctx, uint32_t index, const double *x, const double *y,
                               uint32_t n)
{
    struct host_ctx *c = host_ctx_of(ctx);
    const lethe_output *o = find_output(c, index, LETHE_SHAPE_CURVE);
    if (!o)
        return LETHE_E_INTERNAL;
    json_t *xs = number_list(x, n), *ys = number_list(y, n);
    if (!xs || !ys) {
        json_decref(xs);
        json_decref(ys);
        return refuse(c, "emit: curve %s holds NaN or infinite numbers", o->name);
    }
    if (json_object_set_new(part(c, "curves"), o->name, json_pack("{s:o,s:o}", "x", xs, "y", ys)) !=
        0)
        return host_nomem(c);
    c->host->emit->given[index] = true;
    return LETHE_OK;
}

const lethe_emit_api host_emit_table = {
    .struct_size = sizeof(lethe_emit_api),
    .scalar = emit_scalar,
    .curve = emit_curve,
};
