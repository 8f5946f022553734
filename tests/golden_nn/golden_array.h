/* golden_array.h: arrays of the golden fixtures. */
#ifndef GOLDEN_ARRAY_H
#define GOLDEN_ARRAY_H

#include <stddef.h>
#include <stdint.h>

/* All values as doubles, whatever the file holds. */
struct golden {
    size_t n;
    double *v;
};

/* `path`: below the folder of fixtures, without .npy. Fails the test when it is not there. */
struct golden golden_load(const char *path);
void golden_free(struct golden *g);
void golden_floats(const char *path, float *to, size_t n);
void golden_labels(const char *path, int32_t *to, size_t n);
/* |found - wanted| <= atol + rtol |wanted| for each number. */
void golden_check(const char *path, const float *found, size_t n, double rtol, double atol);

#endif
