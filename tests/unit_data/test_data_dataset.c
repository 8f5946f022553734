/* Data sets: finding, checking, the synthetic generator, the store folder. */
#include "dataset.h"
#include "unit_data/idx_files.h"

static const char *const files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static struct yaml_node *yaml(const char *text)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = NULL;
    assert_ok(yaml_parse("s.yaml", text, strlen(text), &root, &err));
    return root;
}

static struct data_spec spec_of(const char *text)
{
    struct error err = ERROR_INIT;
    struct data_spec spec;
    struct yaml_node *node = yaml(text);
    assert_ok(data_spec_parse(node, NULL, &spec, &err));
    yaml_free(node);
    return spec;
}

static void specs_are_parsed(void **state)
{
    struct error err = ERROR_INIT;
    struct data_spec s = spec_of("{name: fashion-mnist, train: 5000, test: 2500}");
    uint32_t train, test, shape[3], classes;
    assert_string_equal(s.name, "fashion-mnist");
    assert_ok(data_spec_counts(&s, &train, &test, &err));
    assert_int_equal(train, 5000);
    assert_int_equal(test, 2500);
    s = spec_of("fashion-mnist");
    assert_ok(data_spec_counts(&s, &train, &test, &err));
    assert_int_equal(train, 60000);
    assert_int_equal(test, 10000);
    s = spec_of("synthetic");
    assert_int_equal(s.seed, 1);
    assert_true(s.noise == 0.25);
    assert_ok(data_spec_counts(&s, &train, &test, &err));
    assert_int_equal(train, 1000);
    assert_int_equal(test, 500);
    s = spec_of("{name: synthetic, seed: 7, noise: 1/2, train: 20}");
    assert_int_equal(s.seed, 7);
    assert_true(s.noise == 0.5);
    assert_ok(data_spec_shape(&s, shape, &classes, &err));
    assert_int_equal(shape[0] * shape[1] * shape[2], 784);
    assert_int_equal(classes, 10);
    s.train = 60000000;
    assert_error(data_spec_counts(&s, &train, &test, &err), &err,
                 "synthetic: 60000000 training and 0 test images are wanted, 1000000 and 1000000 "
                 "are available");
}

static void bad_specs_are_refused(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{name: fashion-mnist, train: 70000}",
         "s.yaml:1:30: train: 70000 is more than the 60000 training images of fashion-mnist"},
        {"{name: fashion-mnist, test: 10001}",
         "s.yaml:1:29: test: 10001 is more than the 10000 test images of fashion-mnist"},
        {"{name: fashion-mnist, train: -1}",
         "s.yaml:1:30: train: expected a number of images, found -1"},
        {"{name: fashion-mnist, train: many}",
         "s.yaml:1:30: train: expected a whole number, found \"many\""},
        {"{name: fashion-mnist, seed: 1}",
         "s.yaml:1:23: unknown key \"seed\" in data; known keys: name, train, test, validation"},
        {"{name: fashion-mnist, tran: 1}",
         "s.yaml:1:23: unknown key \"tran\" in data; did you mean \"train\"?"},
        {"fashon-mnist",
         "s.yaml:1:1: unknown data set \"fashon-mnist\"; did you mean \"fashion-mnist\"?"},
        {"{name: imagenet}", "s.yaml:1:8: unknown data set \"imagenet\"; known: fashion-mnist, "
                             "mnist, cifar10, cifar100, synthetic, idx, cifar-bin, npy"},
        {"{train: 5}", "s.yaml:1:1: data: the key name is missing"},
        {"[synthetic]", "s.yaml:1:1: data: expected a text, found a list"},
        {"{name: synthetic, seed: -1}",
         "s.yaml:1:25: seed: expected a whole number from 0, found -1"},
        {"{name: synthetic, noise: -0.5}",
         "s.yaml:1:26: noise: expected a standard deviation from 0 to 10, found -0.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct data_spec spec;
        struct yaml_node *node = yaml(cases[i].text);
        assert_error(data_spec_parse(node, NULL, &spec, &err), &err, cases[i].error);
        yaml_free(node);
    }
    struct error err = ERROR_INIT;
    struct data_spec spec;
    assert_error(data_spec_parse(NULL, NULL, &spec, &err), &err,
                 "data: expected a text, found nothing");
}

static struct dataset *read_text(const char *text)
{
    struct error err = ERROR_INIT;
    struct data_spec spec = spec_of(text);
    struct dataset *ds = NULL;
    assert_ok(dataset_read(&spec, &ds, &err));
    return ds;
}

