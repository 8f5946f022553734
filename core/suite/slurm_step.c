/* One task on a node of a cluster: what the parent does for a local task, done beside it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "exec_slurm.h"
#include "fs.h"
#include "log.h"
#include "slurm_jobs.h"
#include "text.h"

enum { INPUT_TRIES = 2, INPUT_WAIT_MS = 300 };

struct step {
    json_t *job;
    const char *id, *jobs, *worker;
    struct store store;
};

static int step_open(const char *path, const char *worker, struct step *ret, struct error *err)
{
    struct step s = {.worker = worker};
    const char *dir;
    TRY(json_read_file(path, &s.job, err));
    int rc = json_get_string(s.job, path, "id", &s.id, err);
    if (rc == 0)
        rc = json_get_string(s.job, path, "jobs", &s.jobs, err);
    if (rc == 0)
        rc = json_get_string(s.job, path, "store", &dir, err);
    if (rc == 0)
        rc = store_open(dir, &s.store, err); /* sweeps what killed elements left on this node */
    if (rc < 0) {
        json_decref(s.job);
        return rc;
    }
    *ret = s;
    return 0;
}

static void step_close(struct step *s)
{
    store_release(&s->store);
    json_decref(s->job);
}

static bool inputs_present(const struct step *s)
{
    size_t i;
    const json_t *id;
    json_array_foreach(json_object_get(s->job, "inputs"), i, id)
    {
        if (store_look(&s->store, json_string_value(id), NULL) == STORE_ABSENT)
            return false;
    }
    return true;
}

/* A network file system shows what another node has just renamed after a moment. */
static bool wait_for_inputs(const struct step *s)
{
    const struct timespec pause = {0, INPUT_WAIT_MS * 1000000l};
    for (int i = 1; !inputs_present(s); i++) {
        if (i == INPUT_TRIES)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static int leave_verdict(const struct step *s, enum verdict verdict, int signal, const char *reason,
                         bool refused, double wall_s, struct error *err)
{
    const char *node = getenv("SLURMD_NODENAME");
    struct slurm_verdict v = {.verdict = verdict,
                              .signal = signal,
                              .reason = (char *)(uintptr_t)reason,
                              .node = (char *)(uintptr_t)(node ? node : ""),
                              .refused = refused,
                              .wall_s = wall_s};
    log_error("%s: %s", verdict_name(verdict), reason); /* for who reads the job's output */
    return slurm_verdict_write(s->jobs, s->id, &v, err);
}

/* Another class of CPU would compute other bytes under the same id. *ret_same is false after the
 * verdict is written. */
static int check_numerics(const struct step *s, bool *ret_same, struct error *err)
{
    static const char *const args[] = {"info", NULL};
    const char *want = json_string_value(json_object_get(s->job, "numerics")), *have;
    struct child_options o = {.program = s->worker, .args = args, .wall_limit_s = 60};
    struct child_result result;
    json_t *info = NULL;
    char *text = NULL;
    TRY(child_capture(&o, 65536, &text, &result, err));
    int rc = result.verdict == VERDICT_OK
                 ? json_parse_text("lethe-worker info", text, strlen(text), &info, err)
                 : error_set(err, ERR_ENVIRONMENT, "%s info: %s", s->worker, result.reason);
    if (rc == 0)
        rc = json_get_string(info, "lethe-worker info", "numerics", &have, err);
    bool same = rc == 0 && want && strcmp(want, have) == 0;
    if (rc == 0 && !same) {
        char *reason = text_format(
            "computes with \"%s\", but the plan is for \"%s\", and results of different CPUs are "
            "never mixed; choose nodes of one class (--slurm-args=--constraint=...), or plan on a "
            "machine of theirs",
            have, want ? want : "");
        rc = reason ? leave_verdict(s, VERDICT_FAILED, 0, reason, true, 0, err) : error_nomem(err);
        free(reason);
    }
    json_decref(info);
    free(text);
    *ret_same = same;
    return rc;
}

static int threads_here(void)
{
    const char *cpus = getenv("SLURM_CPUS_PER_TASK");
    int64_t n;
    return cpus && text_to_int(cpus, &n) && n >= 1 && n <= 256 ? (int)n : 1;
}

static int run_worker(const struct step *s, const char *dir, struct child_result *ret,
                      struct error *err)
{
    char *job_path = fs_join(dir, "job.json"), *log_path = fs_join(dir, "log.txt");
    const char *const args[] = {"task", job_path, NULL};
    struct child_options o = {
        .program = s->worker,
        .args = args,
        .log_path = log_path,
        .wall_limit_s = json_number_value(json_object_get(s->job, "wall_limit_s")),
        .memory_limit = (uint64_t)json_integer_value(json_object_get(s->job, "memory_limit"))};
    struct child *child = NULL;
    bool bad = !job_path || !log_path ||
               json_object_set_new(s->job, "workspace", json_string(dir)) ||
               json_object_set_new(s->job, "threads", json_integer(threads_here())) ||
               json_object_set_new(s->job, "executor", json_string("slurm"));
    int rc = bad ? error_nomem(err) : json_write_file(job_path, s->job, err);
    if (rc == 0)
        rc = child_start(&o, &child, err);
    while (rc >= 0 && child && !child_ended(child))
        rc = child_wait(&child, 1, 1000, err);
    if (rc >= 0)
        *ret = *child_result(child);
    child_free(child);
    free(job_path);
    free(log_path);
    return rc < 0 ? rc : 0;
}

static int settle(const struct step *s, const struct child_result *r, bool *ret_ok,
                  struct error *err)
{
    bool stored = store_look(&s->store, s->id, NULL) == STORE_PRESENT;
    *ret_ok = stored;
    if (stored)
        return 0;
    enum verdict v = r->verdict == VERDICT_OK ? VERDICT_VANISHED : r->verdict;
    const char *reason = *r->reason ? r->reason : "the worker left no result in the store";
    return leave_verdict(s, v, r->signal, reason, false, r->wall_s, err);
}

static int run_step(struct step *s, int *ret_code, struct error *err)
{
    struct child_result result;
    char *dir = NULL;
    bool ok = false;
    if (store_look(&s->store, s->id, NULL) == STORE_PRESENT) {
        *ret_code = 0;
        return 0;
    }
    if (!wait_for_inputs(s)) {
        log_info("an input is not in the store; the run sends this task again when it is");
        *ret_code = 4;
        return 0;
    }
    TRY(check_numerics(s, &ok, err));
    if (!ok) {
        *ret_code = 1;
        return 0;
    }
    TRY(store_workspace(&s->store, s->id, &dir, err));
    int rc = run_worker(s, dir, &result, err);
    if (rc == 0)
        rc = settle(s, &result, &ok, err);
    store_workspace_end(&s->store, s->id, dir, !ok || json_object_get(s->job, "plugin_path"));
    free(dir);
    if (rc < 0)
        return rc;
    *ret_code = ok ? 0 : 1;
    return 0;
}

int slurm_step(const char *job_path, const char *worker, int *ret_code, struct error *err)
{
    struct step s;
    TRY(step_open(job_path, worker, &s, err));
    int rc = run_step(&s, ret_code, err);
    step_close(&s);
    return rc;
}
