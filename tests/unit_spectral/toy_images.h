/* toy_images.h: small images whose label shows as a brighter band, for training runs in tests. */
#ifndef TOY_IMAGES_H
#define TOY_IMAGES_H

#include "train.h"

struct toy_images {
    uint32_t n, classes;
    size_t size;
    float *x;
    int32_t *y;
    struct batch_source source;
};

/* The object must not move between init and release. */
void toy_images_init(struct toy_images *im, const struct arch *a, uint32_t n);
void toy_images_release(struct toy_images *im);
struct recipe toy_recipe(const char *yaml);
/* A drawn model trained on the images; the test fails when training does. */
struct model *toy_train(const struct arch *a, struct toy_images *im, const char *yaml,
                        uint64_t seed, struct par *par, const struct train_hooks *hooks);

#endif
