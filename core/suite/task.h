/* task.h: one task of a plan, run in a worker process: read the job, compute,
 * put the artifacts into the store. */
#ifndef SUITE_TASK_H
#define SUITE_TASK_H

#include "dataset.h"
#include "events.h"
#include "hosting.h"
#include "json.h"
#include "model.h"
#include "npy.h"
#include "par.h"
#include "plan.h"
#include "split.h"
#include "store.h"

struct job {
    char *path;
    json_t *json;
    const char *id, *workspace, *plugin_path;
    char *out; /* workspace/out */
    enum task_kind kind;
    const json_t *identity;
    unsigned threads;
    double wall_limit_s;
    uint64_t memory_limit, file_limit;
    struct store store;
    struct par *par;
    struct events *events;
    json_t *cost; /* extra members of meta.json's cost (prepare_s, run_s) */
};

/* Reads and checks the job file; starts the threads. */
int job_open(const char *path, struct events *events, struct job *ret, struct error *err);
void job_close(struct job *job);
/* Runs it and publishes the result. */
int task_run(struct job *job, struct error *err);

/* ---- for the task_*.c files ---- */

const char *job_text(const struct job *job, const char *key,
                     struct error *err); /* of identity; NULL */
/* Folder of the object that identity[key] names, its checksums compared; malloc'd, NULL on failure.
 * A corrupt input's error text begins with "corrupt input <id>". */
char *job_input(const struct job *job, const char *key, struct error *err);
char *job_object(const struct job *job, const char *id, struct error *err);
int job_dataset(const struct job *job, struct dataset **ret, struct error *err);
/* From identity[key], a forget spec, or what a shadow model forgets (unlearned_shadow.h). */
int job_split(const struct job *job, const char *key, const struct dataset *ds, struct split *ret,
              struct error *err);
char *job_out(const struct job *job, const char *file); /* malloc'd path in out/ */

/* identity.plugin with its file opened: fills h's file, id, params, par, events. */
int job_plugin(struct job *job, struct hosting *h, struct error *err);
/* The model of the object that identity.model names; *ret_arch outlives it. */
int job_model(struct job *job, struct arch **ret_arch, struct model **ret, struct error *err);
/* logits.npy of a predict task: float32 (pool, classes). */
int job_logits(struct job *job, const char *id, const struct dataset *ds, struct npy *ret,
               struct error *err);

/* Seed of a run's random streams: the first 8 bytes of SHA-256 of "role/seed". */
uint64_t task_seed(const char *role, int64_t seed);

int task_data(struct job *job, struct error *err);
int task_train(struct job *job, struct error *err);
int task_predict(struct job *job, struct error *err);
int task_adversarial(struct job *job, struct error *err);
int task_unlearn(struct job *job, struct error *err);
/* Consecutive requests: identity.forget is a sequence. Leaves model-K.safetensors and
 * meters-K.json of each request K, and their times in meta.json's cost. */
int task_unlearn_sequence(struct job *job, struct hosting *h, const struct model *original,
                          const struct adversarial *sets, uint32_t n_sets, struct error *err);
/* One answer of a sequence, as any other unlearned model. */
int task_unlearn_request(struct job *job, struct error *err);
/* Models (of task_unlearn) and outputs (of task_predict) that were made elsewhere. */
int task_import_model(struct job *job, struct error *err);
int task_import_logits(struct job *job, struct error *err);
int task_attack(struct job *job, struct error *err);
int task_evaluate(struct job *job, struct error *err);
int task_metric(struct job *job, struct error *err);
int task_transfer(struct job *job, struct error *err);

int meters_save(const struct meters *m, const char *path, struct error *err);
int meters_load(const char *path, struct meters *ret, struct error *err);
int adversarial_save(const struct adversarial *a, const struct dataset *ds, const uint32_t *ids,
                     const int32_t *y, bool images_too, const char *dir, struct error *err);
int adversarial_load(const char *dir, struct adversarial *ret, struct error *err);

#endif
