#include "task.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "hash.h"
#include "text.h"
#include "unlearned_shadow.h"

static int read_limits(struct job *job, struct error *err)
{
    const json_t *wall = json_object_get(job->json, "wall_limit_s");
    const json_t *memory = json_object_get(job->json, "memory_limit");
    job->wall_limit_s = json_is_number(wall) ? json_number_value(wall) : 0;
    job->memory_limit = (uint64_t)json_integer_value(memory);
    job->file_limit = (uint64_t)json_integer_value(json_object_get(job->json, "file_limit"));
    job->plugin_path = json_string_value(json_object_get(job->json, "plugin_path"));
    return 0;
}

int job_open(const char *path, struct events *events, struct job *ret, struct error *err)
{
    struct job job = {.events = events};
    const char *kind = NULL, *dir = NULL;
    json_int_t version = 0, threads = 1;
    char id[HASH_HEX_SIZE];
    int rc = (job.path = text_dup(path)) ? json_read_file(path, &job.json, err) : error_nomem(err);
    if (rc == 0)
        rc = json_get_int(job.json, path, "lethe_job", &version, err);
    if (rc == 0 && version != 1)
        rc = error_set(err, ERR_INVALID, "%s: job format %lld, this worker reads 1", path,
                       (long long)version);
    if (rc == 0)
        rc = json_get_string(job.json, path, "id", &job.id, err);
    if (rc == 0)
        rc = json_get_string(job.json, path, "kind", &kind, err);
    if (rc == 0)
        rc = json_get_string(job.json, path, "store", &dir, err);
    if (rc == 0)
        rc = json_get_string(job.json, path, "workspace", &job.workspace, err);
    if (rc == 0)
        rc = json_get_int(job.json, path, "threads", &threads, err);
    if (rc == 0)
        rc = read_limits(&job, err);
    job.identity = json_object_get(job.json, "identity");
    if (rc == 0)
        rc = store_id(job.identity, id, err);
    if (rc == 0 && strcmp(id, job.id) != 0)
        rc = error_set(err, ERR_INVALID, "%s: the identity does not hash to the id", path);
    if (rc == 0 && (job.kind = task_kind_from_name(kind)) == TASK_KIND_COUNT)
        rc = error_set(err, ERR_INVALID, "%s: unknown kind of task \"%s\"", path, kind);
    if (rc == 0)
        rc = store_attach(dir, &job.store, err);
    if (rc == 0) {
        job.threads = threads < 1 ? 1 : (unsigned)threads;
        job.out = fs_join(job.workspace, "out");
        job.cost = json_object();
        job.par = par_new(job.threads);
        rc = job.out && job.cost && job.par ? 0 : error_nomem(err);
    }
    if (rc < 0) {
        job_close(&job);
        return rc;
    }
    *ret = job;
    return 0;
}

void job_close(struct job *job)
{
    par_free(job->par);
    store_release(&job->store);
    json_decref(job->cost);
    json_decref(job->json);
    free(job->out);
    free(job->path);
}

static int (*const task_table[TASK_KIND_COUNT])(struct job *, struct error *) = {
    [TASK_DATA] = task_data,         [TASK_TRAIN] = task_train,
    [TASK_PREDICT] = task_predict,   [TASK_ADVERSARIAL] = task_adversarial,
    [TASK_UNLEARN] = task_unlearn,   [TASK_ATTACK] = task_attack,
    [TASK_EVALUATE] = task_evaluate, [TASK_METRIC] = task_metric,
    [TASK_TRANSFER] = task_transfer,
};

static int set_cost(struct job *job, uint64_t start_ns, struct error *err)
{
    char host[65] = "unknown";
    const char *executor = json_string_value(json_object_get(job->json, "executor"));
    gethostname(host, sizeof(host) - 1);
    json_t *cost = json_pack(
        "{s:f,s:f,s:f,s:s,s:i,s:s}", "wall_s", (double)(fs_now_ns() - start_ns) / 1e9, "cpu_s",
        (double)fs_cpu_ns() / 1e9, "peak_mb", (double)fs_peak_rss_bytes() / 1048576.0, "host", host,
        "threads", (int)job->threads, "executor", executor ? executor : "local");
    if (!cost || json_object_update_missing(job->cost, cost) != 0) {
        json_decref(cost);
        return error_nomem(err);
    }
    json_decref(cost);
    return 0;
}

int task_run(struct job *job, struct error *err)
{
    uint64_t start_ns = fs_now_ns();
    int rc = task_table[job->kind](job, err);
    if (rc == 0)
        rc = set_cost(job, start_ns, err);
    if (rc == 0)
        rc = store_commit(&job->store, job->id, job->workspace, job->identity, job->cost, err);
    return rc;
}

const char *job_text(const struct job *job, const char *key, struct error *err)
{
    const char *s = NULL;
    return json_get_string(job->identity, job->path, key, &s, err) < 0 ? NULL : s;
}

char *job_object(const struct job *job, const char *id, struct error *err)
{
    if (store_check(&job->store, id, err) < 0) {
        error_prefix(err, "corrupt input %s", id);
        return NULL;
    }
    char *path = store_path(&job->store, id, NULL);
    if (!path)
        error_nomem(err);
    return path;
}

char *job_input(const struct job *job, const char *key, struct error *err)
{
    const char *id = job_text(job, key, err);
    return id ? job_object(job, id, err) : NULL;
}

int job_dataset(const struct job *job, struct dataset **ret, struct error *err)
{
    char *dir = job_input(job, "data", err);
    if (!dir)
        return err->code;
    int rc = dataset_map(dir, ret, err);
    free(dir);
    return rc;
}

int job_split(const struct job *job, const char *key, const struct dataset *ds, struct split *ret,
              struct error *err)
{
    struct forget_spec spec;
    uint64_t seed;
    const json_t *forget = json_object_get(job->identity, key);
    if (json_object_get(forget, "shadow"))
        return shadow_split(ds, forget, ret, err);
    TRY(forget_from_json(forget, &spec, &seed, err));
    int rc = split_make(ds, &spec, seed, ret, err);
    forget_release(&spec);
    return rc;
}

char *job_out(const struct job *job, const char *file)
{
    return fs_join(job->out, file);
}

uint64_t task_seed(const char *role, int64_t seed)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "%s/%lld", role, (long long)seed);
    return hash_u64(text, (size_t)n);
}
