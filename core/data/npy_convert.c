/* npy_convert.c: elements of any type as float, double or int32. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "npy.h"

/* One element: a whole number (negative or not) or a real. */
struct number {
    bool whole, negative;
    uint64_t u; /* magnitude when whole */
    double r;
};

static struct number from_int(int64_t v)
{
    return (struct number){true, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, (double)v};
}

static struct number from_uint(uint64_t v)
{
    return (struct number){true, false, v, (double)v};
}

static struct number from_real(double v)
{
    return (struct number){false, false, 0, v};
}

static struct number element(const struct npy *a, size_t i)
{
    switch (a->type) {
    case NPY_F32:
        return from_real(((const float *)a->bytes)[i]);
    case NPY_F64:
        return from_real(((const double *)a->bytes)[i]);
    case NPY_I8:
        return from_int(((const int8_t *)a->bytes)[i]);
    case NPY_I16:
        return from_int(((const int16_t *)a->bytes)[i]);
    case NPY_I32:
        return from_int(((const int32_t *)a->bytes)[i]);
    case NPY_I64:
        return from_int(((const int64_t *)a->bytes)[i]);
    case NPY_U8:
        return from_uint(((const uint8_t *)a->bytes)[i]);
    case NPY_U16:
        return from_uint(((const uint16_t *)a->bytes)[i]);
    case NPY_U32:
        return from_uint(((const uint32_t *)a->bytes)[i]);
    case NPY_U64:
        return from_uint(((const uint64_t *)a->bytes)[i]);
    case NPY_BOOL:
        return from_uint(((const uint8_t *)a->bytes)[i] != 0);
    }
    return from_real(NAN);
}

static int misfit(size_t i, struct number v, const char *wanted, struct error *err)
{
    if (v.whole)
        return error_set(err, ERR_INVALID, "element %zu is %s%" PRIu64 ", which is no %s", i,
                         v.negative ? "-" : "", v.u, wanted);
    return error_set(err, ERR_INVALID, "element %zu is %.9g, which is no %s", i, v.r, wanted);
}

/* A whole number is exact in a float type when its significant bits fit into the mantissa. */
static bool exact(struct number v, int mantissa_bits)
{
    if (!v.whole || v.u == 0)
        return true;
    int width = 64 - __builtin_clzll(v.u) - __builtin_ctzll(v.u);
    return width <= mantissa_bits;
}

int npy_to_f32(const struct npy *a, float *out, struct error *err)
{
    if (a->type == NPY_F32) {
        if (a->n > 0)
            memcpy(out, a->bytes, a->n * sizeof *out);
        return 0;
    }
    for (size_t i = 0; i < a->n; i++) {
        struct number v = element(a, i);
        out[i] = (float)v.r;
        if (!exact(v, 24) || (isfinite(v.r) && !isfinite(out[i])))
            return misfit(i, v, "float32 number", err);
    }
    return 0;
}

int npy_to_f64(const struct npy *a, double *out, struct error *err)
{
    if (a->type == NPY_F64) {
        if (a->n > 0)
            memcpy(out, a->bytes, a->n * sizeof *out);
        return 0;
    }
    for (size_t i = 0; i < a->n; i++) {
        struct number v = element(a, i);
        out[i] = v.r;
        if (!exact(v, 53))
            return misfit(i, v, "float64 number", err);
    }
    return 0;
}

int npy_to_i32(const struct npy *a, int32_t *out, struct error *err)
{
    for (size_t i = 0; i < a->n; i++) {
        struct number v = element(a, i);
        /* All int32 are exact doubles, and every double in range with no fraction is an int32. */
        if (!(v.r >= INT32_MIN && v.r <= INT32_MAX) || v.r != floor(v.r))
            return misfit(i, v, "int32 number", err);
        out[i] = (int32_t)v.r;
    }
    return 0;
}
