#include "speed_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "stats.h"

enum { MIN_STEPS = 3, WARM_STEPS = 2, MAX_COPIES = 64 };

static const double warm_share = 0.2; /* of `seconds`, at least */

/* What the copies wait for each other with, and where their results arrive. */
struct gate {
    int ready[2], go[2], result[2];
};

static double now_s(void)
{
    return (double)fs_now_ns() / 1e9;
}

static int warm_up(const struct work_kind *kind, void *state, double seconds, struct error *err)
{
    double start = now_s();
    for (int i = 0; i < WARM_STEPS || now_s() - start < warm_share * seconds; i++)
        TRY(kind->step(state, err));
    return 0;
}

/* Everybody is warm when the parent has read a byte from each; closing `go` lets all run. */
static void meet(const struct gate *g)
{
    char byte = 'r';
    ssize_t n = write(g->ready[1], &byte, 1);
    if (n == 1)
        while ((n = read(g->go[0], &byte, 1)) < 0 && errno == EINTR)
            ;
}

static int time_steps(const struct work_kind *kind, const struct bench_options *o, void *state,
                      double seconds, struct speed_result *ret, struct error *err)
{
    size_t n = 0, cap = 0;
    double *took = NULL, start = now_s(), before = start;
    int rc = 0;
    while (rc == 0 && (n < MIN_STEPS || before - start < seconds)) {
        if (n == cap) {
            cap = cap * 2 + 1024;
            double *more = realloc(took, cap * sizeof(*took));
            if (!more) {
                rc = error_nomem(err);
                break;
            }
            took = more;
        }
        rc = kind->step(state, err);
        double after = now_s();
        took[n++] = after - before;
        before = after;
    }
    if (rc == 0) {
        double median = stats_median(took, n);
        *ret = (struct speed_result){o->batch / median, median,
                                     (double)fs_peak_rss_bytes() / 1048576.0, (uint32_t)n};
    }
    free(took);
    return rc;
}

static int measure(const struct work_kind *kind, const struct bench_options *o, double seconds,
                   const struct gate *g, struct speed_result *ret, struct error *err)
{
    void *state = NULL;
    TRY(kind->start(o, &state, err));
    int rc = warm_up(kind, state, seconds, err);
    meet(g);
    if (rc == 0)
        rc = time_steps(kind, o, state, seconds, ret, err);
    kind->end(state);
    return rc;
}

static void copy_main(const struct work_kind *kind, const struct bench_options *o, double seconds,
                      const struct gate *g)
{
    struct speed_result result;
    struct error err = ERROR_INIT;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(g->ready[0]);
    close(g->go[1]);
    close(g->result[0]);
    int rc = measure(kind, o, seconds, g, &result, &err);
    if (rc == 0 && write(g->result[1], &result, sizeof(result)) != sizeof(result))
        rc = error_errno(&err, errno, "cannot report");
    if (rc < 0)
        fprintf(stderr, "lethe-speed: %s: %s\n", kind->name, err.text);
    _exit(rc < 0 ? 1 : 0);
}

static void merge(struct speed_result *all, const struct speed_result *one)
{
    all->images_s += one->images_s;
    all->step_s = one->step_s > all->step_s ? one->step_s : all->step_s;
    all->peak_mb = one->peak_mb > all->peak_mb ? one->peak_mb : all->peak_mb;
    all->steps = all->steps == 0 || one->steps < all->steps ? one->steps : all->steps;
}

static int gate_open(struct gate *g, struct error *err)
{
    int *pipes[] = {g->ready, g->go, g->result};
    for (int i = 0; i < 3; i++)
        if (pipe(pipes[i]) < 0) {
            int why = errno;
            while (i-- > 0) {
                close(pipes[i][0]);
                close(pipes[i][1]);
            }
            return error_errno(err, why, "cannot make a pipe");
        }
    return 0;
}

/* Reads until `n` results or the end of all copies. */
static unsigned collect(const struct gate *g, unsigned n, struct speed_result *ret)
{
    struct speed_result one;
    unsigned got = 0;
    char byte;
    for (unsigned i = 0; i < n && read(g->ready[0], &byte, 1) == 1; i++)
        ;
    close(g->go[1]);
    while (got < n && read(g->result[0], &one, sizeof(one)) == sizeof(one)) {
        merge(ret, &one);
        got++;
    }
    return got;
}

int speed_run(const struct work_kind *kind, const struct bench_options *o, double seconds,
              unsigned copies, struct speed_result *ret, struct error *err)
{
    struct gate g;
    struct speed_result all = {0};
    pid_t pid[MAX_COPIES];
    unsigned started = 0, good = 0;
    if (copies < 1 || copies > MAX_COPIES)
        return error_set(err, ERR_INVALID, "copies: expected 1 to %d", MAX_COPIES);
    TRY(gate_open(&g, err));
    fflush(NULL);
    for (; started < copies; started++) {
        pid[started] = fork();
        if (pid[started] == 0)
            copy_main(kind, o, seconds, &g);
        if (pid[started] < 0)
            break;
    }
    int why = started < copies ? errno : 0;
    close(g.ready[1]);
    close(g.go[0]);
    close(g.result[1]);
    unsigned got = collect(&g, started, &all);
    close(g.ready[0]);
    close(g.result[0]);
    for (unsigned i = 0; i < started; i++) {
        int status;
        good +=
            waitpid(pid[i], &status, 0) == pid[i] && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    if (why)
        return error_errno(err, why, "cannot start a process");
    if (got < copies || good < copies)
        return error_set(err, ERR_INTERNAL, "%s: %u of %u processes failed", kind->name,
                         copies - (got < good ? got : good), copies);
    *ret = all;
    return 0;
}
