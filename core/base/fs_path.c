/* fs_path.c: paths, folders, and where and how long this process runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "strbuf.h"
#include "text.h"

char *fs_join(const char *a, const char *b)
{
    if (*b == '/' || *a == '\0')
        return text_dup(b);
    return text_format(text_ends(a, "/") ? "%s%s" : "%s/%s", a, b);
}

const char *fs_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *fs_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return text_dup(".");
    while (slash > path && slash[-1] == '/')
        slash--;
    return slash == path ? text_dup("/") : strndup(path, (size_t)(slash - path));
}

/* Drops "." and empty segments; ".." stays, since what it means depends on links. */
static char *tidy(const char *path)
{
    struct strbuf out;
    strbuf_init(&out);
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n > 0 && !(n == 1 && *path == '.')) {
            strbuf_addc(&out, '/');
            strbuf_add(&out, path, n);
        }
        path += n;
        path += *path == '/';
    }
    if (out.len == 0)
        strbuf_addc(&out, '/');
    return strbuf_detach(&out);
}

int fs_absolute(const char *path, char **ret, struct error *err)
{
    char *cwd = *path == '/' ? text_dup("/") : getcwd(NULL, 0);
    if (!cwd)
        return error_errno(err, errno, "cannot find the current folder");
    char *joined = fs_join(cwd, path), *out = joined ? tidy(joined) : NULL;
    free(joined);
    free(cwd);
    if (!out)
        return error_nomem(err);
    *ret = out;
    return 0;
}

int fs_mkdirs(const char *path, struct error *err)
{
    char *part = text_dup(path);
    if (!part)
        return error_nomem(err);
    int rc = 0;
    for (char *p = part + 1; rc == 0 && *part; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char keep = *p;
        *p = '\0';
        if (mkdir(part, 0777) != 0 && !fs_is_dir(part))
            rc = error_errno(err, errno == EEXIST ? ENOTDIR : errno, "cannot make the folder %s",
                             part);
        *p = keep;
        if (keep == '\0')
            break;
    }
    free(part);
    return rc;
}

/* Removes what `name` in folder `at` is; links are removed, never followed. Returns an errno. */
static int remove_at(int at, const char *name)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return why;
    }
    int why = 0;
    for (struct dirent *e; why == 0 && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            why = remove_at(fd, e->d_name);
    closedir(dir);
    if (why == 0 && unlinkat(at, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        why = errno;
    return why;
}

int fs_remove_tree(const char *path, struct error *err)
{
    int why = remove_at(AT_FDCWD, path);
    return why ? error_errno(err, why, "cannot remove %s", path) : 0;
}

char *fs_program_dir(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0 || n == (ssize_t)sizeof path - 1)
        return NULL;
    path[n] = '\0';
    return fs_dirname(path);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void fs_names_free(char **names)
{
    if (!names)
        return;
    for (char **p = names; *p; p++)
        free(*p);
    free(names);
}

/* Appends a copy; keeps the list NULL-ended. */
static int add_name(char ***names, size_t *n, const char *name)
{
    char **more = realloc(*names, (*n + 2) * sizeof *more);
    if (!more)
        return -1;
    *names = more;
    more[*n] = text_dup(name);
    if (!more[*n])
        return -1;
    more[++*n] = NULL;
    return 0;
}

int fs_list(const char *dir, char ***ret_names, size_t *ret_n, struct error *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return error_errno(err, errno, "cannot list the folder %s", dir);
    char **names = calloc(1, sizeof *names);
    size_t n = 0;
    bool failed = !names;
    errno = 0;
    for (struct dirent *e; !failed && (e = readdir(d)); errno = 0)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            failed = add_name(&names, &n, e->d_name) != 0;
    int why = errno;
    closedir(d);
    if (failed || why) {
        fs_names_free(names);
        return failed ? error_nomem(err) : error_errno(err, why, "cannot list the folder %s", dir);
    }
    qsort(names, n, sizeof *names, by_bytes);
    *ret_names = names;
    *ret_n = n;
    return 0;
}

static uint64_t clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t fs_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static struct rusage children(void)
{
    struct rusage u = {0};
    getrusage(RUSAGE_CHILDREN, &u);
    return u;
}

static uint64_t timeval_ns(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

uint64_t fs_cpu_ns(void)
{
    struct rusage u = children();
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) + timeval_ns(&u.ru_utime) + timeval_ns(&u.ru_stime);
}

/* VmHWM rather than ru_maxrss: the latter survives exec, so a small worker would show the peak
 * of the program that spawned it. */
uint64_t fs_peak_rss_bytes(void)
{
    char *text = NULL;
    size_t n = 0;
    uint64_t kib = 0;
    if (fs_read("/proc/self/status", 1 << 20, &text, &n, NULL) == 0) {
        const char *line = strstr(text, "VmHWM:");
        kib = line ? strtoull(line + strlen("VmHWM:"), NULL, 10) : 0;
        free(text);
    }
    if (kib == 0) {
        struct rusage usage;
        kib = getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss : 0;
    }
    struct rusage u = children();
    return (kib > (uint64_t)u.ru_maxrss ? kib : (uint64_t)u.ru_maxrss) * 1024;
}
