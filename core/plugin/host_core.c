/* The tables core, rng and par. */
#include <math.h>
#include <string.h>

#include "clean_text.h"
#include "host_internal.h"
#include "log.h"

/* ---- core ---- */

static void core_log(lethe_ctx *ctx, int32_t level, const char *text)
{
    const struct host_ctx *c = host_ctx_of(ctx);
    char line[1024];
    clean_text(text ? text : "", text ? strlen(text) : 0, line, sizeof(line));
    int shown = level < LETHE_LOG_ERROR ? LOG_ERROR : level > LETHE_LOG_DEBUG ? LOG_DEBUG : level;
    log_msg((enum log_level)shown, "%s: %s", c->host->id, line);
}

static lethe_status core_fail(lethe_ctx *ctx, lethe_status code, const char *text)
{
    struct host_ctx *c = host_ctx_of(ctx);
    bool known = code < 0 && code > LETHE_STATUS_LAST_;
    return host_fail(c, known ? code : ERR_INTERNAL, "%s", text ? text : "");
}

static int32_t core_cancelled(lethe_ctx *ctx)
{
    host_ctx_of(ctx);
    return host_cancelled();
}

lethe_status host_progress(struct host_ctx *c, double fraction, const char *what)
{
    double part = fraction > 0 ? fmin(fraction, 1) : 0;
    if (c->host->h->events && c->progress_hi > c->progress_lo)
        events_progress(c->host->h->events,
                        c->progress_lo + part * (c->progress_hi - c->progress_lo), what);
    if (host_cancelled())
        return host_fail(c, ERR_CANCELLED, "told to stop");
    return LETHE_OK;
}

static lethe_status core_progress(lethe_ctx *ctx, double fraction, const char *what)
{
    return host_progress(host_ctx_of(ctx), fraction, what);
}

static void *core_alloc(lethe_ctx *ctx, size_t bytes)
{
    return arena_alloc(host_ctx_of(ctx)->arena, bytes ? bytes : 1);
}

const lethe_core_api host_core_table = {
    .struct_size = sizeof(lethe_core_api),
    .log = core_log,
    .fail = core_fail,
    .progress = core_progress,
    .cancelled = core_cancelled,
    .alloc = core_alloc,
};

/* ---- rng ---- */

/* A stream in four words: key; counter with the count of unused numbers in its top bits (2^61
 * blocks are never reached); the current block. */
#define LEFT_SHIFT 61

static void rng_pack(const struct rng *r, lethe_rng *out)
{
    out->s[0] = r->key;
    out->s[1] = r->counter | (uint64_t)r->left << LEFT_SHIFT;
    out->s[2] = r->block[0] | (uint64_t)r->block[1] << 32;
    out->s[3] = r->block[2] | (uint64_t)r->block[3] << 32;
}

static void rng_unpack(const lethe_rng *in, struct rng *r)
{
    uint64_t left = in->s[1] >> LEFT_SHIFT;
    *r = (struct rng){.key = in->s[0],
                      .counter = in->s[1] & ((1ull << LEFT_SHIFT) - 1),
                      .block = {(uint32_t)in->s[2], (uint32_t)(in->s[2] >> 32), (uint32_t)in->s[3],
                                (uint32_t)(in->s[3] >> 32)},
                      .left = left <= 4 ? (uint32_t)left : 0};
}

static lethe_status rng_open(lethe_ctx *ctx, const char *name, uint64_t index, lethe_rng *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct rng r;
    if (host_stream(c->host, name ? name : "", index, &r) < 0)
        return LETHE_E_INVALID; /* any thread may be here: no text can be recorded */
    rng_pack(&r, out);
    return LETHE_OK;
}

static void rng_uniforms(lethe_ctx *ctx, lethe_rng *rng, float *out, size_t n)
{
    struct rng r;
    host_ctx_of(ctx);
    rng_unpack(rng, &r);
    rng_fill_uniform(&r, out, n);
    rng_pack(&r, rng);
}

static void rng_normals(lethe_ctx *ctx, lethe_rng *rng, float *out, size_t n)
{
    struct rng r;
    host_ctx_of(ctx);
    rng_unpack(rng, &r);
    rng_fill_normal(&r, out, n);
    rng_pack(&r, rng);
}

static uint32_t rng_number_below(lethe_ctx *ctx, lethe_rng *rng, uint32_t n)
{
    struct rng r;
    host_ctx_of(ctx);
    if (n == 0)
        return 0;
    rng_unpack(rng, &r);
    uint32_t v = rng_below(&r, n);
    rng_pack(&r, rng);
    return v;
}

static void rng_permutation(lethe_ctx *ctx, lethe_rng *rng, uint32_t *out, uint32_t n)
{
    struct rng r;
    host_ctx_of(ctx);
    rng_unpack(rng, &r);
    rng_permute(&r, out, n);
    rng_pack(&r, rng);
}

const lethe_rng_api host_rng_table = {
    .struct_size = sizeof(lethe_rng_api),
    .stream = rng_open,
    .uniform = rng_uniforms,
    .normal = rng_normals,
    .below = rng_number_below,
    .permute = rng_permutation,
};

/* ---- par ---- */

static uint32_t par_count(lethe_ctx *ctx)
{
    return par_threads(host_ctx_of(ctx)->host->h->par);
}

struct range {
    uint64_t n, grain;
    void (*fn)(void *arg, uint64_t begin, uint64_t end);
    void *arg;
};

static void run_piece(void *arg, size_t item, unsigned worker)
{
    const struct range *r = arg;
    uint64_t begin = (uint64_t)item * r->grain;
    uint64_t end = r->n - begin < r->grain ? r->n : begin + r->grain;
    r->fn(r->arg, begin, end);
}

static lethe_status par_range(lethe_ctx *ctx, uint64_t n, uint64_t grain,
                              void (*fn)(void *, uint64_t, uint64_t), void *arg)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct range r = {n, grain, fn, arg};
    if (grain == 0 || !fn)
        return host_fail(c, ERR_INVALID, "par->range needs a function and a grain of at least 1");
    par_run(c->host->h->par, (size_t)(n / grain + (n % grain != 0)), run_piece, &r);
    return LETHE_OK;
}

const lethe_par_api host_par_table = {
    .struct_size = sizeof(lethe_par_api),
    .n_threads = par_count,
    .range = par_range,
};
