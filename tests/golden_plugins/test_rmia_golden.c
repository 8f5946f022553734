/* RMIA against the official implementation's outputs (fixtures rmia_amun_v1 and
 * rmia_amun_from_signals), against its own definition in O(n^2), on a foreign
 * host. The source is included, so that its internal functions can be called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define LETHE_STATIC_TAG rmia
#include "attacks/rmia.c"

#include "fake_host.h"

enum { N = 60, C = 10, M = 8 };

/* A member_job over the logits of rmia_amun_v1. */
struct bench {
    struct fake_host fake;
    float *target, *shadow; /* (N, C), (M, N, C) */
    int32_t *y;
    const float *shadow_of[M];
    uint8_t in[M][N];
    const uint8_t *in_of[M];
    lethe_outputs candidates;
    lethe_references references;
    lethe_member_job job;
    double score[N];
};

static void bench_init(struct bench *b)
{
    struct fixture target = fixture_load("rmia_amun_v1/in_target_logits");
    struct fixture shadow = fixture_load("rmia_amun_v1/in_reference_logits");
    struct fixture y = fixture_load("rmia_amun_v1/in_labels");
    memset(b, 0, sizeof *b);
    fake_init(&b->fake, &lethe_plugin_entry_rmia);
    b->target = fixture_float(&target);
    b->shadow = fixture_float(&shadow);
    b->y = fixture_int32(&y);
    for (int m = 0; m < M; m++) {
        b->shadow_of[m] = b->shadow + m * N * C;
        b->in_of[m] = b->in[m];
    }
    b->candidates = (lethe_outputs){sizeof b->candidates, C, 1, 0, N, b->target, b->y};
    b->references = (lethe_references){sizeof b->references, M, b->shadow_of, b->in_of};
    b->job.struct_size = sizeof b->job;
    b->job.n_classes = C;
    b->job.candidates = &b->candidates;
    b->job.references = &b->references;
    fixture_free(&target);
    fixture_free(&shadow);
    fixture_free(&y);
}

static void bench_release(struct bench *b)
{
    fake_release(&b->fake);
    free(b->target);
    free(b->shadow);
    free(b->y);
}

static lethe_status run(struct bench *b)
{
    const lethe_membership_attack *iface = b->fake.plugin->iface;
    return iface->score(&b->fake.ctx, NULL, &b->job, b->score);
}

static double distance_to(const char *fixture, const double *v, size_t n)
{
    struct fixture a = fixture_load(fixture);
    double worst = fixture_distance(&a, v, n);
    fixture_free(&a);
    return worst;
}

/* As the fixtures' file names have it: - becomes _. */
static const char *file_of(char *buffer, size_t size, const char *format, const char *kind)
{
    snprintf(buffer, size, format, kind);
    for (char *c = buffer; *c; c++)
        *c = *c == '-' ? '_' : *c;
    return buffer;
}

/* All five signals, of the model under attack and of the shadow models. The
 * reference computes in single precision. */
static void test_signals(void **state)
{
    struct bench b;
    char path[128];
    bench_init(&b);
    for (uint32_t kind = 0; signals[kind]; kind++) {
        const lethe_signal spec = {kind, 4, 2.0, 0.6};
        double target[N], shadow[M * N];
        for (int i = 0; i < N; i++)
            target[i] = lethe_signal_value(&spec, b.target + i * C, C, b.y[i]);
        for (int i = 0; i < M * N; i++)
            shadow[i] = lethe_signal_value(&spec, b.shadow + i * C, C, b.y[i % N]);
        file_of(path, sizeof path, "rmia_amun_v1/out_signal_target_%s", signals[kind]);
        assert_true(distance_to(path, target, N) < 5e-7);
        file_of(path, sizeof path, "rmia_amun_v1/out_signal_reference_%s", signals[kind]);
        assert_true(distance_to(path, shadow, M * N) < 5e-7);
    }
    bench_release(&b);
}

