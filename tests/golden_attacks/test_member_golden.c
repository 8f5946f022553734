/* Membership attacks against other people's numbers, through the plugin ABI on a foreign host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_host.h"

extern const lethe_entry lethe_plugin_entry_rmia, lethe_plugin_entry_lira,
    lethe_plugin_entry_u_lira, lethe_plugin_entry_attack_p, lethe_plugin_entry_attack_r,
    lethe_plugin_entry_svc_mia, lethe_plugin_entry_song_mittal, lethe_plugin_entry_entropy_logistic;

enum { MOST_MODELS = 64, MOST_SCORES = 6 };

/* Rows with the references on them. */
struct rows {
    lethe_outputs o;
    lethe_references r;
    float *logits, *reference; /* (n, views, c), (models, n, views, c) */
    int32_t *y;
    uint8_t *inclusion; /* (models, n) */
    const float *reference_at[MOST_MODELS];
    const uint8_t *inclusion_at[MOST_MODELS];
};

static void rows_init(struct rows *x, uint64_t n, uint32_t views, uint32_t c, uint32_t models)
{
    memset(x, 0, sizeof *x);
    assert_true(models <= MOST_MODELS);
    x->logits = calloc(n * views * c + 1, sizeof(float));
    x->reference = calloc(models * n * views * c + 1, sizeof(float));
    x->y = calloc(n + 1, sizeof *x->y);
    x->inclusion = calloc(models * n + 1, 1);
    assert_true(x->logits && x->reference && x->y && x->inclusion);
    for (uint32_t m = 0; m < models; m++) {
        x->reference_at[m] = x->reference + m * n * views * c;
        x->inclusion_at[m] = x->inclusion + m * n;
    }
    x->o = (lethe_outputs){sizeof x->o, c, views, 0, n, x->logits, x->y};
    x->r = (lethe_references){sizeof x->r, models, x->reference_at, x->inclusion_at};
}

static void rows_free(struct rows *x)
{
    free(x->logits);
    free(x->reference);
    free(x->y);
    free(x->inclusion);
}

/* Rows of x whose entry of `take` is `is`. */
static void rows_subset(const struct rows *x, const double *take, double is, struct rows *ret)
{
    uint32_t views = x->o.n_views, c = x->o.n_classes, row = views * c, models = x->r.n_models;
    uint64_t n = 0, k = 0;
    for (uint64_t i = 0; i < x->o.n; i++)
        n += take[i] == is;
    rows_init(ret, n, views, c, models);
    for (uint64_t i = 0; i < x->o.n; i++) {
        if (take[i] != is)
            continue;
        memcpy(ret->logits + k * row, x->logits + i * row, row * sizeof(float));
        ret->y[k] = x->y[i];
        for (uint32_t m = 0; m < models; m++) {
            memcpy(ret->reference + (m * n + k) * row, x->reference + (m * x->o.n + i) * row,
                   row * sizeof(float));
            ret->inclusion[m * n + k] = x->inclusion[m * x->o.n + i];
        }
        k++;
    }
}

struct bench {
    struct fake_host fake;
    lethe_member_job job;
    double *score;
};

static void bench_init(struct bench *b, const lethe_entry *entry, const struct rows *x)
{
    memset(b, 0, sizeof *b);
    fake_init(&b->fake, entry);
    b->job.struct_size = sizeof b->job;
    b->job.n_classes = x->o.n_classes;
    b->job.candidates = &x->o;
    b->job.references = x->r.n_models ? &x->r : NULL;
    b->score = calloc(x->o.n * MOST_SCORES + 1, sizeof(double));
    assert_non_null(b->score);
}

static void bench_known(struct bench *b, const struct rows *in, const struct rows *out)
{
    b->job.known_members = &in->o;
    b->job.known_nonmembers = &out->o;
    b->job.known_member_references = &in->r;
    b->job.known_nonmember_references = &out->r;
}

static void bench_release(struct bench *b)
{
    fake_release(&b->fake);
    free(b->score);
}

static lethe_status run(struct bench *b)
{
    const lethe_membership_attack *iface = b->fake.plugin->iface;
    return iface->score(&b->fake.ctx, NULL, &b->job, b->score);
}

/* Our scores are minus the published ones; error beyond a relative 1e-5. */
static void assert_negative_of(const char *fixture, const double *score, double tolerance)
{
    struct fixture a = fixture_load(fixture);
    double worst = 0;
    for (size_t i = 0; i < a.n; i++)
        worst = fmax(worst, fabs(score[i] + a.v[i]) - 1e-5 * fabs(a.v[i]));
    if (!(worst <= tolerance))
        fail_msg("%s: error %g", fixture, worst);
    fixture_free(&a);
}

