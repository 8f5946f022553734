/* child_internal.h: what child*.c share. */
#ifndef PLUGIN_CHILD_INTERNAL_H
#define PLUGIN_CHILD_INTERNAL_H

#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "child.h"
#include "strbuf.h"

/* The parent's end of a pipe whose last bytes are kept. */
struct child_tail {
    int fd; /* -1: none */
    char bytes[4096];
    size_t n;
};

struct child {
    pid_t pid; /* also the number of its process group */
    int pidfd, event_fd;
    char line[8192]; /* of the event pipe, as far as it has come */
    size_t line_n;
    bool line_too_long;
    int out_fd; /* child_capture: its stdout; else -1 */
    struct strbuf out;
    size_t out_max;
    struct child_tail tail; /* child_capture: its stderr */
    char *log_path;         /* NULL: none */

    double wall_limit_s;
    uint64_t memory_limit;
    uint64_t start_ns, deadline_ns; /* deadline 0: none */
    bool told_to_stop;              /* SIGTERM was sent; the deadline is now that of SIGKILL */
    bool killed;                    /* by child_kill */

    enum verdict done; /* of the `done` line; VERDICT_COUNT: none yet */
    char done_reason[900];
    uint64_t done_peak;
    double fraction;
    char what[128];

    bool ended;
    struct child_result result;
};

/* child_spawn.c: the process and its pipes; stdout and stderr are captured when `capture`. */
int child_spawn(struct child *c, const struct child_options *options, bool capture,
                struct error *err);
/* child_settle.c: the result, from the exit status of the reaped child. */
void child_settle(struct child *c, int status, const struct rusage *usage);

#endif
