/* stats_t.c: the Student quantile for any positive number of degrees of freedom. */
#include <math.h>

#include "stats.h"

/* Continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double before = h;
        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            h *= c * d;
        }
        if (fabs(h - before) <= 1e-16 * fabs(h))
            break;
    }
    return h;
}

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign); /* lgamma writes a global */
}

/* Regularised incomplete beta I_x(a, b); y = 1 - x is given, since it may be tiny. */
static double beta_inc(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

/* P(|T| > t) for T with df degrees of freedom (DLMF 8.17 and Abramowitz & Stegun 26.7.1). */
static double two_sided_tail(double t, double df)
{
    double square = t * t, x = df / (df + square), y = square / (df + square);
    return beta_inc(df / 2, 0.5, x, y);
}

/* Expansion in 1/df around the normal quantile (Abramowitz & Stegun 26.7.5). */
static double large_df(double df)
{
    const double z = 1.959963984540054, z2 = z * z;
    double g1 = (z2 + 1) * z / 4;
    double g2 = ((5 * z2 + 16) * z2 + 3) * z / 96;
    double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
    return z + g1 / df + g2 / (df * df) + g3 / (df * df * df);
}

double stats_t975(double df)
{
    if (!(df > 0))
        return NAN;
    if (df > 2000)
        return large_df(df);
    double lo = 1.9, hi = 4;
    while (two_sided_tail(hi, df) > 0.05) {
        lo = hi;
        hi *= 2;
        if (!isfinite(hi * hi))
            return INFINITY;
    }
    for (int i = 0; i < 200 && hi - lo > 1e-15 * hi; i++) {
        double mid = lo + (hi - lo) / 2;
        if (two_sided_tail(mid, df) > 0.05)
            lo = mid;
        else
            hi = mid;
    }
    return lo + (hi - lo) / 2;
}
