#include "stats_tests.h"

#include <math.h>
#include <stdlib.h>

#include "rng.h"

#define Z975 1.959963984540054
#define Z80 0.8416212335729143

void stats_wilson(uint64_t hits, uint64_t n, double *ret_low, double *ret_high)
{
    double p = (double)hits / (double)n, z2 = Z975 * Z975, m = (double)n;
    if (n == 0) {
        *ret_low = *ret_high = NAN;
        return;
    }
    double centre = (p + z2 / (2 * m)) / (1 + z2 / m);
    double half = Z975 / (1 + z2 / m) * sqrt(p * (1 - p) / m + z2 / (4 * m * m));
    *ret_low = fmax(0, centre - half);
    *ret_high = fmin(1, centre + half);
}

/* ---- sign flips ---- */

enum { EXACT = 16, DRAWS = 19999 };

/* Sum of d with the signs of the bits. */
static double flipped_sum(const double *d, size_t n, const uint32_t *bits)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bits[i / 32] >> (i % 32) & 1 ? -d[i] : d[i];
    return sum;
}

/* Sums that differ by rounding only are equal. */
static double observed_sum(const double *d, size_t n)
{
    double sum = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
        sum += d[i];
        scale += fabs(d[i]);
    }
    return fabs(sum) - 1e-12 * scale;
}

static double exact_p(const double *d, size_t n)
{
    double observed = observed_sum(d, n);
    uint32_t count = 0, total = 1u << n;
    for (uint32_t bits = 0; bits < total; bits++)
        count += fabs(flipped_sum(d, n, &bits)) >= observed;
    return (double)count / total;
}

static int drawn_p(const double *d, size_t n, double *ret, struct error *err)
{
    double observed = observed_sum(d, n);
    uint32_t count = 1; /* the observed signs are one of the draws (Phipson and Smyth 2010) */
    uint32_t *bits = calloc(n / 32 + 1, sizeof(*bits));
    struct rng g;
    if (!bits)
        return error_nomem(err);
    rng_stream(&g, 1, "sign-flip", n);
    for (int k = 0; k < DRAWS; k++) {
        for (size_t i = 0; i <= n / 32; i++)
            bits[i] = rng_u32(&g);
        count += fabs(flipped_sum(d, n, bits)) >= observed;
    }
    free(bits);
    *ret = (double)count / (DRAWS + 1);
    return 0;
}

int stats_sign_flip(const double *d, size_t n, double *ret_p, double *ret_least, struct error *err)
{
    double p = 1;
    if (n > EXACT)
        TRY(drawn_p(d, n, &p, err));
    else if (n > 0)
        p = exact_p(d, n);
    *ret_p = p;
    *ret_least = n > EXACT ? 1.0 / (DRAWS + 1) : n > 0 ? fmin(1, 2 / exp2((double)n)) : 1;
    return 0;
}

/* ---- many tests ---- */

struct place {
    double v;
    size_t at;
};

static int by_value(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->v != y->v)
        return x->v < y->v ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Entries that are numbers, ascending; *ret is malloc'd. */
static int sorted(const double *v, size_t n, struct place **ret, size_t *ret_n, struct error *err)
{
    struct place *p = malloc((n + 1) * sizeof(*p));
    size_t m = 0;
    if (!p)
        return error_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!isnan(v[i]))
            p[m++] = (struct place){v[i], i};
    qsort(p, m, sizeof(*p), by_value);
    *ret = p;
    *ret_n = m;
    return 0;
}

int stats_holm(double *p, size_t n, struct error *err)
{
    struct place *order = NULL;
    size_t m = 0;
    double largest = 0;
    TRY(sorted(p, n, &order, &m, err));
    for (size_t i = 0; i < m; i++) {
        largest = fmax(largest, fmin(1, (double)(m - i) * order[i].v));
        p[order[i].at] = largest;
    }
    free(order);
    return 0;
}

int stats_ranks(const double *v, size_t n, double *ret, struct error *err)
{
    struct place *order = NULL;
    size_t m = 0;
    TRY(sorted(v, n, &order, &m, err));
    for (size_t i = 0; i < n; i++)
        ret[i] = NAN;
    for (size_t i = 0; i < m;) {
        size_t j = i;
        while (j < m && order[j].v == order[i].v)
            j++;
        for (size_t k = i; k < j; k++)
            ret[order[k].at] = (double)(i + 1 + j) / 2;
        i = j;
    }
    free(order);
    return 0;
}

