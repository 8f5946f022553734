#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct type {
    const char *name;
    size_t size;
};
static const struct type types[] = {{"'<f4'", 4}, {"'<f8'", 8}, {"'<i8'", 8}, {"'|u1'", 1}};

static double element(const char *p, size_t type)
{
    float f;
    double d;
    int64_t i;
    switch (type) {
    case 0:
        return memcpy(&f, p, sizeof f), (double)f;
    case 1:
        return memcpy(&d, p, sizeof d), d;
    case 2:
        return memcpy(&i, p, sizeof i), (double)i;
    default:
        return (unsigned char)*p;
    }
}

static char *read_all(const char *path, size_t *ret_n)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *ret_n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*ret_n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *ret_n, file), *ret_n);
    bytes[*ret_n] = 0;
    fclose(file);
    return bytes;
}

struct fixture fixture_load(const char *path)
{
    char full[1024];
    struct fixture a = {0, NULL};
    size_t n_bytes, type = 0;
    const char *root = getenv("LETHE_FIXTURES");
    assert_non_null(root);
    snprintf(full, sizeof full, "%s/%s.npy", root, path);
    char *bytes = read_all(full, &n_bytes);
    assert_true(n_bytes > 10 && memcmp(bytes, "\x93NUMPY\x01\x00", 8) == 0);
    size_t start = 10 + (unsigned char)bytes[8] + 256u * (unsigned char)bytes[9];
    assert_true(start <= n_bytes);
    bytes[start - 1] = 0;
    while (type < 4 && !strstr(bytes + 10, types[type].name))
        type++;
    if (type == 4 || !strstr(bytes + 10, "'fortran_order': False"))
        fail_msg("%s: unexpected header %s", full, bytes + 10);
    a.n = (n_bytes - start) / types[type].size;
    a.v = malloc((a.n + 1) * sizeof *a.v);
    assert_non_null(a.v);
    for (size_t i = 0; i < a.n; i++)
        a.v[i] = element(bytes + start + i * types[type].size, type);
    free(bytes);
    return a;
}

void fixture_free(struct fixture *a)
{
    free(a->v);
    a->v = NULL;
}

float *fixture_float(const struct fixture *a)
{
    float *v = malloc((a->n + 1) * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < a->n; i++)
        v[i] = (float)a->v[i];
    return v;
}

int32_t *fixture_int32(const struct fixture *a)
{
    int32_t *v = malloc((a->n + 1) * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < a->n; i++)
        v[i] = (int32_t)a->v[i];
    return v;
}

double fixture_distance(const struct fixture *a, const double *b, size_t n)
{
    double worst = 0;
    assert_int_equal(a->n, n);
    for (size_t i = 0; i < n; i++) {
        double d = fabs(a->v[i] - b[i]);
        worst = d <= worst ? worst : isnan(d) ? HUGE_VAL : d;
    }
    return worst;
}

double fixture_distance_f(const struct fixture *a, const float *b, size_t n)
{
    double *wide = malloc((n + 1) * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < n; i++)
        wide[i] = b[i];
    double worst = fixture_distance(a, wide, n);
    free(wide);
    return worst;
}
