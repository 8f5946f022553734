/* clip_internal.h: one layer under spectral_clip, and the ways to move its weights. */
#ifndef NN_CLIP_INTERNAL_H
#define NN_CLIP_INTERNAL_H

#include "spectral_clip.h"

struct clip_layer {
    struct spectral_map *map;
    struct spectral_basis basis;
    double *grad; /* (rows, cols) scratch */
    double *u;    /* (n_out) scratch */
};

struct clip_pass {
    const struct clip_config *config;
    struct model *m;
    const uint8_t *mask; /* NULL: all weights may move */
    uint64_t seed, draw; /* of vectors that are drawn again */
    bool bn;             /* does the network hold batch-norm? */
};

/* Draws vectors if there are none and refines them n times (more after a draw); false: no memory.
 */
bool clip_refine(const struct clip_pass *p, struct clip_layer *l, uint32_t n);
/* Vectors of a new draw, from the normal distribution or (published) uniform in [0, 1). */
void clip_redraw(const struct clip_pass *p, struct clip_layer *l);

/* One clip of a layer. rounds: how often the vectors may be refined and the weights moved. Each
 * returns false when out of memory. */
bool clip_fast(const struct clip_pass *p, struct clip_layer *l, uint32_t rounds, double tolerance);
bool clip_published(const struct clip_pass *p, struct clip_layer *l);
bool clip_scaled(const struct clip_pass *p, struct clip_layer *l); /* gouk, miyato */

/* The map's weights (or, for a composition, the batch-norm's factors) times `factor`. */
void clip_scale(const struct clip_pass *p, struct clip_layer *l, double factor);
/* Weights of the map (no composition) into the model. */
void clip_store(const struct clip_pass *p, const struct clip_layer *l);

static inline float *clip_weights(const struct clip_pass *p, uint32_t layer)
{
    return p->m->param + p->m->tensor[p->m->layer_first_tensor[layer]].offset;
}

#endif
