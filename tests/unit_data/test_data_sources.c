/* Data sets that users bring: CIFAR batches, IDX folders, .npy arrays. */
#include <math.h>

#include "cifar_file.h"
#include "data_check.h"
#include "dataset.h"
#include "npy.h"
#include "unit_data/idx_files.h"
#include "view.h"

/* The spec of a YAML text, with relative paths looked up in base. */
static int parse(const char *text, const char *base, struct data_spec *ret, struct error *ret_err)
{
    struct error err = ERROR_INIT;
    struct yaml_node *node = NULL;
    assert_ok(yaml_parse("s.yaml", text, strlen(text), &node, &err));
    int rc = data_spec_parse(node, base, ret, ret_err);
    yaml_free(node);
    return rc;
}

static struct dataset *read_text(const char *text, const char *base)
{
    struct error err = ERROR_INIT;
    struct data_spec spec;
    struct dataset *ds = NULL;
    assert_ok(parse(text, base, &spec, &err));
    assert_ok(dataset_read(&spec, &ds, &err));
    data_spec_release(&spec);
    return ds;
}

static void save(const char *dir, const char *file, enum npy_type type, uint32_t n_dim,
                 const size_t *dim, const void *bytes)
{
    struct error err = ERROR_INIT;
    char *path = fs_join(dir, file);
    assert_ok(fs_mkdirs(dir, &err));
    assert_ok(npy_write(path, type, n_dim, dim, bytes, &err));
    free(path);
}

enum { N = 6, M = 4, PIXELS = 2 * 3 * 5 };

/* Four arrays: N training and M test images (2, 3, 5); label i is i mod 3. */
static void save_four(const char *dir, enum npy_type type, const void *train, const void *test)
{
    const size_t x[4] = {N, 2, 3, 5}, z[4] = {M, 2, 3, 5};
    const int64_t y[N] = {0, 1, 2, 0, 1, 2};
    save(dir, "train_images.npy", type, 4, x, train);
    save(dir, "test_images.npy", type, 4, z, test);
    save(dir, "train_labels.npy", NPY_I64, 1, x, y);
    save(dir, "test_labels.npy", NPY_I64, 1, z, y);
}

static void npy_bytes_stay_bytes(void **state)
{
    char *dir = scratch_path(state, "bytes");
    uint8_t train[N * PIXELS], test[M * PIXELS];
    for (int i = 0; i < N * PIXELS; i++)
        train[i] = (uint8_t)(3 * i);
    for (int i = 0; i < M * PIXELS; i++)
        test[i] = (uint8_t)(255 - i);
    save_four(dir, NPY_U8, train, test);
    struct dataset *ds = read_text("{name: npy, path: bytes, train: 5, test: 2}", (char *)*state);
    assert_null(ds->reals);
    assert_int_equal(ds->n_train, 5);
    assert_int_equal(ds->n_test, 2);
    assert_int_equal(ds->n_classes, 3);
    assert_int_equal(ds->channels, 2);
    assert_int_equal(ds->height, 3);
    assert_int_equal(ds->width, 5);
    assert_memory_equal(ds->pixels, train, 5 * PIXELS);
    assert_memory_equal(ds->pixels + 5 * PIXELS, test, 2 * PIXELS);
    assert_int_equal(ds->labels[4], 1);
    assert_int_equal(ds->labels[5 + 1], 1);
    dataset_free(ds);
    free(dir);
}

/* Reals keep their 24 bits through the store folder and views. */
static void npy_reals_stay_reals(void **state)
{
    struct error err = ERROR_INIT;
    char *dir = scratch_path(state, "reals"), *store = scratch_path(state, "store");
    double train[N * PIXELS], test[M * PIXELS] = {0};
    for (int i = 0; i < N * PIXELS; i++)
        train[i] = i / (double)(N * PIXELS - 1);
    save_four(dir, NPY_F64, train, test);
    struct dataset *a = read_text("{name: npy, path: reals, classes: 7}", (char *)*state),
                   *b = NULL;
    assert_null(a->pixels);
    assert_int_equal(a->n_classes, 7);
    assert_ok(dataset_save(a, store, &err));
    assert_ok(dataset_map(store, &b, &err));
    assert_null(b->pixels);
    assert_memory_equal(a->reals, b->reals, sizeof(float) * (N + M) * PIXELS);
    struct arena *arena = arena_new();
    const uint32_t pool[2] = {1, 4}, rows[2] = {1, 0};
    const struct view *v = view_dataset(arena, b, pool, 2);
    float x[2 * PIXELS];
    int32_t y[2];
    view_fill(v, rows, 2, 0, 0, false, x, y, NULL);
    assert_true(x[0] == (float)train[4 * PIXELS]);
    assert_true(x[2 * PIXELS - 1] == (float)train[2 * PIXELS - 1]);
    assert_int_equal(y[0], 1);
    arena_free(arena);
    dataset_free(a);
    dataset_free(b);
    free(dir);
    free(store);
}

