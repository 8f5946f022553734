/* lotos.h: LOTOS, joint training of several models whose convolutions shall not amplify each
 * other's most sensitive directions (Ebrahimpour-Boroojeny, Sundaram, Chandrasekaran, "LOTOS:
 * layer-wise orthogonalization for training robust ensembles", 2024, eq. 2).
 *
 * To the sum of the models' losses comes, for each ordered pair of models j != k and each
 * convolution l, factor x max(0, |A_jl v_kl| - mal): A_jl the convolution of model j as a map, v_kl
 * the top right singular vector of that of model k, a constant. What pairs share of directions is
 * held below mal ("maximum allowed length", below the clip value). */
#ifndef NN_LOTOS_H
#define NN_LOTOS_H

#include <stdbool.h>
#include <stdint.h>

#include "spectral_clip.h"

struct batch_source;
struct recipe;
struct train_hooks;

struct lotos_config {
    bool on;
    double factor, mal;
    uint32_t every; /* steps between penalties */
    uint32_t
        vectors; /* singular vectors a map, weighted 1, .99, .98, ... as in the authors' code */
};

/* {factor: 0.05, mal: 0.8, every: 1, vectors: 1}, or off. Without spectral_clip (of method
 * fastclip) there are no vectors, an error. */
int lotos_parse(const struct yaml_node *node, const struct clip_config *clip,
                struct lotos_config *ret, struct error *err);
void lotos_text(const struct lotos_config *c, struct strbuf *out); /* canonical JSON */

struct lotos_model {
    struct model *m;
    uint64_t seed; /* of this model's clipping and dropout; batches come in the first one's order */
    const struct train_hooks *hooks;
};

/* Trains n models together, in place, by the recipe (its lotos is on); batches are the same for
 * all. Steps as in train_run otherwise. Equal bytes on any number of threads. */
int lotos_train(const struct lotos_model *model, uint32_t n, const struct recipe *r,
                const struct batch_source *src, struct par *par, struct error *err);

/* One term: factor max(0, |A v| - mal) for unit v; adds its gradient by the weights to grad (rows,
 * cols). */
double lotos_term(struct spectral_map *map, const double *v, const struct lotos_config *c,
                  double *grad);

#endif
