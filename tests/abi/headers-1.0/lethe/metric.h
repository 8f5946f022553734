/* SPDX-License-Identifier: MIT
 * metric.h: numbers computed from an unlearned model's outputs. A metric never
 * computes its own gap to the oracles: the host does, the same way for all. */
#ifndef LETHE_METRIC_H
#define LETHE_METRIC_H

#include "attack.h"

enum { LETHE_SHAPE_SCALAR = 1, LETHE_SHAPE_CURVE = 2 };
enum {
    LETHE_BETTER_HIGHER = 1,
    LETHE_BETTER_LOWER = 2,
    LETHE_BETTER_NEAR_REFERENCE = 3,
    LETHE_BETTER_NEITHER = 4
};
enum { LETHE_REF_NONE = 0, LETHE_REF_RETRAIN = 1, LETHE_REF_ORIGINAL = 2, LETHE_REF_CONSTANT = 3 };
enum {
    LETHE_SCOPE_RUN = 1,  /* evaluated for each unlearned model alone */
    LETHE_SCOPE_GROUP = 2 /* evaluated over all runs of a method; needs min_models */
};

typedef struct lethe_output {
    uint32_t struct_size, shape, better, reference;
    const char *name;   /* column name, [a-z][a-z0-9_]* */
    const char *unit;   /* "percent" or "" (fraction or plain number) */
    const char *doc;    /* one line */
    const char *x_name; /* curves: what x is; else "" */
    double lo, hi;      /* possible range; +-HUGE_VAL where open */
    double constant;    /* with LETHE_REF_CONSTANT, e.g. 0.5 */
} lethe_output;
LETHE_NO_TAIL_PADDING(lethe_output, constant);

/* Outputs of one model on the sets of a scenario; NULL where a set does not exist. */
typedef struct lethe_model_outputs {
    uint32_t struct_size, reserved;
    const lethe_outputs *forget, *retain;
    const lethe_outputs *test;           /* class scenario: the remaining classes only */
    const lethe_outputs *test_forgotten; /* class scenario: the forgotten classes; else NULL */
} lethe_model_outputs;
LETHE_NO_TAIL_PADDING(lethe_model_outputs, test_forgotten);

/* What making a model has cost, in numbers that no machine changes. */
typedef struct lethe_cost {
    uint32_t struct_size, reserved;
    uint64_t forward, backward; /* samples through the network, attacks included */
    uint64_t optimizer_steps;
    uint64_t read_forget, read_retain;
} lethe_cost;
LETHE_NO_TAIL_PADDING(lethe_cost, read_retain);

typedef struct lethe_metric_job {
    uint32_t struct_size, scenario; /* LETHE_SCENARIO_* (unlearner.h) */
    uint32_t n_targets, n_references;
    uint32_t outputs_stride, n_classes;    /* stride: sizeof(lethe_model_outputs) of the host */
    const lethe_model_outputs *targets;    /* one, or all runs of a method (LETHE_SCOPE_GROUP) */
    const lethe_model_outputs *references; /* oracles; NULL unless granted */
    const lethe_model_outputs *original;   /* NULL unless granted */
    /* All that follows is NULL unless granted: LETHE_CAP_RANDOM */
    const lethe_model_outputs *random; /* a randomly initialised model of the same architecture */
    /* LETHE_CAP_ADVERSARIAL: on adversarial samples made from each set */
    const lethe_model_outputs *adversarial; /* the target on them */
    const lethe_model_outputs *source;      /* the model they were made with, clean samples */
    const lethe_model_outputs *source_adversarial; /* and on them */
    /* LETHE_CAP_MODEL: not to be written; clone one to change it */
    const lethe_model *model, *original_model;
    const lethe_model *const *reference_models; /* n_references of them */
    const lethe_view *forget, *retain;          /* with LETHE_CAP_FORGET, LETHE_CAP_RETAIN */
    /* LETHE_CAP_COST */
    const lethe_cost *cost;                   /* of the target */
    const lethe_cost *const *reference_costs; /* n_references of them */
} lethe_metric_job;
LETHE_NO_TAIL_PADDING(lethe_metric_job, reference_costs);

typedef struct lethe_metric {
    uint32_t struct_size, scope;
    uint32_t n_outputs, output_stride;
    uint32_t min_models, reserved; /* LETHE_SCOPE_GROUP: fewer give an empty cell */
    const lethe_output *outputs;
    lethe_status (*evaluate)(lethe_ctx *, const lethe_metric_job *);
} lethe_metric;
LETHE_NO_TAIL_PADDING(lethe_metric, evaluate);

#endif
