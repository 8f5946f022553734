/* conform_world.h: the small world in which the conformance suite runs a plugin: samples, a split,
 * a trained model, oracles, shadow models, and their outputs. A function of its spec and the seed
 * alone; milliseconds to make. */
#ifndef PLUGIN_CONFORM_WORLD_H
#define PLUGIN_CONFORM_WORLD_H

#include "hosting.h"

enum world_forget {
    WORLD_RANDOM = 0, /* some rows of several classes */
    WORLD_ONE,
    WORLD_NONE,
    WORLD_CLASS /* all of class 1 */
};

struct world_spec {
    uint32_t shape[3]; /* C, H, W */
    uint32_t classes, n_train, n_test;
    enum world_forget forget;
    bool one_class; /* every label is 0 */
    uint64_t seed;
};
extern const struct world_spec world_usual; /* 1x7x6, 4 classes, 40 and 24 samples */

enum { WORLD_SHADOWS = 4, WORLD_MAX_MODELS = 16 };

/* A model and its logits on the pool. */
struct world_member {
    struct model *model;
    float *logits, *shifted; /* (n_train + n_test, classes): of samples, and of noisy ones */
};

struct world {
    struct world_spec spec;
    struct dataset ds;
    float *pixels; /* (pool, C, H, W) */
    float *noisy;  /* the same with noise: stand-ins for adversarial samples */
    int32_t *labels;
    uint32_t *test_ids; /* (n_test) pool ids of test rows */
    struct split split;
    struct recipe recipe;
    struct arch *arch;
    struct world_member original, random, shadow[WORLD_SHADOWS];
    struct world_member oracle[WORLD_MAX_MODELS], target[WORLD_MAX_MODELS];
    uint32_t n_oracles, n_targets;
    uint8_t *inclusion[WORLD_SHADOWS]; /* (pool) */
};

int world_make(const struct world_spec *spec, struct world *ret, struct error *err);
/* For membership attacks: models that know half of the pool each. */
int world_make_shadows(struct world *b, struct error *err);
/* For metrics: a random model, and so many unlearned ones and oracles (at most WORLD_MAX_MODELS).
 */
int world_make_unlearned(struct world *b, uint32_t n_targets, uint32_t n_oracles,
                         struct error *err);
/* A model's logits again, after its weights were changed. */
int world_predict(const struct world *b, struct world_member *m, struct error *err);
void world_release(struct world *b);

#endif
