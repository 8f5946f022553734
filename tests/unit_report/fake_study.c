/* A made-up study with numbers like those of a small real one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_results.h"
#include "rng.h"
#include "stats.h"

enum { N_FORGET = 250, N_TEST = 1000, N_BINS = 50, N_SETS = 3 };

struct behaviour {
    const char *method;
    double forget, retain, test; /* accuracies, percent */
    double shift;                /* of the members' scores: how well the attack works */
    double logit[N_SETS];        /* mean logit-scaled confidence on forget, retain, test */
};

static const struct behaviour behaviours[] = {
    {"original", 97.5, 97.5, 88.9, 0.45, {7.5, 7.5, 4.5}},
    {"retrain", 89.8, 97.5, 89.0, 0.02, {4.7, 7.5, 4.5}},
    {"finetune", 94.0, 98.9, 87.7, 0.25, {6.2, 8.3, 4.4}},
    {"gradient-ascent", 37.5, 35.0, 34.3, 0.05, {-1.5, -1.8, -1.9}},
    {"random-labels", 88.9, 98.1, 87.8, -0.75, {1.2, 7.7, 4.2}},
    {"amun", 92.4, 99.3, 87.9, 0.1, {5.2, 8.6, 4.4}},
    {"AMUN (adversarial only)", 96.5, 97.0, 88.6, 0.3, {6.6, 7.1, 4.4}},
    {"salun", 90.9, 98.0, 88.1, 0.06, {4.9, 7.7, 4.3}},
    {"bad-teacher", 91.6, 97.9, 88.3, 0.15, {5.0, 7.5, 4.3}},
    {"do-nothing", 97.5, 97.5, 88.9, 0.45, {7.5, 7.5, 4.5}},
};
enum { N_BEHAVIOURS = sizeof(behaviours) / sizeof(behaviours[0]) };

static double normal(struct rng *g)
{
    float v;
    rng_fill_normal(g, &v, 1);
    return (double)v;
}

static double add_roc(struct result_row *row, const struct behaviour *b, struct rng *g)
{
    double pos[N_FORGET], neg[N_TEST];
    struct roc roc;
    for (size_t i = 0; i < N_FORGET; i++)
        pos[i] = b->shift + normal(g);
    for (size_t i = 0; i < N_TEST; i++)
        neg[i] = normal(g);
    assert_int_equal(roc_make(pos, N_FORGET, neg, N_TEST, &roc, NULL), 0);
    double auc = roc.auc;
    fake_curve(row, "roc-rmia", "forget_test", roc.fpr, roc.tpr, roc.n);
    roc_release(&roc);
    return auc;
}

static void add_histograms(struct result_row *row, const struct behaviour *b, struct rng *g)
{
    static const char *const sets[N_SETS] = {"forget", "retain", "test"};
    static const size_t sizes[N_SETS] = {N_FORGET, 4000, N_TEST};
    for (size_t s = 0; s < N_SETS; s++) {
        double x[N_BINS], y[N_BINS] = {0};
        for (size_t k = 0; k < N_BINS; k++)
            x[k] = -12.5 + ((double)k + 0.5) * 0.5;
        for (size_t i = 0; i < sizes[s]; i++) {
            double v = b->logit[s] + 3.2 * normal(g);
            long bin = (long)floor((v + 12.5) / 0.5);
            y[bin < 0 ? 0 : bin >= N_BINS ? N_BINS - 1 : bin] += 1 / ((double)sizes[s] * 0.5);
        }
        fake_curve(row, "confidence", sets[s], x, y, N_BINS);
    }
}

static void add_row(struct results *r, const char *scenario, const struct behaviour *b,
                    enum row_class row_class, int64_t seed_model, int64_t seed_forget)
{
    struct rng g;
    /* do-nothing has the original's draws, so that it has the original's values */
    size_t draw = strcmp(b->method, "do-nothing") == 0 ? 0 : (size_t)(b - behaviours);
    rng_stream(&g, (uint64_t)(seed_model * 10 + seed_forget), scenario, draw);
    double v[] = {b->forget + 0.8 * normal(&g), b->retain + 0.2 * normal(&g),
                  b->test + 0.3 * normal(&g), NAN};
    struct result_row *row =
        fake_row(r, row_class, scenario, b->method, seed_model, seed_forget, v);
    row->value[3] = add_roc(row, b, &g);
    add_histograms(row, b, &g);
    if (strcmp(b->method, "salun") == 0)
        fake_fail(r, row, VERDICT_TIMEOUT, 0, "wall limit of 30 min reached");
    if (strcmp(b->method, "bad-teacher") == 0 && seed_model == 2)
        fake_fail(r, row, VERDICT_CRASHED, 11, "ended by signal 11 (Segmentation fault)");
}

void fake_study(struct results *r)
{
    static const struct fake_column columns[] = {{"forget_acc", "percent"},
                                                 {"retain_acc", "percent"},
                                                 {"test_acc", "percent"},
                                                 {"rmia.auc_forget_test", ""}};
    static const char *const scenarios[] = {"random-0.1", "class-3", NULL};
    static const char *const gap[] = {"forget_acc", "retain_acc", "test_acc",
                                      "rmia.auc_forget_test", NULL};
    const char *methods[N_BEHAVIOURS + 1] = {NULL};
    for (size_t m = 2; m < N_BEHAVIOURS; m++)
        methods[m - 2] = behaviours[m].method;
    fake_frame(r, columns, 4, scenarios, methods, gap);
    for (size_t s = 0; scenarios[s]; s++)
        for (size_t m = 0; m < N_BEHAVIOURS; m++)
            for (int64_t model = 1; model <= 3; model++)
                for (int64_t forget = 1; forget <= 2; forget++)
                    add_row(r, scenarios[s], &behaviours[m],
                            m == 0   ? ROW_ORIGINAL
                            : m == 1 ? ROW_ORACLE
                                     : ROW_METHOD,
                            model, forget);
    fake_link_oracles(r);
}
