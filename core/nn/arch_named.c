/* arch_named.c: the architectures with a name, as layer lists. Module names are
 * those of the usual PyTorch sources, so that their state dicts load. */
#include <stdio.h>
#include <string.h>

#include "arch_internal.h"
#include "text.h"

/* Appends a layer named `name` behind the last one. */
static int put(struct arch_builder *b, const char *name, struct arch_layer layer, struct error *err)
{
    const uint32_t *in = b->list.n ? b->list.layer[b->list.n - 1].out : b->input;
    char position[16];
    snprintf(position, sizeof(position), "%u", b->list.n);
    layer.name = text_dup(name);
    int rc = layer.name ? arch_layer_shape(&layer, in, position, err) : error_nomem(err);
    if (rc < 0) {
        arch_layer_release(&layer);
        return rc;
    }
    return layer_list_add(&b->list, &layer, err);
}

/* As put, with prefix and name joined by a dot. */
static int put_in(struct arch_builder *b, const char *prefix, const char *name,
                  struct arch_layer layer, struct error *err)
{
    char full[64];
    snprintf(full, sizeof(full), "%s.%s", prefix, name);
    return put(b, full, layer, err);
}

static struct arch_layer conv(uint32_t out, uint32_t kernel, uint32_t stride, uint32_t pad,
                              bool bias)
{
    return (struct arch_layer){.kind = LAYER_CONV,
                               .out = {out, 0, 0},
                               .kernel = kernel,
                               .stride = stride,
                               .pad = pad,
                               .bias = bias};
}

static struct arch_layer linear(uint32_t out)
{
    return (struct arch_layer){.kind = LAYER_LINEAR, .out = {out, 0, 0}, .bias = true};
}

static struct arch_layer plain(enum layer_kind kind)
{
    return (struct arch_layer){.kind = kind};
}

static struct arch_layer maxpool2(void)
{
    return (struct arch_layer){.kind = LAYER_MAXPOOL, .kernel = 2, .stride = 2};
}

static int build_mlp(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                     struct error *err)
{
    TRY(put(b, "flatten", plain(LAYER_FLATTEN), err));
    TRY(put(b, "fc1", linear(o->width), err));
    TRY(put(b, "relu1", plain(LAYER_RELU), err));
    TRY(put(b, "fc2", linear(o->width / 2), err));
    TRY(put(b, "relu2", plain(LAYER_RELU), err));
    return put(b, "fc3", linear(classes), err);
}

/* LeCun et al. 1998 as PyTorch users write it: ReLU and max pooling. 28x28 images are padded to
 * the 32x32 of the paper by the first convolution. */
static int build_lenet5(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                        struct error *err)
{
    uint32_t pad = b->input[1] == 28 && b->input[2] == 28 ? 2 : 0;
    TRY(put(b, "conv1", conv(6, 5, 1, pad, true), err));
    TRY(put(b, "relu1", plain(LAYER_RELU), err));
    TRY(put(b, "pool1", maxpool2(), err));
    TRY(put(b, "conv2", conv(16, 5, 1, 0, true), err));
    TRY(put(b, "relu2", plain(LAYER_RELU), err));
    TRY(put(b, "pool2", maxpool2(), err));
    TRY(put(b, "flatten", plain(LAYER_FLATTEN), err));
    TRY(put(b, "fc1", linear(120), err));
    TRY(put(b, "relu3", plain(LAYER_RELU), err));
    TRY(put(b, "fc2", linear(84), err));
    TRY(put(b, "relu4", plain(LAYER_RELU), err));
    return put(b, "fc3", linear(classes), err);
}

static int cnn_stage(struct arch_builder *b, int stage, uint32_t out, bool bn, struct error *err)
{
    char name[4][16];
    static const char *const stems[] = {"conv", "bn", "relu", "pool"};
    for (int i = 0; i < 4; i++)
        snprintf(name[i], sizeof(name[i]), "%s%d", stems[i], stage);
    TRY(put(b, name[0], conv(out, 3, 1, 1, true), err));
    if (bn)
        TRY(put(b, name[1], plain(LAYER_BATCHNORM), err));
    TRY(put(b, name[2], plain(LAYER_RELU), err));
    return put(b, name[3], maxpool2(), err);
}

