/* model.h: parameters of an architecture, and forward and backward passes.
 *
 * Parameters lie in one contiguous 64-byte aligned block in PyTorch's layout
 * (OIHW, out x in), gradients in a second of the same layout, batch-norm
 * statistics in a third. Kernels keep activations as NHWC and pack weights as
 * they need; nothing outside this room sees that.
 *
 * Activations live in a `struct net`, not in the model: one net runs any model
 * of its architecture, const ones too. */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch.h"
#include "par.h"

enum { TENSOR_STATISTIC = 1, TENSOR_BIAS = 2, TENSOR_NORM = 4 };

struct tensor_info {
    const char *name; /* "conv1.weight" */
    uint32_t n_dim;
    size_t dim[4];
    size_t n;       /* elements */
    size_t offset;  /* into param (and grad), or into stat when TENSOR_STATISTIC */
    uint32_t flags; /* TENSOR_* */
    uint32_t layer; /* index in model->layers */
};

struct model {
    const struct arch *arch; /* not owned: outlives the model */
    size_t n_tensors;
    struct tensor_info *tensor; /* PyTorch's state_dict order, without num_batches_tracked */
    size_t n_layers;            /* flattened, forward order; residual bodies included */
    const struct arch_layer **layer;
    uint32_t *layer_first_tensor; /* per layer: its first tensor and how many */
    uint32_t *layer_n_tensors;
    size_t n_param, n_stat;
    float *param, *grad; /* (n_param) */
    float *stat;         /* (n_stat) running means and variances */
};

int model_new(const struct arch *arch, struct model **ret,
              struct error *err); /* zeros; variances 1 */
void model_free(struct model *m); /* accepts NULL */
int model_clone(const struct model *m, struct model **ret, struct error *err);
void model_copy(struct model *dst, const struct model *src); /* same architecture; not gradients */
/* PyTorch's default initialisation (Kaiming uniform with a = sqrt 5, i.e. U(+-1/sqrt(fan_in)) for
 * weights and biases; batch-norm 1 and 0), one stream per tensor: (seed, purpose + "/" + name, 0).
 */
void model_init(struct model *m, uint64_t seed, const char *purpose);
bool model_is_finite(const struct model *m); /* parameters and statistics */

enum net_mode { NET_EVAL = 0, NET_TRAIN = 1, NET_FROZEN = 2 };

struct net;
/* max_batch: larger batches are an error. par may be NULL (not owned). */
int net_new(const struct arch *arch, uint32_t max_batch, struct par *par, struct net **ret,
            struct error *err);
void net_free(struct net *net); /* accepts NULL */
/* Seed of dropout masks for the next forward (stream (seed, "dropout", step)). */
void net_dropout(struct net *net, uint64_t seed, uint64_t step);
/* x (n, C, H, W) -> logits (n, classes). NET_TRAIN updates m->stat; the others leave m untouched.
 * Activations are kept for one following backward of the same model, which uses them up. */
int net_forward(struct net *net, struct model *m, const float *x, uint32_t n, enum net_mode mode,
                float *logits, struct error *err);
/* Evaluation mode without keeping anything for a backward pass. */
int net_infer(struct net *net, const struct model *m, const float *x, uint32_t n, float *logits,
              struct error *err);
/* dlogits (n, classes). Adds into m->grad when param_grads; fills dx (n, C, H, W) unless NULL.
 * After NET_TRAIN gradients flow through the batch statistics, otherwise through the running ones.
 */
int net_backward(struct net *net, struct model *m, const float *dlogits, bool param_grads,
                 float *dx, struct error *err);
size_t net_bytes(const struct net *net); /* memory held */

/* A name for the arithmetic of this build on this machine (engine version, OpenBLAS core, vector
 * class): part of every identity, since other kernels give other last bits. */
const char *nn_numerics(void);

#endif
