/* model.c: the parameters of an architecture as named tensors in one block. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "text.h"

enum { BLOCK_ALIGN = 64 };

/* Zeroed floats, 64-byte aligned, never a null block. */
static float *block_new(size_t n)
{
    size_t bytes = (n * sizeof(float) + BLOCK_ALIGN) / BLOCK_ALIGN * BLOCK_ALIGN;
    float *block = aligned_alloc(BLOCK_ALIGN, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

/* Counts, or (with m->layer there) records, the layers in order. */
static void list_layers(struct model *m, const struct arch_layer *layer, uint32_t n, size_t *at)
{
    for (uint32_t i = 0; i < n; i++) {
        if (m->layer)
            m->layer[*at] = &layer[i];
        ++*at;
        list_layers(m, layer[i].body, layer[i].n_body, at);
        list_layers(m, layer[i].shortcut, layer[i].n_shortcut, at);
    }
}

struct tensor_form {
    const char *suffix;
    uint32_t n_dim;
    size_t dim[4];
    uint32_t flags;
};

/* The tensors of one layer in state_dict order; at most four. */
static size_t layer_tensors(const struct arch_layer *l, struct tensor_form f[4])
{
    size_t out = l->out[0], in = l->in[0], k = l->kernel, n = 0;
    if (l->kind == LAYER_CONV)
        f[n++] = (struct tensor_form){"weight", 4, {out, in, k, k}, 0};
    if (l->kind == LAYER_LINEAR)
        f[n++] = (struct tensor_form){"weight", 2, {out, in}, 0};
    if (n && l->bias)
        f[n++] = (struct tensor_form){"bias", 1, {out}, TENSOR_BIAS};
    if (l->kind != LAYER_BATCHNORM)
        return n;
    f[0] = (struct tensor_form){"weight", 1, {out}, TENSOR_NORM};
    f[1] = (struct tensor_form){"bias", 1, {out}, TENSOR_NORM | TENSOR_BIAS};
    f[2] = (struct tensor_form){"running_mean", 1, {out}, TENSOR_NORM | TENSOR_STATISTIC};
    f[3] = (struct tensor_form){"running_var", 1, {out}, TENSOR_NORM | TENSOR_STATISTIC};
    return 4;
}

static int add_tensor(struct model *m, uint32_t layer, const struct tensor_form *form)
{
    struct tensor_info *t = &m->tensor[m->n_tensors++];
    size_t *total = form->flags & TENSOR_STATISTIC ? &m->n_stat : &m->n_param;
    t->n_dim = form->n_dim;
    memcpy(t->dim, form->dim, sizeof(t->dim));
    t->n = 1;
    for (uint32_t d = 0; d < t->n_dim; d++)
        t->n *= t->dim[d];
    t->offset = *total;
    *total += t->n;
    t->flags = form->flags;
    t->layer = layer;
    t->name = text_format("%s.%s", m->layer[layer]->name, form->suffix);
    return t->name ? 0 : -1;
}

static int add_tensors(struct model *m)
{
    for (uint32_t i = 0; i < m->n_layers; i++) {
        struct tensor_form form[4];
        m->layer_first_tensor[i] = (uint32_t)m->n_tensors;
        m->layer_n_tensors[i] = (uint32_t)layer_tensors(m->layer[i], form);
        for (uint32_t j = 0; j < m->layer_n_tensors[i]; j++)
            if (add_tensor(m, i, &form[j]) < 0)
                return -1;
    }
    return 0;
}

static void reset_variances(struct model *m)
{
    for (size_t i = 0; i < m->n_tensors; i++)
        if (text_ends(m->tensor[i].name, ".running_var"))
            for (size_t j = 0; j < m->tensor[i].n; j++)
                m->stat[m->tensor[i].offset + j] = 1;
}

static int model_fill(struct model *m, const struct arch *arch)
{
    size_t n = 0, again = 0;
    m->arch = arch;
    list_layers(m, arch->layer, arch->n_layers, &n);
    m->n_layers = n;
    m->layer = calloc(n, sizeof(*m->layer));
    m->layer_first_tensor = calloc(n, sizeof(*m->layer_first_tensor));
    m->layer_n_tensors = calloc(n, sizeof(*m->layer_n_tensors));
    m->tensor = calloc(4 * n, sizeof(*m->tensor));
    if (!m->layer || !m->layer_first_tensor || !m->layer_n_tensors || !m->tensor)
        return -1;
    list_layers(m, arch->layer, arch->n_layers, &again);
    if (add_tensors(m) < 0)
        return -1;
    m->param = block_new(m->n_param);
    m->grad = block_new(m->n_param);
    m->stat = block_new(m->n_stat);
    if (!m->param || !m->grad || !m->stat)
        return -1;
    reset_variances(m);
    return 0;
}

int model_new(const struct arch *arch, struct model **ret, struct error *err)
{
    struct model *m = calloc(1, sizeof(*m));
    if (!m || model_fill(m, arch) < 0) {
        model_free(m);
        return error_nomem(err);
    }
    *ret = m;
    return 0;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_tensors; i++)
        free((char *)m->tensor[i].name);
    free(m->tensor);
    free(m->layer);
    free(m->layer_first_tensor);
    free(m->layer_n_tensors);
    free(m->param);
    free(m->grad);
    free(m->stat);
    free(m);
}

void model_copy(struct model *dst, const struct model *src)
{
    memcpy(dst->param, src->param, src->n_param * sizeof(float));
    memcpy(dst->stat, src->stat, src->n_stat * sizeof(float));
}

int model_clone(const struct model *m, struct model **ret, struct error *err)
{
    TRY(model_new(m->arch, ret, err));
    model_copy(*ret, m);
    return 0;
}

/* U(+-bound) from the tensor's own stream. */
static void init_uniform(const struct model *m, const struct tensor_info *t, size_t fan_in,
                         uint64_t seed, const char *purpose)
{
    struct rng r;
    char stream[256];
    snprintf(stream, sizeof(stream), "%s/%s", purpose, t->name);
    rng_stream(&r, seed, stream, 0);
    float bound = (float)(1 / sqrt((double)fan_in));
    for (size_t i = 0; i < t->n; i++)
        m->param[t->offset + i] = (2 * rng_uniform(&r) - 1) * bound;
}

static void init_constant(float *to, size_t n, float v)
{
    for (size_t i = 0; i < n; i++)
        to[i] = v;
}

void model_init(struct model *m, uint64_t seed, const char *purpose)
{
    memset(m->stat, 0, m->n_stat * sizeof(float));
    reset_variances(m);
    memset(m->grad, 0, m->n_param * sizeof(float));
    for (size_t i = 0; i < m->n_tensors; i++) {
        const struct tensor_info *t = &m->tensor[i];
        const struct arch_layer *l = m->layer[t->layer];
        size_t window = l->kind == LAYER_CONV ? (size_t)l->kernel * l->kernel : 1;
        if (t->flags & TENSOR_STATISTIC)
            continue;
        if (t->flags & TENSOR_NORM)
            init_constant(m->param + t->offset, t->n, t->flags & TENSOR_BIAS ? 0 : 1);
        else
            init_uniform(m, t, l->in[0] * window, seed, purpose);
    }
}

static bool block_is_finite(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

bool model_is_finite(const struct model *m)
{
    return block_is_finite(m->param, m->n_param) && block_is_finite(m->stat, m->n_stat);
}
