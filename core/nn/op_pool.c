/* op_pool.c: max and average pooling of any window; one image an item. */
#include <math.h>
#include <string.h>

#include "net_internal.h"

enum { SPAN_WINNER };

struct job {
    const struct pass *p;
    const struct arch_layer *l;
    size_t x_size, y_size; /* floats an image */
    const float *x, *dy;
    float *y, *dx;
    uint16_t *winner; /* (n, out_h, out_w, C): which of the window's pixels, row by row */
};

static void plan_max(struct net *net, struct op *op)
{
    size_t n = net->value[op->out].size * net->max_batch;
    op->span[SPAN_WINNER] = net_reserve(net, n * sizeof(uint16_t), op->time, op->back_time);
}

static struct job job_for(const struct pass *p, const struct op *op)
{
    const struct net *net = p->net;
    struct job j = {.p = p, .l = op->layer};
    j.x_size = net->value[op->in[0]].size;
    j.y_size = net->value[op->out].size;
    j.x = net_act(net, op->in[0]);
    j.y = net_act(net, op->out);
    if (op->span[SPAN_WINNER] != NO_SPAN)
        j.winner = net_at(net, op->span[SPAN_WINNER]);
    return j;
}

/* The part of a window that lies in the image: kernel rows and columns [from, to). */
struct window {
    size_t row_from, row_to, col_from, col_to;
    ptrdiff_t top, left; /* of kernel row and column 0 in the image */
};

static void clip(ptrdiff_t at, size_t kernel, size_t size, size_t *from, size_t *to)
{
    ptrdiff_t end = (ptrdiff_t)size - at;
    *from = at < 0 ? (size_t)-at : 0;
    *to = end < (ptrdiff_t)kernel ? (size_t)end : kernel;
}

static struct window window_at(const struct arch_layer *l, size_t h, size_t w)
{
    struct window v = {.top = (ptrdiff_t)(h * l->stride) - (ptrdiff_t)l->pad,
                       .left = (ptrdiff_t)(w * l->stride) - (ptrdiff_t)l->pad};
    clip(v.top, l->kernel, l->in[1], &v.row_from, &v.row_to);
    clip(v.left, l->kernel, l->in[2], &v.col_from, &v.col_to);
    return v;
}

/* Offset of the window's pixel (r, s) in an image. */
static size_t pixel(const struct arch_layer *l, const struct window *v, size_t r, size_t s)
{
    return (size_t)((v->top + (ptrdiff_t)r) * (ptrdiff_t)l->in[2] + v->left + (ptrdiff_t)s) *
           l->in[0];
}

/* A later pixel wins only with a larger value, or when it is NaN, as in PyTorch. */
static void max_window(const struct job *j, const struct window *v, const float *x, float *y,
                       uint16_t *winner)
{
    const struct arch_layer *l = j->l;
    size_t channels = l->in[0];
    for (size_t c = 0; c < channels; c++)
        y[c] = -INFINITY;
    for (size_t c = 0; c < channels; c++)
        winner[c] = (uint16_t)(v->row_from * l->kernel + v->col_from);
    for (size_t r = v->row_from; r < v->row_to; r++)
        for (size_t s = v->col_from; s < v->col_to; s++) {
            const float *from = x + pixel(l, v, r, s);
            uint16_t place = (uint16_t)(r * l->kernel + s);
            for (size_t c = 0; c < channels; c++) {
                bool wins = from[c] > y[c] || from[c] != from[c];
                y[c] = wins ? from[c] : y[c];
                winner[c] = wins ? place : winner[c];
            }
        }
}

static void max_image(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->l;
    const float *x = j->x + image * j->x_size;
    float *y = j->y + image * j->y_size;
    uint16_t *winner = j->winner + image * j->y_size;
    for (size_t h = 0; h < l->out[1]; h++)
        for (size_t w = 0; w < l->out[2]; w++, y += l->in[0], winner += l->in[0]) {
            struct window v = window_at(l, h, w);
            max_window(j, &v, x, y, winner);
        }
}

