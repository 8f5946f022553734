/* The model table: handles over the engine's models, with write rules and meters. */
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"
#include "model_head.h"

/* ---- handles ---- */

static void forget_model(void *model)
{
    struct lethe_model *m = model;
    free(m->x);
    m->x = NULL;
}

static void drop_model(void *m)
{
    model_free(m);
}

struct lethe_model *host_wrap_model(struct host_ctx *c, struct model *m, bool writable)
{
    struct lethe_model *w = arena_alloc(c->arena, sizeof(*w));
    if (!w || arena_cleanup(c->arena, forget_model, w) < 0)
        return NULL;
    w->m = m;
    w->writable = writable;
    w->keeps = c->host->plugin->kind == LETHE_KIND_EXAMPLE_ATTACK;
    return w;
}

/* Wraps a model that ends with the call; takes m. */
static lethe_status give_model(struct host_ctx *c, struct model *m, lethe_model **out)
{
    if (arena_cleanup(c->arena, drop_model, m) < 0)
        return host_nomem(c);
    struct lethe_model *w = host_wrap_model(c, m, true);
    if (!w)
        return host_nomem(c);
    *out = w;
    return LETHE_OK;
}

static lethe_status need_writable(struct host_ctx *c, const lethe_model *m, const char *what)
{
    if (m->writable)
        return LETHE_OK;
    return host_fail(c, ERR_DENIED, "%s: this model must not be written; clone it first", what);
}

static lethe_status model_clone_slot(lethe_ctx *ctx, const lethe_model *m, lethe_model **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    struct model *copy = NULL;
    if (model_new(m->m->arch, &copy, &err) < 0)
        return host_pass_on(c, &err);
    model_copy(copy, m->m);
    return give_model(c, copy, out);
}

static lethe_status model_fresh_slot(lethe_ctx *ctx, const lethe_model *like, const char *name,
                                     lethe_model **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    struct model *m = NULL;
    struct rng r;
    if (host_stream(c->host, name ? name : "fresh", 0, &r) < 0)
        return host_fail(c, ERR_INVALID, "fresh: the name of the stream is too long");
    if (model_new(like->m->arch, &m, &err) < 0)
        return host_pass_on(c, &err);
    model_init(m, r.key, "init");
    return give_model(c, m, out);
}

static lethe_status model_copy_slot(lethe_ctx *ctx, lethe_model *dst, const lethe_model *src)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = need_writable(c, dst, "copy");
    if (status < 0)
        return status;
    if (dst->m->n_param != src->m->n_param || dst->m->n_stat != src->m->n_stat)
        return host_fail(c, ERR_INVALID, "copy: the models' architectures differ");
    if (dst->m != src->m)
        model_copy(dst->m, src->m);
    return LETHE_OK;
}

/* ---- heads ---- */

static void drop_arch(void *arch)
{
    arch_free(arch);
}

static lethe_status model_expand(lethe_ctx *ctx, const lethe_model *m, uint32_t extra,
                                 const char *name, lethe_model **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    struct arch *arch = NULL;
    struct model *wide = NULL;
    struct rng r;
    if (host_stream(c->host, name ? name : "expand", 0, &r) < 0)
        return host_fail(c, ERR_INVALID, "expand: the name of the stream is too long");
    if (model_expand_head(m->m, extra, r.key, &arch, &wide, &err) < 0)
        return host_pass_on(c, &err);
    if (arena_cleanup(c->arena, drop_arch, arch) < 0) {
        model_free(wide);
        return host_nomem(c);
    }
    return give_model(c, wide, out);
}

static lethe_status model_prune(lethe_ctx *ctx, lethe_model *dst, const lethe_model *expanded)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    lethe_status status = need_writable(c, dst, "prune");
    if (status == LETHE_OK && model_prune_head(dst->m, expanded->m, &err) < 0)
        return host_pass_on(c, &err);
    return status;
}

/* ---- tensors and layers ---- */

static uint32_t model_n_classes(lethe_ctx *ctx, const lethe_model *m)
{
    host_ctx_of(ctx);
    return m->m->arch->classes;
}

static uint32_t model_n_tensors(lethe_ctx *ctx, const lethe_model *m)
{
    host_ctx_of(ctx);
    return (uint32_t)m->m->n_tensors;
}

static uint32_t tensor_flags(uint32_t flags)
{
    return (flags & TENSOR_STATISTIC ? LETHE_TENSOR_STATISTIC : LETHE_TENSOR_TRAINABLE) |
           (flags & TENSOR_BIAS ? LETHE_TENSOR_BIAS : 0) |
           (flags & TENSOR_NORM ? LETHE_TENSOR_NORM : 0);
}

