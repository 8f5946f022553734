/* spectral_clip.c: when which layers are clipped; vectors between clips; recording. */
#include "spectral_clip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clip_internal.h"

/* Singular vectors a layer that one clip sees (the published code sees one), rounds of a clip, and
 * of the last one, whose result is to be relied on. A convolution has many values near its largest:
 * one deflation alone leaves the next ones. */
enum { CLIP_BLOCK = 4, CLIP_ROUNDS = 20, LAST_ROUNDS = 60, LAST_ITERATIONS = 50 };
#define CLIP_TOLERANCE 0.02
#define LAST_TOLERANCE 0.01

struct spectral_clip {
    struct clip_config config;
    uint32_t n;
    struct spectral_map *map; /* (n) */
    struct clip_layer *layer; /* (n) */
    bool *failed;             /* (n) out of memory in the last pass */
    uint64_t seed, draws;
    bool bn;
    size_t n_state;
    double *state; /* (n_state) vectors one after another, then `draws` */
};

static bool has_norm(const struct model *m)
{
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (m->layer[i]->kind == LAYER_BATCHNORM)
            return true;
    return false;
}

static int layer_init(struct clip_layer *l, struct spectral_map *map, const struct clip_config *c,
                      struct error *err)
{
    bool one = c->published || c->method != CLIP_FASTCLIP;
    l->map = map;
    if (c->method == CLIP_MIYATO && map->norm == SPECTRAL_NO_NORM)
        spectral_map_flatten(map);
    TRY(spectral_basis_init(&l->basis, map, one ? 1 : CLIP_BLOCK, err));
    l->basis.shift = c->published ? 1 : 0;
    l->grad = malloc(map->rows * map->cols * sizeof(*l->grad));
    l->u = malloc(map->n_out * sizeof(*l->u));
    return l->grad && l->u ? 0 : error_nomem(err);
}

static int clip_init(struct spectral_clip *clip, const struct model *m, struct error *err)
{
    TRY(spectral_maps_new(m, clip->config.conv_bn, &clip->map, &clip->n, err));
    clip->layer = calloc(clip->n + 1u, sizeof(*clip->layer));
    clip->failed = calloc(clip->n + 1u, sizeof(*clip->failed));
    if (!clip->layer || !clip->failed)
        return error_nomem(err);
    clip->n_state = 1;
    for (uint32_t i = 0; i < clip->n; i++) {
        TRY(layer_init(&clip->layer[i], &clip->map[i], &clip->config, err));
        clip->n_state += clip->layer[i].basis.k * clip->layer[i].basis.n_in;
    }
    clip->state = calloc(clip->n_state, sizeof(*clip->state));
    return clip->state ? 0 : error_nomem(err);
}

int spectral_clip_new(const struct clip_config *config, const struct model *m, uint64_t seed,
                      struct spectral_clip **ret, struct error *err)
{
    struct spectral_clip *clip = calloc(1, sizeof(*clip));
    if (!clip)
        return error_nomem(err);
    clip->config = *config;
    clip->seed = seed;
    clip->bn = has_norm(m);
    int rc = clip_init(clip, m, err);
    if (rc < 0) {
        spectral_clip_free(clip);
        return rc;
    }
    *ret = clip;
    return 0;
}

void spectral_clip_free(struct spectral_clip *clip)
{
    if (!clip)
        return;
    for (uint32_t i = 0; clip->layer && i < clip->n; i++) {
        spectral_basis_release(&clip->layer[i].basis);
        free(clip->layer[i].grad);
        free(clip->layer[i].u);
    }
    spectral_maps_free(clip->map, clip->n);
    free(clip->layer);
    free(clip->failed);
    free(clip->state);
    free(clip);
}

/* ---- passes over the layers ---- */

struct sweep {
    struct spectral_clip *clip;
    struct clip_pass pass;
    bool compositions; /* these, or the layers by themselves */
    bool (*fn)(const struct clip_pass *p, struct clip_layer *l);
};

static void sweep_item(void *arg, size_t item, unsigned worker)
{
    const struct sweep *s = arg;
    struct clip_layer *l = &s->clip->layer[item];
    if ((l->map->norm != SPECTRAL_NO_NORM) == s->compositions)
        s->clip->failed[item] = !s->fn(&s->pass, l);
}

/* Every layer by itself first, since a composition reads what that writes. */
static int sweep(struct spectral_clip *clip, struct model *m, const uint8_t *mask, struct par *par,
                 bool (*fn)(const struct clip_pass *p, struct clip_layer *l), struct error *err)
{
    struct sweep s = {.clip = clip, .fn = fn};
    s.pass = (struct clip_pass){&clip->config, m, mask, clip->seed, ++clip->draws, clip->bn};
    par_run(par, clip->n, sweep_item, &s);
    s.compositions = true;
    if (clip->config.conv_bn)
        par_run(par, clip->n, sweep_item, &s);
    for (uint32_t i = 0; i < clip->n; i++)
        if (clip->failed[i])
            return error_nomem(err);
    return 0;
}

static bool clip_once(const struct clip_pass *p, struct clip_layer *l)
{
    return clip_fast(p, l, CLIP_ROUNDS, CLIP_TOLERANCE);
}

int spectral_clip_step(struct spectral_clip *clip, struct model *m, uint64_t step,
                       const uint8_t *mask, struct par *par, struct error *err)
{
    if (!clip_acts(&clip->config) || step % clip->config.every != 0)
        return 0;
    bool fast = clip->config.method == CLIP_FASTCLIP;
    return sweep(clip, m, mask, par,
                 !fast                    ? clip_scaled
                 : clip->config.published ? clip_published
                                          : clip_once,
                 err);
}

