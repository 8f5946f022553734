/* Figures of a whole made-up study: drawn, repeatable, told when they cannot be drawn. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "csv.h"
#include "curve_average.h"
#include "fake_results.h"
#include "fs.h"
#include "gnuplot.h"
#include "report.h"
#include "text.h"

static const char *const figures[] = {"gap-random-0.1",        "gap-class-3",
                                      "roc-rmia-random-0.1",   "roc-rmia-class-3",
                                      "confidence-random-0.1", "confidence-class-3"};
enum { N_FIGURES = sizeof(figures) / sizeof(figures[0]) };

static char *read_figure(const char *dir, const char *name, const char *ending, size_t *ret_n)
{
    char *path = text_format("%s/figures/%s%s", dir, name, ending);
    char *bytes = NULL;
    struct error err = ERROR_INIT;
    if (fs_read(path, 1 << 26, &bytes, ret_n, &err) < 0)
        fail_msg("%s", err.text);
    free(path);
    return bytes;
}

/* Whether drawing works here; a test that needs it says so and is skipped if not. */
static int draw_study(const char *dir, struct error *err)
{
    struct results r;
    struct report_options o = {.out_dir = dir, .figures = true, .svg = true};
    fake_study(&r);
    int rc = report_write(&r, &o, err);
    results_release(&r);
    return rc;
}

static void remove_dir(const char *dir)
{
    struct error err = ERROR_INIT;
    assert_int_equal(fs_remove_tree(dir, &err), 0);
}

/* Rows of figures.csv with a file. */
static size_t read_list(const char *dir, struct csv_table *ret)
{
    struct error err = ERROR_INIT;
    char *path = text_format("%s/figures/figures.csv", dir);
    size_t n = 0;
    assert_int_equal(csv_read(path, 1 << 20, ret, &err), 0);
    for (size_t i = 0; i < ret->n_rows; i++)
        n += *ret->row[i][csv_column(ret, "figure")] != '\0';
    free(path);
    return n;
}

static void check_labels(const char *dir)
{
    static const char *const labels[] = {"bad-teacher", "AMUN (adversarial only)", "random-labels"};
    for (size_t f = 0; f < N_FIGURES; f++) {
        size_t n;
        char *svg = read_figure(dir, figures[f], ".svg", &n);
        for (size_t k = 0; k < 3; k++)
            assert_true(strstr(svg, labels[k]) != NULL);
        /* the failed method is a row of the bars, and has no curves */
        assert_int_equal(strstr(svg, "salun") != NULL, text_starts(figures[f], "gap-"));
        free(svg);
    }
}

static void test_drawn_and_repeatable(void **state)
{
    static const char *const endings[] = {".gp", ".csv", ".svg"};
    char a[] = "/tmp/lethe-figures-XXXXXX", b[] = "/tmp/lethe-figures-XXXXXX";
    struct error err = ERROR_INIT;
    assert_true(mkdtemp(a) && mkdtemp(b));
    int rc = draw_study(a, &err);
    if (rc < 0 && gnuplot_is_missing(&err)) {
        remove_dir(a);
        remove_dir(b);
        print_message("gnuplot is not installed: no figures drawn\n");
        skip();
    }
    if (rc < 0)
        fail_msg("%s", err.text);
    assert_int_equal(draw_study(b, &err), 0);
    struct csv_table list;
    size_t n_drawn = read_list(a, &list);
    assert_true(n_drawn > N_FIGURES);
    for (size_t f = 0; f < list.n_rows; f++)
        for (size_t k = 0; k < 3 && *list.row[f][0]; k++) {
            size_t n_a, n_b;
            char *x = read_figure(a, list.row[f][0], endings[k], &n_a);
            char *y = read_figure(b, list.row[f][0], endings[k], &n_b);
            assert_int_equal(n_a, n_b);
            assert_true(n_a > (k == 1 ? 100 : 500));
            assert_memory_equal(x, y, n_a);
            assert_null(memmem(x, n_a, a, strlen(a)));
            free(x);
            free(y);
        }
    char **names, *dir = fs_join(a, "figures");
    size_t n;
    assert_int_equal(fs_list(dir, &names, &n, &err), 0);
    assert_int_equal(n, n_drawn * 3 + 1); /* figures.csv; nothing half drawn is left */
    check_labels(a);
    csv_release(&list);
    fs_names_free(names);
    free(dir);
    remove_dir(a);
    remove_dir(b);
}

