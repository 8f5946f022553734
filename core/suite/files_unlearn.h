/* files_unlearn.h: `lethe unlearn` on files. */
#ifndef SUITE_FILES_UNLEARN_H
#define SUITE_FILES_UNLEARN_H

#include "files_job.h"

/* plugin {path, id, params}, attacks [{path, id, params}], arch, model, images, labels, forget,
 * column (optional), recipe, seed, out -> forget, retain, meters, prepare_s, run_s. The same bytes
 * as a suite's unlearning task with the same model, rows, parameters and seed. */
int files_unlearn(struct files_job *job, struct error *err);

#endif
