#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "strbuf.h"

static const char missing[] = "gnuplot not found: apt-get install gnuplot-nox";

int gnuplot_is_missing(const struct error *err)
{
    return err->code == ERR_ENVIRONMENT && strcmp(err->text, missing) == 0;
}

/* What gnuplot must not inherit: another locale's decimal comma, settings, font paths, a time zone
 * (it would stand in a PDF). */
static bool is_inherited(const char *variable)
{
    static const char *const dropped[] = {"LC_",      "LANG=", "LANGUAGE=", "GNUPLOT_",
                                          "GNUTERM=", "FIT_",  "TZ="};
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
        if (strncmp(variable, dropped[i], strlen(dropped[i])) == 0)
            return false;
    return true;
}

/* NULL-ended; the strings are not copied. */
static char **environment(void)
{
    static char locale[] = "LC_ALL=C.UTF-8", zone[] = "TZ=UTC0";
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **env = malloc((n + 3) * sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (is_inherited(environ[i]))
            env[kept++] = environ[i];
    env[kept++] = locale;
    env[kept++] = zone;
    env[kept] = NULL;
    return env;
}

/* dir is entered by the child alone. 0 or an errno value. */
static int spawn(const char *dir, char *const *argv, char *const *env, int output, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int rc = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawnp(ret, argv[0], &actions, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Until the other side is closed; only the beginning is kept, where the cause stands. */
static void drain(int fd, struct strbuf *out)
{
    char buf[4096];
    ssize_t n;
    while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && out->len < 600)
            strbuf_add(out, buf, (size_t)n);
}

/* Lines joined by blanks: the text becomes part of a message. */
static void flatten(struct strbuf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->len; i++) {
        char c = (unsigned char)text->s[i] < 0x20 ? ' ' : text->s[i];
        if (c != ' ' || (n > 0 && text->s[n - 1] != ' '))
            text->s[n++] = c;
    }
    if (text->len) {
        text->len = n;
        text->s[n] = '\0';
    }
}

static int settle(const char *dir, const char *script, int status, struct strbuf *said,
                  struct error *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    flatten(said);
    const char *how = WIFSIGNALED(status) ? "was ended by signal" : "failed with exit status";
    return error_set(err, ERR_ENVIRONMENT, "%s/%s: gnuplot %s %d%s%s", dir, script, how,
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                     said->len ? ": " : "", said->s);
}

static int run(const char *dir, char *const *argv, char *const *env, struct error *err)
{
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(err, errno, "cannot make a pipe for gnuplot");
    int why = spawn(dir, argv, env, ends[1], &pid);
    close(ends[1]);
    if (why) {
        close(ends[0]);
        return why == ENOENT ? error_set(err, ERR_ENVIRONMENT, "%s", missing)
                             : error_errno(err, why, "cannot start gnuplot");
    }
    struct strbuf said;
    strbuf_init(&said);
    drain(ends[0], &said);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    int rc = settle(dir, argv[4], status, &said, err);
    strbuf_release(&said);
    return rc;
}

int gnuplot_run(const char *dir, const char *expression, const char *script, struct error *err)
{
    char *argv[] = {(char *)"gnuplot", (char *)"--default-settings",
                    (char *)"-e",      (char *)expression,
                    (char *)script,    NULL};
    char **env = environment();
    if (!env)
        return error_nomem(err);
    int rc = run(dir, argv, env, err);
    free(env);
    return rc;
}
