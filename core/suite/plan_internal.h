/* plan_internal.h: what plan.c and plan_tasks.c share. */
#ifndef SUITE_PLAN_INTERNAL_H
#define SUITE_PLAN_INTERNAL_H

#include "plan.h"

/* A task while it is put together. */
struct draft {
    enum task_kind kind;
    json_t *identity; /* owned until plan_add */
    char *title;      /* owned until plan_add */
    uint32_t dep[8];
    unsigned n_deps;
    const uint32_t *more; /* further inputs: shadow models' outputs */
    unsigned n_more;
    const struct plugin_desc *plugin, *attack_plugin;
    double weight;
};

/* Adds a task, or finds the equal one. Takes identity and title in any case. */
int plan_add(struct plan *p, struct draft *d, uint32_t *ret, struct error *err);

/* What the plan needs while it grows. */
struct planner {
    struct plan *plan;
    const struct suite *suite;
    const struct plugin_set *plugins;
    const char *numerics;
    char *arch_text, *recipe_text;
    uint32_t data;
    uint32_t *shadow; /* (n_shadow) predictions of the shadow models */
};

int plan_data(struct planner *b, struct error *err);
/* role: "original", "retrain" or "shadow". forget: NULL, or whose retain set is trained on
 * (borrowed). */
int plan_train(struct planner *b, const char *role, int64_t seed, const json_t *forget,
               double share, const char *title, uint32_t *ret, struct error *err);
int plan_predict(struct planner *b, uint32_t model, uint32_t *ret, struct error *err);
int plan_shadows(struct planner *b, struct error *err);
/* The unlearning task of a row and the adversarial sets that it declares. */
int plan_unlearn(struct planner *b, const struct suite_entry *e, const json_t *forget, double share,
                 struct plan_row *row, struct error *err);
/* Predictions, metrics and attacks on row->model. */
int plan_measures(struct planner *b, const json_t *forget, struct plan_row *row, struct error *err);

#endif
