/* Lists of trials: the entry first, the box kept, all different, the same for equal input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tune_space.h"

/* A method with the given parameters (JSON) as `lethe-worker describe` would print it. */
struct method {
    struct plugin_desc desc;
    struct suite_entry entry;
};

static void method_init(struct method *m, const char *params, const char *given)
{
    struct error err = ERROR_INIT;
    *m = (struct method){.desc = {.kind = PLUGIN_UNLEARNER, .id = "m"}};
    m->desc.json = json_pack("{s:o}", "params", json_loads(params, 0, NULL));
    assert_non_null(json_object_get(m->desc.json, "params"));
    struct yaml_node *node = NULL;
    if (given)
        assert_int_equal(yaml_parse("given", given, strlen(given), &node, &err), 0);
    m->entry = (struct suite_entry){
        .id = (char *)"m", .label = (char *)"m", .desc = &m->desc, .given = node};
    assert_int_equal(desc_params(&m->desc, node, &m->entry.params, &err), 0);
}

static void method_release(struct method *m)
{
    json_decref(m->desc.json);
    json_decref(m->entry.params);
    yaml_free((struct yaml_node *)m->entry.given);
}

#define LR                                                                                         \
    "{\"name\": \"lr\", \"type\": \"real\", \"default\": 0.05, \"min\": 0, \"max\": 10, "          \
    "\"choices\": null, \"unit\": \"\", \"doc\": \"x\", \"tunable\": true, \"log_scale\": true, "  \
    "\"search\": [0.1, 0.01, 0.001]}"
#define STEPS                                                                                      \
    "{\"name\": \"steps\", \"type\": \"int\", \"default\": 2, \"min\": 1, \"max\": 4, "            \
    "\"choices\": null, \"unit\": \"\", \"doc\": \"x\", \"tunable\": true, \"log_scale\": false, " \
    "\"search\": null}"
#define MASK                                                                                       \
    "{\"name\": \"mask\", \"type\": \"bool\", \"default\": false, \"min\": null, \"max\": null, "  \
    "\"choices\": null, \"unit\": \"\", \"doc\": \"x\", \"tunable\": true, \"log_scale\": false, " \
    "\"search\": null}"
#define FIXED                                                                                      \
    "{\"name\": \"k\", \"type\": \"int\", \"default\": 7, \"min\": 1, \"max\": 9, "                \
    "\"choices\": null, \"unit\": \"\", \"doc\": \"x\", \"tunable\": false, \"log_scale\": "       \
    "false, \"search\": null}"

static json_t *space(const struct method *m, enum tune_method method, unsigned trials, char **why)
{
    struct error err = ERROR_INIT;
    struct suite_tune spec = {.on = true, .trials = trials, .method = method};
    json_t *list = NULL;
    assert_int_equal(tune_space(&m->entry, &spec, &list, why, &err), 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        for (size_t k = 0; k < i; k++)
            assert_false(json_equal(json_array_get(list, i), json_array_get(list, k)));
    return list;
}

static double number(const json_t *list, size_t i, const char *name)
{
    return json_number_value(json_object_get(json_array_get(list, i), name));
}

static void test_halton(void **state)
{
    /* Halton's sequence to base 2 is 1/2, 1/4, 3/4, 1/8; to base 3 it is 1/3, 2/3, 1/9, 4/9. */
    static const double lr[] = {0.05, 0.01, 0.00316, 0.0316, 0.00178};
    static const double steps[] = {2, 2, 3, 1, 2};
    (void)state;
    struct method m;
    char *why = NULL;
    method_init(&m, "[" LR "," STEPS "," FIXED "]", NULL);
    json_t *list = space(&m, TUNE_QUASI_RANDOM, 5, &why);
    assert_null(why);
    assert_int_equal(json_array_size(list), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(fabs(number(list, i, "lr") - lr[i]) < 1e-12);
        assert_true(number(list, i, "steps") == steps[i]);
        assert_true(number(list, i, "k") == 7);
    }
    json_decref(list);
    method_release(&m);
}

static void test_box(void **state)
{
    (void)state;
    struct method m;
    char *why = NULL;
    method_init(&m, "[" LR "," MASK "]", NULL);
    json_t *list = space(&m, TUNE_QUASI_RANDOM, 200, &why);
    bool both[2] = {false, false};
    assert_int_equal(json_array_size(list), 200);
    for (size_t i = 0; i < 200; i++) {
        assert_in_range((int)(number(list, i, "lr") * 1e6), 1000, 100000);
        both[json_is_true(json_object_get(json_array_get(list, i), "mask"))] = true;
    }
    assert_true(both[0] && both[1]);
    json_decref(list);
    method_release(&m);
}

static void test_few_combinations(void **state)
{
    (void)state;
    struct method m;
    char *why = NULL;
    method_init(&m, "[" STEPS "," MASK "]", NULL);
    json_t *list = space(&m, TUNE_QUASI_RANDOM, 50, &why);
    assert_int_equal(json_array_size(list), 8); /* 4 steps, mask on or off */
    json_decref(list);
    method_release(&m);
}

static void test_grid(void **state)
{
    static const double lr[] = {0.1, 0.01, 0.001};
    (void)state;
    struct method m;
    char *why = NULL;
    method_init(&m, "[" LR "," MASK "]", NULL);
    json_t *list = space(&m, TUNE_GRID, 6, &why); /* all of it, the last parameter fastest */
    assert_int_equal(json_array_size(list), 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(number(list, i, "lr") == lr[i / 2]);
    json_decref(list);
    list = space(&m, TUNE_GRID, 4, &why); /* thinned: the ends of lr's list */
    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(number(list, i, "lr") == (i < 2 ? 0.1 : 0.001));
    json_decref(list);
    list = space(&m, TUNE_GRID, 9, &why); /* filled up: first the entry as it stands */
    assert_int_equal(json_array_size(list), 9);
    assert_true(number(list, 6, "lr") == 0.05);
    json_decref(list);
    method_release(&m);
}

static void test_given_stays(void **state)
{
    (void)state;
    struct method m;
    char *why = NULL;
    method_init(&m, "[" LR "," STEPS "]", "{lr: 0.5}");
    json_t *list = space(&m, TUNE_QUASI_RANDOM, 3, &why);
    assert_int_equal(json_array_size(list), 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(number(list, i, "lr") == 0.5);
    json_decref(list);
    method_release(&m);
    method_init(&m, "[" LR "]", "{lr: 0.5}");
    list = space(&m, TUNE_QUASI_RANDOM, 3, &why);
    assert_int_equal(json_array_size(list), 0);
    assert_string_equal(why, "every tunable parameter is given");
    free(why);
    json_decref(list);
    method_release(&m);
    method_init(&m, "[" FIXED "]", NULL);
    list = space(&m, TUNE_GRID, 3, &why);
    assert_int_equal(json_array_size(list), 0);
    assert_string_equal(why, "it declares no tunable parameter");
    free(why);
    json_decref(list);
    method_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halton),           cmocka_unit_test(test_box),
        cmocka_unit_test(test_few_combinations), cmocka_unit_test(test_grid),
        cmocka_unit_test(test_given_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
