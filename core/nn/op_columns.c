/* op_columns.c: convolution as matrix products (OpenBLAS) over columns: for the
 * shapes and machines where the direct kernels are slower. */
#include <cblas.h>
#include <string.h>

#include "conv_pack.h"

enum { SPAN_WEIGHT, SPAN_PART, SPAN_BIAS_PART };
/* Floats of a block of columns: half of a usual second-level cache. */
enum { COLUMN_FLOATS = 1 << 17 };

/* The direct kernels need wide vectors and rows that fill their tiles. */
bool conv_by_columns(const struct kernels *k, const struct arch_layer *l)
{
    return k == kernels_usable(0) || l->out[2] < 4;
}

/* Output rows in a block. */
static size_t block_rows(const struct arch_layer *l)
{
    size_t rows = COLUMN_FLOATS / (conv_taps(l) * l->out[2]);
    return rows ? rows : 1;
}

static void plan(struct net *net, struct op *op)
{
    const struct arch_layer *l = op->layer;
    size_t weights = conv_taps(l) * l->out[0], rows = block_rows(l);
    uint32_t f = op->time, b = op->back_time;
    op->groups = conv_groups(net->max_batch);
    op->span[SPAN_WEIGHT] = net_reserve(net, weights * sizeof(float), f, b);
    op->span[SPAN_PART] = net_reserve(net, op->groups * weights * sizeof(float), b, b);
    op->span[SPAN_BIAS_PART] = net_reserve(net, op->groups * l->out[0] * sizeof(double), b, b);
    net_want_scratch(net, rows * l->out[2] * conv_taps(l) * sizeof(float));
}

/* What output row h of an image sees: (out_w, K, K, C), zeros where the window hangs over. */
static void row_columns(const struct arch_layer *l, const float *x, size_t h, float *columns)
{
    const ptrdiff_t height = l->in[1], width = l->in[2];
    const size_t c = l->in[0], k = l->kernel;
    for (size_t w = 0; w < l->out[2]; w++)
        for (size_t r = 0; r < k; r++) {
            ptrdiff_t y = (ptrdiff_t)(h * l->stride + r) - (ptrdiff_t)l->pad;
            for (size_t s = 0; s < k; s++, columns += c) {
                ptrdiff_t at = (ptrdiff_t)(w * l->stride + s) - (ptrdiff_t)l->pad;
                if (y < 0 || y >= height || at < 0 || at >= width)
                    memset(columns, 0, c * sizeof(float));
                else
                    memcpy(columns, x + (size_t)(y * width + at) * c, c * sizeof(float));
            }
        }
}

/* The adjoint: adds an output row's columns to the gradient of the image. */
static void add_row_columns(const struct arch_layer *l, const float *columns, size_t h, float *dx)
{
    const ptrdiff_t height = l->in[1], width = l->in[2];
    const size_t c = l->in[0], k = l->kernel;
    for (size_t w = 0; w < l->out[2]; w++)
        for (size_t r = 0; r < k; r++) {
            ptrdiff_t y = (ptrdiff_t)(h * l->stride + r) - (ptrdiff_t)l->pad;
            for (size_t s = 0; s < k; s++, columns += c) {
                ptrdiff_t at = (ptrdiff_t)(w * l->stride + s) - (ptrdiff_t)l->pad;
                if (y < 0 || y >= height || at < 0 || at >= width)
                    continue;
                float *to = dx + (size_t)(y * width + at) * c;
                for (size_t i = 0; i < c; i++)
                    to[i] += columns[i];
            }
        }
}

struct job {
    const struct pass *p;
    const struct arch_layer *l;
    const float *x, *dy, *bias;
    float *y, *dx;
    const float *weight; /* (taps, outputs) */
    float *part;
    double *bias_part;
    size_t x_size, y_size; /* floats an image */
    uint32_t groups;
    bool columns_are_input; /* 1x1, stride 1, no padding */
};

static struct job job_for(const struct pass *p, const struct op *op)
{
    const struct net *net = p->net;
    const struct arch_layer *l = op->layer;
    return (struct job){.p = p,
                        .l = l,
                        .x = net_act(net, op->in[0]),
                        .weight = net_at(net, op->span[SPAN_WEIGHT]),
                        .part = net_at(net, op->span[SPAN_PART]),
                        .bias_part = net_at(net, op->span[SPAN_BIAS_PART]),
                        .x_size = net->value[op->in[0]].size,
                        .y_size = net->value[op->out].size,
                        .groups = conv_groups(p->n),
                        .columns_are_input = l->kernel == 1 && l->stride == 1 && l->pad == 0};
}

/* Columns of `rows` output rows of the batch from `first` on. */
static const float *columns_of(const struct job *j, size_t first, size_t rows, float *scratch)
{
    const struct arch_layer *l = j->l;
    size_t size = l->out[2] * conv_taps(l);
    if (j->columns_are_input)
        return j->x + first * size;
    for (size_t i = 0; i < rows; i++) {
        size_t image = (first + i) / l->out[1], h = (first + i) % l->out[1];
        row_columns(l, j->x + image * j->x_size, h, scratch + i * size);
    }
    return scratch;
}

