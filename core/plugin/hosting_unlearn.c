/* Unlearners: check, prepare, run, dispose, each a call of its own, then the answer is checked. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "host_internal.h"

/* A class scenario forgets every sample of some classes and none of the others. */
struct scenario {
    uint32_t kind;      /* LETHE_SCENARIO_* */
    int32_t *class_ids; /* (n_classes) the forgotten ones, ascending */
    uint32_t n_classes;
};

static int find_scenario(const struct hosting *h, struct scenario *ret, struct error *err)
{
    const struct dataset *ds = h->ds;
    const struct split *s = h->split;
    struct scenario out = {LETHE_SCENARIO_CLASS, NULL, 0};
    uint32_t *forgotten = calloc(ds->n_classes + 1u, sizeof(*forgotten));
    uint32_t *retained = calloc(ds->n_classes + 1u, sizeof(*retained));
    out.class_ids = calloc(ds->n_classes + 1u, sizeof(*out.class_ids));
    int rc = forgotten && retained && out.class_ids ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < s->n_forget; i++)
        forgotten[ds->labels[s->forget[i]]]++;
    for (uint32_t i = 0; rc == 0 && i < s->n_retain; i++)
        retained[ds->labels[s->retain[i]]]++;
    for (uint32_t k = 0; rc == 0 && k < ds->n_classes; k++) {
        if (forgotten[k] > 0 && retained[k] > 0)
            out.kind = LETHE_SCENARIO_RANDOM;
        else if (forgotten[k] > 0)
            out.class_ids[out.n_classes++] = (int32_t)k;
    }
    if (out.kind == LETHE_SCENARIO_RANDOM || out.n_classes == 0)
        out = (struct scenario){LETHE_SCENARIO_RANDOM, out.class_ids, 0};
    free(forgotten);
    free(retained);
    if (rc < 0) {
        free(out.class_ids);
        return rc;
    }
    *ret = out;
    return 0;
}

struct unlearning {
    struct host host;
    struct scenario scenario;
    struct model *model;    /* becomes the answer */
    struct model *original; /* protected */
    const lethe_unlearner *iface;
    void *state;         /* of the plugin */
    struct hosting turn; /* as given, with the split of the request at hand */
    uint32_t request;
};

/* ---- calls ---- */

/* Handles of the job; they end with the call. */
static int make_job(struct unlearning *u, struct host_ctx *c, lethe_forget_job *ret,
                    struct error *err)
{
    const struct split *s = u->host.h->split;
    const struct hosting *h = u->host.h;
    bool held_out = host_granted(&u->host, LETHE_CAP_VALIDATION);
    bool forget = host_granted(&u->host, LETHE_CAP_FORGET);
    bool retain = host_granted(&u->host, LETHE_CAP_RETAIN);
    bool classes = u->scenario.kind == LETHE_SCENARIO_CLASS;
    lethe_forget_job job = {
        .struct_size = sizeof(job),
        .request = u->request,
        .scenario = u->scenario.kind,
        .n_forget_classes = classes ? u->scenario.n_classes : 0,
        .forget_classes = classes ? u->scenario.class_ids : NULL,
        .model = host_wrap_model(c, u->model, true),
        .original = host_wrap_model(c, u->original, false),
        .forget = forget ? host_wrap_rows(c, s->forget, s->n_forget, true) : NULL,
        .retain = retain ? host_wrap_rows(c, s->retain, s->n_retain, true) : NULL,
        .validation = held_out ? host_wrap_rows(c, h->validation, h->n_validation, false) : NULL};
    if (!job.model || !job.original || (forget && !job.forget) || (retain && !job.retain) ||
        (held_out && !job.validation))
        return error_nomem(err);
    *ret = job;
    return 0;
}

enum step { STEP_CHECK, STEP_PREPARE, STEP_RUN };

static lethe_status step(struct unlearning *u, enum step what, struct host_ctx *c,
                         const lethe_forget_job *job)
{
    if (what == STEP_CHECK)
        return u->iface->check ? u->iface->check(&c->head, job) : LETHE_OK;
    if (what == STEP_PREPARE)
        return u->iface->prepare ? u->iface->prepare(&c->head, job, &u->state) : LETHE_OK;
    return u->iface->run(&c->head, u->state, job);
}

static int call(struct unlearning *u, enum step what, double *ret_s, double *ret_cpu_s,
                struct error *err)
{
    struct host_ctx *c = NULL;
    lethe_forget_job job;
    TRY(host_call_begin(&u->host, &c, err));
    int rc = make_job(u, c, &job, err);
    memset(u->model->grad, 0, u->model->n_param * sizeof(*u->model->grad));
    uint64_t start = fs_now_ns(), cpu = fs_cpu_ns();
    lethe_status status = rc == 0 ? step(u, what, c, &job) : host_nomem(c);
    if (status == LETHE_OK && what == STEP_RUN)
        status = host_clip_finish(c, u->model);
    *ret_s = (double)(fs_now_ns() - start) / 1e9;
    *ret_cpu_s = (double)(fs_cpu_ns() - cpu) / 1e9;
    return host_call_end(c, status, err);
}

static void dispose(struct unlearning *u)
{
    struct host_ctx *c = NULL;
    if (!u->iface->dispose || host_call_begin(&u->host, &c, NULL) < 0)
        return;
    u->iface->dispose(&c->head, u->state);
    host_call_end(c, LETHE_OK, NULL);
}

