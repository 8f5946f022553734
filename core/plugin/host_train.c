/* The tables loss, optim and recipe. */
#include <math.h>
#include <string.h>

#include "host_internal.h"
#include "loss.h"
#include "optim.h"

/* ---- loss ---- */

static lethe_status check_loss(struct host_ctx *c, const float *logits, const void *target,
                               uint32_t n_classes)
{
    if (logits && target && n_classes > 0)
        return LETHE_OK;
    return host_fail(c, ERR_INVALID, "loss: logits or targets are NULL, or there are no classes");
}

static lethe_status loss_slot_cross_entropy(lethe_ctx *ctx, const float *logits, const int32_t *y,
                                            uint32_t n, uint32_t n_classes, double *ret_loss,
                                            float *dlogits)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = check_loss(c, logits, y, n_classes);
    for (uint32_t i = 0; status == LETHE_OK && i < n; i++)
        if (y[i] < 0 || (uint32_t)y[i] >= n_classes)
            status = host_fail(c, ERR_INVALID, "cross_entropy: label %d of %u classes", (int)y[i],
                               n_classes);
    if (status == LETHE_OK)
        loss_cross_entropy(logits, y, n, n_classes, ret_loss, dlogits);
    return status;
}

static lethe_status loss_slot_soft(lethe_ctx *ctx, const float *logits, const float *q, uint32_t n,
                                   uint32_t n_classes, double *ret_loss, float *dlogits)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = check_loss(c, logits, q, n_classes);
    if (status == LETHE_OK)
        loss_soft_cross_entropy(logits, q, n, n_classes, ret_loss, dlogits);
    return status;
}

static lethe_status loss_slot_distill(lethe_ctx *ctx, const float *logits, const float *teacher,
                                      double T, uint32_t n, uint32_t n_classes, double *ret_loss,
                                      float *dlogits)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = check_loss(c, logits, teacher, n_classes);
    if (status == LETHE_OK && !(T > 0 && isfinite(T)))
        status = host_fail(c, ERR_INVALID, "distill: the temperature %g is not positive", T);
    if (status == LETHE_OK)
        loss_distill(logits, teacher, T, n, n_classes, ret_loss, dlogits);
    return status;
}

const lethe_loss_api host_loss_table = {
    .struct_size = sizeof(lethe_loss_api),
    .cross_entropy = loss_slot_cross_entropy,
    .soft_cross_entropy = loss_slot_soft,
    .distill = loss_slot_distill,
};

/* ---- optim ---- */

static void drop_optim(void *o)
{
    optim_free(o);
}

static lethe_status open_optim(struct host_ctx *c, lethe_model *m,
                               const struct optim_config *config, lethe_optim **out)
{
    struct error err = ERROR_INIT;
    struct optim *o = NULL;
    if (!m->writable)
        return host_fail(c, ERR_DENIED, "an optimiser needs a model that may be written");
    if (optim_new(m->m, config, &o, &err) < 0)
        return host_pass_on(c, &err);
    struct lethe_optim *w =
        arena_cleanup(c->arena, drop_optim, o) == 0 ? arena_alloc(c->arena, sizeof(*w)) : NULL;
    if (!w)
        return host_nomem(c);
    *w = (struct lethe_optim){o, m, NULL};
    lethe_status status = host_clip_open(c, w);
    if (status == LETHE_OK)
        *out = w;
    return status;
}

static bool is_share(double v)
{
    return v >= 0 && v <= 1;
}

static lethe_status optim_sgd(lethe_ctx *ctx, lethe_model *m, double momentum, double decay,
                              lethe_optim **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct optim_config config = {.kind = OPTIM_SGD, .momentum = momentum, .weight_decay = decay};
    if (!is_share(momentum) || !(decay >= 0 && isfinite(decay)))
        return host_fail(c, ERR_INVALID, "sgd: momentum %g (0 to 1) or weight decay %g (0 or more)",
                         momentum, decay);
    return open_optim(c, m, &config, out);
}

static lethe_status optim_adam(lethe_ctx *ctx, lethe_model *m, double beta1, double beta2,
                               double eps, double decay, int32_t decoupled, lethe_optim **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct optim_config config = {.kind = decoupled ? OPTIM_ADAMW : OPTIM_ADAM,
                                  .weight_decay = decay,
                                  .beta1 = beta1,
                                  .beta2 = beta2,
                                  .eps = eps};
    if (!is_share(beta1) || !is_share(beta2) || beta1 == 1 || beta2 == 1)
        return host_fail(c, ERR_INVALID, "adam: beta %g or %g is not in [0, 1)", beta1, beta2);
    if (!(eps >= 0 && isfinite(eps)) || !(decay >= 0 && isfinite(decay)))
        return host_fail(c, ERR_INVALID, "adam: eps %g or weight decay %g is negative", eps, decay);
    return open_optim(c, m, &config, out);
}

static lethe_status optim_mask_slot(lethe_ctx *ctx, lethe_optim *o, const uint8_t *mask,
                                    int32_t restore)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    if (!mask)
        return host_fail(c, ERR_INVALID, "optim->mask: the mask is NULL");
    return optim_mask(o->o, mask, restore != 0, &err) < 0 ? host_pass_on(c, &err) : LETHE_OK;
}

static lethe_status optim_clip(lethe_ctx *ctx, lethe_optim *o, double max_norm)
{
    struct host_ctx *c = host_ctx_of(ctx);
    if (!(max_norm > 0))
        return host_fail(c, ERR_INVALID, "optim->clip: the norm %g is not positive", max_norm);
    o->o->clip_norm = max_norm;
    return LETHE_OK;
}