static void test_ratio(void **state)
{
    struct bench b;
    const struct attack_spec spec = {.signal = {LETHE_SIGNAL_TAYLOR_MARGIN, 4, 2.0, 0.6},
                                     .n_models = M};
    double ratio[N], prior[N], work[M];
    struct fixture reference = fixture_load("rmia_amun_v1/out_ratio");
    bench_init(&b);
    for (int i = 0; i < N; i++) {
        const struct set set = {&b.candidates, &b.references};
        ratio[i] = ratio_of(&spec, &set, (uint64_t)i, 0, work);
        prior[i] = lethe_signal_value(&spec.signal, b.target + i * C, C, b.y[i]) / ratio[i];
        assert_true(fabs(ratio[i] - reference.v[i]) <= 1e-6 + 2e-6 * fabs(reference.v[i]));
    }
    assert_true(distance_to("rmia_amun_v1/out_prior_mean", prior, N) < 1e-6);
    fixture_free(&reference);
    bench_release(&b);
}

/* Four signals, two gammas: the counts are exact. */
static void test_scores(void **state)
{
    static const char *const kinds[] = {"softmax", "taylor", "soft-margin", "taylor-soft-margin"};
    struct bench b;
    char path[128];
    bench_init(&b);
    for (int k = 0; k < 4; k++) {
        fake_choice(&b.fake, "signal", kinds[k]);
        fake_real(&b.fake, "gamma", 1);
        assert_int_equal(run(&b), LETHE_OK);
        file_of(path, sizeof path, "rmia_amun_v1/out_rmia_%s_gamma1", kinds[k]);
        assert_true(distance_to(path, b.score, N) < 1e-12);
        fake_real(&b.fake, "gamma", 2);
        assert_int_equal(run(&b), LETHE_OK);
        file_of(path, sizeof path, "rmia_amun_v1/out_rmia_%s_gamma2", kinds[k]);
        assert_true(distance_to(path, b.score, N) < 1e-12);
    }
    bench_release(&b);
}

/* The defaults are the published ones; AUC of members against the rest. */
static void test_defaults_and_auc(void **state)
{
    struct bench b;
    struct fixture member = fixture_load("rmia_amun_v1/in_target_member");
    double wins = 0, pairs = 0;
    bench_init(&b);
    assert_int_equal(run(&b), LETHE_OK);
    assert_true(distance_to("rmia_amun_v1/out_rmia_taylor_soft_margin_gamma2", b.score, N) < 1e-12);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            if (member.v[i] == 1 && member.v[j] == 0) {
                wins += b.score[i] > b.score[j] ? 1 : b.score[i] == b.score[j] ? 0.5 : 0;
                pairs++;
            }
    assert_true(fabs(wins / pairs - 0.87166666666666659) < 1e-12);
    fixture_free(&member);
    bench_release(&b);
}

static void check_from_signals(const char *target_path, double gamma, const char *expected)
{
    struct fixture t = fixture_load(target_path);
    struct fixture r = fixture_load("rmia_amun_from_signals/in_reference_signals");
    double ratio[N], work[N], score[N];
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int m = 0; m < M; m++)
            sum += r.v[m * N + i];
        ratio[i] = t.v[i] / (sum / M);
    }
    rmia_scores(ratio, N, gamma, work, score);
    assert_true(distance_to(expected, score, N) < 1e-12);
    fixture_free(&t);
    fixture_free(&r);
}

static void test_from_signals(void **state)
{
    check_from_signals("rmia_amun_from_signals/in_target_signals", 1,
                       "rmia_amun_from_signals/out_rmia_gamma1");
    check_from_signals("rmia_amun_from_signals/in_target_signals", 1.25,
                       "rmia_amun_from_signals/out_rmia_gamma1p25");
    check_from_signals("rmia_amun_from_signals/in_target_signals", 2,
                       "rmia_amun_from_signals/out_rmia_gamma2");
    check_from_signals("rmia_amun_from_signals/in_target_signals_with_zeros", 2,
                       "rmia_amun_from_signals/out_rmia_gamma2_with_zeros");
}

/* The definition, literally. */
static void brute_force(const double *ratio, int n, double gamma, double *score)
{
    for (int i = 0; i < n; i++) {
        int hits = 0;
        for (int j = 0; j < n; j++)
            hits += j != i && ratio[i] / ratio[j] > gamma;
        score[i] = (double)hits / (n - 1);
    }
}

