/* fuzz_input.c: memfd and /proc/self/fd. */
#include "fuzz/fuzz_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Fuzzers are programs of one thread, and this is what they keep between inputs. */
static struct {
    int fd; /* 0: none yet */
    char path[64], folder[64], link[128];
} kept;

static void must(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    if (!kept.fd) {
        kept.fd = memfd_create("fuzz", MFD_CLOEXEC);
        must(kept.fd > 0, "memfd_create");
        snprintf(kept.path, sizeof kept.path, "/proc/self/fd/%d", kept.fd);
    }
    must(ftruncate(kept.fd, 0) == 0, "ftruncate");
    for (size_t at = 0; at < size;) {
        ssize_t n = pwrite(kept.fd, data + at, size - at, (off_t)at);
        must(n > 0, "pwrite");
        at += (size_t)n;
    }
    return kept.path;
}

static void remove_folder(void)
{
    unlink(kept.link);
    rmdir(kept.folder);
}

const char *fuzz_folder(const char *name, const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    if (!kept.folder[0]) {
        snprintf(kept.folder, sizeof kept.folder, "/tmp/lethe-fuzz-XXXXXX");
        must(mkdtemp(kept.folder) != NULL, "mkdtemp");
        snprintf(kept.link, sizeof kept.link, "%s/%s", kept.folder, name);
        must(symlink(path, kept.link) == 0, "symlink");
        must(atexit(remove_folder) == 0, "atexit");
    }
    return kept.folder;
}
