/* Twins by brute force, on made-up outputs, and what must not change a metric: the order of the
 * samples, of the models, and the names of the classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metric_bench.h"

extern const lethe_entry lethe_plugin_entry_divergence, lethe_plugin_entry_ece,
    lethe_plugin_entry_entropy, lethe_plugin_entry_yeom, lethe_plugin_entry_zrf,
    lethe_plugin_entry_klom, lethe_plugin_entry_forgetting_score,
    lethe_plugin_entry_comparator_privacy, lethe_plugin_entry_transfer,
    lethe_plugin_entry_robustness, lethe_plugin_entry_accuracy, lethe_plugin_entry_confidence,
    lethe_plugin_entry_prediction_shift;

enum { N = 17, C = 4, M = 9 };

static uint64_t state_of_draws = 1;

static double draw(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        state_of_draws = state_of_draws * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(state_of_draws >> 11) * 0x1p-53;
    }
    return sum - 6;
}

/* Logits of M models a side on three sets of N samples; models of the first side lean to the
 * label. Some ties and equal rows. */
struct made {
    float z[2][M][3][N][C];
    int32_t y[3][N];
};

static struct made *make(uint64_t seed)
{
    struct made *d = calloc(1, sizeof *d);
    assert_non_null(d);
    state_of_draws = seed;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < N; i++)
            d->y[s][i] = (s + i * i) % C;
    for (int side = 0; side < 2; side++)
        for (int m = 0; m < M; m++)
            for (int s = 0; s < 3; s++)
                for (int i = 0; i < N; i++)
                    for (int k = 0; k < C; k++)
                        d->z[side][m][s][i][k] =
                            (float)(2 * draw() + (k == d->y[s][i] ? 2.0 - side : 0));
    return d;
}

static void load(struct bench *b, const struct made *d, const lethe_entry *entry)
{
    bench_init(b, entry, C);
    for (int side = 0; side < 2; side++)
        for (uint32_t m = 0; m < M; m++)
            for (uint32_t s = 0; s < 3; s++)
                bench_set(b, side, m, s, &d->z[side][m][s][0][0], d->y[s], N);
    b->job.random = b->job.adversarial = &b->model[1][1];
    b->job.source = &b->model[0][1];
    b->job.source_adversarial = &b->model[1][2];
    assert_int_equal(bench_run(b), LETHE_OK);
}

/* ---- invariances ---- */

static void permute_samples(struct made *d)
{
    struct made copy = *d;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < N; i++) {
            int from = (i * 5 + 3) % N;
            d->y[s][i] = copy.y[s][from];
            for (int side = 0; side < 2; side++)
                for (int m = 0; m < M; m++)
                    memcpy(d->z[side][m][s][i], copy.z[side][m][s][from],
                           sizeof copy.z[0][0][0][0]);
        }
}

static void rename_classes(struct made *d)
{
    struct made copy = *d;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < N; i++) {
            d->y[s][i] = (copy.y[s][i] + 1) % C;
            for (int side = 0; side < 2; side++)
                for (int m = 0; m < M; m++)
                    for (int k = 0; k < C; k++)
                        d->z[side][m][s][i][(k + 1) % C] = copy.z[side][m][s][i][k];
        }
}

/* Logits shifted by a constant a sample: the same probabilities. */
static void shift_logits(struct made *d)
{
    for (int side = 0; side < 2; side++)
        for (int m = 0; m < M; m++)
            for (int s = 0; s < 3; s++)
                for (int i = 0; i < N; i++)
                    for (int k = 0; k < C; k++)
                        d->z[side][m][s][i][k] += (float)(i % 3) * 4;
}

static void assert_same(const struct bench *a, const struct bench *b, double tolerance)
{
    const lethe_metric *m = a->host.plugin->iface;
    for (uint32_t i = 0; i < m->n_outputs; i++) {
        if (m->outputs[i].shape != LETHE_SHAPE_SCALAR || (isnan(a->value[i]) && isnan(b->value[i])))
            continue;
        if (!(fabs(a->value[i] - b->value[i]) <= tolerance))
            fail_msg("%s: %s was %.12g, is %.12g", a->host.plugin->info->id, m->outputs[i].name,
                     a->value[i], b->value[i]);
    }
}

