/* exec_queue.h: tasks that could start now, in the order that finishes rows of runs.csv early. */
#ifndef SUITE_EXEC_QUEUE_H
#define SUITE_EXEC_QUEUE_H

#include "plan.h"

struct exec_queue {
    const struct plan *plan;
    uint32_t *row;      /* (n) first row that needs the task; UINT32_MAX: none */
    uint32_t *missing;  /* (n) inputs that are not done */
    uint32_t *follower; /* tasks that read task i: follower[begin[i]..begin[i + 1]) */
    uint32_t *begin;    /* (n + 1) */
    uint32_t *heap;     /* ready tasks, least (row, index) first */
    uint32_t n_heap;
};

/* The plan must not grow while the queue lives. */
int exec_queue_init(struct exec_queue *q, const struct plan *p, struct error *err);
void exec_queue_release(struct exec_queue *q);
/* Looks at all states again: after something other than a finished task changed them. */
void exec_queue_refresh(struct exec_queue *q);
/* The task is done now: what waited for it alone is ready. */
void exec_queue_done(struct exec_queue *q, uint32_t task);
/* The next one, or NO_TASK; pop takes it out. */
uint32_t exec_queue_top(const struct exec_queue *q);
void exec_queue_pop(struct exec_queue *q);

#endif
