/* error.h: failures as values. Functions return 0 or a negative code and take
 * `struct error *err` last; texts are prefixed as the stack unwinds. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* The numbers are those of include/lethe/status.h. */
enum {
    ERR_INVALID = -1,
    ERR_UNSUPPORTED = -2,
    ERR_NOMEM = -3,
    ERR_CANCELLED = -4,
    ERR_NUMERIC = -5,
    ERR_IO = -6,
    ERR_DENIED = -7,
    ERR_BUDGET = -8,
    ERR_INTERNAL = -9,
    ERR_OUTPUT = -10,     /* a plugin returned something that the host refuses */
    ERR_ENVIRONMENT = -20 /* something the machine lacks: data, gnuplot, a plugin folder */
};

struct error {
    int code;        /* 0 while nothing failed */
    char text[1024]; /* UTF-8, no trailing newline */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        0, ""                                                                                      \
    }

/* Records and returns `code`; err may be NULL. Texts that do not fit are cut. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As error_set, and appends ": " and the text of `errno_value`. */
int error_errno(struct error *err, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "<text>: " before what is recorded; returns err's code. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* ERR_NOMEM with a standard text. */
int error_nomem(struct error *err);
/* Name of a code ("E_INVALID"), for logs. */
const char *error_name(int code);

/* Returns from the enclosing function when expr is negative. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        int try_result_ = (expr);                                                                  \
        if (try_result_ < 0)                                                                       \
            return try_result_;                                                                    \
    } while (0)

#endif
