/* train.c: the training loop and prediction over a batch source. */
#include "train_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loss.h"
#include "rng.h"

/* Steps between two calls of the progress hook. */
enum { PROGRESS_STEPS = 8 };

static size_t image_size(const struct arch *a)
{
    return (size_t)a->input[0] * a->input[1] * a->input[2];
}

int loop_init(struct loop *l, struct error *err)
{
    const struct arch *a = l->m->arch;
    uint32_t n = l->src->n;
    l->batch = l->r->batch < n ? l->r->batch : n;
    l->n_steps = (uint64_t)l->r->epochs * ((n + l->batch - 1) / l->batch);
    l->order = malloc(n * sizeof(*l->order));
    l->x = malloc(l->batch * image_size(a) * sizeof(*l->x));
    l->logits = malloc((size_t)l->batch * a->classes * sizeof(*l->logits));
    l->y = malloc(l->batch * sizeof(*l->y));
    if (!l->order || !l->x || !l->logits || !l->y)
        return error_nomem(err);
    TRY(net_new(a, l->batch, l->par, &l->net, err));
    TRY(optim_new(l->m, &l->r->optim, &l->optim, err));
    l->optim->clip_norm = l->r->clip_norm;
    if (l->r->spectral.method != CLIP_OFF)
        TRY(spectral_clip_new(&l->r->spectral, l->m, l->seed, &l->clip, err));
    return 0;
}

void loop_release(struct loop *l)
{
    spectral_clip_free(l->clip);
    optim_free(l->optim);
    net_free(l->net);
    free(l->order);
    free(l->x);
    free(l->logits);
    free(l->y);
}

static int check_labels(const struct loop *l, uint32_t first, uint32_t n, struct error *err)
{
    for (uint32_t i = 0; i < n; i++)
        if (l->y[i] < 0 || (uint32_t)l->y[i] >= l->m->arch->classes)
            return error_set(err, ERR_INVALID,
                             "sample %u has label %" PRId32 ", but there are %u "
                             "classes",
                             l->order[first + i], l->y[i], l->m->arch->classes);
    return 0;
}

int loop_gradient(struct loop *l, uint32_t epoch, uint32_t first, uint32_t n, double lr,
                  struct error *err)
{
    uint32_t classes = l->m->arch->classes;
    double loss;
    l->src->fill(l->src->self, l->order + first, n, epoch, l->x, l->y);
    TRY(check_labels(l, first, n, err));
    net_dropout(l->net, l->seed, l->step);
    TRY(net_forward(l->net, l->m, l->x, n, NET_TRAIN, l->logits, err));
    for (uint32_t i = 0; i < n; i++)
        l->n_right += loss_argmax(l->logits + (size_t)i * classes, classes) == l->y[i];
    loss_cross_entropy(l->logits, l->y, n, classes, &loss, l->logits);
    if (!isfinite(loss))
        return error_set(err, ERR_NUMERIC,
                         "the loss became %s in epoch %u at step %u; lower the learning rate "
                         "(now %g) or clip gradients",
                         isnan(loss) ? "NaN" : "infinite", epoch + 1, first / l->batch + 1, lr);
    l->loss_sum += loss * n;
    return net_backward(l->net, l->m, l->logits, true, NULL, err);
}

int loop_update(struct loop *l, uint32_t n, double lr, struct error *err)
{
    const struct train_hooks *h = l->hooks;
    optim_step(l->optim, lr, l->par);
    l->step++;
    if (l->clip)
        TRY(spectral_clip_step(l->clip, l->m, l->step, NULL, l->par, err));
    if (l->clip && l->step == l->n_steps)
        TRY(spectral_clip_finish(l->clip, l->m, NULL, l->par, err));
    if (h && h->count)
        h->count(h->arg, n);
    if (h && h->progress && (l->step % PROGRESS_STEPS == 0 || l->step == l->n_steps))
        return h->progress(h->arg, (double)l->step / (double)l->n_steps);
    return 0;
}

