/* events.h: what a worker tells its parent, one JSON object a line on the event
 * pipe; lines of at most PIPE_BUF bytes are atomic. Only a `done` line makes a
 * result: exit status 0 without one is `vanished`.
 *   {"progress": 0.4, "what": "epoch 3/15"}
 *   {"done": "ok"}   {"done": "failed", "reason": "..."} */
#ifndef PLUGIN_EVENTS_H
#define PLUGIN_EVENTS_H

#include "error.h"
#include "verdict.h"

#define EVENTS_FD 3 /* the pipe's number in the worker */

/* fd -1 sends nothing. Progress is thinned to one line per 100 ms. */
struct events {
    int fd;
    unsigned long long last_ns;
};
void events_progress(struct events *e, double fraction, const char *what);
void events_done(struct events *e, enum verdict verdict, const char *reason);

#endif
