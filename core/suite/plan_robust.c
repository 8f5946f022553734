/* Tasks of example attacks: on test rows of every run's model, and between the original models. */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "text.h"

/* Gradient steps a sample, for estimates. */
static double steps_of(const json_t *params)
{
    const json_t *v = json_object_get(params, "steps");
    return json_is_number(v) ? json_number_value(v) : 1;
}

static uint32_t rows_of(const struct planner *b, const struct suite_entry *e)
{
    uint32_t n = b->plan->n_test_rows;
    return e->rows && e->rows < n ? e->rows : n;
}

/* classes: a class scenario's forget set, whose test rows are left out; NULL: none are. */
static int plan_test_set(struct planner *b, const struct suite_entry *e, uint32_t model,
                         const json_t *classes, bool keep_images, uint32_t *ret, struct error *err)
{
    struct draft d = {.kind = TASK_ADVERSARIAL, .identity = draft_identity(TASK_ADVERSARIAL)};
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_input(b, &d, "model", model);
    draft_plugin(&d, e->desc, e->params);
    draft_set(&d, "test_rows", json_integer(rows_of(b, e)));
    draft_set(&d, "keep_images", json_boolean(keep_images));
    if (classes)
        draft_set(&d, "without", json_incref((json_t *)classes));
    d.weight = 3.0 * steps_of(e->params) * rows_of(b, e);
    d.title = text_format("attack %s on: %s", e->label, b->plan->task[model].title);
    return plan_add(b->plan, &d, ret, err);
}

int plan_robust(struct planner *b, const struct suite_entry *e, const json_t *forget,
                const struct plan_row *row, uint32_t *ret, struct error *err)
{
    bool classes = json_object_get(forget, "class") != NULL, logits;
    plan_row_is_imported(b->suite, row, &logits);
    if (logits)
        return 0; /* outputs are all there is */
    return plan_test_set(b, e, row->model, classes ? forget : NULL,
                         row->kind == PLAN_ORIGINAL && !classes, ret, err);
}

/* An original as source or target. */
struct original {
    uint32_t model, predict; /* NO_TASK: not to be had, see reason */
    char *reason;
};

static int find_original(struct planner *b, int64_t seed, struct original *ret, struct error *err)
{
    struct plan_row row = {.kind = PLAN_ORIGINAL, .seed_model = seed};
    ret->model = ret->predict = NO_TASK;
    if (b->suite->originals.logits)
        return (ret->reason = text_dup("originals are known by their outputs alone"))
                   ? 0
                   : error_nomem(err);
    int rc = plan_original(b, &row, &ret->model, err);
    ret->reason = row.reason;
    return rc == 0 && ret->model != NO_TASK ? plan_predict(b, ret->model, &ret->predict, err) : rc;
}

static int plan_pair(struct planner *b, const struct suite_entry *e, uint32_t set,
                     const struct original *target, struct plan_transfer *t, struct error *err)
{
    const struct plan *p = b->plan;
    struct draft d = {.kind = TASK_TRANSFER, .identity = draft_identity(TASK_TRANSFER)};
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_input(b, &d, "set", set);
    draft_input(b, &d, "model", target->model);
    draft_input(b, &d, "target", target->predict);
    draft_set(&d, "self", json_boolean(t->source_model == t->target_model));
    d.weight = rows_of(b, e);
    d.title = text_format("transfer of %s from: %s, to: %s", e->label,
                          p->task[t->source_model].title, p->task[t->target_model].title);
    return plan_add(b->plan, &d, &t->task, err);
}

/* Why a cell cannot be computed; NULL when it can. */
static const char *obstacle(const struct suite_entry *e, const struct original *source,
                            const struct original *target)
{
    return !e->desc                     ? e->failure->reason
           : source->predict == NO_TASK ? source->reason
           : target->predict == NO_TASK ? target->reason
                                        : NULL;
}

/* One row of the matrix: everything that source `i` does to the others. */
static int plan_source(struct planner *b, unsigned entry, const struct original *original,
                       unsigned i, struct error *err)
{
    const struct suite *s = b->suite;
    const struct suite_entry *e = &s->transfer[entry];
    uint32_t set = NO_TASK;
    if (!obstacle(e, &original[i], &original[i]))
        TRY(plan_test_set(b, e, original[i].model, NULL, true, &set, err));
    for (unsigned k = 0; k < s->seed_model.n; k++) {
        const char *why = obstacle(e, &original[i], &original[k]);
        struct plan_transfer *t = &b->plan->transfer[b->plan->n_transfer];
        *t = (struct plan_transfer){.entry = entry,
                                    .variant = b->variant_at,
                                    .seed_source = s->seed_model.v[i],
                                    .seed_target = s->seed_model.v[k],
                                    .source_model = original[i].model,
                                    .target_model = original[k].model,
                                    .task = NO_TASK,
                                    .reason = why ? text_dup(why) : NULL};
        b->plan->n_transfer++;
        if (why && !t->reason)
            return error_nomem(err);
        if (!why)
            TRY(plan_pair(b, e, set, &original[k], t, err));
    }
    return 0;
}

/* The originals of the variant at hand among each other. */
static int plan_matrices(struct planner *b, struct error *err)
{
    const struct suite *s = b->suite;
    unsigned n = s->seed_model.n;
    struct original *original = calloc(n + 1u, sizeof(*original));
    int rc = original ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        rc = find_original(b, s->seed_model.v[i], &original[i], err);
    for (unsigned e = 0; rc == 0 && e < s->n_transfer; e++)
        for (unsigned i = 0; rc == 0 && i < n; i++)
            rc = plan_source(b, e, original, i, err);
    for (unsigned i = 0; original && i < n; i++)
        free(original[i].reason);
    free(original);
    return rc;
}

int plan_transfers(struct planner *b, struct error *err)
{
    const struct suite *s = b->suite;
    size_t n = (size_t)s->n_variants * s->n_transfer * s->seed_model.n * s->seed_model.n;
    if (s->n_transfer == 0)
        return 0;
    b->plan->transfer = calloc(n + 1, sizeof(*b->plan->transfer));
    if (!b->plan->transfer)
        return error_nomem(err);
    for (unsigned v = 0; v < s->n_variants; v++) {
        TRY(plan_variant_at(b, v, err));
        TRY(plan_matrices(b, err));
    }
    return 0;
}
