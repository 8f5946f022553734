/* Metrics and audits: outputs of models in, named numbers out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

/* What metrics and audits have in common. */
struct measure {
    uint32_t kind; /* LETHE_KIND_METRIC or LETHE_KIND_AUDIT */
    const void *outputs;
    uint32_t n_outputs, stride;
    uint32_t min_models, min_references; /* fewer leave every value undefined */
    lethe_status (*evaluate)(lethe_ctx *, const lethe_metric_job *);
};

static struct measure measure_of(const lethe_plugin *p)
{
    if (p->kind == LETHE_KIND_AUDIT) {
        const lethe_audit *a = p->iface;
        return (struct measure){p->kind, a->outputs,        a->n_outputs, a->output_stride,
                                0,       a->min_references, a->evaluate};
    }
    const lethe_metric *m = p->iface;
    bool group = m->scope == LETHE_SCOPE_GROUP;
    return (struct measure){
        p->kind, m->outputs, m->n_outputs, m->output_stride, group ? m->min_models : 0,
        0,       m->evaluate};
}

/* ---- the job ---- */

/* One model's sets as the ABI names them. */
struct sets {
    lethe_outputs set[4];
    lethe_model_outputs outputs;
};

static const lethe_outputs *convert(const struct outputs *from, bool logits, lethe_outputs *to)
{
    if (!from)
        return NULL;
    *to = (lethe_outputs){.struct_size = sizeof(*to),
                          .n_classes = from->n_classes,
                          .n_views = from->n_views,
                          .n = from->n,
                          .logits = logits ? from->logits : NULL,
                          .y = from->y};
    return to;
}

static void convert_model(const struct model_outputs *from, bool logits, struct sets *to)
{
    to->outputs = (lethe_model_outputs){
        .struct_size = sizeof(to->outputs),
        .forget = convert(from->forget, logits, &to->set[0]),
        .retain = convert(from->retain, logits, &to->set[1]),
        .test = convert(from->test, logits, &to->set[2]),
        .test_forgotten = convert(from->test_forgotten, logits, &to->set[3]),
    };
}

/* (n) outputs side by side, in the call's arena; NULL when out of memory. */
static const lethe_model_outputs *convert_all(struct host_ctx *c, const struct model_outputs *from,
                                              uint32_t n, bool logits)
{
    struct sets *sets = arena_alloc(c->arena, (n + 1u) * sizeof(*sets));
    lethe_model_outputs *list = arena_alloc(c->arena, (n + 1u) * sizeof(*list));
    if (!sets || !list)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        convert_model(&from[i], logits, &sets[i]);
        list[i] = sets[i].outputs;
    }
    return list;
}

static const lethe_model_outputs *convert_one(struct host_ctx *c, uint64_t cap,
                                              const struct model_outputs *from, bool *ok)
{
    if (!from || !host_granted(c->host, cap))
        return NULL;
    const lethe_model_outputs *to =
        convert_all(c, from, 1, host_granted(c->host, LETHE_CAP_LOGITS));
    *ok &= to != NULL;
    return to;
}

/* ---- models, samples and costs ---- */

static const lethe_model *wrap(struct host_ctx *c, const struct model *m, bool *ok)
{
    if (!m)
        return NULL;
    /* the handle is not writable, which the model table enforces */
    const lethe_model *w = host_wrap_model(c, (struct model *)m, false);
    *ok &= w != NULL;
    return w;
}

static bool add_models(struct host_ctx *c, const struct metric_input *in, lethe_metric_job *job)
{
    const struct split *split = c->host->h->split;
    bool ok = true;
    if (!host_granted(c->host, LETHE_CAP_MODEL))
        return true;
    job->model = wrap(c, in->model, &ok);
    job->original_model = wrap(c, in->original_model, &ok);
    if (in->reference_models && job->references) {
        const lethe_model **list = arena_alloc(c->arena, (in->n_references + 1u) * sizeof(*list));
        for (uint32_t i = 0; list && i < in->n_references; i++)
            list[i] = wrap(c, in->reference_models[i], &ok);
        job->reference_models = list;
        ok &= list != NULL;
    }
    if (split && host_granted(c->host, LETHE_CAP_FORGET))
        ok &= (job->forget = host_wrap_rows(c, split->forget, split->n_forget, true)) != NULL;
    if (split && host_granted(c->host, LETHE_CAP_RETAIN))
        ok &= (job->retain = host_wrap_rows(c, split->retain, split->n_retain, true)) != NULL;
    return ok;
}