/* Weights of a model that must not be written lie on read-only pages: reading them is fine. */
static lethe_status model_tensor(lethe_ctx *ctx, lethe_model *m, uint32_t index, lethe_tensor *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    if (index >= m->m->n_tensors)
        return host_fail(c, ERR_INVALID, "tensor %u of %zu", index, m->m->n_tensors);
    if (out->struct_size < LETHE_SIZE_THROUGH(lethe_tensor, g))
        return host_fail(c, ERR_INVALID, "lethe_tensor.struct_size is %u; set it with sizeof",
                         out->struct_size);
    const struct tensor_info *t = &m->m->tensor[index];
    bool statistic = t->flags & TENSOR_STATISTIC,
         weights = host_granted(c->host, LETHE_CAP_WEIGHTS);
    bool gradients = host_granted(c->host, LETHE_CAP_GRADIENTS) && m->writable && !statistic;
    out->flags = tensor_flags(t->flags);
    out->name = t->name;
    out->shape = (lethe_shape){.n_dim = t->n_dim};
    for (uint32_t d = 0; d < t->n_dim; d++)
        out->shape.dim[d] = (int64_t)t->dim[d];
    out->n = t->n;
    out->w = weights ? (statistic ? m->m->stat : m->m->param) + t->offset : NULL;
    out->g = gradients ? m->m->grad + t->offset : NULL;
    return LETHE_OK;
}

static uint32_t model_n_layers(lethe_ctx *ctx, const lethe_model *m)
{
    host_ctx_of(ctx);
    return (uint32_t)m->m->n_layers;
}

static bool is_among(const struct arch_layer *layer, const struct arch_layer *list, uint32_t n)
{
    return n > 0 && layer >= list && layer < list + n;
}

/* Residual blocks are listed before what they hold. */
static void layer_parent(const struct model *m, uint32_t index, lethe_layer *out)
{
    const struct arch_layer *layer = m->layer[index];
    out->parent = out->branch = 0;
    for (uint32_t i = 0; i < index && out->parent == 0; i++) {
        const struct arch_layer *r = m->layer[i];
        out->branch = is_among(layer, r->shortcut, r->n_shortcut);
        if (out->branch || is_among(layer, r->body, r->n_body))
            out->parent = i + 1;
    }
}

/* Batch-norm's epsilon is PyTorch's default, the engine knows no other. */
static void layer_geometry(const struct arch_layer *layer, lethe_layer *out)
{
    bool window =
        layer->kind == LAYER_CONV || layer->kind == LAYER_MAXPOOL || layer->kind == LAYER_AVGPOOL;
    memcpy(out->in, layer->in, sizeof(out->in));
    memcpy(out->out, layer->out, sizeof(out->out));
    out->kernel = window ? layer->kernel : 0;
    out->stride = window ? layer->stride : 0;
    out->pad = window ? layer->pad : 0;
    out->halve = layer->kind == LAYER_RESIDUAL && layer->halve;
    out->scale = layer->kind == LAYER_ELU ? layer->p : layer->kind == LAYER_BATCHNORM ? 1e-5 : 0;
    for (uint32_t c = 0; layer->kind == LAYER_NORMALIZE && c < layer->in[0]; c++)
        if (1 / (double)layer->std[c] > out->scale)
            out->scale = 1 / (double)layer->std[c];
}

static lethe_status model_layer(lethe_ctx *ctx, const lethe_model *m, uint32_t index,
                                lethe_layer *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    if (index >= m->m->n_layers)
        return host_fail(c, ERR_INVALID, "layer %u of %zu", index, m->m->n_layers);
    if (out->struct_size < LETHE_SIZE_THROUGH(lethe_layer, kind))
        return host_fail(c, ERR_INVALID, "lethe_layer.struct_size is %u; set it with sizeof",
                         out->struct_size);
    const struct arch_layer *layer = m->m->layer[index];
    out->first_tensor = m->m->layer_first_tensor[index];
    out->n_tensors = m->m->layer_n_tensors[index];
    out->reserved = 0;
    out->name = layer->name;
    out->kind = layer_kind_name(layer->kind);
    if (LETHE_HAS(lethe_layer, out, scale)) {
        layer_geometry(layer, out);
        layer_parent(m->m, index, out);
    }
    return LETHE_OK;
}

/* ---- passes ---- */

static lethe_status check_input(struct host_ctx *c, const lethe_model *m, const lethe_batch *b)
{
    const uint32_t *in = m->m->arch->input;
    const int64_t *dim = b->input.dim;
    if (b->input.n_dim != 3 || dim[0] != in[0] || dim[1] != in[1] || dim[2] != in[2] || !b->x)
        return host_fail(c, ERR_INVALID,
                         "forward: the model takes samples of %ux%ux%u, the batch has other ones",
                         in[0], in[1], in[2]);
    return LETHE_OK;
}