/* All formats and both widths of a few kinds; the PDF's date is no part of it. */
static void test_formats_and_widths(void **state)
{
    static const char *const endings[] = {
        ".svg",        ".pdf",        ".png",        "-latex.tex",        "-latex.pdf",
        "-narrow.svg", "-narrow.pdf", "-narrow.png", "-narrow-latex.tex", "-narrow-latex.pdf"};
    char gap[] = "gap", agreement[] = "agreement", *kinds[] = {gap, agreement}, dir[2][32];
    struct report_choice choice = {.figures = kinds,
                                   .n_figures = 2,
                                   .one_column = true,
                                   .two_columns = true,
                                   .png = true,
                                   .latex = true};
    struct error err = ERROR_INIT;
    struct results r;
    int rc = 0;
    fake_study(&r);
    for (size_t i = 0; i < 2; i++) {
        struct report_options o = {
            .out_dir = dir[i], .figures = true, .svg = true, .pdf = true, .choice = &choice};
        strcpy(dir[i], "/tmp/lethe-figures-XXXXXX");
        assert_non_null(mkdtemp(dir[i]));
        rc = rc < 0 ? rc : report_write(&r, &o, &err);
    }
    results_release(&r);
    bool missing = rc < 0 && gnuplot_is_missing(&err);
    for (size_t k = 0; !missing && k < sizeof(endings) / sizeof(endings[0]); k++) {
        size_t n_a, n_b;
        char *x = read_figure(dir[0], "gap-class-3", endings[k], &n_a);
        char *y = read_figure(dir[1], "gap-class-3", endings[k], &n_b);
        assert_int_equal(n_a, n_b);
        assert_memory_equal(x, y, n_a);
        if (text_ends(endings[k], ".tex")) /* the name under which gnuplot drew is gone */
            assert_null(strstr(x, "drawing-"));
        free(x);
        free(y);
    }
    remove_dir(dir[0]);
    remove_dir(dir[1]);
    if (missing)
        skip();
    if (rc < 0)
        fail_msg("%s", err.text);
}

/* Without gnuplot on PATH: everything else is there, and the error names the package. */
static void test_missing_gnuplot(void **state)
{
    char dir[] = "/tmp/lethe-figures-XXXXXX";
    struct error err = ERROR_INIT;
    assert_non_null(mkdtemp(dir));
    char *path = text_dup(getenv("PATH") ? getenv("PATH") : "");
    setenv("PATH", dir, 1);
    int rc = draw_study(dir, &err);
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(rc, ERR_ENVIRONMENT);
    assert_string_equal(err.text, "gnuplot not found: apt-get install gnuplot-nox");
    for (size_t f = 0; f < N_FIGURES; f++) {
        static const char *const endings[] = {".gp", ".csv"};
        for (size_t k = 0; k < 2; k++) {
            size_t n;
            free(read_figure(dir, figures[f], endings[k], &n));
            assert_true(n > 0);
        }
        char *svg = text_format("%s/figures/%s.svg", dir, figures[f]);
        assert_false(fs_exists(svg));
        free(svg);
    }
    char *board = fs_join(dir, "leaderboard.csv");
    assert_true(fs_size(board) > 0);
    free(board);
    remove_dir(dir);
}

static void test_failing_script_is_named(void **state)
{
    char dir[] = "/tmp/lethe-figures-XXXXXX";
    struct error err = ERROR_INIT;
    assert_non_null(mkdtemp(dir));
    char *script = fs_join(dir, "bad.gp");
    assert_int_equal(fs_write_atomic(script, "plot nonsense(\n", 15, &err), 0);
    int rc = gnuplot_run(dir, "x = 1", "bad.gp", &err);
    bool missing = rc < 0 && gnuplot_is_missing(&err);
    remove_dir(dir);
    free(script);
    if (missing)
        skip();
    assert_int_equal(rc, ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "/bad.gp: gnuplot failed with exit status 1: "));
    assert_non_null(strstr(err.text, "nonsense"));
    assert_null(strchr(err.text, '\n'));
}

