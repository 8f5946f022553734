/* IDX files. */
#include "idx.h"
#include "unit_data/idx_files.h"

static const uint32_t dims[3] = {5, 2, 3};

/* 5 images of 2 x 3; pixel k of the file has the value k. */
static void good_file(struct strbuf *b)
{
    strbuf_init(b);
    idx_header(b, 3, dims);
    for (int i = 0; i < 30; i++)
        strbuf_addc(b, (char)i);
}

static void plain_and_compressed(void **state)
{
    static const char *const names[] = {"a", "a.gz"};
    struct error err = ERROR_INIT;
    struct strbuf b;
    good_file(&b);
    for (int i = 0; i < 2; i++) {
        struct idx_array a;
        char *path = scratch_path(state, names[i]);
        idx_save(path, &b);
        assert_ok(idx_read(path, 3, 0, &a, &err));
        assert_int_equal(a.n_dim, 3);
        assert_memory_equal(a.dim, dims, sizeof dims);
        assert_memory_equal(a.bytes, b.s + 16, 30);
        idx_release(&a);
        assert_ok(idx_read(path, 3, 2, &a, &err));
        assert_int_equal(a.dim[0], 2);
        assert_memory_equal(a.bytes, b.s + 16, 12);
        idx_release(&a);
        assert_ok(idx_read(path, 3, 99, &a, &err));
        assert_int_equal(a.dim[0], 5);
        idx_release(&a);
        idx_release(&a);
        free(path);
    }
    strbuf_release(&b);
}

static void assert_refused(void **state, const char *name, const char *bytes, size_t n,
                           uint32_t n_dim, const char *part)
{
    struct error err = ERROR_INIT;
    struct idx_array a = {0};
    char *path = scratch_file(state, name, bytes, n);
    for (uint32_t max = 0; max < 3; max += 2) { /* the checks do not depend on what is kept */
        int rc = idx_read(path, n_dim, max, &a, &err);
        assert_error_part(rc, &err, part);
        assert_error_part(rc, &err, path);
        assert_null(a.bytes);
    }
    free(path);
}

static void plain_files_that_are_wrong(void **state)
{
    struct strbuf b;
    good_file(&b);
    assert_refused(state, "x", b.s, b.len - 1, 3, "promises 30 bytes of data, 29 are there");
    assert_refused(state, "x", b.s, 16, 3, "promises 30 bytes of data, 0 are there");
    assert_refused(state, "x", b.s, 15, 3, "truncated inside its header");
    assert_refused(state, "x", b.s, 3, 3, "truncated inside its header");
    assert_refused(state, "x", b.s, 0, 3, "truncated inside its header");
    assert_refused(state, "x", b.s, b.len, 1, "magic number is 0x00000803, expected 0x00000801");
    strbuf_addc(&b, 'x');
    assert_refused(state, "x", b.s, b.len, 3, "more data than the 30 bytes");
    b.s[2] = 0x0d; /* floats */
    assert_refused(state, "x", b.s, b.len, 3, "magic number is 0x00000d03");
    strbuf_reset(&b);
    idx_header(&b, 3, (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff});
    assert_refused(state, "x", b.s, b.len, 3, "more than 2 GiB");
    strbuf_reset(&b);
    idx_header(&b, 3, (uint32_t[]){0xffffffff, 1, 1});
    assert_refused(state, "x", b.s, b.len, 3, "more than 2 GiB");
    strbuf_reset(&b);
    idx_header(&b, 3, (uint32_t[]){65536, 65536, 65536});
    assert_refused(state, "x", b.s, b.len, 3, "more than 2 GiB");
    strbuf_reset(&b);
    idx_header(&b, 3, (uint32_t[]){0xffffffff, 0, 5});
    assert_refused(state, "x", "PK\3\4 zip", 8, 3, "magic number is 0x504b0304");
    assert_refused(state, "x.gz", b.s, b.len, 3, "not gzip-compressed in spite of its name");
    strbuf_release(&b);
    struct error err = ERROR_INIT;
    struct idx_array a = {0};
    assert_error(idx_read("/nonexistent/x.gz", 3, 0, &a, &err), &err,
                 "/nonexistent/x.gz: there is no such file");
    assert_true(idx_read(*state, 3, 0, &a, &err) < 0);
}

static void compressed_files_that_are_damaged(void **state)
{
    struct error err = ERROR_INIT;
    struct strbuf b;
    char *path = scratch_path(state, "good.gz"), *bytes = NULL;
    size_t n = 0;
    good_file(&b);
    idx_save(path, &b);
    assert_ok(fs_read(path, 1 << 16, &bytes, &n, &err));
    assert_refused(state, "y.gz", bytes, n - 1, 3, "compressed data end too early");
    assert_refused(state, "y.gz", bytes, n - 8, 3, "compressed data end too early");
    assert_refused(state, "y.gz", bytes, n / 2, 3, "truncated");
    assert_refused(state, "y.gz", bytes, 12, 3, "truncated");
    bytes[n - 6] ^= 1; /* the CRC */
    assert_refused(state, "y.gz", bytes, n, 3, "damaged: ");
    bytes[n - 6] ^= 1;
    bytes[n - 1] ^= 1; /* the length */
    assert_refused(state, "y.gz", bytes, n, 3, "damaged: ");
    bytes[n - 1] ^= 1;
    bytes[15] = (char)~bytes[15]; /* the data */
    struct idx_array a = {0};
    char *other = scratch_file(state, "y.gz", bytes, n);
    assert_true(idx_read(other, 3, 0, &a, &err) < 0);
    free(other);
    strbuf_addc(&b, 1);
    idx_save(path, &b);
    assert_error_part(idx_read(path, 3, 0, &a, &err), &err, "more data than the 30 bytes");
    free(bytes);
    free(path);
    strbuf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_compressed),
        cmocka_unit_test(plain_files_that_are_wrong),
        cmocka_unit_test(compressed_files_that_are_damaged),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
