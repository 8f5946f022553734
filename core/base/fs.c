/* fs.c: whole files, maps and folders. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strbuf.h"

/* Opens a file for reading and says how large it is. */
static int open_file(const char *path, int *ret_fd, struct stat *ret_st, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    if (fstat(fd, ret_st) != 0 || S_ISDIR(ret_st->st_mode)) {
        int why = S_ISDIR(ret_st->st_mode) ? EISDIR : errno;
        close(fd);
        return error_errno(err, why, "cannot read %s", path);
    }
    *ret_fd = fd;
    return 0;
}

static int too_large(const char *path, size_t max_bytes, struct error *err)
{
    return error_set(err, ERR_INVALID, "%s: larger than the %zu bytes that are accepted", path,
                     max_bytes);
}

/* Reads until the end; pipes and /proc do not say their size beforehand. */
static int read_all(int fd, const char *path, size_t max_bytes, size_t hint, char **ret,
                    size_t *ret_n, struct error *err)
{
    size_t cap = hint + 1, n = 0;
    char *buf = malloc(cap + 1);
    while (buf) {
        ssize_t k = read(fd, buf + n, cap - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            int why = errno;
            free(buf);
            return error_errno(err, why, "cannot read %s", path);
        }
        n += (size_t)k;
        if (n > max_bytes) {
            free(buf);
            return too_large(path, max_bytes, err);
        }
        if (k == 0) {
            buf[n] = '\0';
            *ret = buf;
            *ret_n = n;
            return 0;
        }
        if (n == cap) {
            cap = cap * 2 + 4096;
            char *more = realloc(buf, cap + 1);
            if (!more)
                free(buf);
            buf = more;
        }
    }
    return error_nomem(err);
}

int fs_read(const char *path, size_t max_bytes, char **ret_bytes, size_t *ret_n, struct error *err)
{
    struct stat st;
    int fd = -1;
    TRY(open_file(path, &fd, &st, err));
    int rc = 0;
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max_bytes)
        rc = too_large(path, max_bytes, err);
    else
        rc = read_all(fd, path, max_bytes, S_ISREG(st.st_mode) ? (size_t)st.st_size : 4096,
                      ret_bytes, ret_n, err);
    close(fd);
    return rc;
}

/* Returns an errno. */
static int write_all(int fd, const struct fs_part *parts, size_t n_parts)
{
    for (size_t i = 0; i < n_parts; i++) {
        const char *p = parts[i].bytes;
        for (size_t left = parts[i].n; left > 0;) {
            ssize_t k = write(fd, p, left);
            if (k < 0 && errno != EINTR)
                return errno;
            if (k > 0) {
                p += k;
                left -= (size_t)k;
            }
        }
    }
    return 0;
}

/* Creates "<path>.<pid>-<n>.tmp"; returns its name, malloc'd, or NULL with errno set. */
static char *create_temporary(const char *path, int *ret_fd)
{
    struct strbuf name;
    strbuf_init(&name);
    for (unsigned i = 0; i < 1000; i++) {
        strbuf_reset(&name);
        strbuf_addf(&name, "%s.%" PRIdMAX "-%u.tmp", path, (intmax_t)getpid(), i);
        if (name.failed) {
            errno = ENOMEM;
            break;
        }
        int fd = open(name.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            *ret_fd = fd;
            return strbuf_detach(&name);
        }
        if (errno != EEXIST)
            break;
    }
    int why = errno;
    strbuf_release(&name);
    errno = why;
    return NULL;
}

/* Devices and pipes (/dev/stdout) cannot be replaced; they are written to. */
static int write_in_place(const char *path, const struct fs_part *parts, size_t n_parts,
                          struct error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot write %s", path);
    int why = write_all(fd, parts, n_parts);
    if (close(fd) != 0 && why == 0)
        why = errno;
    return why ? error_errno(err, why, "cannot write %s", path) : 0;
}

/* No fsync: what the store keeps is checked by content when it is loaded. */
int fs_write_parts(const char *path, const struct fs_part *parts, size_t n_parts, struct error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return write_in_place(path, parts, n_parts, err);
    int fd = -1;
    char *temporary = create_temporary(path, &fd);
    if (!temporary)
        return error_errno(err, errno, "cannot write %s", path);
    int why = write_all(fd, parts, n_parts);
    if (close(fd) != 0 && why == 0)
        why = errno;
    if (why == 0 && rename(temporary, path) != 0)
        why = errno;
    if (why)
        unlink(temporary);
    free(temporary);
    return why ? error_errno(err, why, "cannot write %s", path) : 0;
}

int fs_write_atomic(const char *path, const void *bytes, size_t n, struct error *err)
{
    return fs_write_parts(path, &(struct fs_part){bytes, n}, 1, err);
}

bool fs_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t fs_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int fs_map(const char *path, struct fs_map *ret, struct error *err)
{
    struct stat st;
    int fd = -1;
    TRY(open_file(path, &fd, &st, err));
    struct fs_map map = {NULL, (size_t)st.st_size};
    int rc = 0;
    if (!S_ISREG(st.st_mode))
        rc = error_set(err, ERR_INVALID, "%s: not a regular file", path);
    else if (map.n > 0) {
        void *at = mmap(NULL, map.n, PROT_READ, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED)
            rc = error_errno(err, errno, "cannot map %s", path);
        else
            map.bytes = at;
    }
    close(fd);
    if (rc == 0)
        *ret = map;
    return rc;
}

void fs_unmap(struct fs_map *m)
{
    if (m->bytes)
        munmap((void *)m->bytes, m->n);
    *m = (struct fs_map){NULL, 0};
}
