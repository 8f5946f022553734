/* Rows of consecutive scenarios. */
#include <stdlib.h>

#include "plan_internal.h"
#include "text.h"

/* All requests in one task; adversarial sets are declared on the first one's samples. */
static int plan_sequence(struct planner *b, const struct suite_entry *e, struct plan_row *row,
                         struct error *err)
{
    struct forget_spec first = b->suite->scenario[row->scenario];
    uint64_t seed = (uint64_t)row->seed_forget;
    first.request = 1;
    json_t *sequence = forget_sequence(&first, seed), *attacked = forget_identity(&first, seed);
    double share = first.fraction / first.requests;
    int rc = sequence && attacked ? plan_unlearn_on(b, e, sequence, attacked, share, row, err)
                                  : error_nomem(err);
    json_decref(sequence);
    json_decref(attacked);
    return rc;
}

int plan_request(struct planner *b, const struct suite_entry *e, struct plan_row *row,
                 struct error *err)
{
    struct draft d = {.kind = TASK_UNLEARN, .identity = draft_identity(TASK_UNLEARN)};
    int rc = plan_sequence(b, e, row, err);
    if (rc < 0) {
        json_decref(d.identity);
        return rc;
    }
    draft_input(b, &d, "sequence", row->model);
    draft_set(&d, "request", json_integer(row->request));
    d.title = text_format("request %lld of: %s", (long long)row->request,
                          b->plan->task[row->model].title);
    d.weight = 100;
    if (row->request > 1)
        row->n_adversarial = 0; /* what the first request cost */
    return plan_add(b->plan, &d, &row->model, err);
}
