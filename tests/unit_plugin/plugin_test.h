/* plugin_test.h: cmocka with the headers that it wants before it. */
#ifndef UNIT_PLUGIN_PLUGIN_TEST_H
#define UNIT_PLUGIN_PLUGIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* sanitizers turn some signals into exit codes and need much address space */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The text of a failure, when there should be none. */
#define assert_ok(rc, err)                                                                         \
    do {                                                                                           \
        if ((rc) < 0)                                                                              \
            fail_msg("%d: %s", (err).code, (err).text);                                            \
    } while (0)
#define assert_fails(rc, err, want_code, want_text)                                                \
    do {                                                                                           \
        assert_int_equal((rc), (want_code));                                                       \
        assert_int_equal((err).code, (want_code));                                                 \
        assert_string_equal((err).text, (want_text));                                              \
    } while (0)

#endif
