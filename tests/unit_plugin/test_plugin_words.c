/* Verdicts, texts and event lines. */
#include "plugin_test.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "clean_text.h"
#include "events.h"
#include "json.h"

static void test_verdicts(void **state)
{
    for (int v = 0; v < VERDICT_COUNT; v++)
        assert_int_equal(verdict_from_name(verdict_name(v)), v);
    assert_int_equal(verdict_from_name("fine"), VERDICT_COUNT);
    assert_int_equal(verdict_from_name(NULL), VERDICT_COUNT);
    assert_string_equal(verdict_name(VERDICT_INVALID_OUTPUT), "invalid-output");
    assert_int_equal(verdict_from_code(ERR_NOMEM), VERDICT_OOM);
    assert_int_equal(verdict_from_code(ERR_OUTPUT), VERDICT_INVALID_OUTPUT);
    assert_int_equal(verdict_from_code(ERR_DENIED), VERDICT_DENIED);
    assert_int_equal(verdict_from_code(ERR_UNSUPPORTED), VERDICT_UNSUPPORTED);
    assert_int_equal(verdict_from_code(ERR_NUMERIC), VERDICT_FAILED);
    assert_int_equal(verdict_from_code(0), VERDICT_OK);
}

static void expect_clean(const char *in, size_t n, size_t cap, const char *want)
{
    char out[64];
    assert_int_equal(clean_text(in, n, out, cap), strlen(want));
    assert_string_equal(out, want);
}

static void test_clean_text(void **state)
{
    expect_clean("plain", 5, 64, "plain");
    expect_clean("a\nb\tc\x7f", 6, 64, "a b c ");
    expect_clean("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, 64,
                 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    expect_clean("\xc3(\xff\x80", 4, 64, "?(??");
    expect_clean("\xed\xa0\x80", 3, 64, "???");      /* a surrogate */
    expect_clean("\xc0\xaf", 2, 64, "??");           /* an overlong slash */
    expect_clean("\xf4\x90\x80\x80", 4, 64, "????"); /* beyond U+10FFFF */
    expect_clean("\xe2\x82", 2, 64, "??");           /* cut off */
    expect_clean("abc\xe2\x82\xac", 6, 6, "abc");    /* never half a character */
    expect_clean("abc\xe2\x82\xac", 6, 7, "abc\xe2\x82\xac");
    expect_clean("abc", 3, 1, "");
}

static void test_last_line(void **state)
{
    char out[64];
    clean_last_line("one\ntwo\n\n \t\n", 12, out, sizeof(out));
    assert_string_equal(out, "two");
    clean_last_line("only", 4, out, sizeof(out));
    assert_string_equal(out, "only");
    clean_last_line("\n\n", 2, out, sizeof(out));
    assert_string_equal(out, "");
    clean_last_line("", 0, out, sizeof(out));
    assert_string_equal(out, "");
}

/* What has come through the pipe, as lines. */
static size_t read_pipe(int fd, char *out, size_t cap)
{
    ssize_t n = read(fd, out, cap - 1);
    size_t lines = 0;
    out[n > 0 ? n : 0] = '\0';
    for (char *p = out; (p = strchr(p, '\n')); p++)
        lines++;
    return lines;
}

static void test_events(void **state)
{
    int fd[2];
    char text[16384], reason[2000];
    assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
    struct events e = {fd[1], 0};
    for (int i = 0; i < 100; i++)
        events_progress(&e, 0.5, "epoch\n1");
    assert_int_equal(read_pipe(fd[0], text, sizeof(text)), 1); /* thinned */
    assert_string_equal(text, "{\"progress\":0.5,\"what\":\"epoch 1\"}\n");
    memset(reason, '"', sizeof(reason) - 1); /* the worst to escape */
    reason[sizeof(reason) - 1] = '\0';
    events_done(&e, VERDICT_FAILED, reason);
    assert_int_equal(read_pipe(fd[0], text, sizeof(text)), 1);
    assert_true(strlen(text) <= PIPE_BUF);
    json_t *o = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "done")), "failed");
    assert_int_equal(json_string_length(json_object_get(o, "reason")), 899);
    assert_true(json_integer_value(json_object_get(o, "peak")) > 0);
    json_decref(o);
    events_done(&e, VERDICT_OK, NULL);
    assert_int_equal(read_pipe(fd[0], text, sizeof(text)), 1);
    struct events none = {-1, 0};
    events_done(&none, VERDICT_OK, "");
    events_progress(NULL, 1, "");
    close(fd[0]);
    close(fd[1]);
}

/* A full pipe does not hold up the work. */
static void test_full_pipe(void **state)
{
    int fd[2];
    char block[PIPE_BUF];
    memset(block, 'x', sizeof(block));
    assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
    while (write(fd[1], block, sizeof(block)) > 0)
        ;
    fcntl(fd[1], F_SETFL, 0);
    struct events e = {fd[1], 0};
    events_progress(&e, 0.5, "does not block");
    assert_true(e.last_ns == 0);
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),  cmocka_unit_test(test_clean_text),
        cmocka_unit_test(test_last_line), cmocka_unit_test(test_events),
        cmocka_unit_test(test_full_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
