/* stats.c: means, spreads and the ROC curve. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double stats_mean(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return n > 0 ? sum / (double)n : NAN;
}

double stats_sd(const double *v, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = stats_mean(v, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (v[i] - mean) * (v[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_median(const double *v, size_t n)
{
    if (n == 0)
        return NAN;
    for (size_t i = 0; i < n; i++)
        if (isnan(v[i]))
            return NAN;
    double *copy = malloc(n * sizeof *copy);
    if (!copy)
        return NAN;
    memcpy(copy, v, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, ascending);
    double m = n % 2 ? copy[n / 2] : copy[n / 2 - 1] / 2 + copy[n / 2] / 2;
    free(copy);
    return m;
}

/* Copies and sorts; NaN is refused. */
static int sorted_copy(const double *v, size_t n, double **ret, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(v[i]))
            return error_set(err, ERR_NUMERIC, "score %zu of %zu is not a number", i, n);
    double *copy = malloc((n + 1) * sizeof *copy);
    if (!copy)
        return error_nomem(err);
    if (n > 0) {
        memcpy(copy, v, n * sizeof *copy);
        qsort(copy, n, sizeof *copy, ascending);
    }
    *ret = copy;
    return 0;
}

/* Number of entries equal to x at the end of the ascending a[0..n). */
static size_t ties_at_end(const double *a, size_t n, double x)
{
    size_t k = 0;
    while (k < n && a[n - 1 - k] == x)
        k++;
    return k;
}

/* Walks the distinct scores downwards. u counts, twice, the pairs that the positive wins. */
static void trace(const double *pos, size_t n_pos, const double *neg, size_t n_neg, struct roc *r)
{
    size_t left_pos = n_pos, left_neg = n_neg, n = 0;
    double twice_u = 0;
    r->fpr[0] = n_neg > 0 ? 0 : NAN;
    r->tpr[0] = n_pos > 0 ? 0 : NAN;
    while (left_pos > 0 || left_neg > 0) {
        double x = left_neg == 0 || (left_pos > 0 && pos[left_pos - 1] > neg[left_neg - 1])
                       ? pos[left_pos - 1]
                       : neg[left_neg - 1];
        size_t kp = ties_at_end(pos, left_pos, x), kn = ties_at_end(neg, left_neg, x);
        left_pos -= kp;
        left_neg -= kn;
        twice_u += (double)kp * (2 * (double)left_neg + (double)kn);
        n++;
        r->fpr[n] = n_neg > 0 ? (double)(n_neg - left_neg) / (double)n_neg : NAN;
        r->tpr[n] = n_pos > 0 ? (double)(n_pos - left_pos) / (double)n_pos : NAN;
    }
    r->n = n + 1;
    r->auc = n_pos > 0 && n_neg > 0 ? twice_u / (2 * (double)n_pos * (double)n_neg) : NAN;
}

int roc_make(const double *pos, size_t n_pos, const double *neg, size_t n_neg, struct roc *ret,
             struct error *err)
{
    double *p = NULL, *q = NULL;
    struct roc r = {.n_pos = n_pos, .n_neg = n_neg};
    int rc = sorted_copy(pos, n_pos, &p, err);
    if (rc < 0) {
        error_prefix(err, "positive scores");
        goto out;
    }
    rc = sorted_copy(neg, n_neg, &q, err);
    if (rc < 0) {
        error_prefix(err, "negative scores");
        goto out;
    }
    r.fpr = malloc((n_pos + n_neg + 1) * sizeof *r.fpr);
    r.tpr = malloc((n_pos + n_neg + 1) * sizeof *r.tpr);
    if (!r.fpr || !r.tpr) {
        roc_release(&r);
        rc = error_nomem(err);
        goto out;
    }
    trace(p, n_pos, q, n_neg, &r);
    *ret = r;
out:
    free(p);
    free(q);
    return rc;
}

void roc_release(struct roc *r)
{
    free(r->fpr);
    free(r->tpr);
    *r = (struct roc){0};
}

double roc_tpr_at(const struct roc *r, double x)
{
    if (r->n_pos == 0 || r->n_neg == 0)
        return NAN;
    size_t i = r->n;
    while (i > 1 && r->fpr[i - 1] > x)
        i--;
    return r->tpr[i - 1];
}

double roc_balanced_accuracy(const struct roc *r)
{
    if (r->n_pos == 0 || r->n_neg == 0)
        return NAN;
    double best = 0;
    for (size_t i = 0; i < r->n; i++)
        best = fmax(best, 1 - (r->fpr[i] + 1 - r->tpr[i]) / 2);
    return best;
}
