/* Formulas of the methods: TRW's targets and similarities, l1 schedules, masks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define LETHE_STATIC_TAG trw
#include "unlearners/trw.c"

#undef LETHE_STATIC_TAG
#undef LETHE_SINGLE
#define LETHE_SINGLE(kind, info, params, n_params, needs, uses, iface)                             \
    static const void *const l1_used[] = {(iface)}
#define params l1_params
#define info l1_info
#define unlearner l1_unlearner
#include "unlearners/l1_sparse.c"
#undef params
#undef info
#undef unlearner

enum { C = 10 };

/* ---- targets ---- */

static void logits(unsigned seed, float *z)
{
    for (int k = 0; k < C; k++) {
        seed = seed * 1664525u + 1013904223u;
        z[k] = (float)(seed >> 8) / (float)(1 << 24) * 12 - 6;
    }
}

static double kl(const double *p, const double *q)
{
    double sum = 0;
    for (int k = 0; k < C; k++)
        if (p[k] > 0)
            sum += p[k] * log(p[k] / q[k]);
    return sum;
}

static double mean_of(const double *q, const double *s)
{
    return lethe_dot(q, s, C);
}

/* 0 at the hidden class, 1 in all; without a bias the original's distribution given another
 * class. */
static void test_target(void **state)
{
    for (unsigned seed = 1; seed < 30; seed++) {
        float z[C];
        double q[C], sum = 0, rest = 0;
        uint8_t hidden[C] = {0};
        uint32_t y = seed % C;
        logits(seed, z);
        hidden[y] = 1;
        lethe_tilt(z, NULL, hidden, C, q);
        for (uint32_t k = 0; k < C; k++) {
            sum += q[k];
            rest += k == y ? 0 : exp((double)z[k]);
        }
        assert_true(q[y] == 0);
        assert_true(fabs(sum - 1) < 1e-12);
        for (uint32_t k = 0; k < C; k++)
            if (k != y)
                assert_true(fabs(q[k] - exp((double)z[k]) / rest) < 1e-12);
    }
}

/* A memorised sample: 1 - p(y) is nothing in float, the target is still right. */
static void test_memorised(void **state)
{
    float z[C] = {60, 1, 2, 0, 0, 0, 0, 0, 0, 0};
    double q[C];
    uint8_t hidden[C] = {1};
    lethe_tilt(z, NULL, hidden, C, q);
    assert_true(fabs(q[2] / q[1] - exp(1)) < 1e-9);
}

/* RWFT (beta 0) and DELETE have one target, bit for bit. */
static void test_rwft_is_delete(void **state)
{
    static const double zero[C * C];
    for (unsigned seed = 1; seed < 30; seed++) {
        float z[C], rwft[C], removed[C];
        double q[2][C] = {{0}};
        uint8_t hidden[2][C], forgotten[C] = {0};
        int32_t y = (int32_t)(seed % C);
        forgotten[y] = 1;
        lethe_tilting trw = {.forgotten = forgotten, .hide_all = 1, .bias = zero, .omega = 1};
        lethe_tilting delete = trw;
        delete.bias = NULL;
        trw.q = q[0];
        trw.hidden = hidden[0];
        delete.q = q[1];
        delete.hidden = hidden[1];
        logits(seed, z);
        assert_true(lethe_tilting_target_(&trw, z, y, C, rwft) == 1);
        assert_true(lethe_tilting_target_(&delete, z, y, C, removed) == 1);
        assert_memory_equal(rwft, removed, sizeof(rwft));
        assert_true(lethe_tilting_target_(&trw, z, (y + 1) % C, C, rwft) ==
                    1); /* retained: omega */
        assert_true(rwft[(y + 1) % C] == 1 && rwft[y] == 0);
    }
}

/* The mean similarity of the target grows with beta, and q is the information projection:
 * KL(r || p) = KL(r || q) + KL(q || p) for every r of the same mean similarity. */
static void test_projection(void **state)
{
    static const double betas[] = {-5, 0, 1, 5, 10, 20};
    for (unsigned seed = 1; seed < 20; seed++) {
        float z[C];
        double s[C], p[C], last = -HUGE_VAL;
        uint8_t hidden[C] = {1};
        logits(seed, z);
        for (int k = 0; k < C; k++)
            s[k] = k == 0 ? 0 : fmod(0.37 * k * seed, 1);
        lethe_tilt(z, NULL, hidden, C, p);
        for (int b = 0; b < 6; b++) {
            double bias[C], q[C], r[C], shift[C], norm = 0, mean = 0, square = 0, along = 0;
            for (int k = 0; k < C; k++)
                bias[k] = betas[b] * s[k];
            lethe_tilt(z, bias, hidden, C, q);
            assert_true(mean_of(q, s) > last);
            last = mean_of(q, s);
            /* r = q + a small shift with sum 0 and no similarity in it */
            for (int k = 1; k < C; k++) {
                shift[k] = sin(seed + 3.0 * k) * q[k];
                norm += q[k];
                mean += shift[k];
            }
            for (int k = 1; k < C; k++)
                shift[k] -= mean / norm * q[k];
            for (int k = 1; k < C; k++) {
                along += shift[k] * s[k];
                square += q[k] * (s[k] - last) * (s[k] - last);
            }
            r[0] = 0;
            for (int k = 1; k < C; k++)
                r[k] = q[k] + 0.3 * (shift[k] - along / square * q[k] * (s[k] - last));
            for (int k = 1; k < C; k++)
                if (!(r[k] > 0))
                    goto next; /* not a distribution: try another */
            assert_true(fabs(mean_of(r, s) - last) < 1e-9);
            assert_true(fabs(kl(r, p) - kl(r, q) - kl(q, p)) < 1e-6);
        next:;
        }
    }
}

