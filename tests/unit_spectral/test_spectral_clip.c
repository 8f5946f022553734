/* test_spectral_clip.c: what clipping promises, against the singular values of the written-down
 * matrices; what it must leave alone; that it does not depend on threads or interruptions. */
#include "nn_testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dense_svd.h"
#include "toy_images.h"

static const char plain_net[] =
    "{arch: sequential, input: [1, 8, 8], layers: [{conv: {name: c1, out: 4, kernel: 3, pad: 1}}, "
    "relu, {maxpool: {kernel: 2, stride: 2}}, {conv: {name: c2, out: 6, kernel: 3, stride: 2, "
    "pad: 1}}, relu, flatten, {linear: {name: fc, out: 4}}]}";
static const char norm_net[] =
    "{arch: sequential, input: [1, 8, 8], layers: [{conv: {name: c1, out: 4, kernel: 3, pad: 1}}, "
    "{batchnorm: {name: n1}}, relu, {residual: {body: [{conv: {name: c2, out: 4, kernel: 3, "
    "pad: 1, bias: false}}, {batchnorm: {name: n2}}]}}, relu, flatten, {linear: {name: fc, out: "
    "4}}]}";

#define TRAIN "epochs: 6, batch: 16, lr: 0.1, momentum: 0.9"

/* Exact norms of all maps, conv_bn compositions behind their convolutions. */
static uint32_t norms_of(const struct model *m, bool conv_bn, double *norm, bool *conv)
{
    struct spectral_map *map = NULL;
    struct error err = ERROR_INIT;
    uint32_t n = 0;
    assert_int_equal(spectral_maps_new(m, conv_bn, &map, &n, &err), 0);
    for (uint32_t i = 0; i < n; i++) {
        norm[i] = dense_norm(m, &map[i]);
        conv[i] = map[i].layer->kind == LAYER_CONV && map[i].norm == SPECTRAL_NO_NORM;
    }
    spectral_maps_free(map, n);
    return n;
}

static double largest(const struct model *m, bool conv_bn)
{
    double norm[16], most = 0;
    bool conv[16];
    uint32_t n = norms_of(m, conv_bn, norm, conv);
    for (uint32_t i = 0; i < n; i++)
        most = fmax(most, norm[i]);
    return most;
}

static void check_within(const struct model *m, bool conv_bn, double c)
{
    double norm[16];
    bool conv[16];
    uint32_t n = norms_of(m, conv_bn, norm, conv);
    for (uint32_t i = 0; i < n; i++)
        if (!(norm[i] <= 1.05 * c) || (conv[i] && !(norm[i] >= 0.95 * c)))
            fail_msg("map %u has norm %g, not %g", i, norm[i], c);
}

static void scale_weights(struct model *m, float factor)
{
    for (size_t i = 0; i < m->n_param; i++)
        m->param[i] *= factor;
}

static struct spectral_clip *clip_of(const struct model *m, const char *yaml, struct recipe *r)
{
    struct spectral_clip *clip = NULL;
    struct error err = ERROR_INIT;
    *r = toy_recipe(yaml);
    assert_int_equal(spectral_clip_new(&r->spectral, m, 3, &clip, &err), 0);
    return clip;
}

/* Far too large and far too small weights, in one go. */
static void test_finish(void **state)
{
    static const float factors[] = {0.2F, 1, 8};
    static const char *const methods[] = {"{spectral_clip: {value: 0.7}}",
                                          "{spectral_clip: {value: 0.7, method: gouk}}"};
    for (int i = 0; i < 6; i++) {
        struct testbed t;
        struct error err = ERROR_INIT;
        struct recipe r;
        double norm[16];
        bool conv[16];
        testbed_init(&t, plain_net, 2, 1, NULL);
        scale_weights(t.m, factors[i / 2]);
        struct spectral_clip *clip = clip_of(t.m, methods[i % 2], &r);
        assert_int_equal(spectral_clip_finish(clip, t.m, NULL, t.par, &err), 0);
        uint32_t n = norms_of(t.m, false, norm, conv);
        assert_int_equal(n, 3);
        for (uint32_t k = 0; k < n; k++)
            if (!(norm[k] <= 0.7 * 1.02) || (i % 2 == 0 && conv[k] && !(norm[k] >= 0.7 * 0.94)))
                fail_msg("case %d, map %u: %g", i, k, norm[k]);
        spectral_clip_free(clip);
        testbed_release(&t);
    }
}

