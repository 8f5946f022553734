/* Parameters of a suite file against the schema of a plugin: values, defaults, exact texts. */
#include "plugin_test.h"

#include "desc.h"
#include "hosting.h"

struct amun { /* amun and the attack that it uses, as `lethe plugins` knows them */
    json_t *json[2];
    struct plugin_desc amun, attack;
};

static json_t *describe(const char *path)
{
    struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    json_t *all = NULL;
    assert_ok(plugin_open(path, &file, &err), err);
    assert_ok(plugin_describe(file, path, &all, &err), err);
    return all;
}

static int setup(void **state)
{
    static struct amun a;
    a.json[0] = describe(PLUGIN_DIR "/amun.so");
    a.json[1] = describe(PLUGIN_DIR "/pgd_l2_nearest.so");
    a.amun = (struct plugin_desc){
        .kind = PLUGIN_UNLEARNER, .id = "amun", .json = json_array_get(a.json[0], 0)};
    a.attack = (struct plugin_desc){.kind = PLUGIN_EXAMPLE_ATTACK,
                                    .id = "pgd-l2-nearest",
                                    .json = json_array_get(a.json[1], 0)};
    *state = &a;
    return 0;
}

static int teardown(void **state)
{
    struct amun *a = *state;
    json_decref(a->json[0]);
    json_decref(a->json[1]);
    return 0;
}

static int resolve(const struct plugin_desc *p, const char *yaml, json_t **ret, struct error *err)
{
    struct yaml_node *node = NULL;
    assert_ok(yaml_parse("suite.yaml", yaml, strlen(yaml), &node, err), *err);
    int rc = desc_params(p, yaml_get(node, "amun"), ret, err);
    yaml_free(node);
    return rc;
}

static void expect_error(void **state, const char *yaml, const char *text)
{
    const struct amun *a = *state;
    struct error err = ERROR_INIT;
    json_t *params = NULL;
    assert_fails(resolve(&a->amun, yaml, &params, &err), err, ERR_INVALID, text);
    assert_null(params);
}