static lethe_status model_forward(lethe_ctx *ctx, const lethe_model *m, const lethe_batch *batch,
                                  int32_t mode, float *logits)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    static const enum net_mode modes[] = {
        [LETHE_EVAL] = NET_EVAL, [LETHE_TRAIN] = NET_TRAIN, [LETHE_BN_FROZEN] = NET_FROZEN};
    if (mode < LETHE_EVAL || mode > LETHE_BN_FROZEN)
        return host_fail(c, ERR_INVALID,
                         "forward: mode %d is none of LETHE_EVAL, _TRAIN, _BN_FROZEN", (int)mode);
    lethe_status status = mode == LETHE_EVAL ? LETHE_OK : need_writable(c, m, "forward");
    if (status == LETHE_OK && batch->n > 0)
        status = check_input(c, m, batch);
    if (status < 0 || batch->n == 0)
        return status;
    if (host_afford_samples(c->host, "forward", batch->n, &err) < 0)
        return host_pass_on(c, &err);
    /* The handle notes what the pass leaves for a gradient; the model itself stays as it is. */
    if (host_forward(c->host, (struct lethe_model *)m, batch->x, batch->n, modes[mode], logits,
                     &err) < 0)
        return host_pass_on(c, &err);
    c->host->meters.forward += batch->n;
    return LETHE_OK;
}

static lethe_status gradient(struct host_ctx *c, lethe_model *m, const float *dlogits,
                             bool param_grads, float *dx)
{
    struct error err = ERROR_INIT;
    if (!host_granted(c->host, LETHE_CAP_GRADIENTS))
        return host_fail(c, ERR_DENIED,
                         "gradients were not declared; add LETHE_CAP_GRADIENTS to `needs`");
    if (!dlogits || (!param_grads && !dx))
        return host_fail(c, ERR_INVALID, "dlogits or dx is NULL");
    if (host_afford_samples(c->host, "backward", m->n, &err) < 0 ||
        host_backward(c->host, m, dlogits, param_grads, dx, &err) < 0)
        return host_pass_on(c, &err);
    c->host->meters.backward += m->n;
    return LETHE_OK;
}

static lethe_status model_backward(lethe_ctx *ctx, lethe_model *m, const float *dlogits, float *dx)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = need_writable(c, m, "backward");
    return status < 0 ? status : gradient(c, m, dlogits, true, dx);
}

static lethe_status model_input_gradient(lethe_ctx *ctx, const lethe_model *m, const float *dlogits,
                                         float *dx)
{
    return gradient(host_ctx_of(ctx), (lethe_model *)m, dlogits, false, dx);
}

static lethe_status model_zero_grad(lethe_ctx *ctx, lethe_model *m)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = need_writable(c, m, "zero_grad");
    if (status == LETHE_OK)
        memset(m->m->grad, 0, m->m->n_param * sizeof(*m->m->grad));
    return status;
}

enum { PREDICT_BATCH = 128 };

static int predict(struct host_ctx *c, const lethe_model *m, const lethe_view *v, float *x,
                   float *logits, struct error *err)
{
    uint32_t rows[PREDICT_BATCH], classes = m->m->arch->classes;
    int32_t y[PREDICT_BATCH];
    uint64_t id[PREDICT_BATCH];
    for (uint32_t at = 0; at < v->n;) {
        uint32_t n = v->n - at < PREDICT_BATCH ? v->n - at : PREDICT_BATCH;
        for (uint32_t i = 0; i < n; i++)
            rows[i] = at + i;
        if (host_cancelled())
            return error_set(err, ERR_CANCELLED, "told to stop");
        TRY(host_afford_samples(c->host, "predict", n, err));
        TRY(host_load(c, v->now, rows, n, 0, false, x, y, id, err));
        TRY(host_infer(c->host, m->m, x, n, logits + (size_t)at * classes, err));
        c->host->meters.forward += n;
        at += n;
    }
    return 0;
}

static lethe_status model_predict(lethe_ctx *ctx, const lethe_model *m, const lethe_view *v,
                                  float *logits)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    const uint32_t *in = m->m->arch->input, *have = c->host->shape;
    size_t bytes = PREDICT_BATCH * host_pixels(c->host) * sizeof(float);
    lethe_status status = host_need_view(c, v, "predict");
    if (status < 0)
        return status;
    if (memcmp(in, have, 3 * sizeof(*in)) != 0)
        return host_fail(c, ERR_INVALID, "predict: the model takes samples of another shape");
    float *x = host_take(c, bytes);
    if (!x)
        return host_nomem(c);
    int rc = predict(c, m, v, x, logits, &err);
    host_give(c, x, bytes);
    return rc < 0 ? host_pass_on(c, &err) : LETHE_OK;
}

const lethe_model_api host_model_table = {
    .struct_size = sizeof(lethe_model_api),
    .clone = model_clone_slot,
    .fresh = model_fresh_slot,
    .copy = model_copy_slot,
    .n_classes = model_n_classes,
    .n_tensors = model_n_tensors,
    .tensor = model_tensor,
    .n_layers = model_n_layers,
    .layer = model_layer,
    .forward = model_forward,
    .backward = model_backward,
    .input_gradient = model_input_gradient,
    .zero_grad = model_zero_grad,
    .predict = model_predict,
    .expand = model_expand,
    .prune = model_prune,
};
