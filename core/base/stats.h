/* stats.h: means, spreads, intervals, ROC curves. Statistics are in double. */
#ifndef BASE_STATS_H
#define BASE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

double stats_mean(const double *v, size_t n);   /* NaN when n is 0 */
double stats_sd(const double *v, size_t n);     /* ddof 1; NaN when n < 2 */
double stats_median(const double *v, size_t n); /* of a copy */

/* ROC of scores, larger = positive. One point per distinct score, (0,0) first. */
struct roc {
    size_t n;          /* points */
    double *fpr, *tpr; /* ascending */
    double auc;        /* Mann-Whitney with mid-ranks; NaN when a side is empty */
    uint64_t n_pos, n_neg;
};
/* NaN scores are refused. Infinities tie with themselves. */
int roc_make(const double *pos, size_t n_pos, const double *neg, size_t n_neg, struct roc *ret,
             struct error *err);
void roc_release(struct roc *r);
/* TPR of the last point with FPR <= x; NaN when a side is empty. */
double roc_tpr_at(const struct roc *r, double x);
double roc_balanced_accuracy(const struct roc *r); /* largest over thresholds */

/* 95 % two-sided Student interval half width factor t_{.975, df}; df may be fractional. */
double stats_t975(double df);

#endif
