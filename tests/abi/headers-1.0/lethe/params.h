/* SPDX-License-Identifier: MIT
 * params.h: typed parameters. A plugin declares a table; the host checks the
 * suite file against it before anything runs, and hands the plugin one
 * validated lethe_value per entry, in declared order (ctx->param). */
#ifndef LETHE_PARAMS_H
#define LETHE_PARAMS_H

#include "abi.h"

enum {
    LETHE_PARAM_BOOL = 1,
    LETHE_PARAM_INT = 2,
    LETHE_PARAM_REAL = 3,
    LETHE_PARAM_CHOICE = 4,
    LETHE_PARAM_STRING = 5
};

/* flags */
#define LETHE_PARAM_LOG_SCALE 1u /* sample it on a logarithmic scale when tuning */
#define LETHE_PARAM_TUNABLE 2u   /* part of the search space of `tune:` */

/* Frozen: never grows. BOOL (0, 1), INT and CHOICE (index into choices) use i. */
typedef union lethe_value {
    int64_t i;
    double r;
    const char *s;
} lethe_value;

typedef struct lethe_param {
    uint32_t struct_size;       /* sizeof(lethe_param) */
    uint32_t type;              /* LETHE_PARAM_* */
    uint64_t flags;             /* LETHE_PARAM_LOG_SCALE | ... */
    const char *name;           /* [a-z][a-z0-9_]*; never renamed */
    const char *unit;           /* "" where there is none */
    const char *doc;            /* one line: meaning, and the source of the default */
    lethe_value def, min, max;  /* plain values, bounds inclusive; INT and REAL use min, max */
    const char *const *choices; /* NULL-ended; CHOICE only, else NULL */
    const char *search;         /* tunable: values to try, "0.1,0.01", or NULL for min..max */
} lethe_param;
LETHE_NO_TAIL_PADDING(lethe_param, search);

/* Table entries in one line each. */
#define LETHE_BOOL(n, d, text)                                                                     \
    {                                                                                              \
        sizeof(lethe_param), LETHE_PARAM_BOOL, 0, n, "", text, {(d)}, {0}, {1}, NULL, NULL         \
    }
#define LETHE_INT(n, d, lo, hi, u, text)                                                           \
    {                                                                                              \
        sizeof(lethe_param), LETHE_PARAM_INT, 0, n, u, text, {(d)}, {(lo)}, {(hi)}, NULL, NULL     \
    }
/* A real value in the place of a lethe_value. C++ before 20 cannot initialise a member of a union
 * by name, so there its bits go into the first one; both are constant, and no code runs on loading.
 */
#ifdef __cplusplus
LETHE_STATIC_ASSERT(sizeof(double) == sizeof(int64_t), "a real fits the first member");
#define LETHE_REAL_VALUE(v)                                                                        \
    {                                                                                              \
        __builtin_bit_cast(int64_t, static_cast<double>(v))                                        \
    }
#else
#define LETHE_REAL_VALUE(v)                                                                        \
    {                                                                                              \
        .r = (v)                                                                                   \
    }
#endif
#define LETHE_REAL(n, d, lo, hi, u, text)                                                          \
    {                                                                                              \
        sizeof(lethe_param), LETHE_PARAM_REAL, 0, n, u, text, LETHE_REAL_VALUE(d),                 \
            LETHE_REAL_VALUE(lo), LETHE_REAL_VALUE(hi), NULL, NULL                                 \
    }
#define LETHE_REAL_TUNABLE(n, d, lo, hi, u, text, values)                                          \
    {                                                                                              \
        sizeof(lethe_param), LETHE_PARAM_REAL, LETHE_PARAM_TUNABLE | LETHE_PARAM_LOG_SCALE, n, u,  \
            text, LETHE_REAL_VALUE(d), LETHE_REAL_VALUE(lo), LETHE_REAL_VALUE(hi), NULL, values    \
    }
#define LETHE_CHOICE(n, d, list, text)                                                             \
    {                                                                                              \
        sizeof(lethe_param), LETHE_PARAM_CHOICE, 0, n, "", text, {(d)}, {0}, {0}, list, NULL       \
    }

/* C and C++20, which initialise a member of a union by name. */
#if !defined(__cplusplus) || __cplusplus >= 202002L
#define LETHE_STRING(n, d, text)                                                                   \
    {                                                                                              \
        sizeof(lethe_param), LETHE_PARAM_STRING, 0, n, "", text, {.s = (d)}, {0}, {0}, NULL, NULL  \
    }
#endif

#endif