static int forward_max(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = job_for(p, op);
    par_run(p->net->par, p->n, max_image, &j);
    return 0;
}

static void max_grad_image(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->l;
    const float *dy = j->dy + image * j->y_size;
    const uint16_t *winner = j->winner + image * j->y_size;
    float *dx = j->dx + image * j->x_size;
    memset(dx, 0, j->x_size * sizeof(float));
    for (size_t h = 0; h < l->out[1]; h++)
        for (size_t w = 0; w < l->out[2]; w++, dy += l->in[0], winner += l->in[0]) {
            struct window v = window_at(l, h, w);
            for (size_t c = 0; c < l->in[0]; c++)
                dx[pixel(l, &v, winner[c] / l->kernel, winner[c] % l->kernel) + c] += dy[c];
        }
}

static void backward_max(const struct pass *p, const struct op *op, const float *dy,
                         float *const dx[2])
{
    struct job j = job_for(p, op);
    j.dy = dy;
    j.dx = dx[0];
    par_run(p->net->par, p->n, max_grad_image, &j);
}

/* Padding counts as zeros, PyTorch's default. */
static float window_share(const struct arch_layer *l)
{
    size_t n = l->kind == LAYER_GLOBALAVGPOOL ? (size_t)l->in[1] * l->in[2]
                                              : (size_t)l->kernel * l->kernel;
    return 1 / (float)n;
}

/* Global pooling is a window over the whole map. */
static struct window average_window(const struct arch_layer *l, size_t h, size_t w)
{
    if (l->kind == LAYER_GLOBALAVGPOOL)
        return (struct window){.row_to = l->in[1], .col_to = l->in[2]};
    return window_at(l, h, w);
}

static void average_image(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->l;
    const float *x = j->x + image * j->x_size, share = window_share(l);
    float *y = j->y + image * j->y_size;
    for (size_t h = 0; h < l->out[1]; h++)
        for (size_t w = 0; w < l->out[2]; w++, y += l->in[0]) {
            struct window v = average_window(l, h, w);
            memset(y, 0, l->in[0] * sizeof(float));
            for (size_t r = v.row_from; r < v.row_to; r++)
                for (size_t s = v.col_from; s < v.col_to; s++) {
                    const float *from = x + pixel(l, &v, r, s);
                    for (size_t c = 0; c < l->in[0]; c++)
                        y[c] += from[c];
                }
            for (size_t c = 0; c < l->in[0]; c++)
                y[c] *= share;
        }
}

static int forward_average(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = job_for(p, op);
    par_run(p->net->par, p->n, average_image, &j);
    return 0;
}

static void average_grad_image(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->l;
    const float *dy = j->dy + image * j->y_size, share = window_share(l);
    float *dx = j->dx + image * j->x_size;
    memset(dx, 0, j->x_size * sizeof(float));
    for (size_t h = 0; h < l->out[1]; h++)
        for (size_t w = 0; w < l->out[2]; w++, dy += l->in[0]) {
            struct window v = average_window(l, h, w);
            for (size_t r = v.row_from; r < v.row_to; r++)
                for (size_t s = v.col_from; s < v.col_to; s++) {
                    float *to = dx + pixel(l, &v, r, s);
                    for (size_t c = 0; c < l->in[0]; c++)
                        to[c] += dy[c] * share;
                }
        }
}

static void backward_average(const struct pass *p, const struct op *op, const float *dy,
                             float *const dx[2])
{
    struct job j = job_for(p, op);
    j.dy = dy;
    j.dx = dx[0];
    par_run(p->net->par, p->n, average_grad_image, &j);
}

const struct op_class op_maxpool = {
    .name = "maxpool", .plan = plan_max, .forward = forward_max, .backward = backward_max};
const struct op_class op_avgpool = {
    .name = "avgpool", .forward = forward_average, .backward = backward_average};
