/* Misbehaving plugins in worker processes: each gets its verdict, and this process stays. */
#include "plugin_test.h"

#include <signal.h>

#include "child.h"

static struct child_result unlearn(const char *file, const char *id, const char *what,
                                   double limit_s, const char *mib)
{
    const char *const args[] = {"unlearn", file, id, what, mib, NULL};
    struct child_options o = {.program = MINI_WORKER,
                              .args = args,
                              .wall_limit_s = limit_s,
                              .memory_limit = mib ? strtoull(mib, NULL, 10) << 20 : 0};
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
    if (r->verdict != verdict || (reason && strcmp(r->reason, reason) != 0))
        fail_msg("%s: \"%s\"; expected %s: \"%s\"", verdict_name(r->verdict), r->reason,
                 verdict_name(verdict), reason ? reason : "anything");
}

static struct child_result bad(const char *name, const char *id)
{
    char file[512], full_id[64];
    snprintf(file, sizeof(file), "%s/bad_%s.so", BAD_DIR, name);
    snprintf(full_id, sizeof(full_id), "test.%s", id);
    return unlearn(file, full_id, "", 60, NULL);
}

static void test_ok(void **state)
{
    const char *names[] = {"noop", "wreck", "noisy"};
    for (size_t i = 0; i < 3; i++) {
        struct child_result r = bad(names[i], names[i]);
        expect(&r, VERDICT_OK, "");
    }
}

static void test_crashes(void **state)
{
    struct child_result r = unlearn(PROBE, "test.probe", "crash", 60, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGSEGV (Segmentation fault)");
    r = bad("abort", "abort");
    expect(&r, VERDICT_CRASHED, "killed by SIGABRT (Aborted)");
    r = bad("constructor", "constructor");
    expect(&r, VERDICT_CRASHED, "killed by SIGABRT (Aborted)");
    r = bad("segfault",
            "segfault"); /* the undefined-behaviour sanitizer is faster: exit status 1 */
    expect(&r, SANITIZED ? VERDICT_FAILED : VERDICT_CRASHED, NULL);
}

/* Both kept pointers run into traps, which abort. */
static void test_used_after_the_call(void **state)
{
    struct child_result r = unlearn(PROBE, "test.probe", "kept", 60, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGABRT (Aborted)");
    r = unlearn(PROBE, "test.probe", "kept_table", 60, NULL);
    expect(&r, VERDICT_CRASHED, "killed by SIGABRT (Aborted)");
}

/* The pages of the original are read-only: the write ends the process, not the comparison. */
static void test_write_to_original(void **state)
{
    struct child_result r = bad("write_original", "write-original");
    expect(&r, VERDICT_CRASHED, "killed by SIGSEGV (Segmentation fault)");
    assert_int_equal(r.signal, SIGSEGV);
}

static void test_exits(void **state)
{
    struct child_result r = bad("exit", "exit");
    expect(&r, VERDICT_VANISHED, "exited with status 0 without reporting a result");
    r = bad("grandchild", "grandchild");
    expect(&r, VERDICT_OK, "");
    assert_true(r.wall_s < 30);
}

static void test_texts(void **state)
{
    struct child_result r = bad("fail", "fail");
    expect(&r, VERDICT_FAILED, "this plugin always fails, reason 42");
    r = bad("mute", "mute");
    expect(&r, VERDICT_UNSUPPORTED,
           "this plugin cannot handle this task or model (the plugin gave no reason)");
    r = bad("nan", "nan");
    expect(&r, VERDICT_INVALID_OUTPUT, "weights became NaN or infinite in tensor conv1.weight");
    r = bad("major", "major");
    expect(&r, VERDICT_FAILED, NULL);
    r = unlearn(PROBE, "test.greedy", "", 60, NULL);
    expect(&r, VERDICT_DENIED,
           "test.greedy needs shadow models (references: {shadow: K}), which this task does not "
           "grant");
}

static void test_timeouts(void **state)
{
    char file[512];
    snprintf(file, sizeof(file), "%s/bad_hang.so", BAD_DIR);
    struct child_result r = unlearn(file, "test.hang", "", 1, NULL);
    expect(&r, VERDICT_TIMEOUT, "ran longer than the limit of 1.0 s");
    /* This worker blocks SIGTERM, so the plugin hears of it and ends by itself. */
    r = unlearn(PROBE, "test.probe", "cancelled", 1, NULL);
    expect(&r, VERDICT_TIMEOUT, "ran longer than the limit of 1.0 s");
    assert_true(r.wall_s < 2.9); /* within the grace, without SIGKILL */
}

static void test_memory(void **state)
{
    char file[512];
    if (SANITIZED)
        skip();
    snprintf(file, sizeof(file), "%s/bad_hog.so", BAD_DIR);
    struct child_result r = unlearn(file, "test.hog", "", 60, "400");
    expect(&r, VERDICT_OOM, NULL);
    assert_int_equal(strncmp(r.reason, "out of memory after ", 20), 0);
    assert_true(r.peak_bytes > 100u << 20 && r.peak_bytes < 500u << 20);
}

int main(void)
{
    if (SANITIZED) /* crashes are to be seen as what they are */
        setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ok),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_used_after_the_call),
        cmocka_unit_test(test_write_to_original),
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