/* Draws with ties, exact powers of gamma, both zeros, negatives, infinities, NaN. */
static double awkward(struct fake_host *f, lethe_rng *rng, int mild)
{
    static const double special[] = {0.0, -0.0, HUGE_VAL, -HUGE_VAL, 0.5, 1, 2, 4, -1, -2, 5e-324};
    float u;
    uint32_t kind = f->rng.below(&f->ctx, rng, mild ? 3 : 6);
    f->rng.normal(&f->ctx, rng, &u, 1);
    if (kind == 0)
        return exp(u);
    if (kind == 1)
        return floor(4 * u) / 4;
    if (kind == 2)
        return ldexp(1 + fabs(u) / 8, (int)f->rng.below(&f->ctx, rng, 5));
    if (kind == 3)
        return NAN;
    return special[f->rng.below(&f->ctx, rng, sizeof special / sizeof *special)];
}

static void test_brute_force_twin(void **state)
{
    static const double gammas[] = {0.25, 0.5, 1, 1.25, 2, 4, 1e6};
    enum { MOST = 257 };
    struct fake_host f;
    double ratio[MOST], work[MOST], fast[MOST], slow[MOST];
    fake_init(&f, &lethe_plugin_entry_rmia);
    for (uint64_t trial = 0; trial < 300; trial++) {
        lethe_rng rng;
        f.rng.stream(&f.ctx, "twin", trial, &rng);
        int n = 2 + (int)f.rng.below(&f.ctx, &rng, MOST - 2);
        for (int i = 0; i < n; i++)
            ratio[i] = awkward(&f, &rng, trial % 2 == 0);
        for (size_t g = 0; g < sizeof gammas / sizeof *gammas; g++) {
            rmia_scores(ratio, (uint64_t)n, gammas[g], work, fast);
            brute_force(ratio, n, gammas[g], slow);
            assert_memory_equal(fast, slow, (size_t)n * sizeof *fast);
        }
    }
    fake_release(&f);
}

/* Candidates in another order get the same scores, bit by bit. */
static void test_permutation(void **state)
{
    struct bench b;
    lethe_rng rng;
    uint32_t place[N];
    double before[N];
    bench_init(&b);
    assert_int_equal(run(&b), LETHE_OK);
    memcpy(before, b.score, sizeof before);
    b.fake.rng.stream(&b.fake.ctx, "order", 0, &rng);
    b.fake.rng.permute(&b.fake.ctx, &rng, place, N);
    struct bench p;
    bench_init(&p);
    for (int i = 0; i < N; i++) {
        memcpy(p.target + i * C, b.target + place[i] * C, C * sizeof(float));
        for (int m = 0; m < M; m++)
            memcpy(p.shadow + (m * N + i) * C, b.shadow + (m * N + (int)place[i]) * C,
                   C * sizeof(float));
        p.y[i] = b.y[place[i]];
    }
    assert_int_equal(run(&p), LETHE_OK);
    for (int i = 0; i < N; i++)
        assert_true(p.score[i] == before[place[i]]);
    bench_release(&p);
    bench_release(&b);
}

/* Logits of any size give finite signals where a limit exists. */
static void test_extreme_logits(void **state)
{
    const float sure[3] = {1000, -1000, 0}, unsure[3] = {5, 5, 5};
    const lethe_signal softmax = {LETHE_SIGNAL_SOFTMAX, 4, 2, 0.6};
    const lethe_signal margin = {LETHE_SIGNAL_SOFT_MARGIN, 4, 2, 0.6};
    const lethe_signal logit = {LETHE_SIGNAL_LOGIT, 4, 2, 0.6};
    assert_true(lethe_signal_value(&softmax, sure, 3, 0) == 1);
    assert_true(lethe_signal_value(&softmax, sure, 3, 1) == 0);
    assert_true(fabs(lethe_signal_value(&softmax, unsure, 3, 2) - 1.0 / 3) < 1e-15);
    assert_true(lethe_signal_value(&margin, sure, 3, 0) == 1);
    assert_true(fabs(lethe_signal_value(&margin, unsure, 3, 2) - exp(-0.6) / (2 + exp(-0.6))) <
                1e-15);
    assert_true(fabs(lethe_signal_value(&logit, sure, 3, 0) + log(1e-45)) < 1e-9);
    assert_true(fabs(lethe_signal_value(&logit, sure, 3, 1) - log(1e-45)) < 1e-9);
    assert_true(lethe_taylor(1.5, 1) == 1 && lethe_taylor(1.5, 3) == 1 + 1.5 + 1.125);
}

