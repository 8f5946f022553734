/* trial.h: a host that says no at a chosen moment. The conformance suite puts it between a plugin
 * and the host's tables, so that every way of stopping, refusing and running out of memory is
 * walked through. It counts calls, and ends runs that would go on for ever. */
#ifndef PLUGIN_TRIAL_H
#define PLUGIN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lethe/lethe.h"

enum trial_kind {
    TRIAL_COUNT = 0, /* says yes to everything */
    TRIAL_CANCEL,    /* from call `at` on everything answers E_CANCELLED */
    TRIAL_ASKED,     /* from call `at` on progress and cancelled alone say so */
    TRIAL_BUDGET,    /* from call `at` on everything answers E_BUDGET */
    TRIAL_ONCE,      /* call `at` alone fails, with E_IO */
    TRIAL_NOMEM      /* allocation `at` alone finds no memory */
};

struct trial {
    enum trial_kind kind;
    uint64_t at;          /* from 1 */
    uint64_t max_calls;   /* then everything answers E_CANCELLED; 0: no limit */
    uint64_t deadline_ns; /* the same after this moment (fs_now_ns); 0: none */

    uint64_t calls, allocs; /* so far; `calls` are those that can fail */
    uint64_t heard;         /* answers E_CANCELLED or E_BUDGET given */
    uint64_t asked;         /* calls of progress and cancelled */
    uint64_t deaf, longest; /* calls since it last asked; the longest such stretch */
    bool fired, cut_short;  /* it said no; a limit was reached */
    char where[40];         /* which function said no first: "model->forward" */
    uint64_t at_fire;       /* `calls` when it first said no */
    lethe_host real;        /* the host's own tables, each once it has been seen */
    struct {                /* what the plugin sees in their place */
        lethe_core_api core;
        lethe_data_api data;
        lethe_model_api model;
        lethe_loss_api loss;
        lethe_optim_api optim;
        lethe_attack_api attack;
        lethe_recipe_api recipe;
        lethe_emit_api emit;
    } mine;
};

/* Puts the trial before the functions of the tables that *host has; the host's context must lead
 * back to it (host_internal.h). */
void trial_install(struct trial *t, lethe_host *host);

#endif
