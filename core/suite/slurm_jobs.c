#include "slurm_jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "text.h"

/* ---- the folder and its tag ---- */

/* Names of jobs must differ between stores and between runs of one suite. */
static int new_tag(const char *path, struct error *err)
{
    char seed[160], host[65] = "", hex[HASH_HEX_SIZE];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    gethostname(host, sizeof(host) - 1);
    int n = snprintf(seed, sizeof(seed), "%s %lld %lld %ld", host, (long long)getpid(),
                     (long long)now.tv_sec, now.tv_nsec);
    hash_bytes(seed, (size_t)n, hex);
    char *mine = text_format("%s.%.16s", path, hex);
    int rc = mine ? fs_write_atomic(mine, hex, 8, err) : error_nomem(err);
    if (rc == 0 && link(mine, path) != 0 && errno != EEXIST) /* the first one wins */
        rc = error_errno(err, errno, "%s", path);
    if (mine)
        (void)!unlink(mine);
    free(mine);
    return rc;
}

static int read_tag(const char *path, char ret[9], struct error *err)
{
    char *text = NULL;
    size_t n;
    TRY(fs_read(path, 64, &text, &n, err));
    bool good = n >= 8 && strspn(text, "0123456789abcdef") >= 8;
    if (good) {
        memcpy(ret, text, 8);
        ret[8] = '\0';
    }
    free(text);
    return good ? 0
                : error_set(err, ERR_IO,
                            "%s: expected 8 hex digits; remove its folder to start anew", path);
}

static int open_folder(const struct store *store, const char *key, bool make,
                       struct slurm_jobs *ret, bool *ret_there, struct error *err)
{
    struct slurm_jobs j = {text_format("%s/jobs/%s", store->dir, key), ""};
    char *tag = j.dir ? fs_join(j.dir, "tag") : NULL;
    char *verdicts = j.dir ? fs_join(j.dir, "verdict") : NULL;
    int rc = tag && verdicts ? 0 : error_nomem(err);
    if (rc == 0 && make)
        rc = fs_mkdirs(verdicts, err);
    if (rc == 0 && make && !fs_exists(tag))
        rc = new_tag(tag, err);
    bool there = rc == 0 && fs_exists(tag);
    if (there)
        rc = read_tag(tag, j.tag, err);
    free(tag);
    free(verdicts);
    if (rc < 0 || !there)
        slurm_jobs_release(&j);
    else
        *ret = j;
    if (rc == 0)
        *ret_there = there;
    return rc;
}

int slurm_jobs_open(const struct store *store, const char *key, struct slurm_jobs *ret,
                    struct error *err)
{
    bool there = false;
    TRY(open_folder(store, key, true, ret, &there, err));
    return there ? 0
                 : error_set(err, ERR_IO, "%s/jobs/%s/tag vanished; start the run again",
                             store->dir, key);
}

int slurm_jobs_find(const struct store *store, const char *key, struct slurm_jobs *ret,
                    bool *ret_there, struct error *err)
{
    return open_folder(store, key, false, ret, ret_there, err);
}

void slurm_jobs_release(struct slurm_jobs *j)
{
    free(j->dir);
    j->dir = NULL;
}

/* Aside first: an element that starts now finds all of it or nothing. */
int slurm_jobs_remove(const struct slurm_jobs *j, struct error *err)
{
    char *aside = text_format("%s.%s", j->dir, j->tag);
    int rc = aside ? 0 : error_nomem(err);
    if (rc == 0 && rename(j->dir, aside) != 0 && errno != ENOENT)
        rc = error_errno(err, errno, "%s", j->dir);
    if (rc == 0)
        rc = fs_remove_tree(aside, err);
    free(aside);
    return rc;
}

/* ---- batches ---- */

int slurm_jobs_new_batch(const struct slurm_jobs *j, unsigned *ret_batch, char **ret_dir,
                         struct error *err)
{
    TRY(fs_mkdirs(j->dir, err));
    for (unsigned n = 0; n < 1000000; n++) {
        char *dir = text_format("%s/%u", j->dir, n);
        if (!dir)
            return error_nomem(err);
        if (mkdir(dir, 0777) == 0) {
            *ret_batch = n;
            *ret_dir = dir;
            return 0;
        }
        int why = errno;
        if (why != EEXIST)
            error_errno(err, why, "%s", dir);
        free(dir);
        if (why != EEXIST)
            return ERR_IO;
    }
    return error_set(err, ERR_IO, "%s: too many batches", j->dir);
}

int slurm_jobs_ids(const struct slurm_jobs *j, unsigned batch, struct slurm_ids *ret,
                   struct error *err)
{
    char *path = text_format("%s/%u/ids", j->dir, batch), *text = NULL;
    size_t n = 0;
    int rc = path ? fs_read(path, 64u << 20, &text, &n, err) : error_nomem(err);
    struct slurm_ids ids = {NULL, 0};
    if (rc == 0 && !(ids.id = calloc(n / HASH_HEX_SIZE + 1, sizeof(*ids.id))))
        rc = error_nomem(err);
    for (size_t at = 0; rc == 0 && at + HASH_HEX_SIZE <= n; at += HASH_HEX_SIZE)
        memcpy(ids.id[ids.n++], text + at, HASH_HEX_SIZE - 1);
    free(path);
    free(text);
    if (rc == 0)
        *ret = ids;
    return rc;
}

void slurm_ids_release(struct slurm_ids *ids)
{
    free(ids->id);
    *ids = (struct slurm_ids){NULL, 0};
}

/* ---- the mark of `lethe cancel` ---- */

static char *mark_path(const struct slurm_jobs *j)
{
    return fs_join(j->dir, "cancelled");
}

int slurm_jobs_mark_cancelled(const struct slurm_jobs *j, struct error *err)
{
    char *path = mark_path(j);
    int rc = path ? fs_write_atomic(path, "", 0, err) : error_nomem(err);
    free(path);
    return rc;
}

bool slurm_jobs_cancelled(const struct slurm_jobs *j)
{
    char *path = mark_path(j);
    bool there = path && fs_exists(path);
    free(path);
    return there;
}

void slurm_jobs_clear_cancelled(const struct slurm_jobs *j)
{
    char *path = mark_path(j);
    if (path)
        (void)!unlink(path);
    free(path);
}
