/* The exact text of the tables that a small hand-made result gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_results.h"
#include "fs.h"
#include "report.h"
#include "report_csv.h"
#include "text.h"

/* One scenario; original, three oracles, a method with two runs of which one loses its attack,
 * a method that crashes. */
static void small(struct results *r)
{
    static const struct fake_column columns[] = {{"forget_acc", "percent"},
                                                 {"rmia.auc_forget_test", ""}};
    static const char *const scenario[] = {"random-0.1", NULL};
    static const char *const methods[] = {"amun, \"adv\"", "bad", NULL};
    static const char *const gap[] = {"forget_acc", "rmia.auc_forget_test", NULL};
    const double original[] = {97.5, 0.640625}, method[][2] = {{92, 0.53125}, {91, NAN}};
    const double oracles[][2] = {{89, 0.5}, {90, 0.515625}, {91, 0.53125}};
    const double x[] = {0, 0.5, 1}, y[] = {0, 0.75, 1};
    fake_frame(r, columns, 2, scenario, methods, gap);
    fake_row(r, ROW_ORIGINAL, "random-0.1", "original", 1, 1, original);
    for (int k = 0; k < 3; k++)
        fake_row(r, ROW_ORACLE, "random-0.1", "retrain", k, 1, oracles[k]);
    for (int k = 0; k < 2; k++)
        fake_row(r, ROW_METHOD, "random-0.1", methods[0], k + 1, 1, method[k]);
    fake_row(r, ROW_METHOD, "random-0.1", "bad", 1, 1, original);
    fake_fail(r, &r->row[6], VERDICT_CRASHED, 11, "Segmentation fault");
    fake_set(&r->row[5].failed_parts, "rmia:timeout");
    fake_set(&r->row[5].note[1], "wall limit of 5 s");
    fake_curve(&r->row[4], "roc-rmia", "forget_test", x, y, 3);
    fake_curve(&r->row[4], "confidence", "forget", x, y, 2);
    fake_curve(&r->row[5], "confidence", "test", x, y, 1);
    fake_link_oracles(r);
}

static void test_runs(void **state)
{
    struct results r;
    struct csv_writer w;
    small(&r);
    csv_writer_init(&w);
    report_runs(&r, &w);
    assert_string_equal(
        w.out.s,
        "run,scenario,method,plugin,division,seed_model,seed_forget,seed_unlearn,request,status,"
        "signal,reason,failed_parts,forget_acc,rmia.auc_forget_test,read_forget,forward,model_id,"
        "original_id,oracle_ids,notes\n"
        "1,random-0.1,original,original,reference,1,1,,,ok,,,,97.5,0.640625,500,10000,"
        "original-random-0.1-1-1,original-1,"
        "oracle-random-0.1-0-1;oracle-random-0.1-1-1;oracle-random-0.1-2-1,\n"
        "2,random-0.1,retrain,retrain,reference,0,1,,,ok,,,,89,0.5,500,10000,"
        "oracle-random-0.1-0-1,,oracle-random-0.1-1-1;oracle-random-0.1-2-1,\n"
        "3,random-0.1,retrain,retrain,reference,1,1,,,ok,,,,90,0.515625,500,10000,"
        "oracle-random-0.1-1-1,,oracle-random-0.1-0-1;oracle-random-0.1-2-1,\n"
        "4,random-0.1,retrain,retrain,reference,2,1,,,ok,,,,91,0.53125,500,10000,"
        "oracle-random-0.1-2-1,,oracle-random-0.1-0-1;oracle-random-0.1-1-1,\n"
        "5,random-0.1,\"amun, \"\"adv\"\"\",\"amun, "
        "\"\"adv\"\"\",with-retain,1,1,1,,ok,,,,92,0.53125,"
        "500,10000,unlearned-random-0.1-1-1,original-1,"
        "oracle-random-0.1-0-1;oracle-random-0.1-1-1;oracle-random-0.1-2-1,\n"
        "6,random-0.1,\"amun, \"\"adv\"\"\",\"amun, \"\"adv\"\"\",with-retain,2,1,1,,ok,,,"
        "rmia:timeout,91,,500,10000,unlearned-random-0.1-2-1,original-2,"
        "oracle-random-0.1-0-1;oracle-random-0.1-1-1;oracle-random-0.1-2-1,"
        "rmia.auc_forget_test: wall limit of 5 s\n"
        "7,random-0.1,bad,bad,,1,1,1,,crashed,11,Segmentation fault,,,,,,,original-1,"
        "oracle-random-0.1-0-1;oracle-random-0.1-1-1;oracle-random-0.1-2-1,\n");
    csv_writer_release(&w);
    results_release(&r);
}

