#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "plan_internal.h"
#include "strbuf.h"
#include "text.h"

static const char *const kind_names[] = {
#define TASK_KIND_X(name, word) word,
    TASK_KIND_MAP(TASK_KIND_X)
#undef TASK_KIND_X
};

const char *task_kind_name(enum task_kind kind)
{
    return kind < TASK_KIND_COUNT ? kind_names[kind] : "unknown";
}

enum task_kind task_kind_from_name(const char *name)
{
    unsigned k = 0;
    while (k < TASK_KIND_COUNT && strcmp(kind_names[k], name) != 0)
        k++;
    return (enum task_kind)k;
}

/* ---- the graph ---- */

static uint32_t slot_of(const struct plan *p, const char *id)
{
    uint64_t h = strtoull((char[17]){id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8],
                                     id[9], id[10], id[11], id[12], id[13], id[14], id[15], '\0'},
                          NULL, 16);
    uint32_t at = (uint32_t)(h % p->n_slots);
    while (p->slot[at] != NO_TASK && strcmp(p->task[p->slot[at]].id, id) != 0)
        at = (at + 1) % p->n_slots;
    return at;
}

static int grow(struct plan *p, struct error *err)
{
    if (p->n < p->cap)
        return 0;
    unsigned cap = p->cap ? 2 * p->cap : 64;
    struct task *tasks = realloc(p->task, cap * sizeof(*tasks));
    if (!tasks)
        return error_nomem(err);
    p->task = tasks;
    p->cap = cap;
    uint32_t *slots = malloc(4 * cap * sizeof(*slots));
    if (!slots)
        return error_nomem(err);
    free(p->slot);
    p->slot = slots;
    p->n_slots = 4 * cap;
    for (unsigned i = 0; i < p->n_slots; i++)
        slots[i] = NO_TASK;
    for (unsigned i = 0; i < p->n; i++)
        slots[slot_of(p, p->task[i].id)] = i;
    return 0;
}

static int append(struct plan *p, struct draft *d, const char *id, struct error *err)
{
    struct task t = {.kind = d->kind, .weight = d->weight};
    t.n_deps = d->n_deps + d->n_more;
    t.dep = malloc((t.n_deps + 1) * sizeof(*t.dep));
    if (!t.dep)
        return error_nomem(err);
    memcpy(t.dep, d->dep, d->n_deps * sizeof(*t.dep));
    if (d->n_more)
        memcpy(t.dep + d->n_deps, d->more, d->n_more * sizeof(*t.dep));
    memcpy(t.id, id, HASH_HEX_SIZE);
    t.identity = d->identity;
    t.title = d->title;
    t.import_path = d->import;
    d->import = NULL;
    t.inclusion_path = d->inclusion;
    d->inclusion = NULL;
    t.plugin_path = d->plugin ? d->plugin->path : NULL;
    t.attack_plugin = d->attack_plugin;
    d->identity = NULL;
    d->title = NULL;
    p->task[p->n] = t;
    p->slot[slot_of(p, id)] = p->n;
    p->n++;
    return 0;
}

int plan_add(struct plan *p, struct draft *d, uint32_t *ret, struct error *err)
{
    char id[HASH_HEX_SIZE];
    int rc = d->identity && d->title ? store_id(d->identity, id, err) : error_nomem(err);
    if (rc == 0)
        rc = grow(p, err);
    if (rc == 0 && p->slot[slot_of(p, id)] == NO_TASK)
        rc = append(p, d, id, err);
    if (rc == 0)
        *ret = p->slot[slot_of(p, id)];
    json_decref(d->identity);
    free(d->title);
    free(d->import);
    free(d->inclusion);
    return rc;
}

uint32_t plan_find(const struct plan *p, const char *id)
{
    return p->n_slots ? p->slot[slot_of(p, id)] : NO_TASK;
}

static void task_release(struct task *t)
{
    json_decref(t->identity);
    free(t->title);
    free(t->import_path);
    free(t->inclusion_path);
    free(t->dep);
    free(t->reason);
    *t = (struct task){0};
}

