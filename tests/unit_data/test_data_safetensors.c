/* safetensors files: round trips, conversions, hostile headers. */
#include <math.h>

#include "rng.h"
#include "safetensors.h"
#include "strbuf.h"
#include "unit_base/scratch.h"

static char *st_file(void **state, const char *header, size_t header_n, size_t n_data)
{
    struct strbuf b;
    strbuf_init(&b);
    for (unsigned i = 0; i < 8; i++)
        strbuf_addc(&b, (char)((uint64_t)header_n >> (8 * i)));
    strbuf_add(&b, header, header_n);
    for (size_t i = 0; i < n_data; i++)
        strbuf_addc(&b, (char)i);
    char *path = scratch_file(state, "x.safetensors", b.s, b.len);
    strbuf_release(&b);
    return path;
}

static void round_trip(void **state)
{
    struct error err = ERROR_INIT;
    const float w[6] = {1, -2, 3.5f, 4, 5, 6};
    const int64_t steps = 77;
    const struct st_tensor in[] = {
        {.name = "1.weight", .dtype = "F32", .n_dim = 2, .dim = {2, 3}, .bytes = w, .n_bytes = 24},
        {.name = "0.bias", .dtype = "F32", .n_dim = 1, .dim = {0}, .bytes = w, .n_bytes = 0},
        {.name = "steps", .dtype = "I64", .n_dim = 0, .bytes = &steps, .n_bytes = 8},
    };
    const char *keys[] = {"arch", "note"}, *values[] = {"{\"a\": 1}", "q\"\xc3\xa9"};
    struct safetensors st;
    char *path = scratch_path(state, "r.safetensors");
    assert_ok(safetensors_write(path, in, 3, keys, values, 2, &err));
    assert_ok(safetensors_open(path, &st, &err));
    assert_int_equal(st.n, 3);
    assert_string_equal(st.tensor[0].name, "1.weight"); /* file order */
    assert_string_equal(st.tensor[1].name, "0.bias");
    assert_int_equal((const char *)st.tensor[0].bytes - (const char *)st.map.bytes, 256);
    const struct st_tensor *t = safetensors_find(&st, "1.weight");
    assert_int_equal(t->n_dim, 2);
    assert_int_equal(t->dim[1], 3);
    assert_int_equal(t->n, 6);
    assert_memory_equal(t->bytes, w, sizeof w);
    assert_int_equal(safetensors_find(&st, "steps")->n, 1);
    assert_null(safetensors_find(&st, "nope"));
    assert_string_equal(safetensors_meta(&st, "note"), values[1]);
    assert_null(safetensors_meta(&st, "nope"));
    float out[6];
    assert_error(st_to_f32(safetensors_find(&st, "steps"), out, &err), &err,
                 "tensor \"steps\" holds I64, expected real numbers");
    safetensors_release(&st);
    safetensors_release(&st);
    assert_ok(safetensors_write(path, NULL, 0, NULL, NULL, 0, &err));
    assert_ok(safetensors_open(path, &st, &err));
    assert_int_equal(st.n, 0);
    safetensors_release(&st);
    free(path);
}

static void writing_checks_what_it_is_given(void **state)
{
    struct error err = ERROR_INIT;
    char *path = scratch_path(state, "w.safetensors");
    const float w[2] = {0};
    struct st_tensor t[2] = {
        {.name = "a", .dtype = "F32", .n_dim = 1, .dim = {2}, .bytes = w, .n_bytes = 8},
        {.name = "a", .dtype = "F32", .n_dim = 1, .dim = {2}, .bytes = w, .n_bytes = 8},
    };
    assert_error_part(safetensors_write(path, t, 2, NULL, NULL, 0, &err), &err, "name is taken");
    t[1].name = "__metadata__";
    assert_error_part(safetensors_write(path, t, 2, NULL, NULL, 0, &err), &err, "name is taken");
    t[1].name = "\xff";
    assert_error_part(safetensors_write(path, t, 2, NULL, NULL, 0, &err), &err, "UTF-8");
    t[1].name = "b";
    t[1].dim[0] = 3;
    assert_error_part(safetensors_write(path, t, 2, NULL, NULL, 0, &err), &err, "does not match");
    t[1].dtype = "F31";
    assert_error_part(safetensors_write(path, t, 2, NULL, NULL, 0, &err), &err, "unknown dtype");
    const char *key = "k", *bad = "\xff";
    assert_error_part(safetensors_write(path, t, 1, &key, &bad, 1, &err), &err, "metadata");
    assert_false(fs_exists(path));
    free(path);
}

static float converted(const char *dtype, const void *bytes, size_t n_bytes)
{
    struct error err = ERROR_INIT;
    const struct st_tensor t = {
        .name = "t", .dtype = dtype, .n = 1, .bytes = bytes, .n_bytes = n_bytes};
    float out = 0;
    assert_ok(st_to_f32(&t, &out, &err));
    return out;
}

