/* Every verdict through real child processes: /bin/sh plays the worker, file descriptor 3 is
 * the event pipe. */
#include "plugin_test.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "fs.h"

/* Runs a script to its end; the caller frees nothing. */
static struct child_result run(const char *script, double wall_limit_s, uint64_t memory_limit,
                               const char *log_path)
{
    const char *const args[] = {"-c", script, NULL};
    struct child_options o = {"/bin/sh", args, log_path, wall_limit_s, memory_limit};
    struct error err = ERROR_INIT;
    struct child *c = NULL;
    assert_ok(child_start(&o, &c, &err), err);
    while (!child_ended(c))
        assert_ok(child_wait(&c, 1, 1000, &err), err);
    struct child_result r = *child_result(c);
    child_free(c);
    return r;
}

static void expect(const struct child_result *r, enum verdict verdict, const char *reason)
{
    if (r->verdict != verdict || strcmp(r->reason, reason) != 0)
        fail_msg("%s: \"%s\"; expected %s: \"%s\"", verdict_name(r->verdict), r->reason,
                 verdict_name(verdict), reason);
}

static void test_done(void **state)
{
    struct child_result r = run("echo '{\"done\":\"ok\"}' >&3", 0, 0, NULL);
    expect(&r, VERDICT_OK, "");
    assert_true(r.wall_s > 0 && r.peak_bytes > 100000);
    r = run("echo '{\"done\":\"unsupported\",\"reason\":\"no such layer\"}' >&3; exit 1", 0, 0,
            NULL);
    expect(&r, VERDICT_UNSUPPORTED, "no such layer");
    r = run("echo '{\"done\":\"oom\",\"reason\":\"out of memory\"}' >&3; kill -SEGV $$", 0, 0,
            NULL);
    expect(&r, VERDICT_OOM, "out of memory");
    r = run("printf '{\"done\":\"ok\",\"peak\":12345}\\n' >&3", 0, 0, NULL);
    expect(&r, VERDICT_OK, "");
    assert_int_equal(r.peak_bytes, 12345);
}

static void test_no_result(void **state)
{
    struct child_result r = run("exit 0", 0, 0, NULL);
    expect(&r, VERDICT_VANISHED, "exited with status 0 without reporting a result");
    r = run("echo '{\"done\":\"wonderful\"}' >&3; echo '{\"done\":' >&3", 0, 0, NULL);
    expect(&r, VERDICT_VANISHED, "exited with status 0 without reporting a result");
    r = run("printf '{\"done\":\"ok\"}' >&3", 0, 0, NULL); /* half a line is no line */
    expect(&r, VERDICT_VANISHED, "exited with status 0 without reporting a result");
    r = run("echo '{\"done\":\"ok\"}' >&3; exit 4", 0, 0, NULL);
    expect(&r, VERDICT_FAILED, "reported success, then ended with exit status 4");
}

static void test_exit_status(void **state)
{
    const char *log = "test_child.log";
    struct child_result r = run("echo first; echo 'no space left' >&2; echo; exit 7", 0, 0, log);
    expect(&r, VERDICT_FAILED, "exit status 7: no space left");
    r = run("exit 7", 0, 0, log); /* the log starts empty each time */
    expect(&r, VERDICT_FAILED, "exit status 7");
    r = run("exit 7", 0, 0, NULL);
    expect(&r, VERDICT_FAILED, "exit status 7");
    unlink(log);
}

