#include "gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "fs.h"
#include "gather_curves.h"
#include "gather_names.h"
#include "gather_spectral.h"
#include "hosting.h"
#include "setup.h"
#include "strbuf.h"
#include "text.h"

static const char *const meter_names[] = {
#define METERS_X(name) #name,
    METERS_MAP(METERS_X)
#undef METERS_X
};
#define N_METERS (sizeof(meter_names) / sizeof(meter_names[0]))

struct gatherer {
    const struct plan *plan;
    const struct store *store;
    struct columns columns;
    struct results *out;
};

/* JSON file of a finished task's object. */
static int read_object(const struct gatherer *g, uint32_t task, const char *file, json_t **ret,
                       struct error *err)
{
    char *path = store_path(g->store, g->plan->task[task].id, file);
    int rc = path ? json_read_file(path, ret, err) : error_nomem(err);
    free(path);
    return rc;
}

static bool done(const struct plan *p, uint32_t task)
{
    return task != NO_TASK && p->task[task].state == TASK_DONE;
}

/* ---- cells ---- */

static int fill_cells(const struct gatherer *g, struct result_row *row, bool is_attack,
                      unsigned entry, const json_t *object, struct error *err)
{
    const json_t *values = json_object_get(object, "values");
    const json_t *notes = json_object_get(object, "notes");
    for (size_t c = 0; c < g->columns.n; c++) {
        const struct column_source *s = &g->columns.source[c];
        if (s->is_attack != is_attack || s->entry != entry)
            continue;
        row->value[c] = json_number_or_nan(json_object_get(values, s->key));
        const char *note = json_string_value(json_object_get(notes, s->key));
        if (!isnan(row->value[c]))
            continue;
        free(row->note[c]);
        row->note[c] = text_dup(note ? note : "undefined");
        if (!row->note[c])
            return error_nomem(err);
    }
    return 0;
}

static double *doubles(const json_t *array, size_t n)
{
    double *v = malloc((n + 1) * sizeof(*v));
    for (size_t i = 0; v && i < n; i++)
        v[i] = json_number_or_nan(json_array_get(array, i));
    return v;
}

static int add_curve(struct result_row *row, char *name, char *series, const json_t *curve,
                     struct error *err)
{
    size_t n = json_array_size(json_object_get(curve, "x"));
    struct result_curve *curves = realloc(row->curve, (row->n_curves + 1) * sizeof(*curves));
    double *x = doubles(json_object_get(curve, "x"), n);
    double *y = doubles(json_object_get(curve, "y"), n);
    if (curves)
        row->curve = curves;
    if (!curves || !name || !series || !x || !y) {
        free(name);
        free(series);
        free(x);
        free(y);
        return error_nomem(err);
    }
    row->curve[row->n_curves++] = (struct result_curve){name, series, n, x, y};
    return 0;
}

/* A metric's curve "confidence_forget" is series "forget" of curve "confidence"; an attack's
 * "forget_test" is that series of "roc-<attack>". */
static int fill_curves(const struct gatherer *g, struct result_row *row, bool is_attack,
                       unsigned entry, const json_t *object, struct error *err)
{
    const struct suite *s = g->plan->suite;
    const char *label = is_attack ? s->attack[entry].label : s->metric[entry].label;
    const char *key;
    json_t *curve;
    char *prefix = columns_prefix(label);
    if (!prefix)
        return error_nomem(err);
    size_t n = strlen(prefix);
    int rc = 0;
    json_object_foreach(json_object_get(object, "curves"), key, curve)
    {
        bool prefixed = strncmp(key, prefix, n) == 0 && key[n] == '_';
        if (rc == 0 && is_attack && !columns_is_audit(&s->attack[entry]))
            rc = add_curve(row, text_format("roc-%s", label), text_dup(key), curve, err);
        else if (rc == 0)
            rc =
                add_curve(row, text_dup(label), text_dup(prefixed ? key + n + 1 : key), curve, err);
    }
    free(prefix);
    return rc;
}

static int add_failed_part(struct result_row *row, const char *label, const struct task *t,
                           struct error *err)
{
    char *parts = text_format("%s%s%s:%s", row->failed_parts, *row->failed_parts ? ";" : "", label,
                              verdict_name(t->verdict));
    if (!parts)
        return error_nomem(err);
    free(row->failed_parts);
    row->failed_parts = parts;
    return 0;
}

static int note_columns(const struct gatherer *g, struct result_row *row, bool is_attack,
                        unsigned entry, const char *why, struct error *err)
{
    for (size_t c = 0; c < g->columns.n; c++) {
        if (g->columns.source[c].is_attack != is_attack || g->columns.source[c].entry != entry)
            continue;
        row->note[c] = text_dup(why);
        if (!row->note[c])
            return error_nomem(err);
    }
    return 0;
}

