/* From an exit status and what the worker reported to a verdict. Reasons go into tables that
 * must not change between equal runs: no numbers that vary, no paths, no process ids. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_internal.h"
#include "clean_text.h"
#include "text.h"

/* Close to the limit counts: what a process holds when an allocation fails lies below it. */
static const double near_limit = 0.8;

__attribute__((format(printf, 3, 4))) static void conclude(struct child *c, enum verdict verdict,
                                                           const char *format, ...)
{
    char text[sizeof(c->result.reason) * 2];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    c->result.verdict = verdict;
    clean_text(text, length, c->result.reason, sizeof(c->result.reason));
}

static void read_log_end(const char *path, struct child_tail *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    ret->n = 0;
    if (size > 0) {
        off_t start = size > (off_t)sizeof(ret->bytes) ? size - (off_t)sizeof(ret->bytes) : 0;
        ssize_t n = pread(fd, ret->bytes, sizeof(ret->bytes), start);
        ret->n = n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
}

static void last_words(struct child *c, char *out, size_t cap)
{
    if (c->log_path)
        read_log_end(c->log_path, &c->tail);
    clean_last_line(c->tail.bytes, c->tail.n, out, cap);
}

static bool near_memory_limit(const struct child *c)
{
    return c->memory_limit > 0 &&
           (double)c->result.peak_bytes >= near_limit * (double)c->memory_limit;
}

static void conclude_timeout(struct child *c)
{
    char limit[32];
    text_duration(c->wall_limit_s, limit);
    conclude(c, VERDICT_TIMEOUT, "ran longer than the limit of %s", limit);
}

static void conclude_signal(struct child *c, int sig)
{
    const char *abbreviation = sigabbrev_np(sig), *description = sigdescr_np(sig);
    if (c->killed) {
        conclude(c, VERDICT_FAILED, "stopped before its end");
    } else if (c->told_to_stop && (sig == SIGTERM || sig == SIGKILL)) {
        conclude_timeout(c);
    } else if (sig == SIGXCPU) {
        conclude(c, VERDICT_TIMEOUT, "used more processor time than its limit");
    } else if (sig == SIGKILL && near_memory_limit(c)) {
        conclude(c, VERDICT_OOM, "killed near its memory limit");
    } else {
        char line[400];
        last_words(c, line, sizeof(line));
        c->result.signal = sig;
        conclude(c, VERDICT_CRASHED, "killed by SIG%s (%s)%s%s%s",
                 abbreviation ? abbreviation : "?", description ? description : "unknown signal",
                 near_memory_limit(c) ? ", near its memory limit" : "", *line ? ": " : "", line);
    }
}

static void conclude_exit(struct child *c, int status)
{
    char line[400];
    if (c->done == VERDICT_OK) {
        conclude(c, VERDICT_FAILED, "reported success, then ended with exit status %d", status);
        return;
    }
    last_words(c, line, sizeof(line));
    if (c->told_to_stop)
        conclude_timeout(c);
    else if (status == 0)
        conclude(c, VERDICT_VANISHED, "exited with status 0 without reporting a result%s%s",
                 *line ? ": " : "", line);
    else
        conclude(c, VERDICT_FAILED, "exit status %d%s%s", status, *line ? ": " : "", line);
}

static void conclude_done(struct child *c)
{
    if (c->told_to_stop && c->done == VERDICT_FAILED)
        conclude_timeout(c); /* it heard that it was to stop */
    else
        conclude(c, c->done, "%s", c->done_reason);
}

void child_settle(struct child *c, int status, const struct rusage *u)
{
    c->result.cpu_s = (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
                      (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
    /* ru_maxrss starts with what this process held when it spawned the child; the worker's own
     * number does not. */
    c->result.peak_bytes = c->done_peak ? c->done_peak : (uint64_t)u->ru_maxrss * 1024;
    if (c->done != VERDICT_COUNT && c->done != VERDICT_OK)
        conclude_done(c);
    else if (WIFSIGNALED(status))
        conclude_signal(c, WTERMSIG(status));
    else if (c->done == VERDICT_OK && WEXITSTATUS(status) == 0)
        conclude(c, VERDICT_OK, "%s", "");
    else
        conclude_exit(c, WEXITSTATUS(status));
    c->ended = true;
}