static void npy_sixteen_bits(void **state)
{
    char *dir = scratch_path(state, "wide");
    uint16_t train[N * PIXELS] = {0, 65535, 32768}, test[M * PIXELS] = {0};
    save_four(dir, NPY_U16, train, test);
    struct dataset *ds = read_text("{name: npy, path: wide}", (char *)*state);
    assert_true(ds->reals[1] == 1.0f);
    assert_true(ds->reals[2] == (float)(32768 / 65535.0));
    dataset_free(ds);
    free(dir);
}

/* Files by name are the same data as files in a folder, but for the words in the suite. */
static void npy_files_and_folders_are_one(void **state)
{
    struct error err = ERROR_INIT;
    char *dir = scratch_path(state, "one");
    float train[N * PIXELS] = {0.5f}, test[M * PIXELS] = {0.25f};
    struct data_spec a, b, back;
    json_t *ia = NULL, *ib = NULL;
    save_four(dir, NPY_F32, train, test);
    assert_ok(parse("{name: npy, path: one}", (char *)*state, &a, &err));
    assert_ok(parse("{images: one/train_images.npy, labels: one/train_labels.npy, test_images: "
                    "one/test_images.npy, test_labels: one/test_labels.npy}",
                    (char *)*state, &b, &err));
    assert_ok(data_spec_identity(&a, &ia, &err));
    assert_ok(data_spec_identity(&b, &ib, &err));
    assert_true(json_equal(ia, ib));
    json_t *paths = data_spec_paths(&b);
    assert_ok(data_spec_from_identity(ib, paths, &back, &err));
    for (int i = 0; i < 4; i++)
        assert_string_equal(back.file[i], b.file[i]);
    data_spec_release(&back);
    assert_error(data_spec_from_identity(ib, NULL, &back, &err), &err,
                 "data identity: not one that this version writes");
    train[3] = 1;
    save_four(dir, NPY_F32, train, test);
    json_decref(ib);
    assert_ok(data_spec_identity(&b, &ib, &err));
    assert_false(json_equal(ia, ib));
    json_decref(paths);
    json_decref(ia);
    json_decref(ib);
    data_spec_release(&a);
    data_spec_release(&b);
    free(dir);
}

static void bad_npy_is_refused(void **state)
{
    struct error err = ERROR_INIT;
    struct data_spec spec;
    struct dataset *ds = NULL;
    char *dir = scratch_path(state, "bad");
    const char *base = *state;
    float train[N * PIXELS] = {0}, test[M * PIXELS] = {0};
    train[PIXELS + 15 + 5 + 2] = 1.5f;
    save_four(dir, NPY_F32, train, test);
    assert_ok(parse("{name: npy, path: bad}", base, &spec, &err));
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "train_images.npy: image 1, channel 1, row 1, column 2 is 1.5; expected "
                      "numbers in [0, 1]");
    data_spec_release(&spec);
    train[PIXELS + 22] = NAN;
    save_four(dir, NPY_F32, train, test);
    assert_ok(parse("{name: npy, path: bad}", base, &spec, &err));
    assert_error_part(dataset_read(&spec, &ds, &err), &err, "column 2 is nan");
    data_spec_release(&spec);
    assert_error_part(parse("{name: npy, path: bad, train: 7}", base, &spec, &err), &err,
                      "s.yaml:1:31: train: 7 is more than the 6 training images of npy");
    assert_error_part(parse("{name: npy, path: bad, classes: 2}", base, &spec, &err), &err,
                      "train_labels.npy: label 2 is 2, expected 0 to 1");
    assert_error_part(parse("{name: npy}", base, &spec, &err), &err,
                      "s.yaml:1:1: data: npy needs the key path");
    assert_error_part(parse("npy", base, &spec, &err), &err,
                      "s.yaml:1:1: data: npy needs the key path");
    assert_error_part(parse("{name: npy, path: nowhere}", base, &spec, &err), &err,
                      "path: there is no ");
    assert_error_part(parse("{images: bad/train_images.npy}", base, &spec, &err), &err,
                      "data: the key test_labels is missing");
    assert_error_part(parse("{name: npy, path: bad, images: bad/x.npy}", base, &spec, &err), &err,
                      "data: path and images exclude each other");
    const size_t hwc[4] = {N, 5000, 1, 1};
    save(dir, "train_images.npy", NPY_U8, 4, hwc, (uint8_t[N * 5000]){0});
    assert_error_part(parse("{name: npy, path: bad}", base, &spec, &err), &err,
                      "x.transpose(0, 3, 1, 2)");
    save(dir, "train_images.npy", NPY_U8, 3, hwc, (uint8_t[N * 5000]){0});
    assert_error_part(parse("{name: npy, path: bad}", base, &spec, &err), &err, "x[:, None]");
    free(dir);
}