/* Trained with clipping the layers are at c; without it they are well above. */
static void test_training(void **state)
{
    struct arch *a = testing_arch(plain_net);
    struct toy_images im;
    toy_images_init(&im, a, 128);
    struct model *plain = toy_train(a, &im, "{" TRAIN "}", 1, NULL, NULL);
    struct model *none =
        toy_train(a, &im, "{" TRAIN ", spectral_clip: {method: none}}", 1, NULL, NULL);
    struct model *clipped =
        toy_train(a, &im, "{" TRAIN ", spectral_clip: {value: 0.8, every: 10}}", 1, NULL, NULL);
    struct model *gouk =
        toy_train(a, &im, "{" TRAIN ", spectral_clip: {value: 0.8, method: gouk}}", 1, NULL, NULL);
    assert_memory_equal(plain->param, none->param, plain->n_param * sizeof(float));
    check_within(clipped, false, 0.8);
    assert_true(largest(gouk, false) <= 0.8 * 1.02);
    assert_true(largest(plain, false) > 1.5 * 0.8);
    model_free(plain);
    model_free(none);
    model_free(clipped);
    model_free(gouk);
    toy_images_release(&im);
    arch_free(a);
}

/* Compositions are held down by batch-norm's factors; running statistics are not touched. */
static void test_composition(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct recipe r;
    testbed_init(&t, norm_net, 2, 1, NULL);
    scale_weights(t.m, 3);
    float *before = testing_alloc(t.m->n_stat, sizeof(float));
    memcpy(before, t.m->stat, t.m->n_stat * sizeof(float));
    struct spectral_clip *clip = clip_of(t.m, "{spectral_clip: {value: 1, conv_bn: true}}", &r);
    assert_true(largest(t.m, true) > 2);
    assert_int_equal(spectral_clip_finish(clip, t.m, NULL, t.par, &err), 0);
    assert_true(largest(t.m, true) <= 1.02);
    assert_memory_equal(before, t.m->stat, t.m->n_stat * sizeof(float));
    spectral_clip_free(clip);
    free(before);
    testbed_release(&t);
}

/* Miyato's matrix has norm c, the map it stands for does not. */
static void test_miyato(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct recipe r;
    struct spectral_map *map = NULL;
    uint32_t n = 0;
    testbed_init(&t, plain_net, 2, 1, NULL);
    struct spectral_clip *clip = clip_of(t.m, "{spectral_clip: {value: 1, method: miyato}}", &r);
    assert_int_equal(spectral_clip_finish(clip, t.m, NULL, t.par, &err), 0);
    assert_int_equal(spectral_maps_new(t.m, false, &map, &n, &err), 0);
    for (uint32_t i = 0; i < n; i++)
        assert_true(fabs(spectral_reshaped(&map[i]) - 1) < 5e-3);
    assert_true(dense_norm(t.m, &map[0]) > 1.2);
    spectral_maps_free(map, n);
    spectral_clip_free(clip);
    testbed_release(&t);
}

/* The published step of one convolution, from the formula: with v the vector before the step,
 * W - 0.35 (2 / width) (1 - c / sigma) (W * v) x columns(v); here on a map with one pixel and one
 * channel, where W * v = sigma u and all can be written down. */
static void test_published(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct recipe r;
    testbed_init(&t,
                 "{arch: sequential, input: [1, 2, 2], layers: [{conv: {out: 1, kernel: 2, bias: "
                 "false}}, flatten, {linear: {out: 2, bias: false}}]}",
                 1, 1, NULL);
    for (int i = 0; i < 4; i++)
        t.m->param[i] = (float)(i + 1);
    double sigma = sqrt(30), factor = 1 - 0.35 * 2 * (1 - 1 / sigma);
    t.m->param[4] = t.m->param[5] = 0.6F;
    struct spectral_clip *clip =
        clip_of(t.m, "{spectral_clip: {value: 1, every: 2, preset: published}}", &r);
    assert_int_equal(spectral_clip_step(clip, t.m, 1, NULL, NULL, &err), 0);
    assert_true(t.m->param[3] == 4);
    assert_int_equal(spectral_clip_step(clip, t.m, 2, NULL, NULL, &err), 0);
    for (int i = 0; i < 4; i++)
        assert_true(fabs((double)t.m->param[i] - factor * (i + 1)) < 1e-5);
    assert_true(t.m->param[4] == 0.6F); /* a linear layer is never pulled up */
    float kept = t.m->param[0];
    assert_int_equal(spectral_clip_finish(clip, t.m, NULL, NULL, &err), 0);
    assert_true(t.m->param[0] == kept);
    spectral_clip_free(clip);
    testbed_release(&t);
}

