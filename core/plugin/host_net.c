/* Which network runs which pass. A network holds the activations of one pass; a teacher's pass
 * between a student's forward and backward must not destroy them. So a pass that keeps activations
 * takes a network that no other model still needs, and passes that keep none share one. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

int host_infer(struct host *host, const struct model *m, const float *x, uint32_t n, float *logits,
               struct error *err)
{
    if (n > host->infer_batch || m->arch != host->infer_arch) {
        net_free(host->infer);
        host->infer = NULL;
        host->infer_batch = 0;
        TRY(net_new(m->arch, n, host->h->par, &host->infer, err));
        host->infer_batch = n;
        host->infer_arch = m->arch;
    }
    return net_infer(host->infer, m, x, n, logits, err);
}

/* Its own network, else one that is free or whose owner has had its backward pass. */
static struct host_net *find_net(struct host *host, const struct lethe_model *model, uint32_t n)
{
    struct host_net *found = NULL;
    for (struct host_net *k = host->net; k; k = k->next)
        if (k->owner == model)
            return k;
    for (struct host_net *k = host->net; k; k = k->next)
        if (!k->pending && k->arch == model->m->arch &&
            (!found || (found->max_batch < n && k->max_batch >= n)))
            found = k;
    return found;
}

static int take_net(struct host *host, const struct lethe_model *model, uint32_t n,
                    struct host_net **ret, struct error *err)
{
    struct host_net *k = find_net(host, model, n);
    if (!k) {
        k = calloc(1, sizeof(*k));
        if (!k)
            return error_nomem(err);
        k->next = host->net;
        k->arch = model->m->arch;
        host->net = k;
    }
    k->owner = model;
    k->pending = false;
    if (k->max_batch < n) {
        net_free(k->net);
        k->net = NULL;
        k->max_batch = 0;
        TRY(net_new(model->m->arch, n, host->h->par, &k->net, err));
        k->max_batch = n;
    }
    *ret = k;
    return 0;
}

static struct host_net *pending_net(struct host *host, const struct lethe_model *model)
{
    for (struct host_net *k = host->net; k; k = k->next)
        if (k->owner == model && k->pending)
            return k;
    return NULL;
}

static int forward_kept(struct host *host, struct lethe_model *model, const float *x, uint32_t n,
                        enum net_mode mode, float *logits, struct error *err)
{
    struct host_net *k = NULL;
    TRY(take_net(host, model, n, &k, err));
    if (mode != NET_EVAL) {
        struct rng r;
        host_stream(host, "dropout", 0, &r);
        net_dropout(k->net, r.key, host->n_dropout++);
    }
    TRY(net_forward(k->net, model->m, x, n, mode, logits, err));
    k->pending = true;
    model->n = n;
    return 0;
}

/* x is kept beside the model, because the plugin may change its own copy before the gradient. */
static int remember(struct lethe_model *model, const float *x, uint32_t n, struct error *err)
{
    const uint32_t *in = model->m->arch->input;
    size_t floats = (size_t)n * in[0] * in[1] * in[2];
    if (floats > model->x_cap) {
        free(model->x);
        model->x = malloc(floats * sizeof(*model->x));
        model->x_cap = model->x ? floats : 0;
        if (!model->x)
            return error_nomem(err);
    }
    memcpy(model->x, x, floats * sizeof(*x));
    model->n = n;
    return 0;
}

int host_forward(struct host *host, struct lethe_model *model, const float *x, uint32_t n,
                 enum net_mode mode, float *logits, struct error *err)
{
    struct host_net *k = pending_net(host, model);
    bool may_follow = host_granted(host, LETHE_CAP_GRADIENTS);
    if (k)
        k->pending = false; /* only the last pass counts */
    model->replay = false;
    if (mode != NET_EVAL || (may_follow && model->keeps))
        return forward_kept(host, model, x, n, mode, logits, err);
    TRY(host_infer(host, model->m, x, n, logits, err));
    if (!may_follow)
        return 0;
    TRY(remember(model, x, n, err));
    model->replay = true;
    return 0;
}

/* The first gradient after an evaluation pass: repeats the pass, keeping it, and from now on keeps
 * every one. Not metered: the plugin asked for one pass. */
static int replay(struct host *host, struct lethe_model *model, struct error *err)
{
    float *logits = malloc((size_t)model->n * model->m->arch->classes * sizeof(*logits));
    if (!logits)
        return error_nomem(err);
    int rc = forward_kept(host, model, model->x, model->n, NET_EVAL, logits, err);
    free(logits);
    model->replay = false;
    model->keeps = true;
    return rc;
}

int host_backward(struct host *host, struct lethe_model *model, const float *dlogits,
                  bool param_grads, float *dx, struct error *err)
{
    if (model->replay)
        TRY(replay(host, model, err));
    struct host_net *k = pending_net(host, model);
    if (!k)
        return error_set(err, ERR_INVALID,
                         "a gradient needs a forward pass of the same model before it, and each "
                         "pass serves one");
    k->pending = false;
    return net_backward(k->net, model->m, dlogits, param_grads, dx, err);
}

/* Networks of architectures that end with the call go with them. */
void host_nets_disown(struct host *host)
{
    for (struct host_net **at = &host->net; *at;) {
        struct host_net *k = *at;
        k->owner = NULL;
        k->pending = false;
        if (k->arch == host->arch) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        net_free(k->net);
        free(k);
    }
    if (host->infer_arch != host->arch) {
        net_free(host->infer);
        host->infer = NULL;
        host->infer_arch = NULL;
        host->infer_batch = 0;
    }
}

void host_nets_free(struct host *host)
{
    while (host->net) {
        struct host_net *next = host->net->next;
        net_free(host->net->net);
        free(host->net);
        host->net = next;
    }
    net_free(host->infer);
    host->infer = NULL;
    host->infer_batch = 0;
}
