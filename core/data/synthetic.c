/* synthetic.c: seeded images that need no download. A class is a smooth pattern, a sample is the
 * pattern plus Gaussian noise in every pixel. Sample i depends on (seed, i) alone. */
#include <math.h>
#include <stdlib.h>

#include "data_source.h"
#include "rng.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, GRID = 7, CLASSES = 10 };

/* Contrast of what all classes share and of what tells them apart, chosen so that at noise 0.25 a
 * small net reaches all of its 1,000 training images and clearly fewer test images, and that at
 * noise 0.5 even the nearest true pattern is often wrong. */
static const double shared_contrast = 0.15, class_contrast = 0.06;

/* A 7 x 7 grid of normal numbers, interpolated to 28 x 28. */
static void smooth_pattern(uint64_t seed, const char *purpose, uint64_t index, double out[PIXELS])
{
    float grid[GRID * GRID];
    struct rng r;
    rng_stream(&r, seed, purpose, index);
    rng_fill_normal(&r, grid, GRID * GRID);
    for (int row = 0; row < SIDE; row++)
        for (int col = 0; col < SIDE; col++) {
            double y = fmin(fmax((row + 0.5) / SIDE * GRID - 0.5, 0), GRID - 1);
            double x = fmin(fmax((col + 0.5) / SIDE * GRID - 0.5, 0), GRID - 1);
            int i = (int)fmin(floor(y), GRID - 2), j = (int)fmin(floor(x), GRID - 2);
            const float *g = grid + i * GRID + j;
            double fy = y - i, fx = x - j;
            out[row * SIDE + col] = (1 - fy) * ((1 - fx) * g[0] + fx * g[1]) +
                                    fy * ((1 - fx) * g[GRID] + fx * g[GRID + 1]);
        }
}

static void make_prototypes(uint64_t seed, double (*out)[PIXELS])
{
    double shared[PIXELS];
    smooth_pattern(seed, "synthetic-shared", 0, shared);
    for (int c = 0; c < CLASSES; c++) {
        smooth_pattern(seed, "synthetic-class", (uint64_t)c, out[c]);
        for (int i = 0; i < PIXELS; i++)
            out[c][i] = 0.5 + shared_contrast * shared[i] + class_contrast * out[c][i];
    }
}

/* Every ten consecutive samples hold each class once, in a drawn order. */
static int32_t label_of(uint64_t seed, const char *purpose, uint32_t index)
{
    uint32_t order[CLASSES];
    struct rng r;
    rng_stream(&r, seed, purpose, index / CLASSES);
    rng_permute(&r, order, CLASSES);
    return (int32_t)order[index % CLASSES];
}

static void make_sample(uint64_t seed, const char *purpose, uint32_t index, double noise,
                        const double prototype[PIXELS], uint8_t out[PIXELS])
{
    float draw[PIXELS];
    struct rng r;
    rng_stream(&r, seed, purpose, index);
    rng_fill_normal(&r, draw, PIXELS);
    for (int i = 0; i < PIXELS; i++) {
        double v = fmin(fmax(prototype[i] + noise * (double)draw[i], 0), 1);
        out[i] = (uint8_t)floor(v * 255 + 0.5);
    }
}

int synthetic_read(const struct data_source *s, const struct data_spec *spec, struct data_target *t,
                   struct error *err)
{
    double(*prototype)[PIXELS] = malloc(CLASSES * sizeof *prototype);
    if (!prototype)
        return error_nomem(err);
    make_prototypes(spec->seed, prototype);
    for (uint32_t i = 0; i < t->n_train + t->n_test; i++) {
        bool train = i < t->n_train;
        uint32_t index = train ? i : i - t->n_train;
        t->labels[i] =
            label_of(spec->seed, train ? "synthetic-train-labels" : "synthetic-test-labels", index);
        make_sample(spec->seed, train ? "synthetic-train" : "synthetic-test", index, spec->noise,
                    prototype[t->labels[i]], t->pixels + (size_t)i * PIXELS);
    }
    free(prototype);
    return 0;
}
