/* SPDX-License-Identifier: MIT
 * basics.h: failures, logs, memory, parameters and presets. Included by
 * helpers.h; not ABI. */
#ifndef LETHE_BASICS_H
#define LETHE_BASICS_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "host.h"

#if defined(__GNUC__)
#define LETHE_PRINTF_(f, a) __attribute__((format(printf, f, a)))
#else
#define LETHE_PRINTF_(f, a)
#endif

#define LETHE_COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* Returns from the enclosing function when the call fails. */
#define LETHE_TRY(call)                                                                            \
    do {                                                                                           \
        lethe_status lethe_try_ = (call);                                                          \
        if (lethe_try_ < 0)                                                                        \
            return lethe_try_;                                                                     \
    } while (0)

/* The closing line of a file with one plugin: its kind, lethe_info, parameters
 * and how many, LETHE_CAP_* needed and used, and the table of the kind. */
#define LETHE_SINGLE(kind, info, params, n_params, needs, uses, iface)                             \
    static const lethe_plugin lethe_single_ = {                                                    \
        sizeof(lethe_plugin), (kind),  (info), (params), (n_params),                               \
        sizeof(lethe_param),  (needs), (uses), (iface),  NULL};                                    \
    static const lethe_plugin *const lethe_singles_[] = {&lethe_single_};                          \
    LETHE_ENTRY(lethe_singles_, 0)

/* ---- failures and logs ---- */

/* Records why the call fails and returns `code`: return lethe_failf(ctx, ...). */
LETHE_PRINTF_(3, 4)
static inline lethe_status lethe_failf(lethe_ctx *ctx, lethe_status code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return (ctx->host->core->fail)(ctx, code, text); /* cmocka has a macro fail() */
}

LETHE_PRINTF_(3, 4)
static inline void lethe_logf(lethe_ctx *ctx, int32_t level, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ctx->host->core->log(ctx, level, text);
}

/* E_CANCELLED, recorded, when the host wants an end: for long loops that have no progress to tell.
 */
static inline lethe_status lethe_check_cancelled(lethe_ctx *ctx)
{
    return ctx->host->core->cancelled(ctx) ? lethe_failf(ctx, LETHE_E_CANCELLED, "told to stop")
                                           : LETHE_OK;
}

/* Zeroed memory that ends with the call; NULL after recording a failure. */
static inline void *lethe_alloc(lethe_ctx *ctx, uint64_t count, size_t size)
{
    void *p = NULL;
    if (size == 0 || count <= (uint64_t)(SIZE_MAX / size))
        p = ctx->host->core->alloc(ctx, (size_t)count * size);
    if (!p)
        lethe_failf(ctx, LETHE_E_NOMEM, "out of memory: %llu x %llu bytes",
                    (unsigned long long)count, (unsigned long long)size);
    return p;
}

/* ---- parameters, by index in the plugin's table ---- */

static inline int64_t lethe_int(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].i;
}

static inline double lethe_real(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].r;
}

static inline int lethe_bool(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].i != 0;
}

/* Index into the parameter's choices. */
static inline uint32_t lethe_choice(const lethe_ctx *ctx, uint32_t index)
{
    return (uint32_t)ctx->param[index].i;
}

static inline const char *lethe_string(const lethe_ctx *ctx, uint32_t index)
{
    return ctx->param[index].s;
}

/* ---- presets ---- */

/* What preset `preset` (index into the choices of a parameter) makes of parameter `param`. */
typedef struct lethe_preset {
    uint32_t preset, param;
    lethe_value value;
} lethe_preset;

#define LETHE_PRESET_INT(preset_, param_, v)                                                       \
    {                                                                                              \
        (preset_), (param_),                                                                       \
        {                                                                                          \
            (v)                                                                                    \
        }                                                                                          \
    } /* BOOL, CHOICE too */
#define LETHE_PRESET_REAL(preset_, param_, v)                                                      \
    {                                                                                              \
        (preset_), (param_), LETHE_REAL_VALUE(v)                                                   \
    }

/* Puts the values of the chosen preset in the place of defaults: a parameter that was set to
 * another value keeps it. From then on ctx->param points to memory of this call. */
static inline lethe_status lethe_apply_preset(lethe_ctx *ctx, const lethe_param *params,
                                              uint32_t n_params, uint32_t chosen,
                                              const lethe_preset *table, uint32_t n)
{
    lethe_value *v = (lethe_value *)lethe_alloc(ctx, n_params + 1ull, sizeof *v);
    uint32_t preset = lethe_choice(ctx, chosen);
    if (!v)
        return LETHE_E_NOMEM;
    for (uint32_t p = 0; p < n_params; p++)
        v[p] = ctx->param[p];
    for (uint32_t i = 0; i < n; i++) {
        const lethe_param *p = &params[table[i].param];
        lethe_value *now = &v[table[i].param];
        int is_default = p->type == LETHE_PARAM_STRING ? strcmp(now->s, p->def.s) == 0
                                                       : memcmp(now, &p->def, sizeof *now) == 0;
        if (table[i].preset == preset && is_default)
            *now = table[i].value;
    }
    ctx->param = v;
    return LETHE_OK;
}

#endif