static int measure(const struct gatherer *g, struct result_row *row, bool is_attack, unsigned entry,
                   uint32_t task, struct error *err)
{
    const struct suite_entry *e =
        is_attack ? &g->plan->suite->attack[entry] : &g->plan->suite->metric[entry];
    json_t *object = NULL;
    if (task == NO_TASK && e->desc && row->status == VERDICT_OK)
        return note_columns(g, row, is_attack, entry,
                            is_attack ? "not computed for this scenario, nor for models made "
                                        "elsewhere"
                            : row->row_class == ROW_ORACLE
                                ? "oracles are what groups are compared with"
                                : "not known of what was made elsewhere",
                            err);
    if (task == NO_TASK) { /* the attack or metric itself could not be loaded */
        struct task none = {.verdict = e->failure ? e->failure->verdict : VERDICT_FAILED};
        return row->status == VERDICT_OK && !e->desc ? add_failed_part(row, e->label, &none, err)
                                                     : 0;
    }
    const struct task *t = &g->plan->task[task];
    if (t->state != TASK_DONE) {
        if (row->status != VERDICT_OK)
            return 0;
        TRY(note_columns(g, row, is_attack, entry, t->reason ? t->reason : "not run", err));
        return add_failed_part(row, e->label, t, err);
    }
    TRY(read_object(g, task, "values.json", &object, err));
    int rc = fill_cells(g, row, is_attack, entry, object, err);
    if (rc == 0)
        rc = fill_curves(g, row, is_attack, entry, object, err);
    json_decref(object);
    return rc;
}

/* ---- status, costs, identities ---- */

static double number_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : 0;
}

static bool is_imported(const struct gatherer *g, const struct plan_row *r)
{
    bool logits;
    return plan_row_is_imported(g->plan->suite, r, &logits);
}

/* What a model made elsewhere cost is not known. */
static int no_costs(struct result_row *row, struct error *err)
{
    row->prepare_s = row->wall_s = row->cpu_s = row->peak_mb = NAN;
    row->run_s = row->prepare_cpu_s = row->run_cpu_s = NAN;
    return (row->host = text_dup("")) ? 0 : error_nomem(err);
}

/* Wall time of the adversarial sets counts as preparation of every row that uses them. */
static int fill_costs(const struct gatherer *g, const struct plan_row *plan_row,
                      struct result_row *row, struct error *err)
{
    json_t *meta = NULL;
    TRY(store_meta(g->store, g->plan->task[plan_row->model].id, &meta, err));
    const json_t *cost = json_object_get(meta, "cost");
    bool plugin = plan_row->kind == PLAN_METHOD;
    row->prepare_s = plugin ? number_of(cost, "prepare_s") : 0;
    row->wall_s = plugin ? row->prepare_s + number_of(cost, "run_s") : number_of(cost, "wall_s");
    row->cpu_s = number_of(cost, "cpu_s");
    row->run_s = json_number_or_nan(json_object_get(cost, "run_s"));
    row->prepare_cpu_s = json_number_or_nan(json_object_get(cost, "prepare_cpu_s"));
    row->run_cpu_s = json_number_or_nan(json_object_get(cost, "run_cpu_s"));
    row->peak_mb = number_of(cost, "peak_mb");
    row->host = text_dup(json_string_value(json_object_get(cost, "host"))
                             ? json_string_value(json_object_get(cost, "host"))
                             : "");
    const char *executor = json_string_value(json_object_get(cost, "executor"));
    if (executor) { /* else "local" */
        free(row->executor);
        row->executor = text_dup(executor);
    }
    json_decref(meta);
    for (unsigned i = 0; i < plan_row->n_adversarial; i++) {
        TRY(store_meta(g->store, g->plan->task[plan_row->adversarial[i]].id, &meta, err));
        cost = json_object_get(meta, "cost");
        row->prepare_s += number_of(cost, "wall_s");
        row->wall_s += number_of(cost, "wall_s");
        row->cpu_s += number_of(cost, "cpu_s");
        json_decref(meta);
    }
    return row->host ? 0 : error_nomem(err);
}

