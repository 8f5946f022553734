/* Tests of manners: what a plugin leaves behind in the process. */
#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clean_text.h"
#include "conform_tests.h"
#include "external_files.h"
#include "fs.h"

/* Opens the usual case and runs it once, so that what is made only once is made. */
static int warm(struct conform *t, struct conform_usual *u, struct error *err)
{
    struct conform_answer a;
    TRY(conform_usual_open(t, u, err));
    int rc = conform_usual_call(t, u, &a, err);
    if (rc == 0)
        conform_answer_release(&a);
    else
        conform_usual_close(u);
    return rc;
}

static int once_more(struct conform *t, struct conform_usual *u, struct error *err)
{
    struct conform_answer a;
    TRY(conform_call(t, &u->c, &a, err));
    conform_answer_release(&a);
    return 0;
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_IS_OTHERS 1
#else
#define HEAP_IS_OTHERS 0
#endif

static size_t heap_in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* What the heap gains over some calls. malloc keeps some of what is freed for a while, so one
 * window alone says little. */
static int growth(struct conform *t, struct conform_usual *u, unsigned calls, size_t *ret,
                  struct error *err)
{
    size_t before = heap_in_use(), after;
    for (unsigned k = 0; k < calls; k++)
        TRY(once_more(t, u, err));
    after = heap_in_use();
    *ret = after > before ? after - before : 0;
    return 0;
}

int conform_test_leak(struct conform *t, struct error *err)
{
    enum { CALLS = 8, WINDOWS = 3, LEAST = 8 * CALLS };
    struct conform_usual u;
    size_t grown, least = SIZE_MAX;
    if (HEAP_IS_OTHERS)
        return conform_say(t, CONFORM_SKIP, "a sanitizer keeps the heap");
    int rc = warm(t, &u, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (int k = 0; rc == 0 && k < WINDOWS && least >= LEAST; k++) {
        rc = growth(t, &u, CALLS, &grown, err);
        least = rc == 0 && grown < least ? grown : least;
    }
    if (rc == 0 && least >= LEAST)
        conform_say(
            t, CONFORM_FAIL,
            "expected the heap to stay as it is, found %zu bytes more after every %d calls; "
            "free in dispose what prepare or fit made, or take core->alloc",
            least, CALLS);
    conform_usual_close(&u);
    return rc;
}

/* ---- threads, files, descriptors ---- */

static size_t count_entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

/* Whether a child of this process is there, running or not yet waited for. */
static bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int conform_test_left_behind(struct conform *t, struct error *err)
{
    struct conform_usual u;
    size_t before = count_entries("/proc/self/task");
    int rc = warm(t, &u, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    size_t after = count_entries("/proc/self/task");
    if (after > before)
        conform_say(t, CONFORM_FAIL,
                    "expected no threads of its own, found %zu more after the call; use par->range",
                    after - before);
    if (has_children())
        conform_say(t, CONFORM_FAIL,
                    "expected no processes of its own, found one after the call; the host ends "
                    "whatever a run leaves behind");
    conform_usual_close(&u);
    return 0;
}

int conform_test_files(struct conform *t, struct error *err)
{
    struct conform_usual u;
    char **names = NULL;
    size_t n = 0, before = count_entries("/proc/self/fd");
    int rc = warm(t, &u, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    size_t after = count_entries("/proc/self/fd");
    rc = fs_list(t->scratch, &names, &n, err);
    if (rc == 0 && n > 0)
        conform_say(t, CONFORM_FAIL,
                    "expected no files, found %s%s in the working folder (which is also TMPDIR and "
                    "HOME); results go through the host",
                    names[0], n > 1 ? " and more" : "");
    if (after > before)
        conform_say(t, CONFORM_FAIL, "%zu file descriptors were left open", after - before);
    fs_names_free(names);
    conform_usual_close(&u);
    return rc;
}

/* ---- settings of the process ---- */

enum { N_SIGNALS = 32 };

struct settings {
    char folder[4096], locale[512];
    struct sigaction action[N_SIGNALS];
    sigset_t blocked;
    struct rlimit limit[RLIM_NLIMITS];
    int rounding;
    mode_t mask;
    size_t n_environment;
};

extern char **environ;

static void look(struct settings *s)
{
    const char *locale = setlocale(LC_ALL, NULL);
    memset(s, 0, sizeof(*s));
    if (!getcwd(s->folder, sizeof(s->folder)))
        s->folder[0] = 0;
    snprintf(s->locale, sizeof(s->locale), "%s", locale ? locale : "");
    for (int i = 1; i < N_SIGNALS; i++)
        sigaction(i, NULL, &s->action[i]);
    sigprocmask(SIG_BLOCK, NULL, &s->blocked);
    for (int i = 0; i < (int)RLIM_NLIMITS; i++)
        getrlimit((__rlimit_resource_t)i, &s->limit[i]);
    s->rounding = fegetround();
    s->mask = umask(022);
    umask(s->mask);
    while (environ && environ[s->n_environment])
        s->n_environment++;
}

static bool same_signals(const struct settings *a, const struct settings *b)
{
    for (int i = 1; i < N_SIGNALS; i++)
        if (a->action[i].sa_handler != b->action[i].sa_handler)
            return false;
    return memcmp(&a->blocked, &b->blocked, sizeof(a->blocked)) == 0;
}

int conform_test_settings(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct settings *s = calloc(2, sizeof(*s));
    if (!s)
        return error_nomem(err);
    look(&s[0]);
    int rc = warm(t, &u, err);
    if (rc == 0) {
        look(&s[1]);
        const struct {
            bool same;
            const char *what;
        } all[] = {{strcmp(s[0].folder, s[1].folder) == 0, "the working folder"},
                   {strcmp(s[0].locale, s[1].locale) == 0, "the locale"},
                   {same_signals(&s[0], &s[1]), "how signals are handled"},
                   {memcmp(s[0].limit, s[1].limit, sizeof(s->limit)) == 0, "a resource limit"},
                   {s[0].rounding == s[1].rounding, "the rounding mode"},
                   {s[0].mask == s[1].mask, "the file mode mask"},
                   {s[0].n_environment == s[1].n_environment, "the environment"}};
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
            if (!all[i].same)
                conform_say(t, CONFORM_FAIL, "it changed %s, which belongs to the host",
                            all[i].what);
        conform_usual_close(&u);
    }
    free(s);
    return rc < 0 ? rc : 0;
}

/* ---- stdout ---- */

int conform_test_noise(struct conform *t, struct error *err)
{
    struct conform_usual u;
    char bytes[400], line[200];
    fflush(stdout);
    int kept = dup(STDOUT_FILENO), catcher = memfd_create("stdout", MFD_CLOEXEC);
    if (kept < 0 || catcher < 0 || dup2(catcher, STDOUT_FILENO) < 0) {
        close(kept);
        close(catcher);
        return error_set(err, ERR_IO, "cannot catch stdout");
    }
    int rc = warm(t, &u, err);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    ssize_t n = pread(catcher, bytes, sizeof(bytes), 0);
    close(catcher);
    if (rc == 0)
        conform_usual_close(&u);
    if (n > 0 && !external_is_manifest(t->path)) { /* a command has no other log */
        clean_text(bytes, (size_t)n, line, sizeof(line));
        conform_say(t, CONFORM_WARN, "it prints to stdout: \"%s\"; use core->log", line);
    }
    return rc < 0 ? rc : 0;
}
