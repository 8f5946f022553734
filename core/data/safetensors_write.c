/* safetensors_write.c: writing. Tensors follow each other without gaps, as the format wants. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "safetensors.h"
#include "st_dtype.h"
#include "strbuf.h"

static json_t *describe(const struct st_tensor *t, size_t begin, size_t end)
{
    json_t *shape = json_array();
    for (uint32_t i = 0; shape && i < t->n_dim; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)t->dim[i])) != 0) {
            json_decref(shape);
            shape = NULL;
        }
    return json_pack("{s:s,s:o,s:[I,I]}", "dtype", t->dtype, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)end);
}

static int add_tensor(json_t *header, const char *path, const struct st_tensor *t, size_t *offset,
                      struct error *err)
{
    size_t n, n_bytes;
    const char *why = NULL;
    if (t->n_dim > ST_MAX_DIM || st_dtype_size(t->dtype) == 0)
        why = "an unknown dtype or more than 8 dimensions";
    else if (!st_count(t, &n, &n_bytes) || n_bytes != t->n_bytes)
        why = "its size does not match dtype and shape";
    else if (strcmp(t->name, "__metadata__") == 0 || json_object_get(header, t->name))
        why = "the name is taken";
    if (why)
        return error_set(err, ERR_INVALID, "%s: tensor \"%s\": %s", path, t->name, why);
    if (json_object_set_new(header, t->name, describe(t, *offset, *offset + n_bytes)) != 0)
        return error_set(err, ERR_INVALID, "%s: tensor \"%s\": no UTF-8 name, or out of memory",
                         path, t->name);
    *offset += n_bytes;
    return 0;
}

static int add_metadata(json_t *header, const char *path, const char *const *keys,
                        const char *const *values, size_t n, struct error *err)
{
    json_t *meta = n > 0 ? json_object() : NULL;
    int bad = n > 0 && !meta;
    for (size_t i = 0; i < n && !bad; i++)
        bad = json_object_set_new(meta, keys[i], json_string(values[i])) != 0;
    if (meta && json_object_set_new(header, "__metadata__", meta) != 0)
        bad = 1;
    return bad ? error_set(err, ERR_INVALID, "%s: metadata: no UTF-8 text, or out of memory", path)
               : 0;
}

/* Length, JSON and blanks up to a multiple of 64 bytes. */
static int header_text(json_t *header, struct strbuf *out, struct error *err)
{
    char *text = json_dumps(header, JSON_COMPACT);
    if (!text)
        return error_nomem(err);
    strbuf_adds(out, "????????");
    strbuf_adds(out, text);
    free(text);
    while (!out->failed && out->len % 64 != 0)
        strbuf_addc(out, ' ');
    if (out->failed)
        return error_nomem(err);
    for (unsigned i = 0; i < 8; i++)
        out->s[i] = (char)((uint64_t)(out->len - 8) >> (8 * i) & 0xff);
    return 0;
}

int safetensors_write(const char *path, const struct st_tensor *tensors, size_t n,
                      const char *const *meta_keys, const char *const *meta_values, size_t n_meta,
                      struct error *err)
{
    struct strbuf text;
    size_t offset = 0;
    json_t *header = json_object();
    struct fs_part *parts = calloc(n + 1, sizeof *parts);
    strbuf_init(&text);
    int rc = header && parts ? 0 : error_nomem(err);
    if (rc == 0)
        rc = add_metadata(header, path, meta_keys, meta_values, n_meta, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = add_tensor(header, path, &tensors[i], &offset, err);
        parts[i + 1] = (struct fs_part){tensors[i].bytes, tensors[i].n_bytes};
    }
    if (rc == 0)
        rc = header_text(header, &text, err);
    if (rc == 0) {
        parts[0] = (struct fs_part){text.s, text.len};
        rc = fs_write_parts(path, parts, n + 1, err);
    }
    strbuf_release(&text);
    free(parts);
    json_decref(header);
    return rc;
}