static void test_signals(void **state)
{
    struct child_result r = run("kill -SEGV $$", 0, 0, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGSEGV (Segmentation fault)");
    assert_int_equal(r.signal, SIGSEGV);
    r = run("echo '{\"done\":\"ok\"}' >&3; kill -ABRT $$", 0, 0, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGABRT (Aborted)");
    r = run("kill -KILL $$", 0, 0, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGKILL (Killed)");
    r = run("kill -KILL $$", 0, 100000, NULL); /* a shell holds more than that */
    expect(&r, VERDICT_OOM, "killed near its memory limit");
    assert_int_equal(r.signal, 0);
    r = run("kill -KILL $$", 0, 1ull << 40, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGKILL (Killed)");
    r = run("kill -XCPU $$", 0, 0, NULL);
    expect(&r, VERDICT_TIMEOUT, "used more processor time than its limit");
    r = run("kill -TERM $$", 30, 0, NULL); /* not ours */
    expect(&r, VERDICT_CRASHED, "killed by SIGTERM (Terminated)");
}

static void test_deadline(void **state)
{
    struct child_result r = run("sleep 60", 0.2, 0, NULL);
    expect(&r, VERDICT_TIMEOUT, "ran longer than the limit of 0.2 s");
    assert_true(r.wall_s >= 0.2 && r.wall_s < 1.5);
    r = run("trap '' TERM; while :; do sleep 0.1; done", 0.2, 0, NULL);
    expect(&r, VERDICT_TIMEOUT, "ran longer than the limit of 0.2 s");
    assert_true(r.wall_s >= 2.2 && r.wall_s < 4);
    r = run("trap 'echo \"{\\\"done\\\":\\\"failed\\\",\\\"reason\\\":\\\"told to stop\\\"}\" >&3; "
            "exit 1' TERM; while :; do sleep 0.1; done",
            0.2, 0, NULL);
    expect(&r, VERDICT_TIMEOUT, "ran longer than the limit of 0.2 s");
    r = run("trap 'echo \"{\\\"done\\\":\\\"ok\\\"}\" >&3; exit 0' TERM; "
            "while :; do sleep 0.1; done",
            0.2, 0, NULL);
    expect(&r, VERDICT_OK, ""); /* the result is whole, if late */
}

/* No process of the group is left, whatever the verdict. */
static void test_stray_grandchild(void **state)
{
    const char *log = "test_child_stray.log";
    struct child_result r =
        run("sleep 60 & echo $! ; echo '{\"done\":\"ok\"}' >&3; exit 0", 0, 0, log);
    struct error err = ERROR_INIT;
    char *text = NULL;
    size_t n = 0;
    expect(&r, VERDICT_OK, "");
    assert_true(r.wall_s < 5);
    assert_ok(fs_read(log, 100, &text, &n, &err), err);
    pid_t pid = (pid_t)atol(text);
    assert_true(pid > 1);
    int gone = 0;
    for (int i = 0; i < 200 && !gone; i++) { /* init reaps it in its own time */
        char path[64], *status = NULL;
        snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
        gone = fs_read(path, 65536, &status, &n, NULL) < 0 || strstr(status, "State:\tZ");
        free(status);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    assert_true(gone);
    free(text);
    unlink(log);
}

/* One thread for the libraries, a group of its own, no descriptor but the event pipe, no signal
 * blocked or ignored, whatever this process has set up. */
static void test_environment(void **state)
{
    const char *log = "test_child_environment.log";
    struct error err = ERROR_INIT;
    char *text = NULL;
    size_t n = 0;
    sigset_t mask, old;
    setenv("OMP_NUM_THREADS", "17", 1);
    setenv("LETHE_TEST_KEPT", "kept", 1);
    signal(SIGUSR1, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &old);
    struct child_result r =
        run("echo $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $LETHE_TEST_KEPT\n"
            "set -- $(cat /proc/$$/stat); test $1 = $$ && test $5 = $$ && echo group\n"
            "for fd in /proc/$$/fd/*; do echo ${fd##*/}; done\n"
            "while read name value; do case $name in SigBlk:|SigIgn:) echo $value;; esac; done "
            "< /proc/$$/status\n"
            "echo '{\"done\":\"ok\"}' >&3",
            0, 0, log);
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGUSR1, SIG_DFL);
    expect(&r, VERDICT_OK, "");
    assert_ok(fs_read(log, 4096, &text, &n, &err), err);
    /* descriptor 4 is the shell's own, of the folder it lists */
    static const char want[] = "1 1 kept\ngroup\n0\n1\n2\n3\n4\n0000000000000000\n";
    assert_int_equal(strncmp(text, want, sizeof(want) - 1), 0);
    /* glibc leaves its own two signals, 32 and 33, ignored */
    assert_int_equal(strtoull(text + sizeof(want) - 1, NULL, 16) & ~(3ull << 31), 0);
    free(text);
    unlink(log);
}

static void test_exec_failure(void **state)
{
    struct child_options o = {.program = "/nonexistent/lethe-worker"};
    struct child_result r;
    struct error err = ERROR_INIT;
    struct child *c = NULL;
    char *text = NULL;
    assert_fails(child_start(&o, &c, &err), err, ERR_ENVIRONMENT,
                 "cannot start the worker /nonexistent/lethe-worker: No such file or directory");
    assert_null(c);
    assert_int_equal(child_capture(&o, 100, &text, &r, &err), ERR_ENVIRONMENT);
    o.program = "/bin/sh";
    o.log_path = "/nonexistent/log";
    assert_int_equal(child_start(&o, &c, &err), ERR_IO);
    assert_string_equal(err.text,
                        "cannot write the log /nonexistent/log: No such file or directory");
}

static void test_progress(void **state)
{
    const char *const args[] = {
        "-c", "echo '{\"progress\":0.25,\"what\":\"epoch 1/4\"}' >&3; read x < /dev/null; sleep 60",
        NULL};
    struct child_options o = {.program = "/bin/sh", .args = args};
    struct error err = ERROR_INIT;
    struct child *c = NULL;
    assert_ok(child_start(&o, &c, &err), err);
    assert_true(child_fraction(c) == 0);
    for (int i = 0; i < 100 && child_fraction(c) == 0; i++)
        assert_int_equal(child_wait(&c, 1, 100, &err), 0);
    assert_true(child_fraction(c) == 0.25);
    assert_string_equal(child_what(c), "epoch 1/4");
    child_kill(c);
    assert_true(child_ended(c));
    expect(child_result(c), VERDICT_FAILED, "stopped before its end");
    child_free(c);
    child_free(NULL);
}

/* Several at once, and one that floods its pipe. */
static void test_many(void **state)
{
    const char *scripts[] = {
        "sleep 0.2; echo '{\"done\":\"ok\"}' >&3",
        "while :; do echo '{\"progress\":0.5,\"what\":\"flood\"}' >&3; done",
        "head -c 100000 /dev/zero >&3; echo >&3; echo '{\"done\":\"ok\"}' >&3"};
    struct child *c[3] = {NULL};
    struct error err = ERROR_INIT;
    for (int i = 0; i < 3; i++) {
        const char *const args[] = {"-c", scripts[i], NULL};
        struct child_options o = {.program = "/bin/sh", .args = args, .wall_limit_s = 1};
        assert_ok(child_start(&o, &c[i], &err), err);
    }
    int ended = 0;
    while (ended < 3)
        assert_ok(ended = child_wait(c, 3, -1, &err), err);
    expect(child_result(c[0]), VERDICT_OK, "");
    expect(child_result(c[1]), VERDICT_TIMEOUT, "ran longer than the limit of 1.0 s");
    expect(child_result(c[2]), VERDICT_OK, "");
    for (int i = 0; i < 3; i++)
        child_free(c[i]);
}

static void test_capture(void **state)
{
    const char *const args[] = {"-c", "printf 'some text'; echo '{\"done\":\"ok\"}' >&3", NULL};
    const char *const loud[] = {"-c", "yes", NULL};
    const char *const bad[] = {"-c", "echo out; echo 'bad file' >&2; exit 3", NULL};
    struct child_options o = {.program = "/bin/sh", .args = args, .wall_limit_s = 10};
    struct error err = ERROR_INIT;
    struct child_result r;
    char *text = NULL;
    assert_ok(child_capture(&o, 100, &text, &r, &err), err);
    expect(&r, VERDICT_OK, "");
    assert_string_equal(text, "some text");
    free(text);
    o.args = loud;
    assert_fails(child_capture(&o, 100, &text, &r, &err), err, ERR_OUTPUT,
                 "/bin/sh printed more than 100 bytes");
    o.args = bad;
    assert_ok(child_capture(&o, 100, &text, &r, &err), err);
    expect(&r, VERDICT_FAILED, "exit status 3: bad file");
    assert_string_equal(text, "out\n");
    free(text);
}

static void test_worker_path(void **state)
{
    struct error err = ERROR_INIT;
    setenv("LETHE_WORKER", "/some/where/lethe-worker", 1);
    char *path = child_worker_path(&err);
    assert_string_equal(path, "/some/where/lethe-worker");
    free(path);
    unsetenv("LETHE_WORKER");
    path = child_worker_path(&err); /* beside this program, when that has been built */
    if (path)
        assert_non_null(strstr(path, "/bin/lethe-worker"));
    else
        assert_int_equal(err.code, ERR_ENVIRONMENT);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done),        cmocka_unit_test(test_no_result),
        cmocka_unit_test(test_exit_status), cmocka_unit_test(test_signals),
        cmocka_unit_test(test_deadline),    cmocka_unit_test(test_stray_grandchild),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_exec_failure),
        cmocka_unit_test(test_progress),    cmocka_unit_test(test_many),
        cmocka_unit_test(test_capture),     cmocka_unit_test(test_worker_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
