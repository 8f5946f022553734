/* Roles of pool rows, and shadow halves. */
#include "split.h"
#include "unit_base/scratch.h"

enum { TRAIN = 200, TEST = 50, POOL = TRAIN + TEST };

static int32_t labels[POOL];

static struct dataset tiny(void)
{
    for (int i = 0; i < POOL; i++)
        labels[i] = i % 10;
    return (struct dataset){.n_train = TRAIN, .n_test = TEST, .n_classes = 10, .labels = labels};
}

/* The lists are ascending and say the same as the roles. */
static void assert_consistent(const struct split *s)
{
    const struct {
        const uint32_t *ids;
        uint32_t n;
        enum row_role role;
    } lists[] = {{s->forget, s->n_forget, ROW_FORGET},
                 {s->retain, s->n_retain, ROW_RETAIN},
                 {s->test, s->n_test, ROW_TEST},
                 {s->test_forgotten, s->n_test_forgotten, ROW_TEST_FORGOTTEN}};
    uint32_t all = 0;
    for (int k = 0; k < 4; k++) {
        for (uint32_t i = 0; i < lists[k].n; i++) {
            assert_int_equal(s->role[lists[k].ids[i]], lists[k].role);
            assert_true(i == 0 || lists[k].ids[i] > lists[k].ids[i - 1]);
        }
        all += lists[k].n;
    }
    assert_int_equal(all, s->n);
}

static void random_sets(void **state)
{
    struct error err = ERROR_INIT;
    struct dataset ds = tiny();
    struct forget_spec spec = {.kind = FORGET_RANDOM, .fraction = 0.1, .name = "random-0.1"};
    struct split a, b, c;
    assert_ok(split_make(&ds, &spec, 1, &a, &err));
    assert_ok(split_make(&ds, &spec, 1, &b, &err));
    assert_ok(split_make(&ds, &spec, 2, &c, &err));
    assert_consistent(&a);
    assert_int_equal(a.n, POOL);
    assert_int_equal(a.n_forget, 20);
    assert_int_equal(a.n_retain, 180);
    assert_int_equal(a.n_test, 50);
    assert_int_equal(a.n_test_forgotten, 0);
    assert_memory_equal(a.role, b.role, POOL);
    assert_memory_not_equal(a.role, c.role, POOL);
    assert_true(forget_depends_on_seed(&spec));
    split_release(&a);
    split_release(&b);
    split_release(&c);
    split_release(&c);
    spec.fraction = 0.0126; /* 2.52 rows */
    assert_ok(split_make(&ds, &spec, 1, &a, &err));
    assert_int_equal(a.n_forget, 3);
    split_release(&a);
    spec.fraction = 0.001;
    assert_error(split_make(&ds, &spec, 1, &a, &err), &err,
                 "random-0.1: no training row is forgotten");
    spec.fraction = 0.999;
    assert_error(split_make(&ds, &spec, 1, &a, &err), &err, "random-0.1: no training row is left");
}

static void class_sets(void **state)
{
    struct error err = ERROR_INIT;
    struct dataset ds = tiny();
    struct forget_spec spec = {
        .kind = FORGET_CLASS, .classes = {3, 5}, .n_classes = 2, .name = "class-3+5"};
    struct split s;
    assert_ok(split_make(&ds, &spec, 1, &s, &err));
    assert_consistent(&s);
    assert_int_equal(s.n_forget, 40);
    assert_int_equal(s.n_test, 40);
    assert_int_equal(s.n_test_forgotten, 10);
    for (uint32_t i = 0; i < s.n_forget; i++)
        assert_true(labels[s.forget[i]] == 3 || labels[s.forget[i]] == 5);
    assert_true(s.forget[s.n_forget - 1] < TRAIN && s.test_forgotten[0] >= TRAIN);
    assert_false(forget_depends_on_seed(&spec));
    split_release(&s);
    spec.classes[1] = 10;
    assert_error(split_make(&ds, &spec, 1, &s, &err), &err,
                 "class-3+5: there is no class 10; classes are 0 to 9");
    for (int i = 0; i < 10; i++)
        spec.classes[i] = i;
    spec.n_classes = 10;
    assert_error_part(split_make(&ds, &spec, 1, &s, &err), &err, "no training row is left");
}