int plan_take(struct plan *p, struct task *t, uint32_t *ret, struct error *err)
{
    TRY(grow(p, err));
    uint32_t slot = slot_of(p, t->id);
    if (p->slot[slot] == NO_TASK) {
        p->slot[slot] = p->n;
        p->task[p->n++] = *t;
        *t = (struct task){0};
    }
    *ret = p->slot[slot];
    task_release(t);
    return 0;
}

/* ---- rows ---- */

static int add_row(struct plan *p, const struct plan_row *row, struct error *err)
{
    if (p->n_rows == p->cap_rows) {
        unsigned cap = p->cap_rows ? 2 * p->cap_rows : 64;
        struct plan_row *rows = realloc(p->row, cap * sizeof(*rows));
        if (!rows)
            return error_nomem(err);
        p->row = rows;
        p->cap_rows = cap;
    }
    struct plan_row *r = &p->row[p->n_rows];
    *r = *row;
    r->predict = NO_TASK;
    r->metric = malloc((p->suite->n_metrics + 1) * sizeof(*r->metric));
    r->evaluate = malloc((p->suite->n_attacks + 1) * sizeof(*r->evaluate));
    if (!r->metric || !r->evaluate) {
        free(r->metric);
        free(r->evaluate);
        return error_nomem(err);
    }
    for (unsigned i = 0; i < p->suite->n_metrics; i++)
        r->metric[i] = NO_TASK;
    for (unsigned i = 0; i < p->suite->n_attacks; i++)
        r->evaluate[i] = NO_TASK;
    p->n_rows++;
    return 0;
}

static struct plan_row *last_row(struct plan *p)
{
    return &p->row[p->n_rows - 1];
}

/* One forget set: a scenario and a forget seed (-1 where none matters). */
struct forget_set {
    unsigned scenario;
    int64_t seed;
    int64_t request; /* consecutive: what the first requests deleted; else -1 */
    json_t *identity;
    double share; /* of the training rows, for estimates */
};

double plan_forget_share(const struct forget_spec *spec, const struct plan *p)
{
    if (spec->kind == FORGET_CONSECUTIVE)
        return spec->fraction * spec->request / spec->requests;
    if (spec->kind == FORGET_RANDOM)
        return spec->fraction;
    if (spec->kind == FORGET_CLASS)
        return spec->n_classes / 10.0;
    return p->n_train_rows ? spec->n_rows / (double)p->n_train_rows : 0;
}

/* Adds the row; with a model, what is measured of it too. Takes row->reason. */
static int finish_row(struct planner *b, const struct forget_set *f, struct plan_row *row,
                      struct error *err)
{
    int rc = add_row(b->plan, row, err);
    if (rc < 0)
        free(row->reason);
    else if (row->model != NO_TASK)
        rc = plan_measures(b, f->identity, last_row(b->plan), err);
    return rc;
}

static int original_rows(struct planner *b, const struct forget_set *f, struct error *err)
{
    const struct suite_seeds *seeds = &b->suite->seed_model;
    for (unsigned i = 0; i < seeds->n; i++) {
        struct plan_row row = {.kind = PLAN_ORIGINAL,
                               .scenario = f->scenario,
                               .seed_model = seeds->v[i],
                               .seed_forget = f->seed,
                               .request = f->request,
                               .seed_unlearn = -1,
                               .original = NO_TASK};
        TRY(plan_original(b, &row, &row.model, err));
        TRY(finish_row(b, f, &row, err));
    }
    return 0;
}

static int oracle_rows(struct planner *b, const struct forget_set *f, struct error *err)
{
    for (unsigned k = 1; k <= b->suite->n_retrain; k++) {
        struct plan_row row = {.kind = PLAN_ORACLE,
                               .scenario = f->scenario,
                               .seed_model = k,
                               .seed_forget = f->seed,
                               .request = f->request,
                               .seed_unlearn = -1,
                               .original = NO_TASK};
        TRY(plan_oracle(b, f->identity, f->share, &row, err));
        TRY(finish_row(b, f, &row, err));
    }
    return 0;
}

