/* JSON documents. */
#include <math.h>

#include "json.h"
#include "unit_base/scratch.h"

static void canonical_text_is_sorted_and_short(void **state)
{
    json_t *v = json_pack("{s:f,s:[i,n,b,b],s:{s:s},s:f,s:{},s:[]}", "z", 0.1, "a", 1, 1, 0, "m",
                          "k", "q\"\n\xc3\xa9", "y", 2.0, "o", "l");
    char *text = json_canonical(v);
    assert_string_equal(text,
                        "{\"a\":[1,null,true,false],\"l\":[],\"m\":{\"k\":\"q\\\"\\n\xc3\xa9\"},"
                        "\"o\":{},\"y\":2.0,\"z\":0.1}");
    free(text);
    json_decref(v);
}

static void files_read_back(void **state)
{
    struct error err = ERROR_INIT;
    char *path = scratch_path(state, "v.json"), *text = NULL;
    size_t n = 0;
    json_t *v = json_pack("{s:f,s:[i,i],s:[{s:i}]}", "r", 1.0 / 3, "l", 1, 2, "o", "k", 9),
           *back = NULL;
    assert_ok(json_write_file(path, v, &err));
    assert_ok(fs_read(path, 1 << 16, &text, &n, &err));
    assert_string_equal(text,
                        "{\n  \"l\": [1, 2],\n  \"o\": [\n    {\n      \"k\": 9\n    }\n  ],\n"
                        "  \"r\": 0.3333333333333333\n}\n");
    free(text);
    assert_ok(json_read_file(path, &back, &err));
    assert_true(json_equal(v, back));
    json_decref(v);
    json_decref(back);
    free(path);
}

static void members_are_typed(void **state)
{
    struct error err = ERROR_INIT;
    json_t *o = json_pack("{s:s,s:i,s:f}", "s", "text", "i", 5, "r", 0.5);
    const char *s = NULL;
    json_int_t i = 0;
    double r = 0;
    assert_ok(json_get_string(o, "doc", "s", &s, &err));
    assert_string_equal(s, "text");
    assert_ok(json_get_int(o, "doc", "i", &i, &err));
    assert_int_equal(i, 5);
    assert_ok(json_get_real(o, "doc", "i", &r, &err)); /* whole numbers are numbers */
    assert_true(r == 5);
    assert_error(json_get_int(o, "doc", "r", &i, &err), &err,
                 "doc: \"r\": expected a whole number");
    assert_error(json_get_string(o, "doc", "x", &s, &err), &err, "doc: the key \"x\" is missing");
    assert_error(json_get_real(o, "doc", "s", &r, &err), &err, "doc: \"s\": expected a number");
    assert_error(json_get_real(NULL, "doc", "s", &r, &err), &err,
                 "doc: expected an object with the key \"s\"");
    json_decref(o);
}

static void bad_documents_are_refused(void **state)
{
    static const char *const bad[] = {"",         "{",   "{\"a\":1,\"a\":2}", "[1,]",   "nan",
                                      "\"\xff\"", "1 2", "{'a':1}",           "[1e999]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = ERROR_INIT;
        json_t *v = NULL;
        assert_error_part(json_parse_text("d.json", bad[i], strlen(bad[i]), &v, &err), &err,
                          "d.json:");
        assert_null(v);
    }
    struct error err = ERROR_INIT;
    json_t *v = NULL;
    assert_error(json_parse_text("d.json", "{\"a\":1,\n\"a\":2}", 15, &v, &err), &err,
                 "d.json:2:3: duplicate object key near '\"a\"'");
    char deep[8192];
    memset(deep, '[', sizeof deep);
    assert_error_part(json_parse_text("d.json", deep, sizeof deep, &v, &err), &err, "depth");
}

static void numbers_that_json_lacks(void **state)
{
    json_t *n = json_number_or_null(NAN), *x = json_number_or_null(1.5);
    assert_true(json_is_null(n));
    assert_true(isnan(json_number_or_nan(n)));
    assert_true(isnan(json_number_or_nan(NULL)));
    assert_true(json_number_or_nan(x) == 1.5);
    json_decref(n);
    json_decref(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_text_is_sorted_and_short),
        cmocka_unit_test(files_read_back),
        cmocka_unit_test(members_are_typed),
        cmocka_unit_test(bad_documents_are_refused),
        cmocka_unit_test(numbers_that_json_lacks),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
