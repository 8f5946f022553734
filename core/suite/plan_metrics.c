/* Tasks of metrics and audits. They come last, since a metric may look at other rows: the oracles,
 * the original, all runs of a method. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "plan_internal.h"
#include "text.h"

/* Inputs of one task while they are gathered. */
struct inputs {
    uint32_t *task;
    unsigned n;
    bool failed; /* out of memory */
};

static void add_dep(struct inputs *in, uint32_t task)
{
    for (unsigned i = 0; i < in->n; i++)
        if (in->task[i] == task)
            return;
    uint32_t *grown = realloc(in->task, (in->n + 1) * sizeof(*grown));
    in->failed |= !grown;
    if (!grown)
        return;
    in->task = grown;
    in->task[in->n++] = task;
}

static void add_one(struct planner *b, struct draft *d, struct inputs *in, const char *key,
                    uint32_t task)
{
    if (task == NO_TASK)
        return;
    draft_set(d, key, json_string(b->plan->task[task].id));
    add_dep(in, task);
}

/* Rows whose place is taken by `pick`, as a list of ids. */
typedef uint32_t pick_fn(const struct plan_row *row);

static uint32_t pick_predict(const struct plan_row *row)
{
    return row->predict;
}

static uint32_t pick_model(const struct plan_row *row)
{
    return row->model;
}

static bool same_forget_set(const struct plan_row *a, const struct plan_row *b)
{
    return a->scenario == b->scenario && a->seed_forget == b->seed_forget &&
           a->request == b->request;
}

static bool is_oracle_of(const struct plan_row *o, const struct plan_row *row)
{
    return o != row && o->kind == PLAN_ORACLE && same_forget_set(o, row);
}

/* The runs of one method on one forget set. */
static bool is_of_group(const struct plan_row *other, const struct plan_row *row)
{
    return other->kind == row->kind && other->entry == row->entry && same_forget_set(other, row);
}

static void add_rows(struct planner *b, struct draft *d, struct inputs *in, const char *key,
                     const struct plan_row *row,
                     bool (*belongs)(const struct plan_row *, const struct plan_row *),
                     pick_fn *pick)
{
    json_t *ids = json_array();
    for (unsigned i = 0; i < b->plan->n_rows; i++) {
        const struct plan_row *other = &b->plan->row[i];
        if (!belongs(other, row) || pick(other) == NO_TASK)
            continue;
        in->failed |= json_array_append_new(ids, json_string(b->plan->task[pick(other)].id)) != 0;
        add_dep(in, pick(other));
    }
    draft_set(d, key, ids);
}

/* The row of the original that a row started from; for an oracle the first one, whose knowledge is
 * the goal of relearning. NULL if no such row is planned. */
static const struct plan_row *original_of(const struct planner *b, const struct plan_row *row)
{
    int64_t seed = row->kind == PLAN_ORACLE ? b->suite->seed_model.v[0] : row->seed_model;
    for (unsigned i = 0; i < b->plan->n_rows; i++) {
        const struct plan_row *o = &b->plan->row[i];
        if (o->kind == PLAN_ORIGINAL && o->seed_model == seed && same_forget_set(o, row))
            return o;
    }
    return NULL;
}

/* Outputs of a network that was initialised and never trained. */
static int add_random(struct planner *b, struct draft *d, struct inputs *in, struct error *err)
{
    uint32_t model, predict;
    TRY(plan_random(b, &model, err));
    TRY(plan_predict(b, model, &predict, err));
    add_one(b, d, in, "random", predict);
    return 0;
}