static int build_cnn(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                     struct error *err)
{
    TRY(cnn_stage(b, 1, o->width, o->bn, err));
    TRY(cnn_stage(b, 2, 2 * o->width, o->bn, err));
    TRY(put(b, "flatten", plain(LAYER_FLATTEN), err));
    TRY(put(b, "fc1", linear(4 * o->width), err));
    TRY(put(b, "relu3", plain(LAYER_RELU), err));
    return put(b, "fc2", linear(classes), err);
}

/* conv, bn and the activation if wanted; a convolution without batch-norm gets a bias. */
static int conv_bn(struct arch_builder *b, const char *prefix, const char *conv_name,
                   const char *bn_name, struct arch_layer layer, bool bn, struct error *err)
{
    layer.bias = !bn;
    TRY(put_in(b, prefix, conv_name, layer, err));
    return bn ? put_in(b, prefix, bn_name, plain(LAYER_BATCHNORM), err) : 0;
}

static int basic_block_parts(struct arch_builder *body, struct arch_builder *shortcut,
                             const char *prefix, uint32_t out, uint32_t stride, bool bn,
                             struct error *err)
{
    TRY(conv_bn(body, prefix, "conv1", "bn1", conv(out, 3, stride, 1, false), bn, err));
    TRY(put_in(body, prefix, "relu1", plain(LAYER_RELU), err));
    TRY(conv_bn(body, prefix, "conv2", "bn2", conv(out, 3, 1, 1, false), bn, err));
    if (stride == 1 && body->input[0] == out)
        return 0;
    return conv_bn(shortcut, prefix, "shortcut.0", "shortcut.1", conv(out, 1, stride, 0, false), bn,
                   err);
}

/* He et al. 2016, figure 5 left, with a projection where the shape changes. */
static int basic_block(struct arch_builder *b, const char *prefix, uint32_t out, uint32_t stride,
                       bool bn, struct error *err)
{
    const uint32_t *in = b->list.layer[b->list.n - 1].out;
    struct arch_builder body = {.input = in}, shortcut = {.input = in};
    int rc = basic_block_parts(&body, &shortcut, prefix, out, stride, bn, err);
    struct arch_layer block = {.kind = LAYER_RESIDUAL,
                               .body = body.list.layer,
                               .n_body = body.list.n,
                               .shortcut = shortcut.list.layer,
                               .n_shortcut = shortcut.list.n};
    if (rc < 0) {
        arch_layer_release(&block);
        return rc;
    }
    TRY(put(b, prefix, block, err));
    return put_in(b, prefix, "relu2", plain(LAYER_RELU), err);
}

/* ResNet-18 with the CIFAR stem (3x3, no pooling). */
static int build_resnet18(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                          struct error *err)
{
    struct arch_layer stem = conv(o->width, 3, 1, 1, !o->bn);
    TRY(put(b, "conv1", stem, err));
    if (o->bn)
        TRY(put(b, "bn1", plain(LAYER_BATCHNORM), err));
    TRY(put(b, "relu1", plain(LAYER_RELU), err));
    for (uint32_t stage = 0; stage < 4; stage++)
        for (uint32_t block = 0; block < 2; block++) {
            char prefix[16];
            snprintf(prefix, sizeof(prefix), "layer%u.%u", stage + 1, block);
            TRY(basic_block(b, prefix, o->width << stage, stage && !block ? 2 : 1, o->bn, err));
        }
    TRY(put(b, "avgpool", plain(LAYER_GLOBALAVGPOOL), err));
    TRY(put(b, "flatten", plain(LAYER_FLATTEN), err));
    return put(b, "linear", linear(classes), err);
}

static const struct arch_named named[] = {
    {"mlp", 256, 2, false, build_mlp},
    {"lenet5", 0, 0, false, build_lenet5},
    {"cnn", 32, 1, true, build_cnn},
    {"resnet18", 64, 1, true, build_resnet18},
};

const struct arch_named *arch_named_find(const char *name)
{
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
        if (strcmp(named[i].name, name) == 0)
            return &named[i];
    return NULL;
}

const char *const *arch_names(void)
{
    static const char *const names[] = {"mlp", "lenet5", "cnn", "resnet18", "sequential", NULL};
    return names;
}
