/* PNG sprites, and the package's six of them as CIFAR-10's binary batches. */
#include <unistd.h>

#include <png.h>

#include "cifar_file.h"
#include "sprite.h"
#include "unit_data/idx_files.h"

/* Image i, pixel p, channel c. */
static uint8_t value(uint32_t i, uint32_t p, uint32_t c)
{
    return (uint8_t)(i * 7 + p / 100 * 3 + c * 50);
}

static void save_png(const char *path, uint32_t width, uint32_t n, uint32_t format)
{
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = n, .format = format};
    uint32_t channels = PNG_IMAGE_SAMPLE_CHANNELS(format);
    uint8_t *rgb = malloc((size_t)n * width * channels);
    for (size_t at = 0; at < (size_t)n * width * channels; at++)
        rgb[at] = value((uint32_t)(at / channels / width), (uint32_t)(at / channels % width),
                        (uint32_t)(at % channels));
    assert_true(png_image_write_to_file(&image, path, 0, rgb, 0, NULL));
    free(rgb);
}

static void images_are_regrouped(void **state)
{
    struct error err = ERROR_INIT;
    char *path = scratch_path(state, "a.png");
    uint8_t *pixels = NULL;
    uint32_t n = 0;
    save_png(path, 1024, 3, PNG_FORMAT_RGB);
    assert_ok(sprite_read(path, 3, &pixels, &n, &err));
    assert_int_equal(n, 3);
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t c = 0; c < 3; c++)
            for (uint32_t p = 0; p < 1024; p++)
                assert_int_equal(pixels[(i * 3 + c) * 1024 + p], value(i, p, c));
    free(pixels);
    assert_error_part(sprite_read(path, 4, &pixels, &n, &err), &err,
                      "a PNG of 1024 x 3 pixels, expected 1024 x 4 (one 32x32 image a row)");
    save_png(path, 1000, 3, PNG_FORMAT_RGB);
    assert_error_part(sprite_read(path, 0, &pixels, &n, &err), &err, "a PNG of 1000 x 3 pixels");
    save_png(path, 1024, 3, PNG_FORMAT_RGBA);
    assert_error_part(sprite_read(path, 0, &pixels, &n, &err), &err, "no palette and no alpha");
    save_png(path, 1024, 3, PNG_FORMAT_GRAY);
    assert_error_part(sprite_read(path, 0, &pixels, &n, &err), &err,
                      "expected a PNG with 8-bit RGB");
    assert_ok(fs_write_atomic(path, "PNG", 3, &err));
    assert_error_part(sprite_read(path, 0, &pixels, &n, &err), &err, "a.png: no PNG: ");
    assert_error_part(sprite_read("/nonexistent.png", 0, &pixels, &n, &err), &err,
                      "there is no such file");
    free(path);
}

static void damage_is_seen(void **state)
{
    struct error err = ERROR_INIT;
    char *path = scratch_path(state, "b.png"), *bytes = NULL;
    uint8_t *pixels = NULL;
    uint32_t n = 0;
    size_t size = 0;
    save_png(path, 1024, 40, PNG_FORMAT_RGB);
    assert_ok(fs_read(path, 1 << 20, &bytes, &size, &err));
    assert_ok(fs_write_atomic(path, bytes, size / 2, &err)); /* the second half is missing */
    assert_error_part(sprite_read(path, 0, &pixels, &n, &err), &err, "b.png: damaged: ");
    bytes[size / 2] = (char)(bytes[size / 2] ^ 0x10);
    assert_ok(fs_write_atomic(path, bytes, size, &err)); /* a bit flipped */
    assert_error_part(sprite_read(path, 0, &pixels, &n, &err), &err, "b.png: damaged: ");
    free(bytes);
    free(path);
}

static void write_labels(const char *dir, const char *file, uint32_t n, int limit)
{
    struct error err = ERROR_INIT;
    struct strbuf b;
    char *path = fs_join(dir, file);
    strbuf_init(&b);
    for (uint32_t i = 0; i < n; i++)
        strbuf_addf(&b, "%c%u", i ? ',' : '[', (i * 3) % (unsigned)limit);
    strbuf_addc(&b, ']');
    assert_ok(fs_write_atomic(path, b.s, b.len, &err));
    strbuf_release(&b);
    free(path);
}

static void six_sprites_become_batches(void **state)
{
    struct error err = ERROR_INIT;
    static const char *const stems[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                        "data_batch_4", "data_batch_5", "test_batch"};
    char *from = scratch_path(state, "sprites"), *to = scratch_path(state, "batches");
    assert_ok(fs_mkdirs(from, &err));
    assert_ok(fs_mkdirs(to, &err));
    char *one = fs_join(from, "one.png");
    save_png(one, 1024, 10000, PNG_FORMAT_RGB);
    for (int i = 0; i < 6; i++) {
        char *path = text_format("%s/%s.png", from, stems[i]);
        assert_int_equal(link(one, path), 0);
        free(path);
    }
    write_labels(from, "train_lables.json", 50000, 10);
    write_labels(from, "test_lables.json", 10000, 10);
    assert_ok(sprite_to_cifar10(from, to, &err));
    char *batch = fs_join(to, "data_batch_2.bin");
    uint8_t *pixels = malloc((size_t)3 * CIFAR_PIXELS);
    int32_t labels[3];
    assert_ok(cifar_read(batch, 1, 10, 10000, 3, pixels, labels, &err));
    assert_int_equal(labels[1], 10001 * 3 % 10);
    assert_int_equal(pixels[(2 * 3 + 1) * 1024 + 500], value(2, 500, 1));
    write_labels(from, "test_lables.json", 10000, 11);
    assert_error_part(sprite_to_cifar10(from, to, &err), &err, "is none of 0 to 9");
    write_labels(from, "test_lables.json", 9999, 10);
    assert_error_part(sprite_to_cifar10(from, to, &err), &err, "expected a list of 10000 labels");
    free(pixels);
    free(batch);
    free(one);
    free(from);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_regrouped),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(six_sprites_become_batches),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
