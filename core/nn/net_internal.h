/* net_internal.h: a network ready to run: operations over values, and one block
 * of memory in which every buffer has its place for the time it is needed.
 *
 * Time: 0 takes the input in, operation i of n runs forward at 1 + i and
 * backward at 2n + 1 - i, n + 1 turns around, 2n + 2 gives the input gradient. */
#ifndef NN_NET_INTERNAL_H
#define NN_NET_INTERNAL_H

#include "kernels.h"
#include "model.h"

#define NO_SPAN UINT32_MAX

/* Bytes that are needed from time start to time end. */
struct span {
    size_t bytes, offset;
    uint32_t start, end;
};

/* What an operation reads or writes: (n, H, W, C) floats and their gradient. Values that share
 * memory, because an operation works in place, share a root. */
struct value {
    uint32_t shape[3]; /* C, H, W */
    size_t size;       /* floats an image */
    uint32_t root;
    uint32_t n_consumers;
    bool shared;        /* root: some value on it has several consumers */
    bool pinned;        /* root: its content is needed in the backward pass */
    bool trained;       /* parameters lie in front of it: the gradient must get here */
    uint32_t act, grad; /* root: spans */
    /* root: instead of being kept for the backward pass it is computed again into this span by
     * operation `maker`; NO_SPAN when it is kept */
    uint32_t again, maker;
    bool remade; /* root: that has been done in this backward pass */
};

struct op;
struct pass;

struct op_class {
    const char *name;
    bool needs_in, needs_out; /* in the backward pass: the first input, the output */
    bool in_for_params;       /* the input is needed for parameters' gradients only */
    bool in_place;            /* can write over its input */
    bool has_params;
    bool adds; /* with pass->add it adds the gradient of its (only) input to what is there */
    void (*plan)(struct net *net, struct op *op);
    int (*forward)(const struct pass *p, const struct op *op, struct error *err);
    /* dy: gradient of op->out. dx: where to write those of the inputs; NULL where not wanted. */
    void (*backward)(const struct pass *p, const struct op *op, const float *dy,
                     float *const dx[2]);
};

struct op {
    const struct op_class *class;
    const struct arch_layer *layer;
    uint32_t model_layer; /* index into model->layer */
    uint32_t n_in, in[2], out;
    bool relu, pool, halve; /* fused behind an affine map */
    bool ties;              /* a convolution whose equal outputs must be equal to the bit */
    bool in_place;
    uint32_t time, back_time;
    uint32_t extra[2]; /* spans for gradients that are added to earlier ones */
    uint32_t span[8];  /* the class's own */
    uint32_t groups;   /* largest number of partial sums of a weight gradient */
};

struct net {
    const struct arch *arch;
    const struct kernels *k;
    struct par *par;
    uint32_t max_batch;
    uint32_t n_values, n_ops, n_spans;
    uint32_t cap_values, cap_ops, cap_spans;
    struct value *value; /* 0 is the input, the last operation's out the logits */
    struct op *op;
    struct span *span;
    bool failed; /* memory ran out while planning */
    bool full;   /* the plan has room for backward passes */
    bool turned; /* in a backward pass */
    uint32_t end_time;
    size_t scratch_bytes; /* per worker */
    uint32_t scratch;     /* span */
    char *block;
    size_t block_bytes;
    bool *written; /* per value: gradient holds something */
    /* The last forward pass. */
    bool ready;
    uint32_t n;
    enum net_mode mode;
    uint64_t dropout_seed, dropout_step;
};

/* One forward or backward pass over n images. */
struct pass {
    struct net *net;
    const struct model *m;
    float *stat; /* running statistics to update, or NULL */
    float *grad; /* parameter gradients to add to, or NULL */
    uint32_t n;
    enum net_mode mode;
    bool keep; /* a backward pass may follow */
    bool add;  /* op_class.adds */
};

/* net_plan.c: places everything that a forward pass needs, and with `full` a backward pass. */
int net_plan(struct net *net, bool full, struct error *err);
/* A buffer alive from start to end; NO_SPAN (and net->failed) when out of memory. */
uint32_t net_reserve(struct net *net, size_t bytes, uint32_t start, uint32_t end);
void net_want_scratch(struct net *net, size_t bytes);
/* Gives every span its offset; returns the total. */
size_t spans_place(struct span *span, uint32_t n);

/* net.c: net_new with other kernels than this machine's best. */
int net_new_with(const struct arch *arch, uint32_t max_batch, struct par *par,
                 const struct kernels *kernels, struct net **ret, struct error *err);
/* Each of n images (rows, cols) -> (cols, rows). */
void net_transpose(struct par *par, const float *from, uint32_t n, size_t rows, size_t cols,
                   float *to);

/* net_build.c */
void net_build(struct net *net);

static inline void *net_at(const struct net *net, uint32_t span)
{
    return net->block + net->span[span].offset;
}

static inline float *net_act(const struct net *net, uint32_t value)
{
    const struct value *r = &net->value[net->value[value].root];
    return net_at(net, net->turned && r->again != NO_SPAN ? r->again : r->act);
}

static inline float *net_grad(const struct net *net, uint32_t value)
{
    return net_at(net, net->value[net->value[value].root].grad);
}

/* Scratch memory of a worker. */
static inline float *net_scratch(const struct net *net, unsigned worker)
{
    return (float *)((char *)net_at(net, net->scratch) + worker * net->scratch_bytes);
}

/* Tensor i of the operation's layer, in param, grad or stat. */
static inline size_t op_tensor(const struct model *m, const struct op *op, uint32_t i)
{
    return m->tensor[m->layer_first_tensor[op->model_layer] + i].offset;
}

/* Floats that fit a whole number of panels. */
static inline size_t panels(size_t channels)
{
    return (channels + PANEL - 1) / PANEL;
}

/* A fixed split: part i of `parts` of n items. */
static inline size_t split_at(size_t n, size_t i, size_t parts)
{
    return n * i / parts;
}

extern const struct op_class op_conv, op_tiles, op_columns, op_linear, op_affine, op_join,
    op_maxpool, op_avgpool, op_relu, op_elu, op_flatten, op_view, op_dropout, op_normalize, op_sum;

/* Computes an op_affine's output from its input once more, in the backward pass. */
void affine_again(const struct pass *p, const struct op *op);

/* Whether a convolution is computed by columns and OpenBLAS instead of directly. */
bool conv_by_columns(const struct kernels *k, const struct arch_layer *l);

#endif
