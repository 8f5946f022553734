/* Wrappers of every function of every table: the trial is asked first, then the host. */
#include "trial.h"

#include <stdio.h>
#include <string.h>

#include "fs.h"
#include "host_internal.h"

static struct trial *trial_of(lethe_ctx *ctx)
{
    return host_ctx_of(ctx)->host->h->trial;
}

static void say_no(struct trial *t, const char *where)
{
    if (t->fired)
        return;
    t->fired = true;
    t->at_fire = t->calls;
    snprintf(t->where, sizeof(t->where), "%s", where);
}

static bool over_limit(struct trial *t)
{
    bool over = (t->max_calls > 0 && t->calls > t->max_calls) ||
                (t->deadline_ns > 0 && t->calls % 16 == 0 && fs_now_ns() > t->deadline_ns);
    t->cut_short |= over;
    return t->cut_short;
}

static lethe_status refuse(lethe_ctx *ctx, struct trial *t, lethe_status code, const char *where)
{
    struct host_ctx *c = host_ctx_of(ctx);
    say_no(t, where);
    t->heard += code != LETHE_E_IO;
    return code == LETHE_E_CANCELLED ? host_fail(c, code, "told to stop")
           : code == LETHE_E_BUDGET  ? host_fail(c, code, "the budget is spent")
                                     : host_fail(c, code, "%s failed, for a test", where);
}

/* How long a plugin goes on without asking whether it is to stop. */
static void count_asking(struct trial *t, bool asks)
{
    t->asked += asks;
    t->deaf = asks ? 0 : t->deaf + 1;
    t->longest = t->deaf > t->longest ? t->deaf : t->longest;
}

/* Before a call that can fail: LETHE_OK, or what it answers instead. */
static lethe_status gate(lethe_ctx *ctx, const char *where, bool asks)
{
    struct trial *t = trial_of(ctx);
    t->calls++;
    count_asking(t, asks);
    if (over_limit(t))
        return refuse(ctx, t, LETHE_E_CANCELLED, where);
    if (t->at == 0 || t->calls < t->at)
        return LETHE_OK;
    if (t->kind == TRIAL_CANCEL || (t->kind == TRIAL_ASKED && asks))
        return refuse(ctx, t, LETHE_E_CANCELLED, where);
    if (t->kind == TRIAL_BUDGET)
        return refuse(ctx, t, LETHE_E_BUDGET, where);
    if (t->kind == TRIAL_ONCE && t->calls == t->at)
        return refuse(ctx, t, asks ? LETHE_E_CANCELLED : LETHE_E_IO, where);
    return LETHE_OK;
}

/* ---- core ---- */

static lethe_status gated_core_progress(lethe_ctx *ctx, double fraction, const char *what)
{
    lethe_status status = gate(ctx, "core->progress", true);
    return status < 0 ? status : trial_of(ctx)->real.core->progress(ctx, fraction, what);
}

static int32_t gated_core_cancelled(lethe_ctx *ctx)
{
    struct trial *t = trial_of(ctx);
    bool now = t->at > 0 && t->calls >= t->at;
    count_asking(t, true);
    if (now && t->kind == TRIAL_ASKED)
        say_no(t, "core->cancelled");
    return t->cut_short || ((t->kind == TRIAL_CANCEL || t->kind == TRIAL_ASKED) && now) ||
           t->real.core->cancelled(ctx);
}

static void *gated_core_alloc(lethe_ctx *ctx, size_t bytes)
{
    struct trial *t = trial_of(ctx);
    t->allocs++;
    if (t->kind == TRIAL_NOMEM && t->allocs == t->at) {
        say_no(t, "core->alloc");
        return NULL;
    }
    return t->real.core->alloc(ctx, bytes);
}

/* ---- the rest: each function of the list is gated, and passed on ---- */

