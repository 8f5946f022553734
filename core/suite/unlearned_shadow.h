/* unlearned_shadow.h: shadow models that have unlearned, which U-LiRA compares with (Hayes et al.
 * 2024; "sharing shadows").
 *
 * Judged are the forget set F and as many samples that the model never saw: N test rows, N = |F|,
 * drawn from the stream (task_seed("judged", 1), "test", forget seed); fewer if there are fewer; in
 * class scenarios all test rows of the forgotten classes. Shadow model k forgets the judged samples
 * that it was trained on, which are about |F|, by the method under attack: so each judged sample
 * was unlearned by half of the models and is unknown to the other half, and every model forgets as
 * much and the same kind as the real one. */
#ifndef SUITE_UNLEARNED_SHADOW_H
#define SUITE_UNLEARNED_SHADOW_H

#include "task.h"

/* judged (n_pool) gets 0/1. forget: identity of the real forget set. */
int shadow_judged(const struct dataset *ds, const json_t *forget, uint8_t *judged,
                  struct error *err);
/* spec: {"shadow": k, "bank": seed, "of": FORGET}. What shadow model k forgets and retains; test
 * are the rows that it was not trained on. */
int shadow_split(const struct dataset *ds, const json_t *spec, struct split *ret,
                 struct error *err);

#endif