/* ---- the answer ---- */

static int check_answer(const struct model *m, struct error *err)
{
    if (model_is_finite(m))
        return 0;
    for (size_t t = 0; t < m->n_tensors; t++) {
        const struct tensor_info *info = &m->tensor[t];
        const float *v = (info->flags & TENSOR_STATISTIC ? m->stat : m->param) + info->offset;
        for (size_t i = 0; i < info->n; i++)
            if (!isfinite(v[i]))
                return error_set(err, ERR_OUTPUT, "weights became NaN or infinite in tensor %s",
                                 info->name);
    }
    return error_set(err, ERR_OUTPUT, "weights became NaN or infinite");
}

static int check_scenario(const struct unlearning *u, struct error *err)
{
    if (u->iface->scenarios & u->scenario.kind)
        return 0;
    return error_set(err, ERR_UNSUPPORTED, "%s does not serve %s forgetting", u->host.id,
                     u->scenario.kind == LETHE_SCENARIO_CLASS ? "class" : "random");
}

/* One request: its forget set leaves, and the model before it is what `original` means. prepare
 * runs before the first. */
static int serve(struct unlearning *u, const struct unlearn_request *request,
                 const struct model *original, struct unlearn_result *ret, struct error *err)
{
    struct protected_model *safe = NULL;
    double check_s, check_cpu_s;
    u->turn.split = request->split;
    u->host.declared = request->declared;
    u->host.n_declared = request->n_declared;
    u->host.declared_seen = 0;
    TRY(find_scenario(&u->turn, &u->scenario, err));
    int rc = check_scenario(u, err);
    if (rc == 0)
        rc = protected_model_new(original, &safe, err);
    u->original = safe ? protected_model_get(safe) : NULL;
    if (rc == 0)
        rc = call(u, STEP_CHECK, &check_s, &check_cpu_s, err);
    if (rc == 0 && u->request == 0)
        rc = call(u, STEP_PREPARE, &ret->prepare_s, &ret->prepare_cpu_s, err);
    if (rc == 0)
        rc = call(u, STEP_RUN, &ret->run_s, &ret->run_cpu_s, err);
    if (rc == 0)
        rc = check_answer(u->model, err);
    protected_model_free(safe);
    free(u->scenario.class_ids);
    u->scenario.class_ids = NULL;
    return rc;
}

static uint64_t available_to(const struct hosting *h, uint32_t n_declared)
{
    uint64_t caps = LETHE_CAP_FORGET | LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS |
                    LETHE_CAP_LOGITS | LETHE_CAP_ORIGINAL;
    if (h->recipe)
        caps |= LETHE_CAP_RECIPE;
    if (h->find_attack || n_declared > 0)
        caps |= LETHE_CAP_ATTACK;
    if (h->validation)
        caps |= LETHE_CAP_VALIDATION;
    return caps;
}

static void add_meters(struct meters *sum, const struct meters *m)
{
#define METERS_X(name) sum->name += m->name;
    METERS_MAP(METERS_X)
#undef METERS_X
}

/* Every request, each from the model that the one before it left. */
static int serve_all(struct unlearning *u, const struct model *original,
                     const struct unlearn_request *request, uint32_t n, struct unlearn_result *ret,
                     const struct unlearn_hook *after, struct error *err)
{
    struct model *before = NULL;
    int rc = 0;
    for (u->request = 0; rc == 0 && u->request < n; u->request++) {
        struct unlearn_result r = {{0}, 0, 0, 0, 0};
        u->host.meters = r.meters;
        if (u->request > 0 && !before)
            rc = model_new(original->arch, &before, err);
        if (rc == 0 && before)
            model_copy(before, u->model);
        if (rc == 0)
            rc = serve(u, &request[u->request], before ? before : original, &r, err);
        r.meters = u->host.meters;
        add_meters(&u->host.before, &r.meters);
        ret[u->request] = r;
        if (rc == 0 && after)
            rc = after->fn(after->arg, u->request, u->model, err);
    }
    dispose(u);
    model_free(before);
    return rc;
}

int hosting_unlearn_requests(const struct hosting *h, const struct model *original,
                             struct model *model, const struct unlearn_request *request, uint32_t n,
                             struct unlearn_result *ret, const struct unlearn_hook *after,
                             struct error *err)
{
    struct unlearning u = {.model = model, .turn = *h};
    if (!h->ds || n == 0 || !request[0].split)
        return error_set(err, ERR_INTERNAL, "unlearning without samples or without a split");
    u.turn.split = request[0].split;
    int rc = host_init(&u.host, &u.turn, LETHE_KIND_UNLEARNER,
                       available_to(h, request[0].n_declared), model->arch, err);
    if (rc == 0) {
        u.iface = u.host.plugin->iface;
        rc = serve_all(&u, original, request, n, ret, after, err);
    }
    host_release(&u.host);
    return rc;
}

int hosting_unlearn(const struct hosting *h, const struct model *original, struct model *model,
                    const struct adversarial *declared, uint32_t n_declared,
                    struct unlearn_result *ret, struct error *err)
{
    struct unlearn_request request = {h->split, declared, n_declared};
    struct unlearn_result r = {{0}, 0, 0, 0, 0};
    TRY(hosting_unlearn_requests(h, original, model, &request, 1, &r, NULL, err));
    *ret = r;
    return 0;
}
