/* .npy files: what numpy writes is read, what is malformed is refused. */
#include <math.h>

#include "npy.h"
#include "rng.h"
#include "strbuf.h"
#include "unit_base/scratch.h"

/* A file of version 1.0 with this dictionary and these bytes of data. */
static char *npy_file(void **state, const char *dict, const void *bytes, size_t n)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_add(&b, "\x93NUMPY\x01\x00", 8);
    strbuf_addc(&b, (char)(strlen(dict) & 0xff));
    strbuf_addc(&b, (char)(strlen(dict) >> 8));
    strbuf_adds(&b, dict);
    strbuf_add(&b, bytes, n);
    char *path = scratch_file(state, "x.npy", b.s, b.len);
    strbuf_release(&b);
    return path;
}

static void every_type_reads_back(void **state)
{
    static const enum npy_type types[] = {NPY_F32, NPY_F64, NPY_I32, NPY_I64, NPY_U8, NPY_BOOL,
                                          NPY_I8,  NPY_I16, NPY_U16, NPY_U32, NPY_U64};
    static const unsigned char bytes[48] = {1, 0, 0, 0, 0, 0, 0, 0, 1};
    const size_t dim[3] = {1, 2, 3};
    struct error err = ERROR_INIT;
    char *path = scratch_path(state, "t.npy");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct npy a;
        assert_ok(npy_write(path, types[i], 3, dim, bytes, &err));
        assert_ok(npy_open(path, &a, &err));
        assert_int_equal(a.type, types[i]);
        assert_int_equal(a.n_dim, 3);
        assert_memory_equal(a.dim, dim, sizeof dim);
        assert_int_equal(a.n, 6);
        assert_memory_equal(a.bytes, bytes, 6);
        assert_int_equal(((const char *)a.bytes - (const char *)a.map.bytes) % 64, 0);
        assert_null(a.copy);
        npy_release(&a);
        npy_release(&a);
    }
    free(path);
}

static void shapes_of_all_kinds(void **state)
{
    struct error err = ERROR_INIT;
    struct npy a;
    const float x[2] = {1.5f, 2};
    const size_t none[2] = {0, 7};
    char *path = scratch_path(state, "s.npy");
    assert_ok(npy_write(path, NPY_F32, 0, NULL, x, &err)); /* a scalar */
    assert_ok(npy_open(path, &a, &err));
    assert_int_equal(a.n_dim, 0);
    assert_int_equal(a.n, 1);
    npy_release(&a);
    assert_ok(npy_write(path, NPY_F32, 2, none, x, &err)); /* no element */
    assert_ok(npy_open(path, &a, &err));
    assert_int_equal(a.n, 0);
    assert_int_equal(a.dim[1], 7);
    npy_release(&a);
    free(path);
    path = npy_file(state, "{'shape': (2,), \"descr\": '<f4', 'fortran_order': True}\n", x, 8);
    assert_ok(npy_open(path, &a, &err)); /* unaligned, other order of keys, 1-D Fortran */
    assert_non_null(a.copy);
    assert_int_equal((uintptr_t)a.bytes % 4, 0);
    assert_memory_equal(a.bytes, x, sizeof x);
    npy_release(&a);
    free(path);
    static const char v2[] =
        "\x93NUMPY\x02\x00\x38\x00\x00\x00{'descr': '|u1', 'fortran_order': False,"
        " 'shape': (1,)}\n\x07";
    path = scratch_file(state, "v2.npy", v2, sizeof v2 - 1);
    assert_ok(npy_open(path, &a, &err));
    assert_int_equal(*(const uint8_t *)a.bytes, 7);
    npy_release(&a);
    free(path);
}

