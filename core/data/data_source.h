/* data_source.h: the data sets Lethe knows, as rows of one table. */
#ifndef DATA_DATA_SOURCE_H
#define DATA_DATA_SOURCE_H

#include "dataset.h"

enum data_file { TRAIN_IMAGES = 0, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, N_DATA_FILES };

struct data_source {
    const char *name;
    const char *package;                  /* Debian package; NULL when it is generated */
    const char *files[N_DATA_FILES];      /* without .gz */
    uint32_t n_train, n_test;             /* of the whole set; the limit when generated */
    uint32_t default_train, default_test; /* what 0 stands for */
    uint32_t n_classes, shape[3];         /* C, H, W */
    bool seeded;                          /* has seed and noise */
    int (*read)(const struct data_source *, const struct data_spec *, struct dataset *,
                uint8_t *pixels, int32_t *labels, struct error *);
};

const struct data_source *data_source_find(const char *name); /* NULL when unknown */
/* NULL-ended names, for messages. */
const char *const *data_source_names(void);
/* Path of one file, with or without .gz; malloc'd; NULL with the error set. */
char *data_source_file(const struct data_source *s, enum data_file file, struct error *err);

int idx_source_read(const struct data_source *, const struct data_spec *, struct dataset *,
                    uint8_t *pixels, int32_t *labels, struct error *);
int synthetic_read(const struct data_source *, const struct data_spec *, struct dataset *,
                   uint8_t *pixels, int32_t *labels, struct error *);

#endif
