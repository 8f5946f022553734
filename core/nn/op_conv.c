/* op_conv.c: convolution without columns: kernels slide over a padded image. */
#include <string.h>

#include "conv_pack.h"

enum { SPAN_WEIGHT, SPAN_BIAS, SPAN_BACK, SPAN_PART, SPAN_BIAS_PART };
/* Fewer input channels than this leave most of a panel's lanes empty when the input gradient is
 * computed as a convolution. */
enum { FEW_CHANNELS = 8 };

static size_t padded_size(const uint32_t shape[3], size_t pad)
{
    return (shape[1] + 2 * pad) * (shape[2] + 2 * pad) * shape[0];
}

/* The input gradient as a convolution of dy with the flipped kernel; else products are scattered.
 */
static bool back_by_gather(const struct arch_layer *l)
{
    return l->stride == 1 && l->pad < l->kernel && l->in[0] >= FEW_CHANNELS;
}

static size_t back_pad(const struct arch_layer *l)
{
    return l->kernel - 1 - l->pad;
}

static struct conv_window forward_window(const struct arch_layer *l)
{
    size_t c = l->in[0], row = (l->in[2] + 2 * (size_t)l->pad) * c;
    return (struct conv_window){.out_h = l->out[1],
                                .out_w = l->out[2],
                                .rows = l->kernel,
                                .run = l->kernel * l->in[0],
                                .x_row = row,
                                .x_step = l->stride * c,
                                .x_down = l->stride * row,
                                .y_step = l->out[0]};
}

static struct conv_window gather_window(const struct arch_layer *l)
{
    size_t c = l->out[0], row = (l->out[2] + 2 * back_pad(l)) * c;
    return (struct conv_window){.out_h = l->in[1],
                                .out_w = l->in[2],
                                .rows = l->kernel,
                                .run = l->kernel * l->out[0],
                                .x_row = row,
                                .x_step = c,
                                .x_down = row,
                                .y_step = l->in[0]};
}

/* One output row: all its taps as "outputs" of a 1x1 convolution. */
static struct conv_window scatter_window(const struct arch_layer *l)
{
    return (struct conv_window){.out_h = 1,
                                .out_w = l->out[2],
                                .rows = 1,
                                .run = l->out[0],
                                .x_step = l->out[0],
                                .y_step = conv_taps(l)};
}

static size_t back_weight_size(const struct arch_layer *l)
{
    size_t window = (size_t)l->kernel * l->kernel;
    return back_by_gather(l) ? panels(l->in[0]) * PANEL * window * l->out[0]
                             : panels(conv_taps(l)) * PANEL * l->out[0];
}

static size_t weight_size(const struct arch_layer *l)
{
    return panels(l->out[0]) * PANEL * conv_taps(l);
}

static void plan(struct net *net, struct op *op)
{
    const struct arch_layer *l = op->layer;
    size_t x = padded_size(l->in, l->pad), outs = panels(l->out[0]) * PANEL;
    size_t dy =
        back_by_gather(l) ? padded_size(l->out, back_pad(l)) : x + (size_t)l->out[2] * conv_taps(l);
    uint32_t f = op->time, b = op->back_time;
    op->groups = conv_groups(net->max_batch);
    op->span[SPAN_WEIGHT] = net_reserve(net, weight_size(l) * sizeof(float), f, f);
    op->span[SPAN_BIAS] = net_reserve(net, outs * sizeof(float), f, f);
    op->span[SPAN_BACK] = net_reserve(net, back_weight_size(l) * sizeof(float), b, b);
    op->span[SPAN_PART] = net_reserve(net, op->groups * weight_size(l) * sizeof(float), b, b);
    op->span[SPAN_BIAS_PART] = net_reserve(net, op->groups * outs * sizeof(double), b, b);
    net_want_scratch(net, (x > dy ? x : dy) * sizeof(float));
}

struct job {
    const struct pass *p;
    const struct op *op;
    const struct arch_layer *l;
    struct conv_window window, back_window;
    const float *x, *dy;
    float *y, *dx;
    const float *weight, *bias, *back_weight;
    float *part;
    double *bias_part;
    uint32_t groups;
};