static void reals_convert(void **state)
{
    static const struct {
        uint16_t bits;
        float value;
    } halves[] = {{0x3c00, 1},          {0xc000, -2},        {0x0001, 0x1p-24f},
                  {0x03ff, 0x3ffp-24f}, {0x0400, 0x1p-14f},  {0x7bff, 65504},
                  {0x7c00, INFINITY},   {0xfc00, -INFINITY}, {0x8000, 0},
                  {0x3555, 0.33325195f}};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++)
        assert_true(converted("F16", &halves[i].bits, 2) == halves[i].value);
    assert_true(signbit(converted("F16", &(uint16_t){0x8000}, 2)));
    assert_true(isnan(converted("F16", &(uint16_t){0x7e00}, 2)));
    assert_true(converted("BF16", &(uint16_t){0x3f80}, 2) == 1);
    assert_true(converted("BF16", &(uint16_t){0xc049}, 2) == -3.140625f);
    assert_true(converted("F64", &(double){0.1}, 8) == 0.1f);
    assert_true(converted("F32", &(float){0.1f}, 4) == 0.1f);
}

static void headers_that_others_write_are_read(void **state)
{
    static const char *const good[] = {
        /* unaligned data, keys in another order, blanks at the end, no metadata */
        "{\"b\":{\"shape\":[2],\"data_offsets\":[4,12],\"dtype\":\"F32\"},"
        "\"a\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}    ",
        "{\"__metadata__\":{\"format\":\"pt\"},\"e\":{\"dtype\":\"F64\",\"shape\":[0,5],"
        "\"data_offsets\":[0,0]},\"a\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[0,12]}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct error err = ERROR_INIT;
        struct safetensors st;
        char *path = st_file(state, good[i], strlen(good[i]), 12);
        assert_ok(safetensors_open(path, &st, &err));
        assert_int_equal(st.n, 2);
        assert_string_equal(st.tensor[0].name, i == 0 ? "a" : "e");
        if (i == 0) {
            float out[2];
            assert_ok(st_to_f32(&st.tensor[1], out, &err)); /* from an odd address */
            assert_memory_equal(out, "\4\5\6\7\10\11\12\13", 8);
        }
        safetensors_release(&st);
        free(path);
    }
}

/* Headers with 16 bytes of data behind them. */
static void malformed_headers_are_refused(void **state)
{
#define T(dtype, shape, offsets)                                                                   \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
    static const struct {
        const char *header, *part;
    } cases[] = {
        {"[]", "no JSON header"},
        {" {}", "no JSON header"},
        {"{", "safetensors header"},
        {"{}x", "safetensors header"},
        {"{\"a\":" T("F32", "[4]", "[0,16]") ",\"a\":" T("F32", "[4]", "[0,16]") "}", "duplicate"},
        {"{\"\xff\":" T("F32", "[4]", "[0,16]") "}", "unable to decode byte"},
        {"{\"a\\u0000b\":" T("F32", "[4]", "[0,16]") "}", "NUL"},
        {"{}", "belong to no tensor"},
        {"{\"a\":" T("F32", "[3]", "[0,12]") "}", "bytes at its end"},
        {"{\"a\":" T("F32", "[3]", "[4,16]") "}", "bytes before it"},
        {"{\"a\":" T("F32", "[2]", "[0,8]") ",\"b\":" T("F32", "[1]", "[12,16]") "}",
         "bytes before it"},
        {"{\"a\":" T("F32", "[4]", "[0,16]") ",\"b\":" T("F32", "[2]", "[8,16]") "}", "overlaps"},
        {"{\"a\":" T("F32", "[4]", "[0,16]") ",\"b\":" T("F32", "[4]", "[0,16]") "}", "overlaps"},
        {"{\"a\":" T("F32", "[4]", "[0,16]") ",\"b\":" T("F32", "[0]", "[8,8]") "}", "before it"},
        {"{\"a\":" T("F32", "[5]", "[0,20]") "}", "outside the file"},
        {"{\"a\":" T("F32", "[4]", "[16,0]") "}", "outside the file"},
        {"{\"a\":" T("F32", "[4]", "[0,9223372036854775807]") "}", "outside the file"},
        {"{\"a\":" T("F32", "[5]", "[0,16]") "}", "do not match"},
        {"{\"a\":" T("F64", "[4]", "[0,16]") "}", "do not match"},
        {"{\"a\":" T("F32", "[]", "[0,16]") "}", "do not match"},
        {"{\"a\":" T("F32", "[4611686018427387904,4]", "[0,16]") "}", "larger than memory"},
        {"{\"a\":" T("F32", "[4294967296,4294967296,0]", "[0,0]") "}", "larger than memory"},
        {"{\"a\":" T("F64", "[2305843009213693952]", "[0,0]") "}", "larger than memory"},
        {"{\"a\":" T("F32", "[-4]", "[0,16]") "}", "shape must be"},
        {"{\"a\":" T("F32", "[4.0]", "[0,16]") "}", "shape must be"},
        {"{\"a\":" T("F32", "[\"4\"]", "[0,16]") "}", "shape must be"},
        {"{\"a\":" T("F32", "4", "[0,16]") "}", "shape must be"},
        {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,4]", "[0,16]") "}", "shape must be"},
        {"{\"a\":" T("F32", "[4]", "[0,16,16]") "}", "data_offsets must be"},
        {"{\"a\":" T("F32", "[4]", "[0]") "}", "data_offsets must be"},
        {"{\"a\":" T("F32", "[4]", "[-16,0]") "}", "data_offsets must be"},
        {"{\"a\":" T("F32", "[4]", "{\"0\":16}") "}", "data_offsets must be"},
        {"{\"a\":" T("F32", "[4]", "[0,99999999999999999999]") "}", "safetensors header"},
        {"{\"a\":" T("F33", "[4]", "[0,16]") "}", "unknown dtype"},
        {"{\"a\":" T("", "[4]", "[0,16]") "}", "unknown dtype"},
        {"{\"a\":{\"dtype\":3,\"shape\":[4],\"data_offsets\":[0,16]}}", "unknown dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", "expected exactly"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":1}}",
         "expected exactly"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"offsets\":[0,16]}}", "data_offsets must be"},
        {"{\"a\":[]}", "expected exactly"},
        {"{\"a\":null}", "expected exactly"},
        {"{\"__metadata__\":[],\"a\":" T("F32", "[4]", "[0,16]") "}", "__metadata__ must be"},
        {"{\"__metadata__\":{\"k\":1},\"a\":" T("F32", "[4]", "[0,16]") "}",
         "__metadata__.k is no text"},
    };