/* A sample depends on seed and index alone, not on how many are made. */
static void synthetic_prefixes_agree(void **state)
{
    struct dataset *a = read_text("{name: synthetic, train: 33, test: 12}"),
                   *b = read_text("{name: synthetic, train: 57, test: 40}"),
                   *c = read_text("{name: synthetic, train: 33, test: 12, seed: 2}");
    assert_memory_equal(a->pixels, b->pixels, 33 * 784);
    assert_memory_equal(a->labels, b->labels, 33 * sizeof(int32_t));
    assert_memory_equal(a->pixels + 33 * 784, b->pixels + 57 * 784, 12 * 784);
    assert_memory_equal(a->labels + 33, b->labels + 57, 12 * sizeof(int32_t));
    assert_memory_not_equal(a->pixels, c->pixels, 33 * 784);
    assert_memory_not_equal(a->pixels, a->pixels + 33 * 784, 784); /* train and test differ */
    unsigned count[10] = {0};
    for (int i = 0; i < 30; i++)
        count[a->labels[i]]++;
    for (int i = 0; i < 10; i++)
        assert_int_equal(count[i], 3);
    dataset_free(a);
    dataset_free(b);
    dataset_free(c);
    dataset_free(NULL);
}

/* Validation rows are the training rows behind those of `train`, and stand behind the pool. */
static void validation_rows_stand_behind_the_pool(void **state)
{
    struct dataset *all = read_text("{name: synthetic, train: 57, test: 12}"),
                   *ds = read_text("{name: synthetic, train: 33, test: 12, validation: 24}");
    assert_int_equal(ds->n_train, 33);
    assert_int_equal(ds->n_test, 12);
    assert_int_equal(ds->n_validation, 24);
    assert_memory_equal(ds->pixels, all->pixels, 33 * 784);
    assert_memory_equal(ds->pixels + 33 * 784, all->pixels + 57 * 784, 12 * 784);
    assert_memory_equal(ds->pixels + 45 * 784, all->pixels + 33 * 784, 24 * 784);
    assert_memory_equal(ds->labels, all->labels, 33 * sizeof(int32_t));
    assert_memory_equal(ds->labels + 33, all->labels + 57, 12 * sizeof(int32_t));
    assert_memory_equal(ds->labels + 45, all->labels + 33, 24 * sizeof(int32_t));
    dataset_free(all);
    dataset_free(ds);
}

enum { PIXELS = 784 };

/* Share of rows [from, to) whose nearest pattern is that of their class. */
static double nearest(const struct dataset *ds, double (*pattern)[PIXELS], uint32_t from,
                      uint32_t to)
{
    uint32_t right = 0;
    for (uint32_t i = from; i < to; i++) {
        double best = 1e300;
        int at = -1;
        for (int c = 0; c < 10; c++) {
            double d = 0;
            for (int k = 0; k < PIXELS; k++) {
                double e = ds->pixels[(size_t)i * PIXELS + k] / 255.0 - pattern[c][k];
                d += e * e;
            }
            if (d < best) {
                best = d;
                at = c;
            }
        }
        right += at == ds->labels[i];
    }
    return (double)right / (to - from);
}

/* Means of the training images of each class: a classifier that has seen them. */
static void class_means(const struct dataset *ds, double (*out)[PIXELS])
{
    double n[10] = {0};
    memset(out, 0, 10 * sizeof *out);
    for (uint32_t i = 0; i < ds->n_train; i++) {
        n[ds->labels[i]]++;
        for (int k = 0; k < PIXELS; k++)
            out[ds->labels[i]][k] += ds->pixels[(size_t)i * PIXELS + k] / 255.0;
    }
    for (int c = 0; c < 10; c++)
        for (int k = 0; k < PIXELS; k++)
            out[c][k] /= n[c];
}

/* Learnable, with a gap between seen and unseen images that grows with the noise. */
static void synthetic_is_neither_trivial_nor_hopeless(void **state)
{
    static const struct {
        const char *text;
        double test_lo, test_hi, gap_lo;
    } cases[] = {
        {"{name: synthetic, train: 1000, test: 500, noise: 0.1}", 0.99, 1.0, -0.01},
        {"{name: synthetic, train: 1000, test: 500, noise: 0.25}", 0.80, 0.995, 0.01},
        {"{name: synthetic, train: 1000, test: 500, noise: 0.5}", 0.30, 0.75, 0.15},
    };
    double(*mean)[PIXELS] = malloc(10 * sizeof *mean);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dataset *ds = read_text(cases[i].text);
        class_means(ds, mean);
        double train = nearest(ds, mean, 0, 1000), test = nearest(ds, mean, 1000, 1500);
        print_message("%s: nearest class mean, train %.3f, test %.3f\n", cases[i].text, train,
                      test);
        assert_true(test >= cases[i].test_lo && test <= cases[i].test_hi);
        assert_true(train - test >= cases[i].gap_lo);
        dataset_free(ds);
    }
    free(mean);
}

