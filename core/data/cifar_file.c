/* cifar_file.c: https://www.cs.toronto.edu/~kriz/cifar.html describes the format. */
#include "cifar_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"

static int count_records(const char *path, size_t n_bytes, uint32_t label_bytes, uint32_t *ret,
                         struct error *err)
{
    size_t record = CIFAR_PIXELS + (size_t)label_bytes, n = n_bytes / record;
    if (n_bytes == 0 || n_bytes % record != 0 || n > INT32_MAX)
        return error_set(err, ERR_INVALID,
                         "%s: %zu bytes, expected a multiple of %zu (records of %" PRIu32
                         " label byte%s and 3072 pixels)",
                         path, n_bytes, record, label_bytes, label_bytes == 1 ? "" : "s");
    *ret = (uint32_t)n;
    return 0;
}

int cifar_count(const char *path, uint32_t label_bytes, uint32_t *ret, struct error *err)
{
    int64_t size = fs_size(path);
    if (size < 0)
        return error_set(err, ERR_IO, "%s: cannot be read", path);
    return count_records(path, (size_t)size, label_bytes, ret, err);
}

static int take(const char *path, const uint8_t *record, uint32_t label_bytes, uint32_t n_classes,
                uint32_t n_file, uint32_t n, uint8_t *pixels, int32_t *labels, struct error *err)
{
    for (uint32_t i = 0; i < n_file; i++, record += CIFAR_PIXELS + label_bytes) {
        uint8_t label = record[label_bytes - 1];
        if (label >= n_classes)
            return error_set(err, ERR_INVALID,
                             "%s: label %" PRIu32 " is %u, expected 0 to %" PRIu32, path, i, label,
                             n_classes - 1);
        if (i >= n)
            continue;
        labels[i] = label;
        memcpy(pixels + (size_t)i * CIFAR_PIXELS, record + label_bytes, CIFAR_PIXELS);
    }
    return 0;
}

int cifar_read(const char *path, uint32_t label_bytes, uint32_t n_classes, uint32_t want,
               uint32_t n, uint8_t *pixels, int32_t *labels, struct error *err)
{
    struct fs_map map;
    uint32_t n_file = 0;
    TRY(fs_map(path, &map, err));
    int rc = count_records(path, map.n, label_bytes, &n_file, err);
    if (rc == 0 && (n > n_file || (want > 0 && n_file != want)))
        rc = error_set(err, ERR_INVALID, "%s: %" PRIu32 " images, expected %" PRIu32, path, n_file,
                       want > 0 ? want : n);
    if (rc == 0)
        rc = take(path, map.bytes, label_bytes, n_classes, n_file, n, pixels, labels, err);
    fs_unmap(&map);
    return rc;
}

int cifar_write(const char *path, uint32_t n, const uint8_t *pixels, const uint8_t *labels,
                struct error *err)
{
    size_t record = CIFAR_PIXELS + 1, bytes = n * record;
    uint8_t *out = malloc(bytes + 1);
    if (!out)
        return error_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        out[i * record] = labels[i];
        memcpy(out + i * record + 1, pixels + (size_t)i * CIFAR_PIXELS, CIFAR_PIXELS);
    }
    int rc = fs_write_atomic(path, out, bytes, err);
    free(out);
    return rc;
}
