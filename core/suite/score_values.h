/* score_values.h: what the host makes of a membership attack's scores: AUCs,
 * true positive rates, shares judged. The same for suites and for files. */
#ifndef SUITE_SCORE_VALUES_H
#define SUITE_SCORE_VALUES_H

#include <stdint.h>

#include "error.h"
#include "json.h"

/* Where values go: objects of the caller. notes: why a value is undefined. */
struct score_report {
    json_t *values, *notes, *curves;
};

/* Scores (n) of samples with roles (n; enum row_role), without those where known (n, or NULL) is
 * not 0. Keys are "<name>.<suffix>" of attack_values (columns.h), or the suffix alone where name is
 * empty; the curve is "<name>.forget_test". NaN scores are refused. */
int score_values(const double *scores, const uint8_t *role, const uint8_t *known, uint32_t n,
                 const char *name, struct score_report *out, struct error *err);

/* Adds "<name>.accuracy": mean of the shares of the forget set with a score above 0 and of the test
 * set without (U-LiRA's decision, Hayes et al. 2024: a member where p > 1/2). */
int score_accuracy(const double *scores, const uint8_t *role, const uint8_t *known, uint32_t n,
                   const char *name, struct score_report *out, struct error *err);

#endif
