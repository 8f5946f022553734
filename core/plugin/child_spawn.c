/* Starting a worker: descriptors, environment, process group. posix_spawn costs the same
 * however much memory this process holds, and reports a failing exec as an error. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "child_internal.h"
#include "events.h"
#include "text.h"

extern char **environ;

enum { SAFE_FD = 10 }; /* pipes lie above the numbers that the child's descriptors get */

struct spawn_pipes {
    int event_fd, out_fd, err_fd; /* ends of the child; -1: none */
};

/* ret[0] reads without blocking, ret[1] is for the child. */
static int open_pipe(int ret[2], struct error *err)
{
    int fd[2], high[2] = {-1, -1};
    if (pipe2(fd, O_CLOEXEC) < 0)
        return error_errno(err, errno, "cannot make a pipe to a worker");
    for (int i = 0; i < 2; i++)
        high[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, SAFE_FD);
    int failed = high[0] < 0 || high[1] < 0 || fcntl(high[0], F_SETFL, O_NONBLOCK) < 0;
    int why = errno;
    close(fd[0]);
    close(fd[1]);
    if (!failed) {
        ret[0] = high[0];
        ret[1] = high[1];
        return 0;
    }
    for (int i = 0; i < 2; i++)
        if (high[i] >= 0)
            close(high[i]);
    return error_errno(err, why, "cannot make a pipe to a worker");
}

static int open_pipes(struct child *c, bool capture, struct spawn_pipes *p, struct error *err)
{
    int fd[2];
    TRY(open_pipe(fd, err));
    c->event_fd = fd[0];
    p->event_fd = fd[1];
    if (!capture)
        return 0;
    TRY(open_pipe(fd, err));
    c->out_fd = fd[0];
    p->out_fd = fd[1];
    if (c->log_path)
        return 0;
    TRY(open_pipe(fd, err));
    c->tail.fd = fd[0];
    p->err_fd = fd[1];
    return 0;
}

static void close_pipes(struct spawn_pipes *p)
{
    int fds[] = {p->event_fd, p->out_fd, p->err_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* 0 or an errno value. Opening the log here, not in the child, gives a clear error. */
static int add_files(posix_spawn_file_actions_t *a, const struct spawn_pipes *p, int log_fd)
{
    int rc = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, p->out_fd >= 0 ? p->out_fd : log_fd, 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, p->err_fd >= 0 ? p->err_fd : log_fd, 2);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(a, p->event_fd, EVENTS_FD);
    return rc ? rc : posix_spawn_file_actions_addclosefrom_np(a, EVENTS_FD + 1);
}

/* Its own group, no blocked signals, default actions: whatever this process has set up. */
static int add_attributes(posix_spawnattr_t *a)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawnattr_setpgroup(a, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(a, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(a, &all);
    return rc ? rc
              : posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
}

/* This environment with one thread for OpenBLAS and OpenMP: the worker's own pool does the rest.
 * The array is malloc'd, its strings are not. */
static char **make_environment(void)
{
    static const char *const fixed[] = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"};
    const size_t n_fixed = sizeof(fixed) / sizeof(fixed[0]);
    size_t n = 0, used = 0;
    while (environ && environ[n])
        n++;
    char **env = calloc(n + n_fixed + 1, sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        bool ours = false;
        for (size_t k = 0; k < n_fixed; k++)
            ours |= strncmp(environ[i], fixed[k], strcspn(fixed[k], "=") + 1) == 0;
        if (!ours)
            env[used++] = environ[i];
    }
    for (size_t k = 0; k < n_fixed; k++)
        env[used++] = (char *)fixed[k];
    return env;
}

/* The program's name and the given arguments; the array is malloc'd. */
static char **make_arguments(const struct child_options *o)
{
    size_t n = 0;
    while (o->args && o->args[n])
        n++;
    char **argv = calloc(n + 2, sizeof(*argv));
    if (!argv)
        return NULL;
    argv[0] = (char *)o->program;
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = (char *)o->args[i];
    return argv;
}

static int open_log(const struct child *c, int *ret_fd, struct error *err)
{
    const char *path = c->log_path ? c->log_path : "/dev/null";
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SAFE_FD);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (high < 0)
        return error_errno(err, why, "cannot write the log %s", path);
    *ret_fd = high;
    return 0;
}

static int spawn(struct child *c, const struct child_options *o, const struct spawn_pipes *p,
                 int log_fd, struct error *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char **argv = make_arguments(o), **env = make_environment();
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    int why = argv && env ? add_files(&files, p, log_fd) : ENOMEM;
    if (why == 0)
        why = add_attributes(&attributes);
    if (why == 0)
        why = posix_spawn(&c->pid, o->program, &files, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    free(argv);
    free(env);
    if (why == 0)
        return 0;
    c->pid = 0;
    return error_set(err, why == ENOMEM ? ERR_NOMEM : ERR_ENVIRONMENT,
                     "cannot start the worker %s: %s", o->program, strerrordesc_np(why));
}

int child_spawn(struct child *c, const struct child_options *o, bool capture, struct error *err)
{
    struct spawn_pipes pipes = {-1, -1, -1};
    int log_fd = -1;
    if (o->log_path && !(c->log_path = text_dup(o->log_path)))
        return error_nomem(err);
    int rc = open_pipes(c, capture, &pipes, err);
    if (rc == 0)
        rc = open_log(c, &log_fd, err);
    if (rc == 0)
        rc = spawn(c, o, &pipes, log_fd, err);
    close_pipes(&pipes);
    if (log_fd >= 0)
        close(log_fd);
    if (rc < 0)
        return rc;
    c->pidfd = pidfd_open(c->pid, 0);
    return c->pidfd >= 0 ? 0 : error_errno(err, errno, "cannot watch a worker (pidfd_open)");
}