static struct job job_for(const struct pass *p, const struct op *op)
{
    const struct net *net = p->net;
    struct job j = {.p = p, .op = op, .l = op->layer};
    j.window = forward_window(j.l);
    j.back_window = back_by_gather(j.l) ? gather_window(j.l) : scatter_window(j.l);
    j.x = net_act(net, op->in[0]);
    j.weight = net_at(net, op->span[SPAN_WEIGHT]);
    j.bias = net_at(net, op->span[SPAN_BIAS]);
    j.back_weight = net_at(net, op->span[SPAN_BACK]);
    j.part = net_at(net, op->span[SPAN_PART]);
    j.bias_part = net_at(net, op->span[SPAN_BIAS_PART]);
    return j;
}

/* y (out_h, out_w, channels) of all panels; bias may be NULL. */
static void all_panels(const struct kernels *k, const struct conv_window *g, size_t channels,
                       const float *x, const float *weight, const float *bias, float *y)
{
    static const float none[PANEL];
    size_t size = (size_t)g->rows * g->run * PANEL;
    for (size_t c = 0; c < channels; c += PANEL, weight += size) {
        size_t left = channels - c;
        k->conv_panel(g, x, weight, bias ? bias + c : none, y + c,
                      left < PANEL ? (unsigned)left : PANEL);
    }
}

/* The image as kernels read it: itself, or a padded copy in scratch memory. */
static const float *padded(const float *x, const uint32_t shape[3], size_t pad, float *scratch)
{
    if (pad == 0)
        return x;
    conv_pad_image(x, shape[1], shape[2], shape[0], pad, scratch);
    return scratch;
}

static void forward_image(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    const struct net *net = j->p->net;
    const struct arch_layer *l = j->l;
    const float *x = j->x + image * net->value[j->op->in[0]].size;
    float *y = j->y + image * net->value[j->op->out].size;
    all_panels(net->k, &j->window, l->out[0], padded(x, l->in, l->pad, net_scratch(net, worker)),
               j->weight, j->bias, y);
}

static void pack_forward(const struct pass *p, const struct op *op)
{
    const struct arch_layer *l = op->layer;
    float *weight = net_at(p->net, op->span[SPAN_WEIGHT]);
    float *bias = net_at(p->net, op->span[SPAN_BIAS]);
    if (l->out[0] % PANEL)
        memset(weight, 0, weight_size(l) * sizeof(float));
    conv_pack(l, p->m->param + op_tensor(p->m, op, 0), packing_panels(conv_taps(l)), weight);
    memset(bias, 0, panels(l->out[0]) * PANEL * sizeof(float));
    if (l->bias)
        memcpy(bias, p->m->param + op_tensor(p->m, op, 1), l->out[0] * sizeof(float));
}

static int forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = job_for(p, op);
    j.y = net_act(p->net, op->out);
    pack_forward(p, op);
    par_run(p->net->par, p->n, forward_image, &j);
    return 0;
}

static void pack_backward(const struct pass *p, const struct op *op)
{
    const struct arch_layer *l = op->layer;
    const float *w = p->m->param + op_tensor(p->m, op, 0);
    float *to = net_at(p->net, op->span[SPAN_BACK]);
    memset(to, 0, back_weight_size(l) * sizeof(float));
    if (back_by_gather(l))
        conv_pack_flipped(l, w, packing_panels((size_t)l->kernel * l->kernel * l->out[0]), to);
    else
        conv_pack_transposed(l, w, packing_panels(l->out[0]), to);
}

static void gather_image(const struct job *j, const float *dy, float *dx, float *scratch)
{
    const float *from = padded(dy, j->l->out, back_pad(j->l), scratch);
    all_panels(j->p->net->k, &j->back_window, j->l->in[0], from, j->back_weight, NULL, dx);
}

/* Adds the taps of one output row to the padded gradient's rows. */
static void scatter_row(const struct arch_layer *l, const float *taps, float *to)
{
    size_t run = (size_t)l->kernel * l->in[0], row = (l->in[2] + 2 * (size_t)l->pad) * l->in[0];
    for (uint32_t w = 0; w < l->out[2]; w++, to += (size_t)l->stride * l->in[0])
        for (uint32_t r = 0; r < l->kernel; r++, taps += run)
            for (size_t q = 0; q < run; q++)
                to[r * row + q] += taps[q];
}