/* From new vectors, so that none is missed; what many rounds leave is scaled away. */
static bool clip_last(const struct clip_pass *p, struct clip_layer *l)
{
    double c = p->config->value * (1 + LAST_TOLERANCE);
    memset(l->basis.v, 0, l->basis.k * l->basis.n_in * sizeof(*l->basis.v));
    if (p->config->method == CLIP_FASTCLIP && !clip_fast(p, l, LAST_ROUNDS, LAST_TOLERANCE / 2))
        return false;
    clip_redraw(p, l);
    if (!clip_refine(p, l, LAST_ITERATIONS))
        return false;
    double sigma = l->basis.sigma[0];
    if (p->config->method == CLIP_MIYATO || sigma > c)
        clip_scale(p, l, sigma > 0 ? p->config->value / sigma : 1);
    return true;
}

int spectral_clip_finish(struct spectral_clip *clip, struct model *m, const uint8_t *mask,
                         struct par *par, struct error *err)
{
    if (!clip_acts(&clip->config) || clip->config.published)
        return 0;
    return sweep(clip, m, mask, par, clip_last, err);
}

/* ---- states ---- */

const double *spectral_clip_state(struct spectral_clip *clip, size_t *ret_n)
{
    double *to = clip->state;
    for (uint32_t i = 0; i < clip->n; i++) {
        const struct spectral_basis *b = &clip->layer[i].basis;
        memcpy(to, b->v, b->k * b->n_in * sizeof(*to));
        to += b->k * b->n_in;
    }
    *to = (double)clip->draws;
    *ret_n = clip->n_state;
    return clip->state;
}

void spectral_clip_restore(struct spectral_clip *clip, const double *state)
{
    for (uint32_t i = 0; i < clip->n; i++) {
        struct spectral_basis *b = &clip->layer[i].basis;
        memcpy(b->v, state, b->k * b->n_in * sizeof(*state));
        state += b->k * b->n_in;
    }
    clip->draws = (uint64_t)*state;
}

/* ---- joint training ---- */

uint32_t spectral_clip_n_maps(const struct spectral_clip *clip)
{
    return clip->n;
}

struct spectral_map *spectral_clip_map(struct spectral_clip *clip, uint32_t i)
{
    return clip->layer[i].map;
}

const double *spectral_clip_vector(const struct spectral_clip *clip, uint32_t i, uint32_t k)
{
    const struct spectral_basis *b = &clip->layer[i].basis;
    return k < b->k ? b->v + k * b->n_in : NULL;
}

static bool refresh_layer(const struct clip_pass *p, struct clip_layer *l)
{
    return clip_refine(p, l, 1);
}

int spectral_clip_refresh(struct spectral_clip *clip, const struct model *m, struct par *par,
                          struct error *err)
{
    return sweep(clip, (struct model *)m, NULL, par, refresh_layer, err);
}

/* ---- recording ---- */

enum { TRACK_SPARE = 2, TRACK_ITERATIONS = 30 };

struct tracking {
    const struct clip_config *config;
    struct spectral_map *map;
    struct spectral_basis *basis;
    bool *failed;
    uint64_t seed;
    uint32_t epoch;
};

static void track_layer(void *arg, size_t item, unsigned worker)
{
    struct tracking *t = arg;
    struct spectral_basis *b = &t->basis[item];
    struct rng rng;
    rng_stream(&rng, t->seed, "spectral-track", (uint64_t)item << 32 | t->epoch);
    t->failed[item] =
        spectral_basis_init(b, &t->map[item], t->config->track + TRACK_SPARE, NULL) < 0;
    if (t->failed[item])
        return;
    spectral_basis_draw(b, &rng);
    t->failed[item] = !spectral_refine(&t->map[item], b, TRACK_ITERATIONS);
}

static int record_layer(const struct tracking *t, const struct model *m, uint32_t i,
                        spectral_record record, void *arg, struct error *err)
{
    const struct spectral_map *map = &t->map[i];
    char name[256];
    bool both = map->norm != SPECTRAL_NO_NORM;
    snprintf(name, sizeof(name), "%s%s%s", map->layer->name, both ? "+" : "",
             both ? m->layer[map->norm]->name : "");
    for (uint32_t k = 0; k < t->config->track && k < t->basis[i].k; k++)
        TRY(record(arg, name, k + 1, t->basis[i].sigma[k], err));
    return 0;
}

int spectral_track(const struct clip_config *config, const struct model *m, uint64_t seed,
                   uint32_t epoch, struct par *par, spectral_record record, void *arg,
                   struct error *err)
{
    struct tracking t = {.config = config, .seed = seed, .epoch = epoch};
    uint32_t n = 0;
    TRY(spectral_maps_new(m, true, &t.map, &n, err));
    t.basis = calloc(n + 1u, sizeof(*t.basis));
    t.failed = calloc(n + 1u, sizeof(*t.failed));
    int rc = t.basis && t.failed ? 0 : error_nomem(err);
    if (rc == 0)
        par_run(par, n, track_layer, &t);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = t.failed[i] ? error_nomem(err) : record_layer(&t, m, i, record, arg, err);
    for (uint32_t i = 0; t.basis && i < n; i++)
        spectral_basis_release(&t.basis[i]);
    free(t.basis);
    free(t.failed);
    spectral_maps_free(t.map, n);
    return rc;
}
