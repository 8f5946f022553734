/* scratch.h: what cmocka programs need: its includes, a folder of their own, error texts. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "fs.h"

/* Group setup and teardown: state is the folder's path. */
static inline int scratch_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = fs_join(tmp ? tmp : "/tmp", "lethe-test-XXXXXX");
    if (!dir || !mkdtemp(dir))
        return -1;
    *state = dir;
    return 0;
}

static inline int scratch_teardown(void **state)
{
    int rc = fs_remove_tree(*state, NULL);
    free(*state);
    return rc;
}

/* Path of a file in the folder, to be freed. */
static inline char *scratch_path(void **state, const char *name)
{
    char *path = fs_join(*state, name);
    assert_non_null(path);
    return path;
}

/* Writes a file and returns its path, to be freed. */
static inline char *scratch_file(void **state, const char *name, const void *bytes, size_t n)
{
    char *path = scratch_path(state, name);
    struct error err = ERROR_INIT;
    if (fs_write_atomic(path, bytes, n, &err) != 0)
        fail_msg("%s", err.text);
    return path;
}

/* The call failed with this text. */
static inline void assert_error(int rc, const struct error *err, const char *text)
{
    assert_true(rc < 0);
    assert_int_equal(rc, err->code);
    assert_string_equal(err->text, text);
}

/* The call failed, and the text has this part. */
static inline void assert_error_part(int rc, const struct error *err, const char *part)
{
    assert_true(rc < 0);
    assert_int_equal(rc, err->code);
    if (!strstr(err->text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, err->text);
}

#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        if ((expr) != 0)                                                                           \
            fail_msg("%s: %s", #expr, err.text);                                                   \
    } while (0)

#endif
