/* npy.c: mapping, checking and writing .npy files. */
#include "npy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "npy_header.h"
#include "strbuf.h"

enum { HEADER_MAX = 1 << 20 };

static const struct type_info {
    const char *descr;
    size_t size;
} types[] = {
    [NPY_F32] = {"<f4", 4}, [NPY_F64] = {"<f8", 8},  [NPY_I32] = {"<i4", 4}, [NPY_I64] = {"<i8", 8},
    [NPY_U8] = {"|u1", 1},  [NPY_BOOL] = {"|b1", 1}, [NPY_I8] = {"|i1", 1},  [NPY_I16] = {"<i2", 2},
    [NPY_U16] = {"<u2", 2}, [NPY_U32] = {"<u4", 4},  [NPY_U64] = {"<u8", 8},
};

const char *npy_type_name(enum npy_type type)
{
    return types[type].descr;
}

static int find_type(const char *path, const char *descr, enum npy_type *ret, struct error *err)
{
    for (size_t t = 1; t < sizeof types / sizeof types[0]; t++)
        if (strcmp(types[t].descr, descr) == 0) {
            *ret = (enum npy_type)t;
            return 0;
        }
    if (descr[0] == '>')
        return error_set(err, ERR_INVALID,
                         "%s: big-endian numbers (%s); save it with .astype(\"<%s\")", path, descr,
                         descr + 1);
    return error_set(err, ERR_INVALID,
                     "%s: numbers of type \"%s\" are not supported; use float32, float64, bool or "
                     "an integer type",
                     path, descr);
}

/* Start and length of the header text; the version decides how its length is written. */
static int locate_header(const char *path, const struct fs_map *map, size_t *ret_at, size_t *ret_n,
                         struct error *err)
{
    const unsigned char *b = map->bytes;
    if (map->n < 10 || memcmp(b, "\x93NUMPY", 6) != 0)
        return error_set(err, ERR_INVALID, "%s: not a .npy file", path);
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return error_set(err, ERR_INVALID, "%s: .npy version %u.%u is not supported", path, b[6],
                         b[7]);
    size_t at = b[6] == 1 ? 10 : 12, n = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1 && map->n >= 12)
        n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (map->n < at || n > map->n - at)
        return error_set(err, ERR_INVALID, "%s: truncated inside its header", path);
    if (n > HEADER_MAX)
        return error_set(err, ERR_INVALID, "%s: a header of %zu bytes is not plausible", path, n);
    *ret_at = at;
    *ret_n = n;
    return 0;
}

/* Product of the dimensions and its size in bytes, without overflow. */
static int count_elements(const char *path, struct npy *a, size_t *ret_bytes, struct error *err)
{
    size_t n = 1, bytes;
    for (uint32_t i = 0; i < a->n_dim; i++)
        if (__builtin_mul_overflow(n, a->dim[i], &n))
            return error_set(err, ERR_INVALID, "%s: its shape is larger than memory", path);
    if (__builtin_mul_overflow(n, types[a->type].size, &bytes))
        return error_set(err, ERR_INVALID, "%s: its shape is larger than memory", path);
    a->n = n;
    *ret_bytes = bytes;
    return 0;
}

static int check(const char *path, struct npy *a, struct error *err)
{
    struct npy_header h;
    size_t at = 0, header_n = 0, bytes = 0;
    TRY(locate_header(path, &a->map, &at, &header_n, err));
    const char *base = a->map.bytes;
    TRY(npy_header_parse(path, base + at, header_n, &h, err));
    TRY(find_type(path, h.descr, &a->type, err));
    a->n_dim = h.n_dim;
    memcpy(a->dim, h.dim, sizeof a->dim);
    if (h.fortran_order && h.n_dim > 1)
        return error_set(err, ERR_INVALID,
                         "%s: stored in Fortran order; save np.ascontiguousarray(...)", path);
    TRY(count_elements(path, a, &bytes, err));
    size_t start = at + header_n, there = a->map.n - start;
    if (there != bytes)
        return error_set(err, ERR_INVALID, "%s: its shape needs %zu bytes of data, %zu are there",
                         path, bytes, there);
    a->bytes = base + start;
    if (bytes > 0 && start % types[a->type].size != 0) {
        a->copy = malloc(bytes);
        if (!a->copy)
            return error_nomem(err);
        a->bytes = memcpy(a->copy, base + start, bytes);
    }
    return 0;
}

int npy_open(const char *path, struct npy *ret, struct error *err)
{
    struct npy a = {0};
    TRY(fs_map(path, &a.map, err));
    int rc = check(path, &a, err);
    if (rc < 0)
        npy_release(&a);
    else
        *ret = a;
    return rc;
}

void npy_release(struct npy *a)
{
    free(a->copy);
    fs_unmap(&a->map);
    *a = (struct npy){0};
}

struct npy npy_item(const struct npy *a, size_t i)
{
    struct npy item = *a;
    item.n_dim = a->n_dim - 1;
    for (uint32_t d = 0; d < item.n_dim; d++)
        item.dim[d] = a->dim[d + 1];
    item.n = a->n / a->dim[0];
    item.bytes = (const char *)a->bytes + i * item.n * types[a->type].size;
    item.map = (struct fs_map){0};
    item.copy = NULL;
    return item;
}

int npy_header_make(const char *path, enum npy_type type, uint32_t n_dim, const size_t *dim,
                    struct strbuf *out, size_t *ret_bytes, struct error *err)
{
    static const char magic[] = "\x93NUMPY\x01";
    struct npy a = {.type = type, .n_dim = n_dim};
    if (n_dim > NPY_MAX_DIM)
        return error_set(err, ERR_INVALID, "%s: more than %d dimensions", path, NPY_MAX_DIM);
    for (uint32_t i = 0; i < n_dim; i++)
        a.dim[i] = dim[i];
    TRY(count_elements(path, &a, ret_bytes, err));
    strbuf_add(out, magic, 8);
    strbuf_adds(out, "??"); /* the length, known below */
    strbuf_addf(out, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[type].descr);
    for (uint32_t i = 0; i < n_dim; i++)
        strbuf_addf(out, i == 0 ? "%zu%s" : " %zu%s", dim[i],
                    n_dim == 1 || i + 1 < n_dim ? "," : "");
    strbuf_adds(out, "), }");
    while (!out->failed && (out->len + 1) % 64 != 0)
        strbuf_addc(out, ' ');
    strbuf_addc(out, '\n');
    if (out->failed)
        return error_nomem(err);
    out->s[8] = (char)((out->len - 10) & 0xff);
    out->s[9] = (char)((out->len - 10) >> 8);
    return 0;
}

int npy_write(const char *path, enum npy_type type, uint32_t n_dim, const size_t *dim,
              const void *bytes, struct error *err)
{
    size_t n_bytes = 0;
    struct strbuf h;
    strbuf_init(&h);
    int rc = npy_header_make(path, type, n_dim, dim, &h, &n_bytes, err);
    if (rc == 0) {
        struct fs_part parts[] = {{h.s, h.len}, {bytes, n_bytes}};
        rc = fs_write_parts(path, parts, 2, err);
    }
    strbuf_release(&h);
    return rc;
}