static int fill_counts(const struct gatherer *g, const struct plan_row *plan_row,
                       struct result_row *row, struct error *err)
{
    json_t *meters = NULL;
    if (plan_row->kind == PLAN_ORIGINAL)
        return 0; /* doing nothing costs nothing; its training is not unlearning */
    if (is_imported(g, plan_row)) { /* nobody counted */
        if (plan_row->kind == PLAN_ORACLE)
            return 0;
        free(row->division);
        return (row->division = text_dup("imported")) ? 0 : error_nomem(err);
    }
    TRY(read_object(g, plan_row->model, "meters.json", &meters, err));
    for (size_t i = 0; i < N_METERS; i++)
        row->count[i] = number_of(meters, meter_names[i]);
    if (plan_row->kind == PLAN_METHOD) {
        bool retain = number_of(meters, "read_retain") > 0;
        free(row->division);
        row->division = text_dup(retain ? "with-retain" : "forget-only");
    }
    json_decref(meters);
    return row->division ? 0 : error_nomem(err);
}

static int fill_status(const struct gatherer *g, const struct plan_row *r, struct result_row *row,
                       struct error *err)
{
    const struct task *t = r->model == NO_TASK ? NULL : &g->plan->task[r->model];
    const char *reason = t ? t->reason : r->reason;
    row->status = !t ? r->verdict : t->state == TASK_DONE ? VERDICT_OK : t->verdict;
    if (t && t->state != TASK_DONE && t->verdict == VERDICT_OK)
        row->status = VERDICT_FAILED; /* was waiting when the run was stopped */
    row->signal = row->status == VERDICT_CRASHED ? (t ? t->signal : r->signal) : 0;
    row->reason = text_dup(row->status == VERDICT_OK ? "" : reason ? reason : "not run");
    row->model_id = text_dup(row->status == VERDICT_OK && t ? t->id : "");
    row->original_id = text_dup(r->original == NO_TASK ? "" : g->plan->task[r->original].id);
    return row->reason && row->model_id && row->original_id ? 0 : error_nomem(err);
}

static char *oracle_ids(const struct gatherer *g, const struct plan_row *r)
{
    struct strbuf ids;
    strbuf_init(&ids);
    for (unsigned i = 0; i < g->plan->n_rows; i++) {
        const struct plan_row *o = &g->plan->row[i];
        if (o->kind == PLAN_ORACLE && o->scenario == r->scenario &&
            o->seed_forget == r->seed_forget && o->request == r->request && o != r &&
            done(g->plan, o->model))
            strbuf_addf(&ids, "%s%s", ids.len ? ";" : "", g->plan->task[o->model].id);
    }
    return strbuf_detach(&ids);
}

static int name_row(const struct gatherer *g, const struct plan_row *r, struct result_row *row,
                    struct error *err)
{
    static const enum row_class classes[] = {ROW_ORIGINAL, ROW_ORACLE, ROW_METHOD};
    static const char *const names[] = {"original", "retrain"};
    const struct suite *s = g->plan->suite;
    const struct suite_entry *e = r->kind == PLAN_METHOD ? &s->unlearn[r->entry] : NULL;
    row->row_class = classes[r->kind];
    row->scenario = text_dup(s->scenario[r->scenario].name);
    row->method = text_dup(e ? e->label : names[r->kind]);
    row->plugin = text_dup(!e ? names[r->kind] : e->desc ? e->desc->id : e->id);
    row->division = text_dup(e ? "" : "reference");
    row->failed_parts = text_dup("");
    row->oracle_ids = oracle_ids(g, r);
    row->executor = text_dup("local");
    row->seed_model = r->seed_model;
    row->seed_forget = r->seed_forget;
    row->seed_unlearn = r->seed_unlearn;
    row->request = r->request;
    row->interim = r->request > 0 && r->request < (int64_t)s->scenario[r->scenario].requests;
    bool ok = row->scenario && row->method && row->plugin && row->division && row->failed_parts &&
              row->oracle_ids && row->executor;
    return ok ? 0 : error_nomem(err);
}

/* What is compared with the oracles, request by request. */
static int add_request_points(const struct gatherer *g, struct result_row *row, struct error *err)
{
    for (size_t c = 0; c < g->columns.n; c++) {
        const struct result_column *column = &g->columns.column[c];
        if (!column->near_retrain || isnan(row->value[c]))
            continue;
        json_t *point =
            json_pack("{s:[I],s:[f]}", "x", (json_int_t)row->request, "y", row->value[c]);
        int rc = point ? add_curve(row, text_dup("requests"), text_dup(column->name), point, err)
                       : error_nomem(err);
        json_decref(point);
        TRY(rc);
    }
    return 0;
}

