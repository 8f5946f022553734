#include "tune.h"

#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "fs.h"
#include "suite_internal.h"
#include "text.h"
#include "tune_space.h"

/* ---- the suite of the trials ---- */

/* Attacks and metrics that `select` does not look at are left out. */
static int keep_needed(const struct suite *s, struct suite *trials, struct error *err)
{
    struct columns columns;
    TRY(columns_make(s, &columns, err));
    bool *need = calloc(s->n_attacks + s->n_metrics + 1u, sizeof(*need));
    trials->attack = calloc(s->n_attacks + 1, sizeof(*trials->attack));
    trials->metric = calloc(s->n_metrics + 1, sizeof(*trials->metric));
    int rc = need && trials->attack && trials->metric ? 0 : error_nomem(err);
    for (size_t c = 0; rc == 0 && c < columns.n; c++) {
        const struct column_source *from = &columns.source[c];
        bool wanted = strcmp(columns.column[c].name, s->tune.select) == 0;
        for (unsigned g = 0; g < s->n_gap; g++)
            wanted = wanted || strcmp(columns.column[c].name, s->gap[g]) == 0;
        if (wanted)
            need[from->entry + (from->is_attack ? 0 : s->n_attacks)] = true;
    }
    for (unsigned i = 0; rc == 0 && i < s->n_attacks; i++)
        if (need[i])
            trials->attack[trials->n_attacks++] = s->attack[i];
    for (unsigned i = 0; rc == 0 && i < s->n_metrics; i++)
        if (need[s->n_attacks + i])
            trials->metric[trials->n_metrics++] = s->metric[i];
    free(need);
    columns_release(&columns);
    return rc;
}

static int trial_suite(const struct suite *s, struct suite *ret, struct error *err)
{
    *ret = *s; /* borrows everything but the lists below */
    ret->seed_model = s->tune.seed_model;
    ret->seed_forget = s->tune.seed_forget;
    ret->seed_unlearn.n = 1;
    ret->scenario = s->tune.scenario;
    ret->n_scenarios = s->tune.n_scenarios;
    ret->variant_of = s->tune.variant_of;
    ret->n_retrain = s->tune.n_retrain;
    ret->baseline = NULL;
    ret->n_baselines = 0;
    ret->n_transfer = 0;
    ret->unlearn = ret->attack = ret->metric = NULL;
    ret->n_unlearn = ret->n_attacks = ret->n_metrics = 0;
    return keep_needed(s, ret, err);
}

static int add_trial(struct suite *trials, const struct suite_entry *e, json_t *params, size_t k,
                     struct error *err)
{
    struct suite_entry *grown =
        realloc(trials->unlearn, (trials->n_unlearn + 1) * sizeof(*trials->unlearn));
    if (!grown)
        return error_nomem(err);
    trials->unlearn = grown;
    struct suite_entry *t = &grown[trials->n_unlearn++];
    *t = *e;
    t->params = params; /* the item's */
    t->label = text_format("%s; trial %zu", e->label, k + 1);
    return t->label ? 0 : error_nomem(err);
}

static int add_item(struct tuning *t, const struct suite *s, unsigned entry, struct error *err)
{
    const struct suite_entry *e = &s->unlearn[entry];
    struct tune_item *item = &t->item[t->n++];
    size_t k;
    json_t *params;
    *item = (struct tune_item){.entry = entry, .first = t->suite.n_unlearn};
    if (e->desc)
        TRY(tune_space(e, &s->tune, &item->trials, &item->why_not, err));
    else
        item->why_not = text_dup(e->import ? "it was made elsewhere" : "its plugin did not load");
    if (!item->trials && !item->why_not)
        return error_nomem(err);
    json_array_foreach(item->trials, k, params) TRY(add_trial(&t->suite, e, params, k, err));
    item->pending = json_array_size(item->trials) > 0;
    return 0;
}

static bool is_wanted(const char *const *only, const char *label)
{
    for (size_t i = 0; only && only[i]; i++)
        if (strcmp(only[i], label) == 0)
            return true;
    return !only;
}

int tuning_make(const struct suite *s, const char *const *only, struct tuning *ret,
                struct error *err)
{
    struct tuning t = {.item = calloc(s->n_unlearn + 1, sizeof(*t.item))};
    int rc = t.item ? trial_suite(s, &t.suite, err) : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < s->n_unlearn; i++)
        if (is_wanted(only, s->unlearn[i].label))
            rc = add_item(&t, s, i, err);
    if (rc < 0) {
        tuning_release(&t);
        return rc;
    }
    *ret = t;
    return 0;
}

void tuning_release(struct tuning *t)
{
    for (unsigned i = 0; i < t->suite.n_unlearn; i++)
        free(t->suite.unlearn[i].label);
    free(t->suite.unlearn);
    free(t->suite.attack);
    free(t->suite.metric);
    for (unsigned i = 0; i < t->n; i++) {
        json_decref(t->item[i].trials);
        json_decref(t->item[i].identity);
        json_decref(t->item[i].ledger);
        free(t->item[i].why_not);
    }
    free(t->item);
    free(t->task_id);
    memset(t, 0, sizeof(*t));
}

const char *tuning_label(const struct tuning *t, const struct tune_item *item, unsigned k)
{
    return t->suite.unlearn[item->first + k].label;
}

/* ---- identities ---- */

static bool belongs(const struct plan_row *row, const struct tune_item *item)
{
    size_t n = json_array_size(item->trials);
    return row->kind == PLAN_ORACLE ||
           (row->kind == PLAN_METHOD && row->entry >= item->first && row->entry < item->first + n);
}