/* A row that cannot be run keeps its verdict: the plugin did not load, or does not serve this
 * scenario. */
static int mark_unplannable(const struct suite_entry *e, const struct forget_spec *spec,
                            struct plan_row *row, struct error *err)
{
    const char *word = spec->kind == FORGET_CLASS ? "class" : "random";
    row->model = NO_TASK;
    row->verdict = e->desc ? VERDICT_UNSUPPORTED : e->failure->verdict;
    row->signal = e->desc ? 0 : e->failure->signal;
    row->reason = e->desc ? text_format("%s does not serve %s forgetting (scenario %s)", e->id,
                                        word, spec->name)
                          : text_dup(e->failure->reason);
    return row->reason ? 0 : error_nomem(err);
}

/* What plan_original said of its file does not matter to this row. */
static struct plan_row *forget_reason(struct plan_row *row)
{
    free(row->reason);
    row->reason = NULL;
    row->verdict = VERDICT_OK;
    return row;
}

/* There is no model to unlearn from: the file is missing, or holds outputs. */
static int mark_no_original(struct plan_row *row, struct error *err)
{
    row->model = NO_TASK;
    row->verdict = VERDICT_FAILED;
    if (row->reason)
        return 0;
    row->reason =
        text_dup("the original was imported as logits: there is no model to unlearn from");
    return row->reason ? 0 : error_nomem(err);
}

/* A pattern has no word that tells the requests apart. */
static int mark_request_import(struct plan_row *row, struct error *err)
{
    row->model = NO_TASK;
    row->verdict = VERDICT_UNSUPPORTED;
    row->reason = text_dup("what was made elsewhere cannot follow consecutive requests");
    return row->reason ? 0 : error_nomem(err);
}

static int method_row(struct planner *b, const struct forget_set *f, unsigned entry,
                      int64_t model_seed, int64_t unlearn_seed, struct error *err)
{
    const struct suite_entry *e = &b->suite->unlearn[entry];
    const struct forget_spec *spec = &b->suite->scenario[f->scenario];
    struct plan_row row = {.kind = PLAN_METHOD,
                           .scenario = f->scenario,
                           .entry = entry,
                           .seed_model = model_seed,
                           .seed_forget = f->seed,
                           .request = f->request,
                           .seed_unlearn = unlearn_seed};
    TRY(plan_original(b, &row, &row.original, err));
    const char *word = spec->kind == FORGET_CLASS ? "class" : "random";
    bool serves = e->import || (e->desc && desc_serves(e->desc, word));
    int rc;
    if (e->import && f->request > 0)
        rc = mark_request_import(forget_reason(&row), err);
    else if (e->import)
        rc = plan_import(b, e, forget_reason(&row), err);
    else if (!serves)
        rc = mark_unplannable(e, spec, forget_reason(&row), err);
    else if (row.original == NO_TASK || b->suite->originals.logits)
        rc = mark_no_original(&row, err);
    else if (f->request > 0)
        rc = plan_request(b, e, &row, err);
    else
        rc = plan_unlearn(b, e, f->identity, f->share, &row, err);
    if (rc < 0) {
        free(row.reason);
        return rc;
    }
    return finish_row(b, f, &row, err);
}

static bool wanted(const struct plan_options *o, const char *label)
{
    if (!o || !o->only)
        return true;
    for (size_t i = 0; o->only[i]; i++)
        if (strcmp(o->only[i], label) == 0)
            return true;
    return false;
}

static int method_rows(struct planner *b, const struct forget_set *f, unsigned entry,
                       struct error *err)
{
    const struct suite *s = b->suite;
    for (unsigned m = 0; m < s->seed_model.n; m++)
        for (unsigned u = 0; u < s->seed_unlearn.n; u++)
            TRY(method_row(b, f, entry, s->seed_model.v[m], s->seed_unlearn.v[u], err));
    return 0;
}