static void fixtures_of_numpy_are_read(void **state)
{
    struct error err = ERROR_INIT;
    struct npy a;
    char *path = fs_join(getenv("LETHE_FIXTURES"), "roc_v1/in_labels.npy");
    int32_t labels[400];
    assert_ok(npy_open(path, &a, &err));
    assert_int_equal(a.type, NPY_I64);
    assert_int_equal(a.n, 400);
    assert_ok(npy_to_i32(&a, labels, &err));
    int ones = 0;
    for (int i = 0; i < 400; i++) {
        assert_true(labels[i] == 0 || labels[i] == 1);
        ones += labels[i];
    }
    assert_int_equal(ones, 205);
    npy_release(&a);
    free(path);
}

static void assert_converts(void **state, enum npy_type type, const void *value, double want,
                            const char *why_not_f32, const char *why_not_i32)
{
    struct error err = ERROR_INIT;
    struct npy a;
    char *path = scratch_path(state, "c.npy");
    const size_t one = 1;
    float f;
    double d;
    int32_t i;
    assert_ok(npy_write(path, type, 1, &one, value, &err));
    assert_ok(npy_open(path, &a, &err));
    if (why_not_f32)
        assert_error(npy_to_f32(&a, &f, &err), &err, why_not_f32);
    else {
        assert_ok(npy_to_f32(&a, &f, &err));
        assert_true(f == (float)want || (isnan(f) && isnan(want)));
    }
    if (why_not_i32)
        assert_error(npy_to_i32(&a, &i, &err), &err, why_not_i32);
    else {
        assert_ok(npy_to_i32(&a, &i, &err));
        assert_true(i == want);
    }
    if (type != NPY_I64 && type != NPY_U64) {
        assert_ok(npy_to_f64(&a, &d, &err));
        assert_true(d == want || (isnan(d) && isnan(want)));
    }
    npy_release(&a);
    free(path);
}

static void conversions_refuse_what_does_not_fit(void **state)
{
    assert_converts(state, NPY_F32, &(float){-3}, -3, NULL, NULL);
    assert_converts(state, NPY_F64, &(double){0.5}, 0.5, NULL,
                    "element 0 is 0.5, which is no int32 number");
    assert_converts(state, NPY_F64, &(double){NAN}, NAN, NULL,
                    "element 0 is nan, which is no int32 number");
    assert_converts(state, NPY_F64, &(double){1e300}, 1e300,
                    "element 0 is 1e+300, which is no float32 number",
                    "element 0 is 1e+300, which is no int32 number");
    assert_converts(state, NPY_I32, &(int32_t){16777217}, 16777217,
                    "element 0 is 16777217, which is no float32 number", NULL);
    assert_converts(state, NPY_I32, &(int32_t){INT32_MIN}, INT32_MIN, NULL, NULL);
    assert_converts(state, NPY_I64, &(int64_t){-5000000000}, -5e9, NULL,
                    "element 0 is -5000000000, which is no int32 number");
    assert_converts(state, NPY_U64, &(uint64_t){UINT64_MAX}, 0,
                    "element 0 is 18446744073709551615, which is no float32 number",
                    "element 0 is 18446744073709551615, which is no int32 number");
    assert_converts(state, NPY_U8, &(uint8_t){200}, 200, NULL, NULL);
    assert_converts(state, NPY_I8, &(int8_t){-1}, -1, NULL, NULL);
    assert_converts(state, NPY_I16, &(int16_t){-300}, -300, NULL, NULL);
    assert_converts(state, NPY_U16, &(uint16_t){65535}, 65535, NULL, NULL);
    assert_converts(state, NPY_U32, &(uint32_t){3000000000u}, 3e9, NULL,
                    "element 0 is 3000000000, which is no int32 number");
    assert_converts(state, NPY_BOOL, &(uint8_t){1}, 1, NULL, NULL);
}

