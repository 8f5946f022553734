/* rng.h: counter-based random numbers in named streams.
 *
 * A stream is f(seed, purpose, index); its numbers depend on nothing else, so
 * adding a draw in one place never shifts another. The generator is
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011), checked in the tests against the Random123 known answers. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t key;     /* from SHA-256 of (seed, purpose, index) */
    uint64_t counter; /* blocks of four 32-bit numbers used */
    uint32_t block[4];
    uint32_t left; /* unused numbers in block */
    uint32_t reserved;
};

void rng_stream(struct rng *r, uint64_t seed, const char *purpose, uint64_t index);
void rng_from_key(struct rng *r, uint64_t key);
void rng_philox(uint64_t key, uint64_t counter_lo, uint64_t counter_hi, uint32_t out[4]);
uint32_t rng_u32(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* unbiased, n >= 1 */
float rng_uniform(struct rng *r);              /* [0, 1), 24 bits */
double rng_uniform_double(struct rng *r);      /* [0, 1), 53 bits */
void rng_fill_uniform(struct rng *r, float *out, size_t n);
void rng_fill_normal(struct rng *r, float *out, size_t n);  /* Box-Muller in double */
void rng_permute(struct rng *r, uint32_t *out, uint32_t n); /* Fisher-Yates of 0..n-1 */
/* k of 0..n-1 without replacement, ascending. */
void rng_choose(struct rng *r, uint32_t n, uint32_t k, uint32_t *out);

#endif
