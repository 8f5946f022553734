/* Samples are noisy prototypes, one a class; the noise is strong enough that a model which knows
 * its training rows by heart does worse on others. */
#include "conform_world.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "text.h"
#include "yaml.h"

const struct world_spec world_usual = {{1, 7, 6}, 4, 40, 24, WORLD_RANDOM, false, 1};

/* ---- samples ---- */

static uint32_t pool(const struct world *b)
{
    return b->spec.n_train + b->spec.n_test;
}

static size_t pixels_of(const struct world *b)
{
    return (size_t)b->spec.shape[0] * b->spec.shape[1] * b->spec.shape[2];
}

static float clamp(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void draw_samples(struct world *b, const float *prototype, size_t pixels)
{
    struct rng rng;
    rng_stream(&rng, b->spec.seed, "world/noise", 0);
    rng_fill_normal(&rng, b->pixels, pool(b) * pixels);
    rng_fill_uniform(&rng, b->noisy, pool(b) * pixels);
    for (uint32_t i = 0; i < pool(b); i++) {
        uint32_t label = i % b->spec.classes;
        b->labels[i] = b->spec.one_class ? 0 : (int32_t)label;
        for (size_t k = 0; k < pixels; k++) {
            float *x = &b->pixels[i * pixels + k], *y = &b->noisy[i * pixels + k];
            *x = clamp(0.2f + 0.6f * prototype[label * pixels + k] + 0.25f * *x);
            *y = clamp(*x + 0.4f * (*y - 0.5f));
        }
    }
}

static int make_samples(struct world *b, struct error *err)
{
    const struct world_spec *s = &b->spec;
    size_t pixels = pixels_of(b), n = pool(b);
    float *prototype = malloc(s->classes * pixels * sizeof(*prototype));
    struct rng rng;
    b->pixels = malloc(n * pixels * sizeof(*b->pixels));
    b->noisy = malloc(n * pixels * sizeof(*b->noisy));
    b->labels = malloc(n * sizeof(*b->labels));
    b->test_ids = malloc((s->n_test + 1) * sizeof(*b->test_ids));
    if (!prototype || !b->pixels || !b->noisy || !b->labels || !b->test_ids) {
        free(prototype);
        return error_nomem(err);
    }
    rng_stream(&rng, s->seed, "world/prototypes", 0);
    rng_fill_uniform(&rng, prototype, s->classes * pixels);
    draw_samples(b, prototype, pixels);
    free(prototype);
    for (uint32_t i = 0; i < s->n_test; i++)
        b->test_ids[i] = s->n_train + i;
    b->ds = (struct dataset){.n_train = s->n_train,
                             .n_test = s->n_test,
                             .n_classes = s->classes,
                             .channels = s->shape[0],
                             .height = s->shape[1],
                             .width = s->shape[2],
                             .reals = b->pixels,
                             .labels = b->labels};
    return 0;
}

/* Every training row is retained: split_make refuses to make such a split. */
static int retain_all(struct world *b, struct error *err)
{
    struct split *s = &b->split;
    uint32_t *retain = malloc((b->spec.n_train + 1) * sizeof(*retain));
    if (!retain)
        return error_nomem(err);
    free(s->retain);
    s->retain = retain;
    s->n_retain = b->spec.n_train;
    s->n_forget = 0;
    for (uint32_t i = 0; i < s->n_retain; i++) {
        s->retain[i] = i;
        s->role[i] = ROW_RETAIN;
    }
    return 0;
}

static int make_split(struct world *b, struct error *err)
{
    uint32_t rows[64], n = b->spec.forget == WORLD_ONE ? 1 : b->spec.n_train / 6;
    n = n < 64 ? n > 0 ? n : 1 : 64;
    struct forget_spec spec = {.kind = FORGET_INDICES, .rows = rows, .n_rows = n};
    for (uint32_t i = 0; i < n; i++)
        rows[i] = 5 * i; /* several classes, none of them whole */
    if (b->spec.forget == WORLD_CLASS)
        spec = (struct forget_spec){.kind = FORGET_CLASS, .classes = {1}, .n_classes = 1};
    TRY(split_make(&b->ds, &spec, b->spec.seed, &b->split, err));
    return b->spec.forget == WORLD_NONE ? retain_all(b, err) : 0;
}

/* ---- models ---- */

static int make_arch(struct world *b, struct error *err)
{
    struct yaml_node *node = NULL;
    static const char text[] =
        "{arch: sequential, layers: [{conv: {out: 4, kernel: 3, pad: 1}}, "
        "batchnorm, relu, {maxpool: {kernel: 2, stride: 2}}, flatten, {linear: {out: 16}}, relu, "
        "{linear: {out: %u}}]}";
    char *full = text_format(text, b->spec.classes);
    int rc = full ? yaml_parse("arch", full, strlen(full), &node, err) : error_nomem(err);
    if (rc == 0)
        rc = arch_parse(node, b->spec.shape, b->spec.classes, &b->arch, err);
    yaml_free(node);
    free(full);
    return rc;
}

struct rows {
    const struct world *b;
    const float *x;     /* (pool, C, H, W) */
    const uint32_t *id; /* pool ids; NULL: all */
};

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    const struct rows *r = self;
    size_t pixels = pixels_of(r->b);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = r->id ? r->id[rows[i]] : rows[i];
        memcpy(x + i * pixels, r->x + id * pixels, pixels * sizeof(*x));
        y[i] = r->b->labels[id];
    }
}

