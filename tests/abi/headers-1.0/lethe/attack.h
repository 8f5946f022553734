/* SPDX-License-Identifier: MIT
 * attack.h: attacks that perturb inputs, and attacks that guess membership. */
#ifndef LETHE_ATTACK_H
#define LETHE_ATTACK_H

#include "host.h"
#include "plugin.h"

enum { LETHE_NORM_L0 = 0, LETHE_NORM_L1 = 1, LETHE_NORM_L2 = 2, LETHE_NORM_LINF = 99 };

/* ---- example attacks ---- */

typedef struct lethe_example_job {
    uint32_t struct_size, n_classes;
    double box_lo, box_hi;    /* bounds of every pixel */
    const lethe_model *model; /* evaluation mode only */
    const int32_t *target;    /* (n) classes to reach; NULL when untargeted */
} lethe_example_job;
LETHE_NO_TAIL_PADDING(lethe_example_job, target);

/* Buffers of the host, n = clean->n entries each. */
typedef struct lethe_example_result {
    uint32_t struct_size, reserved;
    float *x;        /* (n, C, H, W) out: perturbed samples; the host checks norm and box */
    uint8_t *found;  /* (n) out: 1 where the goal was reached */
    float *radius;   /* (n) out: the radius that bounds ||x - clean|| */
    uint32_t *steps; /* (n) out: gradient steps spent */
} lethe_example_result;
LETHE_NO_TAIL_PADDING(lethe_example_result, steps);

typedef struct lethe_example_attack {
    uint32_t struct_size;
    int32_t norm; /* LETHE_NORM_*: the norm that `radius` bounds */
    lethe_status (*perturb)(lethe_ctx *, const lethe_example_job *, const lethe_batch *clean,
                            lethe_example_result *out);
} lethe_example_attack;
LETHE_NO_TAIL_PADDING(lethe_example_attack, perturb);

/* ---- membership attacks ---- */

/* Outputs of one model on one set of samples. Several views per sample (test-time
 * augmentation) make the third dimension; n_views is 1 without. */
typedef struct lethe_outputs {
    uint32_t struct_size, n_classes;
    uint32_t n_views, reserved;
    uint64_t n;
    const float *logits; /* (n, n_views, n_classes) */
    const int32_t *y;    /* (n) true labels */
} lethe_outputs;
LETHE_NO_TAIL_PADDING(lethe_outputs, y);

typedef struct lethe_references {
    uint32_t struct_size, n_models;
    const float *const *logits;      /* n_models pointers to (n, n_views, n_classes) */
    const uint8_t *const *inclusion; /* n_models pointers to (n): 1 = trained on that sample */
} lethe_references;
LETHE_NO_TAIL_PADDING(lethe_references, inclusion);

/* Candidates are shuffled by the host; their membership never enters the process. */
typedef struct lethe_member_job {
    uint32_t struct_size, n_classes;
    const lethe_outputs *candidates;       /* outputs of the model under attack */
    const lethe_references *references;    /* shadow models on the same candidates, or NULL */
    const lethe_outputs *known_members;    /* labelled fit data: part of the retain set, or NULL */
    const lethe_outputs *known_nonmembers; /* part of the test set, or NULL */
    /* shadow models on the known samples, or NULL where `references` or the set is */
    const lethe_references *known_member_references, *known_nonmember_references;
} lethe_member_job;
LETHE_NO_TAIL_PADDING(lethe_member_job, known_nonmember_references);

/* A named column of scores; larger = more likely a member. */
typedef struct lethe_score {
    uint32_t struct_size, reserved;
    const char *name; /* "" when it is the only one */
    const char *doc;
} lethe_score;
LETHE_NO_TAIL_PADDING(lethe_score, doc);

typedef struct lethe_membership_attack {
    uint32_t struct_size;
    uint32_t n_scores, score_stride;
    /* 0: works without samples of known membership. 1: is fitted on known_members and
     * known_nonmembers; a score of at least 0 then judges "member". 2: takes known_nonmembers as
     * its population when its choice parameter `population` says "nonmembers". */
    uint32_t wants_fit;
    const lethe_score *scores;
    lethe_status (*fit)(lethe_ctx *, const lethe_member_job *, void **state); /* optional */
    /* score (n_scores, n): column by column, in candidate order. NaN is refused. */
    lethe_status (*score)(lethe_ctx *, void *state, const lethe_member_job *, double *score);
    void (*dispose)(lethe_ctx *, void *state); /* optional; accepts NULL */
} lethe_membership_attack;
LETHE_NO_TAIL_PADDING(lethe_membership_attack, dispose);

#endif
