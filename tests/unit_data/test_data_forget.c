/* What a suite's `forget:` list says. */
#include "split.h"
#include "unit_base/scratch.h"

static int parse(void **state, const char *text, struct forget_spec *ret, struct error *err)
{
    struct error why = ERROR_INIT;
    struct yaml_node *root = NULL;
    if (yaml_parse("s.yaml", text, strlen(text), &root, &why) != 0)
        fail_msg("%s", why.text);
    int rc = forget_parse(root, *state, ret, err);
    yaml_free(root);
    return rc;
}

static void assert_named(void **state, const char *text, const char *name, const char *identity)
{
    struct error err = ERROR_INIT;
    struct forget_spec spec, back;
    uint64_t seed = 99;
    assert_ok(parse(state, text, &spec, &err));
    assert_string_equal(spec.name, name);
    json_t *id = forget_identity(&spec, 5);
    char *json = json_canonical(id);
    assert_string_equal(json, identity);
    free(json);
    assert_ok(forget_from_json(id, &back, &seed, &err));
    assert_int_equal(back.kind, spec.kind);
    assert_int_equal(seed, forget_depends_on_seed(&spec) ? 5 : 0);
    json_t *again = forget_identity(&back, seed);
    assert_true(json_equal(id, again));
    if (spec.kind != FORGET_INDICES)
        assert_string_equal(back.name, name);
    json_decref(id);
    json_decref(again);
    forget_release(&spec);
    forget_release(&back);
    forget_release(&back);
}

static void scenarios_have_names_and_identities(void **state)
{
    free(scratch_file(state, "my idx.csv", "unlearn_idx,x\n7,1\n3,1\n", 22));
    free(scratch_file(state, "one.csv", "row\n5\n4294967295\n0\n", 19));
    assert_named(state, "{random: 0.1}", "random-0.1", "{\"random\":0.1,\"seed\":5}");
    assert_named(state, "{random: 1/4}", "random-0.25", "{\"random\":0.25,\"seed\":5}");
    assert_named(state, "{class: 3}", "class-3", "{\"class\":[3]}");
    assert_named(state, "{class: [5, 3]}", "class-3+5", "{\"class\":[3,5]}");
    assert_named(state, "{indices: my idx.csv}", "indices-my_idx", "{\"indices\":[3,7]}");
    assert_named(state, "{indices: one.csv}", "indices-one", "{\"indices\":[0,5,4294967295]}");
    free(scratch_file(state, "two.csv", "a,b\n1,9\n2,8\n", 12));
    assert_named(state, "{indices: two.csv, column: b}", "indices-two", "{\"indices\":[8,9]}");
}

/* All requests together are the random set; the first few, and the sequence, have names of their
 * own. */
static void consecutive_requests_have_identities(void **state)
{
    struct error err = ERROR_INIT;
    struct forget_spec spec, back;
    uint64_t seed;
    assert_ok(parse(state, "{consecutive: {random: 0.1, requests: 5}}", &spec, &err));
    assert_string_equal(spec.name, "consecutive-5x0.02");
    assert_true(forget_depends_on_seed(&spec));
    for (uint32_t k = 0; k <= 5; k++) {
        char want[128] = "{\"random\":0.1,\"seed\":7}";
        spec.request = k;
        json_t *id = forget_identity(&spec, 7);
        char *json = json_canonical(id);
        if (k > 0 && k < 5)
            snprintf(want, sizeof want, "{\"random\":0.1,\"request\":%u,\"requests\":5,\"seed\":7}",
                     k);
        assert_string_equal(json, want);
        assert_ok(forget_from_json(id, &back, &seed, &err));
        assert_int_equal(back.request, k % 5);
        assert_int_equal(seed, 7);
        free(json);
        json_decref(id);
    }
    json_t *all = forget_sequence(&spec, 7);
    assert_ok(forget_from_json(all, &back, &seed, &err));
    assert_int_equal(back.requests, 5);
    assert_int_equal(back.request, 0);
    json_object_set_new(all, "request", json_integer(6));
    assert_error_part(forget_from_json(all, &back, &seed, &err), &err, "not one that this version");
    json_decref(all);
}

static void refuse(void **state, const char *text, const char *want)
{
    struct error err = ERROR_INIT;
    struct forget_spec spec = {0};
    char path[512], full[1024];
    int rc = parse(state, text, &spec, &err);
    if (rc == 0)
        fail_msg("accepted: %s", text);
    snprintf(path, sizeof path, "%s/", (const char *)*state);
    snprintf(full, sizeof full, "%s", err.text); /* the scratch folder's name is left out */
    char *at = strstr(full, path);
    if (at)
        memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
    assert_string_equal(full, want);
    assert_null(spec.rows);
}