#undef T
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct safetensors st = {0};
        char *path = st_file(state, cases[i].header, strlen(cases[i].header), 16);
        int rc = safetensors_open(path, &st, &err);
        if (rc == 0)
            fail_msg("accepted: %s", cases[i].header);
        assert_error_part(rc, &err, cases[i].part);
        assert_error_part(rc, &err, path);
        assert_null(st.map.bytes);
        free(path);
    }
}

static void malformed_lengths_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *part;
    } cases[] = {
        {"", 0, "too short"},
        {"\2\0\0\0\0\0\0", 7, "too short"},
        {"\0\0\0\0\0\0\0\0", 8, "no JSON header"},
        {"\3\0\0\0\0\0\0\0{}", 10, "longer than the file"},
        {"\377\377\377\377\377\377\377\377{}", 10, "longer than the file"},
        {"\370\377\377\377\377\377\377\377{}", 10, "longer than the file"},
        {"\0\0\0\0\0\0\0\200{}", 10, "longer than the file"},
        {"\1\0\0\0\0\0\0\0{}", 10, "safetensors header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct safetensors st = {0};
        char *path = scratch_file(state, "l.safetensors", cases[i].bytes, cases[i].n);
        assert_error_part(safetensors_open(path, &st, &err), &err, cases[i].part);
        free(path);
    }
}

static void damaged_files_do_no_harm(void **state)
{
    struct error err = ERROR_INIT;
    const float w[6] = {0};
    const struct st_tensor in[] = {
        {.name = "a", .dtype = "F32", .n_dim = 2, .dim = {2, 2}, .bytes = w, .n_bytes = 16},
        {.name = "b", .dtype = "F16", .n_dim = 1, .dim = {4}, .bytes = w, .n_bytes = 8},
    };
    char *path = scratch_path(state, "d.safetensors"), *bytes = NULL;
    size_t n = 0;
    struct rng r;
    rng_from_key(&r, 13);
    assert_ok(safetensors_write(path, in, 2, NULL, NULL, 0, &err));
    assert_ok(fs_read(path, 1 << 16, &bytes, &n, &err));
    for (int round = 0; round < 1500; round++) {
        char copy[512];
        size_t kept = round % 3 ? n : rng_below(&r, (uint32_t)n);
        memcpy(copy, bytes, n);
        for (int k = 0; k < 2; k++)
            copy[rng_below(&r, (uint32_t)n)] = "0123456789[]{},:\"FUI\x80"[rng_below(&r, 21)];
        struct safetensors st = {0};
        assert_ok(fs_write_atomic(path, copy, kept, &err));
        if (safetensors_open(path, &st, &err) == 0)
            for (size_t i = 0; i < st.n; i++) {
                float out[64];
                assert_true(st.tensor[i].n <= 24);
                st_to_f32(&st.tensor[i], out, &err);
            }
        safetensors_release(&st);
    }
    free(bytes);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(writing_checks_what_it_is_given),
        cmocka_unit_test(reals_convert),
        cmocka_unit_test(headers_that_others_write_are_read),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(malformed_lengths_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
