/* Foreign text inside a page, and pictures that may stand in it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "html_figures.h"
#include "html_text.h"

static void test_escape(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    html_escape(&b, "<b a=\"1\" c='2'>&\xff\xc3\xbc");
    assert_string_equal(b.s, "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\xef\xbf\xbd\xc3\xbc");
    strbuf_release(&b);
}

static void test_json(void **state)
{
    struct html_json j;
    html_json_init(&j);
    html_json_open(&j, '{');
    html_json_put_string(&j, "a", "</script>\n\"\\\xe2\x80\xa8\xc3");
    html_json_put_number(&j, "b", 0.1);
    html_json_put_number(&j, "c", NAN);
    html_json_key(&j, "d");
    html_json_open(&j, '[');
    html_json_int(&j, -3);
    html_json_bool(&j, true);
    html_json_string(&j, NULL);
    html_json_close(&j, ']');
    html_json_close(&j, '}');
    assert_string_equal(j.out.s, "{\"a\":\"\\u003c/script\\u003e\\u000a\\\"\\\\\\u2028\\ufffd\","
                                 "\"b\":0.1,\"c\":null,\"d\":[-3,true,null]}");
    html_json_release(&j);
}

static void test_inline(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    assert_true(html_inline_svg("<?xml version=\"1.0\"?>\n<svg><!-- made by gnuplot --><g id='a'/>"
                                "<use xlink:href='#a' fill=\"url(#a)\" d='#1'/><text>id='a' &lt;"
                                "</text></svg>",
                                "f1-", &b));
    assert_string_equal(b.s, "<svg><g id='f1-a'/><use xlink:href='#f1-a' fill=\"url(#f1-a)\" "
                             "d='#1'/><text>id='a' &lt;</text></svg>");
    strbuf_release(&b);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "<svg><script>1</script></svg>",
        "<svg><g onclick='1'/></svg>",
        "<svg><use href='http://x'/></svg>",
        "<svg><use xlink:href='javascript:1'/></svg>",
        "<svg><rect fill='url(http://x)'/></svg>",
        "<svg><foreignObject/></svg>",
        "<svg><image href='#a'/></svg>",
        "<svg><g id=a/></svg>",
        "<svg><g id='a",
        "<svg><!-- never closed",
        "no picture",
    };
    struct strbuf b;
    strbuf_init(&b);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(html_inline_svg(bad[i], "f1-", &b));
        assert_string_equal(b.s, "");
    }
    strbuf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