/* Sum of t^3 - t over groups of t equal ranks. */
static double ties_of(const double *rank, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) {
        double t = 0;
        for (size_t j = 0; j < k; j++)
            t += rank[j] == rank[i];
        sum += t * t - 1; /* each member of a group counts its share */
    }
    return sum;
}

int stats_friedman(const double *v, size_t n, size_t k, double *ret_ranks, double *ret_chi2,
                   double *ret_p, struct error *err)
{
    double *rank = malloc((k + 1) * sizeof(*rank)), ties = 0, square = 0;
    double b = (double)n, m = (double)k;
    int rc = rank ? 0 : error_nomem(err);
    for (size_t j = 0; j < k; j++)
        ret_ranks[j] = n ? 0 : NAN;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = stats_ranks(v + i * k, k, rank, err);
        ties += rc == 0 ? ties_of(rank, k) : 0;
        for (size_t j = 0; rc == 0 && j < k; j++)
            ret_ranks[j] += rank[j] / b;
    }
    for (size_t j = 0; j < k; j++)
        square += (ret_ranks[j] - (m + 1) / 2) * (ret_ranks[j] - (m + 1) / 2);
    /* Conover 1999, 5.8: the correction is 1 without ties */
    double correction = 1 - ties / (b * m * (m * m - 1));
    *ret_chi2 =
        n < 2 || k < 2 || correction <= 0 ? NAN : 12 * b / (m * (m + 1)) * square / correction;
    *ret_p = stats_chi2_tail(*ret_chi2, m - 1);
    free(rank);
    return rc;
}

double stats_kendall(const double *a, const double *b, size_t n)
{
    double s = 0, pairs_a = 0, pairs_b = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            int x = (a[i] > a[j]) - (a[i] < a[j]), y = (b[i] > b[j]) - (b[i] < b[j]);
            s += x * y;
            pairs_a += x != 0;
            pairs_b += y != 0;
        }
    return pairs_a > 0 && pairs_b > 0 ? s / sqrt(pairs_a * pairs_b) : NAN;
}

double stats_pairs_needed(double mean, double sd)
{
    if (!(fabs(mean) > 0) || !(sd >= 0))
        return NAN;
    double ratio = (Z975 + Z80) * sd / fabs(mean);
    return fmax(2, ceil(ratio * ratio));
}

/* ---- distributions ---- */

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign); /* lgamma writes a global */
}

/* Regularised upper incomplete gamma Q(a, x): the series below a + 1 (DLMF 8.11.4), the continued
 * fraction above (8.9.2). */
static double gamma_tail(double a, double x)
{
    double front = exp(a * log(x) - x - log_gamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int i = 1; i < 10000 && term > 1e-17 * sum; i++) {
            term *= x / (a + i);
            sum += term;
        }
        return 1 - front * sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 10000; i++) {
        double an = -i * (i - a), before = h;
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= c * d;
        if (fabs(h - before) <= 1e-16 * fabs(h))
            break;
    }
    return front * h;
}

double stats_chi2_tail(double x, double df)
{
    if (isnan(x) || !(df > 0))
        return NAN;
    return x <= 0 ? 1 : gamma_tail(df / 2, x / 2);
}

static double phi(double z)
{
    return exp(-z * z / 2) * 0.3989422804014327;
}

static double normal_below(double z)
{
    return erfc(-z / 1.4142135623730951) / 2;
}

/* P(range of k standard normals < q), by the trapezoid rule, which converges fast on it. */
static double range_below(double q, size_t k)
{
    double sum = 0;
    for (double z = -8; z <= 8 + q; z += 0.01)
        sum += phi(z) * pow(normal_below(z) - normal_below(z - q), (double)k - 1);
    return (double)k * sum * 0.01;
}

double stats_nemenyi(size_t k, size_t n)
{
    double lo = 0, hi = 20;
    if (k < 2 || n < 2)
        return NAN;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        if (range_below(mid, k) < 0.95)
            lo = mid;
        else
            hi = mid;
    }
    double m = (double)k;
    return lo / 1.4142135623730951 * sqrt(m * (m + 1) / (6 * (double)n));
}