#define GATED(table, slot, params, args)                                                           \
    static lethe_status gated_##table##_##slot params                                              \
    {                                                                                              \
        lethe_status status = gate(ctx, #table "->" #slot, false);                                 \
        return status < 0 ? status : trial_of(ctx)->real.table->slot args;                         \
    }

#define M const lethe_model *m
#define V const lethe_view *v
#define OUT(type) type **out
GATED(data, batch, (lethe_ctx * ctx, V, const uint32_t *rows, uint32_t n, lethe_batch *out),
      (ctx, v, rows, n, out))
GATED(data, labels, (lethe_ctx * ctx, V, int32_t *out), (ctx, v, out))
GATED(data, subset, (lethe_ctx * ctx, V, const uint32_t *rows, uint32_t n, OUT(const lethe_view)),
      (ctx, v, rows, n, out))
GATED(data, concat,
      (lethe_ctx * ctx, const lethe_view *const *v, uint32_t n, OUT(const lethe_view)),
      (ctx, v, n, out))
GATED(data, relabel, (lethe_ctx * ctx, V, const int32_t *labels, OUT(const lethe_view)),
      (ctx, v, labels, out))
GATED(data, relabel_by, (lethe_ctx * ctx, V, lethe_relabel_fn fn, void *arg, OUT(const lethe_view)),
      (ctx, v, fn, arg, out))
GATED(data, arrays,
      (lethe_ctx * ctx, const float *x, const int32_t *y, uint32_t n, OUT(const lethe_view)),
      (ctx, x, y, n, out))
GATED(data, augment, (lethe_ctx * ctx, V, int32_t on, OUT(const lethe_view)), (ctx, v, on, out))
GATED(data, loader, (lethe_ctx * ctx, V, const lethe_loader_opts *opts, OUT(lethe_loader)),
      (ctx, v, opts, out))
GATED(data, next, (lethe_ctx * ctx, lethe_loader *loader, lethe_batch *out), (ctx, loader, out))
GATED(data, ids, (lethe_ctx * ctx, V, uint64_t *out), (ctx, v, out))

GATED(model, clone, (lethe_ctx * ctx, M, OUT(lethe_model)), (ctx, m, out))
GATED(model, fresh, (lethe_ctx * ctx, M, const char *name, OUT(lethe_model)), (ctx, m, name, out))
GATED(model, copy, (lethe_ctx * ctx, lethe_model *dst, M), (ctx, dst, m))
GATED(model, tensor, (lethe_ctx * ctx, lethe_model *m, uint32_t index, lethe_tensor *out),
      (ctx, m, index, out))
GATED(model, layer, (lethe_ctx * ctx, M, uint32_t index, lethe_layer *out), (ctx, m, index, out))
GATED(model, forward, (lethe_ctx * ctx, M, const lethe_batch *batch, int32_t mode, float *logits),
      (ctx, m, batch, mode, logits))
GATED(model, backward, (lethe_ctx * ctx, lethe_model *m, const float *dlogits, float *dx),
      (ctx, m, dlogits, dx))
GATED(model, input_gradient, (lethe_ctx * ctx, M, const float *dlogits, float *dx),
      (ctx, m, dlogits, dx))
GATED(model, zero_grad, (lethe_ctx * ctx, lethe_model *m), (ctx, m))
GATED(model, predict, (lethe_ctx * ctx, M, V, float *logits), (ctx, m, v, logits))
GATED(model, expand, (lethe_ctx * ctx, M, uint32_t extra, const char *name, OUT(lethe_model)),
      (ctx, m, extra, name, out))
GATED(model, prune, (lethe_ctx * ctx, lethe_model *dst, M), (ctx, dst, m))

#define LOGITS const float *logits
#define SIZES uint32_t n, uint32_t c, double *ret_loss, float *dlogits
GATED(loss, cross_entropy, (lethe_ctx * ctx, LOGITS, const int32_t *y, SIZES),
      (ctx, logits, y, n, c, ret_loss, dlogits))
GATED(loss, soft_cross_entropy, (lethe_ctx * ctx, LOGITS, const float *q, SIZES),
      (ctx, logits, q, n, c, ret_loss, dlogits))
GATED(loss, distill, (lethe_ctx * ctx, LOGITS, const float *teacher, double T, SIZES),
      (ctx, logits, teacher, T, n, c, ret_loss, dlogits))

GATED(optim, sgd,
      (lethe_ctx * ctx, lethe_model *m, double momentum, double decay, OUT(lethe_optim)),
      (ctx, m, momentum, decay, out))
GATED(optim, adam,
      (lethe_ctx * ctx, lethe_model *m, double beta1, double beta2, double eps, double decay,
       int32_t decoupled, OUT(lethe_optim)),
      (ctx, m, beta1, beta2, eps, decay, decoupled, out))
GATED(optim, mask, (lethe_ctx * ctx, lethe_optim *o, const uint8_t *mask, int32_t restore),
      (ctx, o, mask, restore))
GATED(optim, clip, (lethe_ctx * ctx, lethe_optim *o, double max_norm), (ctx, o, max_norm))
GATED(optim, step, (lethe_ctx * ctx, lethe_optim *o, double rate), (ctx, o, rate))

GATED(attack, declared, (lethe_ctx * ctx, uint32_t index, lethe_adversarial *out),
      (ctx, index, out))
GATED(attack, run,
      (lethe_ctx * ctx, const char *attack, const char *const *settings, M, V,
       lethe_adversarial *out),
      (ctx, attack, settings, m, v, out))

GATED(recipe, get, (lethe_ctx * ctx, lethe_recipe *out), (ctx, out))
GATED(recipe, train, (lethe_ctx * ctx, lethe_model *m, V), (ctx, m, v))

GATED(emit, scalar, (lethe_ctx * ctx, uint32_t output, double value, const char *note),
      (ctx, output, value, note))
GATED(emit, curve, (lethe_ctx * ctx, uint32_t output, const double *x, const double *y, uint32_t n),
      (ctx, output, x, y, n))

/* ---- tables: what is not gated stays the host's ---- */

#define SLOT(table, slot) t->mine.table.slot = gated_##table##_##slot;
/* False where there is no such table. */
#define TAKE(table)                                                                                \
    (host->table && (t->real.table = host->table, t->mine.table = *host->table,                    \
                     host->table = &t->mine.table, true))

static void take_data(struct trial *t, lethe_host *host)
{
    if (!TAKE(data))
        return;
    SLOT(data, batch)
    SLOT(data, labels)
    SLOT(data, subset)
    SLOT(data, concat)
    SLOT(data, relabel)
    SLOT(data, relabel_by)
    SLOT(data, arrays)
    SLOT(data, augment)
    SLOT(data, loader)
    SLOT(data, next)
    SLOT(data, ids)
}

static void take_model(struct trial *t, lethe_host *host)
{
    if (!TAKE(model))
        return;
    SLOT(model, clone)
    SLOT(model, fresh)
    SLOT(model, copy)
    SLOT(model, tensor)
    SLOT(model, layer)
    SLOT(model, forward)
    SLOT(model, backward)
    SLOT(model, input_gradient)
    SLOT(model, zero_grad)
    SLOT(model, predict)
    SLOT(model, expand)
    SLOT(model, prune)
}

static void take_training(struct trial *t, lethe_host *host)
{
    if (TAKE(loss)) {
        SLOT(loss, cross_entropy)
        SLOT(loss, soft_cross_entropy)
        SLOT(loss, distill)
    }
    if (TAKE(optim)) {
        SLOT(optim, sgd)
        SLOT(optim, adam)
        SLOT(optim, mask)
        SLOT(optim, clip)
        SLOT(optim, step)
    }
    if (TAKE(recipe)) {
        SLOT(recipe, get)
        SLOT(recipe, train)
    }
}

void trial_install(struct trial *t, lethe_host *host)
{
    if (TAKE(core)) {
        SLOT(core, progress)
        SLOT(core, cancelled)
        SLOT(core, alloc)
    }
    take_data(t, host);
    take_model(t, host);
    take_training(t, host);
    if (TAKE(attack)) {
        SLOT(attack, declared)
        SLOT(attack, run)
    }
    if (TAKE(emit)) {
        SLOT(emit, scalar)
        SLOT(emit, curve)
    }
}
