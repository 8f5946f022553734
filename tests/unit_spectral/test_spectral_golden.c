/* test_spectral_golden.c: singular values and norms that numpy's SVD of the unrolled maps gave. */
#include "nn_testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden_array.h"
#include "spectral.h"

static struct spectral_report report_of(const struct model *m, uint32_t iterations, uint32_t top)
{
    const struct spectral_options o = {iterations, top, 1};
    struct spectral_report r = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(spectral_report_make(m, &o, NULL, &r, &err), 0);
    return r;
}

static void near(double found, double wanted, double rtol)
{
    if (!(fabs(found - wanted) <= rtol * fabs(wanted)))
        fail_msg("%.12g is not %.12g", found, wanted);
}

/* The two largest values are 1.00013 apart, where power iteration stalls. */
static void test_conv_norm(void **state)
{
    struct error err = ERROR_INIT;
    struct arch *arch = testing_arch("{arch: sequential, input: [3, 8, 8], layers: [{conv: {out: "
                                     "4, kernel: 3, pad: 1, bias: false}}, flatten, {linear: {out: "
                                     "2}}]}");
    struct model *m = NULL;
    assert_int_equal(model_new(arch, &m, &err), 0);
    golden_floats("conv_spectral_norm_v1/in_weight", m->param, m->tensor[0].n);
    struct golden top = golden_load("conv_spectral_norm_v1/out_top_singular_values");
    struct spectral_report r = report_of(m, SPECTRAL_ITERATIONS, 4);
    near(r.row[0].norm, 3.1498412943242275, 5e-4);
    near(r.row[0].reshaped, 1.8680596640880107, 3e-3);
    assert_true(r.row[0].reshaped >= 1.8680596640880107);
    assert_true(r.row[0].certified >= 3.1498412943242275);
    assert_true(r.row[0].certified <= 2 * 3.1498412943242275);
    spectral_report_release(&r);
    r = report_of(m, 3000, 4);
    for (int k = 0; k < 4; k++)
        near(r.row[0].value[k], top.v[k], 1e-6);
    spectral_report_release(&r);
    golden_free(&top);
    model_free(m);
    arch_free(arch);
}

static void test_network_bound(void **state)
{
    static const char *const files[] = {"conv1_weight", "conv1_bias", "conv2_weight",
                                        "conv2_bias",   "fc_weight",  "fc_bias"};
    struct error err = ERROR_INIT;
    struct arch *arch = testing_arch(
        "{arch: sequential, input: [3, 8, 8], layers: [{conv: {name: conv1, out: 4, kernel: 3, "
        "pad: 1}}, relu, {conv: {name: conv2, out: 6, kernel: 3, stride: 2, pad: 1}}, relu, "
        "flatten, {linear: {name: fc, out: 5}}]}");
    struct model *m = NULL;
    assert_int_equal(model_new(arch, &m, &err), 0);
    for (size_t i = 0; i < 6; i++) {
        char path[64];
        snprintf(path, sizeof(path), "amun_pgdl2_netA/in_w_%s", files[i]);
        golden_floats(path, m->param + m->tensor[i].offset, m->tensor[i].n);
    }
    struct golden local = golden_load("lipschitz_netA/out_local_jacobian_norm_first4");
    struct spectral_report r = report_of(m, 1000, 1);
    near(r.row[0].norm, 5.26895765752832, 1e-5);
    near(r.row[2].norm, 3.555757753540724, 1e-5);
    near(r.row[r.n - 1].norm, 2.4956393157442354, 1e-5);
    near(r.bound, 46.75614459244859, 1e-5);
    assert_true(r.certified >= 46.75614459244859);
    for (size_t i = 0; i < local.n; i++)
        assert_true(local.v[i] < r.bound);
    spectral_report_release(&r);
    golden_free(&local);
    model_free(m);
    arch_free(arch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_conv_norm),
                                       cmocka_unit_test(test_network_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