static void test_invariances(void **state)
{
    static const lethe_entry *const all[] = {&lethe_plugin_entry_accuracy,
                                             &lethe_plugin_entry_confidence,
                                             &lethe_plugin_entry_divergence,
                                             &lethe_plugin_entry_ece,
                                             &lethe_plugin_entry_entropy,
                                             &lethe_plugin_entry_prediction_shift,
                                             &lethe_plugin_entry_yeom,
                                             &lethe_plugin_entry_zrf,
                                             &lethe_plugin_entry_klom,
                                             &lethe_plugin_entry_forgetting_score,
                                             &lethe_plugin_entry_comparator_privacy,
                                             &lethe_plugin_entry_transfer,
                                             &lethe_plugin_entry_robustness};
    static void (*const change[])(struct made *) = {permute_samples, rename_classes, shift_logits};
    static struct bench a, b;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (size_t c = 0; c < sizeof change / sizeof *change; c++) {
            struct made *d = make(7);
            load(&a, d, all[k]);
            change[c](d);
            load(&b, d, all[k]);
            assert_same(&a, &b, c == 2 ? 2e-4 : 1e-9); /* shifted floats are rounded */
            bench_release(&a);
            bench_release(&b);
            free(d);
        }
}

/* The values themselves, so that a constant would not pass. */
static void test_models_matter(void **state)
{
    static struct bench a, b;
    struct made *d = make(7), *e = make(8);
    load(&a, d, &lethe_plugin_entry_divergence);
    load(&b, e, &lethe_plugin_entry_divergence);
    assert_true(fabs(bench_value(&a, "forget_js") - bench_value(&b, "forget_js")) > 1e-4);
    assert_true(fabs(bench_value(&a, "forget_js") - bench_value(&a, "test_js")) > 1e-4);
    bench_release(&a);
    bench_release(&b);
    free(d);
    free(e);
}

/* ---- twins ---- */

static void softmax(const float *z, double *p)
{
    double sum = 0;
    for (int k = 0; k < C; k++)
        sum += exp((double)z[k]);
    for (int k = 0; k < C; k++)
        p[k] = exp((double)z[k]) / sum;
}

static void test_divergence_twin(void **state)
{
    static struct bench b;
    struct made *d = make(3);
    double kl = 0, tv = 0, l2 = 0;
    load(&b, d, &lethe_plugin_entry_divergence);
    for (int m = 0; m < M; m++)
        for (int i = 0; i < N; i++) {
            double p[C], q[C], square = 0;
            softmax(d->z[1][m][1][i], p);
            softmax(d->z[0][0][1][i], q);
            for (int k = 0; k < C; k++) {
                kl += p[k] * log(p[k] / q[k]) / (M * N);
                tv += fabs(p[k] - q[k]) / 2 / (M * N);
                square += (p[k] - q[k]) * (p[k] - q[k]);
            }
            l2 += sqrt(square) / (M * N);
        }
    bench_near(&b, "retain_kl", kl, 1e-12);
    bench_near(&b, "retain_kl_exact", kl, 1e-12);
    bench_near(&b, "retain_tv", tv, 1e-12);
    bench_near(&b, "retain_activation_distance", l2, 1e-12);
    bench_release(&b);
    free(d);
}

static void test_ece_twin(void **state)
{
    static struct bench b;
    struct made *d = make(4);
    double ece = 0;
    load(&b, d, &lethe_plugin_entry_ece);
    for (int bin = 0; bin < 15; bin++) {
        double confidence = 0, hits = 0;
        for (int i = 0; i < N; i++) {
            double p[C];
            int best = 0;
            softmax(d->z[0][0][2][i], p);
            for (int k = 1; k < C; k++)
                best = p[k] > p[best] ? k : best;
            if (p[best] > bin / 15.0 && p[best] <= (bin + 1) / 15.0) {
                confidence += p[best];
                hits += best == d->y[2][i];
            }
        }
        ece += fabs(confidence - hits) / N;
    }
    bench_near(&b, "test_ece", ece, 1e-12);
    bench_release(&b);
    free(d);
}

/* A confidence on the edge belongs to the bin below: (lo, hi]. */
static void test_ece_edge(void **state)
{
    static struct bench b;
    const float p[2][2] = {{0.6f, 0.4f}, {0.65f, 0.35f}};
    const int32_t y[2] = {0, 1};
    bench_init(&b, &lethe_plugin_entry_ece, 2);
    fake_choice(&b.host, "input", "probabilities");
    fake_int(&b.host, "bins", 5);
    bench_set(&b, 0, 0, 0, p[0], y, 2);
    assert_int_equal(bench_run(&b), LETHE_OK);
    bench_near(&b, "forget_ece", (0.4 + 0.65) / 2, 1e-7);
    bench_release(&b);
}