static lethe_cost *convert_cost(struct host_ctx *c, const struct meters *m)
{
    lethe_cost *cost = arena_alloc(c->arena, sizeof(*cost));
    if (cost)
        *cost = (lethe_cost){.struct_size = sizeof(*cost),
                             .forward = m->forward + m->attack_forward,
                             .backward = m->backward + m->attack_backward,
                             .optimizer_steps = m->optimizer_steps,
                             .read_forget = m->read_forget,
                             .read_retain = m->read_retain};
    return cost;
}

static bool add_costs(struct host_ctx *c, const struct metric_input *in, lethe_metric_job *job)
{
    if (!in->cost || !host_granted(c->host, LETHE_CAP_COST))
        return true;
    bool ok = (job->cost = convert_cost(c, in->cost)) != NULL;
    const lethe_cost **list = arena_alloc(c->arena, (in->n_references + 1u) * sizeof(*list));
    for (uint32_t i = 0; list && in->reference_costs && i < in->n_references; i++)
        ok &= (list[i] = convert_cost(c, &in->reference_costs[i])) != NULL;
    job->reference_costs = list;
    return ok && list;
}

static int make_job(struct host_ctx *c, const struct metric_input *in, lethe_metric_job *ret,
                    struct error *err)
{
    const struct host *host = c->host;
    bool logits = host_granted(host, LETHE_CAP_LOGITS);
    bool references = host_granted(host, LETHE_CAP_REFERENCES);
    bool original = host_granted(host, LETHE_CAP_ORIGINAL), ok = true;
    lethe_metric_job job = {
        .struct_size = sizeof(job),
        .scenario = in->scenario,
        .n_targets = in->n_targets,
        .n_references = references ? in->n_references : 0,
        .outputs_stride = sizeof(lethe_model_outputs),
        .n_classes = in->n_classes,
        .targets = convert_all(c, in->targets, in->n_targets, logits),
        .references = references ? convert_all(c, in->references, in->n_references, logits) : NULL,
        .original = original ? convert_all(c, in->original, 1, logits) : NULL,
        .random = convert_one(c, LETHE_CAP_RANDOM, in->random, &ok),
        .adversarial = convert_one(c, LETHE_CAP_ADVERSARIAL, in->adversarial, &ok),
        .source = convert_one(c, LETHE_CAP_ADVERSARIAL, in->source, &ok),
        .source_adversarial = convert_one(c, LETHE_CAP_ADVERSARIAL, in->source_adversarial, &ok)};
    ok = ok && add_models(c, in, &job) && add_costs(c, in, &job);
    if (!ok || !job.targets || (references && !job.references) || (original && !job.original))
        return error_nomem(err);
    *ret = job;
    return 0;
}

/* ---- the result ---- */

static const lethe_output *output_at(const struct host_emit *e, uint32_t i)
{
    return plugin_item(e->outputs, e->stride, i);
}

/* Every declared scalar has been emitted. Curves may be left out where there is nothing to draw. */
static int check_complete(const struct host_emit *e, struct error *err)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (output_at(e, i)->shape == LETHE_SHAPE_SCALAR && !e->given[i])
            return error_set(err, ERR_OUTPUT, "%s was declared but not emitted",
                             output_at(e, i)->name);
    return 0;
}

