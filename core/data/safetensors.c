/* safetensors.c: reading. Everything in the file is checked before a pointer is handed out. */
#include "safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "st_dtype.h"

/* The limit of the reference implementation (MAX_HEADER_SIZE). */
enum { HEADER_MAX = 100000000 };

struct reader {
    const char *path;
    const unsigned char *data; /* first byte behind the header */
    size_t n_data;
    struct error *err;
};

static int refuse(const struct reader *r, const char *name, const char *why)
{
    return error_set(r->err, ERR_INVALID, "%s: tensor \"%s\": %s", r->path, name, why);
}

/* Array of whole numbers >= 0; false when it is anything else. */
static bool read_sizes(const json_t *array, size_t max, size_t *out, size_t *ret_n)
{
    if (!json_is_array(array) || json_array_size(array) > max)
        return false;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *v = json_array_get(array, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return false;
        out[i] = (size_t)json_integer_value(v);
    }
    *ret_n = json_array_size(array);
    return true;
}

static int read_tensor(const struct reader *r, const char *name, const json_t *o,
                       struct st_tensor *ret)
{
    struct st_tensor t = {.name = name, .dtype = json_string_value(json_object_get(o, "dtype"))};
    size_t n_dim = 0, n_offsets = 0, offset[2], n_bytes;
    if (!json_is_object(o) || json_object_size(o) != 3)
        return refuse(r, name, "expected exactly dtype, shape and data_offsets");
    if (!t.dtype || st_dtype_size(t.dtype) == 0)
        return refuse(r, name, "an unknown dtype");
    if (!read_sizes(json_object_get(o, "shape"), ST_MAX_DIM, t.dim, &n_dim))
        return refuse(r, name, "shape must be a list of at most 8 whole numbers");
    if (!read_sizes(json_object_get(o, "data_offsets"), 2, offset, &n_offsets) || n_offsets != 2)
        return refuse(r, name, "data_offsets must be two whole numbers");
    t.n_dim = (uint32_t)n_dim;
    if (!st_count(&t, &t.n, &n_bytes))
        return refuse(r, name, "its shape is larger than memory");
    if (offset[0] > offset[1] || offset[1] > r->n_data)
        return refuse(r, name, "data_offsets point outside the file");
    if (offset[1] - offset[0] != n_bytes)
        return refuse(r, name, "data_offsets do not match dtype and shape");
    t.bytes = r->data + offset[0];
    t.n_bytes = n_bytes;
    *ret = t;
    return 0;
}

/* By place in the file; empty tensors before the one that starts at the same byte. */
static int by_place(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    if (x->bytes != y->bytes)
        return (const char *)x->bytes < (const char *)y->bytes ? -1 : 1;
    if (x->n_bytes != y->n_bytes)
        return x->n_bytes < y->n_bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Each tensor must begin where the one before ended, and the last end with the file. */
static int check_layout(const struct reader *r, const struct safetensors *st)
{
    const char *at = (const char *)r->data;
    for (size_t i = 0; i < st->n; i++) {
        const struct st_tensor *t = &st->tensor[i];
        if ((const char *)t->bytes < at)
            return refuse(r, t->name, "overlaps the tensor before it");
        if ((const char *)t->bytes > at)
            return refuse(r, t->name, "bytes before it belong to no tensor");
        at += t->n_bytes;
    }
    if (at != (const char *)r->data + r->n_data)
        return error_set(r->err, ERR_INVALID, "%s: bytes at its end belong to no tensor", r->path);
    return 0;
}

static int read_metadata(const struct reader *r, const json_t *meta, struct safetensors *st)
{
    size_t n = json_object_size(meta);
    if (meta && !json_is_object(meta))
        return error_set(r->err, ERR_INVALID, "%s: __metadata__ must be a map of texts", r->path);
    st->meta_key = calloc(n + 1, sizeof *st->meta_key);
    st->meta_value = calloc(n + 1, sizeof *st->meta_value);
    if (!st->meta_key || !st->meta_value)
        return error_nomem(r->err);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)meta, key, value)
    {
        if (!json_is_string(value))
            return error_set(r->err, ERR_INVALID, "%s: __metadata__.%s is no text", r->path, key);
        st->meta_key[st->n_meta] = key;
        st->meta_value[st->n_meta++] = json_string_value(value);
    }
    return 0;
}

static int read_tensors(const struct reader *r, json_t *header, struct safetensors *st)
{
    const char *name;
    json_t *value;
    st->tensor = calloc(json_object_size(header) + 1, sizeof *st->tensor);
    if (!st->tensor)
        return error_nomem(r->err);
    json_object_foreach(header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        TRY(read_tensor(r, name, value, &st->tensor[st->n]));
        st->n++;
    }
    qsort(st->tensor, st->n, sizeof *st->tensor, by_place);
    return check_layout(r, st);
}

/* The header's JSON, and where the data begin. */
static int read_header(struct reader *r, const struct fs_map *map, json_t **ret)
{
    const unsigned char *b = map->bytes;
    uint64_t n = 0;
    if (map->n < 8)
        return error_set(r->err, ERR_INVALID, "%s: not a safetensors file (too short)", r->path);
    for (int i = 7; i >= 0; i--)
        n = n << 8 | b[i];
    if (n > map->n - 8 || n > HEADER_MAX)
        return error_set(r->err, ERR_INVALID,
                         "%s: not a safetensors file (its header would be longer than %s)", r->path,
                         n > map->n - 8 ? "the file" : "100 MB");
    if (n == 0 || b[8] != '{')
        return error_set(r->err, ERR_INVALID, "%s: not a safetensors file (no JSON header)",
                         r->path);
    r->data = b + 8 + n;
    r->n_data = map->n - 8 - (size_t)n;
    if (json_parse_text(r->path, (const char *)b + 8, (size_t)n, ret, r->err) < 0)
        return error_prefix(r->err, "safetensors header");
    return 0;
}

int safetensors_open(const char *path, struct safetensors *ret, struct error *err)
{
    struct safetensors st = {0};
    struct reader r = {.path = path, .err = err};
    json_t *header = NULL;
    TRY(fs_map(path, &st.map, err));
    int rc = read_header(&r, &st.map, &header);
    st.json = header;
    if (rc == 0)
        rc = read_metadata(&r, json_object_get(header, "__metadata__"), &st);
    if (rc == 0)
        rc = read_tensors(&r, header, &st);
    if (rc < 0)
        safetensors_release(&st);
    else
        *ret = st;
    return rc;
}

void safetensors_release(struct safetensors *st)
{
    free(st->tensor);
    free(st->meta_key);
    free(st->meta_value);
    json_decref(st->json);
    fs_unmap(&st->map);
    *st = (struct safetensors){0};
}

const struct st_tensor *safetensors_find(const struct safetensors *st, const char *name)
{
    for (size_t i = 0; i < st->n; i++)
        if (strcmp(st->tensor[i].name, name) == 0)
            return &st->tensor[i];
    return NULL;
}

const char *safetensors_meta(const struct safetensors *st, const char *key)
{
    for (size_t i = 0; i < st->n_meta; i++)
        if (strcmp(st->meta_key[i], key) == 0)
            return st->meta_value[i];
    return NULL;
}
