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
                       const struct arch_options *o, struct error *err)
{
    const uint32_t *in = b->list.layer[b->list.n - 1].out;
    struct arch_builder body = {.input = in}, shortcut = {.input = in};
    int rc = basic_block_parts(&body, &shortcut, prefix, out, stride, o->bn, err);
    struct arch_layer block = {.kind = LAYER_RESIDUAL,
                               .body = body.list.layer,
                               .n_body = body.list.n,
                               .shortcut = shortcut.list.layer,
                               .n_shortcut = shortcut.list.n,
                               .halve = o->halve && shortcut.list.n > 0};
    if (rc < 0) {
        arch_layer_release(&block);
        return rc;
    }
    TRY(put(b, prefix, block, err));
    return put_in(b, prefix, "relu2", plain(LAYER_RELU), err);
}

/* ResNet-18 with the CIFAR stem (3x3, no pooling). With `halve` projection blocks give
 * (body + shortcut) / 2, as in FastClip (Boroojeny et al. 2024) and AMUN's Lipschitz-bounded
 * networks. */
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
            TRY(basic_block(b, prefix, o->width << stage, stage && !block ? 2 : 1, o, err));
        }
    TRY(put(b, "avgpool", plain(LAYER_GLOBALAVGPOOL), err));
    TRY(put(b, "flatten", plain(LAYER_FLATTEN), err));
    return put(b, "linear", linear(classes), err);
}

/* conv, bn, ReLU and the pooling if wanted, numbered as in an nn.Sequential called `prefix`. */
static int resnet9_part(struct arch_builder *b, const char *prefix, uint32_t out, bool bn,
                        bool pool, struct error *err)
{
    TRY(put_in(b, prefix, "0", conv(out, 3, 1, 1, true), err));
    if (bn)
        TRY(put_in(b, prefix, "1", plain(LAYER_BATCHNORM), err));
    TRY(put_in(b, prefix, bn ? "2" : "1", plain(LAYER_RELU), err));
    return pool ? put_in(b, prefix, bn ? "3" : "2", maxpool2(), err) : 0;
}

static int resnet9_residual(struct arch_builder *b, const char *name, bool bn, struct error *err)
{
    const uint32_t *in = b->list.layer[b->list.n - 1].out;
    struct arch_builder body = {.input = in};
    char prefix[2][16];
    int rc = 0;
    for (int i = 0; rc == 0 && i < 2; i++) {
        snprintf(prefix[i], sizeof(prefix[i]), "%s.%d", name, i);
        rc = resnet9_part(&body, prefix[i], in[0], bn, false, err);
    }
    struct arch_layer block = {
        .kind = LAYER_RESIDUAL, .body = body.list.layer, .n_body = body.list.n};
    if (rc < 0) {
        arch_layer_release(&block);
        return rc;
    }
    return put(b, name, block, err);
}

/* Page's ResNet-9 (DAWNBench 2018) as PyTorch users write it. The last pooling is over 4x4 pixels,
 * over what is left of smaller maps. */
static int build_resnet9(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                         struct error *err)
{
    TRY(resnet9_part(b, "conv1", o->width, o->bn, false, err));
    TRY(resnet9_part(b, "conv2", 2 * o->width, o->bn, true, err));
    TRY(resnet9_residual(b, "res1", o->bn, err));
    TRY(resnet9_part(b, "conv3", 4 * o->width, o->bn, true, err));
    TRY(resnet9_part(b, "conv4", 8 * o->width, o->bn, true, err));
    TRY(resnet9_residual(b, "res2", o->bn, err));
    const uint32_t *map = b->list.layer[b->list.n - 1].out;
    uint32_t side = map[1] < map[2] ? map[1] : map[2];
    struct arch_layer pool = maxpool2();
    pool.kernel = pool.stride = side < 4 ? side : 4;
    TRY(put(b, "classifier.0", pool, err));
    TRY(put(b, "classifier.1", plain(LAYER_FLATTEN), err));
    return put(b, "classifier.2", linear(classes), err);
}

/* Multiples of the first stage's channels, or POOL. */
typedef uint8_t vgg_plan[24];
enum { POOL = 0, END = 255 };

/* Modules are numbered as in torchvision's `features`. One linear layer, `classifier`, follows the
 * last pooling, as usual for 32x32 images. */
static int build_vgg(struct arch_builder *b, const vgg_plan stages, const struct arch_options *o,
                     uint32_t classes, struct error *err)
{
    char name[16];
    uint32_t at = 0;
    for (size_t i = 0; stages[i] != END; i++) {
        struct arch_layer part[3] = {conv(stages[i] * o->width, 3, 1, 1, true),
                                     plain(LAYER_BATCHNORM), plain(LAYER_RELU)};
        if (stages[i] == POOL)
            part[0] = maxpool2();
        for (int j = 0; j < (stages[i] == POOL ? 1 : 3); j++) {
            if (j == 1 && !o->bn)
                continue;
            snprintf(name, sizeof(name), "features.%u", at++);
            TRY(put(b, name, part[j], err));
        }
    }
    TRY(put(b, "flatten", plain(LAYER_FLATTEN), err));
    return put(b, "classifier", linear(classes), err);
}

/* Simonyan & Zisserman 2015, table 1, columns A, D and E. */
static int build_vgg11(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                       struct error *err)
{
    static const vgg_plan a = {1, POOL, 2, POOL, 4, 4, POOL, 8, 8, POOL, 8, 8, POOL, END};
    return build_vgg(b, a, o, classes, err);
}

static int build_vgg16(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                       struct error *err)
{
    static const vgg_plan d = {1, 1, POOL, 2,    2, POOL, 4, 4,    4,  POOL,
                               8, 8, 8,    POOL, 8, 8,    8, POOL, END};
    return build_vgg(b, d, o, classes, err);
}

static int build_vgg19(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                       struct error *err)
{
    static const vgg_plan e = {1, 1, POOL, 2, 2,    POOL, 4, 4, 4, 4,    POOL,
                               8, 8, 8,    8, POOL, 8,    8, 8, 8, POOL, END};
    return build_vgg(b, e, o, classes, err);
}

static const struct arch_named named[] = {
    {"mlp", 256, 2, false, false, build_mlp},        {"lenet5", 0, 0, false, false, build_lenet5},
    {"cnn", 32, 1, true, false, build_cnn},          {"resnet9", 64, 1, true, false, build_resnet9},
    {"resnet18", 64, 1, true, true, build_resnet18}, {"vgg11", 64, 1, true, false, build_vgg11},
    {"vgg16", 64, 1, true, false, build_vgg16},      {"vgg19", 64, 1, true, false, build_vgg19},
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
    static const char *const names[] = {"mlp",   "lenet5", "cnn",   "resnet9",    "resnet18",
                                        "vgg11", "vgg16",  "vgg19", "sequential", NULL};
    return names;
}
