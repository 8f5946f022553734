/* Methods against each other on a made-up board with known cells. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "board_compare.h"
#include "board_variance.h"
#include "fake_results.h"

/* Three model seeds x two forget sets; forget_acc is the only gap term, the oracles are at 90. */
static void study(struct results *r)
{
    static const struct fake_column column[] = {{"forget_acc", "percent"}};
    static const char *const scenarios[] = {"random-0.1", NULL}, *const gap[] = {"forget_acc",
                                                                                 NULL};
    static const char *const methods[] = {"far", "near", "nearly", NULL};
    static const double base[] = {6, 1, 1.5}; /* gap of each method */
    fake_frame(r, column, 1, scenarios, methods, gap);
    for (int m = 1; m <= 3; m++)
        for (int f = 1; f <= 2; f++)
            fake_row(r, ROW_ORIGINAL, "random-0.1", "original", m, f, &(double){98 + 0.1 * m});
    for (int m = 1; m <= 3; m++)
        for (int f = 1; f <= 2; f++)
            fake_row(r, ROW_ORACLE, "random-0.1", "retrain", m, f, &(double){89 + m - 1});
    for (int k = 0; k < 3; k++)
        for (int m = 1; m <= 3; m++)
            for (int f = 1; f <= 2; f++) {
                double odd = k == 2 && m == 3 && f == 2 ? -1 : 0; /* one cell is better there */
                fake_row(r, ROW_METHOD, "random-0.1", methods[k], m, f,
                         &(double){90 + base[k] + 0.1 * m + 0.2 * f + odd});
            }
    fake_link_oracles(r);
}

static struct board make(struct results *r)
{
    struct board b;
    struct error err = ERROR_INIT;
    study(r);
    assert_int_equal(board_make(r, &b, &err), 0);
    return b;
}

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.12g is not %.12g", a, b);
}

static void test_comparisons(void **state)
{
    struct results r;
    struct board b = make(&r);
    struct board_comparisons c;
    struct error err = ERROR_INIT;
    assert_int_equal(board_compare(&b, &c, &err), 0);
    assert_int_equal(c.n, 5); /* two against the first, three against the original */
    assert_string_equal(c.item[0].family, "first");
    assert_string_equal(c.item[0].baseline, "near");
    assert_string_equal(c.item[0].method, "nearly");
    assert_int_equal(c.item[0].n_cells, 6);
    near(c.item[0].difference, (5 * 0.5 - 0.5) / 6, 1e-9);
    near(c.item[0].p, 14.0 / 64, 1e-12); /* |sum| 2 of six halves: at least 5 of one sign */
    near(c.item[0].p_least, 2.0 / 64, 0);
    near(c.item[1].difference, 5, 1e-9);
    near(c.item[1].p, 2.0 / 64, 0);
    near(c.item[1].p_holm, 4.0 / 64, 1e-15);
    near(c.item[1].ci_low, 5, 1e-9);
    near(c.item[0].p_holm, 14.0 / 64, 1e-12);
    assert_string_equal(c.item[2].family, "original");
    assert_true(c.item[2].difference < -6 && c.item[2].n_cells == 6);
    board_comparisons_release(&c);
    board_release(&b);
    results_release(&r);
}

static void test_ranks(void **state)
{
    struct results r;
    struct board b = make(&r);
    struct board_ranks k;
    struct error err = ERROR_INIT;
    assert_int_equal(board_ranks_make(&b, &k, &err), 0);
    assert_int_equal(k.n, 3);
    assert_string_equal(k.item[0].method, "near");
    near(k.item[0].mean_rank, 7.0 / 6, 1e-12);
    near(k.item[1].mean_rank, 11.0 / 6, 1e-12);
    near(k.item[2].mean_rank, 3, 1e-12);
    near(k.item[0].p_first + k.item[1].p_first + k.item[2].p_first, 1, 1e-12);
    assert_true(k.item[0].p_first > 0.8 && k.item[1].p_first > 0 && k.item[2].p_first == 0);
    assert_true(k.item[0].friedman_p < 0.01 && k.item[0].n_blocks == 6);
    board_ranks_release(&k);
    board_release(&b);
    results_release(&r);
}

/* Oracles that an attack recognises decide nothing. */
static void test_oracles_are_audited(void **state)
{
    static const struct fake_column column[] = {{"rmia.auc_forget_test", ""}};
    static const char *const scenarios[] = {"random-0.1", "class-3", NULL};
    static const char *const gap[] = {"rmia.auc_forget_test", NULL}, *const methods[] = {NULL};
    static const double auc[2][4] = {{0.51, 0.5, 0.49, 0.515}, {0.57, 0.56, 0.55, 0.58}};
    static const char *const flags[2][2] = {{"", ""}, {"undecidable", ""}};
    for (int bad = 0; bad < 2; bad++) {
        struct results r;
        struct board b;
        struct error err = ERROR_INIT;
        fake_frame(&r, column, 1, scenarios, methods, gap);
        for (int s = 0; s < 2; s++)
            for (int k = 0; k < 4; k++)
                fake_row(&r, ROW_ORACLE, scenarios[s], "retrain", k, 1, &auc[bad][k]);
        fake_link_oracles(&r);
        assert_int_equal(board_make(&r, &b, &err), 0);
        for (int s = 0; s < 2; s++)
            assert_string_equal(board_find(&b, scenarios[s], "retrain")->flags, flags[bad][s]);
        board_release(&b);
        results_release(&r);
    }
}

/* A group's value stands in all its rows and counts once a forget set. */
static void test_group_columns(void **state)
{
    struct results r;
    struct board b;
    struct error err = ERROR_INIT;
    study(&r);
    r.column[0].group = true;
    assert_int_equal(board_make(&r, &b, &err), 0);
    const struct board_entry *e = board_find(&b, "random-0.1", "far");
    assert_int_equal(e->cell[0].n, 2);
    near(e->cell[0].mean, 96 + 0.1 + 0.3, 1e-9); /* of model seed 1, the first row of each set */
    assert_true(isnan(e->cell[0].ci_low));
    board_release(&b);
    results_release(&r);
}

/* Rows -2 0 2 (x 2 columns -1 1): MS_row 8, MS_col 6, MS_rest 0. */
static void test_variance(void **state)
{
    struct board_sample v[12];
    struct variance_parts parts;
    struct error err = ERROR_INIT;
    for (int i = 0; i < 6; i++)
        v[i] = (struct board_sample){i / 2, i % 2, 10 + 2 * (i / 2 - 1) + (i % 2 ? 1 : -1)};
    assert_int_equal(board_variance(v, 6, &parts, &err), 0);
    near(parts.model, 4, 1e-12);
    near(parts.forget, 2, 1e-12);
    near(parts.rest, 0, 1e-12);
    assert_true(isnan(parts.unlearn));
    for (int i = 0; i < 6; i++) { /* a second run of each cell, 1 above: variance .5 inside */
        v[6 + i] = v[i];
        v[6 + i].value += 1;
    }
    assert_int_equal(board_variance(v, 12, &parts, &err), 0);
    near(parts.model, 4, 1e-12);
    near(parts.unlearn, 0.5, 1e-12);
    assert_int_equal(board_variance(v, 2, &parts, &err), 0);
    assert_true(isnan(parts.model));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_oracles_are_audited),
        cmocka_unit_test(test_group_columns),
        cmocka_unit_test(test_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