static void bad_scenarios_are_refused(void **state)
{
    static const char one[] =
        "forget: expected one of {random: SHARE}, {class: NUMBER}, {indices: FILE}, {consecutive: "
        "{random: SHARE, requests: NUMBER}}";
    char text[256];
    snprintf(text, sizeof text, "s.yaml:1:1: %s", one);
    refuse(state, "random", text);
    refuse(state, "[1]", text);
    refuse(state, "{}", text);
    refuse(state, "{random: 0.1, class: 3}", text);
    refuse(state, "{random: 0}",
           "s.yaml:1:10: random: expected a share of the training rows between 0 and 1, found 0");
    refuse(state, "{random: 1}",
           "s.yaml:1:10: random: expected a share of the training rows between 0 and 1, found 1");
    refuse(state, "{random: lots}", "s.yaml:1:10: random: expected a number, found \"lots\"");
    refuse(state, "{class: -1}", "s.yaml:1:9: class: expected a class number from 0, found -1");
    refuse(state, "{class: [1, x]}", "s.yaml:1:13: class: expected a whole number, found \"x\"");
    refuse(state, "{class: []}", "s.yaml:1:9: class: an empty list");
    refuse(state, "{class: [1, 2, 1]}", "s.yaml:1:9: class: 1 appears twice");
    refuse(state, "{class: [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}",
           "s.yaml:1:48: class: more than 16 classes");
    refuse(state, "{clas: 3}",
           "s.yaml:1:2: unknown key \"clas\" in forget; did you mean \"class\"?");
    refuse(state, "{consecutive: 5}",
           "s.yaml:1:15: consecutive: expected {random: SHARE, requests: NUMBER}");
    refuse(state, "{consecutive: {random: 0.1}}",
           "s.yaml:1:15: consecutive: expected {random: SHARE, requests: NUMBER}");
    refuse(state, "{consecutive: {random: 0.1, requests: 1}}",
           "s.yaml:1:39: requests: expected 2 to 1000, found 1");
    refuse(state, "{consecutive: {random: 2, requests: 3}}",
           "s.yaml:1:24: random: expected a share of the training rows between 0 and 1, found 2");
    refuse(state, "{consecutive: {random: 0.1, request: 3}}",
           "s.yaml:1:29: unknown key \"request\" in consecutive; did you mean \"requests\"?");
    refuse(state, "{class: 3, column: x}", "s.yaml:1:20: forget: column belongs to indices");
    struct error err = ERROR_INIT;
    struct forget_spec spec;
    assert_error(forget_parse(NULL, ".", &spec, &err), &err, one);
}

static void bad_index_files_are_refused(void **state)
{
    static const struct {
        const char *csv, *column, *error;
    } cases[] = {
        {"unlearn_idx\n3\n-1\n", "",
         "s.yaml:1:11: indices: i.csv:3: expected a row number from 0, found \"-1\""},
        {"unlearn_idx\n3\n\n1.5\n", "",
         "s.yaml:1:11: indices: i.csv:4: expected a row number from 0, found \"1.5\""},
        {"unlearn_idx\n4294967296\n", "",
         "s.yaml:1:11: indices: i.csv:2: expected a row number from 0, found \"4294967296\""},
        {"unlearn_idx\n3\n4\n3\n", "",
         "s.yaml:1:11: indices: i.csv:4: row 3 appears twice; first in line 2"},
        {"a,b\n1,2\n", "",
         "s.yaml:1:11: indices: i.csv:1: no column \"unlearn_idx\"; name one with column:"},
        {"a,b\n1,2\n", ", column: c",
         "s.yaml:1:11: indices: i.csv:1: no column \"c\"; name one with column:"},
        {"17\n18\n", "",
         "s.yaml:1:11: indices: i.csv:1: the first line must name the column (unlearn_idx), found "
         "\"17\""},
        {"unlearn_idx\n", "", "s.yaml:1:11: indices: i.csv: names no row"},
        {"", "", "s.yaml:1:11: indices: i.csv: empty; expected a header line"},
        {"unlearn_idx,x\n1\n", "",
         "s.yaml:1:11: indices: i.csv:2: expected 2 cells as in the header, found 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        free(scratch_file(state, "i.csv", cases[i].csv, strlen(cases[i].csv)));
        snprintf(text, sizeof text, "{indices: i.csv%s}", cases[i].column);
        refuse(state, text, cases[i].error);
    }
    refuse(state, "{indices: missing.csv}",
           "s.yaml:1:11: indices: cannot open missing.csv: No such file or directory");
}

static void bad_identities_are_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"random\":2.0,\"seed\":1}",
        "{\"random\":0.5}",
        "{\"random\":\"x\",\"seed\":1}",
        "{\"class\":[]}",
        "{\"class\":[1,1]}",
        "{\"class\":[-1]}",
        "{\"class\":3}",
        "{\"indices\":[]}",
        "{\"indices\":[2,1]}",
        "{\"indices\":[1,1]}",
        "{\"indices\":[4294967296]}",
        "{\"indices\":[1.5]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct error err = ERROR_INIT;
        struct forget_spec spec = {0};
        uint64_t seed = 0;
        json_t *v = NULL;
        assert_ok(json_parse_text("id", texts[i], strlen(texts[i]), &v, &err));
        if (forget_from_json(v, &spec, &seed, &err) == 0)
            fail_msg("accepted: %s", texts[i]);
        assert_true(strlen(err.text) > 0);
        json_decref(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenarios_have_names_and_identities),
        cmocka_unit_test(consecutive_requests_have_identities),
        cmocka_unit_test(bad_scenarios_are_refused),
        cmocka_unit_test(bad_index_files_are_refused),
        cmocka_unit_test(bad_identities_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
