/* Two plans as one graph, so that both run side by side. */
#include <stdlib.h>

#include "plan_internal.h"

static void move_index(const uint32_t *to, uint32_t *task)
{
    if (*task != NO_TASK)
        *task = to[*task];
}

static void move_row(const struct suite *s, const uint32_t *to, struct plan_row *row)
{
    move_index(to, &row->model);
    move_index(to, &row->predict);
    move_index(to, &row->original);
    for (unsigned i = 0; i < row->n_adversarial; i++)
        move_index(to, &row->adversarial[i]);
    for (unsigned i = 0; i < s->n_metrics; i++)
        move_index(to, &row->metric[i]);
    for (unsigned i = 0; i < s->n_attacks; i++)
        move_index(to, &row->evaluate[i]);
}

int plan_absorb(struct plan *to, struct plan *from, struct error *err)
{
    uint32_t *index = malloc((from->n + 1) * sizeof(*index));
    int rc = index ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < from->n; i++) {
        struct task *t = &from->task[i];
        for (unsigned k = 0; k < t->n_deps; k++) /* tasks come after what they read */
            t->dep[k] = index[t->dep[k]];
        rc = plan_take(to, t, &index[i], err);
    }
    for (unsigned r = 0; rc == 0 && r < from->n_rows; r++)
        move_row(from->suite, index, &from->row[r]);
    from->n = rc == 0 ? 0 : from->n;
    free(index);
    return rc;
}

struct plan plan_view(const struct plan *tasks, const struct plan *rows)
{
    struct plan view = *rows;
    view.task = tasks->task;
    view.n = tasks->n;
    return view;
}

bool plan_has(const struct plan *p, const char *id)
{
    return p->n > 0 && plan_find(p, id) != NO_TASK;
}
