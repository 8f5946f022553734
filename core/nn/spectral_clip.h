/* spectral_clip.h: keeps the singular values of a network's layers near a value while it trains.
 *
 * fastclip: FastClip (Ebrahimpour-Boroojeny, Telgarsky, Sundaram, "Spectrum extraction and
 * clipping for implicitly linear layers", AISTATS 2024). Every so many optimiser steps singular
 * vectors of each layer are refined by PowerQR and the weights moved so that too large values
 * become c; a convolution whose largest is more than 5 % below c is pulled up, as their code does.
 * Momentum is left alone, so values drift above c between clips.
 *
 * gouk: W <- W / max(1, sigma / c) (Gouk et al. 2021, algorithm 2).
 * miyato: W <- W c / |W|, W as (co, ci k k) matrix (Miyato et al. 2018; a projection behind each
 * step instead of a change of variables).
 * none: nothing is changed; singular values are recorded. */
#ifndef NN_SPECTRAL_CLIP_H
#define NN_SPECTRAL_CLIP_H

#include "spectral.h"
#include "strbuf.h"
#include "yaml.h"

enum clip_method { CLIP_OFF = 0, CLIP_NONE, CLIP_FASTCLIP, CLIP_MIYATO, CLIP_GOUK };

struct clip_config {
    enum clip_method method;
    double value;        /* c */
    uint32_t every;      /* optimiser steps from clip to clip */
    uint32_t iterations; /* of PowerQR before a clip */
    bool conv_bn;        /* also a convolution and its batch-norm as one map, in evaluation mode */
    bool published;      /* as in the authors' code, with its faults (docs/SMOOTHNESS.md) */
    uint32_t track;      /* singular values a layer to record after each epoch */
};

/* `off`, or {method: fastclip, value: 1, every: 100, iterations: 10, conv_bn: false,
 * preset: correct, track: 1}; miyato and gouk default to every: 1, iterations: 1. */
int clip_parse(const struct yaml_node *node, struct clip_config *ret, struct error *err);
void clip_text(const struct clip_config *c, struct strbuf *out); /* canonical JSON */
/* Does it change weights? */
bool clip_acts(const struct clip_config *c);

struct spectral_clip;
/* For models of m's architecture. Vectors are drawn from the streams (seed, "spectral", layer). */
int spectral_clip_new(const struct clip_config *config, const struct model *m, uint64_t seed,
                      struct spectral_clip **ret, struct error *err);
void spectral_clip_free(struct spectral_clip *clip); /* accepts NULL */
/* After optimiser step number `step` (1, 2, ...; 0: before the first): clips m's weights when it is
 * time to. mask (n_param), may be NULL: weights where it is 0 keep their bits. */
int spectral_clip_step(struct spectral_clip *clip, struct model *m, uint64_t step,
                       const uint8_t *mask, struct par *par, struct error *err);
/* After the last step: until singular values that PowerQR finds are at most 1 % above c (the true
 * ones 2 %; what deflation leaves is scaled away). The published code has no such step: nothing
 * then. */
int spectral_clip_finish(struct spectral_clip *clip, struct model *m, const uint8_t *mask,
                         struct par *par, struct error *err);

/* What a run that is taken up again needs beside weights and step: (n) numbers, valid until the
 * next call. Restoring takes as many. */
const double *spectral_clip_state(struct spectral_clip *clip, size_t *ret_n);
void spectral_clip_restore(struct spectral_clip *clip, const double *state);

/* ---- for joint training ---- */

uint32_t spectral_clip_n_maps(const struct spectral_clip *clip);
struct spectral_map *spectral_clip_map(struct spectral_clip *clip, uint32_t i);
/* The current right singular vector k (0: the top one) of map i, (n_in) of the map; NULL: it is not
 * kept. Refined by one PowerQR iteration on m's weights by spectral_clip_refresh (all maps). */
const double *spectral_clip_vector(const struct spectral_clip *clip, uint32_t i, uint32_t k);
int spectral_clip_refresh(struct spectral_clip *clip, const struct model *m, struct par *par,
                          struct error *err);

/* ---- recording ---- */

/* Called for each layer and k = 1..; layer: its name, behind a composition "conv1+bn1". */
typedef int (*spectral_record)(void *arg, const char *layer, uint32_t k, double value,
                               struct error *err);
/* The largest singular values of m's layers: PowerQR from vectors of the stream (seed,
 * "spectral-track", epoch), so that a run that is taken up again records the same. */
int spectral_track(const struct clip_config *config, const struct model *m, uint64_t seed,
                   uint32_t epoch, struct par *par, spectral_record record, void *arg,
                   struct error *err);

#endif
