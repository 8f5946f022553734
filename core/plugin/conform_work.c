/* One test in this process: reads the job, runs the test, writes the result. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conform_internal.h"
#include "conform_tests.h"
#include "text.h"

#define LINE(id, name, kinds, doc) conform_test_##id,
static int (*const functions[])(struct conform *, struct error *) = {CONFORM_MAP(LINE)};
#undef LINE

static int find_test(const char *name, size_t *ret, struct error *err)
{
    for (size_t i = 0; conform_list[i].name; i++)
        if (strcmp(conform_list[i].name, name) == 0) {
            *ret = i;
            return 0;
        }
    return error_set(err, ERR_INVALID, "there is no test \"%s\"", name);
}

static int read_job(struct conform *t, struct error *err)
{
    json_int_t seed, n_fuzz;
    TRY(json_get_string(t->json, t->job_path, "path", &t->path, err));
    TRY(json_get_string(t->json, t->job_path, "result", &t->result_path, err));
    TRY(json_get_string(t->json, t->job_path, "scratch", &t->scratch, err));
    TRY(json_get_string(t->json, t->job_path, "test", &t->test, err));
    TRY(json_get_string(t->json, t->job_path, "id", &t->id, err));
    TRY(json_get_int(t->json, t->job_path, "seed", &seed, err));
    TRY(json_get_int(t->json, t->job_path, "fuzz", &n_fuzz, err));
    t->seed = (uint64_t)seed;
    t->n_fuzz = (uint32_t)n_fuzz;
    return 0;
}

static int open_plugin(struct conform *t, struct error *err)
{
    json_int_t kind;
    TRY(json_get_int(t->json, t->job_path, "kind", &kind, err));
    TRY(plugin_open(t->path, &t->file, err));
    t->plugin = plugin_pick(t->file, (uint32_t)kind, t->id);
    return t->plugin ? 0
                     : error_set(err, ERR_INVALID, "the file has no plugin %s of that kind", t->id);
}

static int write_result(const struct conform *t, enum conform_outcome outcome, const char *text,
                        struct error *err)
{
    json_t *o = json_pack("{s:s,s:s,s:s}", "outcome", conform_outcome_name(outcome), "text", text,
                          "repeat", t->repeat);
    int rc = o ? json_write_file(t->result_path, o, err) : error_nomem(err);
    json_decref(o);
    return rc;
}

/* Stands as the result until the test ends. */
int conform_doing(struct conform *t, struct error *err, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return write_result(t, CONFORM_CRASH, text, err);
}

/* Its own folder is where a stray file would end up. */
static int settle_in(const struct conform *t, struct error *err)
{
    if (chdir(t->scratch) < 0)
        return error_errno(err, errno, "cannot enter %s", t->scratch);
    setenv("TMPDIR", t->scratch, 1);
    if (!text_ends(t->path, ".yaml")) /* interpreters find their packages there */
        setenv("HOME", t->scratch, 1);
    return 0;
}

int conform_work(const char *job_path, struct error *err)
{
    struct conform t = {.job_path = job_path};
    size_t test = 0;
    TRY(json_read_file(job_path, &t.json, err));
    int rc = read_job(&t, err);
    if (rc == 0)
        rc = find_test(t.test, &test, err);
    if (rc == 0)
        rc = settle_in(&t, err);
    if (rc == 0 && conform_list[test].kinds != CONFORM_FILE)
        rc = open_plugin(&t, err);
    if (rc == 0)
        rc = functions[test](&t, err);
    if (rc == 0)
        rc = write_result(&t, t.outcome, t.text, err);
    json_decref(t.json);
    return rc;
}
