/* dense_svd.h: a layer written down as a matrix by convolving the basis vectors one by one, and
 * all singular values of that matrix: slow twin of spectral.h. */
#ifndef DENSE_SVD_H
#define DENSE_SVD_H

#include <stddef.h>

#include "spectral.h"

/* (n_out, n_in) of the map, from the model's own weights by the definition of a convolution;
 * calloc'd. */
double *dense_matrix(const struct model *m, const struct spectral_map *map);
/* All singular values of a (rows, cols), largest first, by one-sided Jacobi rotations; a is used
 * up. value (min(rows, cols)). */
void dense_svd(double *a, size_t rows, size_t cols, double *value);
double dense_norm(const struct model *m, const struct spectral_map *map);

#endif
