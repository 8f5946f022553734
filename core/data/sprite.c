/* sprite.c: libpng's simplified interface reads; pixels are regrouped from (row, RGB) to planes. */
#include "sprite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "cifar_file.h"
#include "fs.h"
#include "json.h"
#include "text.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, BATCH = 10000, MAX_IMAGES = BATCH };

static int check_header(const char *path, const png_image *image, uint32_t want, struct error *err)
{
    if (image->width != PLANE || image->height < 1 || image->height > MAX_IMAGES ||
        (want > 0 && image->height != want))
        return error_set(err, ERR_INVALID,
                         "%s: a PNG of %" PRIu32 " x %" PRIu32 " pixels, expected 1024 x %" PRIu32
                         " (one 32x32 image a row)",
                         path, image->width, image->height, want ? want : MAX_IMAGES);
    if (image->format != PNG_FORMAT_RGB)
        return error_set(err, ERR_INVALID,
                         "%s: expected a PNG with 8-bit RGB pixels, no palette and no alpha", path);
    return 0;
}

/* rgb (n, 1024, 3) -> out (n, 3, 1024) */
static void split_planes(const uint8_t *restrict rgb, size_t n, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            for (size_t p = 0; p < PLANE; p++)
                out[(i * 3 + c) * PLANE + p] = rgb[(i * PLANE + p) * 3 + c];
}

static int decode(const char *path, png_image *image, uint8_t *rgb, struct error *err)
{
    image->format = PNG_FORMAT_RGB;
    if (png_image_finish_read(image, NULL, rgb, 0, NULL) && image->warning_or_error < 2)
        return 0;
    return error_set(err, ERR_INVALID, "%s: damaged: %s", path, image->message);
}

int sprite_read(const char *path, uint32_t want, uint8_t **ret, uint32_t *ret_n, struct error *err)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t *rgb = NULL, *out = NULL;
    int rc = 0;
    if (!fs_exists(path))
        return error_set(err, ERR_IO, "%s: there is no such file", path);
    if (!png_image_begin_read_from_file(&image, path))
        return error_set(err, ERR_INVALID, "%s: no PNG: %s", path, image.message);
    rc = check_header(path, &image, want, err);
    size_t n = image.height, bytes = n * CIFAR_PIXELS;
    if (rc == 0) {
        rgb = malloc(bytes);
        out = malloc(bytes);
        rc = rgb && out ? decode(path, &image, rgb, err) : error_nomem(err);
    }
    png_image_free(&image);
    if (rc == 0) {
        split_planes(rgb, n, out);
        *ret = out;
        *ret_n = (uint32_t)n;
    } else
        free(out);
    free(rgb);
    return rc;
}

/* A JSON list of n labels 0 to 9. */
static int read_labels(const char *path, uint32_t n, uint8_t *out, struct error *err)
{
    json_t *list = NULL;
    TRY(json_read_file(path, &list, err));
    int rc = 0;
    if (!json_is_array(list) || json_array_size(list) != n)
        rc = error_set(err, ERR_INVALID, "%s: expected a list of %" PRIu32 " labels", path, n);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 9)
            rc = error_set(err, ERR_INVALID, "%s: label %" PRIu32 " is none of 0 to 9", path, i);
        else
            out[i] = (uint8_t)json_integer_value(v);
    }
    json_decref(list);
    return rc;
}

static int convert_batch(const char *from, const char *to, const char *stem, const uint8_t *labels,
                         struct error *err)
{
    char *png = text_format("%s/%s.png", from, stem), *bin = text_format("%s/%s.bin", to, stem);
    uint8_t *pixels = NULL;
    uint32_t n = 0;
    int rc = png && bin ? sprite_read(png, BATCH, &pixels, &n, err) : error_nomem(err);
    if (rc == 0)
        rc = cifar_write(bin, n, pixels, labels, err);
    free(pixels);
    free(png);
    free(bin);
    return rc;
}

int sprite_to_cifar10(const char *from, const char *to, struct error *err)
{
    static const char *const stems[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                        "data_batch_4", "data_batch_5", "test_batch"};
    uint8_t *labels = malloc(6 * BATCH);
    /* the package spells them so */
    char *train = fs_join(from, "train_lables.json"), *test = fs_join(from, "test_lables.json");
    int rc =
        labels && train && test ? read_labels(train, 5 * BATCH, labels, err) : error_nomem(err);
    if (rc == 0)
        rc = read_labels(test, BATCH, labels + 5 * BATCH, err);
    for (size_t i = 0; i < 6 && rc == 0; i++)
        rc = convert_batch(from, to, stems[i], labels + i * BATCH, err);
    free(labels);
    free(train);
    free(test);
    return rc;
}
