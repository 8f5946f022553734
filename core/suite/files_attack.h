/* files_attack.h: attacks on files, the kinds of `lethe attack`. */
#ifndef SUITE_FILES_ATTACK_H
#define SUITE_FILES_ATTACK_H

#include "files_job.h"
#include "hosting.h"

/* plugin {path, id, params}, seed, target, labels; references and inclusion, split, fit ("none",
 * "required", "population"), out (all optional) -> scores, member (shares judged, of fitted
 * attacks), roc (with a split: values of score_values.h), notes, n */
int files_member(struct files_job *job, struct error *err);
/* plugin, seed, arch, model, images, labels, targets (optional), out (a folder) -> n, found,
 * accuracy_clean, accuracy_adversarial, robust_acc_cond, robust_acc_raw, mean_l2, mean_linf */
int files_perturb(struct files_job *job, struct error *err);

/* plugins [{id, path, params, fit}], seed -> rows [{attack, score, overfit, unseen, seconds}],
 * members (judged on either side) */
int files_selftest(struct files_job *job, struct error *err);

/* Opens the job's "plugin" into h, with its seed. */
int files_plugin(struct files_job *job, struct hosting *h, struct error *err);

#endif
