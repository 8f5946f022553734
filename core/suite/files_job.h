/* files_job.h: one step of the engine on files, run in a worker process. The job is a JSON object:
 *   {"lethe_files": 1, "kind": "train", "arch": "{...}", "images": "x.npy", "threads": 2,
 *    "out": "m.safetensors", "result": "/tmp/.../result.json", ...}
 * and so is what comes back: {"code": 0, "result": {...}}, code being an error.h number. */
#ifndef SUITE_FILES_JOB_H
#define SUITE_FILES_JOB_H

#include <stdint.h>

#include "events.h"
#include "files_data.h"
#include "json.h"
#include "model.h"
#include "par.h"
#include "train.h"

struct files_job {
    const char *path; /* of the job file, for messages */
    json_t *json;
    struct par *par;
    struct events *events;
    json_t *result; /* an object for the kind to fill */
};

/* Reads the job, runs it, writes its result file (after a failure too). */
int files_run(const char *path, struct events *events, struct error *err);

/* ---- the kinds ---- */

/* arch, images, labels, recipe, seed, init (optional), out -> epochs, loss, accuracy, seed, params
 */
int files_train(struct files_job *job, struct error *err);
/* arch, model, images, batch, out -> images, classes */
int files_predict(struct files_job *job, struct error *err);

/* arch, model, iterations, top, seed, out ("": no file) -> layers, bound, certified,
 * bound_composed, certified_composed */
int files_spectral(struct files_job *job, struct error *err);

/* ---- for the files_*.c files ---- */

const char *files_text(const struct files_job *job, const char *key,
                       struct error *err); /* or NULL */
/* The job's "arch" with zeros for weights; the architecture outlives the model. */
int files_model(const struct files_job *job, struct arch **ret_arch, struct model **ret,
                struct error *err);
/* The job's "images", checked; *ret (zeroed before) is to be released after a failure too. Values
 * outside [0, 1] put a "warning" into the result. */
int files_images(struct files_job *job, struct file_images *ret, struct error *err);

/* Batches of a view for train_run and predict_run (as `self` of files_fill). */
struct files_source {
    const struct view *view;
    uint64_t seed; /* of augmentation */
    bool augment;
};
void files_fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y);

#endif
