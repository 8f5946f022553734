/* Transfer between models, from the store into results. */
#include <math.h>
#include <stdlib.h>

#include "gather.h"
#include "text.h"

static int read_values(const struct store *store, const struct task *task, json_t **ret,
                       struct error *err)
{
    char *path = store_path(store, task->id, "values.json");
    int rc = path ? json_read_file(path, ret, err) : error_nomem(err);
    free(path);
    return rc;
}

static int fill_numbers(const struct store *store, const struct task *task,
                        struct result_transfer *t, struct error *err)
{
    json_t *v = NULL;
    TRY(read_values(store, task, &v, err));
    t->rate = json_number_or_nan(json_object_get(v, "rate"));
    t->label_match = json_number_or_nan(json_object_get(v, "label_match"));
    t->n = json_number_or_nan(json_object_get(v, "n"));
    t->transferred = json_number_or_nan(json_object_get(v, "transferred"));
    t->rows = json_number_or_nan(json_object_get(v, "rows"));
    json_decref(v);
    return 0;
}

static char *id_of(const struct plan *p, uint32_t task)
{
    return text_dup(task == NO_TASK ? "" : p->task[task].id);
}

static int gather_one(const struct plan *p, const struct store *store,
                      const struct plan_transfer *from, struct result_transfer *t,
                      struct error *err)
{
    const struct suite_entry *e = &p->suite->transfer[from->entry];
    const struct task *task = from->task == NO_TASK ? NULL : &p->task[from->task];
    const char *note = "";
    t->rate = t->label_match = t->n = t->transferred = t->rows = NAN;
    t->failed = !task || task->state != TASK_DONE;
    if (!t->failed)
        TRY(fill_numbers(store, task, t, err));
    if (t->failed)
        note = !task ? from->reason : task->reason ? task->reason : "not run";
    else if (isnan(t->rate))
        note = "no sample is eligible";
    const char *variant = p->suite->variant[from->variant].name;
    t->attack = *variant ? text_format("%s (%s)", e->label, variant) : text_dup(e->label);
    t->variant = text_dup(variant);
    t->source = text_format("original-%lld", (long long)from->seed_source);
    t->target = text_format("original-%lld", (long long)from->seed_target);
    t->source_id = id_of(p, from->source_model);
    t->target_id = id_of(p, from->target_model);
    t->note = text_dup(note);
    bool ok = t->variant && t->attack && t->source && t->target && t->source_id && t->target_id &&
              t->note;
    return ok ? 0 : error_nomem(err);
}

int gather_transfers(const struct plan *p, const struct store *store, struct results *ret,
                     struct error *err)
{
    ret->transfer = calloc(p->n_transfer + 1u, sizeof(*ret->transfer));
    if (!ret->transfer)
        return error_nomem(err);
    for (unsigned i = 0; i < p->n_transfer; i++) {
        ret->n_transfer = i + 1;
        TRY(gather_one(p, store, &p->transfer[i], &ret->transfer[i], err));
    }
    return 0;
}