static void scatter_image(const struct job *j, const float *dy, float *dx, float *scratch)
{
    const struct arch_layer *l = j->l;
    size_t row = (l->in[2] + 2 * (size_t)l->pad) * l->in[0], pad = l->pad;
    float *whole = scratch, *products = scratch + padded_size(l->in, pad);
    memset(whole, 0, padded_size(l->in, pad) * sizeof(float));
    for (uint32_t h = 0; h < l->out[1]; h++, dy += (size_t)l->out[2] * l->out[0]) {
        all_panels(j->p->net->k, &j->back_window, conv_taps(l), dy, j->back_weight, NULL, products);
        scatter_row(l, products, whole + h * l->stride * row);
    }
    for (uint32_t h = 0; h < l->in[1]; h++)
        memcpy(dx + (size_t)h * l->in[2] * l->in[0], whole + (h + pad) * row + pad * l->in[0],
               (size_t)l->in[2] * l->in[0] * sizeof(float));
}

static void input_gradient(const struct job *j, size_t image, unsigned worker)
{
    const struct net *net = j->p->net;
    const float *dy = j->dy + image * net->value[j->op->out].size;
    float *dx = j->dx + image * net->value[j->op->in[0]].size;
    float *scratch = net_scratch(net, worker);
    if (back_by_gather(j->l))
        gather_image(j, dy, dx, scratch);
    else
        scatter_image(j, dy, dx, scratch);
}

static void input_item(void *arg, size_t image, unsigned worker)
{
    input_gradient(arg, image, worker);
}

static void weight_gradient(const struct job *j, size_t image, unsigned worker, float *part,
                            double *bias_part)
{
    const struct net *net = j->p->net;
    const struct arch_layer *l = j->l;
    const float *dy = j->dy + image * net->value[j->op->out].size;
    const float *x = padded(j->x + image * net->value[j->op->in[0]].size, l->in, l->pad,
                            net_scratch(net, worker));
    for (size_t c = 0; c < l->out[0]; c += PANEL, part += conv_taps(l) * PANEL)
        net->k->conv_panel_grad(&j->window, x, dy + c, part);
    if (l->bias)
        net->k->channel_sums(dy, (size_t)l->out[1] * l->out[2], l->out[0], bias_part);
}

/* A fixed share of the batch, with partial sums of its own. */
static void backward_group(void *arg, size_t group, unsigned worker)
{
    const struct job *j = arg;
    size_t size = weight_size(j->l), outs = panels(j->l->out[0]) * PANEL;
    float *part = j->part + group * size;
    double *bias_part = j->bias_part + group * outs;
    memset(part, 0, size * sizeof(float));
    memset(bias_part, 0, outs * sizeof(double));
    for (size_t i = split_at(j->p->n, group, j->groups);
         i < split_at(j->p->n, group + 1, j->groups); i++) {
        weight_gradient(j, i, worker, part, bias_part);
        if (j->dx)
            input_gradient(j, i, worker);
    }
}

static void backward(const struct pass *p, const struct op *op, const float *dy, float *const dx[2])
{
    struct job j = job_for(p, op);
    j.dy = dy;
    j.dx = dx[0];
    j.groups = conv_groups(p->n);
    if (j.dx)
        pack_backward(p, op);
    if (!p->grad) {
        par_run(p->net->par, p->n, input_item, &j);
        return;
    }
    par_run(p->net->par, j.groups, backward_group, &j);
    conv_unpack_add(j.l, j.part, j.groups, weight_size(j.l), packing_panels(conv_taps(j.l)),
                    p->net->par, p->grad + op_tensor(p->m, op, 0));
    if (j.l->bias)
        conv_bias_add(j.l, j.bias_part, j.groups, panels(j.l->out[0]) * PANEL,
                      p->grad + op_tensor(p->m, op, 1));
}

const struct op_class op_conv = {.name = "conv",
                                 .needs_in = true,
                                 .in_for_params = true,
                                 .has_params = true,
                                 .plan = plan,
                                 .forward = forward,
                                 .backward = backward};
