/* Every method: the same bytes on 1, 2 and 3 threads and from run to run, other ones with another
 * seed where something is drawn. */
#include "unlearn_bench.h"

struct method {
    const char *id, *changes;
    bool draws;
};

#define SHORT "\"epochs\":2,\"batch\":48"
static const struct method random_ones[] = {
    {"original", "{}", false},
    {"retrain", "{}", true},
    {"finetune", "{" SHORT "}", true},
    {"gradient-ascent", "{\"epochs\":2,\"batch\":10}", true},
    {"neggrad-plus", "{" SHORT ",\"pull\":0.1}", true},
    {"random-labels", "{" SHORT "}", true},
    {"boundary-shrink", "{\"epochs\":2,\"batch\":10,\"preset\":\"amun\"}", true},
    {"boundary-expand", "{\"epochs\":2,\"batch\":10}", true},
    {"l1-sparse", "{" SHORT "}", true},
    {"salun", "{" SHORT "}", true},
    {"amun", "{" SHORT ",\"ablation\":\"noise\",\"mask_ratio\":0.5}", true},
    {"scrub", "{" SHORT "}", true},
    {"ssd", "{\"alpha\":2}", false},
    {"bad-teacher", "{\"batch\":24}", true},
    {"amnesiac", "{" SHORT "}", true},
    {"influence", "{\"samples\":30}", false},
    {"sfr-on", "{" SHORT "}", true},
    {"cf-k", "{" SHORT "}", true},
    {"eu-k", "{\"epochs\":2}", true},
};
static const struct method class_ones[] = {
    {"trw", "{" SHORT "}", true},
    {"delete", "{\"epochs\":2,\"batch\":6}", true},
    {"unsir", "{\"samples\":5}", true},
    {"ssd", "{\"alpha\":2}", false},
    {"scrub", "{" SHORT ",\"preset\":\"small\"}", true},
};

static struct bench bench[3];
static struct adversarial set[3];

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    for (unsigned t = 0; t < 3; t++) {
        if (bench_init(&bench[t], t + 1, &err) < 0)
            return -1;
        set[t] = bench_attack(&bench[t], &bench[t].split, bench[t].original);
    }
    return 0;
}

static int tear_down(void **state)
{
    for (unsigned t = 0; t < 3; t++) {
        adversarial_release(&set[t]);
        bench_release(&bench[t]);
    }
    return 0;
}

static void compare(const struct method *m)
{
    struct answer first = {0}, a;
    for (unsigned t = 0; t < 3; t++) {
        a = bench_unlearn(&bench[t], m->id, m->changes,
                          strcmp(m->id, "amun") == 0 ? &set[t] : NULL);
        if (t > 0 && !same_model(a.m, first.m))
            fail_msg("%s differs on %u threads", m->id, t + 1);
        if (t > 0 && memcmp(&a.r.meters, &first.r.meters, sizeof(a.r.meters)) != 0)
            fail_msg("%s: meters differ on %u threads", m->id, t + 1);
        if (t == 0)
            first = a;
        else
            model_free(a.m);
    }
    bench[0].h.seed = 43;
    a = bench_unlearn(&bench[0], m->id, m->changes, strcmp(m->id, "amun") == 0 ? &set[0] : NULL);
    bench[0].h.seed = 42;
    if (same_model(a.m, first.m) == m->draws)
        fail_msg("%s: another seed gives %s", m->id, m->draws ? "the same model" : "another model");
    model_free(a.m);
    model_free(first.m);
}

static void test_random(void **state)
{
    for (size_t i = 0; i < sizeof(random_ones) / sizeof(*random_ones); i++)
        compare(&random_ones[i]);
}

static void test_class(void **state)
{
    struct error err = ERROR_INIT;
    for (unsigned t = 0; t < 3; t++)
        assert_ok(bench_forget_class(&bench[t], &err), err);
    for (size_t i = 0; i < sizeof(class_ones) / sizeof(*class_ones); i++)
        compare(&class_ones[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_class)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
