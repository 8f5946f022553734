/* Files that the loader refuses, each with its own sentence, and what a good one describes. */
#include "plugin_test.h"

#include "hosting.h"

static void expect_refusal(const char *name, const char *text)
{
    char path[512];
    struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    snprintf(path, sizeof(path), "%s/%s", BAD_DIR, name);
    assert_fails(plugin_open(path, &file, &err), err, ERR_INVALID, text);
    assert_null(file);
}

static void test_refusals(void **state)
{
    expect_refusal("bad_no_entry.so", "bad_no_entry.so: has no symbol lethe_plugin_entry, so it is "
                                      "no Lethe plugin; the last line of a plugin is LETHE_ENTRY "
                                      "(lethe/export.h)");
    expect_refusal("bad_magic.so", "bad_magic.so: lethe_plugin_entry starts with 12345678 instead "
                                   "of 3148544c (\"LTH1\"); it is no Lethe plugin, or damaged: "
                                   "build it again");
    expect_refusal("bad_truncated.so",
                   "bad_truncated.so: lethe_plugin_entry has 20 bytes, ABI 1.0 needs 32; build the "
                   "plugin with LETHE_ENTRY (lethe/export.h) of Lethe 0.1.0");
    expect_refusal("bad_major.so", "bad_major.so: built for plugin ABI 8.0, this Lethe 0.1.0 has "
                                   "ABI 1.0; rebuild the plugin against this Lethe's headers, or "
                                   "use a Lethe whose ABI has major number 8");
    expect_refusal("bad_minor.so", "bad_minor.so: needs host ABI 1.9 or newer, this Lethe 0.1.0 "
                                   "has ABI 1.0; update Lethe, or build the plugin so that it "
                                   "needs less (the second argument of LETHE_ENTRY)");
    expect_refusal("bad_empty.so", "bad_empty.so: lists no plugins; give LETHE_ENTRY an array of "
                                   "at least one");
    expect_refusal("bad_truncated_plugin.so",
                   "bad_truncated_plugin.so: lethe_plugin has struct_size 24, ABI 1.0 needs 64; "
                   "set it with sizeof and build with this Lethe's headers");
    expect_refusal("missing.so", "missing.so cannot be loaded: cannot open shared object file: No "
                                 "such file or directory");
}

static void test_undefined_symbol(void **state)
{
    if (SANITIZED)
        skip(); /* modules of a sanitizer are linked otherwise */
    expect_refusal("bad_undefined.so",
                   "bad_undefined.so cannot be loaded: undefined symbol: "
                   "lethe_test_symbol_that_nobody_defines; a plugin may use nothing but libc, libm "
                   "and the host's tables");
}

static void test_no_object(void **state)
{
    struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    assert_int_equal(plugin_open(TEXT_FILE, &file, &err), ERR_INVALID);
    assert_string_equal(err.text, "tests.cmake cannot be loaded: invalid ELF header");
}

static json_t *describe(const char *path)
{
    struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    json_t *all = NULL;
    assert_ok(plugin_open(path, &file, &err), err);
    assert_ok(plugin_describe(file, path, &all, &err), err);
    return all;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    assert_non_null(s);
    return s;
}

static void expect_json(const json_t *o, const char *key, const char *want)
{
    char *got = json_dumps(json_object_get(o, key), JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static const json_t *param(const json_t *plugin, const char *name)
{
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(plugin, "params"), i, p)
    {
        if (strcmp(text(p, "name"), name) == 0)
            return p;
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

static void test_describe_amun(void **state)
{
    json_t *all = describe(PLUGIN_DIR "/amun.so");
    assert_int_equal(json_array_size(all), 1);
    const json_t *p = json_array_get(all, 0);
    assert_string_equal(text(p, "id"), "amun");
    assert_string_equal(text(p, "kind"), "unlearner");
    assert_string_equal(text(p, "path"), PLUGIN_DIR "/amun.so");
    expect_json(p, "scenarios", "[\"random\",\"class\"]");
    expect_json(p, "needs", "[\"forget\",\"gradients\",\"weights\",\"attack\"]");
    expect_json(p, "uses", "[\"retain\"]");
    expect_json(p, "outputs", "[]");
    const json_t *attack = json_array_get(json_object_get(p, "attacks"), 0);
    assert_string_equal(text(attack, "attack"), "pgd-l2-nearest");
    assert_string_equal(json_string_value(json_array_get(json_object_get(attack, "settings"), 0)),
                        "eps=$attack_eps");
    const json_t *lr = param(p, "lr");
    assert_string_equal(text(lr, "type"), "real");
    assert_true(json_real_value(json_object_get(lr, "default")) == 0.01);
    expect_json(lr, "tunable", "true");
    assert_int_equal(json_array_size(json_object_get(lr, "search")), 7);
    const json_t *schedule = param(p, "schedule");
    expect_json(schedule, "default", "\"constant\"");
    expect_json(schedule, "choices", "[\"constant\",\"step\",\"cosine\",\"cosine-steps\"]");
    expect_json(schedule, "min", "null");
    expect_json(param(p, "retain"), "default", "true");
    expect_json(param(p, "batch"), "min", "1");
    json_decref(all);
}

static void test_describe_others(void **state)
{
    json_t *all = describe(PLUGIN_DIR "/accuracy.so");
    const json_t *p = json_array_get(all, 0);
    expect_json(p, "scope", "\"run\"");
    const json_t *o = json_array_get(json_object_get(p, "outputs"), 0);
    assert_string_equal(text(o, "name"), "forget_acc");
    assert_string_equal(text(o, "unit"), "percent");
    assert_string_equal(text(o, "shape"), "scalar");
    assert_string_equal(text(o, "better"), "near-reference");
    assert_string_equal(text(o, "reference"), "retrain");
    json_decref(all);
    all = describe(PROBE);
    assert_int_equal(json_array_size(all), 8);
    p = json_array_get(all, 4);
    assert_string_equal(text(p, "kind"), "membership-attack");
    expect_json(p, "wants_fit", "true");
    expect_json(p, "scores",
                "[{\"name\":\"which\",\"doc\":\"\"},{\"name\":\"included\",\"doc\":\"\"}]");
    expect_json(json_array_get(all, 6), "min_models", "3");
    expect_json(json_array_get(all, 7), "min_references", "2");
    const json_t *odd = json_array_get(json_object_get(json_array_get(all, 5), "outputs"), 1);
    expect_json(odd, "max", "null"); /* open */
    json_decref(all);
    assert_string_equal(hosting_abi(), "1.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_undefined_symbol),
        cmocka_unit_test(test_no_object),       cmocka_unit_test(test_describe_amun),
        cmocka_unit_test(test_describe_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