static double margin(const float *z, int y)
{
    double sum = 0;
    for (int k = 0; k < C; k++)
        sum += k == y ? 0 : exp((double)z[k]);
    return (double)z[y] - log(sum);
}

/* Sorted margins of sample i over the models of a side. */
static void test_klom_twin(void **state)
{
    static struct bench b;
    struct made *d = make(5);
    double mean = 0;
    load(&b, d, &lethe_plugin_entry_klom);
    for (int i = 0; i < N; i++) {
        double v[2][M], lo = 1e9, hi = -1e9, h[2][20] = {{0}}, count[2] = {0}, sum = 0, kl = 0;
        for (int side = 0; side < 2; side++)
            for (int m = 0; m < M; m++) {
                v[side][m] = margin(d->z[side][m][0][i], d->y[0][i]);
                lo = fmin(lo, v[side][m]);
                hi = fmax(hi, v[side][m]);
            }
        for (int side = 0; side < 2; side++)
            for (int m = 0; m < M; m++)
                for (int k = 0; k < 20; k++)
                    if (v[side][m] >= lo + k * (hi - lo) / 20 &&
                        v[side][m] < lo + (k + 1) * (hi - lo) / 20 && v[side][m] < hi) {
                        h[side][k]++;
                        count[side]++;
                    }
        for (int k = 0; k < 20; k++) {
            h[0][k] /= count[0];
            h[1][k] /= count[1];
            if (h[0][k] > 0)
                h[1][k] = fmax(h[1][k], 1e-5);
            sum += h[1][k];
        }
        for (int k = 0; k < 20; k++)
            kl += h[0][k] > 0 ? h[0][k] * log(h[0][k] * sum / h[1][k]) : 0;
        mean += kl / N;
    }
    bench_near(&b, "forget_klom", mean, 1e-9);
    bench_release(&b);
    free(d);
}

