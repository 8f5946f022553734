/* The attack table: adversarial sets for unlearners, prepared beforehand or made now. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

/* out's size has been checked; arrays live until the end of the call. */
static void give_set(const struct adversarial *a, lethe_adversarial *out)
{
    out->n = a->n;
    out->x = a->x;
    out->label = a->label;
    out->clean_pred = a->clean_pred;
    out->found = a->found;
    out->radius = a->radius;
    out->l2 = a->l2;
    out->steps = a->steps;
}

static lethe_status check_out(struct host_ctx *c, const lethe_adversarial *out)
{
    if (out->struct_size >= LETHE_SIZE_THROUGH(lethe_adversarial, steps))
        return LETHE_OK;
    return host_fail(c, ERR_INVALID, "lethe_adversarial.struct_size is %u; set it with sizeof",
                     out->struct_size);
}

static uint64_t set_bytes(const struct host *host, const struct adversarial *a)
{
    uint64_t sample = host_pixels(host) * sizeof(*a->x) + sizeof(*a->label) +
                      sizeof(*a->clean_pred) + sizeof(*a->found) + sizeof(*a->radius) +
                      sizeof(*a->l2) + sizeof(*a->linf) + sizeof(*a->steps);
    return a->n * sample;
}

/* What the set cost is part of what the method costs, once, however often it is asked for. */
static int count_declared(struct host *host, uint32_t index, struct error *err)
{
    const struct meters *cost = &host->declared[index].cost;
    uint64_t bit = index < 64 ? 1ull << index : 0;
    if (host->declared_seen & bit)
        return 0;
    TRY(host_afford_queries(
        host, "the declared adversarial set",
        cost->attack_forward + cost->forward + cost->attack_backward + cost->backward, err));
    host->declared_seen |= bit;
    host->meters.read_forget += cost->read_forget;
    host->meters.read_retain += cost->read_retain;
    host->meters.read_other += cost->read_other;
    host->meters.attack_forward += cost->attack_forward + cost->forward;
    host->meters.attack_backward += cost->attack_backward + cost->backward;
    host->meters.bytes_cached += set_bytes(host, &host->declared[index]);
    return 0;
}

static lethe_status attack_declared(lethe_ctx *ctx, uint32_t index, lethe_adversarial *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    const lethe_unlearner *u = c->host->plugin->iface;
    lethe_status status = check_out(c, out);
    if (status < 0)
        return status;
    if (index >= u->n_attacks)
        return host_fail(c, ERR_INVALID, "attack->declared: set %u of the %u that are declared",
                         index, u->n_attacks);
    if (index >= c->host->n_declared)
        return host_fail(c, ERR_DENIED, "attack->declared: set %u was not prepared for this task",
                         index);
    struct error err = ERROR_INIT;
    if (count_declared(c->host, index, &err) < 0)
        return host_pass_on(c, &err);
    give_set(&c->host->declared[index], out);
    return LETHE_OK;
}

/* ---- attacks run now ---- */

struct view_samples {
    struct host_ctx *c;
    const lethe_view *view;
};

static int fill_from_view(void *arg, uint32_t start, uint32_t n, float *x, int32_t *y, uint64_t *id,
                          struct error *err)
{
    const struct view_samples *s = arg;
    size_t bytes = n * sizeof(uint32_t);
    uint32_t *rows = host_take(s->c, bytes);
    if (!rows)
        return error_nomem(err);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = start + i;
    int rc = host_load(s->c, s->view->now, rows, n, 0, false, x, y, id, err);
    host_give(s->c, rows, bytes);
    return rc;
}

static void drop_set(void *set)
{
    adversarial_release(set);
}

/* A host of its own for the attack: its streams bear its id, its networks are not the caller's. */
static int run_attack(struct host_ctx *c, const struct hosting *h, const struct model *m,
                      const lethe_view *view, struct adversarial *ret, struct error *err)
{
    struct host host;
    struct view_samples samples = {c, view};
    struct perturb_source from = {fill_from_view, &samples, view->n};
    int rc = host_init(&host, h, LETHE_KIND_EXAMPLE_ATTACK, PERTURB_CAPS, m->arch, err);
    host.payer = c->host;
    if (rc == 0)
        rc = host_perturb(&host, m, &from, false, ret, err);
    c->host->meters.attack_forward += host.meters.forward;
    c->host->meters.attack_backward += host.meters.backward;
    host_release(&host);
    return rc;
}

static int find_and_run(struct host_ctx *c, const char *id, const char *const *settings,
                        const struct model *m, const lethe_view *view, struct adversarial *ret,
                        struct error *err)
{
    struct hosting h = *c->host->h;
    json_t *params = NULL;
    if (!h.find_attack)
        return error_set(err, ERR_DENIED, "no example attacks can be run in this task");
    TRY(h.find_attack(h.find_arg, id, &h.file, err));
    const lethe_plugin *p = plugin_pick(h.file, LETHE_KIND_EXAMPLE_ATTACK, id);
    if (!p)
        return error_set(err, ERR_INVALID, "there is no example attack of that id");
    TRY(host_params_to_json(p, settings, &params, err));
    h.plugin_id = id;
    h.params = params;
    int rc = run_attack(c, &h, m, view, ret, err);
    json_decref(params);
    return rc;
}

static lethe_status attack_run(lethe_ctx *ctx, const char *id, const char *const *settings,
                               const lethe_model *model, const lethe_view *view,
                               lethe_adversarial *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    lethe_status status = check_out(c, out);
    if (status == LETHE_OK)
        status = host_need_view(c, view, "attack->run");
    if (status < 0)
        return status;
    struct adversarial *set = arena_alloc(c->arena, sizeof(*set));
    if (!set || arena_cleanup(c->arena, drop_set, set) < 0)
        return host_nomem(c);
    if (find_and_run(c, id, settings, model->m, view, set, &err) < 0) {
        error_prefix(&err, "example attack %s", id);
        return host_pass_on(c, &err);
    }
    give_set(set, out);
    return LETHE_OK;
}

const lethe_attack_api host_attack_table = {
    .struct_size = sizeof(lethe_attack_api),
    .declared = attack_declared,
    .run = attack_run,
};
