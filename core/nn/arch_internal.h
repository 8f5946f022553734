/* arch_internal.h: what the files of arch.h share: growing layer lists, shape
 * inference, the named architectures. */
#ifndef NN_ARCH_INTERNAL_H
#define NN_ARCH_INTERNAL_H

#include "arch.h"

/* Limits that keep every size below in range of uint32_t and memory sane. */
enum { ARCH_MAX_DIM = 65536, ARCH_MAX_KERNEL = 255, ARCH_MAX_LAYERS = 4096 };

struct layer_list {
    struct arch_layer *layer;
    uint32_t n, cap;
};

/* Takes over what `layer` points to, also on failure. */
int layer_list_add(struct layer_list *list, struct arch_layer *layer, struct error *err);
void arch_layers_free(struct arch_layer *layer, uint32_t n); /* the array too; accepts NULL */
void arch_layer_release(struct arch_layer *layer);

/* Fills layer->in and layer->out. conv and linear bring out[0], the number of outputs, with them.
 * position: "5" or "3.body.0", for messages. */
int arch_layer_shape(struct arch_layer *layer, const uint32_t in[3], const char *position,
                     struct error *err);
/* "layer 5 (conv2): <text>", with the kind in place of a name that is the position itself. */
int arch_layer_error(const struct arch_layer *layer, const char *position, struct error *err,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

struct arch_options {
    uint32_t width; /* 0: the architecture's own */
    bool bn;
    bool halve; /* resnet18: blocks with a projection give half the sum */
};

/* A network being put together front to back. */
struct arch_builder {
    struct layer_list list;
    const uint32_t *input; /* shape before the first layer */
};

struct arch_named {
    const char *name;
    uint32_t default_width, min_width; /* 0: takes no width */
    bool takes_bn, takes_halve;
    int (*build)(struct arch_builder *b, const struct arch_options *o, uint32_t classes,
                 struct error *err);
};

const struct arch_named *arch_named_find(const char *name); /* NULL when unknown */

#endif
