/* plan_joint.c: LOTOS: one task trains the originals of all model seeds, and one a seed takes its
 * model out, so that what comes after sees an original like any other. */
#include <stdlib.h>

#include "plan_internal.h"
#include "text.h"

static int plan_all(struct planner *b, uint32_t *ret, struct error *err)
{
    const struct suite_seeds *seeds = &b->suite->seed_model;
    struct draft d = {.kind = TASK_TRAIN, .identity = draft_identity(TASK_TRAIN)};
    json_t *list = json_array();
    for (unsigned i = 0; list && i < seeds->n; i++)
        if (json_array_append_new(list, json_integer((json_int_t)seeds->v[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_set(&d, "arch", json_string(b->arch_text));
    draft_set(&d, "recipe", json_string(b->original_text));
    draft_set(&d, "role", json_string("joint"));
    draft_set(&d, "seeds", list);
    draft_set(&d, "rows", json_pack("{s:b}", "all", 1));
    d.weight = 3.5 * seeds->n * b->plan->n_train_rows * b->recipe->epochs;
    d.title = text_format("train %u originals together", seeds->n);
    return plan_add(b->plan, &d, ret, err);
}

int plan_joint(struct planner *b, int64_t seed, const char *title, uint32_t *ret, struct error *err)
{
    const struct suite_seeds *seeds = &b->suite->seed_model;
    struct draft d = {.kind = TASK_TRAIN, .identity = draft_identity(TASK_TRAIN), .weight = 50};
    unsigned index = 0;
    uint32_t all;
    if (seeds->n < 2)
        return error_set(err, ERR_INVALID,
                         "lotos: trains models together, but seeds.model has one seed only; give "
                         "two or more");
    int rc = plan_all(b, &all, err);
    if (rc < 0) {
        json_decref(d.identity);
        return rc;
    }
    while (index + 1 < seeds->n && seeds->v[index] != seed)
        index++;
    draft_input(b, &d, "joint", all);
    draft_set(&d, "index", json_integer(index));
    draft_set(&d, "seed", json_integer((json_int_t)seed));
    d.title = text_dup(title);
    return plan_add(b->plan, &d, ret, err);
}