/* rows(m) x inner x columns(n), all row-major; beta 0 or 1. */
static void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t inner,
                    const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c)
{
    cblas_sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)inner, 1, a, (blasint)lda,
                b, (blasint)ldb, beta, c, (blasint)n);
}

static void forward_block(void *arg, size_t block, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->l;
    size_t per = block_rows(l), first = block * per, all = (size_t)j->p->n * l->out[1];
    size_t rows = all - first < per ? all - first : per, pixels = rows * l->out[2];
    size_t outs = l->out[0], taps = conv_taps(l);
    const float *columns = columns_of(j, first, rows, net_scratch(j->p->net, worker));
    float *y = j->y + first * l->out[2] * outs;
    for (size_t i = 0; j->bias && i < pixels; i++)
        memcpy(y + i * outs, j->bias, outs * sizeof(float));
    product(CblasNoTrans, CblasNoTrans, pixels, outs, taps, columns, taps, j->weight, outs,
            j->bias ? 1 : 0, y);
}

static int forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = job_for(p, op);
    size_t per = block_rows(j.l), rows = (size_t)p->n * j.l->out[1];
    j.y = net_act(p->net, op->out);
    j.bias = j.l->bias ? p->m->param + op_tensor(p->m, op, 1) : NULL;
    conv_pack(j.l, p->m->param + op_tensor(p->m, op, 0), packing_matrix(j.l->out[0]),
              net_at(p->net, op->span[SPAN_WEIGHT]));
    par_run(p->net->par, (rows + per - 1) / per, forward_block, &j);
    return 0;
}

static void input_block(const struct job *j, size_t first, size_t rows, float *scratch)
{
    const struct arch_layer *l = j->l;
    size_t outs = l->out[0], taps = conv_taps(l), size = l->out[2] * taps,
           pixels = rows * l->out[2];
    const float *dy = j->dy + first * l->out[2] * outs;
    if (j->columns_are_input) {
        product(CblasNoTrans, CblasTrans, pixels, taps, outs, dy, outs, j->weight, outs, 0,
                j->dx + first * size);
        return;
    }
    product(CblasNoTrans, CblasTrans, pixels, taps, outs, dy, outs, j->weight, outs, 0, scratch);
    for (size_t i = 0; i < rows; i++) {
        size_t image = (first + i) / l->out[1], h = (first + i) % l->out[1];
        add_row_columns(l, scratch + i * size, h, j->dx + image * j->x_size);
    }
}

static void weight_block(const struct job *j, size_t first, size_t rows, float *scratch,
                         float *part, double *bias_part)
{
    const struct arch_layer *l = j->l;
    size_t outs = l->out[0], taps = conv_taps(l), pixels = rows * l->out[2];
    const float *dy = j->dy + first * l->out[2] * outs;
    const float *columns = columns_of(j, first, rows, scratch);
    product(CblasTrans, CblasNoTrans, taps, outs, pixels, columns, taps, dy, outs, 1, part);
    if (l->bias)
        j->p->net->k->channel_sums(dy, pixels, outs, bias_part);
}

/* A fixed share of the batch, block by block: the gradients meet nobody else's. */
static void backward_group(void *arg, size_t group, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->l;
    size_t weights = conv_taps(l) * l->out[0], per = block_rows(l);
    size_t from = split_at(j->p->n, group, j->groups), to = split_at(j->p->n, group + 1, j->groups);
    float *scratch = net_scratch(j->p->net, worker), *part = j->part + group * weights;
    double *bias_part = j->bias_part + group * l->out[0];
    memset(part, 0, weights * sizeof(float));
    memset(bias_part, 0, l->out[0] * sizeof(double));
    if (j->dx)
        memset(j->dx + from * j->x_size, 0, (to - from) * j->x_size * sizeof(float));
    for (size_t at = from * l->out[1], end = to * l->out[1]; at < end; at += per) {
        size_t rows = end - at < per ? end - at : per;
        if (j->p->grad)
            weight_block(j, at, rows, scratch, part, bias_part);
        if (j->dx)
            input_block(j, at, rows, scratch);
    }
}

static void backward(const struct pass *p, const struct op *op, const float *dy, float *const dx[2])
{
    struct job j = job_for(p, op);
    j.dy = dy;
    j.dx = dx[0];
    par_run(p->net->par, j.groups, backward_group, &j);
    if (!p->grad)
        return;
    conv_unpack_add(j.l, j.part, j.groups, conv_taps(j.l) * j.l->out[0],
                    packing_matrix(j.l->out[0]), p->net->par, p->grad + op_tensor(p->m, op, 0));
    if (j.l->bias)
        conv_bias_add(j.l, j.bias_part, j.groups, j.l->out[0], p->grad + op_tensor(p->m, op, 1));
}

const struct op_class op_columns = {.name = "conv (columns)",
                                    .needs_in = true,
                                    .in_for_params = true,
                                    .has_params = true,
                                    .plan = plan,
                                    .forward = forward,
                                    .backward = backward};
