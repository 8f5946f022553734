/* Tasks of consecutive scenarios: all requests of a run, and one of its answers. */
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "model_file.h"
#include "task.h"
#include "text.h"

/* ---- all requests ---- */

struct sequence {
    struct job *job;
    struct split *split; /* (n) */
    struct unlearn_request *request;
    struct unlearn_result *result;
    uint32_t n;
};

static void sequence_release(struct sequence *s)
{
    for (uint32_t i = 0; s->split && i < s->n; i++)
        split_release(&s->split[i]);
    free(s->split);
    free(s->request);
    free(s->result);
}

static int sequence_init(struct sequence *s, struct job *job, const struct dataset *ds,
                         struct error *err)
{
    struct forget_spec spec;
    uint64_t seed;
    TRY(forget_from_json(json_object_get(job->identity, "forget"), &spec, &seed, err));
    *s = (struct sequence){.job = job, .n = spec.requests};
    s->split = calloc(s->n + 1u, sizeof(*s->split));
    s->request = calloc(s->n + 1u, sizeof(*s->request));
    s->result = calloc(s->n + 1u, sizeof(*s->result));
    if (!s->split || !s->request || !s->result)
        return error_nomem(err);
    for (uint32_t i = 0; i < s->n; i++) {
        TRY(split_make_request(ds, &spec, seed, i + 1, &s->split[i], err));
        s->request[i].split = &s->split[i];
    }
    return 0;
}

/* NAME-K.EXTENSION in out/; malloc'd. */
static char *numbered(const struct job *job, const char *name, uint32_t k, const char *extension)
{
    char *file = text_format("%s-%u.%s", name, k, extension);
    char *path = file ? job_out(job, file) : NULL;
    free(file);
    return path;
}

static int save_model(void *arg, uint32_t request, const struct model *model, struct error *err)
{
    const struct sequence *s = arg;
    char *path = numbered(s->job, "model", request + 1, "safetensors");
    int rc = path ? model_save(model, path, err) : error_nomem(err);
    free(path);
    return rc;
}

static int save_results(const struct sequence *s, struct error *err)
{
    json_t *times = json_array();
    int rc = times ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < s->n; i++) {
        const struct unlearn_result *r = &s->result[i];
        char *path = numbered(s->job, "meters", i + 1, "json");
        rc = path ? meters_save(&r->meters, path, err) : error_nomem(err);
        json_t *cost = json_pack("{s:f,s:f,s:f,s:f}", "prepare_s", r->prepare_s, "run_s", r->run_s,
                                 "prepare_cpu_s", r->prepare_cpu_s, "run_cpu_s", r->run_cpu_s);
        if (rc == 0 && json_array_append(times, cost) != 0)
            rc = error_nomem(err);
        json_decref(cost);
        free(path);
    }
    if (rc == 0 && json_object_set(s->job->cost, "requests", times) != 0)
        rc = error_nomem(err);
    json_decref(times);
    return rc;
}

int task_unlearn_sequence(struct job *job, struct hosting *h, const struct model *original,
                          const struct adversarial *sets, uint32_t n_sets, struct error *err)
{
    struct sequence s = {0};
    struct model *m = NULL;
    struct unlearn_hook after = {save_model, &s};
    int rc = sequence_init(&s, job, h->ds, err);
    if (rc == 0) {
        s.request[0].declared = sets;
        s.request[0].n_declared = n_sets;
        rc = model_clone(original, &m, err);
    }
    if (rc == 0)
        rc = hosting_unlearn_requests(h, original, m, s.request, s.n, s.result, &after, err);
    if (rc == 0)
        rc = save_results(&s, err);
    model_free(m);
    sequence_release(&s);
    return rc;
}

/* ---- one answer ---- */

static int copy_file(const char *dir, const char *name, uint32_t k, const char *extension,
                     const struct job *job, struct error *err)
{
    char *bytes = NULL, *file = text_format("%s-%u.%s", name, k, extension);
    char *from = file ? fs_join(dir, file) : NULL;
    char *whole = text_format("%s.%s", name, extension), *to = whole ? job_out(job, whole) : NULL;
    size_t n = 0;
    int rc = from && to ? fs_read(from, (size_t)1 << 40, &bytes, &n, err) : error_nomem(err);
    if (rc == 0)
        rc = fs_write_atomic(to, bytes, n, err);
    free(bytes);
    free(file);
    free(from);
    free(whole);
    free(to);
    return rc;
}

static double number_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : 0;
}

static double seconds_of(const json_t *request)
{
    return number_of(request, "prepare_s") + number_of(request, "run_s");
}

/* Of the whole task's CPU time the share that the request's wall time had. */
static int take_cost(struct job *job, const char *sequence, size_t k, struct error *err)
{
    json_t *meta = NULL, *request;
    double all = 0;
    size_t i;
    TRY(store_meta(&job->store, sequence, &meta, err));
    const json_t *cost = json_object_get(meta, "cost"), *list = json_object_get(cost, "requests");
    const json_t *own = json_array_get(list, k - 1);
    json_array_foreach(list, i, request) all += seconds_of(request);
    double share = all > 0 ? seconds_of(own) / all : 1.0 / (double)(i ? i : 1);
    json_t *mine = json_pack("{s:f,s:f}", "cpu_s", share * number_of(cost, "cpu_s"), "peak_mb",
                             number_of(cost, "peak_mb"));
    int rc = mine && own && json_object_update(job->cost, (json_t *)own) == 0 &&
                     json_object_update(job->cost, mine) == 0
                 ? 0
                 : error_nomem(err);
    json_decref(mine);
    json_decref(meta);
    return rc;
}

int task_unlearn_request(struct job *job, struct error *err)
{
    json_int_t k;
    const char *id = job_text(job, "sequence", err);
    char *dir = id ? job_input(job, "sequence", err) : NULL;
    int rc = dir ? json_get_int(job->identity, job->path, "request", &k, err) : err->code;
    if (rc == 0)
        rc = copy_file(dir, "model", (uint32_t)k, "safetensors", job, err);
    if (rc == 0)
        rc = copy_file(dir, "meters", (uint32_t)k, "json", job, err);
    if (rc == 0)
        rc = take_cost(job, id, (size_t)k, err);
    free(dir);
    return rc;
}