int world_predict(const struct world *b, struct world_member *m, struct error *err)
{
    size_t bytes = (size_t)pool(b) * b->spec.classes * sizeof(float);
    struct rows clean = {b, b->pixels, NULL}, noisy = {b, b->noisy, NULL};
    struct batch_source source = {pool(b), fill, &clean};
    m->logits = m->logits ? m->logits : malloc(bytes);
    m->shifted = m->shifted ? m->shifted : malloc(bytes);
    if (!m->logits || !m->shifted)
        return error_nomem(err);
    TRY(predict_run(m->model, &source, 64, NULL, m->logits, err));
    source.self = &noisy;
    return predict_run(m->model, &source, 64, NULL, m->shifted, err);
}

/* rows (n): what it is trained on; epochs 0 leaves it as initialised. */
static int train(const struct world *b, struct world_member *m, const uint32_t *rows, uint32_t n,
                 uint64_t seed, uint32_t epochs, struct error *err)
{
    struct rows of = {b, b->pixels, rows};
    struct batch_source source = {n, fill, &of};
    struct train_hooks none = {.arg = NULL};
    struct recipe recipe = b->recipe;
    recipe.epochs = epochs;
    TRY(model_new(b->arch, &m->model, err));
    model_init(m->model, seed, "init");
    return epochs > 0 && n > 0 ? train_run(m->model, &recipe, &source, seed, NULL, &none, err) : 0;
}

enum { EPOCHS = 30, FEW_EPOCHS = 12 };

int world_make(const struct world_spec *spec, struct world *ret, struct error *err)
{
    struct world b = {.spec = *spec};
    recipe_defaults(&b.recipe);
    b.recipe.epochs = 3;
    b.recipe.batch = 16;
    b.recipe.lr = 0.05;
    b.recipe.optim.momentum = 0.9;
    int rc = make_samples(&b, err);
    if (rc == 0)
        rc = make_split(&b, err);
    if (rc == 0)
        rc = make_arch(&b, err);
    *ret = b;
    /* from here on parts refer to *ret */
    if (rc == 0)
        rc = train(ret, &ret->original, NULL, spec->n_train, spec->seed, EPOCHS, err);
    if (rc == 0)
        rc = world_predict(ret, &ret->original, err);
    if (rc < 0)
        world_release(ret);
    return rc;
}

static int make_shadow(struct world *b, uint32_t k, struct error *err)
{
    uint32_t *rows = malloc(pool(b) * sizeof(*rows)), n = 0;
    b->inclusion[k] = malloc(pool(b));
    int rc = rows && b->inclusion[k] ? 0 : error_nomem(err);
    if (rc == 0) {
        split_shadow(pool(b), b->spec.seed, k, b->inclusion[k]);
        for (uint32_t i = 0; i < pool(b); i++)
            if (b->inclusion[k][i])
                rows[n++] = i;
        rc = train(b, &b->shadow[k], rows, n, b->spec.seed + 50 + k, EPOCHS, err);
    }
    if (rc == 0)
        rc = world_predict(b, &b->shadow[k], err);
    free(rows);
    return rc;
}

int world_make_shadows(struct world *b, struct error *err)
{
    for (uint32_t k = 0; k < WORLD_SHADOWS; k++)
        TRY(make_shadow(b, k, err));
    return 0;
}

/* Trained on the retain set. */
static int make_unlearned(struct world *b, struct world_member *m, uint64_t seed, struct error *err)
{
    TRY(train(b, m, b->split.retain, b->split.n_retain, seed, FEW_EPOCHS, err));
    return world_predict(b, m, err);
}

int world_make_unlearned(struct world *b, uint32_t n_targets, uint32_t n_oracles, struct error *err)
{
    b->n_targets = n_targets < WORLD_MAX_MODELS ? n_targets : WORLD_MAX_MODELS;
    b->n_oracles = n_oracles < WORLD_MAX_MODELS ? n_oracles : WORLD_MAX_MODELS;
    TRY(train(b, &b->random, NULL, 0, b->spec.seed + 99, 0, err));
    TRY(world_predict(b, &b->random, err));
    for (uint32_t k = 0; k < b->n_oracles; k++)
        TRY(make_unlearned(b, &b->oracle[k], b->spec.seed + 10 + k, err));
    for (uint32_t k = 0; k < b->n_targets; k++)
        TRY(make_unlearned(b, &b->target[k], b->spec.seed + 30 + k, err));
    return 0;
}

static void member_release(struct world_member *m)
{
    model_free(m->model);
    free(m->logits);
    free(m->shifted);
}

void world_release(struct world *b)
{
    member_release(&b->original);
    member_release(&b->random);
    for (int k = 0; k < WORLD_SHADOWS; k++) {
        member_release(&b->shadow[k]);
        free(b->inclusion[k]);
    }
    for (int k = 0; k < WORLD_MAX_MODELS; k++) {
        member_release(&b->oracle[k]);
        member_release(&b->target[k]);
    }
    arch_free(b->arch);
    split_release(&b->split);
    free(b->pixels);
    free(b->noisy);
    free(b->labels);
    free(b->test_ids);
    memset(b, 0, sizeof(*b));
}
