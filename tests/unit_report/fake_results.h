/* fake_results.h: struct results built by hand, as the suite room would fill it. */
#ifndef TEST_FAKE_RESULTS_H
#define TEST_FAKE_RESULTS_H

#include "results.h"

struct fake_column {
    const char *name, *unit;
};

/* Frame without rows. methods: NULL-ended labels after original and retrain. gap: NULL-ended. */
void fake_frame(struct results *r, const struct fake_column *columns, size_t n_columns,
                const char *const *scenarios, const char *const *methods, const char *const *gap);
/* Appends a successful row with the values given (n_columns of the frame). An oracle's model_id
 * is "oracle-SCENARIO-SEED_MODEL-SEED_FORGET". Rows must be added in the order of runs.csv. */
struct result_row *fake_row(struct results *r, enum row_class row_class, const char *scenario,
                            const char *method, int64_t seed_model, int64_t seed_forget,
                            const double *values);
/* Turns a row into a failed one. */
void fake_fail(const struct results *r, struct result_row *row, enum verdict status, int signal,
               const char *reason);
/* Replaces a string member. */
void fake_set(char **member, const char *text);
void fake_curve(struct result_row *row, const char *name, const char *series, const double *x,
                const double *y, size_t n);
/* Fills oracle_ids of all rows from the oracles of the same scenario and forget seed. */
void fake_link_oracles(struct results *r);

/* A study of 8 methods (one fails in every run, one in some, one wrecks its model, one does
 * nothing), 3 model seeds x 2 forget seeds, 3 oracles, 2 scenarios, ROC curves of one attack and
 * confidence histograms. */
void fake_study(struct results *r);

#endif
