#include "lotos.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train_internal.h"

/* ---- the penalty ---- */

double lotos_term(struct spectral_map *map, const double *v, const struct lotos_config *c,
                  double *grad)
{
    spectral_map_apply(map, v, map->out);
    double length = cblas_dnrm2((int)map->n_out, map->out, 1);
    if (!(length > c->mal))
        return 0;
    double *one = malloc(map->rows * map->cols * sizeof(*one));
    if (!one)
        return NAN;
    cblas_dscal((int)map->n_out, c->factor / length, map->out, 1);
    spectral_map_outer(map, map->out, v, one);
    cblas_daxpy((int)(map->rows * map->cols), 1, one, 1, grad, 1);
    free(one);
    return c->factor * (length - c->mal);
}

struct joint {
    const struct recipe *r;
    struct loop *loop; /* (n) */
    uint32_t n, n_maps;
    double *sum; /* (n, n_maps) penalties of the last step; NaN: out of memory */
};

static bool is_term(const struct spectral_map *map)
{
    return map->layer->kind == LAYER_CONV && map->norm == SPECTRAL_NO_NORM;
}

/* The terms of one map against one other model's vectors of the same layer. */
static double against(struct spectral_map *map, const struct spectral_clip *other, uint32_t at,
                      const struct lotos_config *c, double *grad)
{
    double sum = 0;
    for (uint32_t k = 0; k < c->vectors && spectral_clip_vector(other, at, k); k++) {
        struct lotos_config weighted = *c;
        weighted.factor *= 1 - 0.01 * k;
        sum += lotos_term(map, spectral_clip_vector(other, at, k), &weighted, grad);
    }
    return sum;
}

/* Item: a model and one of its maps; against all other models. */
static void penalty_item(void *arg, size_t item, unsigned worker)
{
    const struct joint *t = arg;
    struct loop *l = &t->loop[item / t->n_maps];
    uint32_t at = (uint32_t)(item % t->n_maps);
    struct spectral_map *map = spectral_clip_map(l->clip, at);
    t->sum[item] = 0;
    if (!is_term(map))
        return;
    size_t n = map->rows * map->cols;
    double *grad = calloc(n, sizeof(*grad));
    spectral_map_load(map, l->m);
    for (uint32_t k = 0; grad && k < t->n; k++)
        if (&t->loop[k] != l)
            t->sum[item] += against(map, t->loop[k].clip, at, &t->r->lotos, grad);
    float *to = l->m->grad + l->m->tensor[l->m->layer_first_tensor[map->index]].offset;
    for (size_t i = 0; grad && i < n; i++)
        to[i] += (float)grad[i];
    if (!grad)
        t->sum[item] = NAN;
    free(grad);
}

static int add_penalties(struct joint *t, struct par *par, struct error *err)
{
    for (uint32_t j = 0; j < t->n; j++)
        TRY(spectral_clip_refresh(t->loop[j].clip, t->loop[j].m, par, err));
    par_run(par, (size_t)t->n * t->n_maps, penalty_item, t);
    for (size_t i = 0; i < (size_t)t->n * t->n_maps; i++)
        if (isnan(t->sum[i]))
            return error_nomem(err);
    return 0;
}

/* ---- training ---- */

static int joint_step(struct joint *t, uint32_t epoch, uint32_t first, uint32_t n, double lr,
                      struct error *err)
{
    for (uint32_t j = 0; j < t->n; j++)
        TRY(loop_gradient(&t->loop[j], epoch, first, n, lr, err));
    if (t->loop[0].step % t->r->lotos.every == 0)
        TRY(add_penalties(t, t->loop[0].par, err));
    for (uint32_t j = 0; j < t->n; j++)
        TRY(loop_update(&t->loop[j], n, lr, err));
    return 0;
}

static int joint_epoch(struct joint *t, uint32_t epoch, struct error *err)
{
    double lr = schedule_rate(&t->r->schedule, t->r->lr, epoch, t->r->epochs);
    uint32_t all = t->loop[0].src->n, batch = t->loop[0].batch;
    for (uint32_t j = 0; j < t->n; j++) {
        loop_begin_epoch(&t->loop[j], epoch);
        memcpy(t->loop[j].order, t->loop[0].order, all * sizeof(*t->loop[j].order));
    }
    for (uint32_t first = 0; first < all; first += batch)
        TRY(joint_step(t, epoch, first, all - first < batch ? all - first : batch, lr, err));
    for (uint32_t j = 0; j < t->n; j++)
        TRY(loop_end_epoch(&t->loop[j], epoch, err));
    return 0;
}

static int check_joint(const struct joint *t, struct error *err)
{
    bool some = false;
    for (uint32_t i = 0; i < t->n_maps; i++)
        some |= is_term(spectral_clip_map(t->loop[0].clip, i));
    if (!some)
        return error_set(err, ERR_INVALID,
                         "lotos: the network has no convolution, so there is nothing to "
                         "orthogonalise");
    return 0;
}

static int joint_run(struct joint *t, struct error *err)
{
    t->n_maps = spectral_clip_n_maps(t->loop[0].clip);
    t->sum = calloc((size_t)t->n * t->n_maps + 1, sizeof(*t->sum));
    if (!t->sum)
        return error_nomem(err);
    TRY(check_joint(t, err));
    for (uint32_t j = 0; j < t->n; j++)
        TRY(loop_start(&t->loop[j], err));
    for (uint32_t e = 0; e < t->r->epochs; e++)
        TRY(joint_epoch(t, e, err));
    return 0;
}

int lotos_train(const struct lotos_model *model, uint32_t n, const struct recipe *r,
                const struct batch_source *src, struct par *par, struct error *err)
{
    struct joint t = {.r = r, .n = n};
    if (src->n == 0 || n == 0)
        return error_set(err, ERR_INVALID, "lotos: no samples or no models to train");
    if (!r->lotos.on || r->spectral.method != CLIP_FASTCLIP)
        return error_set(err, ERR_INTERNAL, "lotos: the recipe has no lotos or no spectral_clip");
    t.loop = calloc(n, sizeof(*t.loop));
    int rc = t.loop ? 0 : error_nomem(err);
    for (uint32_t j = 0; rc == 0 && j < n; j++) {
        t.loop[j] = (struct loop){.m = model[j].m,
                                  .r = r,
                                  .src = src,
                                  .hooks = model[j].hooks,
                                  .seed = model[j].seed,
                                  .par = par};
        rc = loop_init(&t.loop[j], err);
    }
    if (rc == 0)
        rc = joint_run(&t, err);
    for (uint32_t j = 0; t.loop && j < n; j++)
        loop_release(&t.loop[j]);
    free(t.loop);
    free(t.sum);
    return rc;
}