/* The fault of the published composition: running statistics change. */
static void test_published_composition(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct recipe r;
    testbed_init(&t, norm_net, 2, 1, NULL);
    scale_weights(t.m, 3);
    float mean = t.m->stat[0];
    struct spectral_clip *clip =
        clip_of(t.m, "{spectral_clip: {value: 1, every: 1, conv_bn: true, preset: published}}", &r);
    assert_int_equal(spectral_clip_step(clip, t.m, 1, NULL, NULL, &err), 0);
    assert_true(t.m->stat[0] != mean);
    assert_true(model_is_finite(t.m));
    spectral_clip_free(clip);
    testbed_release(&t);
}

static void test_mask(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct recipe r;
    testbed_init(&t, norm_net, 2, 1, NULL);
    scale_weights(t.m, 3);
    size_t n = t.m->n_param;
    uint8_t *mask = testing_alloc(n, 1);
    float *before = testing_alloc(n, sizeof(float));
    memcpy(before, t.m->param, n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        mask[i] = i % 3 == 0;
    struct spectral_clip *clip = clip_of(t.m, "{spectral_clip: {value: 1, conv_bn: true}}", &r);
    assert_int_equal(spectral_clip_step(clip, t.m, 100, mask, t.par, &err), 0);
    assert_int_equal(spectral_clip_finish(clip, t.m, mask, t.par, &err), 0);
    size_t moved = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(mask[i] || before[i] == t.m->param[i]);
        moved += before[i] != t.m->param[i];
    }
    assert_true(moved > n / 10);
    spectral_clip_free(clip);
    free(mask);
    free(before);
    testbed_release(&t);
}

/* The same bytes on one thread and on four, and from a state in the middle. */
struct saved {
    struct train_state s;
    void *block[4];
};

static void *copied(const void *from, size_t bytes)
{
    void *to = from ? testing_alloc(bytes, 1) : NULL;
    if (to)
        memcpy(to, from, bytes);
    return to;
}

static int save_state(void *arg, const struct train_state *s, struct error *err)
{
    struct saved *save = arg;
    if (s->epochs != 2)
        return 0;
    save->s = *s;
    save->s.param = save->block[0] = copied(s->param, s->n_param * sizeof(float));
    save->s.stat = save->block[1] = copied(s->stat, s->n_stat * sizeof(float));
    save->s.moment[0] = save->block[2] = copied(s->moment[0], s->n_param * sizeof(float));
    save->s.spectral = save->block[3] = copied(s->spectral, s->n_spectral * sizeof(double));
    return 0;
}

static void test_same_bytes(void **state)
{
    static const char recipe[] = "{" TRAIN ", spectral_clip: {value: 0.8, every: 5, conv_bn: "
                                 "true}}";
    struct arch *a = testing_arch(norm_net);
    struct toy_images im;
    struct error err = ERROR_INIT;
    struct saved save = {0};
    struct train_checkpoints saving = {.save = save_state, .arg = &save};
    struct train_checkpoints resuming = {.from = &save.s};
    struct recipe r = toy_recipe(recipe);
    struct par *par = par_new(4);
    toy_images_init(&im, a, 100);
    struct model *one = toy_train(a, &im, recipe, 1, NULL, NULL);
    struct model *four = toy_train(a, &im, recipe, 1, par, NULL);
    assert_memory_equal(one->param, four->param, one->n_param * sizeof(float));
    model_init(four, 1, "init");
    assert_int_equal(train_resume(four, &r, &im.source, 1, par, NULL, &saving, &err), 0);
    model_init(four, 9, "other");
    assert_int_equal(train_resume(four, &r, &im.source, 1, par, NULL, &resuming, &err), 0);
    assert_memory_equal(one->param, four->param, one->n_param * sizeof(float));
    assert_memory_equal(one->stat, four->stat, one->n_stat * sizeof(float));
    save.s.n_spectral--;
    assert_int_equal(train_resume(four, &r, &im.source, 1, par, NULL, &resuming, &err),
                     ERR_INVALID);
    for (int i = 0; i < 4; i++)
        free(save.block[i]);
    par_free(par);
    model_free(one);
    model_free(four);
    toy_images_release(&im);
    arch_free(a);
}