static void store_folders_read_back(void **state)
{
    struct error err = ERROR_INIT;
    struct dataset *a = read_text("{name: synthetic, train: 20, test: 10}"), *b = NULL;
    char *dir = scratch_path(state, "store/ds");
    assert_ok(dataset_save(a, dir, &err));
    assert_ok(dataset_map(dir, &b, &err));
    assert_int_equal(b->n_train, 20);
    assert_int_equal(b->n_test, 10);
    assert_int_equal(b->n_classes, 10);
    assert_int_equal(b->channels, 1);
    assert_int_equal(b->height, 28);
    assert_int_equal(b->width, 28);
    assert_memory_equal(a->pixels, b->pixels, 30 * PIXELS);
    assert_memory_equal(a->labels, b->labels, 30 * sizeof(int32_t));
    dataset_free(b);
    char *info = fs_join(dir, "info.json"), *labels = fs_join(dir, "labels.npy");
    static const char more[] = "{\"format\":1,\"n_train\":21,\"n_test\":10,\"n_classes\":10}";
    static const char fewer[] = "{\"format\":1,\"n_train\":20,\"n_test\":10,\"n_classes\":2}";
    static const char newer[] = "{\"format\":2,\"n_train\":20,\"n_test\":10,\"n_classes\":10}";
    assert_ok(fs_write_atomic(info, more, sizeof more - 1, &err));
    assert_error_part(dataset_map(dir, &b, &err), &err, "images.npy: does not fit info.json");
    assert_ok(fs_write_atomic(info, fewer, sizeof fewer - 1, &err));
    assert_error_part(dataset_map(dir, &b, &err), &err, "expected 0 to 1");
    assert_ok(fs_write_atomic(info, newer, sizeof newer - 1, &err));
    assert_error_part(dataset_map(dir, &b, &err), &err, "format 2 is not supported");
    assert_ok(fs_remove_tree(labels, &err));
    assert_error_part(dataset_map("/nonexistent", &b, &err), &err, "cannot open");
    dataset_free(a);
    free(info);
    free(labels);
    free(dir);
}

static void identities_go_there_and_back(void **state)
{
    struct error err = ERROR_INIT;
    struct data_spec s = spec_of("{name: synthetic, seed: 3, noise: 0.125}"), back;
    json_t *id = NULL;
    assert_ok(data_spec_identity(&s, &id, &err));
    char *text = json_canonical(id);
    assert_string_equal(text, "{\"format\":1,\"name\":\"synthetic\",\"noise\":0.125,\"seed\":3,"
                              "\"test\":500,\"train\":1000}");
    free(text);
    assert_ok(data_spec_from_identity(id, NULL, &back, &err));
    assert_string_equal(back.name, "synthetic");
    assert_int_equal(back.train, 1000);
    assert_int_equal(back.seed, 3);
    assert_true(back.noise == 0.125);
    json_object_set_new(id, "format", json_integer(99));
    assert_error(data_spec_from_identity(id, NULL, &back, &err), &err,
                 "data identity: not one that this version writes");
    json_decref(id);
}

/* Files like Fashion-MNIST's; label i is i mod 10, pixels follow from i. */
static void write_files(const char *dir, uint32_t n_images, uint32_t side, uint32_t label_limit)
{
    struct error err = ERROR_INIT;
    assert_ok(fs_mkdirs(dir, &err));
    for (int f = 0; f < 4; f++) {
        uint32_t n = f < 2 ? n_images : 10000;
        struct strbuf b;
        strbuf_init(&b);
        if (f % 2 == 0) {
            idx_header(&b, 3, (uint32_t[]){n, side, side});
            for (size_t i = 0; i < (size_t)n * side * side; i++)
                strbuf_addc(&b, (char)(i / ((size_t)side * side) + i));
        } else {
            idx_header(&b, 1, &n);
            for (uint32_t i = 0; i < n; i++)
                strbuf_addc(&b, (char)(i % label_limit));
        }
        char *name = text_format("%s.gz", files[f]), *path = fs_join(dir, name);
        idx_save(path, &b);
        free(name);
        free(path);
        strbuf_release(&b);
    }
}

