/* arch_layers.c: layer lists and the shapes of single layers. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch_internal.h"

static const char *const kind_names[] = {
    [LAYER_CONV] = "conv",
    [LAYER_LINEAR] = "linear",
    [LAYER_BATCHNORM] = "batchnorm",
    [LAYER_RELU] = "relu",
    [LAYER_ELU] = "elu",
    [LAYER_MAXPOOL] = "maxpool",
    [LAYER_AVGPOOL] = "avgpool",
    [LAYER_GLOBALAVGPOOL] = "globalavgpool",
    [LAYER_FLATTEN] = "flatten",
    [LAYER_DROPOUT] = "dropout",
    [LAYER_NORMALIZE] = "normalize",
    [LAYER_RESIDUAL] = "residual",
};

const char *layer_kind_name(enum layer_kind kind)
{
    size_t n = sizeof(kind_names) / sizeof(*kind_names);
    return (size_t)kind < n && kind_names[kind] ? kind_names[kind] : "unknown";
}

void arch_layer_release(struct arch_layer *layer)
{
    free(layer->name);
    free(layer->mean);
    free(layer->std);
    arch_layers_free(layer->body, layer->n_body);
    arch_layers_free(layer->shortcut, layer->n_shortcut);
}

void arch_layers_free(struct arch_layer *layer, uint32_t n)
{
    for (uint32_t i = 0; layer && i < n; i++)
        arch_layer_release(&layer[i]);
    free(layer);
}

void arch_free(struct arch *a)
{
    if (!a)
        return;
    arch_layers_free(a->layer, a->n_layers);
    free(a);
}

int layer_list_add(struct layer_list *list, struct arch_layer *layer, struct error *err)
{
    if (list->n == ARCH_MAX_LAYERS) {
        arch_layer_release(layer);
        return error_set(err, ERR_INVALID, "more than %d layers in one list", ARCH_MAX_LAYERS);
    }
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? 2 * list->cap : 16;
        struct arch_layer *grown = realloc(list->layer, cap * sizeof(*grown));
        if (!grown) {
            arch_layer_release(layer);
            return error_nomem(err);
        }
        list->layer = grown;
        list->cap = cap;
    }
    list->layer[list->n++] = *layer;
    return 0;
}

int arch_layer_error(const struct arch_layer *layer, const char *position, struct error *err,
                     const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool unnamed = !layer->name || strcmp(layer->name, position) == 0;
    return error_set(err, ERR_INVALID, "layer %s (%s): %s", position,
                     unnamed ? layer_kind_name(layer->kind) : layer->name, text);
}

static int window_shape(struct arch_layer *l, const char *position, struct error *err)
{
    bool conv = l->kind == LAYER_CONV;
    if (!conv && l->pad > l->kernel / 2)
        return arch_layer_error(l, position, err,
                                "padding %u is more than half of the kernel %ux%u", l->pad,
                                l->kernel, l->kernel);
    for (int d = 1; d < 3; d++) {
        if (l->in[d] + 2 * l->pad < l->kernel)
            return arch_layer_error(l, position, err,
                                    "kernel %ux%u does not fit into input %ux%ux%u with padding %u",
                                    l->kernel, l->kernel, l->in[0], l->in[1], l->in[2], l->pad);
        l->out[d] = (l->in[d] + 2 * l->pad - l->kernel) / l->stride + 1;
    }
    if (!conv)
        l->out[0] = l->in[0];
    return 0;
}

static int linear_shape(struct arch_layer *l, const char *position, struct error *err)
{
    if (l->in[1] != 1 || l->in[2] != 1)
        return arch_layer_error(l, position, err,
                                "input %ux%ux%u is not flat; put flatten before it", l->in[0],
                                l->in[1], l->in[2]);
    l->out[1] = l->out[2] = 1;
    return 0;
}

static int same_shape(struct arch_layer *l, const char *position, struct error *err)
{
    memcpy(l->out, l->in, sizeof(l->out));
    return 0;
}

static int pooled_shape(struct arch_layer *l, const char *position, struct error *err)
{
    l->out[0] = l->in[0];
    l->out[1] = l->out[2] = 1;
    return 0;
}

static int flat_shape(struct arch_layer *l, const char *position, struct error *err)
{
    l->out[0] = l->in[0] * l->in[1] * l->in[2];
    l->out[1] = l->out[2] = 1;
    return 0;
}

static int residual_shape(struct arch_layer *l, const char *position, struct error *err)
{
    const uint32_t *body = l->body[l->n_body - 1].out;
    const uint32_t *shortcut = l->n_shortcut ? l->shortcut[l->n_shortcut - 1].out : l->in;
    if (memcmp(body, shortcut, sizeof(l->out)) != 0)
        return arch_layer_error(l, position, err, "body gives %ux%ux%u but the %s gives %ux%ux%u",
                                body[0], body[1], body[2],
                                l->n_shortcut ? "shortcut" : "identity shortcut", shortcut[0],
                                shortcut[1], shortcut[2]);
    memcpy(l->out, body, sizeof(l->out));
    return 0;
}

static int (*const shape_of[])(struct arch_layer *, const char *, struct error *) = {
    [LAYER_CONV] = window_shape,    [LAYER_LINEAR] = linear_shape,
    [LAYER_BATCHNORM] = same_shape, [LAYER_RELU] = same_shape,
    [LAYER_ELU] = same_shape,       [LAYER_MAXPOOL] = window_shape,
    [LAYER_AVGPOOL] = window_shape, [LAYER_GLOBALAVGPOOL] = pooled_shape,
    [LAYER_FLATTEN] = flat_shape,   [LAYER_DROPOUT] = same_shape,
    [LAYER_NORMALIZE] = same_shape, [LAYER_RESIDUAL] = residual_shape,
};

int arch_layer_shape(struct arch_layer *layer, const uint32_t in[3], const char *position,
                     struct error *err)
{
    memcpy(layer->in, in, sizeof(layer->in));
    TRY(shape_of[layer->kind](layer, position, err));
    uint64_t n = (uint64_t)layer->out[0] * layer->out[1] * layer->out[2];
    if (n > (UINT64_C(1) << 26))
        return arch_layer_error(layer, position, err, "output %ux%ux%u is too large", layer->out[0],
                                layer->out[1], layer->out[2]);
    return 0;
}