/* ---- recording ---- */

struct seen {
    uint32_t rows, epochs;
    double last;
    char layer[32];
};

static int note(void *arg, uint32_t epoch, const char *layer, uint32_t k, double value,
                struct error *err)
{
    struct seen *s = arg;
    s->rows++;
    s->epochs = epoch + 1;
    if (k == 1) {
        s->last = value;
        snprintf(s->layer, sizeof(s->layer), "%s", layer);
    }
    return 0;
}

static void test_recording(void **state)
{
    struct arch *a = testing_arch(norm_net);
    struct toy_images im;
    struct seen seen = {0};
    const struct train_hooks hooks = {.spectral = note, .arg = &seen};
    struct spectral_map *map = NULL;
    struct error err = ERROR_INIT;
    uint32_t n = 0;
    toy_images_init(&im, a, 64);
    struct model *m = toy_train(
        a, &im, "{epochs: 2, batch: 16, spectral_clip: {method: none, track: 2}}", 1, NULL, &hooks);
    assert_int_equal(seen.rows, 3 * 5 * 2); /* epochs 0 1 2; c1 c1+n1 c2 c2+n2 fc; two values */
    assert_int_equal(seen.epochs, 3);
    assert_string_equal(seen.layer, "fc");
    assert_int_equal(spectral_maps_new(m, true, &map, &n, &err), 0);
    assert_true(fabs(seen.last / dense_norm(m, &map[n - 1]) - 1) < 5e-3);
    spectral_maps_free(map, n);
    model_free(m);
    toy_images_release(&im);
    arch_free(a);
}

static void test_options(void **state)
{
    struct strbuf text, again;
    struct error err = ERROR_INIT;
    struct recipe r = toy_recipe("{lr: 0.1}");
    strbuf_init(&text);
    strbuf_init(&again);
    recipe_text(&r, &text);
    assert_null(strstr(text.s, "spectral"));
    strbuf_release(&text);
    strbuf_init(&text);
    r = toy_recipe("{spectral_clip: {value: 0.5, every: 20, conv_bn: true, track: 3}, lotos: {mal: "
                   "0.4, factor: 0.03}}");
    assert_true(r.spectral.method == CLIP_FASTCLIP && r.spectral.iterations == 10 && r.lotos.on);
    recipe_text(&r, &text);
    struct recipe copy = toy_recipe(text.s);
    recipe_text(&copy, &again);
    assert_string_equal(text.s, again.s);
    assert_non_null(strstr(text.s, "\"track\":3"));
    strbuf_release(&text);
    strbuf_release(&again);
    static const char *const wrong[] = {"{spectral_clip: 3}",
                                        "{spectral_clip: {value: 0}}",
                                        "{spectral_clip: {method: gouki}}",
                                        "{spectral_clip: {every: 0}}",
                                        "{spectral_clip: {valu: 1}}",
                                        "{spectral_clip: {method: gouk, preset: published}}",
                                        "{lotos: {mal: 0.8}}",
                                        "{spectral_clip: {track: 9}}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(recipe_from_text(wrong[i], &r, &err), ERR_INVALID);
    r = toy_recipe("{spectral_clip: off}");
    assert_int_equal(r.spectral.method, CLIP_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finish),      cmocka_unit_test(test_training),
        cmocka_unit_test(test_composition), cmocka_unit_test(test_miyato),
        cmocka_unit_test(test_published),   cmocka_unit_test(test_published_composition),
        cmocka_unit_test(test_mask),        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_recording),   cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
