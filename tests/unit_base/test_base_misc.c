/* Errors, string buffers, arenas, hashes and the log. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "arena.h"
#include "hash.h"
#include "log.h"
#include "strbuf.h"
#include "unit_base/scratch.h"

static void errors_record_and_prefix(void **state)
{
    struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERR_INVALID, "value %d", 7), ERR_INVALID);
    assert_string_equal(err.text, "value 7");
    assert_int_equal(error_prefix(&err, "file %s", "x"), ERR_INVALID);
    assert_string_equal(err.text, "file x: value 7");
    assert_int_equal(error_errno(&err, ENOENT, "cannot open %s", "y"), ERR_IO);
    assert_string_equal(err.text, "cannot open y: No such file or directory");
    assert_int_equal(error_nomem(NULL), ERR_NOMEM);
    assert_int_equal(error_set(&err, ERR_IO, "again: %s", err.text), ERR_IO);
    assert_string_equal(err.text, "again: cannot open y: No such file or directory");
    assert_string_equal(error_name(ERR_OUTPUT), "E_OUTPUT");
    assert_string_equal(error_name(-999), "E_UNKNOWN");
}

static void long_errors_are_cut_between_characters(void **state)
{
    struct error err = ERROR_INIT;
    char text[4096] = "";
    for (int i = 0; i < 1000; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 3); /* e with an acute accent */
    error_set(&err, ERR_INVALID, "x%s", text);
    assert_int_equal(strlen(err.text), 1023);
    assert_memory_equal(err.text + 1021, "\xc3\xa9", 3);
    error_set(&err, ERR_INVALID, "%s", text);
    assert_int_equal(strlen(err.text), 1022);
}

static void strbufs_grow_and_detach(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    assert_string_equal(b.s, "");
    strbuf_reset(&b);
    for (int i = 0; i < 1000; i++)
        strbuf_addf(&b, "%d,", i);
    strbuf_addc(&b, 'x');
    strbuf_add(&b, "y\0z", 3);
    strbuf_add_double(&b, 0.1);
    assert_int_equal(b.len, 3890 + 1 + 3 + 3);
    assert_false(b.failed);
    char *s = strbuf_detach(&b);
    assert_non_null(s);
    assert_string_equal(b.s, "");
    assert_memory_equal(s, "0,1,2,", 6);
    free(s);
    s = strbuf_detach(&b); /* of an empty one: still a string of its own */
    assert_string_equal(s, "");
    free(s);
    strbuf_release(&b);
}

static void strbufs_refuse_the_impossible(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_adds(&b, "abc");
    strbuf_add(&b, "x", SIZE_MAX / 2);
    assert_true(b.failed);
    strbuf_adds(&b, "more");
    assert_string_equal(b.s, "abc");
    assert_null(strbuf_detach(&b));
    assert_false(b.failed);
}

static void note(void *arg)
{
    char **at = arg;
    *(*at)++ = 'x';
}

static void arenas_align_zero_and_clean_up(void **state)
{
    char marks[8] = "", *at = marks;
    struct arena *a = arena_new();
    for (size_t n = 0; n < 5000; n += 37) {
        unsigned char *p = arena_alloc(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    unsigned char *large = arena_alloc(a, 1 << 20);
    assert_non_null(large);
    memset(large, 1, 1 << 20);
    assert_true(arena_bytes(a) >= 1 << 20);
    assert_null(arena_alloc(a, SIZE_MAX - 8));
    assert_string_equal(arena_printf(a, "%s-%d", "k", 5), "k-5");
    assert_string_equal(arena_strdup(a, "copy"), "copy");
    assert_int_equal(arena_cleanup(a, note, &at), 0);
    assert_int_equal(arena_cleanup(a, note, &at), 0);
    arena_free(a);
    assert_string_equal(marks, "xx");
    arena_free(NULL);
}

static void hashes_are_sha256(void **state)
{
    char hex[HASH_HEX_SIZE];
    struct error err = ERROR_INIT;
    hash_bytes("abc", 3, hex); /* FIPS 180-4's example */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_bytes(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    struct hash *h = hash_new();
    hash_add(h, "a", 1);
    hash_add(h, "bc", 2);
    hash_final(h, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(hash_u64("abc", 3) == 0xeacf018fbf1678baull);
    char *path = scratch_file(state, "abc", "abc", 3);
    assert_ok(hash_file(path, hex, &err));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    free(path);
    assert_error_part(hash_file("/nonexistent/x", hex, &err), &err, "cannot read /nonexistent/x");
    assert_error_part(hash_file(*state, hex, &err), &err, "Is a directory");
}

/* Runs the calls with stderr in a file and returns what was written. */
static char *captured(void **state, void (*calls)(void))
{
    char *path = scratch_path(state, "stderr"), *text = NULL;
    size_t n = 0;
    int saved = dup(2), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 2);
    calls();
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    close(fd);
    assert_int_equal(fs_read(path, 1 << 16, &text, &n, NULL), 0);
    free(path);
    return text;
}

static void before(void *arg)
{
    fputs("[", stderr);
}

static void after(void *arg)
{
    fputs("]", stderr);
}

static void speak(void)
{
    log_debug("not seen");
    log_info("plain %d", 1);
    log_set_level(LOG_ERROR);
    log_warning("not seen either");
    log_set_hooks(before, after, NULL);
    log_error("bad");
    log_set_hooks(NULL, NULL, NULL);
    log_set_level(LOG_INFO);
}

static void the_log_prefixes_and_calls_hooks(void **state)
{
    char *text = captured(state, speak);
    assert_string_equal(text, "test_base_misc: plain 1\n[test_base_misc: error: bad\n]");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_record_and_prefix),
        cmocka_unit_test(long_errors_are_cut_between_characters),
        cmocka_unit_test(strbufs_grow_and_detach),
        cmocka_unit_test(strbufs_refuse_the_impossible),
        cmocka_unit_test(arenas_align_zero_and_clean_up),
        cmocka_unit_test(hashes_are_sha256),
        cmocka_unit_test(the_log_prefixes_and_calls_hooks),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
