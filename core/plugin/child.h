/* child.h: worker processes, seen from the parent: start, watch, end. Every
 * child leads its own process group and dies with its parent. */
#ifndef PLUGIN_CHILD_H
#define PLUGIN_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "verdict.h"

struct child_options {
    const char *program;     /* path of lethe-worker */
    const char *const *args; /* NULL-ended, without the program's name */
    const char *log_path;    /* stdout and stderr go here (created); NULL: /dev/null */
    double wall_limit_s;     /* 0: none. Then SIGTERM, 2 s later SIGKILL to the whole group */
    uint64_t memory_limit;   /* bytes; 0: none. The worker sets it, this is for the verdict `oom` */
};

struct child_result {
    enum verdict verdict;
    int signal;       /* CRASHED: the signal */
    char reason[900]; /* the worker's own text, or what happened */
    double wall_s, cpu_s;
    uint64_t peak_bytes;
};

struct child;
int child_start(const struct child_options *options, struct child **ret, struct error *err);
/* Waits up to timeout_ms for events or ends of any of the children; reads what is there and
 * enforces time limits. Returns how many have ended (see child_ended), negative on failure. */
int child_wait(struct child **children, unsigned n, int timeout_ms, struct error *err);
bool child_ended(const struct child *c);
const struct child_result *child_result(const struct child *c); /* after the end */
double child_fraction(const struct child *c);                   /* last progress, 0 before any */
uint64_t child_held_bytes(const struct child *c); /* resident now; 0 when that cannot be read */
const char *child_what(const struct child *c);
void child_kill(struct child *c); /* the whole group, at once; then wait for its end */
void child_free(struct child *c); /* kills it when still running; accepts NULL */

/* Runs to the end and returns stdout as text (at most max_bytes): for `lethe-worker describe`. */
int child_capture(const struct child_options *options, size_t max_bytes, char **ret_text,
                  struct child_result *ret, struct error *err);

/* $LETHE_WORKER, else lethe-worker beside this program, else ../libexec/lethe/lethe-worker.
 * malloc'd; NULL with an error. */
char *child_worker_path(struct error *err);

#endif
