/* The features of scores.h against published code (fixture entropy_v1) and their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <lethe/scores.h>

#include "fake_host.h"

enum { N = 20, C = 6 };

static void check(const char *fixture, const double *v, double tolerance)
{
    struct fixture a = fixture_load(fixture);
    double worst = 0;
    for (int i = 0; i < N; i++)
        worst = fmax(worst, fabs(a.v[i] - v[i]) - 3e-6 * fabs(a.v[i]));
    if (!(worst <= tolerance))
        fail_msg("%s: error %g", fixture, worst);
    fixture_free(&a);
}

static void test_entropies(void **state)
{
    struct fixture p = fixture_load("entropy_v1/in_prob"), y = fixture_load("entropy_v1/in_labels");
    const uint8_t present[C] = {1, 1, 1, 1, 1, 1};
    double plain[N], modified[N], svc[N];
    for (int i = 0; i < N; i++) {
        plain[i] = lethe_entropy(p.v + i * C, C);
        modified[i] = lethe_modified_entropy(p.v + i * C, C, (int32_t)y.v[i]);
        svc[i] = lethe_modified_entropy_svc(p.v + i * C, C, present);
    }
    check("entropy_v1/out_entropy_songmittal", plain, 2e-6);
    check("entropy_v1/out_entropy_svc", plain, 2e-6);
    check("entropy_v1/out_entropy_double_scipy", plain, 1e-12);
    check("entropy_v1/out_m_entropy_songmittal", modified, 2e-6);
    check("entropy_v1/out_m_entropy_svc", svc, 2e-6);
    fixture_free(&p);
    fixture_free(&y);
}

/* A class that no label names keeps the weight p. */
static void test_absent_class(void **state)
{
    const double p[2] = {0.25, 0.75};
    const uint8_t present[2] = {1, 0};
    double expected = -0.75 * log(0.25) - 0.75 * log(0.75);
    assert_true(fabs(lethe_modified_entropy_svc(p, 2, present) - expected) < 1e-15);
}

/* Exact zeros and ones have their limits, no NaN. */
static void test_limits(void **state)
{
    const double sure[3] = {1, 0, 0};
    const float z[3] = {0, -HUGE_VALF, -HUGE_VALF};
    double p[3];
    assert_true(lethe_entropy(sure, 3) == 0);
    assert_true(lethe_modified_entropy(sure, 3, 0) == 0);
    assert_true(fabs(lethe_modified_entropy(sure, 3, 1) + 2 * log(1e-30)) < 1e-9);
    lethe_softmax(z, 3, 1, p);
    assert_true(p[0] == 1 && p[1] == 0 && lethe_correct(p, 3, 0) && !lethe_correct(p, 3, 1));
    assert_true(lethe_log_likelihood(z, 3, 0) == 0 && isinf(lethe_log_likelihood(z, 3, 1)));
    assert_true(fabs(lethe_scaled_confidence(z, 3, 1) - log(1e-45)) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entropies),
        cmocka_unit_test(test_absent_class),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