static lethe_status optim_step_slot(lethe_ctx *ctx, lethe_optim *o, double rate)
{
    struct host_ctx *c = host_ctx_of(ctx);
    if (!isfinite(rate))
        return host_fail(c, ERR_NUMERIC, "optim->step: the learning rate is %g", rate);
    if (!host_granted(c->host, LETHE_CAP_GRADIENTS))
        return host_fail(c, ERR_DENIED,
                         "optim->step: gradients were not declared; add LETHE_CAP_GRADIENTS");
    struct error err = ERROR_INIT;
    if (host_afford_steps(c->host, "step", 1, &err) < 0)
        return host_pass_on(c, &err);
    optim_step(o->o, rate, c->host->h->par);
    c->host->meters.optimizer_steps++;
    return host_clip_step(c, o);
}

const lethe_optim_api host_optim_table = {
    .struct_size = sizeof(lethe_optim_api),
    .sgd = optim_sgd,
    .adam = optim_adam,
    .mask = optim_mask_slot,
    .clip = optim_clip,
    .step = optim_step_slot,
};

/* ---- recipe ---- */

static lethe_status recipe_get(lethe_ctx *ctx, lethe_recipe *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    const struct recipe *r = c->host->h->recipe;
    if (out->struct_size < LETHE_SIZE_THROUGH(lethe_recipe, weight_decay))
        return host_fail(c, ERR_INVALID, "lethe_recipe.struct_size is %u; set it with sizeof",
                         out->struct_size);
    out->epochs = r->epochs;
    out->batch = r->batch;
    out->reserved = 0;
    out->lr = r->lr;
    out->momentum = r->optim.momentum;
    out->weight_decay = r->optim.weight_decay;
    return LETHE_OK;
}

/* Batches of a view for the training loop. An error waits here: the loop cannot be stopped from
 * inside a fill, so it stops at the next progress call. */
struct view_source {
    struct host_ctx *c;
    const struct view *view;
    uint64_t aug_seed, *id; /* id (batch) */
    struct error err;
};

static void fill_from_view(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x,
                           int32_t *y)
{
    struct view_source *s = self;
    struct error err = ERROR_INIT;
    if (host_load(s->c, s->view, rows, n, epoch, true, x, y, s->id, &err) < 0) {
        if (s->err.code == 0)
            s->err = err;
        memset(y, 0, n * sizeof(*y));
    }
}

/* Once a step. */
static void train_count(void *arg, uint32_t n)
{
    const struct view_source *s = arg;
    struct meters *meters = &s->c->host->meters;
    meters->forward += n;
    meters->backward += n;
    meters->optimizer_steps++;
}

static int train_progress(void *arg, double fraction)
{
    struct view_source *s = arg;
    if (s->err.code != 0)
        return s->err.code;
    return host_progress(s->c, fraction, "training") < 0 ? s->c->why.code : 0;
}

static int train_epoch(void *arg, uint32_t epoch, double loss, double accuracy, struct error *err)
{
    struct view_source *s = arg;
    if (s->err.code == 0)
        return 0;
    return error_set(err, s->err.code, "%s", s->err.text);
}

/* The whole training or none of it: the loop cannot be stopped between two batches. */
static int afford_training(struct host_ctx *c, const struct recipe *r, uint32_t n,
                           struct error *err)
{
    uint64_t steps = (uint64_t)r->epochs * ((n + r->batch - 1) / r->batch);
    TRY(host_afford_steps(c->host, "training by the recipe", steps, err));
    return host_afford_samples(c->host, "training by the recipe", 2ull * r->epochs * n, err);
}

static lethe_status recipe_train(lethe_ctx *ctx, lethe_model *m, const lethe_view *v)
{
    struct host_ctx *c = host_ctx_of(ctx);
    const struct recipe *r = c->host->h->recipe;
    struct error err = ERROR_INIT;
    struct rng seed;
    lethe_status status = host_need_view(c, v, "recipe->train");
    if (status < 0)
        return status;
    if (!m->writable)
        return host_fail(c, ERR_DENIED, "recipe->train: this model must not be written");
    if (v->n == 0)
        return host_fail(c, ERR_INVALID, "recipe->train: the view holds no samples");
    if (afford_training(c, r, v->n, &err) < 0)
        return host_pass_on(c, &err);
    host_stream(c->host, "recipe", c->host->n_trainings++, &seed);
    struct view_source s = {.c = c, .view = v->now, .err = ERROR_INIT};
    s.id = host_take(c, r->batch * sizeof(*s.id));
    if (!s.id)
        return host_nomem(c);
    struct batch_source source = {v->n, fill_from_view, &s};
    struct train_hooks hooks = {
        .epoch_done = train_epoch, .progress = train_progress, .count = train_count, .arg = &s};
    int rc = train_run(m->m, r, &source, seed.key, c->host->h->par, &hooks, &err);
    host_give(c, s.id, r->batch * sizeof(*s.id));
    if (rc == 0)
        return LETHE_OK;
    if (s.err.code != 0 || err.code != 0)
        return host_pass_on(c, s.err.code != 0 ? &s.err : &err);
    return host_fail(c, rc, "training was stopped");
}

static double recipe_rate(lethe_ctx *ctx, uint32_t epoch)
{
    const struct recipe *r = host_ctx_of(ctx)->host->h->recipe;
    return schedule_rate(&r->schedule, r->lr, epoch, r->epochs);
}

const lethe_recipe_api host_recipe_table = {
    .struct_size = sizeof(lethe_recipe_api),
    .get = recipe_get,
    .train = recipe_train,
    .rate = recipe_rate,
};