static int gather_row(const struct gatherer *g, const struct plan_row *r, struct result_row *row,
                      struct error *err)
{
    row->value = malloc((g->columns.n + 1) * sizeof(*row->value));
    row->note = calloc(g->columns.n + 1, sizeof(*row->note));
    row->count = malloc(N_METERS * sizeof(*row->count));
    if (!row->value || !row->note || !row->count)
        return error_nomem(err);
    for (size_t c = 0; c < g->columns.n; c++)
        row->value[c] = NAN;
    for (size_t i = 0; i < N_METERS; i++)
        row->count[i] = NAN;
    TRY(name_row(g, r, row, err));
    TRY(fill_status(g, r, row, err));
    for (unsigned i = 0; i < g->plan->suite->n_metrics; i++)
        TRY(measure(g, row, false, i, r->metric[i], err));
    for (unsigned i = 0; i < g->plan->suite->n_attacks; i++)
        TRY(measure(g, row, true, i, r->evaluate[i], err));
    if (row->request > 0)
        TRY(add_request_points(g, row, err));
    if (row->status != VERDICT_OK)
        return (row->host = text_dup("")) ? 0 : error_nomem(err);
    TRY(fill_counts(g, r, row, err));
    TRY(gather_spectral(g->plan, g->store, r, row, err));
    return is_imported(g, r) ? no_costs(row, err) : fill_costs(g, r, row, err);
}

/* ---- the frame ---- */

static char **copy_strings(const char *const *from, size_t n)
{
    char **out = calloc(n + 1, sizeof(*out));
    for (size_t i = 0; out && i < n; i++)
        if (!(out[i] = text_dup(from[i])))
            return out;
    return out;
}

static int fill_frame(const struct gatherer *g, struct results *r, struct error *err)
{
    const struct suite *s = g->plan->suite;
    const char **methods = calloc(s->n_unlearn + 3, sizeof(*methods));
    const char **scenarios = calloc(s->n_scenarios + 1, sizeof(*scenarios));
    if (!methods || !scenarios) {
        free(methods);
        free(scenarios);
        return error_nomem(err);
    }
    methods[0] = "original";
    methods[1] = "retrain";
    for (unsigned i = 0; i < s->n_unlearn; i++)
        methods[2 + i] = s->unlearn[i].label;
    for (unsigned i = 0; i < s->n_scenarios; i++)
        scenarios[i] = s->scenario[i].name;
    r->suite = text_dup(s->name);
    r->n_methods = s->n_unlearn + 2;
    r->method = copy_strings(methods, r->n_methods);
    r->n_scenarios = s->n_scenarios;
    r->scenario = copy_strings(scenarios, r->n_scenarios);
    r->n_gap = s->n_gap;
    r->gap = copy_strings((const char *const *)s->gap, s->n_gap);
    r->n_baselines = s->n_baselines;
    r->baseline = copy_strings((const char *const *)s->baseline, s->n_baselines);
    r->settings = calloc(r->n_methods + 1, sizeof(*r->settings));
    for (size_t i = 0; r->settings && i < r->n_methods; i++)
        r->settings[i] = i < 2 || s->unlearn[i - 2].import
                             ? ""
                             : entry_settings_name(s->unlearn[i - 2].settings);
    r->n_counts = N_METERS;
    r->count_name = copy_strings(meter_names, N_METERS);
    r->n_oracles = s->n_retrain;
    r->row = calloc(g->plan->n_rows + 1, sizeof(*r->row));
    free(methods);
    free(scenarios);
    bool ok = r->suite && r->settings && r->method && r->scenario && r->gap && r->baseline &&
              r->count_name && r->row;
    return ok ? 0 : error_nomem(err);
}

int gather_results(const struct plan *p, const struct store *store, struct results *ret,
                   struct error *err)
{
    struct results r = {0};
    struct gatherer g = {.plan = p, .store = store, .out = &r};
    struct gather_curves curves = {.plan = p, .store = store};
    int rc = columns_make(p->suite, &g.columns, err);
    if (rc == 0)
        rc = fill_frame(&g, &r, err);
    if (rc == 0)
        rc = gather_names(p->suite, &r, err);
    if (rc == 0)
        rc = setup_json(p, &r.setup, err);
    for (unsigned i = 0; rc == 0 && i < p->n_rows; i++) {
        r.row[i].run = i + 1;
        r.n_rows = i + 1;
        rc = gather_row(&g, &p->row[i], &r.row[i], err);
        if (rc == 0)
            rc = gather_curves_row(&curves, i, &r.row[i], err);
    }
    if (rc == 0)
        rc = gather_transfers(p, store, &r, err);
    gather_curves_release(&curves);
    r.column = g.columns.column; /* moves to the results */
    r.n_columns = g.columns.n;
    g.columns.column = NULL;
    for (size_t i = 0; i < g.columns.n; i++)
        free(g.columns.source[i].key);
    free(g.columns.source);
    if (rc < 0) {
        results_release(&r);
        return rc;
    }
    *ret = r;
    return 0;
}
