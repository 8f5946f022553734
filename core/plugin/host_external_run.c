/* The command of an external plugin as a child of the worker: in its process group, which the
 * parent ends as a whole, under its limits, with its standard output and error. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clean_text.h"
#include "host_external.h"
#include "log.h"
#include "text.h"

extern char **environ;

enum { STATUS_UNSUPPORTED = 77 /* what test programs say for "skipped" */, CANNOT_RUN = 127 };

/* ---- the environment ---- */

/* Equal inputs give equal bytes: no seed that Python draws for itself, nothing left beside the
 * manifest. */
static const char *const fixed[] = {"PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1"};
#define N_FIXED (sizeof(fixed) / sizeof(fixed[0]))

static bool is_ours(const char *variable)
{
    bool ours = text_starts(variable, "LETHE_JOB=");
    for (size_t i = 0; i < N_FIXED; i++)
        ours = ours || strncmp(variable, fixed[i], strcspn(fixed[i], "=") + 1) == 0;
    return ours;
}

/* The array is malloc'd; its strings are the environment's, but for `job`. */
static char **make_environment(char *job)
{
    size_t n = 0, used = 0;
    while (environ && environ[n])
        n++;
    char **env = calloc(n + N_FIXED + 2, sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_ours(environ[i]))
            env[used++] = environ[i];
    for (size_t i = 0; i < N_FIXED; i++)
        env[used++] = (char *)fixed[i];
    env[used] = job;
    return env;
}

/* ---- the process ---- */

/* Between fork and exec, in a process that had threads: system calls alone. */
__attribute__((noreturn)) static void become(const struct external_call *e, char **env,
                                             int report_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(e->dir) == 0) {
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC); /* the event pipe is the worker's */
        execvpe(e->x->command.word[0], (char *const *)e->x->command.word, env);
    }
    int why = errno;
    (void)!write(report_fd, &why, sizeof(why));
    _exit(CANNOT_RUN);
}

/* 0, or the errno value of what kept the command from starting. */
static int start(const struct external_call *e, char **env, pid_t *ret)
{
    int fd[2], why = 0;
    if (pipe2(fd, O_CLOEXEC) < 0)
        return errno;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(e, env, fd[1]);
    int failed = pid < 0 ? errno : 0;
    close(fd[1]);
    ssize_t n = 0;
    do {
        n = pid > 0 ? read(fd[0], &why, sizeof(why)) : 0;
    } while (n < 0 && errno == EINTR);
    close(fd[0]);
    if (n == (ssize_t)sizeof(why))
        failed = why;
    if (pid > 0 && failed)
        waitpid(pid, NULL, 0);
    *ret = pid;
    return failed;
}

/* ---- what it printed ---- */

/* Size of the log that standard error goes to; -1 where it is a terminal or a pipe. */
static off_t log_size(void)
{
    struct stat st;
    return fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
}

/* The last line since `from`: ": text", or nothing. */
static void last_words(off_t from, char *out, size_t cap)
{
    char bytes[4096];
    off_t size = log_size(), at = size - (off_t)sizeof(bytes);
    int fd = from < 0 || size <= from ? -1 : open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : pread(fd, bytes, sizeof(bytes), at > from ? at : from);
    if (fd >= 0)
        close(fd);
    memcpy(out, ": ", 3);
    if (clean_last_line(bytes, n > 0 ? (size_t)n : 0, out + 2, cap - 2) == 0)
        out[0] = '\0';
}

static int conclude(const struct external_call *e, int status, off_t log_start, struct error *err)
{
    char line[400];
    if (WIFSIGNALED(status)) {
        log_error("%s: its command was killed by signal %d", e->x->info.id, WTERMSIG(status));
        fflush(NULL);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT_RUN;
    if (code == 0)
        return 0;
    last_words(log_start, line, sizeof(line));
    if (code == STATUS_UNSUPPORTED)
        return error_set(err, ERR_UNSUPPORTED, "%s does not serve this%s", e->x->info.id, line);
    return error_set(err, ERR_INTERNAL, "its command ended with exit status %d%s", code, line);
}

int external_spawn(const struct external_call *e, struct error *err)
{
    char *job = text_format("LETHE_JOB=%s/job.json", e->dir);
    char **env = job ? make_environment(job) : NULL;
    off_t log_start = log_size();
    pid_t pid = -1, got;
    int status = 0, why = env ? start(e, env, &pid) : ENOMEM;
    free(env);
    free(job);
    if (why)
        return error_set(err, ERR_INVALID, "cannot run %s: %s", e->x->command.shown[0],
                         strerrordesc_np(why));
    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(err, errno, "cannot wait for %s", e->x->command.shown[0]);
    return conclude(e, status, log_start, err);
}
