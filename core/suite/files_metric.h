/* files_metric.h: `lethe metric`: a metric or an audit on outputs and models in files. */
#ifndef SUITE_FILES_METRIC_H
#define SUITE_FILES_METRIC_H

#include "files_job.h"

/* plugin_path, plugin_id, params, group (true: all models of a 3-D target at once), target,
 * optional labels, split, original, retrained, random, adversarial, source, source_adversarial,
 * model, original_model, retrained_models (list), arch
 * -> values, notes, curves, models (how many targets), n (samples of each set) */
int files_metric(struct files_job *job, struct error *err);

#endif
