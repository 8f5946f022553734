/* SPDX-License-Identifier: MIT
 * status.h: the result of every call across the boundary. 0 is success, every
 * negative number a failure; a negative number that the reader does not know
 * counts as LETHE_E_INTERNAL. A failure carries a text (see core->fail). */
#ifndef LETHE_STATUS_H
#define LETHE_STATUS_H

#include <stdint.h>

#define LETHE_STATUS_MAP(X)                                                                        \
    X(OK, 0, "success")                                                                            \
    X(E_INVALID, -1, "a parameter or argument has a value that is refused")                        \
    X(E_UNSUPPORTED, -2, "this plugin cannot handle this task or model")                           \
    X(E_NOMEM, -3, "out of memory")                                                                \
    X(E_CANCELLED, -4, "the host asked to stop")                                                   \
    X(E_NUMERIC, -5, "a value became NaN or infinite")                                             \
    X(E_IO, -6, "a read or write failed")                                                          \
    X(E_DENIED, -7, "the threat model does not grant that access")                                 \
    X(E_BUDGET, -8, "the compute budget of this run is spent")                                     \
    X(E_INTERNAL, -9, "a bug in the plugin or the host")

#define LETHE_X(name, value, text) LETHE_##name = value,
enum { LETHE_STATUS_MAP(LETHE_X) LETHE_STATUS_LAST_ = -10 };
#undef LETHE_X

typedef int32_t lethe_status;

#endif
