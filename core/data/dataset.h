/* dataset.h: labelled images, decoded once and mapped. The pool is the training
 * rows used followed by the test rows used: pool id i < n_train is training row
 * i of the source, n_train + j its test row j. Validation rows stand behind the
 * pool: n_train + n_test + k is training row n_train + k of the source, which no
 * model of a suite is trained on and no measure looks at. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "json.h"
#include "yaml.h"

struct dataset {
    uint32_t n_train, n_test, n_classes;
    uint32_t n_validation; /* rows behind the pool; 0 unless the suite asks for them */
    uint32_t channels, height, width;
    /* One of the two is NULL: bytes 0..255, which stand for value / 255, or reals in [0, 1]. */
    const uint8_t *pixels; /* (n_train + n_test + n_validation, C, H, W) */
    const float *reals;    /* (n_train + n_test + n_validation, C, H, W) */
    const int32_t *labels; /* (n_train + n_test + n_validation) */
    void *owner;
};

/* What a suite's `data:` names, before anything is read. */
struct data_spec {
    char name[32];        /* "fashion-mnist", "synthetic", "npy" */
    uint32_t train, test; /* first n; 0 = all (synthetic: 1000 and 500) */
    uint32_t validation;  /* training images behind those of `train`, for unlearners; default 0 */
    uint64_t seed;        /* synthetic only, default 1 */
    double noise;         /* synthetic only, default 0.25 (standard deviation, pixels in [0,1]) */
    uint32_t classes;     /* npy only; 0: largest label + 1 */
    char *dir;            /* idx, cifar-bin, npy: the folder; or NULL */
    char *file[4];        /* npy: training images and labels, test images and labels; or NULL */
};

/* `data: {name: ..., train: n, test: n}` or `data: name`; see docs/DATA.md. Relative paths are
 * looked up in base_dir (NULL: the current folder). */
int data_spec_parse(const struct yaml_node *node, const char *base_dir, struct data_spec *ret,
                    struct error *err);
void data_spec_release(struct data_spec *spec);
/* The part of a task's identity that a spec stands for: name, counts, and the
 * SHA-256 of each source file (which are looked up: ERR_ENVIRONMENT with the
 * cure when missing). Paths are no part of it. New reference. */
int data_spec_identity(const struct data_spec *spec, json_t **ret, struct error *err);
/* Where the files are when the user named them: {"dir"} or {"files"}, else an empty object. New
 * reference; NULL when out of memory or a path is no UTF-8 text. */
json_t *data_spec_paths(const struct data_spec *spec);
/* The spec that data_spec_identity and data_spec_paths (may be NULL) wrote. */
int data_spec_from_identity(const json_t *identity, const json_t *paths, struct data_spec *ret,
                            struct error *err);
/* Number of classes and shape (C, H, W) without reading pixels. */
int data_spec_shape(const struct data_spec *spec, uint32_t ret_shape[3], uint32_t *ret_classes,
                    struct error *err);
/* Counts after "0 = all" and checks against the source are resolved. */
int data_spec_counts(const struct data_spec *spec, uint32_t *ret_train, uint32_t *ret_test,
                     struct error *err);

/* Reads and checks the source: magic, counts, sizes, labels in range. */
int dataset_read(const struct data_spec *spec, struct dataset **ret, struct error *err);
/* As a folder of the store: images.npy (u1 or f4 (N,C,H,W)), labels.npy (i4 (N)), info.json. */
int dataset_save(const struct dataset *ds, const char *dir, struct error *err);
int dataset_map(const char *dir, struct dataset **ret, struct error *err);
void dataset_free(struct dataset *ds); /* accepts NULL */

/* First folder that holds the data set: $LETHE_DATA, $XDG_DATA_HOME/lethe/data,
 * /usr/share/datasets. malloc'd; NULL and a text that says what to install. */
char *data_find(const char *name, struct error *err);
/* Where data sets are put: $LETHE_DATA, else $XDG_DATA_HOME/lethe/data. malloc'd; NULL when out of
 * memory. */
char *data_home(void);

#endif
