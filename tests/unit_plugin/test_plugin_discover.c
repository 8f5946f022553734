/* Where plugins are looked for, who wins, what is cached, and files that are no plugins. */
#include "plugin_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desc.h"
#include "fs.h"
#include "hash.h"

struct place { /* a folder of its own for each test */
    char dir[64];
    char path[256];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    strcpy(p->dir, "/tmp/lethe-discover-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    setenv("LETHE_WORKER", MINI_WORKER, 1);
    setenv("XDG_DATA_HOME", p->dir, 1);
    unsetenv("LETHE_PLUGIN_PATH");
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    fs_remove_tree(p->dir, NULL);
    free(p);
    return 0;
}

static const char *at(struct place *p, const char *name)
{
    snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, name);
    return p->path;
}

static void copy(struct place *p, const char *from, const char *name)
{
    struct error err = ERROR_INIT;
    char *bytes = NULL;
    size_t n = 0;
    char *dir = fs_dirname(at(p, name));
    assert_ok(fs_mkdirs(dir, &err), err);
    free(dir);
    assert_ok(fs_read(from, 1 << 26, &bytes, &n, &err), err);
    assert_ok(fs_write_atomic(at(p, name), bytes, n, &err), err);
    free(bytes);
}

/* Old enough for the cache to trust the time stamp. */
static void age(struct place *p, const char *name)
{
    struct timespec old[2] = {{1600000000, 0}, {1600000000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, at(p, name), old, 0), 0);
}

static void discover(const char *const *files, const char *cache, struct plugin_set *ret)
{
    struct error err = ERROR_INIT;
    assert_ok(plugins_discover(files, cache, ret, &err), err);
}

static const struct plugin_failure *failure_of(const struct plugin_set *s, const char *name)
{
    for (unsigned i = 0; i < s->n_failures; i++)
        if (strstr(s->failure[i].path, name))
            return &s->failure[i];
    fail_msg("no failure of %s among %u", name, s->n_failures);
    return NULL;
}

static void test_files(void **state)
{
    struct place *p = *state;
    const char *const files[] = {PLUGIN_DIR "/amun.so",
                                 BAD_DIR "/bad_constructor.so",
                                 BAD_DIR "/bad_major.so",
                                 BAD_DIR "/bad_exit.so",
                                 "/nonexistent/x.so",
                                 p->dir,
                                 PROBE,
                                 NULL};
    struct plugin_set s;
    char hex[HASH_HEX_SIZE];
    discover(files, NULL, &s);
    const struct plugin_desc *amun = plugins_find(&s, PLUGIN_UNLEARNER, "amun");
    assert_non_null(amun);
    assert_string_equal(amun->path, PLUGIN_DIR "/amun.so");
    assert_int_equal(hash_file(amun->path, hex, NULL), 0);
    assert_string_equal(amun->sha256, hex);
    assert_string_equal(amun->name, "AMUN");
    assert_null(plugins_find(&s, PLUGIN_METRIC, "amun"));
    assert_ptr_equal(plugins_find(&s, 0, "amun"), amun);
    assert_ptr_equal(plugins_find_file(&s, PLUGIN_DIR "/amun.so"), amun);
    assert_non_null(plugins_find(&s, PLUGIN_AUDIT, "test.audit"));
    assert_non_null(plugins_find(&s, PLUGIN_UNLEARNER, "test.exit")); /* describes well */
    const struct plugin_failure *f = failure_of(&s, "bad_constructor");
    assert_int_equal(f->verdict, VERDICT_CRASHED);
    assert_int_equal(f->signal, 6);
    assert_string_equal(f->reason, "killed by SIGABRT (Aborted)");
    f = failure_of(&s, "bad_major");
    assert_int_equal(f->verdict, VERDICT_FAILED);
    assert_non_null(strstr(f->reason, "built for plugin ABI 8.0"));
    assert_string_equal(failure_of(&s, "/nonexistent/x.so")->reason, "No such file or directory");
    assert_string_equal(failure_of(&s, p->dir)->reason, "is not a file");
    plugins_release(&s);
}

/* Files before the variable's folders, those before the user's; the later one is shown as hidden.
 */
static void test_order(void **state)
{
    struct place *p = *state;
    struct plugin_set s;
    char first[256], path[600];
    copy(p, PLUGIN_DIR "/finetune.so", "a/whatever.so");
    copy(p, PLUGIN_DIR "/finetune.so", "b/finetune.so");
    copy(p, PLUGIN_DIR "/finetune.so", "lethe/plugins/finetune.so");
    copy(p, PLUGIN_DIR "/accuracy.so", "lethe/plugins/accuracy.so");
    copy(p, TEXT_FILE, "lethe/plugins/notes.txt");
    strcpy(first, at(p, "a/whatever.so"));
    snprintf(path, sizeof(path), "%s/b:%s/empty", p->dir, p->dir);
    setenv("LETHE_PLUGIN_PATH", path, 1);
    const char *const files[] = {first, first, NULL};
    discover(files, NULL, &s);
    unsigned n = 0;
    for (unsigned i = 0; i < s.n; i++)
        if (strcmp(s.plugin[i].id, "finetune") == 0 && strstr(s.plugin[i].path, p->dir)) {
            static const char *const want[] = {"a/whatever.so", "b/finetune.so",
                                               "lethe/plugins/finetune.so"};
            assert_string_equal(s.plugin[i].path, at(p, want[n++]));
            if (n == 1)
                assert_null(s.plugin[i].shadowed_by);
            else
                assert_string_equal(s.plugin[i].shadowed_by, first);
        }
    assert_int_equal(n, 3);
    assert_string_equal(plugins_find(&s, PLUGIN_UNLEARNER, "finetune")->path, first);
    assert_string_equal(plugins_find(&s, PLUGIN_METRIC, "accuracy")->path,
                        at(p, "lethe/plugins/accuracy.so"));
    assert_int_equal(s.n_failures, 0);
    plugins_release(&s);
}