/* Every rule, counted sample by sample. */
static double rule(const double *pos, const double *neg, double left, double right)
{
    double fpr = 0, fnr = 0;
    for (int m = 0; m < M; m++) {
        fnr += !(pos[m] >= left && pos[m] <= right);
        fpr += neg[m] >= left && neg[m] <= right;
    }
    fpr /= M;
    fnr /= M;
    if (fpr == 0 && fnr == 0)
        return HUGE_VAL;
    if (fpr == 0 || fnr == 0)
        return NAN;
    return fmax(0, fmax(log(1 - 1e-5 - fpr) - log(fnr), log(1 - 1e-5 - fnr) - log(fpr)));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double epsilon_twin(double *u, double *r)
{
    double best = -1;
    qsort(u, M, sizeof *u, by_value);
    qsort(r, M, sizeof *r, by_value);
    const double *pos = u[M / 2] >= r[M / 2] ? u : r, *neg = pos == u ? r : u;
    double lo = fmin(u[0], r[0]), hi = fmax(u[M - 1], r[M - 1]);
    int n = (int)ceil(100 * (hi - lo));
    for (int k = 0; k < n; k++)
        best = fmax(best, rule(pos, neg, (double)(float)(lo + (hi - lo) * k / (n - 1)), HUGE_VAL));
    if (pos[M - 1] - pos[0] >= neg[M - 1] - neg[0]) {
        const double *swap = pos;
        pos = neg;
        neg = swap;
    }
    double w = pos[M - 1] - pos[0];
    double from = pos[0] + w - 2, to = pos[M - 1] + 2;
    n = (int)ceil(100 * (to - from));
    for (int k = 0; k < n; k++)
        for (int j = 0; j < 400; j++) {
            double right = from + (to - from) * k / (n - 1), left = right - w - 2 + 4.0 * j / 399;
            best = fmax(best, rule(pos, neg, left, right));
        }
    return best < 0 ? 0 : fmin(best, 50);
}

static void test_forgetting_score_twin(void **state)
{
    static struct bench b;
    struct made *d = make(6);
    double sum = 0, score = 0;
    load(&b, d, &lethe_plugin_entry_forgetting_score);
    for (int i = 0; i < N; i++) {
        double u[M], r[M];
        for (int m = 0; m < M; m++) {
            u[m] = margin(d->z[0][m][0][i], d->y[0][i]);
            r[m] = margin(d->z[1][m][0][i], d->y[0][i]);
        }
        double eps = epsilon_twin(u, r);
        sum += eps;
        score += eps < ceil(log(M - 1)) ? exp2(-floor(eps * 2)) : 0;
    }
    bench_near(&b, "forget_epsilon_mean", sum / N, 1e-9);
    bench_near(&b, "forgetting_score", score / N, 1e-12);
    assert_true(bench_value(&b, "forgetting_final_score") > 0);
    bench_release(&b);
    free(d);
}

static void test_zrf_twin(void **state)
{
    static struct bench b;
    struct made *d = make(9);
    double js = 0, reversed = 0;
    load(&b, d, &lethe_plugin_entry_zrf);
    for (int i = 0; i < N; i++) {
        double p[C], q[C];
        softmax(d->z[0][0][2][i], p);
        softmax(d->z[1][1][2][i], q);
        for (int k = 0; k < C; k++) {
            double m = (p[k] + q[k]) / 2;
            js += (p[k] * log(p[k] / m) + q[k] * log(q[k] / m)) / 2;
            reversed += (m * log(m / p[k]) + m * log(m / q[k])) / 2;
        }
    }
    bench_near(&b, "test_zrf", 1 - js / N, 1e-12);
    bench_near(&b, "test_zrf_ssd", 1 - reversed / (N * C), 1e-12);
    bench_release(&b);
    free(d);
}

static int top(const float *z)
{
    int best = 0;
    for (int k = 1; k < C; k++)
        best = z[k] > z[best] ? k : best;
    return best;
}

static void test_shift_twin(void **state)
{
    static struct bench b;
    struct made *d = make(10);
    double share[2][C] = {{0}}, tv = 0, largest = 0;
    load(&b, d, &lethe_plugin_entry_prediction_shift);
    for (int i = 0; i < N; i++) {
        share[0][top(d->z[0][0][0][i])] += 1.0 / N;
        for (int m = 0; m < M; m++)
            share[1][top(d->z[1][m][0][i])] += 1.0 / (N * M);
    }
    for (int k = 0; k < C; k++) {
        tv += fabs(share[0][k] - share[1][k]) / 2;
        largest = fmax(largest, share[0][k]);
        assert_true(fabs(bench_points(&b, "prediction_shift_forget")->y[k] - share[0][k]) < 1e-12);
    }
    bench_near(&b, "forget_shift_tv", tv, 1e-12);
    bench_near(&b, "forget_top_share", largest, 1e-12);
    bench_release(&b);
    free(d);
}

static void test_accuracy_by_class(void **state)
{
    static struct bench b;
    struct made *d = make(11);
    double hits[C] = {0}, n[C] = {0};
    load(&b, d, &lethe_plugin_entry_accuracy);
    for (int i = 0; i < N; i++) {
        n[d->y[2][i]]++;
        hits[d->y[2][i]] += top(d->z[0][0][2][i]) == d->y[2][i];
    }
    const struct bench_curve *c = bench_points(&b, "accuracy_test");
    for (uint32_t i = 0; i < c->n; i++) {
        int k = (int)c->x[i];
        assert_true(n[k] > 0 && fabs(c->y[i] - 100 * hits[k] / n[k]) < 1e-12);
        n[k] = 0; /* seen */
    }
    for (int k = 0; k < C; k++)
        assert_true(n[k] == 0);
    bench_release(&b);
    free(d);
}

static void test_yeom_twin(void **state)
{
    static struct bench b;
    struct made *d = make(12);
    memset(d->z[0][0][1], 0, 4 * sizeof d->z[0][0][1][0]); /* ties: a loss of log 4 */
    memset(d->z[0][0][2], 0, 3 * sizeof d->z[0][0][2][0]);
    double loss[2][N], wins = 0, mean = 0;
    load(&b, d, &lethe_plugin_entry_yeom);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < N; i++) {
            double p[C];
            softmax(d->z[0][0][s + 1][i], p);
            loss[s][i] = -log(p[d->y[s + 1][i]]);
            mean += s == 0 ? loss[s][i] / N : 0;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            wins += loss[0][i] < loss[1][j] ? 1 : loss[0][i] == loss[1][j] ? 0.5 : 0;
    bench_near(&b, "yeom_auc", wins / (N * N), 1e-12);
    bench_near(&b, "yeom_threshold", mean, 1e-12);
    bench_release(&b);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariances),
        cmocka_unit_test(test_models_matter),
        cmocka_unit_test(test_divergence_twin),
        cmocka_unit_test(test_ece_twin),
        cmocka_unit_test(test_ece_edge),
        cmocka_unit_test(test_klom_twin),
        cmocka_unit_test(test_forgetting_score_twin),
        cmocka_unit_test(test_zrf_twin),
        cmocka_unit_test(test_shift_twin),
        cmocka_unit_test(test_accuracy_by_class),
        cmocka_unit_test(test_yeom_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