static void save_idx(const char *dir, const char *file, uint32_t n_dim, const uint32_t *dim,
                     uint8_t modulus)
{
    struct error err = ERROR_INIT;
    struct strbuf b;
    size_t n = 1;
    strbuf_init(&b);
    idx_header(&b, n_dim, dim);
    for (uint32_t i = 0; i < n_dim; i++)
        n *= dim[i];
    for (size_t i = 0; i < n; i++)
        strbuf_addc(&b, (char)(i % modulus));
    char *path = fs_join(dir, file);
    assert_ok(fs_mkdirs(dir, &err));
    assert_ok(fs_write_atomic(path, b.s, b.len, &err));
    free(path);
    strbuf_release(&b);
}

static void idx_folders_say_what_they_hold(void **state)
{
    struct error err = ERROR_INIT;
    struct data_spec spec;
    char *dir = scratch_path(state, "idx");
    const uint32_t train[4] = {7, 3, 4, 5}, test[4] = {3, 3, 4, 5}, other[4] = {3, 3, 4, 6};
    save_idx(dir, "train-images-idx3-ubyte", 4, train, 251);
    save_idx(dir, "train-labels-idx1-ubyte", 1, train, 6);
    save_idx(dir, "t10k-images-idx3-ubyte", 4, test, 251);
    save_idx(dir, "t10k-labels-idx1-ubyte", 1, test, 6);
    struct dataset *ds = read_text("{name: idx, path: idx, train: 6}", (char *)*state);
    assert_int_equal(ds->n_train, 6);
    assert_int_equal(ds->n_test, 3);
    assert_int_equal(ds->channels, 3);
    assert_int_equal(ds->width, 5);
    assert_int_equal(ds->n_classes, 6);
    assert_int_equal(ds->pixels[5 * 60 + 7], (5 * 60 + 7) % 251);
    dataset_free(ds);
    save_idx(dir, "t10k-images-idx3-ubyte", 4, other, 251);
    assert_error_part(parse("{name: idx, path: idx}", (char *)*state, &spec, &err), &err,
                      "training images are 3x4x5, test images 3x4x6");
    free(dir);
}

static void save_cifar(const char *dir, const char *file, uint32_t n, uint8_t first)
{
    struct error err = ERROR_INIT;
    uint8_t *pixels = malloc((size_t)n * CIFAR_PIXELS), labels[8];
    char *path = fs_join(dir, file);
    for (size_t i = 0; i < (size_t)n * CIFAR_PIXELS; i++)
        pixels[i] = (uint8_t)(first + i % 200);
    for (uint32_t i = 0; i < n; i++)
        labels[i] = (uint8_t)((first + i) % 10);
    assert_ok(fs_mkdirs(dir, &err));
    assert_ok(cifar_write(path, n, pixels, labels, &err));
    free(path);
    free(pixels);
}

static void cifar_batches_are_joined(void **state)
{
    struct error err = ERROR_INIT;
    char *dir = scratch_path(state, "c10/cifar-10-batches-bin");
    for (int i = 1; i <= 5; i++) {
        char file[32];
        snprintf(file, sizeof file, "data_batch_%d.bin", i);
        save_cifar(dir, file, 2, (uint8_t)i);
    }
    save_cifar(dir, "test_batch.bin", 3, 7);
    struct dataset *ds = read_text("{name: cifar-bin, path: c10, train: 9}", (char *)*state);
    assert_int_equal(ds->n_train, 9);
    assert_int_equal(ds->n_test, 3);
    assert_int_equal(ds->n_classes, 10);
    assert_int_equal(ds->labels[8], 5);
    assert_int_equal(ds->labels[9], 7);
    assert_int_equal(ds->pixels[8 * CIFAR_PIXELS], 5);
    assert_int_equal(ds->pixels[9 * CIFAR_PIXELS + 1], 8);
    dataset_free(ds);
    /* the known set has its own counts */
    char *root = scratch_path(state, "root"), *known = fs_join(root, "cifar10");
    for (int i = 1; i <= 5; i++) {
        char file[32];
        snprintf(file, sizeof file, "data_batch_%d.bin", i);
        save_cifar(known, file, 2, 0);
    }
    struct data_spec spec;
    setenv("LETHE_DATA", root, 1);
    assert_ok(parse("cifar10", NULL, &spec, &err));
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "data_batch_1.bin: 2 images, expected 10000; install it anew: lethe data "
                      "fetch --force cifar10");
    assert_int_equal(err.code, ERR_ENVIRONMENT);
    unsetenv("LETHE_DATA");
    free(root);
    free(known);
    free(dir);
}

