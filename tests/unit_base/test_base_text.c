/* Numbers from and to text, names, suggestions. */
#include <locale.h>
#include <math.h>

#include "rng.h"
#include "text.h"
#include "unit_base/scratch.h"

static void reals(void **state)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},      {"-1.5", -1.5}, {"+2", 2},        {"1e-3", 1e-3},
        {".5", .5},    {"5.", 5},      {"1E2", 100},     {"8/255", 8.0 / 255},
        {"-1/2", -.5}, {"1/.5", 2},    {"1e308", 1e308}, {"0.1", 0.1},
    };
    static const char *const bad[] = {
        "",  " 1",  "1 ",  "1,5", "0x10", "nan",   "inf", "1e999", "1e",    "1e+",         ".",
        "-", "--1", "1/0", "1/",  "/2",   "1/2/3", "1_0", "many",  "1e1.5", "1e308/1e-308"};
    double v = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(text_to_real(good[i].text, &v));
        assert_true(v == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (text_to_real(bad[i], &v))
            fail_msg("\"%s\" was accepted", bad[i]);
}

static void integers(void **state)
{
    static const char *const bad[] = {
        "", "-", "1.0", "1e3", " 1", "1 ", "0x1", "9223372036854775808", "++1", "1-"};
    int64_t v = 0;
    assert_true(text_to_int("-9223372036854775808", &v) && v == INT64_MIN);
    assert_true(text_to_int("9223372036854775807", &v) && v == INT64_MAX);
    assert_true(text_to_int("+007", &v) && v == 7);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (text_to_int(bad[i], &v))
            fail_msg("\"%s\" was accepted", bad[i]);
}

static void booleans_bytes_seconds(void **state)
{
    bool b = false;
    uint64_t n = 0;
    double s = 0;
    assert_true(text_to_bool("yes", &b) && b);
    assert_true(text_to_bool("off", &b) && !b);
    assert_true(text_to_bool("1", &b) && b);
    assert_false(text_to_bool("maybe", &b));
    assert_true(text_to_bytes("4GiB", &n) && n == 4ull << 30);
    assert_true(text_to_bytes("1.5 kB", &n) && n == 1500);
    assert_true(text_to_bytes("1000", &n) && n == 1000);
    assert_false(text_to_bytes("-1", &n));
    assert_false(text_to_bytes("1XB", &n));
    assert_false(text_to_bytes("99999999TiB", &n));
    assert_true(text_to_seconds("30m", &s) && s == 1800);
    assert_true(text_to_seconds("1.5h", &s) && s == 5400);
    assert_true(text_to_seconds("1h30m", &s) && s == 5400);
    assert_true(text_to_seconds("250ms", &s) && s == 0.25);
    assert_true(text_to_seconds("10", &s) && s == 10);
    assert_false(text_to_seconds("", &s));
    assert_false(text_to_seconds("-5s", &s));
    assert_false(text_to_seconds("5 parsecs", &s));
    assert_false(text_to_seconds("1h30", &s) && s == 5400);
}

static void assert_shown(double v, const char *text)
{
    char buf[32];
    text_from_double(v, buf);
    assert_string_equal(buf, text);
}

static void doubles_are_short_and_read_back(void **state)
{
    char buf[32];
    double back = 0;
    struct rng r;
    assert_shown(0.1, "0.1");
    assert_shown(100, "100");
    assert_shown(-0.0, "-0");
    assert_shown(123456789012345, "123456789012345");
    assert_shown(5e-5, "5e-05");
    assert_shown(1e300, "1e+300");
    assert_shown(1.0 / 3, "0.3333333333333333");
    assert_shown(NAN, "nan");
    assert_shown(-INFINITY, "-inf");
    rng_from_key(&r, 1);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)rng_u32(&r) << 32 | rng_u32(&r);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        text_from_double(v, buf);
        assert_true(text_to_real(buf, &back));
        assert_true(back == v);
    }
}

static void the_locale_changes_nothing(void **state)
{
    static const char *const comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8"};
    double v = 0;
    bool found = false;
    for (size_t i = 0; i < 4 && !found; i++)
        found = setlocale(LC_ALL, comma[i]) != NULL;
    assert_true(text_to_real("1.5", &v) && v == 1.5);
    assert_shown(1.5, "1.5");
    setlocale(LC_ALL, "C");
    if (!found)
        print_message("no locale with a decimal comma is installed\n");
}

static void durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0.0 s"},
                 {1.24, "1.2 s"},
                 {59.96, "1 min 0 s"},
                 {190, "3 min 10 s"},
                 {3599.7, "1 h 0 min"},
                 {7500, "2 h 5 min"},
                 {-1, "?"},
                 {NAN, "?"}};
    char buf[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text_duration(cases[i].seconds, buf);
        assert_string_equal(buf, cases[i].text);
    }
}

static void suggestions(void **state)
{
    static const char *const keys[] = {"method", "epochs", "lr", "batch", NULL};
    assert_string_equal(text_did_you_mean("metod", keys), "method");
    assert_string_equal(text_did_you_mean("ephocs", keys), "epochs");
    assert_string_equal(text_did_you_mean("Batch", keys), "batch");
    assert_string_equal(text_did_you_mean("rl", keys), "lr");
    assert_null(text_did_you_mean("x", keys));
    assert_null(text_did_you_mean("", keys));
    assert_null(text_did_you_mean("nothing-like-it", keys));
}

static void names(void **state)
{
    char out[32];
    assert_true(text_is_plugin_id("amun"));
    assert_true(text_is_plugin_id("org.lab.pgd-l2"));
    assert_false(text_is_plugin_id(""));
    assert_false(text_is_plugin_id("a..b"));
    assert_false(text_is_plugin_id("-a"));
    assert_false(text_is_plugin_id("a-"));
    assert_false(text_is_plugin_id("A"));
    assert_false(text_is_plugin_id("a_b"));
    assert_true(text_is_param_name("lr_2"));
    assert_false(text_is_param_name("2lr"));
    assert_false(text_is_param_name("a-b"));
    assert_false(text_is_param_name(""));
    text_to_column("a-b.c_d", out);
    assert_string_equal(out, "a_b_c_d");
    assert_true(text_starts("abc", "ab") && !text_starts("a", "ab"));
    assert_true(text_ends("abc", "bc") && !text_ends("c", "bc"));
    char *s = text_format("%s-%d", "x", 3);
    assert_string_equal(s, "x-3");
    free(s);
    assert_null(text_dup(NULL));
}

static void utf8(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "\xc3",         "\xc0\x80",
                                      "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xff",         "a\xe2\x82",    "\xf0\x9f\x98"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reals),
        cmocka_unit_test(integers),
        cmocka_unit_test(booleans_bytes_seconds),
        cmocka_unit_test(doubles_are_short_and_read_back),
        cmocka_unit_test(the_locale_changes_nothing),
        cmocka_unit_test(durations),
        cmocka_unit_test(suggestions),
        cmocka_unit_test(names),
        cmocka_unit_test(utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
