/* Random streams. */
#include <math.h>

#include "hash.h"
#include "rng.h"
#include "unit_base/scratch.h"

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static void philox_matches_the_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } kat[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof kat / sizeof kat[0]; i++) {
        const uint32_t *c = kat[i].counter, *k = kat[i].key;
        uint32_t out[4];
        rng_philox(k[0] | (uint64_t)k[1] << 32, c[0] | (uint64_t)c[1] << 32,
                   c[2] | (uint64_t)c[3] << 32, out);
        assert_memory_equal(out, kat[i].out, sizeof out);
    }
}

static void streams_are_named(void **state)
{
    struct rng a, b;
    /* seed 1, "ab", index 2, as the bytes that are hashed */
    static const unsigned char text[] = {1, 0, 0, 0, 0, 0, 0, 0, 'a', 'b',
                                         0, 2, 0, 0, 0, 0, 0, 0, 0};
    rng_stream(&a, 1, "ab", 2);
    assert_true(a.key == hash_u64(text, sizeof text));
    rng_from_key(&b, a.key);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rng_u32(&a), rng_u32(&b));
    uint32_t block[4];
    rng_from_key(&b, 5);
    rng_philox(5, 0, 0, block);
    for (int i = 0; i < 4; i++)
        assert_int_equal(rng_u32(&b), block[i]);
    rng_philox(5, 1, 0, block);
    assert_int_equal(rng_u32(&b), block[0]);
    rng_stream(&a, 1, "ab", 3);
    rng_stream(&b, 1, "ac", 3);
    assert_true(a.key != b.key);
}

static void bounded_draws_are_even(void **state)
{
    enum { N = 60000 };
    unsigned count[6] = {0};
    struct rng r;
    rng_stream(&r, 1, "dice", 0);
    for (int i = 0; i < N; i++)
        count[rng_below(&r, 6)]++;
    double chi2 = 0;
    for (int i = 0; i < 6; i++)
        chi2 += (count[i] - N / 6.0) * (count[i] - N / 6.0) / (N / 6.0);
    assert_true(chi2 < 20.5); /* 99.9 % point of chi-square with 5 degrees of freedom */
    for (int i = 0; i < 100; i++)
        assert_int_equal(rng_below(&r, 1), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&r, 0xfffffff0u) < 0xfffffff0u);
}

static void uniform_and_normal_moments(void **state)
{
    enum { N = 200001 };
    float *v = malloc(N * sizeof *v);
    struct rng r;
    double sum = 0, square = 0, fourth = 0;
    rng_stream(&r, 1, "moments", 0);
    rng_fill_uniform(&r, v, N);
    for (int i = 0; i < N; i++) {
        assert_true(v[i] >= 0 && v[i] < 1);
        sum += v[i];
    }
    assert_float_equal(sum / N, 0.5, 0.003);
    rng_fill_normal(&r, v, N);
    sum = 0;
    for (int i = 0; i < N; i++) {
        assert_true(isfinite(v[i]));
        sum += v[i];
        square += (double)v[i] * v[i];
        fourth += pow(v[i], 4);
    }
    assert_float_equal(sum / N, 0, 0.01);
    assert_float_equal(square / N, 1, 0.015);
    assert_float_equal(fourth / N, 3, 0.1);
    for (int i = 0; i < 1000; i++) {
        double u = rng_uniform_double(&r);
        assert_true(u >= 0 && u < 1);
    }
    free(v);
}

static void permutations_and_choices(void **state)
{
    enum { N = 1000, K = 100 };
    uint32_t p[N], c[K];
    unsigned char seen[N] = {0};
    unsigned hits[10] = {0};
    struct rng r;
    rng_stream(&r, 1, "permute", 0);
    rng_permute(&r, p, N);
    for (int i = 0; i < N; i++) {
        assert_true(p[i] < N && !seen[p[i]]);
        seen[p[i]] = 1;
    }
    rng_choose(&r, N, K, c);
    for (int i = 1; i < K; i++)
        assert_true(c[i] > c[i - 1] && c[i] < N);
    rng_choose(&r, K, K, c);
    for (uint32_t i = 0; i < K; i++)
        assert_int_equal(c[i], i);
    for (int i = 0; i < 10000; i++) { /* 3 of 10: each in 30 % */
        rng_choose(&r, 10, 3, c);
        for (int j = 0; j < 3; j++)
            hits[c[j]]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(hits[i], 2800, 3200);
    rng_permute(&r, p, 0);
    rng_choose(&r, 5, 0, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_matches_the_known_answers),
        cmocka_unit_test(streams_are_named),
        cmocka_unit_test(bounded_draws_are_even),
        cmocka_unit_test(uniform_and_normal_moments),
        cmocka_unit_test(permutations_and_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
