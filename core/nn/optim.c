/* optim.c: optimisers over the parameter block, in chunks that any thread may take. */
#include "optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

enum { CHUNK = 1 << 14 };

static size_t n_chunks(const struct optim *o)
{
    return (o->model->n_param + CHUNK - 1) / CHUNK;
}

int optim_new(struct model *model, const struct optim_config *config, struct optim **ret,
              struct error *err)
{
    struct optim *o = calloc(1, sizeof(*o));
    if (!o)
        return error_nomem(err);
    o->config = *config;
    o->model = model;
    size_t n = model->n_param + 1; /* a net without parameters is still no failure */
    bool adam = config->kind != OPTIM_SGD;
    if (adam || config->momentum > 0)
        o->m = calloc(n, sizeof(*o->m));
    if (adam)
        o->v = calloc(n, sizeof(*o->v));
    o->norms = calloc(n_chunks(o) + 1, sizeof(*o->norms));
    if (!o->norms || (adam && (!o->m || !o->v)) || (config->momentum > 0 && !o->m)) {
        optim_free(o);
        return error_nomem(err);
    }
    *ret = o;
    return 0;
}

void optim_free(struct optim *o)
{
    if (!o)
        return;
    free(o->m);
    free(o->v);
    free(o->mask);
    free(o->frozen);
    free(o->norms);
    free(o);
}

int optim_mask(struct optim *o, const uint8_t *mask, bool restore, struct error *err)
{
    size_t n = o->model->n_param;
    uint8_t *copy = malloc(n + 1);
    float *frozen = malloc((n + 1) * sizeof(*frozen));
    if (!copy || !frozen) {
        free(copy);
        free(frozen);
        return error_nomem(err);
    }
    memcpy(copy, mask, n);
    memcpy(frozen, o->model->param, n * sizeof(*frozen));
    free(o->mask);
    free(o->frozen);
    o->mask = copy;
    o->frozen = frozen;
    o->restore = restore;
    return 0;
}

struct step {
    struct optim *o;
    const struct kernels *k;
    struct sgd_step sgd;
    struct adam_step adam;
};

static size_t chunk_size(const struct step *s, size_t chunk)
{
    size_t left = s->o->model->n_param - chunk * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

static void prepare_chunk(void *arg, size_t chunk, unsigned worker)
{
    const struct step *s = arg;
    size_t at = chunk * CHUNK, n = chunk_size(s, chunk);
    float *grad = s->o->model->grad + at;
    for (size_t i = 0; s->o->mask && i < n; i++)
        grad[i] = s->o->mask[at + i] ? grad[i] : 0;
    if (s->o->clip_norm > 0)
        s->o->norms[chunk] = s->k->sum_squares(grad, n);
}

/* As torch.nn.utils.clip_grad_norm_. */
static float clip_factor(const struct optim *o)
{
    double squares = 0;
    if (!(o->clip_norm > 0))
        return 1;
    for (size_t i = 0; i < n_chunks(o); i++)
        squares += o->norms[i];
    double factor = o->clip_norm / (sqrt(squares) + 1e-6);
    return factor < 1 ? (float)factor : 1;
}

static void restore_chunk(const struct step *s, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++)
        if (!s->o->mask[i])
            s->o->model->param[i] = s->o->frozen[i];
}

static void step_chunk(void *arg, size_t chunk, unsigned worker)
{
    const struct step *s = arg;
    const struct optim *o = s->o;
    size_t at = chunk * CHUNK, n = chunk_size(s, chunk);
    float *param = o->model->param + at, *grad = o->model->grad + at;
    if (o->config.kind == OPTIM_SGD)
        s->k->sgd(&s->sgd, n, param, grad, o->m ? o->m + at : NULL);
    else
        s->k->adam(&s->adam, n, param, grad, o->m + at, o->v + at);
    if (o->mask && o->restore)
        restore_chunk(s, at, n);
}

static struct adam_step adam_step(const struct optim *o, double lr, float grad_scale)
{
    const struct optim_config *c = &o->config;
    double t = (double)o->steps;
    bool decoupled = c->kind == OPTIM_ADAMW;
    return (struct adam_step){
        .step_size = (float)(lr / (1 - pow(c->beta1, t))),
        .beta1 = (float)c->beta1,
        .beta2 = (float)c->beta2,
        .rest1 = (float)(1 - c->beta1),
        .rest2 = (float)(1 - c->beta2),
        .eps = (float)c->eps,
        .weight_decay = decoupled ? 0 : (float)c->weight_decay,
        .grad_scale = grad_scale,
        .root_correction = (float)sqrt(1 - pow(c->beta2, t)),
        .decay = decoupled ? (float)(1 - lr * c->weight_decay) : 1,
    };
}

void optim_step(struct optim *o, double lr, struct par *par)
{
    struct step s = {.o = o, .k = kernels_best()};
    o->steps++;
    if (o->mask || o->clip_norm > 0)
        par_run(par, n_chunks(o), prepare_chunk, &s);
    float grad_scale = clip_factor(o);
    s.sgd = (struct sgd_step){.lr = (float)lr,
                              .momentum = (float)o->config.momentum,
                              .weight_decay = (float)o->config.weight_decay,
                              .grad_scale = grad_scale};
    if (o->config.kind != OPTIM_SGD)
        s.adam = adam_step(o, lr, grad_scale);
    par_run(par, n_chunks(o), step_chunk, &s);
}
