/* metric_inputs.h: what a metric task reads from the store: outputs, models and costs. */
#ifndef SUITE_METRIC_INPUTS_H
#define SUITE_METRIC_INPUTS_H

#include "task.h"

/* Outputs of some models, cut into the sets of a split. */
struct model_list {
    uint32_t n;
    struct set_outputs *set;     /* (n, 4) */
    struct model_outputs *model; /* (n); NULL where the task asks for none */
};

struct stored_model {
    struct arch *arch;
    struct model *m; /* NULL: not asked for */
};

struct metric_inputs {
    uint32_t n_classes;
    struct model_list targets, references, original, random;
    struct stored_model model, original_model;
    struct stored_model *oracle; /* (n_oracles) */
    const struct model **oracle_list;
    uint32_t n_oracles;
    bool has_cost;
    struct meters cost, *oracle_cost; /* the latter (n_oracles) */
};

/* From the job's identity: target or targets, references, original, random; model,
 * original_model, oracle_models; cost, free. */
int metric_inputs_load(struct job *job, const struct dataset *ds, const struct split *split,
                       struct metric_inputs *ret, struct error *err);
void metric_inputs_release(struct metric_inputs *f);

#endif