static void test_costs(void **state)
{
    struct results r;
    struct csv_writer w;
    small(&r);
    csv_writer_init(&w);
    report_costs(&r, &w);
    const char *begin = "run,scenario,method,seed_model,seed_forget,seed_unlearn,wall_s,cpu_s,"
                        "prepare_s,peak_mb,host,executor,run_s,prepare_cpu_s,run_cpu_s\n"
                        "1,random-0.1,original,1,1,,1.5,1.25,0.5,100,node1,local,0,0,0\n";
    const char *end = "7,random-0.1,bad,1,1,1,,,,,,local,,,\n";
    assert_true(text_starts(w.out.s, begin));
    assert_true(text_ends(w.out.s, end));
    csv_writer_release(&w);
    results_release(&r);
}

/* Takes the number that follows `after` out of the text; its last digits are the machine's. */
static void take_number(char *text, const char *after, double want)
{
    char *at = strstr(text, after), *end;
    assert_non_null(at);
    at += strlen(after);
    double got = strtod(at, &end);
    if (!(fabs(got - want) < 1e-6))
        fail_msg("%.12g is not %.12g", got, want);
    memmove(at, end, strlen(end) + 1);
}

/* The other numbers are sums of powers of two, so they are exact. Oracles: means 90 and 0.515625,
 * sd 1 and 0.015625. original: 7.5 and 12.5 points, 7.5 and 8 sd. retrain, leave one out: 1.5,
 * 0, 1.5 points and 2.34375, 0, 2.34375. The method's used run: 2 and 1.5625 points; its forget_acc
 * in both runs: 2 and 1 points. */
static void test_leaderboard(void **state)
{
    struct results r;
    struct board b;
    struct csv_writer w;
    const double t2 = 4.302652729911275;    /* t(.975, 2) */
    const double sd = 0.640625 * sqrt(3.0); /* of 1.921875, 0, 1.921875 */
    small(&r);
    r.settings = calloc(4, sizeof(*r.settings)); /* original, retrain, amun, bad */
    assert_non_null(r.settings);
    r.settings[0] = r.settings[1] = "";
    r.settings[2] = "given";
    r.settings[3] = "default";
    assert_int_equal(board_make(&r, &b, NULL), 0);
    csv_writer_init(&w);
    report_leaderboard(&b, &w);
    take_number(w.out.s, "retrain,reference,3,3,1.28125,1.5625,1,,,90,1,", 90 - t2 / sqrt(3));
    take_number(w.out.s, "1.28125,1.5625,1,,,90,1,,", 90 + t2 / sqrt(3));
    take_number(w.out.s, "0.515625,0.015625,", 0.515625 - 0.015625 * t2 / sqrt(3));
    take_number(w.out.s, "0.515625,0.015625,,", 0.515625 + 0.015625 * t2 / sqrt(3));
    take_number(w.out.s, "0.015625,0,1,", sd);
    take_number(w.out.s, "0.015625,0,1,,", 1.28125 - sd * t2 / sqrt(3));
    take_number(w.out.s, "0.015625,0,1,,,", 1.28125 + sd * t2 / sqrt(3));
    assert_string_equal(
        w.out.s,
        "scenario,rank,method,plugin,division,n_planned,n_used,gap,gap_worst,gap_z,flags,notes,"
        "forget_acc,forget_acc_sd,forget_acc_ci_low,forget_acc_ci_high,forget_acc_gap,"
        "forget_acc_gap_signed,forget_acc_gap_z,rmia.auc_forget_test,rmia.auc_forget_test_sd,"
        "rmia.auc_forget_test_ci_low,rmia.auc_forget_test_ci_high,rmia.auc_forget_test_gap,"
        "rmia.auc_forget_test_gap_signed,rmia.auc_forget_test_gap_z,gap_sd,gap_ci_low,gap_ci_high,"
        "settings\n"
        "random-0.1,,original,original,reference,1,1,10,12.5,7.75,,,"
        "97.5,,,,7.5,7.5,7.5,0.640625,,,,0.125,0.125,8,,,,\n"
        "random-0.1,,retrain,retrain,reference,3,3,1.28125,1.5625,1,,,"
        "90,1,,,1,0,1,0.515625,0.015625,,,0.015625,0,1,,,,\n"
        "random-0.1,1,\"amun, \"\"adv\"\"\",\"amun, \"\"adv\"\"\",with-retain,2,1,1.78125,2,1.25,"
        "failed-runs,1 of 2 runs lost rmia:timeout; 1 of 2 runs without rmia.auc_forget_test (wall "
        "limit of 5 "
        "s),91.5,0.7071067811865476,,,1.5,1.5,1.5,0.53125,,,,0.015625,0.015625,1,,,,given\n"
        "random-0.1,,bad,bad,,1,0,,,,failed-runs,1 of 1 run crashed: Segmentation fault,"
        ",,,,,,,,,,,,,,,,,default\n");
    csv_writer_release(&w);
    board_release(&b);
    results_release(&r);
}

