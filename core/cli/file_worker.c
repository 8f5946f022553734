/* file_worker.c: a worker on one job, and what a person sees of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "child.h"
#include "file_command.h"
#include "fs.h"
#include "log.h"
#include "text.h"

/* A status line on a terminal; in a pipe, a plain line when the work enters a new phase. */
struct status {
    const char *title;
    bool terminal, quiet, shown;
    uint64_t start_ns, last_ns;
    char last[160]; /* what the last plain line said */
};

enum { TERMINAL_NS = 100000000, PIPE_NS = 1000000000 };

static void status_clear(void *arg)
{
    struct status *s = arg;
    if (s->shown)
        fputs("\r\033[K", stderr);
    s->shown = false;
}

static void status_show(struct status *s, double fraction, const char *what)
{
    uint64_t now = fs_now_ns();
    uint64_t interval = s->terminal ? TERMINAL_NS : PIPE_NS;
    char eta[32] = "?";
    if (s->quiet || !*what || now - s->last_ns < interval ||
        (!s->terminal && strcmp(s->last, what) == 0))
        return;
    double elapsed = (double)(now - s->start_ns) / 1e9;
    if (fraction > 0 && elapsed > 1)
        text_duration(elapsed * (1 - fraction) / fraction, eta);
    fprintf(stderr, s->terminal ? "\r%s: %s (%.0f%%), ETA %s\033[K" : "%s: %s (%.0f%%), ETA %s\n",
            s->title, what, 100 * fraction, eta);
    fflush(stderr);
    s->shown = s->terminal;
    s->last_ns = now;
    snprintf(s->last, sizeof(s->last), "%s", what);
}

/* A folder for the job, its result and the worker's log. */
struct workplace {
    char *dir, *job, *result, *log;
};

static int workplace_open(struct workplace *w, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    w->dir = text_format("%s/lethe-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!w->dir)
        return error_nomem(err);
    if (!mkdtemp(w->dir)) {
        int rc = error_set(err, ERR_ENVIRONMENT,
                           "cannot make a temporary folder %s; set TMPDIR to a folder that can be "
                           "written",
                           w->dir);
        free(w->dir);
        w->dir = NULL;
        return rc;
    }
    w->job = fs_join(w->dir, "job.json");
    w->result = fs_join(w->dir, "result.json");
    w->log = fs_join(w->dir, "log.txt");
    return w->job && w->result && w->log ? 0 : error_nomem(err);
}

static void workplace_close(struct workplace *w)
{
    if (w->dir)
        fs_remove_tree(w->dir, NULL);
    free(w->dir);
    free(w->job);
    free(w->result);
    free(w->log);
}

static int take_signal(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* Until the worker or a signal ends it. */
static int watch(struct child *child, int signal_fd, struct status *status, int *ret_signal,
                 struct error *err)
{
    while (!child_ended(child) && !*ret_signal) {
        TRY(child_wait(&child, 1, 100, err));
        if (!child_ended(child))
            status_show(status, child_fraction(child), child_what(child));
        *ret_signal = take_signal(signal_fd);
    }
    if (child_ended(child))
        *ret_signal = 0; /* too late: the result is there */
    return 0;
}

/* The reason is the worker's own text; its code, when it left one, says whose mistake it was. */
static int failed(const struct child_result *r, const struct workplace *w, struct error *err)
{
    json_t *o = NULL;
    json_int_t code = 0;
    if (r->verdict != VERDICT_FAILED)
        return error_set(err, ERR_INTERNAL, "the worker %s: %s", verdict_name(r->verdict),
                         r->reason);
    if (json_read_file(w->result, &o, NULL) == 0)
        json_get_int(o, w->result, "code", &code, NULL);
    json_decref(o);
    return error_set(err, code < 0 ? (int)code : ERR_INTERNAL, "%s", r->reason);
}

static int take_result(const struct workplace *w, json_t **ret, struct error *err)
{
    json_t *o = NULL;
    TRY(json_read_file(w->result, &o, err));
    json_t *result = json_incref(json_object_get(o, "result"));
    json_decref(o);
    if (!json_is_object(result)) {
        json_decref(result);
        return error_set(err, ERR_INTERNAL, "%s: the worker left no result", w->result);
    }
    const char *warning = json_string_value(json_object_get(result, "warning"));
    if (warning)
        log_warning("%s", warning);
    json_object_del(result, "warning");
    *ret = result;
    return 0;
}

/* What plugins had to say, warnings first of all. */
static void show_log(const struct workplace *w, const struct status *status)
{
    char *text = NULL;
    size_t n = 0;
    if (!status->quiet && fs_read(w->log, 65536, &text, &n, NULL) == 0 && n > 0)
        fwrite(text, 1, n, stderr);
    free(text);
}

static int work(const struct workplace *w, int signal_fd, struct status *status, json_t **ret,
                int *ret_signal, struct error *err)
{
    const char *const args[] = {"files", w->job, NULL};
    struct child_options o = {.args = args, .log_path = w->log};
    struct child *child = NULL;
    char *worker = child_worker_path(err);
    if (!worker)
        return err->code;
    o.program = worker;
    int rc = child_start(&o, &child, err);
    if (rc == 0)
        rc = watch(child, signal_fd, status, ret_signal, err);
    status_clear(status);
    if (rc == 0 && !*ret_signal && child_result(child)->verdict == VERDICT_OK)
        show_log(w, status);
    if (rc == 0 && !*ret_signal)
        rc = child_result(child)->verdict == VERDICT_OK ? take_result(w, ret, err)
                                                        : failed(child_result(child), w, err);
    child_free(child);
    free(worker);
    return rc;
}

static int run(const struct file_options *o, const char *title, json_t *job, json_t **ret,
               int *ret_signal, struct error *err)
{
    struct workplace w = {0};
    struct status status = {.title = title,
                            .terminal = isatty(STDERR_FILENO) == 1,
                            .quiet = o->quiet,
                            .start_ns = fs_now_ns(),
                            .last_ns = fs_now_ns()};
    sigset_t mask, old;
    TRY(workplace_open(&w, err));
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, &old);
    int signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    int rc = signal_fd >= 0 ? 0 : error_set(err, ERR_IO, "signalfd: cannot watch for Ctrl-C");
    if (rc == 0 && json_object_set_new(job, "result", json_string(w.result)) != 0)
        rc = error_nomem(err);
    if (rc == 0)
        rc = json_write_file(w.job, job, err);
    log_set_hooks(status_clear, NULL, &status);
    if (rc == 0)
        rc = work(&w, signal_fd, &status, ret, ret_signal, err);
    log_set_hooks(NULL, NULL, NULL);
    if (signal_fd >= 0)
        close(signal_fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
    workplace_close(&w);
    return rc;
}

int file_run(const struct file_options *o, const char *title, json_t *job, json_t **ret,
             int *ret_signal, struct error *err)
{
    json_t *result = NULL;
    int signal = 0;
    int rc = job ? run(o, title, job, &result, &signal, err) : error_nomem(err);
    json_decref(job);
    if (rc == 0) {
        *ret = result;
        *ret_signal = signal;
    }
    return rc;
}
