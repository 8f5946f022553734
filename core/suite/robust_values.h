/* robust_values.h: what a set of perturbed samples says of the model they were made on. */
#ifndef SUITE_ROBUST_VALUES_H
#define SUITE_ROBUST_VALUES_H

#include "hosting.h"

struct robust_counts {
    uint32_t n;       /* samples attacked */
    uint32_t clean;   /* right on the clean sample */
    uint32_t raw;     /* right on the perturbed one */
    uint32_t both;    /* right on both */
    uint32_t found;   /* the attack says that it reached its goal */
    double l2, linf;  /* summed sizes of all perturbations */
    double fooled_l2; /* summed sizes of those that cost a right answer: clean - both of them */
};

/* y (a->n): true labels. */
void robust_count(const struct adversarial *a, const int32_t *y, struct robust_counts *ret);
/* In percent; NaN where nothing is counted. Conditional: right on both images, of those right on
 * the clean one; raw: right on the perturbed image, of all (LOTOS, evaltrans_correct). */
double robust_acc_cond(const struct robust_counts *k);
double robust_acc_raw(const struct robust_counts *k);
double robust_clean_acc(const struct robust_counts *k);
/* values.json of an example attack in a suite: {"values", "notes", "curves"}. New reference. */
int robust_values(const struct adversarial *a, const int32_t *y, json_t **ret, struct error *err);

#endif