static void test_values(void **state)
{
    const struct amun *a = *state;
    struct error err = ERROR_INIT;
    json_t *p = NULL;
    assert_ok(resolve(&a->amun,
                      "amun: {lr: 8/256, epochs: 3, retain: no, schedule: cosine, momentum: 1}", &p,
                      &err),
              err);
    char *text = json_dumps(p, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert_string_equal(text,
                        "{\"epochs\":3,\"lr\":0.03125,\"batch\":128,\"momentum\":1.0,"
                        "\"weight_decay\":0.0005,\"schedule\":\"cosine\",\"step\":1,\"gamma\":0.1,"
                        "\"stop_lr\":1e-5,\"optimizer\":\"sgd\",\"bn\":\"train\",\"clip_norm\":0.0,"
                        "\"augment\":true,"
                        "\"retain\":false,\"forget\":true,\"attack_eps\":0.04,\"attack_steps\":50,"
                        "\"attack_max_doublings\":12,\"attack_warm_start\":true,"
                        "\"ablation\":\"none\",\"attack_model\":\"current\",\"mask_ratio\":1.0,"
                        "\"mask_leaky\":false,\"preset\":\"none\"}");
    free(text);
    json_decref(p);
    for (int i = 0; i < 3; i++) { /* nothing given: the defaults */
        static const char *const empty[] = {"amun:\n", "amun: {}\n", "other: 1\n"};
        assert_ok(resolve(&a->amun, empty[i], &p, &err), err);
        assert_true(json_real_value(json_object_get(p, "lr")) == 0.01);
        assert_int_equal(json_object_size(p), 24);
        json_decref(p);
    }
}

static void test_errors(void **state)
{
    expect_error(state, "amun: {lrr: 0.1}",
                 "suite.yaml:1:8: amun has no parameter \"lrr\"; did you mean \"lr\"?");
    expect_error(state, "amun:\n  lr: 0.1\n  horizon: 2\n",
                 "suite.yaml:3:3: amun has no parameter \"horizon\"; it takes epochs, lr, batch, "
                 "momentum, weight_decay, schedule, step, gamma, stop_lr, optimizer, bn, "
                 "clip_norm, augment, retain, forget, attack_eps, attack_steps, "
                 "attack_max_doublings, attack_warm_start, ablation, attack_model, mask_ratio, "
                 "mask_leaky, preset");
    expect_error(state, "amun: {lr: many}",
                 "suite.yaml:1:12: amun.lr: expected a number from 0 to 1000, found \"many\"");
    expect_error(state, "amun: {lr: -1}",
                 "suite.yaml:1:12: amun.lr: expected a number from 0 to 1000, found \"-1\"");
    expect_error(state, "amun: {lr: .nan}",
                 "suite.yaml:1:12: amun.lr: expected a number from 0 to 1000, found \".nan\"");
    expect_error(state, "amun: {lr: \"0.1\"}",
                 "suite.yaml:1:12: amun.lr: expected a number from 0 to 1000, found a text in "
                 "quotes");
    expect_error(state, "amun: {lr: [0.1]}",
                 "suite.yaml:1:12: amun.lr: expected a number from 0 to 1000, found a list");
    expect_error(state, "amun: {lr: }",
                 "suite.yaml:1:8: amun.lr: expected a number from 0 to 1000, found nothing");
    expect_error(state, "amun: {epochs: 1.5}",
                 "suite.yaml:1:16: amun.epochs: expected a whole number from 0 to 100000, found "
                 "\"1.5\"");
    expect_error(state, "amun: {retain: maybe}",
                 "suite.yaml:1:16: amun.retain: expected true or false, found \"maybe\"");
    expect_error(state, "amun: {schedule: stepp}",
                 "suite.yaml:1:18: amun.schedule: expected one of constant, step, cosine, "
                 "cosine-steps; found "
                 "\"stepp\"; did you mean \"step\"?");
    expect_error(state, "amun: {schedule: {step: 3}}",
                 "suite.yaml:1:18: amun.schedule: expected one of constant, step, cosine, "
                 "cosine-steps; found a "
                 "map");
    expect_error(state, "amun: 3",
                 "suite.yaml:1:7: expected parameters of amun, e.g. {epochs: ...}, found a single "
                 "value");
}

static void test_attack_settings(void **state)
{
    const struct amun *a = *state;
    struct error err = ERROR_INIT;
    json_t *own = NULL, *p = NULL;
    assert_ok(resolve(&a->amun, "amun: {attack_eps: 0.1, attack_warm_start: off}", &own, &err),
              err);
    const json_t *use = json_array_get(json_object_get(a->amun.json, "attacks"), 0);
    assert_ok(desc_attack_params(&a->attack, use, own, &p, &err), err);
    char *text = json_dumps(p, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert_string_equal(text,
                        "{\"eps\":0.1,\"steps\":50,\"max_doublings\":12,\"warm_start\":false}");
    free(text);
    json_decref(p);
    static const struct {
        const char *setting, *text;
    } bad[] = {
        {"epz=1", "pgd-l2-nearest has no parameter \"epz\"; did you mean \"eps\"?"},
        {"steps=0", "pgd-l2-nearest.steps: expected a whole number from 1 to 100000, found \"0\""},
        {"steps=$stepz", "setting \"steps=$stepz\": the unlearner has no parameter \"stepz\""},
        {"steps", "setting \"steps\": expected name=value"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *wrong = json_pack("{s:[s]}", "settings", bad[i].setting);
        assert_fails(desc_attack_params(&a->attack, wrong, own, &p, &err), err, ERR_INVALID,
                     bad[i].text);
        json_decref(wrong);
    }
    json_decref(own);
}

static void test_words(void **state)
{
    const struct amun *a = *state;
    assert_true(desc_has_cap(&a->amun, "retain") && desc_has_cap(&a->amun, "forget"));
    assert_false(desc_has_cap(&a->amun, "shadows"));
    assert_true(desc_serves(&a->amun, "class"));
    assert_false(desc_serves(&a->attack, "class"));
    assert_string_equal(plugin_kind_name(PLUGIN_EXAMPLE_ATTACK), "example-attack");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_attack_settings),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