/* Requests are disjoint equal parts of the random set of that seed, whatever was asked first. */
static void consecutive_requests(void **state)
{
    struct error err = ERROR_INIT;
    struct dataset ds = tiny();
    struct forget_spec spec = {.kind = FORGET_CONSECUTIVE,
                               .fraction = 0.11,
                               .requests = 4,
                               .name = "consecutive-4x0.0275"};
    struct forget_spec all = {.kind = FORGET_RANDOM, .fraction = 0.11, .name = "random-0.11"};
    struct split whole, first, own;
    uint32_t before = 0;
    assert_ok(split_make(&ds, &all, 3, &whole, &err));
    for (uint32_t k = 1; k <= 4; k++) {
        spec.request = k;
        assert_ok(split_make(&ds, &spec, 3, &first, &err));
        assert_ok(split_make_request(&ds, &spec, 3, k, &own, &err));
        assert_consistent(&first);
        assert_int_equal(first.n_forget, before + own.n_forget);
        assert_in_range(own.n_forget, 5, 6); /* 22 rows in 4 parts */
        assert_int_equal(own.n_retain, first.n_retain);
        for (uint32_t i = 0; i < POOL; i++) {
            assert_true(first.role[i] != ROW_FORGET || whole.role[i] == ROW_FORGET);
            assert_int_equal(own.role[i] == ROW_RETAIN, first.role[i] == ROW_RETAIN);
            assert_true((own.role[i] == ROW_FORGET || own.role[i] == ROW_DELETED) ==
                        (first.role[i] == ROW_FORGET));
        }
        before = first.n_forget;
        if (k == 4)
            assert_memory_equal(first.role, whole.role, POOL);
        split_release(&first);
        split_release(&own);
    }
    split_release(&whole);
    spec.requests = 23;
    assert_error(split_make(&ds, &spec, 3, &first, &err), &err,
                 "consecutive-4x0.0275: 22 rows cannot be deleted in 23 requests");
}

static void listed_rows(void **state)
{
    struct error err = ERROR_INIT;
    struct dataset ds = tiny();
    uint32_t rows[] = {0, 7, 199};
    struct forget_spec spec = {
        .kind = FORGET_INDICES, .rows = rows, .n_rows = 3, .name = "indices-x"};
    struct split s;
    assert_ok(split_make(&ds, &spec, 1, &s, &err));
    assert_consistent(&s);
    assert_int_equal(s.n_forget, 3);
    assert_memory_equal(s.forget, rows, sizeof rows);
    split_release(&s);
    rows[2] = 200;
    assert_error(split_make(&ds, &spec, 1, &s, &err), &err,
                 "indices-x: row 200 is not among the first 200 training rows that are used");
}

static void shadow_models_come_in_complementary_pairs(void **state)
{
    uint8_t a[101], b[101], count[101] = {0};
    for (uint32_t k = 0; k < 8; k += 2) {
        unsigned in = 0;
        split_shadow(101, 4, k, a);
        split_shadow(101, 4, k + 1, b);
        for (int i = 0; i < 101; i++) {
            assert_int_equal(a[i] + b[i], 1);
            in += a[i];
            count[i] = (uint8_t)(count[i] + a[i] + b[i]);
        }
        assert_int_equal(in, 50);
    }
    for (int i = 0; i < 101; i++)
        assert_int_equal(count[i], 4); /* half of the eight models */
    split_shadow(101, 4, 0, a);
    split_shadow(101, 4, 2, b);
    assert_memory_not_equal(a, b, 101);
    split_shadow(101, 5, 0, b);
    assert_memory_not_equal(a, b, 101);
    /* Over many pairs each sample is in the first half about every other time. */
    unsigned hits[20] = {0};
    for (uint32_t k = 0; k < 2000; k += 2) {
        split_shadow(20, 9, k, a);
        for (int i = 0; i < 20; i++)
            hits[i] += a[i];
    }
    for (int i = 0; i < 20; i++)
        assert_in_range(hits[i], 430, 570);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sets),
        cmocka_unit_test(class_sets),
        cmocka_unit_test(listed_rows),
        cmocka_unit_test(consecutive_requests),
        cmocka_unit_test(shadow_models_come_in_complementary_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
