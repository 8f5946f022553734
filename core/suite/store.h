/* store.h: the content-addressed store. A task's identity (a JSON object with
 * everything that can change its result) is hashed to an id; its artifacts live
 * in objects/<2 digits>/<id>/ beside a meta.json with sizes and checksums.
 * Objects appear by a rename, whole or not at all; nothing is ever edited.
 *
 *   objects/ab/abcd.../   finished tasks
 *   tmp/<id16>.<host>.<pid>.<n>/   a task in flight: job.json, log.txt, out/
 *   logs/<id>.log         what a plugin's task, or one that failed, printed
 *   plugins/              cached descriptions of plugins */
#ifndef SUITE_STORE_H
#define SUITE_STORE_H

#include <stdbool.h>

#include "error.h"
#include "hash.h"
#include "json.h"

struct store {
    char *dir;                /* absolute */
    unsigned long long n_tmp; /* workspaces opened so far: names differ */
};

/* path NULL: $LETHE_STORE, else $XDG_CACHE_HOME/lethe/store, else ~/.cache/lethe/store. Creates the
 * folders and sweeps workspaces that dead processes of this host left behind. */
int store_open(const char *path, struct store *ret, struct error *err);
/* For a worker: the store exists already. */
int store_attach(const char *dir, struct store *ret, struct error *err);
void store_release(struct store *s);

/* SHA-256 of the canonical text. */
int store_id(const json_t *identity, char ret_id[HASH_HEX_SIZE], struct error *err);
/* Path of a file of an object (file NULL: of the object's folder); malloc'd, NULL when out of
 * memory. */
char *store_path(const struct store *s, const char *id, const char *file);

enum store_state { STORE_ABSENT = 0, STORE_PRESENT, STORE_CORRUPT };
/* Present means: meta.json reads, every file has the recorded size, and the recorded mtime or else
 * the recorded checksum. err says what is corrupt. */
enum store_state store_look(const struct store *s, const char *id, struct error *err);
/* Compares every checksum. */
int store_check(const struct store *s, const char *id, struct error *err);
int store_meta(const struct store *s, const char *id, json_t **ret, struct error *err);
/* Moves a corrupt object out of the way, so that its task runs again. */
int store_discard(const struct store *s, const char *id, struct error *err);

/* Can files be made and written? ERR_ENVIRONMENT says what to do when the disk is full or the store
 * became read-only. */
int store_probe(const struct store *s, struct error *err);

/* A fresh workspace tmp/... with an empty out/; malloc'd path. */
int store_workspace(struct store *s, const char *id, char **ret_dir, struct error *err);
/* Publishes workspace/out as the object `id`: writes meta.json, then renames. When the object is
 * there already (another process was faster) the copy is dropped. */
int store_commit(const struct store *s, const char *id, const char *workspace,
                 const json_t *identity, const json_t *cost, struct error *err);
/* Keeps workspace/log.txt as logs/<id>.log when `keep` and something was printed, then removes the
 * workspace. */
void store_workspace_end(const struct store *s, const char *id, const char *workspace, bool keep);
/* Path of logs/<id>.log, which need not exist; malloc'd, NULL when out of memory. */
char *store_log(const struct store *s, const char *id);

#endif