static void fill_floats(const char *fixture, size_t from, float *out, size_t n)
{
    struct fixture a = fixture_load(fixture);
    assert_true(from + n <= a.n);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)a.v[from + i];
    fixture_free(&a);
}

static void fill_labels(const char *fixture, struct rows *x)
{
    struct fixture a = fixture_load(fixture);
    assert_int_equal(a.n, x->o.n);
    for (size_t i = 0; i < a.n; i++)
        x->y[i] = (int32_t)a.v[i];
    fixture_free(&a);
}

static void fill_inclusion(const char *fixture, struct rows *x)
{
    struct fixture a = fixture_load(fixture);
    for (size_t i = 0; i < x->r.n_models * x->o.n; i++)
        x->inclusion[i] = (uint8_t)a.v[i];
    fixture_free(&a);
}

static void test_lira_carlini(void **state)
{
    static const struct {
        const char *mode, *variance, *fixture;
    } cases[] = {
        {"online", "per-example", "lira_carlini_v1/out_online_fixvarFalse"},
        {"online", "fixed", "lira_carlini_v1/out_online_fixvarTrue"},
        {"offline", "per-example", "lira_carlini_v1/out_offline_fixvarFalse"},
        {"offline", "fixed", "lira_carlini_v1/out_offline_fixvarTrue"},
        {"global", "fixed", "lira_carlini_v1/out_global_threshold"},
    };
    struct rows x;
    rows_init(&x, 40, 2, 10, 8);
    fill_floats("lira_carlini_v1/in_logits", 0, x.reference, 8 * 800);
    fill_floats("lira_carlini_v1/in_logits", 8 * 800, x.logits, 800);
    fill_labels("lira_carlini_v1/in_labels", &x);
    fill_inclusion("lira_carlini_v1/in_inclusion", &x);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_init(&b, &lethe_plugin_entry_lira, &x);
        fake_choice(&b.fake, "mode", cases[i].mode);
        fake_choice(&b.fake, "variance", cases[i].variance);
        fake_choice(&b.fake, "preset", "carlini");
        assert_int_equal(run(&b), LETHE_OK);
        assert_negative_of(cases[i].fixture, b.score, 1e-6);
        bench_release(&b);
    }
    rows_free(&x);
}

/* A sample without IN models is neutral and leaves the others as they are. */
static void test_lira_missing_side(void **state)
{
    struct rows x;
    struct bench b;
    rows_init(&x, 3, 1, 2, 4);
    for (int i = 0; i < 24; i++)
        x.reference[i] = (float)(i * 7 % 5);
    for (int m = 0; m < 4; m++)
        x.inclusion[m * 3 + 1] = x.inclusion[m * 3 + 2] = m % 2;
    bench_init(&b, &lethe_plugin_entry_lira, &x);
    assert_int_equal(run(&b), LETHE_OK);
    assert_true(b.score[0] == 0 && isfinite(b.score[1]) && isfinite(b.score[2]));
    assert_non_null(strstr(b.fake.log, "1 of 3 samples lack IN or OUT shadow models"));
    bench_release(&b);
    rows_free(&x);
}

static void load_2024(struct rows *x, struct rows *out, struct rows *in)
{
    struct fixture member = fixture_load("rmia_lira_2024_v1/in_target_member");
    rows_init(x, 60, 1, 10, 8);
    fill_floats("rmia_lira_2024_v1/in_logits", 0, x->logits, 600);
    fill_floats("rmia_lira_2024_v1/in_logits", 600, x->reference, 8 * 600);
    fill_labels("rmia_lira_2024_v1/in_labels", x);
    fill_inclusion("rmia_lira_2024_v1/in_inclusion", x);
    rows_subset(x, member.v, 0, out);
    rows_subset(x, member.v, 1, in);
    fixture_free(&member);
}