static void test_curve(void **state)
{
    struct results r;
    struct csv_writer w;
    small(&r);
    csv_writer_init(&w);
    report_curve(&r, "confidence", &w);
    assert_string_equal(w.out.s, "scenario,method,seed_model,seed_forget,seed_unlearn,series,x,y\n"
                                 "random-0.1,\"amun, \"\"adv\"\"\",1,1,1,forget,0,0\n"
                                 "random-0.1,\"amun, \"\"adv\"\"\",1,1,1,forget,0.5,0.75\n"
                                 "random-0.1,\"amun, \"\"adv\"\"\",2,1,1,test,0,0\n");
    csv_writer_release(&w);
    results_release(&r);
}

static void test_files_without_figures(void **state)
{
    char dir[] = "/tmp/lethe-report-XXXXXX";
    static const char *const files[] = {"runs.csv", "costs.csv", "leaderboard.csv",
                                        "curves/roc-rmia.csv", "curves/confidence.csv"};
    struct results r;
    struct error err = ERROR_INIT;
    assert_non_null(mkdtemp(dir));
    small(&r);
    char *out = fs_join(dir, "a/b");
    struct report_options o = {.out_dir = out};
    assert_int_equal(report_write(&r, &o, &err), 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = fs_join(out, files[i]);
        assert_true(fs_size(path) > 0);
        free(path);
    }
    char *figures = fs_join(out, "figures");
    assert_false(fs_exists(figures));
    assert_int_equal(fs_remove_tree(dir, &err), 0);
    free(figures);
    free(out);
    results_release(&r);
}

static void test_bad_folder(void **state)
{
    char path[] = "/tmp/lethe-report-XXXXXX", *inside;
    struct results r;
    struct error err = ERROR_INIT;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    small(&r);
    inside = fs_join(path, "out"); /* a folder cannot be made inside a file */
    struct report_options o = {.out_dir = inside};
    assert_int_equal(report_write(&r, &o, &err), ERR_IO);
    assert_non_null(strstr(err.text, path));
    err = (struct error)ERROR_INIT;
    o.out_dir = "";
    assert_int_equal(report_write(&r, &o, &err), ERR_INVALID);
    assert_string_equal(err.text, "a report needs a folder to go to");
    close(fd);
    unlink(path);
    free(inside);
    results_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_leaderboard),
        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_files_without_figures),
        cmocka_unit_test(test_bad_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
