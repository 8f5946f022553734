#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_internal.h"
#include "clean_text.h"
#include "events.h"
#include "fs.h"
#include "json.h"
#include "text.h"

#define GRACE_NS 2000000000ull /* from SIGTERM to SIGKILL */

/* A pipe is read at most so often in a row: one that never runs dry must not hold up the rest. The
 * last reading covers the largest pipe (1 MiB). */
enum { MAX_READS = 16, MAX_LAST_READS = 1024 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int start(const struct child_options *o, bool capture, size_t max_bytes, struct child **ret,
                 struct error *err)
{
    struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return error_nomem(err);
    c->pidfd = c->event_fd = c->out_fd = c->tail.fd = -1;
    c->done = VERDICT_COUNT;
    c->out_max = max_bytes;
    c->wall_limit_s = o->wall_limit_s;
    c->memory_limit = o->memory_limit;
    strbuf_init(&c->out);
    c->start_ns = fs_now_ns();
    if (o->wall_limit_s > 0)
        c->deadline_ns = c->start_ns + (uint64_t)(o->wall_limit_s * 1e9);
    int rc = child_spawn(c, o, capture, err);
    if (rc < 0) {
        child_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int child_start(const struct child_options *options, struct child **ret, struct error *err)
{
    return start(options, false, 0, ret, err);
}

/* ---- what comes through the pipes ---- */

/* Lines that are no event are passed over: plugins can write here too. */
static void take_line(struct child *c, size_t n)
{
    json_t *o = json_loadb(c->line, n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *fraction = json_object_get(o, "progress"), *what = json_object_get(o, "what");
    const json_t *done = json_object_get(o, "done"), *reason = json_object_get(o, "reason");
    const json_t *peak = json_object_get(o, "peak");
    enum verdict verdict = verdict_from_name(json_string_value(done));
    if (json_is_number(fraction))
        c->fraction = json_number_value(fraction);
    if (json_is_string(what))
        clean_text(json_string_value(what), json_string_length(what), c->what, sizeof(c->what));
    if (verdict != VERDICT_COUNT && c->done == VERDICT_COUNT) {
        c->done = verdict;
        if (json_is_string(reason))
            clean_text(json_string_value(reason), json_string_length(reason), c->done_reason,
                       sizeof(c->done_reason));
        if (json_is_integer(peak) && json_integer_value(peak) > 0)
            c->done_peak = (uint64_t)json_integer_value(peak);
    }
    json_decref(o);
}

static void take_lines(struct child *c)
{
    for (;;) {
        char *newline = memchr(c->line, '\n', c->line_n);
        if (!newline)
            break;
        size_t n = (size_t)(newline - c->line);
        if (!c->line_too_long)
            take_line(c, n);
        c->line_too_long = false;
        c->line_n -= n + 1;
        memmove(c->line, newline + 1, c->line_n);
    }
    if (c->line_n == sizeof(c->line)) { /* drop what is no event line */
        c->line_too_long = true;
        c->line_n = 0;
    }
}

static ssize_t read_some(int fd, void *to, size_t n)
{
    ssize_t got;
    do {
        got = read(fd, to, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* End of file closes the pipe: it would always be ready. */
static void read_events(struct child *c, int max_reads)
{
    while (c->event_fd >= 0 && max_reads-- > 0) {
        ssize_t n = read_some(c->event_fd, c->line + c->line_n, sizeof(c->line) - c->line_n);
        if (n < 0)
            return;
        if (n == 0)
            close_fd(&c->event_fd);
        c->line_n += (size_t)n;
        take_lines(c);
    }
}

static void read_out(struct child *c, int max_reads)
{
    char bytes[16384];
    while (c->out_fd >= 0 && c->out.len <= c->out_max && max_reads-- > 0) {
        ssize_t n = read_some(c->out_fd, bytes, sizeof(bytes));
        if (n < 0)
            return;
        if (n == 0)
            close_fd(&c->out_fd);
        strbuf_add(&c->out, bytes, (size_t)n);
    }
    if (c->out.len > c->out_max)
        close_fd(&c->out_fd); /* too much: it gets SIGPIPE */
}

static void read_tail(struct child_tail *t, int max_reads)
{
    char bytes[sizeof(t->bytes)];
    while (t->fd >= 0 && max_reads-- > 0) {
        ssize_t n = read_some(t->fd, bytes, sizeof(bytes));
        if (n < 0)
            return;
        if (n == 0)
            close_fd(&t->fd);
        size_t keep = sizeof(t->bytes) - (size_t)n;
        keep = keep < t->n ? keep : t->n;
        memmove(t->bytes, t->bytes + t->n - keep, keep);
        memcpy(t->bytes + keep, bytes, (size_t)n);
        t->n = keep + (size_t)n;
    }
}

static void read_all(struct child *c, int max_reads)
{
    read_events(c, max_reads);
    read_out(c, max_reads);
    read_tail(&c->tail, max_reads);
}

/* ---- its end ---- */

/* The leader is gone but not reaped, so the group's number is still its own: whatever it left
 * behind ends now, before the number can be used again. */
static void reap(struct child *c)
{
    struct rusage usage = {0};
    int status = 0;
    pid_t rc;
    c->result.wall_s = (double)(fs_now_ns() - c->start_ns) / 1e9;
    kill(-c->pid, SIGKILL);
    do {
        rc = wait4(c->pid, &status, 0, &usage);
    } while (rc < 0 && errno == EINTR);
    read_all(c, MAX_LAST_READS);
    child_settle(c, status, &usage);
    close_fd(&c->event_fd);
    close_fd(&c->out_fd);
    close_fd(&c->tail.fd);
    close_fd(&c->pidfd);
}

static void enforce_deadline(struct child *c, uint64_t now_ns)
{
    if (c->ended || c->deadline_ns == 0 || now_ns < c->deadline_ns)
        return;
    kill(-c->pid, c->told_to_stop ? SIGKILL : SIGTERM);
    c->deadline_ns = c->told_to_stop ? 0 : now_ns + GRACE_NS;
    c->told_to_stop = true;
}

/* ---- waiting ---- */

enum { FDS_PER_CHILD = 4 };

static void watch(const struct child *c, struct pollfd *p)
{
    int fds[FDS_PER_CHILD] = {c->pidfd, c->event_fd, c->out_fd, c->tail.fd};
    for (int i = 0; i < FDS_PER_CHILD; i++)
        p[i] = (struct pollfd){c->ended ? -1 : fds[i], POLLIN, 0};
}

/* Milliseconds until the first deadline, at most timeout_ms (negative: no limit). */
static int until_deadline(struct child **children, unsigned n, int timeout_ms)
{
    uint64_t now = fs_now_ns();
    for (unsigned i = 0; i < n; i++) {
        const struct child *c = children[i];
        if (c->ended || c->deadline_ns == 0)
            continue;
        uint64_t left = c->deadline_ns > now ? (c->deadline_ns - now) / 1000000 + 1 : 0;
        if (timeout_ms < 0 || left < (uint64_t)timeout_ms)
            timeout_ms = left < 1000000000 ? (int)left : 1000000000;
    }
    return timeout_ms;
}

static unsigned count_ended(struct child **children, unsigned n)
{
    unsigned ended = 0;
    for (unsigned i = 0; i < n; i++)
        ended += children[i]->ended;
    return ended;
}

int child_wait(struct child **children, unsigned n, int timeout_ms, struct error *err)
{
    struct pollfd *fds = calloc((size_t)n * FDS_PER_CHILD + 1, sizeof(*fds));
    if (!fds)
        return error_nomem(err);
    for (unsigned i = 0; i < n; i++)
        watch(children[i], fds + (size_t)i * FDS_PER_CHILD);
    if (count_ended(children, n) > 0)
        timeout_ms = 0;
    int rc = poll(fds, (nfds_t)n * FDS_PER_CHILD, until_deadline(children, n, timeout_ms));
    int why = errno;
    uint64_t now = fs_now_ns();
    for (unsigned i = 0; i < n && rc >= 0; i++) {
        struct child *c = children[i];
        if (c->ended)
            continue;
        bool gone = fds[(size_t)i * FDS_PER_CHILD].revents != 0;
        read_all(c, MAX_READS);
        if (gone)
            reap(c);
        else
            enforce_deadline(c, now);
    }
    free(fds);
    if (rc < 0 && why != EINTR)
        return error_errno(err, why, "cannot wait for workers");
    return (int)count_ended(children, n);
}

bool child_ended(const struct child *c)
{
    return c->ended;
}

const struct child_result *child_result(const struct child *c)
{
    return &c->result;
}

double child_fraction(const struct child *c)
{
    return c->fraction;
}

uint64_t child_held_bytes(const struct child *c)
{
    char path[64], *text = NULL;
    unsigned long long pages = 0;
    size_t n;
    snprintf(path, sizeof(path), "/proc/%lld/statm", (long long)c->pid);
    if (fs_read(path, 4096, &text, &n, NULL) < 0)
        return 0;
    sscanf(text, "%*u %llu", &pages);
    free(text);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

const char *child_what(const struct child *c)
{
    return c->what;
}

void child_kill(struct child *c)
{
    if (c->ended || c->pid <= 0)
        return;
    c->killed = true;
    reap(c);
}

void child_free(struct child *c)
{
    if (!c)
        return;
    child_kill(c);
    close_fd(&c->event_fd);
    close_fd(&c->out_fd);
    close_fd(&c->tail.fd);
    close_fd(&c->pidfd);
    strbuf_release(&c->out);
    free(c->log_path);
    free(c);
}

int child_capture(const struct child_options *options, size_t max_bytes, char **ret_text,
                  struct child_result *ret, struct error *err)
{
    struct child *c = NULL;
    int rc = start(options, true, max_bytes, &c, err);
    while (rc >= 0 && !c->ended)
        rc = child_wait(&c, 1, -1, err);
    if (rc >= 0 && c->out.len > max_bytes)
        rc = error_set(err, ERR_OUTPUT, "%s printed more than %zu bytes", options->program,
                       max_bytes);
    if (rc >= 0) {
        *ret = c->result;
        *ret_text = strbuf_detach(&c->out);
        rc = *ret_text ? 0 : error_nomem(err);
    }
    child_free(c);
    return rc < 0 ? rc : 0;
}

char *child_worker_path(struct error *err)
{
    static const char *const places[] = {"lethe-worker", "../libexec/lethe/lethe-worker"};
    const char *named = getenv("LETHE_WORKER");
    if (named && *named) {
        char *copy = text_dup(named);
        if (!copy)
            error_nomem(err);
        return copy;
    }
    char *dir = fs_program_dir();
    for (size_t i = 0; dir && i < sizeof(places) / sizeof(places[0]); i++) {
        char *path = fs_join(dir, places[i]);
        if (path && access(path, X_OK) == 0) {
            free(dir);
            return path;
        }
        free(path);
    }
    error_set(err, ERR_ENVIRONMENT,
              "lethe-worker is neither in %s nor in ../libexec/lethe beside it; build or install "
              "it, or name it in $LETHE_WORKER",
              dir ? dir : "the program's folder");
    free(dir);
    return NULL;
}