/* class_or_entry: -2 originals, -1 oracles, else the index of a method. */
static int rows_of_set(struct planner *b, struct forget_set *f, const struct forget_spec *spec,
                       int class_or_entry, struct error *err)
{
    f->identity = forget_identity(spec, f->seed < 0 ? 0 : (uint64_t)f->seed);
    f->share = plan_forget_share(spec, b->plan);
    if (!f->identity)
        return error_nomem(err);
    int rc = class_or_entry == -2   ? original_rows(b, f, err)
             : class_or_entry == -1 ? oracle_rows(b, f, err)
                                    : method_rows(b, f, (unsigned)class_or_entry, err);
    json_decref(f->identity);
    return rc;
}

/* The rows of all forget sets of a scenario in one of the three classes, so that runs.csv is
 * ordered scenario, class, method, forget seed, request. */
static int rows_of(struct planner *b, unsigned scenario, int class_or_entry, struct error *err)
{
    const struct suite *s = b->suite;
    struct forget_spec spec = s->scenario[scenario]; /* rows are borrowed */
    bool seeded = forget_depends_on_seed(&spec), consecutive = spec.kind == FORGET_CONSECUTIVE;
    for (unsigned i = 0; i < (seeded ? s->seed_forget.n : 1); i++)
        for (uint32_t k = 1; k <= (consecutive ? spec.requests : 1); k++) {
            struct forget_set f = {.scenario = scenario,
                                   .seed = seeded ? s->seed_forget.v[i] : -1,
                                   .request = consecutive ? (int64_t)k : -1};
            spec.request = consecutive ? k : 0;
            TRY(rows_of_set(b, &f, &spec, class_or_entry, err));
        }
    return 0;
}

static int check_options(const struct suite *s, const struct plan_options *o, struct error *err)
{
    const char **names = calloc(s->n_unlearn + s->n_scenarios + 1, sizeof(*names));
    if (!names)
        return error_nomem(err);
    int rc = 0;
    for (unsigned i = 0; i < s->n_unlearn; i++)
        names[i] = s->unlearn[i].label;
    for (size_t i = 0; o && o->only && o->only[i] && rc == 0; i++) {
        bool found = false;
        for (unsigned k = 0; k < s->n_unlearn; k++)
            found |= strcmp(names[k], o->only[i]) == 0;
        const char *near = found ? NULL : text_did_you_mean(o->only[i], names);
        if (!found)
            rc = error_set(err, ERR_INVALID, "--only: %s has no method labelled \"%s\"%s%s%s",
                           s->path, o->only[i], near ? "; did you mean \"" : "", near ? near : "",
                           near ? "\"?" : "");
    }
    bool found = !o || !o->scenario;
    for (unsigned i = 0; i < s->n_scenarios && !found; i++)
        found = strcmp(s->scenario[i].name, o->scenario) == 0;
    if (rc == 0 && !found)
        rc = error_set(err, ERR_INVALID, "--scenario: %s has no scenario named \"%s\"", s->path,
                       o->scenario);
    free(names);
    return rc;
}

static int build(struct planner *b, const struct plan_options *o, struct error *err)
{
    const struct suite *s = b->suite;
    TRY(plan_data(b, err));
    for (unsigned i = 0; i < s->n_scenarios; i++) {
        if (o && o->scenario && strcmp(o->scenario, s->scenario[i].name) != 0)
            continue;
        TRY(plan_variant_use(b, i, err));
        TRY(rows_of(b, i, -2, err));
        TRY(rows_of(b, i, -1, err));
        for (unsigned e = 0; e < s->n_unlearn; e++)
            if (wanted(o, s->unlearn[e].label))
                TRY(rows_of(b, i, (int)e, err));
    }
    TRY(plan_transfers(b, err));
    return plan_metrics(b, err);
}

static json_t *options_json(const struct plan_options *o)
{
    json_t *only = o && o->only ? json_array() : json_null();
    for (size_t i = 0; o && o->only && o->only[i]; i++)
        json_array_append_new(only, json_string(o->only[i]));
    return json_pack("{s:o,s:s?}", "only", only, "scenario", o ? o->scenario : NULL);
}

