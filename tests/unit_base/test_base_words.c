/* Command lines taken apart and quoted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

static void takes_apart_as_a_shell(void **state)
{
    struct words w = {0};
    (void)state;
    assert_int_equal(0,
                     words_split(&w, "  --a=1 -p 'two words' \"x \\\" y\" a\\ b '' c'd'e ", NULL));
    static const char *const want[] = {"--a=1", "-p", "two words", "x \" y", "a b", "", "cde"};
    assert_int_equal(sizeof(want) / sizeof(*want), w.n);
    for (unsigned i = 0; i < w.n; i++)
        assert_string_equal(want[i], w.w[i]);
    assert_null(w.w[w.n]);
    words_release(&w);
}

static void substitutes_nothing(void **state)
{
    struct words w = {0};
    (void)state;
    assert_int_equal(0, words_split(&w, "$HOME `id` * \\$x", NULL));
    assert_int_equal(4, w.n);
    assert_string_equal("$HOME", w.w[0]);
    assert_string_equal("`id`", w.w[1]);
    assert_string_equal("*", w.w[2]);
    assert_string_equal("$x", w.w[3]);
    words_release(&w);
}

static void refuses_an_open_quote(void **state)
{
    struct words w = {0};
    struct error err = ERROR_INIT;
    (void)state;
    assert_int_equal(ERR_INVALID, words_split(&w, "a 'b", &err));
    assert_non_null(strstr(err.text, "not closed"));
    words_release(&w);
}

static void appends(void **state)
{
    struct words w = {0};
    (void)state;
    for (int i = 0; i < 100; i++)
        words_add(&w, "--n=%d", i);
    assert_false(w.failed);
    assert_int_equal(100, w.n);
    assert_string_equal("--n=99", w.w[99]);
    words_release(&w);
}

static void quoted_words_read_back(void **state)
{
    static const char *const words[] = {"plain-1.2=/x", "two words", "it's", "$x;`y`\"", ""};
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        struct words w = {0};
        char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);
        assert_non_null(out);
        words_print_quoted(out, words[i]);
        fclose(out);
        assert_int_equal(0, words_split(&w, text, NULL));
        assert_int_equal(1, w.n);
        assert_string_equal(words[i], w.w[0]);
        words_release(&w);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_apart_as_a_shell), cmocka_unit_test(substitutes_nothing),
        cmocka_unit_test(refuses_an_open_quote),  cmocka_unit_test(appends),
        cmocka_unit_test(quoted_words_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
