#include "exec_slurm_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "strbuf.h"
#include "text.h"

extern char **environ;

static int read_all(int fd, struct strbuf *out)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            strbuf_add(out, bytes, (size_t)n);
    return n < 0 ? -1 : 0;
}

static int spawn(const char *const *argv, int out_fd, pid_t *ret, struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDERR_FILENO);
    int why = posix_spawnp(ret, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (why == ENOENT)
        return error_set(err, ERR_ENVIRONMENT,
                         "%s is not installed here (Debian and Ubuntu: apt install slurm-client); "
                         "without a cluster use --executor local",
                         argv[0]);
    return why ? error_errno(err, why, "cannot run %s", argv[0]) : 0;
}

int slurm_call(const char *const *argv, char **ret_text, struct error *err)
{
    int fds[2], status = 0;
    pid_t pid = -1;
    struct strbuf out;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return error_errno(err, errno, "pipe");
    strbuf_init(&out);
    int rc = spawn(argv, fds[1], &pid, err);
    close(fds[1]);
    if (rc == 0) {
        read_all(fds[0], &out);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        while (out.len > 0 && out.s[out.len - 1] == '\n')
            out.s[--out.len] = '\0';
        if (status != 0)
            rc = error_set(err, ERR_IO, "%s: %s", argv[0], out.len ? out.s : "failed");
        else if (out.failed)
            rc = error_nomem(err);
    }
    close(fds[0]);
    if (rc == 0)
        *ret_text = strbuf_detach(&out);
    strbuf_release(&out);
    return rc == 0 && !*ret_text ? error_nomem(err) : rc;
}

int slurm_max_array(unsigned *ret, struct error *err)
{
    static const char *const argv[] = {"scontrol", "show", "config", NULL};
    static const char key[] = "MaxArraySize";
    char *text = NULL;
    TRY(slurm_call(argv, &text, err));
    const char *p = strstr(text, key);
    long n = 1001; /* Slurm's default */
    if (p && (p = strchr(p, '=')))
        n = strtol(p + 1, NULL, 10);
    free(text);
    /* The largest index is one less than MaxArraySize. 0: arrays are switched off. */
    *ret = n < 1 ? 1 : n > 100000 ? 100000 : (unsigned)n;
    return 0;
}

int slurm_count(const char *name, unsigned *ret_pending, unsigned *ret_running, struct error *err)
{
    const char *const argv[] = {"squeue", "-h", "-r", "--me", "-t", "PD,CF,R,CG,S,RQ",
                                "-n",     name, "-o", "%T",   NULL};
    char *text = NULL, *save = NULL;
    unsigned pending = 0, running = 0;
    TRY(slurm_call(argv, &text, err));
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        bool waits = strcmp(line, "PENDING") == 0;
        pending += waits;
        running += !waits;
    }
    free(text);
    *ret_pending = pending;
    *ret_running = running;
    return 0;
}

int slurm_cancel(const char *name, struct error *err)
{
    const char *const argv[] = {"scancel", "--me", "-n", name, NULL};
    char *text = NULL;
    TRY(slurm_call(argv, &text, err));
    free(text);
    return 0;
}
