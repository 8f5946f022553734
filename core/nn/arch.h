/* arch.h: a network as data: layers, shapes and tensor names, without kernels.
 * The parent process checks suites with it; model.h computes with it. */
#ifndef NN_ARCH_H
#define NN_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "strbuf.h"
#include "yaml.h"

enum layer_kind {
    LAYER_CONV = 1,
    LAYER_LINEAR,
    LAYER_BATCHNORM,
    LAYER_RELU,
    LAYER_ELU,
    LAYER_MAXPOOL,
    LAYER_AVGPOOL,
    LAYER_GLOBALAVGPOOL,
    LAYER_FLATTEN,
    LAYER_DROPOUT,
    LAYER_NORMALIZE,
    LAYER_RESIDUAL
};

struct arch_layer {
    enum layer_kind kind;
    char *name;                   /* PyTorch module path: "conv1", "3.body.0" */
    uint32_t in[3], out[3];       /* shapes (C, H, W); after flatten (features, 1, 1) */
    uint32_t kernel, stride, pad; /* conv, pools */
    bool bias;                    /* conv, linear */
    double p;                     /* dropout probability; ELU alpha */
    float *mean, *std;            /* normalize: one per channel */
    /* residual: out = body(x) + shortcut(x), times 1/2 when halve */
    struct arch_layer *body, *shortcut;
    uint32_t n_body, n_shortcut; /* n_shortcut 0: identity */
    bool halve;
};

struct arch {
    uint32_t input[3]; /* C, H, W */
    uint32_t classes;
    uint32_t n_layers;
    struct arch_layer *layer;
};

/* Reads `{arch: cnn, width: 16}`, `{arch: sequential, layers: [...]}` or the bare name. input and
 * classes come from the node when given there, else from the arguments (0 = must be given).
 * Every impossible shape is an error that names the layer and both shapes. Named
 * architectures (arch_names) expand to layer lists here. Options where they apply: `width`,
 * `bn: false` (without batch-norm), `halve: true` (resnet18: projection blocks give half the
 * sum). */
int arch_parse(const struct yaml_node *node, const uint32_t input[3], uint32_t classes,
               struct arch **ret, struct error *err);
void arch_free(struct arch *a); /* accepts NULL */
/* One line of JSON with every layer spelled out; arch_from_text reads it back to the same. */
void arch_text(const struct arch *a, struct strbuf *out);
int arch_from_text(const char *text, struct arch **ret, struct error *err);
/* Names of the known architectures, NULL-ended. */
const char *const *arch_names(void);
const char *layer_kind_name(enum layer_kind kind); /* "conv", as in arch.yaml */

#endif