static void test_rmia_2024(void **state)
{
    static const char *const modes[] = {"online", "offline"};
    struct rows x, out, in;
    struct bench b;
    char path[96];
    load_2024(&x, &out, &in);
    for (int m = 0; m < 2; m++)
        for (int softmax = 0; softmax < 2; softmax++) {
            bench_init(&b, &lethe_plugin_entry_rmia, &x);
            bench_known(&b, &in, &out);
            fake_choice(&b.fake, "variant", modes[m]);
            fake_choice(&b.fake, "population", "nonmembers");
            fake_int(&b.fake, "self_pair", 1);
            if (softmax) {
                fake_choice(&b.fake, "signal", "softmax");
                fake_real(&b.fake, "temperature", 1);
            }
            assert_int_equal(run(&b), LETHE_OK);
            snprintf(path, sizeof path, "rmia_lira_2024_v1/out_rmia_%s_%s", modes[m],
                     softmax ? "softmax_T1" : "sm_taylor");
            assert_negative_of(path, b.score, 1e-6);
            bench_release(&b);
        }
    bench_init(&b, &lethe_plugin_entry_attack_r, &x);
    assert_int_equal(run(&b), LETHE_OK);
    assert_negative_of("rmia_lira_2024_v1/out_attack_R", b.score, 1e-6);
    bench_release(&b);
    bench_init(&b, &lethe_plugin_entry_attack_p, &x);
    assert_int_equal(run(&b), LETHE_E_DENIED);
    bench_known(&b, &in, &out);
    assert_int_equal(run(&b), LETHE_OK);
    assert_negative_of("rmia_lira_2024_v1/out_attack_P", b.score, 1e-6);
    bench_release(&b);
    rows_free(&x);
    rows_free(&out);
    rows_free(&in);
}

/* With one view twice, the vote over views is the single comparison. */
static void test_rmia_views(void **state)
{
    struct rows x, out, in, twice;
    struct bench b, v;
    load_2024(&x, &out, &in);
    rows_init(&twice, 60, 2, 10, 8);
    for (int i = 0; i < 60; i++)
        for (int k = 0; k < 20; k++) {
            twice.logits[i * 20 + k] = x.logits[i * 10 + k % 10];
            for (int m = 0; m < 8; m++)
                twice.reference[(m * 60 + i) * 20 + k] = x.reference[(m * 60 + i) * 10 + k % 10];
        }
    memcpy(twice.y, x.y, 60 * sizeof *x.y);
    memcpy(twice.inclusion, x.inclusion, 8 * 60);
    bench_init(&b, &lethe_plugin_entry_rmia, &x);
    bench_init(&v, &lethe_plugin_entry_rmia, &twice);
    fake_choice(&b.fake, "variant", "online");
    fake_choice(&v.fake, "variant", "online");
    assert_int_equal(run(&b), LETHE_OK);
    assert_int_equal(run(&v), LETHE_OK);
    assert_memory_equal(b.score, v.score, 60 * sizeof(double));
    bench_release(&b);
    bench_release(&v);
    rows_free(&x);
    rows_free(&out);
    rows_free(&in);
    rows_free(&twice);
}

static void test_u_lira(void **state)
{
    struct rows x;
    struct bench b;
    struct fixture in = fixture_load("ulira_v1/in_w_unlearned_shadow");
    struct fixture out = fixture_load("ulira_v1/in_w_retrained_shadow");
    struct fixture w = fixture_load("ulira_v1/in_w_target");
    struct fixture expected = fixture_load("ulira_v1/out_log_ratio");
    rows_init(&x, 30, 1, 2, 32);
    for (int i = 0; i < 30; i++)
        x.logits[2 * i] = (float)w.v[i];
    for (int i = 0; i < 16 * 30; i++) {
        x.reference[2 * i] = (float)in.v[i];
        x.reference[2 * (i + 480)] = (float)out.v[i];
        x.inclusion[i] = 1;
    }
    bench_init(&b, &lethe_plugin_entry_u_lira, &x);
    assert_int_equal(run(&b), LETHE_OK);
    for (int i = 0; i < 30; i++)
        assert_true(fabs(b.score[i] - expected.v[i]) < 2e-5 * (1 + fabs(expected.v[i])));
    memset(x.inclusion + 30, 0, 31 * 30); /* one observation IN is too few */
    assert_int_equal(run(&b), LETHE_OK);
    assert_true(b.score[0] == 0 && b.score[29] == 0);
    bench_release(&b);
    rows_free(&x);
    fixture_free(&in);
    fixture_free(&out);
    fixture_free(&w);
    fixture_free(&expected);
}

static void load_probabilities(const char *prefix, uint64_t n, struct rows *x)
{
    char path[96];
    rows_init(x, n, 1, 10, 0);
    snprintf(path, sizeof path, "%s_prob", prefix);
    fill_floats(path, 0, x->logits, n * 10);
    snprintf(path, sizeof path, "%s_labels", prefix);
    fill_labels(path, x);
}

static double share_below_zero(const double *score, int n)
{
    int below = 0;
    for (int i = 0; i < n; i++)
        below += score[i] < 0;
    return (double)below / n;
}

