/* task_training.h: what training tasks of one model and of several share. */
#ifndef SUITE_TASK_TRAINING_H
#define SUITE_TASK_TRAINING_H

#include "arena.h"
#include "task.h"
#include "train.h"
#include "view.h"

/* Where a task's batches come from. */
struct task_view {
    const struct view *view;
    uint64_t seed; /* of augmentation */
    bool augment;
};
struct batch_source task_batches(struct task_view *source);
/* The samples that the task's "rows" name, augmented where the recipe says so. */
int task_training_view(struct job *job, const struct dataset *ds, int64_t seed,
                       const struct recipe *recipe, struct arena *arena, const struct view **ret,
                       struct error *err);

/* All originals of a suite with lotos: model-1.safetensors, training-1.csv, ... in the order of
 * the identity's seeds. */
int task_joint(struct job *job, struct error *err);
/* One of them as an object of its own. */
int task_pick(struct job *job, struct error *err);

#endif