/* Dictionaries with 16 bytes of data behind them. */
static void malformed_headers_are_refused(void **state)
{
    static const struct {
        const char *dict, *part;
    } cases[] = {
        {"", "header that cannot be read"},
        {"{}", "header"},
        {"{'descr': '<f4', 'fortran_order': False}", "header"},
        {"{'descr': '<f4', 'shape': (4,)}", "header"},
        {"{'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)", "header"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'x': 1}", "header"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (4,)}", "header"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': false, 'shape': (4,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 4}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 2)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4L,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,4)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} garbage", "header"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': '<f4\\'', 'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': 'a very long type name', 'fortran_order': False, 'shape': (4,)}", "header"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (4,)}", "big-endian"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (8,)}", "not supported"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", "Fortran order"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}", "needs 20 bytes of data, 16"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "needs 12 bytes of data, 16"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "needs 4 bytes of data, 16"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4)}", "needs 0 bytes of data, 16"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 2, 2)}",
         "larger than memory"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,)}",
         "larger than memory"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0)}",
         "larger than memory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct npy a = {0};
        char *path = npy_file(state, cases[i].dict, "0123456789abcdef", 16);
        int rc = npy_open(path, &a, &err);
        if (rc == 0)
            fail_msg("accepted: %s", cases[i].dict);
        assert_error_part(rc, &err, cases[i].part);
        assert_error_part(rc, &err, path);
        assert_null(a.map.bytes);
        free(path);
    }
}

static void malformed_files_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *part;
    } cases[] = {
        {"", 0, "not a .npy file"},
        {"\x93NUMPY", 6, "not a .npy file"},
        {"\x93NUMPY\x01\x00\x00", 9, "not a .npy file"},
        {"PK\x03\x04............", 16, "not a .npy file"},
        {"\x93NUMPX\x01\x00\x00\x00", 10, "not a .npy file"},
        {"\x93NUMPY\x04\x00\x00\x00\x00\x00", 12, "version 4.0"},
        {"\x93NUMPY\x00\x00\x00\x00\x00\x00", 12, "version 0.0"},
        {"\x93NUMPY\x01\x01\x00\x00\x00\x00", 12, "version 1.1"},
        {"\x93NUMPY\x01\x00\xff\xff{}", 12, "truncated inside its header"},
        {"\x93NUMPY\x02\x00\x01\x00", 10, "truncated inside its header"},
        {"\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, "truncated inside its header"},
        {"\x93NUMPY\x03\x00\x00\x00\x00\x00", 12, "header that cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct npy a = {0};
        char *path = scratch_file(state, "m.npy", cases[i].bytes, cases[i].n);
        assert_error_part(npy_open(path, &a, &err), &err, cases[i].part);
        free(path);
    }
    struct error err = ERROR_INIT;
    struct npy a = {0};
    assert_error_part(npy_open("/nonexistent.npy", &a, &err), &err, "cannot open");
    assert_error_part(npy_open(*state, &a, &err), &err, "Is a directory");
}

/* Random damage to a good file: refused or read, never a crash (the sanitizers look on). */
static void damaged_files_do_no_harm(void **state)
{
    struct error err = ERROR_INIT;
    const size_t dim[2] = {3, 4};
    const float x[12] = {1};
    char *path = scratch_path(state, "d.npy"), *bytes = NULL;
    size_t n = 0;
    struct rng r;
    rng_from_key(&r, 11);
    assert_ok(npy_write(path, NPY_F32, 2, dim, x, &err));
    assert_ok(fs_read(path, 1 << 16, &bytes, &n, &err));
    for (int round = 0; round < 1500; round++) {
        char copy[256];
        size_t kept = round % 3 ? n : rng_below(&r, (uint32_t)n);
        memcpy(copy, bytes, n);
        for (int k = 0; k < 2; k++)
            copy[rng_below(&r, 80)] = (char)rng_u32(&r);
        struct npy a = {0};
        float out[64];
        assert_ok(fs_write_atomic(path, copy, kept, &err));
        if (npy_open(path, &a, &err) == 0) {
            assert_true(a.n <= 48);
            npy_to_f32(&a, out, &err);
        }
        npy_release(&a);
    }
    free(bytes);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reads_back),
        cmocka_unit_test(shapes_of_all_kinds),
        cmocka_unit_test(fixtures_of_numpy_are_read),
        cmocka_unit_test(conversions_refuse_what_does_not_fit),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(malformed_files_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
