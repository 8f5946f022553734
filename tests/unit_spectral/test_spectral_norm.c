/* test_spectral_norm.c: PowerQR and the certified bounds against all singular values of the
 * written-down matrix; products over networks against products worked out by hand. */
#include "nn_testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dense_svd.h"

static struct model *drawn_model(const char *text, uint64_t seed, struct arch **ret_arch)
{
    struct error err = ERROR_INIT;
    struct model *m = NULL;
    *ret_arch = testing_arch(text);
    assert_int_equal(model_new(*ret_arch, &m, &err), 0);
    model_init(m, seed, "init");
    for (size_t i = 0; i < m->n_tensors; i++) {
        const struct tensor_info *t = &m->tensor[i];
        if (t->flags & TENSOR_NORM)
            testing_uniform((t->flags & TENSOR_STATISTIC ? m->stat : m->param) + t->offset, t->n,
                            0.5F, 1.5F, seed + i);
    }
    return m;
}

static struct spectral_report report_of(const struct model *m, uint32_t top, struct par *par)
{
    const struct spectral_options o = {SPECTRAL_ITERATIONS, top, 1};
    struct spectral_report r = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(spectral_report_make(m, &o, par, &r, &err), 0);
    return r;
}

/* Every linear map of the network: estimate within 1e-3 below, the bound at least the norm. */
static void check_model(const char *text, uint64_t seed)
{
    struct arch *arch;
    struct model *m = drawn_model(text, seed, &arch);
    struct spectral_map *map = NULL;
    struct error err = ERROR_INIT;
    uint32_t n = 0, seen = 0;
    struct spectral_report r = report_of(m, 4, NULL);
    assert_int_equal(spectral_maps_new(m, true, &map, &n, &err), 0);
    for (uint32_t i = 0; i < r.n; i++) {
        const struct spectral_row *row = &r.row[i];
        if (row->n_values == 0)
            continue;
        double wanted = dense_norm(m, &map[seen]);
        if (!(row->norm <= wanted * (1 + 1e-9) && row->norm >= wanted * (1 - 1e-3)))
            fail_msg("%s %s: %.9g is not %.9g", text, row->name, row->norm, wanted);
        if (!(row->certified >= wanted && row->norm <= row->certified))
            fail_msg("%s %s: bound %.9g under %.9g", text, row->name, row->certified, wanted);
        assert_int_equal(row->composed, map[seen].norm != SPECTRAL_NO_NORM);
        seen++;
    }
    assert_int_equal(seen, n);
    assert_true(n > 0);
    spectral_maps_free(map, n);
    spectral_report_release(&r);
    model_free(m);
    arch_free(arch);
}

static void test_convolutions(void **state)
{
    static const unsigned sizes[][2] = {{5, 5}, {8, 8}, {7, 10}, {12, 12}};
    for (unsigned s = 0; s < 4; s++)
        for (unsigned kernel = s == 3 ? 3 : 1; kernel <= (s == 3 ? 3 : 5); kernel += 2)
            for (unsigned stride = 1; stride <= 2; stride++)
                for (unsigned pad = 0; pad <= 1; pad++) {
                    char text[256];
                    snprintf(text, sizeof(text),
                             "{arch: sequential, input: [3, %u, %u], layers: [{conv: {out: 4, "
                             "kernel: %u, stride: %u, pad: %u}}, batchnorm, flatten, {linear: "
                             "{out: 6}}]}",
                             sizes[s][0], sizes[s][1], kernel, stride, pad);
                    check_model(text, 100 * s + 10 * kernel + 2 * stride + pad);
                }
}

/* The top values, not the first one alone. */
static void test_top_values(void **state)
{
    struct arch *arch;
    struct model *m = drawn_model("{arch: sequential, input: [2, 6, 6], layers: [{conv: {out: 3, "
                                  "kernel: 3, pad: 1}}, flatten, {linear: {out: 9}}]}",
                                  5, &arch);
    struct spectral_report r = report_of(m, 5, NULL);
    struct spectral_map *map = NULL;
    struct error err = ERROR_INIT;
    uint32_t n = 0;
    assert_int_equal(spectral_maps_new(m, false, &map, &n, &err), 0);
    assert_int_equal(n, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct spectral_row *row = &r.row[i == 0 ? 0 : r.n - 1];
        double *a = dense_matrix(m, &map[i]);
        double *value = testing_alloc(map[i].n_in + map[i].n_out, sizeof(*value));
        dense_svd(a, map[i].n_out, map[i].n_in, value);
        assert_int_equal(row->n_values, 5);
        for (uint32_t k = 0; k < 5; k++)
            if (!(fabs(row->value[k] - value[k]) <= 2e-3 * value[k]))
                fail_msg("map %u, value %u: %.9g is not %.9g", i, k, row->value[k], value[k]);
        free(a);
        free(value);
    }
    spectral_maps_free(map, n);
    spectral_report_release(&r);
    model_free(m);
    arch_free(arch);
}

