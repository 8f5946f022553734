/* SPDX-License-Identifier: MIT
 * unlearner.h: a method that makes a trained model forget some of its samples. */
#ifndef LETHE_UNLEARNER_H
#define LETHE_UNLEARNER_H

#include "host.h"
#include "plugin.h"

/* scenarios a method serves */
#define LETHE_SCENARIO_RANDOM 1u /* any subset of the training set */
#define LETHE_SCENARIO_CLASS 2u  /* all samples of one or several classes */

typedef struct lethe_forget_job {
    uint32_t struct_size;
    uint32_t request;  /* 0, 1, 2, ... for deletions that arrive one after another */
    uint32_t scenario; /* LETHE_SCENARIO_* */
    uint32_t n_forget_classes;
    const int32_t *forget_classes; /* class scenario: the classes; else NULL */
    lethe_model *model;            /* in: the trained model; out: the answer */
    const lethe_model *original;   /* the same weights, never to be written */
    const lethe_view *forget;      /* NULL unless granted, like the next two */
    const lethe_view *retain;
    const lethe_view *validation;
} lethe_forget_job;
LETHE_NO_TAIL_PADDING(lethe_forget_job, validation);

/* An example attack that the method will ask for: the host runs it on the
 * forget set and the original model beforehand, once for all rows that share it. */
typedef struct lethe_attack_use {
    uint32_t struct_size, reserved;
    const char *attack;          /* id of an example attack */
    const char *const *settings; /* NULL-ended "name=value"; "$p" as the value stands for the
                                    value of the unlearner's own parameter p */
} lethe_attack_use;
LETHE_NO_TAIL_PADDING(lethe_attack_use, settings);

typedef struct lethe_unlearner {
    uint32_t struct_size;
    uint32_t scenarios; /* LETHE_SCENARIO_* it can serve */
    uint32_t n_attacks, attack_stride;
    const lethe_attack_use *attacks; /* NULL when n_attacks is 0 */
    /* Optional, cheap: can this task be done? */
    lethe_status (*check)(lethe_ctx *, const lethe_forget_job *);
    /* Optional, once before any request; timed apart (masks, Fisher, ...). */
    lethe_status (*prepare)(lethe_ctx *, const lethe_forget_job *, void **state);
    lethe_status (*run)(lethe_ctx *, void *state, const lethe_forget_job *); /* required */
    void (*dispose)(lethe_ctx *, void *state); /* optional; accepts NULL */
} lethe_unlearner;
LETHE_NO_TAIL_PADDING(lethe_unlearner, dispose);

#endif