int plan_make(const struct suite *s, const struct plugin_set *plugins, const json_t *machine,
              const struct plan_options *options, struct plan *ret, struct error *err)
{
    struct plan p = {
        .suite = s, .machine = json_deep_copy(machine), .options = options_json(options)};
    struct strbuf arch;
    strbuf_init(&arch);
    arch_text(s->arch, &arch);
    struct planner b = {.plan = &p, .suite = s, .plugins = plugins, .arch_text = arch.s};
    int rc = arch.failed || !p.machine || !p.options ? error_nomem(err) : 0;
    if (rc == 0)
        rc = json_get_string(machine, "lethe-worker info", "numerics", &b.numerics, err);
    if (rc == 0)
        rc = check_options(s, options, err);
    if (rc == 0)
        rc = data_spec_counts(&s->data, &p.n_train_rows, &p.n_test_rows, err);
    if (rc == 0)
        rc = plan_variants_make(&b, err);
    if (rc == 0)
        rc = build(&b, options, err);
    plan_variants_release(&b);
    strbuf_release(&arch);
    if (rc < 0) {
        plan_release(&p);
        return rc;
    }
    *ret = p;
    return 0;
}

void plan_release(struct plan *p)
{
    for (unsigned i = 0; i < p->n; i++)
        task_release(&p->task[i]);
    for (unsigned i = 0; i < p->n_rows; i++) {
        json_decref(p->row[i].forget);
        free(p->row[i].metric);
        free(p->row[i].evaluate);
        free(p->row[i].reason);
    }
    free(p->task);
    for (unsigned i = 0; i < p->n_transfer; i++)
        free(p->transfer[i].reason);
    free(p->transfer);
    free(p->row);
    free(p->slot);
    json_decref(p->machine);
    json_decref(p->options);
    memset(p, 0, sizeof(*p));
}

int plan_look(struct plan *p, const struct store *store, struct error *err)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct task *t = &p->task[i];
        struct error why = ERROR_INIT;
        enum store_state state = store_look(store, t->id, &why);
        t->cached = state == STORE_PRESENT;
        t->state = t->cached ? TASK_DONE : TASK_WAITING;
        if (state != STORE_CORRUPT)
            continue;
        log_warning("%s; this object is made again (%s)", why.text, t->title);
        TRY(store_discard(store, t->id, err));
    }
    return 0;
}

json_t *plan_job(const struct plan *p, unsigned task, const struct store *store,
                 const char *workspace, unsigned threads)
{
    const struct task *t = &p->task[task];
    const struct suite *s = p->suite;
    json_t *job =
        json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:i,s:O}", "lethe_job", 1, "id", t->id, "kind",
                  task_kind_name(t->kind), "title", t->title, "store", store->dir, "workspace",
                  workspace, "threads", (int)threads, "identity", t->identity);
    if (!job)
        return NULL;
    int bad = 0;
    if (t->plugin_path) {
        bad |= json_object_set_new(job, "plugin_path", json_string(t->plugin_path));
        bad |= json_object_set_new(job, "wall_limit_s", json_real(s->wall_limit_s));
        bad |= json_object_set_new(job, "memory_limit", json_integer((json_int_t)s->memory_limit));
        bad |= json_object_set_new(job, "file_limit", json_integer((json_int_t)s->file_limit));
    }
    if (t->import_path)
        bad |= json_object_set_new(job, "import_path", json_string(t->import_path));
    if (t->inclusion_path)
        bad |= json_object_set_new(job, "inclusion_path", json_string(t->inclusion_path));
    if (t->kind == TASK_DATA)
        bad |= json_object_set_new(job, "data_paths", data_spec_paths(&s->data));
    if (t->attack_plugin)
        bad |= json_object_set_new(
            job, "attack_plugin",
            json_pack("{s:s,s:s}", "id", t->attack_plugin->id, "path", t->attack_plugin->path));
    if (bad) {
        json_decref(job);
        return NULL;
    }
    return job;
}
