/* Influence unlearning on a network of 20 parameters, against dense linear algebra. */
#include "unlearn_bench.h"

#include <math.h>

#include "loss.h"
#include "yaml.h"

enum { N = 30, N_FORGET = 6, P = 20 };

struct toy {
    struct bench b;
    uint8_t pixels[N * 4];
    int32_t labels[N];
    struct dataset ds;
    uint8_t role[N];
    uint32_t forget[N_FORGET], retain[N - N_FORGET], none[1];
    double g[N][P]; /* gradient of each sample's loss at the original */
    double v[P];    /* what the method inverts on */
};

static struct toy toy;

static void sample_gradient(uint32_t row, double *ret)
{
    struct error err = ERROR_INIT;
    struct net *net;
    float x[4], z[4];
    for (int k = 0; k < 4; k++)
        x[k] = (float)toy.pixels[row * 4 + (uint32_t)k] / 255.0f;
    assert_ok(net_new(toy.b.arch, 1, NULL, &net, &err), err);
    memset(toy.b.original->grad, 0, P * sizeof(float));
    assert_ok(net_forward(net, toy.b.original, x, 1, NET_EVAL, z, &err), err);
    loss_cross_entropy(z, &toy.labels[row], 1, 4, NULL, z);
    assert_ok(net_backward(net, toy.b.original, z, true, NULL, &err), err);
    for (int k = 0; k < P; k++)
        ret[k] = (double)toy.b.original->grad[k];
    net_free(net);
}

static void fill_samples(void)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < N * 4; i++) {
        state = state * 1664525u + 1013904223u;
        toy.pixels[i] = (uint8_t)(state >> 24);
    }
    for (uint32_t i = 0; i < N; i++) {
        toy.labels[i] = (int32_t)(i * 7 % 4);
        toy.role[i] = i < N_FORGET ? ROW_FORGET : ROW_RETAIN;
        if (i < N_FORGET)
            toy.forget[i] = i;
        else
            toy.retain[i - N_FORGET] = i;
    }
}

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    struct yaml_node *node = NULL;
    static const char text[] =
        "{arch: sequential, input: [1, 2, 2], layers: [flatten, {linear: {out: 4}}]}";
    fill_samples();
    toy.ds = (struct dataset){.n_train = N,
                              .n_classes = 4,
                              .channels = 1,
                              .height = 2,
                              .width = 2,
                              .pixels = toy.pixels,
                              .labels = toy.labels};
    toy.b.ds = &toy.ds;
    toy.b.split = (struct split){.n = N,
                                 .role = toy.role,
                                 .forget = toy.forget,
                                 .retain = toy.retain,
                                 .test = toy.none,
                                 .test_forgotten = toy.none,
                                 .n_forget = N_FORGET,
                                 .n_retain = N - N_FORGET};
    assert_ok(yaml_parse("arch", text, strlen(text), &node, &err), err);
    assert_ok(arch_parse(node, toy.ds.n_train ? (const uint32_t[3]){1, 2, 2} : NULL, 4, &toy.b.arch,
                         &err),
              err);
    yaml_free(node);
    assert_ok(model_new(toy.b.arch, &toy.b.original, &err), err);
    assert_int_equal(toy.b.original->n_param, P);
    model_init(toy.b.original, 5, "init");
    recipe_defaults(&toy.b.recipe);
    toy.b.h.seed = 42;
    toy.b.h.ds = &toy.ds;
    toy.b.h.split = &toy.b.split;
    toy.b.h.recipe = &toy.b.recipe;
    for (uint32_t i = 0; i < N; i++)
        sample_gradient(i, toy.g[i]);
    for (uint32_t i = 0; i < N; i++)
        for (int k = 0; k < P; k++)
            toy.v[k] += i < N_FORGET ? toy.g[i][k] / N
                                     : -toy.g[i][k] * N_FORGET / ((double)N * (N - N_FORGET));
    return 0;
}

static int tear_down(void **state)
{
    model_free(toy.b.original);
    arch_free(toy.b.arch);
    return 0;
}