struct recording {
    const struct train_hooks *hooks;
    uint32_t epoch;
};

static int record(void *arg, const char *layer, uint32_t k, double value, struct error *err)
{
    const struct recording *r = arg;
    return r->hooks->spectral(r->hooks->arg, r->epoch, layer, k, value, err);
}

/* Singular values to the hook, if there is one. */
static int loop_record(struct loop *l, uint32_t epoch, struct error *err)
{
    struct recording r = {l->hooks, epoch};
    if (!l->clip || !l->hooks || !l->hooks->spectral)
        return 0;
    return spectral_track(&l->r->spectral, l->m, l->seed, epoch, l->par, record, &r, err);
}

static void set_order(struct loop *l, uint32_t epoch)
{
    struct rng r;
    rng_stream(&r, l->seed, "shuffle", epoch);
    if (l->r->shuffle)
        rng_permute(&r, l->order, l->src->n);
    else
        for (uint32_t i = 0; i < l->src->n; i++)
            l->order[i] = i;
}

int loop_start(struct loop *l, struct error *err)
{
    if (l->clip && !l->r->spectral.published)
        TRY(spectral_clip_step(l->clip, l->m, 0, NULL, l->par, err));
    return loop_record(l, 0, err);
}

void loop_begin_epoch(struct loop *l, uint32_t epoch)
{
    l->loss_sum = 0;
    l->n_right = 0;
    set_order(l, epoch);
}

int loop_end_epoch(struct loop *l, uint32_t epoch, struct error *err)
{
    const struct train_hooks *h = l->hooks;
    const struct train_checkpoints *c = l->checkpoints;
    uint32_t all = l->src->n;
    TRY(loop_record(l, epoch + 1, err));
    if (h && h->epoch_done)
        TRY(h->epoch_done(h->arg, epoch, l->loss_sum / all, 100 * (double)l->n_right / all, err));
    if (!c || !c->save)
        return 0;
    struct train_state s = {.epochs = epoch + 1,
                            .steps = l->step,
                            .n_param = l->m->n_param,
                            .n_stat = l->m->n_stat,
                            .param = l->m->param,
                            .stat = l->m->stat,
                            .moment = {l->optim->m, l->optim->v}};
    if (l->clip)
        s.spectral = spectral_clip_state(l->clip, &s.n_spectral);
    return c->save(c->arg, &s, err);
}

static int loop_epoch(struct loop *l, uint32_t epoch, struct error *err)
{
    double lr = schedule_rate(&l->r->schedule, l->r->lr, epoch, l->r->epochs);
    uint32_t all = l->src->n;
    loop_begin_epoch(l, epoch);
    for (uint32_t first = 0; first < all; first += l->batch) {
        uint32_t n = all - first < l->batch ? all - first : l->batch;
        TRY(loop_gradient(l, epoch, first, n, lr, err));
        TRY(loop_update(l, n, lr, err));
    }
    return loop_end_epoch(l, epoch, err);
}

static int check_size(const char *what, size_t have, size_t want, struct error *err)
{
    if (have == want)
        return 0;
    return error_set(err, ERR_INVALID,
                     "the checkpoint has %zu %s, this run has %zu; it belongs to another model or "
                     "optimizer",
                     have, what, want);
}

static int check_state(const struct loop *l, const struct train_state *s, struct error *err)
{
    uint64_t per_epoch = l->n_steps / l->r->epochs, steps = s->epochs * per_epoch;
    TRY(check_size("parameters", s->n_param, l->m->n_param, err));
    TRY(check_size("statistics", s->n_stat, l->m->n_stat, err));
    TRY(check_size("moments", (s->moment[0] != NULL) + (s->moment[1] != NULL),
                   (l->optim->m != NULL) + (l->optim->v != NULL), err));
    size_t n_spectral = 0;
    if (l->clip)
        spectral_clip_state(l->clip, &n_spectral);
    TRY(check_size("numbers of spectral_clip", s->n_spectral, n_spectral, err));
    if (s->epochs > l->r->epochs)
        return error_set(err, ERR_INVALID, "the checkpoint has %u epochs behind it, of %u",
                         s->epochs, l->r->epochs);
    if (s->steps != steps)
        return error_set(err, ERR_INVALID,
                         "the checkpoint has %" PRIu64 " steps in %u epochs behind it, these data "
                         "and this batch size take %" PRIu64,
                         s->steps, s->epochs, steps);
    return 0;
}