static int add_inputs(struct planner *b, const struct plugin_desc *p, const struct plan_row *row,
                      struct draft *d, struct inputs *in, struct error *err)
{
    const char *scope = json_string_value(json_object_get(p->json, "scope"));
    const bool models = desc_has_cap(p, "model");
    const struct plan_row *original = original_of(b, row);
    if (scope && strcmp(scope, "group") == 0)
        add_rows(b, d, in, "targets", row, is_of_group, pick_predict);
    else
        add_one(b, d, in, "target", row->predict);
    if (desc_has_cap(p, "references"))
        add_rows(b, d, in, "references", row, is_oracle_of, pick_predict);
    if (desc_has_cap(p, "original") && original)
        add_one(b, d, in, "original", original->predict);
    if (models) {
        draft_set(d, "numerics", json_string(b->numerics));
        add_one(b, d, in, "model", row->model);
        if (desc_has_cap(p, "original") && original)
            add_one(b, d, in, "original_model", original->model);
    }
    if (desc_has_cap(p, "cost"))
        add_one(b, d, in, "cost", row->model);
    if ((models || desc_has_cap(p, "cost")) && desc_has_cap(p, "references"))
        add_rows(b, d, in, "oracle_models", row, is_oracle_of, pick_model);
    if (desc_has_cap(p, "cost") && row->kind == PLAN_ORIGINAL)
        draft_set(d, "free", json_true()); /* doing nothing costs nothing */
    if (models && desc_has_cap(p, "recipe"))
        draft_set(d, "recipe", json_string(b->recipe_text));
    return desc_has_cap(p, "random") ? add_random(b, d, in, err) : 0;
}

static int plan_metric(struct planner *b, const struct suite_entry *e, const struct plan_row *row,
                       uint32_t *ret, struct error *err)
{
    struct draft d = {.kind = TASK_METRIC, .identity = draft_identity(TASK_METRIC), .weight = 200};
    struct inputs in = {0};
    draft_input(b, &d, "data", b->data);
    draft_plugin(&d, e->desc, e->params);
    draft_set(&d, "forget", json_incref(row->forget));
    int rc = add_inputs(b, e->desc, row, &d, &in, err);
    if (rc == 0 && in.failed)
        rc = error_nomem(err);
    if (rc < 0) {
        json_decref(d.identity);
        free(in.task);
        return rc;
    }
    d.more = in.task;
    d.n_more = in.n;
    d.title = text_format("%s %s on: %s", columns_is_audit(e) ? "audit" : "metric", e->label,
                          b->plan->task[row->model].title);
    rc = plan_add(b->plan, &d, ret, err);
    free(in.task);
    return rc;
}

/* What was made elsewhere has no costs, and outputs alone have no weights. So it is for what the
 * row is compared with. */
static bool is_known(const struct planner *b, const struct plugin_desc *p,
                     const struct plan_row *row)
{
    const struct suite *s = b->suite;
    bool logits, imported = plan_row_is_imported(s, row, &logits);
    bool oracles = s->oracles.files && desc_has_cap(p, "references");
    if (desc_has_cap(p, "cost") && ((imported && row->kind != PLAN_ORIGINAL) || oracles))
        return false;
    return !desc_has_cap(p, "model") || !(logits || (oracles && s->oracles.logits) ||
                                          (s->originals.logits && desc_has_cap(p, "original")));
}

/* The oracles are what groups are compared with: their own group has nothing to be compared with.
 */
static bool is_measured(const struct planner *b, const struct suite_entry *e,
                        const struct plan_row *row)
{
    const char *scope = json_string_value(json_object_get(e->desc->json, "scope"));
    return row->model != NO_TASK && is_known(b, e->desc, row) &&
           !(scope && strcmp(scope, "group") == 0 && row->kind == PLAN_ORACLE);
}

int plan_metrics(struct planner *b, struct error *err)
{
    const struct suite *s = b->suite;
    for (unsigned r = 0; r < b->plan->n_rows; r++) {
        struct plan_row *row = &b->plan->row[r];
        TRY(plan_variant_use(b, row->scenario, err));
        for (unsigned i = 0; i < s->n_metrics; i++)
            if (s->metric[i].desc && is_measured(b, &s->metric[i], row))
                TRY(plan_metric(b, &s->metric[i], row, &row->metric[i], err));
        for (unsigned i = 0; i < s->n_attacks; i++)
            if (columns_is_audit(&s->attack[i]) && is_measured(b, &s->attack[i], row))
                TRY(plan_metric(b, &s->attack[i], row, &row->evaluate[i], err));
    }
    return 0;
}
