/* net_build.c: the architecture's layers as operations over values. */
#include <stdlib.h>
#include <string.h>

#include "tiling.h"

/* Room for one more element; NULL (and net->failed) when memory runs out. */
static void *grow(struct net *net, void *array, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    uint32_t bigger = *cap ? 2 * *cap : 32;
    void *grown = realloc(array, bigger * size);
    if (!grown) {
        net->failed = true;
        return NULL;
    }
    *cap = bigger;
    return grown;
}

static uint32_t add_value(struct net *net, const uint32_t shape[3])
{
    struct value *grown = grow(net, net->value, net->n_values, &net->cap_values, sizeof(*grown));
    if (!grown)
        return 0;
    net->value = grown;
    struct value *v = &net->value[net->n_values];
    *v = (struct value){.root = net->n_values, .act = NO_SPAN, .grad = NO_SPAN, .again = NO_SPAN};
    memcpy(v->shape, shape, sizeof(v->shape));
    v->size = (size_t)shape[0] * shape[1] * shape[2];
    return net->n_values++;
}

/* Appends an operation from value `in`; returns the value it makes. */
static uint32_t add_op(struct net *net, const struct op *form, const uint32_t shape[3])
{
    uint32_t out = add_value(net, shape);
    struct op *grown = grow(net, net->op, net->n_ops, &net->cap_ops, sizeof(*grown));
    if (!grown || net->failed)
        return 0;
    net->op = grown;
    struct op *op = &net->op[net->n_ops++];
    *op = *form;
    op->out = out;
    op->extra[0] = op->extra[1] = NO_SPAN;
    for (size_t i = 0; i < sizeof(op->span) / sizeof(*op->span); i++)
        op->span[i] = NO_SPAN;
    net->value[out].trained = op->class->has_params;
    for (uint32_t i = 0; i < op->n_in; i++) {
        net->value[op->in[i]].n_consumers++;
        net->value[out].trained |= net->value[op->in[i]].trained;
    }
    return out;
}

static bool is_halving(const struct arch_layer *l)
{
    return l->kind == LAYER_MAXPOOL && l->kernel == 2 && l->stride == 2 && l->pad == 0 &&
           l->in[1] % 2 == 0 && l->in[2] % 2 == 0;
}

/* The max pooling that chooses among this convolution's outputs, if its input may have even
 * regions; else NULL. There many outputs are equal, and the first wins, as in PyTorch. Winograd's
 * rounding depends on the place in the tile and would break such ties at random: input gradients
 * then differ by percents from PyTorch's (measured on Fashion-MNIST). Deep layers, whose inputs
 * are no longer even, need no care. */
static const struct arch_layer *choosing_pool(const struct arch_layer *l, uint32_t n)
{
    enum { EVEN_INPUT_CHANNELS = 64 };
    uint32_t i = 1;
    while (i < n && (l[i].kind == LAYER_BATCHNORM || l[i].kind == LAYER_RELU))
        i++;
    bool chosen = l->in[0] <= EVEN_INPUT_CHANNELS && i < n && l[i].kind == LAYER_MAXPOOL;
    return chosen ? &l[i] : NULL;
}

/* F(2x2, 3x3) has 1 among its points: along an axis on which its 4x4 inputs do not change, all
 * transformed numbers but one are exactly zero, and the two outputs are equal to the bit. Those
 * 2x2 outputs are just what one window of a halving pool sees. */
static bool feeds_halving(const struct arch_layer *l, uint32_t n)
{
    const struct arch_layer *pool = choosing_pool(l, n);
    return pool && is_halving(pool);
}

/* For other pools only the direct kernel will do: it computes equal windows to equal bits. */
static bool feeds_other_pool(const struct arch_layer *l, uint32_t n)
{
    const struct arch_layer *pool = choosing_pool(l, n);
    return pool && !is_halving(pool);
}

/* For the first of n layers. */
static const struct op_class *class_of(const struct net *net, const struct arch_layer *l,
                                       uint32_t n)
{
    static const struct op_class *const classes[] = {
        [LAYER_CONV] = &op_conv,
        [LAYER_LINEAR] = &op_linear,
        [LAYER_BATCHNORM] = &op_affine,
        [LAYER_RELU] = &op_relu,
        [LAYER_ELU] = &op_elu,
        [LAYER_MAXPOOL] = &op_maxpool,
        [LAYER_AVGPOOL] = &op_avgpool,
        [LAYER_GLOBALAVGPOOL] = &op_avgpool,
        [LAYER_FLATTEN] = &op_flatten,
        [LAYER_DROPOUT] = &op_dropout,
        [LAYER_NORMALIZE] = &op_normalize,
    };
    /* One pixel or one channel: C,H,W order is H,W,C order. */
    if (l->kind == LAYER_FLATTEN && (l->in[0] == 1 || l->in[1] * l->in[2] == 1))
        return &op_view;
    bool tiles = l->kind == LAYER_LINEAR || (l->kind == LAYER_CONV && !feeds_other_pool(l, n));
    if (tiles && tiling_serves(net->k, l))
        return &op_tiles;
    if (l->kind == LAYER_CONV && conv_by_columns(net->k, l))
        return &op_columns;
    return classes[l->kind];
}