/* Data of the gap figure: rows from the best to original, the floor apart. */
static void test_gap_data(void **state)
{
    char dir[] = "/tmp/lethe-figures-XXXXXX";
    struct results r;
    struct csv_table t;
    struct error err = ERROR_INIT;
    struct report_options o = {.out_dir = dir, .figures = true};
    assert_non_null(mkdtemp(dir));
    fake_study(&r);
    assert_int_equal(report_write(&r, &o, &err), 0); /* no format: nothing needs gnuplot */
    char *path = text_format("%s/figures/gap-random-0.1.csv", dir);
    assert_int_equal(csv_read(path, 1 << 20, &t, &err), 0);
    assert_int_equal(t.n_rows, 10);
    assert_string_equal(t.row[0][csv_column(&t, "kind")], "noise-floor");
    assert_string_equal(t.row[0][csv_column(&t, "position")], "0");
    assert_string_equal(t.row[8][csv_column(&t, "kind")], "unranked");
    assert_string_equal(t.row[8][csv_column(&t, "text")], "failed  (0/6)");
    assert_string_equal(t.row[8][csv_column(&t, "gap")], "");
    assert_string_equal(t.row[9][csv_column(&t, "method")], "original");
    double last = 0, gap;
    for (size_t i = 1; i < 8; i++) {
        assert_true(text_to_real(t.row[i][csv_column(&t, "gap")], &gap));
        assert_true(gap >= last);
        last = gap;
    }
    csv_release(&t);
    free(path);
    remove_dir(dir);
    results_release(&r);
}

static void test_curves_are_read_as_steps_and_lines(void **state)
{
    double x[] = {0, 0.25, 0.5, 1}, y[] = {0, 0.5, 0.5, 1};
    const struct result_curve c = {NULL, NULL, 4, x, y}, *one = &c;
    assert_true(isnan(curve_step_at(&c, -0.1)));
    assert_true(curve_step_at(&c, 0) == 0);
    assert_true(curve_step_at(&c, 0.2) == 0); /* never between the points */
    assert_true(curve_step_at(&c, 0.25) == 0.5);
    assert_true(curve_step_at(&c, 0.99) == 0.5);
    assert_true(curve_step_at(&c, 2) == 1);
    assert_true(curve_line_at(&c, 0.125) == 0.25);
    assert_true(curve_line_at(&c, 0.75) == 0.75);
    assert_true(curve_line_at(&c, 1) == 1);
    assert_true(curve_line_at(&c, 1.1) == 0 && curve_line_at(&c, -0.1) == 0);
    assert_true(curve_least_step(&one, 1) == 0.25);
    assert_true(isnan(curve_least_step(&one, 0)));
}

/* Vertical average of two runs: TPR 0.5 and 0.25 at one of four negatives. */
static void test_roc_is_averaged_over_runs(void **state)
{
    static const struct fake_column columns[] = {{"forget_acc", "percent"}};
    static const char *const scenario[] = {"s", NULL}, *const methods[] = {"m", NULL};
    static const char *const gap[] = {"forget_acc", NULL};
    const double value = 90, x[] = {0, 0.25, 0.5, 1};
    const double y[2][4] = {{0, 0.5, 0.75, 1}, {0.25, 0.25, 0.5, 1}};
    char dir[] = "/tmp/lethe-figures-XXXXXX";
    struct results r;
    size_t n;
    struct error err = ERROR_INIT;
    struct report_options o = {.out_dir = dir, .figures = true};
    assert_non_null(mkdtemp(dir));
    fake_frame(&r, columns, 1, scenario, methods, gap);
    for (int k = 0; k < 2; k++)
        fake_curve(fake_row(&r, ROW_METHOD, "s", "m", k + 1, 1, &value), "roc-rmia", "forget_test",
                   x, y[k], 4);
    assert_int_equal(report_write(&r, &o, &err), 0);
    char *text = read_figure(dir, "roc-rmia-s", ".csv", &n);
    assert_string_equal(text, "fpr,m\n0.25,0.375\n0.5,0.625\n0.75,0.625\n1,1\n");
    free(text);
    remove_dir(dir);
    results_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawn_and_repeatable),
        cmocka_unit_test(test_formats_and_widths),
        cmocka_unit_test(test_missing_gnuplot),
        cmocka_unit_test(test_failing_script_is_named),
        cmocka_unit_test(test_gap_data),
        cmocka_unit_test(test_curves_are_read_as_steps_and_lines),
        cmocka_unit_test(test_roc_is_averaged_over_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