/* Undefined ratios score 0 and are reported, never returned. */
static void test_undefined_ratio(void **state)
{
    struct bench b;
    bench_init(&b);
    fake_choice(&b.fake, "signal", "log-logit-scaling");
    for (int k = 0; k < C; k++)
        b.target[k] = NAN;
    assert_int_equal(run(&b), LETHE_OK);
    assert_true(b.score[0] == 0);
    for (int i = 0; i < N; i++)
        assert_false(isnan(b.score[i]));
    assert_non_null(strstr(b.fake.log, "1 undefined (they score 0)"));
    bench_release(&b);
}

static void test_refusals(void **state)
{
    struct bench b;
    bench_init(&b);
    b.candidates.n_views = 2;
    assert_int_equal(run(&b), LETHE_E_UNSUPPORTED);
    assert_string_equal(b.fake.failure, "variant amun takes one view of a sample, not 2");
    b.candidates.n_views = 1;
    b.candidates.n = 1;
    assert_int_equal(run(&b), LETHE_E_UNSUPPORTED);
    b.candidates.n = N;
    b.job.references = NULL;
    assert_int_equal(run(&b), LETHE_E_UNSUPPORTED);
    assert_string_equal(b.fake.failure,
                        "rmia needs shadow models; set references: {shadow: 8} or more");
    b.job.references = &b.references;
    b.y[7] = -1;
    assert_int_equal(run(&b), LETHE_E_INVALID);
    assert_string_equal(b.fake.failure, "label -1 of candidate 7 is none of 10");
    b.y[7] = 0;
    b.fake.calls = 0;
    b.fake.fail_at = 1;
    assert_int_equal(run(&b), LETHE_E_NOMEM);
    bench_release(&b);
}

/* 60,000 samples with 16 shadow models are a matter of a fifth of a second; the bound leaves room
 * for sanitizers and slow machines, and none for anything quadratic. */
static void test_speed(void **state)
{
    enum { MANY = 60000, MODELS = 16 };
    struct bench b;
    const float *shadow[MODELS];
    const uint8_t *in[MODELS];
    lethe_rng rng;
    bench_init(&b);
    float *z = malloc((MODELS + 1) * (size_t)MANY * C * sizeof *z);
    int32_t *y = calloc(MANY, sizeof *y);
    uint8_t *inclusion = calloc(MANY, 1);
    double *score = malloc(MANY * sizeof *score);
    assert_true(z && y && inclusion && score);
    b.fake.rng.stream(&b.fake.ctx, "speed", 0, &rng);
    b.fake.rng.normal(&b.fake.ctx, &rng, z, (MODELS + 1) * (size_t)MANY * C);
    for (int m = 0; m < MODELS; m++) {
        shadow[m] = z + (size_t)(m + 1) * MANY * C;
        in[m] = inclusion;
    }
    b.candidates = (lethe_outputs){sizeof b.candidates, C, 1, 0, MANY, z, y};
    b.references = (lethe_references){sizeof b.references, MODELS, shadow, in};
    const lethe_membership_attack *iface = b.fake.plugin->iface;
    clock_t start = clock();
    assert_int_equal(iface->score(&b.fake.ctx, NULL, &b.job, score), LETHE_OK);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("60000 samples, 16 shadow models: %.3f s of one core\n", seconds);
    assert_true(seconds < 2);
    free(z);
    free(y);
    free(inclusion);
    free(score);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),         cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_scores),          cmocka_unit_test(test_defaults_and_auc),
        cmocka_unit_test(test_from_signals),    cmocka_unit_test(test_brute_force_twin),
        cmocka_unit_test(test_permutation),     cmocka_unit_test(test_extreme_logits),
        cmocka_unit_test(test_undefined_ratio), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