/* Maps that are zero, have one input, or equal singular values. */
static void test_odd_maps(void **state)
{
    struct arch *arch;
    struct model *m =
        drawn_model("{arch: sequential, input: [1, 1, 1], layers: [flatten, {linear: {out: 3}}, "
                    "{linear: {out: 3}}]}",
                    1, &arch);
    const size_t second = m->tensor[2].offset;
    for (int i = 0; i < 9; i++)
        m->param[second + (size_t)i] = i % 4 == 0 ? 2 : 0;
    struct spectral_report r = report_of(m, 3, NULL);
    double by_hand =
        sqrt((double)m->param[0] * (double)m->param[0] + (double)m->param[1] * (double)m->param[1] +
             (double)m->param[2] * (double)m->param[2]);
    assert_true(fabs(r.row[1].norm - by_hand) < 1e-12);
    assert_int_equal(r.row[1].n_values, 1);
    for (int k = 0; k < 3; k++)
        assert_true(fabs(r.row[2].value[k] - 2) < 1e-12);
    spectral_report_release(&r);
    memset(m->param, 0, m->n_param * sizeof(float));
    r = report_of(m, 1, NULL);
    assert_true(r.bound == 0 && r.certified == 0);
    spectral_report_release(&r);
    model_free(m);
    arch_free(arch);
}

static const struct spectral_row *find(const struct spectral_report *r, const char *name,
                                       bool composed)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->row[i].name, name) == 0 && r->row[i].composed == composed)
            return &r->row[i];
    fail_msg("no layer %s", name);
    return NULL;
}

/* The rules for layers without weights, and sums over blocks. */
static void test_network(void **state)
{
    struct arch *arch;
    struct model *m = drawn_model(
        "{arch: sequential, input: [3, 9, 9], layers: [{normalize: {mean: [0, 0, 0], std: [0.5, "
        "0.25, 1]}}, {conv: {name: a, out: 4, kernel: 3, pad: 1}}, {batchnorm: {name: an}}, relu, "
        "{residual: {body: [{conv: {name: b, out: 6, kernel: 3, stride: 2, pad: 1}}, elu], "
        "shortcut: [{conv: {name: c, out: 6, kernel: 1, stride: 2}}], halve: true}}, "
        "{residual: {body: [{conv: {name: d, out: 6, kernel: 1}}]}}, "
        "{maxpool: {kernel: 3, stride: 2}}, globalavgpool, flatten, {linear: {name: e, out: 5}}]}",
        3, &arch);
    struct spectral_report r = report_of(m, 1, NULL);
    double a = find(&r, "a", false)->norm, an = find(&r, "an", false)->norm;
    double b = find(&r, "b", false)->norm, c = find(&r, "c", false)->norm;
    double d = find(&r, "d", false)->norm, e = find(&r, "e", false)->norm;
    double rest = 4 * ((b + c) / 2) * (1 + d) * 2 * (1 / sqrt(4.0)) * e;
    assert_true(fabs(r.bound / (rest * a * an) - 1) < 1e-12);
    double both = find(&r, "a", true)->norm;
    assert_true(fabs(r.bound_composed / (rest * both) - 1) < 1e-12);
    assert_true(r.certified > r.bound && r.certified_composed > r.bound_composed);
    spectral_report_release(&r);
    model_free(m);
    arch_free(arch);
}

static void test_threads(void **state)
{
    struct arch *arch;
    struct model *m =
        drawn_model("{arch: cnn, width: 4, input: [1, 12, 12], classes: 10}", 3, &arch);
    struct par *par = par_new(4);
    assert_non_null(par);
    struct spectral_report one = report_of(m, 3, NULL), four = report_of(m, 3, par);
    assert_int_equal(one.n, four.n);
    for (uint32_t i = 0; i < one.n; i++)
        assert_memory_equal(one.row[i].value, four.row[i].value, sizeof(one.row[i].value));
    spectral_report_release(&one);
    spectral_report_release(&four);
    par_free(par);
    model_free(m);
    arch_free(arch);
}

/* <u, A v> and its gradient by W, numerically: it is linear in W. */
static void test_outer(void **state)
{
    struct arch *arch;
    struct model *m = drawn_model("{arch: sequential, input: [2, 5, 6], layers: [{conv: {out: 3, "
                                  "kernel: 3, stride: 2, pad: 1}}, batchnorm, flatten, {linear: "
                                  "{out: 2}}]}",
                                  9, &arch);
    struct spectral_map *map = NULL;
    struct error err = ERROR_INIT;
    uint32_t n = 0;
    assert_int_equal(spectral_maps_new(m, true, &map, &n, &err), 0);
    for (uint32_t i = 0; i < n; i++) {
        double *u = testing_alloc(map[i].n_out, sizeof(*u)), *v = testing_alloc(map[i].n_in, 8);
        double *dw = testing_alloc(map[i].rows * map[i].cols, sizeof(*dw)), sum = 0, wanted = 0;
        for (size_t j = 0; j < map[i].n_out; j++)
            u[j] = sin((double)j + 1);
        for (size_t j = 0; j < map[i].n_in; j++)
            v[j] = cos(3 * (double)j);
        spectral_map_apply(&map[i], v, map[i].out);
        for (size_t j = 0; j < map[i].n_out; j++)
            wanted += u[j] * map[i].out[j];
        spectral_map_outer(&map[i], u, v, dw);
        const float *w = m->param + m->tensor[m->layer_first_tensor[map[i].index]].offset;
        for (size_t j = 0; j < map[i].rows * map[i].cols; j++)
            sum += dw[j] * (double)w[j];
        assert_true(fabs(sum - wanted) < 1e-9 * (1 + fabs(wanted)));
        free(u);
        free(v);
        free(dw);
    }
    spectral_maps_free(map, n);
    model_free(m);
    arch_free(arch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions), cmocka_unit_test(test_top_values),
        cmocka_unit_test(test_odd_maps),     cmocka_unit_test(test_network),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_outer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
