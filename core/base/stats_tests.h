/* stats_tests.h: tests and intervals for comparing methods over few runs. Reproducible: draws come
 * from named streams. */
#ifndef BASE_STATS_TESTS_H
#define BASE_STATS_TESTS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* 95 % Wilson interval of a proportion hits / n (Wilson 1927); NaN when n is 0. */
void stats_wilson(uint64_t hits, uint64_t n, double *ret_low, double *ret_high);

/* Two-sided paired sign-flip test of mean 0 (Fisher 1935): under the hypothesis that the two
 * methods are the same, the sign of each of the n differences is a coin. All 2^n signs up to n =
 * 16, else 19,999 random ones and the observed. Share with |sum| at least the observed; 1 when n is
 * 0. *ret_least: the smallest p that n differences can give. */
int stats_sign_flip(const double *d, size_t n, double *ret_p, double *ret_least, struct error *err);

/* Holm's step-down adjustment (1979), in place; NaN entries are no tests. */
int stats_holm(double *p, size_t n, struct error *err);

/* Ranks of v (n), 1 = smallest, ties share their mean rank. */
int stats_ranks(const double *v, size_t n, double *ret, struct error *err);

/* Friedman's test of k methods over n blocks, v (n, k): chi-square with k - 1 degrees of freedom,
 * corrected for ties, and its p. ret_ranks (k): mean ranks. NaN below 2 blocks or 2 methods. */
int stats_friedman(const double *v, size_t n, size_t k, double *ret_ranks, double *ret_chi2,
                   double *ret_p, struct error *err);
/* Nemenyi's critical difference of mean ranks at 5 % (Demsar 2006, equation 2); NaN below 2. */
double stats_nemenyi(size_t k, size_t n);

/* Kendall's tau-b of two score lists; NaN below 2 or where one side is constant. */
double stats_kendall(const double *a, const double *b, size_t n);

/* Upper tail of chi-square with df degrees of freedom. */
double stats_chi2_tail(double x, double df);

/* Paired differences needed to see a mean with that spread at 5 % with 80 % power, by the normal
 * approximation; NaN when the mean is 0 or the spread unknown. */
double stats_pairs_needed(double mean, double sd);

#endif
