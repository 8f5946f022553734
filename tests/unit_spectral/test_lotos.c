/* test_lotos.c: the penalty's gradient by finite differences; what joint training does. */
#include "nn_testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dense_svd.h"
#include "toy_images.h"

static const char net[] =
    "{arch: sequential, input: [1, 8, 8], layers: [{conv: {name: c1, out: 4, kernel: 3, pad: 1}}, "
    "relu, {conv: {name: c2, out: 6, kernel: 3, stride: 2, pad: 1}}, relu, flatten, {linear: "
    "{name: fc, out: 4}}]}";

static void test_gradient(void **state)
{
    struct testbed t;
    struct error err = ERROR_INIT;
    struct spectral_map *map = NULL;
    const struct lotos_config config = {true, 0.3, 0.1, 1, 1};
    uint32_t n = 0;
    testbed_init(&t, net, 2, 1, NULL);
    assert_int_equal(spectral_maps_new(t.m, false, &map, &n, &err), 0);
    for (uint32_t i = 0; i < 2; i++) {
        size_t size = map[i].rows * map[i].cols;
        double *grad = testing_alloc(size, sizeof(*grad)), *none = testing_alloc(size, 8);
        double *v = testing_alloc(map[i].n_in, sizeof(*v)), norm = 0;
        for (size_t k = 0; k < map[i].n_in; k++) {
            v[k] = sin(7 * (double)k);
            norm += v[k] * v[k];
        }
        for (size_t k = 0; k < map[i].n_in; k++)
            v[k] /= sqrt(norm);
        assert_true(lotos_term(&map[i], v, &config, grad) > 0);
        for (size_t w = 0; w < size; w += 5) {
            const double h = 1e-5, kept = map[i].weight[w];
            map[i].weight[w] = kept + h;
            double up = lotos_term(&map[i], v, &config, none);
            map[i].weight[w] = kept - h;
            double down = lotos_term(&map[i], v, &config, none);
            map[i].weight[w] = kept;
            assert_true(fabs((up - down) / (2 * h) - grad[w]) < 1e-7);
        }
        memset(none, 0, size * sizeof(*none));
        const struct lotos_config high = {true, 0.3, 100, 1, 1};
        assert_true(lotos_term(&map[i], v, &high, none) == 0 && none[0] == 0);
        free(grad);
        free(none);
        free(v);
    }
    spectral_maps_free(map, n);
    testbed_release(&t);
}

enum { MODELS = 2 };

static void joint(struct model **m, const struct arch *a, struct toy_images *im, const char *yaml,
                  struct par *par)
{
    struct error err = ERROR_INIT;
    struct recipe r = toy_recipe(yaml);
    struct lotos_model list[MODELS];
    for (uint64_t j = 0; j < MODELS; j++) {
        assert_int_equal(model_new(a, &m[j], &err), 0);
        model_init(m[j], j + 1, "init");
        list[j] = (struct lotos_model){m[j], j + 1, NULL};
    }
    if (lotos_train(list, MODELS, &r, &im->source, par, &err) < 0)
        fail_msg("%s", err.text);
}

/* How much a convolution of one model amplifies the other's top direction. */
static double overlap(const struct model *a, const struct model *b, uint32_t layer)
{
    struct spectral_map *of_a = NULL, *of_b = NULL;
    struct spectral_basis v;
    struct error err = ERROR_INIT;
    struct rng rng;
    uint32_t n = 0;
    assert_int_equal(spectral_maps_new(a, false, &of_a, &n, &err), 0);
    assert_int_equal(spectral_maps_new(b, false, &of_b, &n, &err), 0);
    assert_int_equal(spectral_basis_init(&v, &of_b[layer], 4, &err), 0);
    rng_stream(&rng, 1, "test", 0);
    spectral_basis_draw(&v, &rng);
    spectral_iterate(&of_b[layer], &v, 300);
    double sum = 0;
    spectral_map_apply(&of_a[layer], v.v, of_a[layer].out);
    for (size_t i = 0; i < of_a[layer].n_out; i++)
        sum += of_a[layer].out[i] * of_a[layer].out[i];
    spectral_basis_release(&v);
    spectral_maps_free(of_a, n);
    spectral_maps_free(of_b, n);
    return sqrt(sum);
}

#define RECIPE                                                                                     \
    "epochs: 10, batch: 16, lr: 0.05, momentum: 0.9, spectral_clip: {preset: published}, "         \
    "lotos: "

static void test_joint(void **state)
{
    struct arch *a = testing_arch(net);
    struct toy_images im;
    struct model *apart[MODELS], *together[MODELS], *again[MODELS];
    struct par *par = par_new(3);
    toy_images_init(&im, a, 96);
    joint(apart, a, &im, "{" RECIPE "{factor: 0}}", NULL);
    joint(together, a, &im, "{" RECIPE "{factor: 0.5, mal: 0.3}}", NULL);
    joint(again, a, &im, "{" RECIPE "{factor: 0.5, mal: 0.3}}", par);
    double before = 0, after = 0;
    for (int j = 0; j < MODELS; j++) {
        for (uint32_t l = 0; l < 2; l++) {
            before += overlap(apart[j], apart[1 - j], l);
            after += overlap(together[j], together[1 - j], l);
        }
        assert_memory_equal(together[j]->param, again[j]->param, again[j]->n_param * sizeof(float));
    }
    if (!(after < 0.6 * before))
        fail_msg("lengths %g without the penalty, %g with it", before, after);
    for (int j = 0; j < MODELS; j++) {
        model_free(apart[j]);
        model_free(together[j]);
        model_free(again[j]);
    }
    par_free(par);
    toy_images_release(&im);
    arch_free(a);
}

static void test_refusals(void **state)
{
    struct arch *a = testing_arch("{arch: sequential, input: [1, 8, 8], layers: [flatten, {linear: "
                                  "{out: 4}}]}");
    struct toy_images im;
    struct error err = ERROR_INIT;
    struct model *m = NULL;
    toy_images_init(&im, a, 16);
    assert_int_equal(model_new(a, &m, &err), 0);
    struct lotos_model list[1] = {{m, 1, NULL}};
    struct recipe r = toy_recipe("{" RECIPE "{factor: 0.5}}");
    assert_int_equal(lotos_train(list, 1, &r, &im.source, NULL, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "no convolution"));
    model_free(m);
    toy_images_release(&im);
    arch_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradient),
                                       cmocka_unit_test(test_joint),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
