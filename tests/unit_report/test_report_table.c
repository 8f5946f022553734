/* The table on the terminal, to the character, and at every width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cells.h"
#include "fake_results.h"
#include "report.h"

/* Printed text; the caller frees. */
static char *print(const struct results *r, unsigned columns)
{
    char *text = NULL;
    size_t n;
    struct error err = ERROR_INIT;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    assert_int_equal(report_print(r, out, columns, &err), 0);
    fclose(out);
    return text;
}

static void small(struct results *r)
{
    static const struct fake_column columns[] = {{"forget_acc", "percent"},
                                                 {"rmia.auc_forget_test", ""}};
    static const char *const scenario[] = {"random-0.1", NULL};
    static const char *const methods[] = {"far", "n\xc3\xa4her", "bad", NULL};
    static const char *const gap[] = {"forget_acc", "rmia.auc_forget_test", NULL};
    const double original[] = {97.5, 0.625}, oracles[][2] = {{89, 0.5}, {90, 0.51}, {91, 0.52}};
    const double far[][2] = {{97, 0.6}, {95, 0.58}}, near[][2] = {{92, 0.53}, {91, 0.52}};
    fake_frame(r, columns, 2, scenario, methods, gap);
    fake_row(r, ROW_ORIGINAL, "random-0.1", "original", 1, 1, original);
    for (int k = 0; k < 3; k++)
        fake_row(r, ROW_ORACLE, "random-0.1", "retrain", k, 1, oracles[k]);
    for (int k = 0; k < 2; k++)
        fake_row(r, ROW_METHOD, "random-0.1", "far", k + 1, 1, far[k]);
    for (int k = 0; k < 2; k++)
        fake_row(r, ROW_METHOD, "random-0.1", methods[1], k + 1, 1, near[k]);
    fake_row(r, ROW_METHOD, "random-0.1", "bad", 1, 1, original);
    fake_fail(r, &r->row[8], VERDICT_CRASHED, 11, "killed by signal 11 (Segmentation fault)");
    fake_link_oracles(r);
}

#define DASH10 "──────────"

static void test_exact_text(void **state)
{
    struct results r;
    small(&r);
    char *text = print(&r, 0);
    assert_string_equal(
        text,
        "random-0.1\n"
        "#  Method     Gap (pp)  Forget acc     RMIA AUC  Runs  Flags\n" DASH10 DASH10 DASH10 DASH10
            DASH10 DASH10 "──────\n"
        "   original       9.50       97.50        0.625   1/1\n"
        "   retrain   1.00±0.87  90.00±1.00  0.510±0.010   3/3\n"
        "1  n\xc3\xa4her     1.50±0.71  91.50±0.71  0.525±0.007   2/2\n"
        "2  far       7.00±1.41  96.00±1.41  0.590±0.014   2/2\n"
        "   bad          failed           -            -   0/1  failed-runs\n"
        "  bad: 1 of 1 run crashed: killed by signal 11 (Segmentation fault)\n"
        "\n"
        "Gap: absolute difference to the mean of the retrained models, mean of Forget acc and RMIA "
        "AUC in\n"
        "percentage points (fractions x 100), over runs; lower is better. The gap of retrain is "
        "the "
        "noise\n"
        "floor: each retrained model against the others. ±: one standard deviation over runs.\n");
    free(text);
    results_release(&r);
}

/* No line but one long word may reach over the edge, and no method may be lost. */
static void test_every_width(void **state)
{
    struct results r;
    fake_study(&r);
    for (unsigned width = 40; width <= 140; width++) {
        char *text = print(&r, width), *save = NULL;
        assert_non_null(strstr(text, "random-labels"));
        assert_non_null(strstr(text, "salun"));
        assert_non_null(strstr(text, "no-op"));
        assert_non_null(strstr(text, "collapsed"));
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            assert_in_range(cells_width(line), 0, width);
            assert_true(line[strlen(line) - 1] != ' ');
        }
        free(text);
    }
    results_release(&r);
}

/* What a plugin says must not steer the terminal. */
static void test_hostile_reason(void **state)
{
    struct results r;
    small(&r);
    fake_set(&r.row[8].reason, "\x1b[31mred\x07\xff");
    char *text = print(&r, 0);
    assert_null(strchr(text, '\x1b'));
    assert_null(strchr(text, '\x07'));
    assert_non_null(strstr(text, "crashed:  [31mred ?"));
    free(text);
    results_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_text),
        cmocka_unit_test(test_every_width),
        cmocka_unit_test(test_hostile_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