/* How many of the n layers from `l` on are one affine map: batch-norm, ReLU, 2x2 pooling, each
 * optional, worth it when two of them meet. */
static uint32_t affine_length(const struct arch_layer *l, uint32_t n)
{
    uint32_t length = l[0].kind == LAYER_BATCHNORM;
    bool bn = length > 0;
    if (length < n && l[length].kind == LAYER_RELU)
        length++;
    if (length < n && is_halving(&l[length]))
        return length + 1;
    return bn ? length : 0;
}

static uint32_t build_list(struct net *net, const struct arch_layer *layer, uint32_t n, uint32_t in,
                           uint32_t *model_layer);

/* A body that ends in batch-norm: the sum, and the ReLU behind it, join that map. */
static uint32_t build_join(struct net *net, const struct arch_layer *l, bool relu, uint32_t in,
                           uint32_t *model_layer)
{
    uint32_t body = build_list(net, l->body, l->n_body - 1, in, model_layer);
    uint32_t at = (*model_layer)++;
    uint32_t side = build_list(net, l->shortcut, l->n_shortcut, in, model_layer);
    struct op op = {.class = &op_join,
                    .layer = &l->body[l->n_body - 1],
                    .model_layer = at,
                    .n_in = 2,
                    .in = {body, side},
                    .relu = relu,
                    .halve = l->halve};
    return add_op(net, &op, l->out);
}

static uint32_t build_residual(struct net *net, const struct arch_layer *l, uint32_t in,
                               uint32_t *model_layer)
{
    uint32_t body = build_list(net, l->body, l->n_body, in, model_layer);
    uint32_t side = build_list(net, l->shortcut, l->n_shortcut, in, model_layer);
    struct op op = {.class = &op_sum, .layer = l, .n_in = 2, .in = {body, side}};
    return add_op(net, &op, l->out);
}

static uint32_t build_affine(struct net *net, const struct arch_layer *l, uint32_t length,
                             uint32_t in, uint32_t first_layer)
{
    struct op op = {
        .class = &op_affine, .layer = l, .model_layer = first_layer, .n_in = 1, .in = {in, 0}};
    for (uint32_t i = 0; i < length; i++) {
        op.relu |= l[i].kind == LAYER_RELU;
        op.pool |= l[i].kind == LAYER_MAXPOOL;
    }
    return add_op(net, &op, l[length - 1].out);
}

static uint32_t build_list(struct net *net, const struct arch_layer *layer, uint32_t n, uint32_t in,
                           uint32_t *model_layer)
{
    for (uint32_t i = 0; i < n && !net->failed; i++) {
        const struct arch_layer *l = &layer[i];
        uint32_t at = *model_layer, length = affine_length(l, n - i);
        *model_layer += length ? length : 1;
        if (length) {
            in = build_affine(net, l, length, in, at);
            i += length - 1;
        } else if (l->kind == LAYER_RESIDUAL && l->body[l->n_body - 1].kind == LAYER_BATCHNORM) {
            bool relu = i + 1 < n && l[1].kind == LAYER_RELU;
            in = build_join(net, l, relu, in, model_layer);
            i += relu;
            *model_layer += relu;
        } else if (l->kind == LAYER_RESIDUAL) {
            in = build_residual(net, l, in, model_layer);
        } else {
            struct op op = {.class = class_of(net, l, n - i),
                            .layer = l,
                            .model_layer = at,
                            .n_in = 1,
                            .in = {in, 0},
                            .ties = l->kind == LAYER_CONV && feeds_halving(l, n - i)};
            in = add_op(net, &op, l->out);
        }
    }
    return in;
}

void net_build(struct net *net)
{
    uint32_t model_layer = 0;
    uint32_t in = add_value(net, net->arch->input);
    if (!net->failed)
        build_list(net, net->arch->layer, net->arch->n_layers, in, &model_layer);
}