static void cifar100_has_two_labels(void **state)
{
    struct error err = ERROR_INIT;
    char *dir = scratch_path(state, "c100"), *train = fs_join(dir, "train.bin"),
         *test = fs_join(dir, "test.bin");
    uint8_t *record = calloc(2, CIFAR_PIXELS + 2);
    record[0] = 19;
    record[1] = 99;
    record[CIFAR_PIXELS + 2] = 4;
    record[CIFAR_PIXELS + 3] = 31;
    record[CIFAR_PIXELS + 4] = 200;
    assert_ok(fs_mkdirs(dir, &err));
    assert_ok(fs_write_atomic(train, record, 2 * (CIFAR_PIXELS + 2), &err));
    assert_ok(fs_write_atomic(test, record, CIFAR_PIXELS + 2, &err));
    struct dataset *ds = read_text("{name: cifar-bin, path: c100}", (char *)*state);
    assert_int_equal(ds->n_classes, 100);
    assert_int_equal(ds->labels[0], 99);
    assert_int_equal(ds->labels[1], 31);
    assert_int_equal(ds->pixels[CIFAR_PIXELS], 200);
    dataset_free(ds);
    struct data_spec spec;
    record[1] = 100;
    assert_ok(fs_write_atomic(test, record, CIFAR_PIXELS + 2, &err));
    assert_ok(parse("{name: cifar-bin, path: c100}", (char *)*state, &spec, &err));
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "test.bin: label 0 is 100, expected 0 to 99");
    data_spec_release(&spec);
    assert_ok(fs_write_atomic(test, record, CIFAR_PIXELS, &err));
    assert_error_part(parse("{name: cifar-bin, path: c100}", (char *)*state, &spec, &err), &err,
                      "3072 bytes, expected a multiple of 3074");
    free(record);
    free(train);
    free(test);
    free(dir);
}

static void statistics_and_differences(void **state)
{
    struct error err = ERROR_INIT;
    uint8_t pixels[3 * 4] = {0, 255, 0, 255, 51, 51, 51, 51, 255, 255, 255, 255};
    int32_t labels[3] = {1, 0, 1};
    struct dataset ds = {.n_train = 2,
                         .n_test = 1,
                         .n_classes = 2,
                         .channels = 1,
                         .height = 2,
                         .width = 2,
                         .pixels = pixels,
                         .labels = labels};
    struct data_stats s;
    struct strbuf out;
    (void)state;
    strbuf_init(&out);
    assert_ok(data_stats_make(&ds, &s, &err));
    assert_float_equal(s.mean[0], (0.5 + 0.2) / 2, 1e-12);
    assert_float_equal(s.sd[0] * s.sd[0], (2 * 1.0 + 4 * 0.04) / 8 - 0.35 * 0.35, 1e-12);
    assert_int_equal(s.train[1], 1);
    assert_int_equal(s.test[0], 0);
    assert_int_equal(s.test[1], 1);
    assert_int_equal(data_check_known("somebody-s", &ds, &s, &out), -1);
    /* two classes of two images are not Fashion-MNIST: classes, mean, labels, content */
    assert_int_equal(data_check_known("fashion-mnist", &ds, &s, &out), 2 + 1 + 1 + 1);
    assert_non_null(strstr(out.s, "class 0: 1 training and 0 test images, expected 6000 and 1000"));
    assert_non_null(strstr(out.s, "channel 0: mean 0.35000, expected 0.28604"));
    strbuf_release(&out);
    data_stats_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_bytes_stay_bytes),
        cmocka_unit_test(npy_reals_stay_reals),
        cmocka_unit_test(npy_sixteen_bits),
        cmocka_unit_test(npy_files_and_folders_are_one),
        cmocka_unit_test(bad_npy_is_refused),
        cmocka_unit_test(idx_folders_say_what_they_hold),
        cmocka_unit_test(cifar_batches_are_joined),
        cmocka_unit_test(cifar100_has_two_labels),
        cmocka_unit_test(statistics_and_differences),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
