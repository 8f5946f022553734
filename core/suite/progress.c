#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs.h"
#include "log.h"
#include "run_events.h"
#include "strbuf.h"
#include "text.h"

void progress_init(struct progress *p, const struct plan *plan, unsigned jobs, bool quiet)
{
    *p = (struct progress){.terminal = isatty(STDERR_FILENO) == 1,
                           .quiet = quiet,
                           .start_ns = fs_now_ns(),
                           .n_total = plan->n,
                           .jobs = jobs};
    for (unsigned i = 0; i < plan->n; i++) {
        if (plan->task[i].state == TASK_DONE)
            p->n_cached++;
        else
            p->weight_total += plan->task[i].weight;
    }
    p->n_done = p->n_cached;
}

double progress_eta(const struct progress *p, const struct progress_running *running, unsigned n)
{
    double done = p->weight_done, elapsed = (double)(fs_now_ns() - p->start_ns) / 1e9;
    for (unsigned i = 0; i < n; i++)
        done += running[i].fraction * running[i].task->weight;
    if (done <= 0 || elapsed < 1)
        return -1;
    return (p->weight_total - done) * elapsed / done;
}

void progress_clear(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

void progress_task(struct progress *p, const struct task *t)
{
    char took[32], eta[32] = "?";
    p->n_done++;
    p->weight_done += t->weight;
    bool bad = t->state != TASK_DONE;
    p->n_failed += bad;
    run_events_ended(p->events, t, p);
    if (p->quiet)
        return;
    if (bad) {
        progress_clear(p);
        log_warning("%s: %s%s%s", t->title,
                    t->state == TASK_SKIPPED ? "skipped" : verdict_name(t->verdict),
                    t->reason ? ": " : "", t->reason ? t->reason : "");
        return;
    }
    if (p->terminal)
        return;
    double left = progress_eta(p, NULL, 0);
    if (left >= 0)
        text_duration(left, eta);
    text_duration(t->wall_s, took);
    fprintf(stderr, "[%u/%u] %s (%s), ETA %s\n", p->n_done, p->n_total, t->title, took, eta);
}

static unsigned terminal_width(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

void progress_show(struct progress *p, const struct progress_running *running, unsigned n)
{
    uint64_t now = fs_now_ns();
    run_events_progress(p->events, p, running, n);
    if (!p->terminal || p->quiet || now - p->last_ns < 100000000)
        return;
    p->last_ns = now;
    struct strbuf line;
    char eta[32] = "?";
    double left = progress_eta(p, running, n);
    if (left >= 0)
        text_duration(left, eta);
    strbuf_init(&line);
    strbuf_addf(&line, "[%u/%u]", p->n_done, p->n_total);
    if (p->n_failed)
        strbuf_addf(&line, " %u failed,", p->n_failed);
    strbuf_addf(&line, " ETA %s |", eta);
    for (unsigned i = 0; i < n; i++) {
        char took[32];
        text_duration(running[i].elapsed_s, took);
        strbuf_addf(&line, "%s %.0f%% %s %s", i ? "," : "", 100 * running[i].fraction, took,
                    running[i].task->title);
    }
    unsigned width = terminal_width() - 1;
    fprintf(stderr, "\r%.*s\033[K", (int)(line.len < width ? line.len : width), line.s);
    fflush(stderr);
    p->shown = true;
    strbuf_release(&line);
}