static int all_undefined(struct host_emit *e, const char *what, uint32_t least, uint32_t have,
                         struct error *err)
{
    json_t *values = json_object_get(e->result, "values");
    json_t *notes = json_object_get(e->result, "notes");
    for (uint32_t i = 0; i < e->n; i++) {
        const lethe_output *o = output_at(e, i);
        if (o->shape != LETHE_SHAPE_SCALAR)
            continue;
        json_t *note =
            json_sprintf("needs %u %s, there %s %u", least, what, have == 1 ? "is" : "are", have);
        if (json_object_set_new(values, o->name, json_null()) != 0 ||
            json_object_set_new(notes, o->name, note) != 0)
            return error_nomem(err);
    }
    return 0;
}

static int evaluate(struct host *host, const struct measure *m, const struct metric_input *in,
                    struct error *err)
{
    struct host_ctx *c = NULL;
    lethe_metric_job job;
    if (in->n_targets < m->min_models)
        return all_undefined(host->emit, "models", m->min_models, in->n_targets, err);
    if (in->n_references < m->min_references)
        return all_undefined(host->emit, "oracles", m->min_references, in->n_references, err);
    TRY(host_call_begin(host, &c, err));
    int rc = make_job(c, in, &job, err);
    lethe_status status = rc == 0 ? m->evaluate(&c->head, &job) : host_nomem(c);
    rc = host_call_end(c, status, err);
    if (host->emit->refusal.code != 0)
        return error_set(err, ERR_OUTPUT, "%s", host->emit->refusal.text);
    return rc < 0 ? rc : check_complete(host->emit, err);
}

static int run(struct host *host, const struct metric_input *in, json_t **ret, struct error *err)
{
    struct measure m = measure_of(host->plugin);
    struct host_emit e = {.outputs = m.outputs,
                          .n = m.n_outputs,
                          .stride = m.stride,
                          .given = calloc(m.n_outputs + 1u, sizeof(bool)),
                          .result = json_pack("{s:{},s:{},s:{}}", "values", "notes", "curves")};
    int rc = e.given && e.result ? 0 : error_nomem(err);
    host->emit = &e;
    if (rc == 0)
        rc = evaluate(host, &m, in, err);
    host->emit = NULL;
    free(e.given);
    if (rc < 0) {
        json_decref(e.result);
        return rc;
    }
    *ret = e.result;
    return 0;
}

static uint64_t available_to(const struct hosting *h, const struct metric_input *in)
{
    uint64_t caps = LETHE_CAP_LOGITS;
    caps |= in->references || in->n_references > 0 ? LETHE_CAP_REFERENCES : 0;
    caps |= in->original ? LETHE_CAP_ORIGINAL : 0;
    caps |= in->random ? LETHE_CAP_RANDOM : 0;
    caps |= in->adversarial ? LETHE_CAP_ADVERSARIAL : 0;
    caps |= in->cost ? LETHE_CAP_COST : 0;
    caps |= in->model ? LETHE_CAP_MODEL | LETHE_CAP_WEIGHTS | LETHE_CAP_GRADIENTS : 0;
    caps |= in->model && h->ds && h->split ? LETHE_CAP_FORGET | LETHE_CAP_RETAIN : 0;
    return caps | (in->model && h->recipe ? LETHE_CAP_RECIPE : 0);
}

int hosting_metric(const struct hosting *h, const struct metric_input *in, json_t **ret,
                   struct error *err)
{
    uint64_t caps = available_to(h, in);
    bool audit = plugin_pick(h->file, LETHE_KIND_AUDIT, h->plugin_id) &&
                 !plugin_pick(h->file, LETHE_KIND_METRIC, h->plugin_id);
    struct host host;
    int rc = host_init(&host, h, audit ? LETHE_KIND_AUDIT : LETHE_KIND_METRIC, caps,
                       in->model ? in->model->arch : NULL, err);
    if (rc == 0 && in->n_targets == 0)
        rc = error_set(err, ERR_INVALID, "a metric needs the outputs of a model");
    if (rc == 0)
        rc = run(&host, in, ret, err);
    host_release(&host);
    return rc;
}
