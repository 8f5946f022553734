/* fs.h: the file system in one place: atomic writes, whole-file reads, maps. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Whole file, NUL-terminated beyond *ret_n bytes; the caller frees. Refuses more than max_bytes. */
int fs_read(const char *path, size_t max_bytes, char **ret_bytes, size_t *ret_n, struct error *err);
/* Writes to a temporary name in the same folder, then renames (devices and pipes such as
 * /dev/stdout are written to in place). No fsync: the store checks content when it loads. */
int fs_write_atomic(const char *path, const void *bytes, size_t n, struct error *err);
struct fs_part {
    const void *bytes;
    size_t n;
};
/* The same for a file of several parts, one after the other. */
int fs_write_parts(const char *path, const struct fs_part *parts, size_t n_parts,
                   struct error *err);
int fs_mkdirs(const char *path, struct error *err);      /* as mkdir -p */
int fs_remove_tree(const char *path, struct error *err); /* accepts a missing path */
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
int64_t fs_size(const char *path);           /* -1 when it cannot be read */
char *fs_join(const char *a, const char *b); /* a/b, or b when it is absolute; malloc'd */
char *fs_dirname(const char *path);          /* malloc'd */
const char *fs_basename(const char *path);   /* points into path */
/* Need not exist; "." and empty segments go, ".." stays (what it means depends on links). */
int fs_absolute(const char *path, char **ret, struct error *err);
/* Folder of the running program (from /proc/self/exe), malloc'd; NULL on failure. */
char *fs_program_dir(void);
/* Names in a folder, sorted bytewise, without . and ..; NULL-ended, the caller frees with
 * fs_names_free. */
int fs_list(const char *dir, char ***ret_names, size_t *ret_n, struct error *err);
void fs_names_free(char **names);

struct fs_map {
    const void *bytes; /* NULL for an empty file */
    size_t n;
};
int fs_map(const char *path, struct fs_map *ret, struct error *err); /* read-only, shared */
void fs_unmap(struct fs_map *m);

/* Monotonic clock, and CPU time of this process and of the children it has waited for, nanoseconds.
 */
uint64_t fs_now_ns(void);
uint64_t fs_cpu_ns(void);
/* Since this program was executed; of this process or the largest child it has waited for. */
uint64_t fs_peak_rss_bytes(void);

#endif