static void test_svc_mia(void **state)
{
    static const struct {
        const char *name;
        double share;
    } features[] = {{"correctness", 0.18},
                    {"confidence", 0.62},
                    {"entropy", 0.66},
                    {"m_entropy", 0.5},
                    {"prob", 0.86}};
    struct rows x, in, out;
    struct bench b;
    char path[96];
    load_probabilities("svc_mia_v1/in_target_test", 50, &x);
    load_probabilities("svc_mia_v1/in_shadow_train", 80, &in);
    load_probabilities("svc_mia_v1/in_shadow_test", 80, &out);
    bench_init(&b, &lethe_plugin_entry_svc_mia, &x);
    bench_known(&b, &in, &out);
    fake_choice(&b.fake, "input", "probabilities");
    assert_int_equal(run(&b), LETHE_OK);
    for (int f = 0; f < 5; f++) {
        snprintf(path, sizeof path, "svc_mia_v1/out_decision_target_test_%s", features[f].name);
        struct fixture a = fixture_load(path);
        assert_true(fixture_distance(&a, b.score + f * 50, 50) < 0.02);
        assert_true(fabs(share_below_zero(b.score + f * 50, 50) - features[f].share) < 1e-9);
        fixture_free(&a);
    }
    in.o.n = 0;
    assert_int_equal(run(&b), LETHE_E_UNSUPPORTED);
    assert_string_equal(b.fake.failure, "undefined: there are 0 known members and 80 known "
                                        "non-members, both are needed");
    bench_release(&b);
    rows_free(&x);
    rows_free(&in);
    rows_free(&out);
}

static void test_song_mittal(void **state)
{
    static const char *const names[] = {"correctness", "confidence", "entropy", "m_entropy"};
    static const struct {
        const char *prefix;
        int n;
    } judged[2] = {{"song_mittal_v1/in_t_tr", 70}, {"song_mittal_v1/in_t_te", 60}};
    struct rows in, out;
    char path[96];
    load_probabilities("song_mittal_v1/in_s_tr", 120, &in);
    load_probabilities("song_mittal_v1/in_s_te", 110, &out);
    for (int side = 0; side < 2; side++) {
        struct rows x;
        struct bench b;
        int n = judged[side].n;
        load_probabilities(judged[side].prefix, (uint64_t)n, &x);
        bench_init(&b, &lethe_plugin_entry_song_mittal, &x);
        bench_known(&b, &in, &out);
        fake_choice(&b.fake, "input", "probabilities");
        assert_int_equal(run(&b), LETHE_OK);
        for (int f = 0; f < 4; f++) {
            snprintf(path, sizeof path, "song_mittal_v1/out_%s", names[f]);
            struct fixture pair = fixture_load(path);
            double below = share_below_zero(b.score + f * n, n);
            assert_true(fabs((side ? below : 1 - below) - pair.v[side]) < 1e-9);
            fixture_free(&pair);
        }
        bench_release(&b);
        rows_free(&x);
    }
    rows_free(&in);
    rows_free(&out);
}

/* The same entropies on both sides say nothing; separated ones are told apart. */
static void test_entropy_logistic(void **state)
{
    struct rows x, in, out;
    struct bench b;
    rows_init(&x, 2, 1, 2, 0);
    rows_init(&in, 40, 1, 2, 0);
    rows_init(&out, 40, 1, 2, 0);
    for (int i = 0; i < 40; i++) {
        in.logits[2 * i] = 6 + (float)(i % 5);
        out.logits[2 * i] = (float)(i % 5) / 10;
    }
    x.logits[0] = 8;
    bench_init(&b, &lethe_plugin_entry_entropy_logistic, &x);
    bench_known(&b, &in, &in);
    assert_int_equal(run(&b), LETHE_OK);
    assert_true(fabs(b.score[0]) < 1e-9 && fabs(b.score[1]) < 1e-9);
    bench_known(&b, &in, &out);
    assert_int_equal(run(&b), LETHE_OK);
    assert_true(b.score[0] > 0 && b.score[1] < 0);
    bench_release(&b);
    rows_free(&x);
    rows_free(&in);
    rows_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lira_carlini), cmocka_unit_test(test_lira_missing_side),
        cmocka_unit_test(test_rmia_2024),    cmocka_unit_test(test_rmia_views),
        cmocka_unit_test(test_u_lira),       cmocka_unit_test(test_svc_mia),
        cmocka_unit_test(test_song_mittal),  cmocka_unit_test(test_entropy_logistic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
