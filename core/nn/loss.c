/* loss.c: losses over rows of logits. Few numbers, so everything is in double. */
#include "loss.h"

#include <math.h>
#include <stddef.h>

/* The logarithm of sum exp(z scale). */
static double log_sum_exp(const float *z, uint32_t c, double scale)
{
    double top = (double)z[0] * scale, sum = 0;
    for (uint32_t j = 1; j < c; j++)
        top = fmax(top, (double)z[j] * scale);
    for (uint32_t j = 0; j < c; j++)
        sum += exp((double)z[j] * scale - top);
    return top + log(sum);
}

int32_t loss_argmax(const float *logits, uint32_t c)
{
    uint32_t best = 0;
    for (uint32_t j = 1; j < c; j++)
        if (logits[j] > logits[best])
            best = j;
    return (int32_t)best;
}

void loss_cross_entropy(const float *logits, const int32_t *y, uint32_t n, uint32_t c,
                        double *ret_loss, float *dlogits)
{
    double total = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *z = logits + (size_t)i * c;
        uint32_t label = (uint32_t)y[i];
        double lse = log_sum_exp(z, c, 1);
        total += lse - (double)z[label];
        for (uint32_t j = 0; dlogits && j < c; j++) {
            double p = exp((double)z[j] - lse);
            dlogits[(size_t)i * c + j] = (float)((p - (j == label)) / n);
        }
    }
    if (ret_loss)
        *ret_loss = total / n;
}

void loss_soft_cross_entropy(const float *logits, const float *q, uint32_t n, uint32_t c,
                             double *ret_loss, float *dlogits)
{
    double total = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *z = logits + (size_t)i * c, *target = q + (size_t)i * c;
        double lse = log_sum_exp(z, c, 1), mass = 0;
        for (uint32_t j = 0; j < c; j++) {
            mass += (double)target[j];
            total += (double)target[j] * (lse - (double)z[j]);
        }
        /* d/dz_j of sum_k q_k (lse - z_k); the mass is 1 for a distribution. */
        for (uint32_t j = 0; dlogits && j < c; j++) {
            double p = exp((double)z[j] - lse);
            dlogits[(size_t)i * c + j] = (float)((mass * p - (double)target[j]) / n);
        }
    }
    if (ret_loss)
        *ret_loss = total / n;
}

void loss_distill(const float *logits, const float *teacher, double T, uint32_t n, uint32_t c,
                  double *ret_loss, float *dlogits)
{
    double total = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *z = logits + (size_t)i * c, *t = teacher + (size_t)i * c;
        double lse_z = log_sum_exp(z, c, 1 / T), lse_t = log_sum_exp(t, c, 1 / T);
        for (uint32_t j = 0; j < c; j++) {
            double log_p = (double)z[j] / T - lse_z, log_t = (double)t[j] / T - lse_t;
            total += exp(log_t) * (log_t - log_p);
            if (dlogits) /* d(T^2 KL)/dz = T (p - t) */
                dlogits[(size_t)i * c + j] = (float)(T * (exp(log_p) - exp(log_t)) / n);
        }
    }
    if (ret_loss)
        *ret_loss = T * T * total / n;
}