/* a^-1 b by Gauss's elimination with pivots. */
static void dense_solve(double a[P][P], double *b)
{
    for (int c = 0; c < P; c++) {
        int pivot = c;
        for (int r = c; r < P; r++)
            pivot = fabs(a[r][c]) > fabs(a[pivot][c]) ? r : pivot;
        for (int k = 0; k < P; k++) {
            double t = a[c][k];
            a[c][k] = a[pivot][k];
            a[pivot][k] = t;
        }
        double t = b[c];
        b[c] = b[pivot];
        b[pivot] = t;
        for (int r = 0; r < P; r++) {
            double f = r == c ? 0 : a[r][c] / a[c][c];
            for (int k = 0; k < P; k++)
                a[r][k] -= f * a[c][k];
            b[r] -= f * b[c];
        }
    }
    for (int c = 0; c < P; c++)
        b[c] /= a[c][c];
}

/* (method - original) / alpha */
static void direction(const char *changes, double alpha, double *ret)
{
    struct answer a = bench_unlearn(&toy.b, "influence", changes, NULL);
    for (int k = 0; k < P; k++)
        ret[k] = ((double)a.m->param[k] - (double)toy.b.original->param[k]) / alpha;
    model_free(a.m);
}

static double distance(const double *a, const double *b)
{
    double d = 0, n = 0;
    for (int k = 0; k < P; k++) {
        d += (a[k] - b[k]) * (a[k] - b[k]);
        n += b[k] * b[k];
    }
    return sqrt(d / n);
}

/* F = damping I + (1/m) sum g g', over the first m retain samples. */
static void test_woodbury(void **state)
{
    static const struct {
        const char *changes;
        double damping, alpha;
        uint32_t m;
    } runs[] = {{"{\"alpha\":1}", 1, 1, N - N_FORGET},
                {"{\"alpha\":0.1,\"damping\":0.05}", 0.05, 0.1, N - N_FORGET},
                {"{\"alpha\":0.1,\"damping\":0.05,\"samples\":7}", 0.05, 0.1, 7}};
    for (int r = 0; r < 3; r++) {
        double f[P][P], want[P], got[P];
        memcpy(want, toy.v, sizeof(want));
        for (int i = 0; i < P; i++)
            for (int j = 0; j < P; j++) {
                f[i][j] = i == j ? runs[r].damping : 0;
                for (uint32_t s = 0; s < runs[r].m; s++)
                    f[i][j] += toy.g[N_FORGET + s][i] * toy.g[N_FORGET + s][j] / runs[r].m;
            }
        dense_solve(f, want);
        direction(runs[r].changes, runs[r].alpha, got);
        assert_true(distance(got, want) < 1e-4); /* the answer is float: alpha v is added to w */
        assert_true(distance(got, toy.v) > 0.01);
    }
}

/* The official recursion moves v along the first sample's gradient and nowhere else. */
static void test_recursion(void **state)
{
    double got[P], moved[P], dot = 0, a = 0, b = 0;
    direction("{\"alpha\":10,\"solver\":\"recursion\",\"samples\":5}", 10, got);
    for (int k = 0; k < P; k++) {
        moved[k] = got[k] - toy.v[k];
        dot += moved[k] * toy.g[N_FORGET][k];
        a += moved[k] * moved[k];
        b += toy.g[N_FORGET][k] * toy.g[N_FORGET][k];
    }
    assert_true(a > 0);
    assert_true(fabs(fabs(dot) / sqrt(a * b) - 1) < 1e-3);
    /* By hand: o starts as g_0; six more samples (N + 2 in all). */
    double o[P], k_[P];
    memcpy(o, toy.g[N_FORGET], sizeof(o));
    memcpy(k_, toy.v, sizeof(k_));
    for (int s = 1; s < 7; s++) {
        double t = 0, kg = 0;
        for (int i = 0; i < P; i++) {
            t += o[i] * toy.g[N_FORGET + s][i];
            kg += k_[i] * toy.g[N_FORGET + s][i];
        }
        for (int i = 0; i < P; i++) {
            k_[i] -= kg / (5 + t) * o[i];
            o[i] *= 1 - t / (5 + t);
        }
    }
    assert_true(distance(got, k_) < 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_woodbury),
                                       cmocka_unit_test(test_recursion)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
