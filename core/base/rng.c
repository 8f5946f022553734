/* rng.c: Philox4x32-10 and what is drawn from it. */
#include "rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

static void put_le64(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

void rng_from_key(struct rng *r, uint64_t key)
{
    *r = (struct rng){.key = key};
}

void rng_stream(struct rng *r, uint64_t seed, const char *purpose, uint64_t index)
{
    unsigned char text[256];
    size_t n = strnlen(purpose, sizeof text - 17); /* purposes are short literals */
    put_le64(text, seed);
    memcpy(text + 8, purpose, n);
    text[8 + n] = 0;
    put_le64(text + 9 + n, index);
    rng_from_key(r, hash_u64(text, n + 17));
}

/* Salmon et al. 2011, section 3.3; the constants are those of Random123's philox.h. */
void rng_philox(uint64_t key, uint64_t counter_lo, uint64_t counter_hi, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)counter_lo, c1 = (uint32_t)(counter_lo >> 32);
    uint32_t c2 = (uint32_t)counter_hi, c3 = (uint32_t)(counter_hi >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t rng_u32(struct rng *r)
{
    if (r->left == 0) {
        rng_philox(r->key, r->counter++, 0, r->block);
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

/* Lemire, "Fast random integer generation in an interval", 2019, algorithm 5. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
    uint64_t m = (uint64_t)rng_u32(r) * n;
    if ((uint32_t)m < n) {
        uint32_t reject = (0u - n) % n;
        while ((uint32_t)m < reject)
            m = (uint64_t)rng_u32(r) * n;
    }
    return (uint32_t)(m >> 32);
}

float rng_uniform(struct rng *r)
{
    return (float)(rng_u32(r) >> 8) * 0x1p-24f;
}

double rng_uniform_double(struct rng *r)
{
    uint64_t high = rng_u32(r) >> 5, low = rng_u32(r) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

void rng_fill_uniform(struct rng *r, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = rng_uniform(r);
}

void rng_fill_normal(struct rng *r, float *out, size_t n)
{
    const double two_pi = 6.283185307179586476925286766559;
    for (size_t i = 0; i < n; i += 2) {
        double radius = sqrt(-2.0 * log(1.0 - rng_uniform_double(r)));
        double angle = two_pi * rng_uniform_double(r);
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < n)
            out[i + 1] = (float)(radius * sin(angle));
    }
}

void rng_permute(struct rng *r, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = rng_below(r, i), keep = out[i - 1];
        out[i - 1] = out[j];
        out[j] = keep;
    }
}

/* Selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S): ascending, no scratch memory. */
void rng_choose(struct rng *r, uint32_t n, uint32_t k, uint32_t *out)
{
    for (uint32_t i = 0; i < n && k > 0; i++)
        if (rng_below(r, n - i) < k) {
            *out++ = i;
            k--;
        }
}
