/* files_outputs.h: arrays of logits in .npy files, cut into forget, retain and test sets. */
#ifndef SUITE_FILES_OUTPUTS_H
#define SUITE_FILES_OUTPUTS_H

#include <stdbool.h>

#include "hosting.h"

enum { FILE_SETS = 4 }; /* forget, retain, test, test samples of forgotten classes */

/* Which sample is in which set, and its label. */
struct file_split {
    uint32_t n;
    uint32_t size[FILE_SETS];
    uint32_t *row[FILE_SETS]; /* (size) samples of a set, in order */
    int32_t *y[FILE_SETS];    /* (size) their labels; -1 without labels */
};
/* split: 0 retain, 1 forget, 2 test, 3 test samples of forgotten classes; NULL: every sample is in
 * the forget set. labels: NULL gives -1. n: samples of the outputs. */
int file_split_read(const char *split, const char *labels, uint32_t n, struct file_split *ret,
                    struct error *err);
void file_split_release(struct file_split *s); /* accepts a zeroed one */

/* Models' outputs by set. */
struct file_outputs {
    uint32_t n_models, n, n_classes;
    float *logits;               /* (n_models, n_classes x n), set after set inside a model */
    struct outputs *set;         /* (n_models, FILE_SETS) */
    struct model_outputs *model; /* (n_models) */
};
/* (N, C), or (M, N, C) when several models are allowed; f4 or f8. */
int file_outputs_size(const char *path, uint32_t *ret_n, struct error *err);
int file_outputs_read(const char *path, bool several, const struct file_split *split,
                      struct file_outputs *ret, struct error *err);
void file_outputs_release(struct file_outputs *o); /* accepts a zeroed one */

#endif
