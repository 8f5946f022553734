/* speed_work.h: the kinds of work that are timed, one step at a time. */
#ifndef SPEED_WORK_H
#define SPEED_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "error.h"

struct bench_options {
    const struct arch *arch;
    uint32_t batch;
    unsigned threads;
    uint64_t seed;
};

/* Everything a step needs, made once; `state` is the kind's own. */
struct work_kind {
    const char *name;   /* "training" */
    const char *option; /* "train", as in --kinds */
    int (*start)(const struct bench_options *o, void **ret_state, struct error *err);
    int (*step)(void *state, struct error *err);
    void (*end)(void *state); /* accepts NULL */
};

enum { WORK_TRAIN = 0, WORK_INFER, WORK_INPUTGRAD, WORK_PRODUCTS, WORK_COUNT };
extern const struct work_kind work_kinds[WORK_COUNT];

/* speed_products.c: the matrix products of a training step and nothing else. */
int products_start(const struct bench_options *o, void **ret_state, struct error *err);
int products_step(void *state, struct error *err);
void products_end(void *state);

#endif
