#include "events.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clean_text.h"
#include "fs.h"
#include "json.h"

#define PROGRESS_INTERVAL_NS 100000000ull

/* One write: lines of at most PIPE_BUF bytes do not mix with those of other writers. */
static void send_line(int fd, const json_t *o)
{
    char line[PIPE_BUF];
    size_t n = json_dumpb(o, line, sizeof(line) - 1, JSON_COMPACT);
    if (n == 0 || n > sizeof(line) - 1)
        return;
    line[n++] = '\n';
    ssize_t rc;
    do {
        rc = write(fd, line, n);
    } while (rc < 0 && errno == EINTR);
}

/* A parent that does not read must not stop the work for the sake of a progress line. */
static int has_room(int fd)
{
    struct pollfd p = {fd, POLLOUT, 0};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

void events_progress(struct events *e, double fraction, const char *what)
{
    char text[128];
    unsigned long long now = fs_now_ns();
    if (!e || e->fd < 0 || (e->last_ns && now - e->last_ns < PROGRESS_INTERVAL_NS) ||
        !has_room(e->fd))
        return;
    e->last_ns = now;
    clean_text(what ? what : "", what ? strlen(what) : 0, text, sizeof(text));
    fraction = fraction > 0 ? fmin(fraction, 1) : 0;
    json_t *o = json_pack("{s:f,s:s}", "progress", fraction, "what", text);
    if (o)
        send_line(e->fd, o);
    json_decref(o);
}

void events_done(struct events *e, enum verdict verdict, const char *reason)
{
    char text[900]; /* escaped at most twice as long: the line fits into PIPE_BUF */
    if (!e || e->fd < 0)
        return;
    clean_text(reason ? reason : "", reason ? strlen(reason) : 0, text, sizeof(text));
    json_t *o = json_pack("{s:s,s:s,s:I}", "done", verdict_name(verdict), "reason", text, "peak",
                          (json_int_t)fs_peak_rss_bytes());
    if (o)
        send_line(e->fd, o);
    json_decref(o);
}
