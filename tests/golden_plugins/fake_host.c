#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct fake_block {
    struct fake_block *next;
    void *bytes;
};

struct fake_host *fake_of(lethe_ctx *ctx)
{
    return (struct fake_host *)ctx;
}

lethe_status fake_call(lethe_ctx *ctx)
{
    struct fake_host *f = fake_of(ctx);
    return f->calls++ == f->fail_at ? f->fail_code : LETHE_OK;
}

/* ---- core ---- */

static void core_log(lethe_ctx *ctx, int32_t level, const char *text)
{
    snprintf(fake_of(ctx)->log, sizeof fake_of(ctx)->log, "%s", text);
}

static lethe_status core_fail(lethe_ctx *ctx, lethe_status code, const char *text)
{
    struct fake_host *f = fake_of(ctx);
    assert_true(code < 0);
    assert_non_null(text);
    snprintf(f->failure, sizeof f->failure, "%s", text);
    f->code = code;
    return code;
}

static lethe_status core_progress(lethe_ctx *ctx, double fraction, const char *what)
{
    assert_true(fraction >= 0 && fraction <= 1);
    assert_non_null(what);
    fake_of(ctx)->fraction = fraction;
    return fake_call(ctx);
}

static int32_t core_cancelled(lethe_ctx *ctx)
{
    return 0;
}

static void *core_alloc(lethe_ctx *ctx, size_t bytes)
{
    struct fake_host *f = fake_of(ctx);
    struct fake_block *block;
    if (fake_call(ctx) < 0 || !(block = malloc(sizeof *block)))
        return NULL;
    if (!(block->bytes = aligned_alloc(64, (bytes + 64) / 64 * 64))) {
        free(block);
        return NULL;
    }
    memset(block->bytes, 0, bytes);
    block->next = f->blocks;
    f->blocks = block;
    return block->bytes;
}

/* ---- rng: splitmix64, one word of state ---- */

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static lethe_status rng_of(lethe_ctx *ctx, const char *name, uint64_t index, lethe_rng *out)
{
    uint64_t state = fake_of(ctx)->seed;
    for (const char *c = name; *c; c++)
        state = mix(&state) ^ (unsigned char)*c;
    state = mix(&state) ^ index;
    memset(out, 0, sizeof *out);
    out->s[0] = mix(&state);
    return LETHE_OK;
}

static void rng_uniform(lethe_ctx *ctx, lethe_rng *r, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(mix(&r->s[0]) >> 40) * 0x1p-24f;
}

static void rng_normal(lethe_ctx *ctx, lethe_rng *r, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double u = ((double)(mix(&r->s[0]) >> 11) + 1) * 0x1p-53;
        double v = (double)(mix(&r->s[0]) >> 11) * 0x1p-53;
        out[i] = (float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
    }
}

static uint32_t rng_below(lethe_ctx *ctx, lethe_rng *r, uint32_t n)
{
    uint64_t limit = UINT64_MAX / n * n, x;
    do
        x = mix(&r->s[0]);
    while (x >= limit);
    return (uint32_t)(x % n);
}

static void rng_permute(lethe_ctx *ctx, lethe_rng *r, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = rng_below(ctx, r, i + 1);
        out[i] = out[j];
        out[j] = i;
    }
}

/* ---- par: one thread ---- */

static uint32_t par_n_threads(lethe_ctx *ctx)
{
    return 1;
}

static lethe_status par_range(lethe_ctx *ctx, uint64_t n, uint64_t grain,
                              void (*fn)(void *, uint64_t, uint64_t), void *arg)
{
    for (uint64_t i = 0; i < n; i += grain)
        fn(arg, i, i + grain < n ? i + grain : n);
    return LETHE_OK;
}

/* ---- life and parameters ---- */

void fake_init(struct fake_host *f, const lethe_entry *entry)
{
    memset(f, 0, sizeof *f);
    assert_int_equal(entry->magic, LETHE_MAGIC);
    assert_int_equal(entry->n_plugins, 1);
    f->plugin = entry->plugins[0];
    assert_true(f->plugin->n_params <= FAKE_MAX_PARAMS);
    for (uint32_t p = 0; p < f->plugin->n_params; p++)
        f->param[p] = f->plugin->params[p].def;
    f->core = (lethe_core_api){sizeof f->core, 0,         core_log, core_fail, core_progress,
                               core_cancelled, core_alloc};
    f->rng =
        (lethe_rng_api){sizeof f->rng, 0, rng_of, rng_uniform, rng_normal, rng_below, rng_permute};
    f->par = (lethe_par_api){sizeof f->par, 0, par_n_threads, par_range};
    f->host.struct_size = sizeof f->host;
    f->host.abi_minor = LETHE_ABI_MINOR;
    f->host.name = "fake";
    f->host.version = "0";
    f->host.core = &f->core;
    f->host.rng = &f->rng;
    f->host.par = &f->par;
    f->ctx.host = &f->host;
    f->ctx.param = f->param;
    f->fail_at = -1;
    f->fail_code = LETHE_E_CANCELLED;
    f->seed = 1;
}

void fake_release(struct fake_host *f)
{
    while (f->blocks) {
        struct fake_block *next = f->blocks->next;
        free(f->blocks->bytes);
        free(f->blocks);
        f->blocks = next;
    }
}

static uint32_t param_index(const struct fake_host *f, const char *name, uint32_t type,
                            uint32_t or_type)
{
    for (uint32_t p = 0; p < f->plugin->n_params; p++) {
        const lethe_param *q = &f->plugin->params[p];
        if (strcmp(q->name, name) == 0 && (q->type == type || q->type == or_type))
            return p;
    }
    fail_msg("%s has no parameter %s of that type", f->plugin->info->id, name);
    return 0;
}

void fake_real(struct fake_host *f, const char *name, double value)
{
    f->param[param_index(f, name, LETHE_PARAM_REAL, LETHE_PARAM_REAL)].r = value;
}

void fake_int(struct fake_host *f, const char *name, int64_t value)
{
    f->param[param_index(f, name, LETHE_PARAM_INT, LETHE_PARAM_BOOL)].i = value;
}

void fake_choice(struct fake_host *f, const char *name, const char *value)
{
    uint32_t p = param_index(f, name, LETHE_PARAM_CHOICE, LETHE_PARAM_CHOICE);
    const char *const *choice = f->plugin->params[p].choices;
    for (int64_t i = 0; choice[i]; i++)
        if (strcmp(choice[i], value) == 0) {
            f->param[p].i = i;
            return;
        }
    fail_msg("%s: %s is no choice of %s", f->plugin->info->id, value, name);
}
