/* golden_array.c: a reader for the little-endian C-order arrays in tests/fixtures. */
#include "golden_array.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double from_f4(const unsigned char *p)
{
    float v;
    memcpy(&v, p, sizeof(v));
    return (double)v;
}

static double from_f8(const unsigned char *p)
{
    double v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static double from_i8(const unsigned char *p)
{
    int64_t v;
    memcpy(&v, p, sizeof(v));
    return (double)v;
}

static const struct dtype {
    const char *name;
    size_t size;
    double (*read)(const unsigned char *p);
} dtypes[] = {{"'<f4'", 4, from_f4}, {"'<f8'", 8, from_f8}, {"'<i8'", 8, from_i8}};

static const struct dtype *find_dtype(const char *header)
{
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++)
        if (strstr(header, dtypes[i].name) && strstr(header, "'fortran_order': False"))
            return &dtypes[i];
    return NULL;
}

static struct golden decode(const char *path, const unsigned char *bytes, size_t n_bytes)
{
    assert_true(n_bytes > 10 && memcmp(bytes, "\x93NUMPY\x01", 7) == 0);
    size_t start = 10 + bytes[8] + 256u * bytes[9];
    assert_true(start < n_bytes);
    char *header = calloc(start, 1);
    assert_non_null(header);
    memcpy(header, bytes + 10, start - 10);
    const struct dtype *type = find_dtype(header);
    if (!type)
        fail_msg("%s: unexpected header %s", path, header);
    free(header);
    struct golden g = {.n = (n_bytes - start) / type->size};
    g.v = calloc(g.n, sizeof(*g.v));
    assert_non_null(g.v);
    for (size_t i = 0; i < g.n; i++)
        g.v[i] = type->read(bytes + start + i * type->size);
    return g;
}

struct golden golden_load(const char *path)
{
    enum { MAX = 1 << 20 };
    const char *root = getenv("LETHE_FIXTURES");
    char full[1024];
    assert_non_null(root);
    snprintf(full, sizeof(full), "%s/%s.npy", root, path);
    FILE *f = fopen(full, "rb");
    if (!f)
        fail_msg("cannot open %s", full);
    unsigned char *bytes = malloc(MAX);
    assert_non_null(bytes);
    size_t n = fread(bytes, 1, MAX, f);
    fclose(f);
    struct golden g = decode(path, bytes, n);
    free(bytes);
    return g;
}

void golden_free(struct golden *g)
{
    free(g->v);
    g->v = NULL;
}

void golden_floats(const char *path, float *to, size_t n)
{
    struct golden g = golden_load(path);
    assert_int_equal(g.n, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (float)g.v[i];
    golden_free(&g);
}

void golden_labels(const char *path, int32_t *to, size_t n)
{
    struct golden g = golden_load(path);
    assert_int_equal(g.n, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (int32_t)g.v[i];
    golden_free(&g);
}

void golden_check(const char *path, const float *found, size_t n, double rtol, double atol)
{
    struct golden g = golden_load(path);
    assert_int_equal(g.n, n);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)found[i] - g.v[i]) <= atol + rtol * fabs(g.v[i])))
            fail_msg("%s[%zu]: %.9g is not %.9g", path, i, (double)found[i], g.v[i]);
    golden_free(&g);
}
