/* data_source.h: the data sets Lethe knows, as rows of one table. */
#ifndef DATA_DATA_SOURCE_H
#define DATA_DATA_SOURCE_H

#include "dataset.h"

enum { DATA_MAX_FILES = 6 };
/* Places in `files` of the sources that have four. */
enum data_file { TRAIN_IMAGES = 0, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS };

/* What a source holds. */
struct data_layout {
    uint32_t n_train, n_test;             /* of the whole set; the limit when generated */
    uint32_t default_train, default_test; /* what 0 stands for */
    uint32_t n_classes, shape[3];         /* C, H, W */
    bool real;                            /* pixels are float32 in [0, 1], not bytes */
};

/* Where a reader puts the first n_train and n_test samples; one of the two pixel arrays is NULL. */
struct data_target {
    const struct data_layout *layout;
    uint32_t n_train, n_test;
    uint8_t *pixels; /* (n_train + n_test, C, H, W) */
    float *reals;    /* (n_train + n_test, C, H, W) */
    int32_t *labels; /* (n_train + n_test) */
};

struct data_source {
    const char *name;
    const char *title;                 /* for `lethe data list` */
    const char *files[DATA_MAX_FILES]; /* without .gz; NULL-ended when fewer */
    const char *folder;                /* the files may also lie in this folder inside; or NULL */
    const char *get, *get_again;       /* commands that bring it; NULL: nothing does */
    const char *where_from;            /* for people without a network; NULL as above */
    const char *const *keys;           /* NULL-ended: what `data:` may say */
    bool gzip;                         /* every file may be compressed */
    bool by_path;                      /* the user names folder or files */
    bool seeded;                       /* has seed and noise */
    uint32_t label_bytes;              /* cifar-bin: labels in front of a record; the last counts */
    uint32_t n_train_files;            /* cifar-bin */
    const struct data_layout *fixed;   /* NULL: the files say */
    int (*layout)(const struct data_source *, const struct data_spec *, struct data_layout *ret,
                  struct error *);
    int (*read)(const struct data_source *, const struct data_spec *, struct data_target *,
                struct error *);
};

/* The first row of that name; NULL when unknown. */
const struct data_source *data_source_find(const char *name);
/* Rows in order, NULL behind the last. */
const struct data_source *data_source_at(size_t i);
/* The row that reads a spec: of several with one name the first whose first file is there. */
int data_source_of(const struct data_spec *spec, const struct data_source **ret, struct error *err);
int data_source_layout(const struct data_source *s, const struct data_spec *spec,
                       struct data_layout *ret, struct error *err);
/* NULL-ended names, for messages. */
const char *const *data_source_names(void);
/* What a file is called in identities; NULL behind the last one. */
const char *data_source_key(const struct data_source *s, const struct data_spec *spec, unsigned i);
/* Path of one file, with or without .gz; malloc'd; NULL with the error set. */
char *data_source_file(const struct data_source *s, const struct data_spec *spec, unsigned i,
                       struct error *err);
/* A file that cannot be used: of a known set the machine's trouble, with the cure; else as it is.
 */
int data_source_damaged(const struct data_source *s, struct error *err);

int idx_source_layout(const struct data_source *, const struct data_spec *, struct data_layout *,
                      struct error *);
int idx_source_read(const struct data_source *, const struct data_spec *, struct data_target *,
                    struct error *);
int cifar_source_layout(const struct data_source *, const struct data_spec *, struct data_layout *,
                        struct error *);
int cifar_source_read(const struct data_source *, const struct data_spec *, struct data_target *,
                      struct error *);
int npy_source_layout(const struct data_source *, const struct data_spec *, struct data_layout *,
                      struct error *);
int npy_source_read(const struct data_source *, const struct data_spec *, struct data_target *,
                    struct error *);
int synthetic_read(const struct data_source *, const struct data_spec *, struct data_target *,
                   struct error *);

#endif