static void test_bad_variable(void **state)
{
    struct place *p = *state;
    struct plugin_set s;
    struct error err = ERROR_INIT;
    char path[256];
    setenv("LETHE_PLUGIN_PATH", "plugins", 1);
    assert_fails(
        plugins_discover(NULL, NULL, &s, &err), err, ERR_INVALID,
        "LETHE_PLUGIN_PATH: expected absolute folders separated by ':', found \"plugins\"");
    snprintf(path, sizeof(path), "%s:", p->dir);
    setenv("LETHE_PLUGIN_PATH", path, 1);
    assert_fails(plugins_discover(NULL, NULL, &s, &err), err, ERR_INVALID,
                 "LETHE_PLUGIN_PATH: expected absolute folders separated by ':', found \"\"");
}

static void test_no_worker(void **state)
{
    struct plugin_set s;
    struct error err = ERROR_INIT;
    const char *const files[] = {PROBE, NULL};
    setenv("LETHE_WORKER", "/nonexistent/worker", 1);
    assert_fails(plugins_discover(files, NULL, &s, &err), err, ERR_ENVIRONMENT,
                 "cannot start the worker /nonexistent/worker: No such file or directory");
}

/* A worker that tells what no plugin may say of itself. */
static void expect_lie(struct place *p, const char *json, enum verdict verdict, const char *reason)
{
    struct error err = ERROR_INIT;
    struct plugin_set s;
    char script[2000];
    const char *const files[] = {PROBE, NULL};
    snprintf(script, sizeof(script),
             "#!/bin/sh\ncase \"$2\" in *probe*) cat <<'X'\n%s\nX\n;; *) echo '[]';; esac\n"
             "echo '{\"done\":\"ok\"}' >&3\n",
             json);
    assert_ok(fs_write_atomic(at(p, "liar"), script, strlen(script), &err), err);
    chmod(p->path, 0755);
    setenv("LETHE_WORKER", p->path, 1);
    discover(files, NULL, &s);
    const struct plugin_failure *f = failure_of(&s, "probe_plugin");
    assert_int_equal(f->verdict, verdict);
    assert_string_equal(f->reason, reason);
    plugins_release(&s);
}

#define TEXTS                                                                                      \
    "\"name\":\"\",\"short_name\":\"\",\"version\":\"\",\"license\":\"\",\"summary\":\"\","        \
    "\"doc\":\"\",\"citation\":\"\",\"url\":\"\""

static void test_lies(void **state)
{
    struct place *p = *state;
    expect_lie(p, "{}", VERDICT_INVALID_OUTPUT, "its description is no list");
    expect_lie(p, "[3]", VERDICT_INVALID_OUTPUT, "its description is no list of objects");
    expect_lie(p, "[{\"id\":\"x\",\"kind\":\"too-new\",\"kind_number\":9," TEXTS "}]",
               VERDICT_UNSUPPORTED,
               "plugin x is of kind 9, which is newer than this Lethe; update Lethe");
    expect_lie(p, "[{\"id\":\"x\",\"kind\":\"metric\"," TEXTS ",\"params\":[{}]}]",
               VERDICT_INVALID_OUTPUT, "plugin x: parameter 1 of x has no name or no type");
    expect_lie(p,
               "[{\"id\":\"x\",\"kind\":\"metric\"," TEXTS
               ",\"params\":[{\"name\":\"a\",\"type\":\"int\",\"default\":\"b\"}]}]",
               VERDICT_INVALID_OUTPUT,
               "plugin x: default of parameter a: expected a whole number, found \"b\"");
}

/* The second time nobody is asked, unless the file has changed; what failed is asked again. */
static void test_cache(void **state)
{
    struct place *p = *state;
    struct plugin_set s;
    char file[256], cache[256];
    copy(p, PLUGIN_DIR "/accuracy.so", "x/one.so");
    age(p, "x/one.so");
    strcpy(file, at(p, "x/one.so"));
    strcpy(cache, at(p, "cache/plugins"));
    const char *const files[] = {file, NULL};
    discover(files, cache, &s);
    plugins_release(&s);
    setenv("LETHE_WORKER", "/bin/false", 1);
    discover(files, cache, &s);
    assert_string_equal(s.plugin[0].id, "accuracy");
    assert_int_equal(strlen(s.plugin[0].sha256), 64);
    plugins_release(&s);
    copy(p, PLUGIN_DIR "/finetune.so", "x/one.so"); /* another file of that name */
    age(p, "x/one.so");
    discover(files, cache, &s);
    assert_string_equal(failure_of(&s, "one.so")->reason, "exit status 1");
    plugins_release(&s);
    setenv("LETHE_WORKER", MINI_WORKER, 1);
    discover(files, cache, &s);
    assert_string_equal(s.plugin[0].id, "finetune");
    plugins_release(&s);
    copy(p, PLUGIN_DIR "/accuracy.so", "x/one.so"); /* too young to be cached */
    discover(files, cache, &s);
    plugins_release(&s);
    setenv("LETHE_WORKER", "/bin/false", 1);
    discover(files, cache, &s);
    assert_string_equal(failure_of(&s, "one.so")->reason, "exit status 1");
    plugins_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_variable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cache, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
