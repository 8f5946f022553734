/* Files, folders, paths. */
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"
#include "unit_base/scratch.h"

static void reads_and_writes(void **state)
{
    struct error err = ERROR_INIT;
    char *path = scratch_file(state, "a", "hello", 5), *text = NULL;
    size_t n = 0;
    assert_ok(fs_read(path, 5, &text, &n, &err));
    assert_int_equal(n, 5);
    assert_string_equal(text, "hello");
    free(text);
    assert_int_equal(fs_size(path), 5);
    text = NULL;
    assert_error_part(fs_read(path, 4, &text, &n, &err), &err, "larger than the 4 bytes");
    assert_null(text);
    assert_error_part(fs_read("/nonexistent", 4, &text, &n, &err), &err,
                      "cannot open /nonexistent: No such file");
    assert_error_part(fs_read(*state, 4, &text, &n, &err), &err, "Is a directory");
    assert_ok(fs_read("/proc/self/status", 1 << 20, &text, &n, &err)); /* says size 0 */
    assert_true(n > 100);
    free(text);
    struct fs_part parts[] = {{"ab", 2}, {NULL, 0}, {"c", 1}};
    assert_ok(fs_write_parts(path, parts, 3, &err));
    assert_ok(fs_read(path, 10, &text, &n, &err));
    assert_string_equal(text, "abc");
    free(text);
    free(path);
}

static void failed_writes_leave_nothing(void **state)
{
    struct error err = ERROR_INIT;
    char **names = NULL, *dir = scratch_path(state, "w"), *target = fs_join(dir, "dir"),
         *missing = scratch_path(state, "no/such/file");
    size_t n = 0;
    assert_ok(fs_mkdirs(target, &err));
    assert_error_part(fs_write_atomic(target, "x", 1, &err), &err, "cannot write");
    assert_ok(fs_list(dir, &names, &n, &err));
    assert_int_equal(n, 1); /* no temporary file is left */
    fs_names_free(names);
    assert_error_part(fs_write_atomic(missing, "x", 1, &err), &err, "No such file or directory");
    assert_ok(fs_write_atomic("/dev/null", "x", 1, &err));
    struct stat st;
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode)); /* written to, not replaced */
    free(dir);
    free(target);
    free(missing);
}

static void trees(void **state)
{
    struct error err = ERROR_INIT;
    char *root = scratch_path(state, "t"), *deep = fs_join(root, "b/c/d"), **names = NULL;
    char *file = fs_join(deep, "f"), *outside = scratch_file(state, "outside", "x", 1);
    char *link = fs_join(root, "link"), *link_dir = fs_join(root, "a");
    size_t n = 0;
    assert_ok(fs_mkdirs(deep, &err));
    assert_ok(fs_mkdirs(deep, &err)); /* again is no error */
    assert_ok(fs_write_atomic(file, "x", 1, &err));
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(symlink(*state, link_dir), 0);
    assert_ok(fs_list(root, &names, &n, &err));
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    assert_string_equal(names[2], "link");
    assert_null(names[3]);
    fs_names_free(names);
    char *below = fs_join(file, "x");
    assert_error_part(fs_mkdirs(below, &err), &err, "Not a directory");
    free(below);
    assert_ok(fs_remove_tree(root, &err));
    assert_false(fs_exists(root));
    assert_true(fs_exists(outside));       /* links are not followed */
    assert_ok(fs_remove_tree(root, &err)); /* a missing tree is fine */
    assert_error_part(fs_list(root, &names, &n, &err), &err, "cannot list the folder");
    free(root);
    free(deep);
    free(file);
    free(outside);
    free(link);
    free(link_dir);
}

static void assert_text(char *s, const char *want)
{
    assert_string_equal(s, want);
    free(s);
}

static void paths(void **state)
{
    struct error err = ERROR_INIT;
    char *path = NULL, cwd[4096];
    assert_text(fs_join("a", "b"), "a/b");
    assert_text(fs_join("a/", "b"), "a/b");
    assert_text(fs_join("a", "/b"), "/b");
    assert_text(fs_join("", "b"), "b");
    assert_text(fs_dirname("a/b"), "a");
    assert_text(fs_dirname("a"), ".");
    assert_text(fs_dirname("/a"), "/");
    assert_text(fs_dirname("/a//b"), "/a");
    assert_string_equal(fs_basename("a/b.c"), "b.c");
    assert_string_equal(fs_basename("b"), "b");
    assert_ok(fs_absolute("/a/./b//c/../d/", &path, &err));
    assert_text(path, "/a/b/c/../d");
    assert_ok(fs_absolute("/", &path, &err));
    assert_text(path, "/");
    assert_ok(fs_absolute("./x", &path, &err));
    assert_non_null(getcwd(cwd, sizeof cwd));
    char *want = text_format("%s/x", cwd);
    assert_text(path, want);
    free(want);
    char *dir = fs_program_dir();
    assert_true(fs_is_dir(dir));
    free(dir);
}

static void maps(void **state)
{
    struct error err = ERROR_INIT;
    struct fs_map m = {0};
    char *path = scratch_file(state, "m", "abc", 3), *empty = scratch_file(state, "e", "", 0);
    assert_ok(fs_map(path, &m, &err));
    assert_int_equal(m.n, 3);
    assert_memory_equal(m.bytes, "abc", 3);
    fs_unmap(&m);
    fs_unmap(&m);
    assert_ok(fs_map(empty, &m, &err));
    assert_int_equal(m.n, 0);
    assert_null(m.bytes);
    assert_error_part(fs_map("/dev/null", &m, &err), &err, "not a regular file");
    free(path);
    free(empty);
}

static void clocks(void **state)
{
    uint64_t wall = fs_now_ns(), cpu = fs_cpu_ns();
    volatile double sink = 0;
    for (int i = 0; i < 3000000; i++)
        sink = sink + i;
    assert_true(fs_now_ns() > wall);
    assert_true(fs_cpu_ns() > cpu);
    assert_in_range(fs_peak_rss_bytes(), 1 << 20, (uint64_t)1 << 34);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(failed_writes_leave_nothing),
        cmocka_unit_test(trees),
        cmocka_unit_test(paths),
        cmocka_unit_test(maps),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