static void files_are_found_and_checked(void **state)
{
    struct error err = ERROR_INIT;
    char *root = scratch_path(state, "data"), *dir = fs_join(root, "fashion-mnist");
    struct data_spec spec = spec_of("{name: fashion-mnist, train: 100, test: 50}");
    struct dataset *ds = NULL;
    setenv("LETHE_DATA", root, 1);
    write_files(dir, 60000, 28, 10);
    assert_ok(dataset_read(&spec, &ds, &err));
    assert_int_equal(ds->n_train, 100);
    assert_int_equal(ds->labels[13], 3);
    assert_int_equal(ds->labels[100 + 7], 7);
    assert_int_equal(ds->pixels[5 * PIXELS + 2], (uint8_t)(5 + 5 * PIXELS + 2));
    dataset_free(ds);
    json_t *before = NULL, *after = NULL;
    assert_ok(data_spec_identity(&spec, &before, &err));
    char *labels = fs_join(dir, "t10k-labels-idx1-ubyte.gz"), *bytes = NULL;
    size_t n = 0;
    assert_ok(fs_read(labels, 1 << 20, &bytes, &n, &err));
    bytes[n - 1] ^= 1; /* one byte of one file */
    assert_ok(fs_write_atomic(labels, bytes, n, &err));
    assert_ok(data_spec_identity(&spec, &after, &err));
    assert_false(json_equal(before, after));
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "; install it anew: apt-get install --reinstall dataset-fashion-mnist");
    assert_int_equal(err.code, ERR_ENVIRONMENT);
    json_decref(before);
    json_decref(after);
    free(bytes);
    assert_ok(fs_remove_tree(labels, &err));
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "t10k-labels-idx1-ubyte.gz: there is no such file");
    assert_int_equal(err.code, ERR_ENVIRONMENT);
    free(labels);
    write_files(dir, 60000, 28, 11);
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "train-labels-idx1-ubyte.gz: label 10 is 10, expected 0 to 9");
    write_files(dir, 59999, 28, 10);
    assert_error_part(dataset_read(&spec, &ds, &err), &err,
                      "train-images-idx3-ubyte.gz: its dimension 0 is 59999, expected 60000");
    write_files(dir, 60000, 4, 10);
    assert_error_part(dataset_read(&spec, &ds, &err), &err, "its dimension 1 is 4, expected 28");
    unsetenv("LETHE_DATA");
    free(root);
    free(dir);
}

static void folders_come_in_order(void **state)
{
    struct error err = ERROR_INIT;
    char *xdg = scratch_path(state, "xdg"), *mine = fs_join(xdg, "lethe/data/fashion-mnist"),
         *first = scratch_path(state, "first"), *there = fs_join(first, "fashion-mnist");
    setenv("XDG_DATA_HOME", xdg, 1);
    assert_ok(fs_mkdirs(mine, &err));
    char *found = data_find("fashion-mnist", &err);
    assert_string_equal(found, mine);
    free(found);
    setenv("LETHE_DATA", first, 1);
    assert_ok(fs_mkdirs(there, &err));
    found = data_find("fashion-mnist", &err);
    assert_string_equal(found, there);
    free(found);
    assert_null(data_find("no-such-set", &err));
    assert_int_equal(err.code, ERR_ENVIRONMENT);
    char *want = text_format("no-such-set is not on this machine (looked for %s/no-such-set, "
                             "%s/lethe/data/no-such-set, /usr/share/datasets/no-such-set)",
                             first, xdg);
    assert_string_equal(err.text, want);
    unsetenv("LETHE_DATA");
    unsetenv("XDG_DATA_HOME");
    free(want);
    free(xdg);
    free(mine);
    free(first);
    free(there);
}

/* The real files, where the package is installed. */
static void fashion_mnist_itself(void **state)
{
    struct error err = ERROR_INIT;
    if (!fs_is_dir("/usr/share/datasets/fashion-mnist")) {
        print_message("dataset-fashion-mnist is not installed\n");
        skip();
    }
    struct dataset *ds = read_text("fashion-mnist");
    static const int32_t first[] = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
    static const int32_t first_test[] = {9, 2, 1, 1, 6, 1, 4, 6, 5, 7};
    unsigned count[10] = {0};
    double sum = 0;
    assert_int_equal(ds->n_train, 60000);
    assert_memory_equal(ds->labels, first, sizeof first);
    assert_memory_equal(ds->labels + 60000, first_test, sizeof first_test);
    for (uint32_t i = 0; i < 60000; i++)
        count[ds->labels[i]]++;
    for (int c = 0; c < 10; c++)
        assert_int_equal(count[c], 6000);
    for (size_t i = 0; i < 60000u * PIXELS; i++)
        sum += ds->pixels[i];
    assert_float_equal(sum / (60000.0 * PIXELS) / 255, 0.2860, 0.0001); /* its published mean */
    assert_ok(err.code);
    dataset_free(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_parsed),
        cmocka_unit_test(bad_specs_are_refused),
        cmocka_unit_test(synthetic_prefixes_agree),
        cmocka_unit_test(validation_rows_stand_behind_the_pool),
        cmocka_unit_test(synthetic_is_neither_trivial_nor_hopeless),
        cmocka_unit_test(store_folders_read_back),
        cmocka_unit_test(identities_go_there_and_back),
        cmocka_unit_test(files_are_found_and_checked),
        cmocka_unit_test(folders_come_in_order),
        cmocka_unit_test(fashion_mnist_itself),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
