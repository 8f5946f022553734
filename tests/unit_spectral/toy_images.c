#include "toy_images.h"

#include "nn_testing.h"

#include <stdlib.h>
#include <string.h>

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    const struct toy_images *im = self;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(x + i * im->size, im->x + rows[i] * im->size, im->size * sizeof(float));
        y[i] = im->y[rows[i]];
    }
}

void toy_images_init(struct toy_images *im, const struct arch *a, uint32_t n)
{
    *im = (struct toy_images){
        .n = n, .classes = a->classes, .size = (size_t)a->input[0] * a->input[1] * a->input[2]};
    im->x = testing_alloc(n * im->size, sizeof(float));
    im->y = testing_alloc(n, sizeof(int32_t));
    testing_uniform(im->x, n * im->size, 0, 0.5F, 4);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t label = i * 7 % a->classes;
        size_t band = im->size / a->classes;
        im->y[i] = (int32_t)label;
        for (size_t j = 0; j < band; j++)
            im->x[i * im->size + label * band + j] += 0.5F;
    }
    im->source = (struct batch_source){.n = n, .fill = fill, .self = im};
}

void toy_images_release(struct toy_images *im)
{
    free(im->x);
    free(im->y);
}

struct recipe toy_recipe(const char *yaml)
{
    struct error err = ERROR_INIT;
    struct recipe r;
    if (recipe_from_text(yaml, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

struct model *toy_train(const struct arch *a, struct toy_images *im, const char *yaml,
                        uint64_t seed, struct par *par, const struct train_hooks *hooks)
{
    struct error err = ERROR_INIT;
    struct recipe r = toy_recipe(yaml);
    struct model *m = NULL;
    assert_int_equal(model_new(a, &m, &err), 0);
    model_init(m, seed, "init");
    if (train_run(m, &r, &im->source, seed, par, hooks, &err) < 0)
        fail_msg("%s", err.text);
    return m;
}
