#include "curve_average.h"

#include <math.h>
#include <string.h>

size_t curve_find(const struct results *r, const struct curve_key *key,
                  const struct result_curve **ret, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *row = &r->row[i];
        if (row->status != VERDICT_OK || row->interim ||
            strcmp(row->scenario, key->scenario) != 0 ||
            (key->method && strcmp(row->method, key->method) != 0))
            continue;
        for (size_t k = 0; k < row->n_curves; k++) {
            const struct result_curve *c = &row->curve[k];
            if (c->n == 0 || strcmp(c->name, key->name) != 0 || strcmp(c->series, key->series) != 0)
                continue;
            if (n < cap)
                ret[n] = c;
            n++;
        }
    }
    return n;
}

/* Number of points with an abscissa of at most x. */
static size_t points_before(const struct result_curve *c, double x)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c->x[mid] <= x)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

double curve_step_at(const struct result_curve *c, double x)
{
    size_t n = points_before(c, x);
    return n ? c->y[n - 1] : NAN;
}

double curve_line_at(const struct result_curve *c, double x)
{
    size_t n = points_before(c, x);
    if (n == 0 || x > c->x[c->n - 1])
        return 0;
    if (n == c->n || c->x[n - 1] == x)
        return c->y[n - 1];
    double share = (x - c->x[n - 1]) / (c->x[n] - c->x[n - 1]);
    return c->y[n - 1] + share * (c->y[n] - c->y[n - 1]);
}

double curve_least_step(const struct result_curve *const *curve, size_t n)
{
    double least = NAN;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 1; i < curve[k]->n; i++) {
            double step = curve[k]->x[i] - curve[k]->x[i - 1];
            if (step > 1e-12)
                least = fmin(least, step); /* fmin drops the NaN */
        }
    return least;
}