/* Takes the reference that jansson takes, also on failure. */
static void add_id(json_t *list, const struct plan *p, uint32_t task)
{
    if (task != NO_TASK)
        json_array_append_new(list, json_string(p->task[task].id));
}

/* Everything that values of the trials are read from. */
static json_t *sources(const struct tuning *t, const struct tune_item *item, const struct plan *p)
{
    json_t *list = json_array();
    for (unsigned r = 0; r < p->n_rows; r++) {
        const struct plan_row *row = &p->row[r];
        if (!belongs(row, item))
            continue;
        add_id(list, p, row->model);
        for (unsigned i = 0; i < t->suite.n_metrics; i++)
            add_id(list, p, row->metric[i]);
        for (unsigned i = 0; i < t->suite.n_attacks; i++)
            add_id(list, p, row->evaluate[i]);
    }
    return list;
}

int tuning_identify(struct tuning *t, const struct plan *trials, struct error *err)
{
    t->task_id = malloc((trials->n + 1) * sizeof(*t->task_id));
    if (!t->task_id)
        return error_nomem(err);
    for (unsigned i = 0; i < trials->n; i++)
        memcpy(t->task_id[t->n_task_ids++], trials->task[i].id, HASH_HEX_SIZE);
    for (unsigned i = 0; i < t->n; i++) {
        struct tune_item *item = &t->item[i];
        json_t *gap = json_array();
        for (unsigned g = 0; g < t->suite.n_gap; g++)
            json_array_append_new(gap, json_string(t->suite.gap[g]));
        item->identity = json_pack("{s:s,s:i,s:s,s:o,s:O?,s:o}", "kind", "tune", "format", 1,
                                   "select", t->suite.tune.select, "gap", gap, "trials",
                                   item->trials, "tasks", sources(t, item, trials));
        if (!item->identity)
            return error_nomem(err);
        TRY(store_id(item->identity, item->id, err));
    }
    return 0;
}

/* ---- ledgers in the store ---- */

static int recall(struct tune_item *item, const struct store *store, struct error *err)
{
    struct error why = ERROR_INIT;
    char *path = store_path(store, item->id, "ledger.json");
    if (!path)
        return error_nomem(err);
    if (store_look(store, item->id, &why) != STORE_PRESENT ||
        json_read_file(path, &item->ledger, &why) < 0)
        item->ledger = NULL; /* chosen again from the trials */
    free(path);
    return 0;
}

int tuning_recall(struct tuning *t, const struct store *store, bool settled, struct error *err)
{
    for (unsigned i = 0; i < t->n; i++) {
        struct tune_item *item = &t->item[i];
        if (json_array_size(item->trials) == 0)
            continue;
        TRY(recall(item, store, err));
        bool complete = item->ledger && !json_is_true(json_object_get(item->ledger, "incomplete"));
        item->pending = !(complete || (item->ledger && settled));
    }
    return 0;
}

int tuning_keep(const struct tune_item *item, struct store *store, struct error *err)
{
    char *dir = NULL;
    json_t *cost = json_object();
    TRY(store_workspace(store, item->id, &dir, err));
    char *path = text_format("%s/out/ledger.json", dir);
    int rc = path && cost ? json_write_file(path, item->ledger, err) : error_nomem(err);
    if (rc == 0)
        rc = store_discard(store, item->id, err);
    if (rc == 0)
        rc = store_commit(store, item->id, dir, item->identity, cost, err);
    store_workspace_end(store, item->id, dir, false);
    json_decref(cost);
    free(path);
    free(dir);
    return rc;
}

int tuning_apply(const struct tuning *t, struct suite *s, struct error *err)
{
    for (unsigned i = 0; i < t->n; i++) {
        const struct tune_item *item = &t->item[i];
        const json_t *chosen = json_object_get(item->ledger, "chosen");
        if (!json_is_integer(chosen))
            continue;
        json_t *params = json_array_get(item->trials, (size_t)json_integer_value(chosen) - 1);
        if (!params)
            return error_set(err, ERR_INVALID, "store: ledger %s is none of this suite", item->id);
        json_decref(s->unlearn[item->entry].params);
        s->unlearn[item->entry].params = json_incref(params);
        s->unlearn[item->entry].settings = SETTINGS_TUNED;
    }
    return 0;
}

/* ---- for the report ---- */

/* Names whose values differ between trials' parameters. */
static json_t *tried_names(const json_t *trials)
{
    json_t *names = json_array(), *value;
    const char *name;
    json_object_foreach(json_array_get(trials, 0), name, value)
    {
        bool varies = false;
        for (size_t k = 1; k < json_array_size(trials); k++)
            varies = varies || !json_equal(value, json_object_get(json_array_get(trials, k), name));
        if (varies)
            json_array_append_new(names, json_string(name));
    }
    return names;
}

json_t *tuning_ledgers(const struct tuning *t, const struct suite *s)
{
    json_t *list = json_array();
    for (unsigned i = 0; list && i < t->n; i++) {
        const struct tune_item *item = &t->item[i];
        const struct suite_entry *e = &s->unlearn[item->entry];
        json_t *one = json_pack("{s:s,s:s,s:s?,s:o}", "method", e->label, "plugin",
                                e->desc ? e->desc->id : e->id, "why_not", item->why_not, "tried",
                                tried_names(item->trials));
        if (one && item->ledger)
            json_object_update(one, item->ledger);
        if (!one || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