static int restore(struct loop *l, const struct train_state *s, struct error *err)
{
    TRY(check_state(l, s, err));
    memcpy(l->m->param, s->param, s->n_param * sizeof(float));
    memcpy(l->m->stat, s->stat, s->n_stat * sizeof(float));
    if (s->moment[0])
        memcpy(l->optim->m, s->moment[0], s->n_param * sizeof(float));
    if (s->moment[1])
        memcpy(l->optim->v, s->moment[1], s->n_param * sizeof(float));
    if (l->clip)
        spectral_clip_restore(l->clip, s->spectral);
    l->optim->steps = l->step = s->steps;
    return 0;
}

int train_resume(struct model *m, const struct recipe *r, const struct batch_source *src,
                 uint64_t seed, struct par *par, const struct train_hooks *hooks,
                 const struct train_checkpoints *checkpoints, struct error *err)
{
    struct loop l = {.m = m, .r = r, .src = src, .hooks = hooks, .seed = seed, .par = par};
    const struct train_state *from = checkpoints ? checkpoints->from : NULL;
    l.checkpoints = checkpoints;
    if (src->n == 0)
        return error_set(err, ERR_INVALID, "there is no sample to train on");
    int rc = loop_init(&l, err);
    if (rc == 0 && from)
        rc = restore(&l, from, err);
    if (rc == 0 && !from)
        rc = loop_start(&l, err);
    for (uint32_t e = from ? from->epochs : 0; rc == 0 && e < r->epochs; e++)
        rc = loop_epoch(&l, e, err);
    loop_release(&l);
    return rc;
}

int train_run(struct model *m, const struct recipe *r, const struct batch_source *src,
              uint64_t seed, struct par *par, const struct train_hooks *hooks, struct error *err)
{
    return train_resume(m, r, src, seed, par, hooks, NULL, err);
}

struct prediction {
    const struct batch_source *src;
    struct net *net;
    float *x;
    int32_t *y;
    uint32_t *rows;
    uint32_t batch;
};

static int predict_batches(const struct prediction *p, const struct model *m, float *logits,
                           struct error *err)
{
    for (uint32_t first = 0; first < p->src->n; first += p->batch) {
        uint32_t left = p->src->n - first, n = left < p->batch ? left : p->batch;
        for (uint32_t i = 0; i < n; i++)
            p->rows[i] = first + i;
        p->src->fill(p->src->self, p->rows, n, 0, p->x, p->y);
        TRY(net_infer(p->net, m, p->x, n, logits + (size_t)first * m->arch->classes, err));
    }
    return 0;
}

int predict_run(const struct model *m, const struct batch_source *src, uint32_t batch,
                struct par *par, float *logits, struct error *err)
{
    struct prediction p = {.src = src, .batch = batch < src->n ? batch : src->n};
    if (src->n == 0)
        return 0;
    if (batch == 0)
        return error_set(err, ERR_INVALID, "a batch of 0 images");
    p.x = malloc(p.batch * image_size(m->arch) * sizeof(*p.x));
    p.y = malloc(p.batch * sizeof(*p.y));
    p.rows = malloc(p.batch * sizeof(*p.rows));
    int rc = p.x && p.y && p.rows ? net_new(m->arch, p.batch, par, &p.net, err) : error_nomem(err);
    if (rc == 0)
        rc = predict_batches(&p, m, logits, err);
    net_free(p.net);
    free(p.x);
    free(p.y);
    free(p.rows);
    return rc;
}
