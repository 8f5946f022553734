/* exec_memory.h: whether one more worker fits into memory. What a kind of task takes is known
 * from tasks of that kind that have run, here or earlier; before that a guess from the network's
 * layers stands in. */
#ifndef SUITE_EXEC_MEMORY_H
#define SUITE_EXEC_MEMORY_H

#include "plan.h"
#include "store.h"

struct exec_memory {
    uint64_t budget;                 /* bytes of all workers together; 0: what the machine has */
    uint64_t known[TASK_KIND_COUNT]; /* largest peak of a finished task, bytes; 0: none finished */
    uint64_t guess[TASK_KIND_COUNT];
    uint64_t expected, held; /* sums over running workers: expected peaks, what they hold */
};

void exec_memory_init(struct exec_memory *m, const struct plan *p, const struct store *s,
                      uint64_t budget);
/* A task of that kind ended with this peak. */
void exec_memory_learn(struct exec_memory *m, enum task_kind kind, uint64_t peak_bytes);
uint64_t exec_memory_expect(const struct exec_memory *m, enum task_kind kind);

/* Before asking: no worker, then each that runs with the bytes that it holds now. */
void exec_memory_begin(struct exec_memory *m);
void exec_memory_add(struct exec_memory *m, enum task_kind kind, uint64_t held_bytes);
/* available: exec_memory_available(). */
bool exec_memory_allows(const struct exec_memory *m, enum task_kind kind, uint64_t available);

/* What the kernel could give without swapping, and the control group still allows; bytes,
 * UINT64_MAX when neither can be read. */
uint64_t exec_memory_available(void);

#endif