/* ---- similarity ---- */

/* Rows with a known geometry: 0 and 1 point the same way, 2 the other. */
static void test_similarity(void **state)
{
    const float w[4 * 3] = {4, 1, 0, 4.2f, 0.8f, 0.1f, -4, -1, 0.2f, 0.3f, 4, -1};
    double a[16], v[16], u[16], s[4], trace = 0, kept_trace = 0, gram[16];
    uint8_t kept[4];
    centred_gram(w, 4, 3, a);
    memcpy(gram, a, sizeof(gram));
    for (int i = 0; i < 4; i++)
        trace += a[i * 5];
    jacobi(a, v, 4);
    for (int i = 0; i < 4; i++) { /* gram = v diag v' */
        kept_trace += a[i * 5];
        for (int j = 0; j < 4; j++) {
            double sum = 0;
            for (int k = 0; k < 4; k++)
                sum += v[i * 4 + k] * a[k * 5] * v[j * 4 + k];
            assert_true(fabs(sum - gram[i * 4 + j]) < 1e-10);
        }
    }
    assert_true(fabs(trace - kept_trace) < 1e-10);
    keep_components(a, 4, 1, 0, kept);
    project(a, v, kept, 4, u);
    for (int i = 0; i < 4; i++) /* all components: inner products are those of the rows */
        for (int j = 0; j < 4; j++)
            assert_true(fabs(lethe_dot(u + i * 4, u + j * 4, 4) - gram[i * 4 + j]) < 1e-9);
    similarity(u, 4, 0, SIM_SOFTMAX, 0.1, s);
    assert_true(s[0] == 0 && s[1] > 0.9 && fabs(s[1] + s[2] + s[3] - 1) < 1e-12);
    similarity(u, 4, 0, SIM_COS, 0.1, s);
    assert_true(s[1] > 0.95 && s[2] < 0 && s[1] <= 1 + 1e-12);
    keep_components(a, 4, 0.5, 0, kept);
    assert_int_equal(kept[0] + kept[1] + kept[2] + kept[3], 1);
    keep_components(a, 4, 0.5, 2, kept);
    assert_int_equal(kept[0] + kept[1] + kept[2] + kept[3], 2);
}

/* ---- l1-sparse ---- */

static void test_l1_schedules(void **state)
{
    static const double amun[] = {5e-4,      1e-3,      1.8e-3,     2.88e-3,     4.032e-3,
                                  4.8384e-3, 4.8384e-3, 3.87072e-3, 2.322432e-3, 9.289728e-4};
    for (uint32_t e = 0; e < 10; e++) {
        assert_true(fabs(l1_weight(PENALTY_COMPOUNDING, 5e-4, e, 10, 0) / amun[e] - 1) < 1e-12);
        assert_true(fabs(l1_weight(PENALTY_LINEAR, 5e-4, e, 10, 0) - 5e-4 * (1 - e / 10.0)) <
                    1e-18);
        assert_true(l1_weight(PENALTY_CONSTANT, 5e-4, e, 10, 0) == 5e-4);
        double half = e < 5 ? 5e-4 * (1 - e / 5.0) : 0;
        assert_true(fabs(l1_weight(PENALTY_LINEAR, 5e-4, e, 10, 5) - half) < 1e-18);
    }
}

/* ---- masks ---- */

/* One block at a time is enough for a mask. */
static void *take(lethe_ctx *ctx, size_t bytes)
{
    static uint64_t block[65536];
    assert_true(bytes <= sizeof(block));
    memset(block, 0, sizeof(block));
    return block;
}

static void test_top_mask(void **state)
{
    enum { N = 5000 };
    static double score[N];
    static uint8_t mask[N];
    const lethe_core_api core = {.struct_size = sizeof core, .alloc = take};
    const lethe_host host = {.struct_size = sizeof host, .core = &core};
    lethe_ctx ctx = {&host, NULL};
    unsigned seed = 7;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        score[i] = i % 5 == 0   ? 0
                   : i % 7 == 0 ? 1e-300
                                : ldexp((double)(seed >> 20), (int)(seed % 40) - 20);
    }
    for (uint64_t count = 0; count <= N; count += 617) {
        double least = HUGE_VAL, most = -1;
        uint64_t n = 0, last_in = 0, first_out = N;
        assert_int_equal(lethe_top_mask(&ctx, score, N, count, mask), LETHE_OK);
        for (uint64_t i = 0; i < N; i++) {
            n += mask[i];
            if (mask[i])
                least = fmin(least, score[i]);
            else
                most = fmax(most, score[i]);
        }
        assert_int_equal(n, count);
        assert_true(count == 0 || count == N || least >= most);
        for (uint64_t i = 0; i < N; i++) { /* of equal ones the first */
            if (mask[i] && score[i] == most)
                last_in = i;
            if (!mask[i] && score[i] == least && first_out == N)
                first_out = i;
        }
        assert_true(last_in <= first_out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target),         cmocka_unit_test(test_memorised),
        cmocka_unit_test(test_rwft_is_delete), cmocka_unit_test(test_projection),
        cmocka_unit_test(test_similarity),     cmocka_unit_test(test_l1_schedules),
        cmocka_unit_test(test_top_mask),
    };
    (void)l1_used;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
