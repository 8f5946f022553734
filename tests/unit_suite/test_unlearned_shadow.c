/* What shadow models unlearn, and who is judged: every judged sample is forgotten by half of the
 * models and unknown to the others; nobody forgets anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "score_values.h"
#include "unlearned_shadow.h"

enum { N_TRAIN = 200, N_TEST = 120, N = N_TRAIN + N_TEST, SHADOWS = 6 };

static void make_data(struct dataset *ds, int32_t *labels)
{
    for (int i = 0; i < N; i++)
        labels[i] = i % 10;
    *ds = (struct dataset){.n_train = N_TRAIN, .n_test = N_TEST, .n_classes = 10, .labels = labels};
}

static uint32_t judged_of(const struct dataset *ds, json_t *forget, uint8_t *judged)
{
    struct error err = ERROR_INIT;
    uint32_t n = 0;
    assert_int_equal(shadow_judged(ds, forget, judged, &err), 0);
    for (int i = 0; i < N; i++)
        n += judged[i];
    return n;
}

static void test_random(void **state)
{
    int32_t labels[N];
    uint8_t judged[N], other[N], role[N];
    uint32_t forgets[N] = {0}, total = 0;
    struct dataset ds;
    struct error err = ERROR_INIT;
    (void)state;
    make_data(&ds, labels);
    json_t *forget = json_pack("{s:f,s:i}", "random", 0.2, "seed", 7);
    assert_int_equal(judged_of(&ds, forget, judged), 80); /* 40 forgotten, 40 of 120 test rows */
    uint32_t n_train = 0;
    for (int i = 0; i < N_TRAIN; i++)
        n_train += judged[i];
    assert_int_equal(n_train, 40);
    for (int k = 0; k < SHADOWS; k++) {
        struct split split;
        json_t *spec = json_pack("{s:i,s:i,s:O}", "shadow", k, "bank", 1, "of", forget);
        assert_int_equal(shadow_split(&ds, spec, &split, &err), 0);
        json_decref(spec);
        assert_int_equal(split.n_forget + split.n_retain, N / 2);
        split_shadow(N, task_seed("shadow-bank", 1), (uint32_t)k, role);
        for (uint32_t i = 0; i < N; i++)
            assert_int_equal(split.role[i], !role[i]    ? ROW_TEST
                                            : judged[i] ? ROW_FORGET
                                                        : ROW_RETAIN);
        for (uint32_t i = 0; i < split.n_forget; i++)
            forgets[split.forget[i]]++;
        total += split.n_forget;
        split_release(&split);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(forgets[i], judged[i] ? SHADOWS / 2 : 0);
    assert_int_equal(total / SHADOWS, 40); /* as much as the real request, on average */
    json_t *another = json_pack("{s:f,s:i}", "random", 0.2, "seed", 8);
    assert_int_equal(judged_of(&ds, another, other), 80);
    assert_memory_not_equal(judged + N_TRAIN, other + N_TRAIN, N_TEST);
    json_decref(another);
    json_decref(forget);
}

/* Whole classes are forgotten whole, test rows of the class too, so that methods of class
 * forgetting see what they know. */
static void test_class(void **state)
{
    int32_t labels[N];
    uint8_t judged[N];
    struct dataset ds;
    struct error err = ERROR_INIT;
    struct split split;
    (void)state;
    make_data(&ds, labels);
    json_t *forget = json_pack("{s:[i]}", "class", 3);
    assert_int_equal(judged_of(&ds, forget, judged), 32);
    json_t *spec = json_pack("{s:i,s:i,s:O}", "shadow", 1, "bank", 1, "of", forget);
    assert_int_equal(shadow_split(&ds, spec, &split, &err), 0);
    for (uint32_t i = 0; i < split.n_forget; i++)
        assert_int_equal(labels[split.forget[i]], 3);
    for (uint32_t i = 0; i < split.n_retain; i++)
        assert_int_not_equal(labels[split.retain[i]], 3);
    split_release(&split);
    json_decref(spec);
    json_decref(forget);
}

/* 2 of 4 forgotten above 0, 2 of 3 test rows not; one of each side is known. */
static void test_accuracy(void **state)
{
    static const double scores[] = {1, 2, 0, -1, 9, -5, -1, 3, 0, -9, 4};
    static const uint8_t role[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 0, 3};
    static const uint8_t known[] = {0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0};
    struct error err = ERROR_INIT;
    (void)state;
    json_t *all = json_pack("{s:{},s:{},s:{}}", "values", "notes", "curves");
    struct score_report out = {json_object_get(all, "values"), json_object_get(all, "notes"),
                               json_object_get(all, "curves")};
    assert_int_equal(score_accuracy(scores, role, known, 11, "", &out, &err), 0);
    double v = json_number_or_nan(json_object_get(out.values, "accuracy"));
    assert_true(fabs(v - (0.5 + 2.0 / 3) / 2) < 1e-12);
    assert_int_equal(score_accuracy(scores, role, known, 6, "x", &out, &err), 0);
    assert_true(json_is_null(json_object_get(out.values, "x.accuracy")));
    assert_non_null(json_object_get(out.notes, "x.accuracy"));
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_class),
        cmocka_unit_test(test_accuracy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
