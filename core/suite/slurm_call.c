#include "slurm_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "strbuf.h"

extern char **environ;

enum { PATIENCE_S = 60 };

struct call {
    pid_t pid;
    int fd[2]; /* what it prints: standard output, standard error; -1: closed */
    struct strbuf text[2];
};

/* The caller blocks signals that it reads from a descriptor; the program must not inherit that. */
static int spawn(const char *const *argv, const int ends[2], pid_t *ret, struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    int why =
        posix_spawnp(ret, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (why == ENOENT)
        return error_set(err, ERR_ENVIRONMENT,
                         "%s is not installed here (Debian and Ubuntu: apt install slurm-client); "
                         "without a cluster use --executor local",
                         argv[0]);
    return why ? error_errno(err, why, "cannot run %s", argv[0]) : 0;
}

static int start(const char *const *argv, struct call *c, struct error *err)
{
    int pipes[2][2] = {{-1, -1}, {-1, -1}};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            rc = error_errno(err, errno, "pipe");
    const int ends[2] = {pipes[0][1], pipes[1][1]};
    if (rc == 0)
        rc = spawn(argv, ends, &c->pid, err);
    for (int i = 0; i < 2; i++) {
        if (pipes[i][1] >= 0)
            close(pipes[i][1]);
        if (rc < 0 && pipes[i][0] >= 0)
            close(pipes[i][0]);
        c->fd[i] = rc < 0 ? -1 : pipes[i][0];
    }
    return rc;
}

static void read_some(struct call *c, int i)
{
    char bytes[16384];
    ssize_t n = read(c->fd[i], bytes, sizeof(bytes));
    if (n < 0 && errno == EINTR)
        return;
    if (n > 0) {
        strbuf_add(&c->text[i], bytes, (size_t)n);
        return;
    }
    close(c->fd[i]);
    c->fd[i] = -1;
}

/* Until it closes both pipes. */
static int listen_to(struct call *c, const char *name, int cancel_fd, struct error *err)
{
    uint64_t deadline = fs_now_ns() + PATIENCE_S * 1000000000ull;
    while (c->fd[0] >= 0 || c->fd[1] >= 0) {
        struct pollfd p[3] = {{c->fd[0], POLLIN, 0}, {c->fd[1], POLLIN, 0}, {cancel_fd, POLLIN, 0}};
        uint64_t now = fs_now_ns();
        if (now >= deadline)
            return error_set(err, ERR_IO, "%s did not end within %d s", name, PATIENCE_S);
        if (poll(p, 3, (int)((deadline - now) / 1000000) + 1) < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        if (p[2].revents)
            return error_set(err, ERR_CANCELLED, "%s was interrupted", name);
        for (int i = 0; i < 2; i++)
            if (p[i].revents)
                read_some(c, i);
    }
    return 0;
}

static void trim(struct strbuf *b)
{
    while (b->len > 0 && (b->s[b->len - 1] == '\n' || b->s[b->len - 1] == ' '))
        b->s[--b->len] = '\0';
}

static int end(struct call *c, const char *name, int rc, struct error *err)
{
    int status = 0;
    if (rc < 0)
        kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    for (int i = 0; i < 2; i++) {
        if (c->fd[i] >= 0)
            close(c->fd[i]);
        trim(&c->text[i]);
    }
    if (rc == 0 && (c->text[0].failed || c->text[1].failed))
        rc = error_nomem(err);
    const struct strbuf *said = &c->text[c->text[1].len ? 1 : 0];
    if (rc == 0 && status != 0)
        rc = said->len ? error_set(err, ERR_IO, "%.*s", (int)strcspn(said->s, "\n"), said->s)
                       : error_set(err, ERR_IO, "%s failed without a message", name);
    return rc;
}

int slurm_call(const char *const *argv, int cancel_fd, char **ret_text, struct error *err)
{
    struct call c = {.pid = -1, .fd = {-1, -1}};
    char *text = NULL;
    for (int i = 0; i < 2; i++)
        strbuf_init(&c.text[i]);
    int rc = start(argv, &c, err);
    if (rc == 0)
        rc = end(&c, argv[0], listen_to(&c, argv[0], cancel_fd, err), err);
    if (rc == 0 && !(text = strbuf_detach(&c.text[0])))
        rc = error_nomem(err);
    for (int i = 0; i < 2; i++)
        strbuf_release(&c.text[i]);
    if (rc == 0)
        *ret_text = text;
    return rc;
}
