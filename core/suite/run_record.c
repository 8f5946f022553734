#include "run_record.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "log.h"
#include "text.h"

#define EVERY_NS 2000000000ull

struct run_record {
    char *path;
    json_t *fixed; /* what does not change */
    uint64_t written_ns;
};

static json_t *list(const char *const *words)
{
    json_t *o = json_array();
    for (size_t i = 0; o && words && words[i]; i++)
        json_array_append_new(o, json_string(words[i]));
    return o;
}

/* Files given to --plugin, absolute: status may be asked from another folder. */
static json_t *file_list(const char *const *paths)
{
    json_t *o = json_array();
    for (size_t i = 0; o && paths && paths[i]; i++) {
        char *path = NULL;
        if (fs_absolute(paths[i], &path, NULL) == 0)
            json_array_append_new(o, json_string(path));
        free(path);
    }
    return o;
}

/* Tells a process from a later one with the same number: field 22 of /proc/<pid>/stat. */
static long long process_start(long long pid)
{
    char path[64], *text = NULL;
    size_t n;
    long long start = -1;
    snprintf(path, sizeof(path), "/proc/%lld/stat", pid);
    if (fs_read(path, 4096, &text, &n, NULL) < 0)
        return -1;
    const char *p = strrchr(text, ')'); /* the name before it may hold blanks */
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (p)
        start = strtoll(p, NULL, 10);
    free(text);
    return start;
}

static json_t *fixed_part(const struct store *store, const struct suite *s,
                          const struct run_command *c)
{
    char host[65] = "";
    char *file = NULL;
    gethostname(host, sizeof(host) - 1);
    if (fs_absolute(s->path, &file, NULL) < 0)
        return NULL;
    json_t *o =
        json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o,s:s?}", "lethe_run", 1,
                  "store", store->dir, "suite", s->name, "suite_file", file, "out", c->out,
                  "executor", c->executor, "host", host, "pid", (json_int_t)getpid(),
                  "process_start", (json_int_t)process_start(getpid()), "started",
                  (json_int_t)time(NULL), "settings", list(c->settings), "only", list(c->only),
                  "plugins", file_list(c->plugins), "scenario", c->scenario);
    free(file);
    return o;
}

char *run_key(const char *suite, const char *out)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes(out, strlen(out), hex);
    return text_format("%s-%.8s", suite, hex);
}

struct run_record *run_record_new(const struct store *store, const struct suite *suite,
                                  const struct run_command *command)
{
    struct run_record *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    char *key = run_key(suite->name, command->out);
    char *dir = fs_join(store->dir, "runs");
    if (dir)
        (void)fs_mkdirs(dir, NULL);
    r->path = key ? text_format("%s/runs/%s.json", store->dir, key) : NULL;
    r->fixed = fixed_part(store, suite, command);
    free(key);
    free(dir);
    if (!r->path || !r->fixed) {
        run_record_free(r);
        return NULL;
    }
    return r;
}

static json_int_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static json_t *running_list(const struct progress_running *running, unsigned n)
{
    json_t *o = json_array();
    for (unsigned i = 0; o && i < n; i++)
        json_array_append_new(o,
                              json_pack("{s:s,s:s,s:f}", "id", running[i].task->id, "title",
                                        running[i].task->title, "elapsed_s", running[i].elapsed_s));
    return o;
}

static json_t *failed_list(const struct plan *p)
{
    json_t *o = json_array();
    for (unsigned i = 0; o && i < p->n; i++) {
        const struct task *t = &p->task[i];
        if (t->state == TASK_FAILED)
            json_array_append_new(o, json_pack("{s:s,s:s,s:s,s:s}", "id", t->id, "title", t->title,
                                               "verdict", verdict_name(t->verdict), "reason",
                                               t->reason ? t->reason : ""));
    }
    return o;
}

static void write_record(struct run_record *r, const struct plan *p,
                         const struct progress_running *running, unsigned n, double eta_s,
                         const char *state)
{
    struct error err = ERROR_INIT;
    json_t *o = json_copy(r->fixed);
    json_t *now = json_pack("{s:s,s:I,s:o,s:o,s:o}", "state", state, "updated_ms", now_ms(),
                            "eta_s", eta_s < 0 ? json_null() : json_real(eta_s), "running",
                            running_list(running, n), "failed", failed_list(p));
    if (o && now && json_object_update(o, now) == 0 && json_write_file(r->path, o, &err) < 0)
        log_debug("no run record: %s", err.text);
    json_decref(now);
    json_decref(o);
    r->written_ns = fs_now_ns();
}

void run_record_update(struct run_record *record, const struct plan *p,
                       const struct progress_running *running, unsigned n, double eta_s)
{
    if (record && (record->written_ns == 0 || fs_now_ns() - record->written_ns >= EVERY_NS))
        write_record(record, p, running, n, eta_s, "running");
}

void run_record_end(struct run_record *record, const struct plan *p, const char *state)
{
    if (record)
        write_record(record, p, NULL, 0, -1, state);
}

void run_record_free(struct run_record *record)
{
    if (!record)
        return;
    json_decref(record->fixed);
    free(record->path);
    free(record);
}

/* ---- reading ---- */

static bool is_wanted(const json_t *o, const char *suite, const char *out)
{
    const char *have = json_string_value(json_object_get(o, suite ? "suite" : "out"));
    return have && strcmp(have, suite ? suite : out) == 0;
}

int run_record_find(const struct store *store, const char *suite, const char *out, json_t **ret,
                    struct error *err)
{
    char *dir = fs_join(store->dir, "runs"), **names = NULL;
    size_t n = 0;
    json_t *best = NULL;
    int rc = !dir ? error_nomem(err) : fs_is_dir(dir) ? fs_list(dir, &names, &n, err) : 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        char *path = fs_join(dir, names[i]);
        json_t *o = NULL;
        if (path && text_ends(path, ".json") && json_read_file(path, &o, NULL) == 0 &&
            is_wanted(o, suite, out) &&
            (!best || json_integer_value(json_object_get(o, "updated_ms")) >=
                          json_integer_value(json_object_get(best, "updated_ms")))) {
            json_decref(best);
            best = json_incref(o);
        }
        json_decref(o);
        free(path);
    }
    fs_names_free(names);
    free(dir);
    *ret = best;
    return rc;
}

bool run_record_alive(const json_t *record)
{
    char host[65] = "";
    const char *there = json_string_value(json_object_get(record, "host"));
    const char *state = json_string_value(json_object_get(record, "state"));
    json_int_t pid = json_integer_value(json_object_get(record, "pid"));
    gethostname(host, sizeof(host) - 1);
    return there && state && strcmp(there, host) == 0 && strcmp(state, "running") == 0 && pid > 0 &&
           process_start(pid) == json_integer_value(json_object_get(record, "process_start"));
}
