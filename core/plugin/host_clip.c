/* host_clip.c: a model that was trained with spectral_clip stays clipped while it unlearns, as the
 * layers of the authors' code do; an interval counts the steps of its own optimiser. */
#include "host_internal.h"
#include "optim.h"
#include "spectral_clip.h"

static void drop_clip(void *clip)
{
    spectral_clip_free(clip);
}

static bool clips(const struct host_ctx *c)
{
    const struct recipe *r = c->host->h->recipe;
    return r && clip_acts(&r->spectral);
}

static lethe_status new_clip(struct host_ctx *c, const struct model *m, struct spectral_clip **ret)
{
    struct error err = ERROR_INIT;
    struct rng seed;
    host_stream(c->host, "spectral", c->host->n_clips++, &seed);
    if (spectral_clip_new(&c->host->h->recipe->spectral, m, seed.key, ret, &err) < 0)
        return host_pass_on(c, &err);
    return arena_cleanup(c->arena, drop_clip, *ret) == 0 ? LETHE_OK : host_nomem(c);
}

lethe_status host_clip_open(struct host_ctx *c, struct lethe_optim *o)
{
    return clips(c) ? new_clip(c, o->model->m, &o->clip) : LETHE_OK;
}

/* Weights that a mask holds fast stay what they are. */
static const uint8_t *held(const struct lethe_optim *o)
{
    return o->o->restore ? o->o->mask : NULL;
}

lethe_status host_clip_step(struct host_ctx *c, struct lethe_optim *o)
{
    struct error err = ERROR_INIT;
    c->stepped = o;
    if (o->clip &&
        spectral_clip_step(o->clip, o->model->m, o->o->steps, held(o), c->host->h->par, &err) < 0)
        return host_pass_on(c, &err);
    return LETHE_OK;
}

lethe_status host_clip_finish(struct host_ctx *c, struct model *m)
{
    struct error err = ERROR_INIT;
    const struct lethe_optim *o = c->stepped;
    struct spectral_clip *clip = o && o->model->m == m ? o->clip : NULL;
    if (!clips(c) || !o)
        return LETHE_OK;
    const uint8_t *mask = clip ? held(o) : NULL;
    if (!clip) {
        lethe_status status = new_clip(c, m, &clip);
        if (status != LETHE_OK)
            return status;
    }
    if (spectral_clip_finish(clip, m, mask, c->host->h->par, &err) < 0)
        return host_pass_on(c, &err);
    return LETHE_OK;
}
