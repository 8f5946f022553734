#include "exec_queue.h"

#include <stdlib.h>
#include <string.h>

/* ---- the heap ---- */

static bool before(const struct exec_queue *q, uint32_t a, uint32_t b)
{
    return q->row[a] != q->row[b] ? q->row[a] < q->row[b] : a < b;
}

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t keep = *a;
    *a = *b;
    *b = keep;
}

static void push(struct exec_queue *q, uint32_t task)
{
    uint32_t i = q->n_heap++;
    q->heap[i] = task;
    for (; i > 0 && before(q, q->heap[i], q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&q->heap[i], &q->heap[(i - 1) / 2]);
}

uint32_t exec_queue_top(const struct exec_queue *q)
{
    return q->n_heap ? q->heap[0] : NO_TASK;
}

void exec_queue_pop(struct exec_queue *q)
{
    q->heap[0] = q->heap[--q->n_heap];
    for (uint32_t i = 0;;) {
        uint32_t least = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < q->n_heap && before(q, q->heap[child], q->heap[least]))
                least = child;
        if (least == i)
            return;
        swap(&q->heap[i], &q->heap[least]);
        i = least;
    }
}

/* ---- the graph ---- */

static void needs(struct exec_queue *q, uint32_t task, uint32_t row)
{
    if (task != NO_TASK && row < q->row[task])
        q->row[task] = row;
}

/* A task is needed as early as anything that reads it; tasks come after what they read. */
static void rank(struct exec_queue *q)
{
    const struct plan *p = q->plan;
    for (unsigned i = 0; i < p->n; i++)
        q->row[i] = UINT32_MAX;
    for (unsigned r = 0; r < p->n_rows; r++) {
        needs(q, p->row[r].model, r);
        needs(q, p->row[r].predict, r);
        for (unsigned i = 0; i < p->suite->n_metrics; i++)
            needs(q, p->row[r].metric[i], r);
        for (unsigned i = 0; i < p->suite->n_attacks; i++)
            needs(q, p->row[r].evaluate[i], r);
    }
    for (unsigned i = p->n; i-- > 0;)
        for (unsigned k = 0; k < p->task[i].n_deps; k++)
            needs(q, p->task[i].dep[k], q->row[i]);
}

static void link_followers(struct exec_queue *q)
{
    const struct plan *p = q->plan;
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->task[i].n_deps; k++)
            q->begin[p->task[i].dep[k] + 1]++;
    for (unsigned i = 0; i < p->n; i++)
        q->begin[i + 1] += q->begin[i];
    uint32_t *next = q->missing; /* scratch until exec_queue_refresh */
    memcpy(next, q->begin, p->n * sizeof(*next));
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned k = 0; k < p->task[i].n_deps; k++)
            q->follower[next[p->task[i].dep[k]]++] = i;
}

int exec_queue_init(struct exec_queue *q, const struct plan *p, struct error *err)
{
    size_t n_links = 0;
    for (unsigned i = 0; i < p->n; i++)
        n_links += p->task[i].n_deps;
    *q = (struct exec_queue){.plan = p,
                             .row = calloc(p->n + 1u, sizeof(*q->row)),
                             .missing = calloc(p->n + 1u, sizeof(*q->missing)),
                             .follower = calloc(n_links + 1, sizeof(*q->follower)),
                             .begin = calloc(p->n + 2u, sizeof(*q->begin)),
                             .heap = calloc(p->n + 1u, sizeof(*q->heap))};
    if (!q->row || !q->missing || !q->follower || !q->begin || !q->heap) {
        exec_queue_release(q);
        return error_nomem(err);
    }
    rank(q);
    link_followers(q);
    exec_queue_refresh(q);
    return 0;
}

void exec_queue_release(struct exec_queue *q)
{
    free(q->row);
    free(q->missing);
    free(q->follower);
    free(q->begin);
    free(q->heap);
    *q = (struct exec_queue){0};
}

void exec_queue_refresh(struct exec_queue *q)
{
    const struct plan *p = q->plan;
    q->n_heap = 0;
    for (unsigned i = 0; i < p->n; i++) {
        q->missing[i] = 0;
        for (unsigned k = 0; k < p->task[i].n_deps; k++)
            q->missing[i] += p->task[p->task[i].dep[k]].state != TASK_DONE;
        if (p->task[i].state == TASK_WAITING && q->missing[i] == 0)
            push(q, i);
    }
}

void exec_queue_done(struct exec_queue *q, uint32_t task)
{
    for (uint32_t k = q->begin[task]; k < q->begin[task + 1]; k++) {
        uint32_t f = q->follower[k];
        if (--q->missing[f] == 0 && q->plan->task[f].state == TASK_WAITING)
            push(q, f);
    }
}
