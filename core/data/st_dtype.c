/* st_dtype.c: sizes and conversion of the element types. */
#include "st_dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static float from_f32(const unsigned char *p)
{
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}

static float from_f64(const unsigned char *p)
{
    double v;
    memcpy(&v, p, sizeof v);
    return (float)v;
}

static float from_bf16(const unsigned char *p)
{
    uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 24;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* IEEE 754 binary16. */
static float from_f16(const unsigned char *p)
{
    unsigned bits = p[0] | (unsigned)p[1] << 8;
    unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
    float v = exponent == 0   ? ldexpf((float)fraction, -24)
              : exponent < 31 ? ldexpf((float)(fraction | 1024), (int)exponent - 25)
              : fraction      ? NAN
                              : INFINITY;
    return bits & 0x8000 ? -v : v;
}

static const struct dtype {
    const char *name;
    size_t size;
    float (*to_float)(const unsigned char *); /* NULL: not a real number */
} dtypes[] = {
    {"F32", 4, from_f32}, {"F64", 8, from_f64}, {"F16", 2, from_f16}, {"BF16", 2, from_bf16},
    {"I64", 8, NULL},     {"I32", 4, NULL},     {"I16", 2, NULL},     {"I8", 1, NULL},
    {"U64", 8, NULL},     {"U32", 4, NULL},     {"U16", 2, NULL},     {"U8", 1, NULL},
    {"BOOL", 1, NULL},    {"F8_E4M3", 1, NULL}, {"F8_E5M2", 1, NULL},
};

static const struct dtype *find(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}

size_t st_dtype_size(const char *dtype)
{
    const struct dtype *d = find(dtype);
    return d ? d->size : 0;
}

bool st_count(const struct st_tensor *t, size_t *ret_n, size_t *ret_bytes)
{
    size_t n = 1;
    for (uint32_t i = 0; i < t->n_dim; i++)
        if (__builtin_mul_overflow(n, t->dim[i], &n))
            return false;
    *ret_n = n;
    return !__builtin_mul_overflow(n, st_dtype_size(t->dtype), ret_bytes);
}

int st_to_f32(const struct st_tensor *t, float *out, struct error *err)
{
    const struct dtype *d = find(t->dtype);
    if (!d || !d->to_float)
        return error_set(err, ERR_INVALID, "tensor \"%s\" holds %s, expected real numbers", t->name,
                         t->dtype);
    if (d->to_float == from_f32) {
        if (t->n > 0)
            memcpy(out, t->bytes, t->n_bytes);
        return 0;
    }
    const unsigned char *p = t->bytes;
    for (size_t i = 0; i < t->n; i++)
        out[i] = d->to_float(p + i * d->size);
    return 0;
}
