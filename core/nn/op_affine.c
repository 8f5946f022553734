/* op_affine.c: batch normalisation (Ioffe & Szegedy 2015, as PyTorch has it), or
 * the identity, with ReLU and 2x2 max pooling behind it in the same pass over
 * memory. Only the input is kept, and with pooling each window's winner. */
#include <math.h>
#include <string.h>

#include "net_internal.h"

#define BN_EPS 1e-5
#define BN_MOMENTUM 0.1

enum { SPAN_COEFFICIENTS, SPAN_SUMS, SPAN_TOP };
/* Parts of a sum over the batch's pixels; at least so many pixels in each. */
enum { MAX_PARTS = 64, PART_PIXELS = 256 };
/* Pixels of an item where nothing is summed. */
enum { ITEM_PIXELS = 1024 };

/* The coefficient rows, each padded to whole vectors. */
enum { ROW_MEAN, ROW_SCALE, ROW_BETA, ROW_INV_STD, ROW_A, ROW_B, ROW_C, N_ROWS };

static size_t padded_channels(const struct arch_layer *l)
{
    return panels(l->in[0]) * PANEL;
}

static void plan(struct net *net, struct op *op)
{
    size_t c = padded_channels(op->layer);
    uint32_t f = op->time, b = op->back_time;
    op->span[SPAN_COEFFICIENTS] = net_reserve(net, N_ROWS * c * sizeof(float), f, b);
    op->span[SPAN_SUMS] = net_reserve(net, MAX_PARTS * 2 * c * sizeof(double), f, b);
    if (op->pool)
        op->span[SPAN_TOP] =
            net_reserve(net, net->value[op->out].size * net->max_batch * sizeof(float), f, b);
}

struct job {
    const struct pass *p;
    const struct op *op;
    const struct kernels *k;
    size_t c, h, w;
    size_t pixels; /* that sums run over: of the batch, behind the pooling if there is one */
    size_t parts;
    float *row[N_ROWS];
    double *sums; /* (parts, 2, c) */
    struct affine map;
    struct affine_grad slope;
    const float *z, *dy;
    float *y, *top, *dz;
    const float *side; /* added behind the map; NULL: nothing is */
    float *g;          /* the gradient in front of that sum and its ReLU */
    float factor;      /* of the sum */
};

static struct job job_for(const struct pass *p, const struct op *op)
{
    const struct net *net = p->net;
    const struct arch_layer *l = op->layer;
    struct job j = {.p = p, .op = op, .k = net->k, .c = l->in[0], .h = l->in[1], .w = l->in[2]};
    float *rows = net_at(net, op->span[SPAN_COEFFICIENTS]);
    for (int i = 0; i < N_ROWS; i++)
        j.row[i] = rows + i * padded_channels(l);
    j.sums = net_at(net, op->span[SPAN_SUMS]);
    j.map = (struct affine){j.row[ROW_MEAN], j.row[ROW_SCALE], j.row[ROW_BETA], op->relu};
    j.slope = (struct affine_grad){j.row[ROW_A], j.row[ROW_B], j.row[ROW_C]};
    j.z = net_act(net, op->in[0]);
    j.top = op->pool ? net_at(net, op->span[SPAN_TOP]) : NULL;
    j.factor = op->halve ? 0.5F : 1;
    return j;
}

static bool is_norm(const struct op *op)
{
    return op->layer->kind == LAYER_BATCHNORM;
}

static void set_pixels(struct job *j, size_t pixels)
{
    size_t parts = pixels / PART_PIXELS;
    j->pixels = pixels;
    j->parts = parts < 1 ? 1 : parts > MAX_PARTS ? MAX_PARTS : parts;
}

/* Sum of column `which` of channel c over the parts, in order. */
static double total(const struct job *j, int which, size_t c)
{
    double sum = 0;
    for (size_t i = 0; i < j->parts; i++)
        sum += j->sums[(2 * i + (size_t)which) * j->c + c];
    return sum;
}

static void moments_part(void *arg, size_t part, unsigned worker)
{
    const struct job *j = arg;
    size_t from = split_at(j->pixels, part, j->parts), to = split_at(j->pixels, part + 1, j->parts);
    double *sum = j->sums + 2 * part * j->c;
    memset(sum, 0, 2 * j->c * sizeof(*sum));
    j->k->moments(j->z + from * j->c, to - from, j->c, j->row[ROW_MEAN], sum, sum + j->c);
}

/* Means and variances of the batch, around the first pixel so that nothing cancels. */
static void batch_statistics(struct job *j, float *running_mean, float *running_var)
{
    set_pixels(j, (size_t)j->p->n * j->h * j->w);
    double n = (double)j->pixels;
    memcpy(j->row[ROW_MEAN], j->z, j->c * sizeof(float));
    par_run(j->p->net->par, j->parts, moments_part, j);
    for (size_t c = 0; c < j->c; c++) {
        double mean = total(j, 0, c) / n, square = total(j, 1, c) / n;
        double var = fmax(square - mean * mean, 0);
        mean += (double)j->row[ROW_MEAN][c];
        j->row[ROW_MEAN][c] = (float)mean;
        j->row[ROW_INV_STD][c] = (float)(1 / sqrt(var + BN_EPS));
        running_mean[c] = (float)((1 - BN_MOMENTUM) * (double)running_mean[c] + BN_MOMENTUM * mean);
        running_var[c] =
            (float)((1 - BN_MOMENTUM) * (double)running_var[c] + BN_MOMENTUM * var * n / (n - 1));
    }
}

static void running_statistics(struct job *j, const float *mean, const float *var)
{
    for (size_t c = 0; c < j->c; c++) {
        j->row[ROW_MEAN][c] = mean[c];
        j->row[ROW_INV_STD][c] = (float)(1 / sqrt((double)var[c] + BN_EPS));
    }
}

static void norm_coefficients(struct job *j)
{
    const struct model *m = j->p->m;
    const float *gamma = m->param + op_tensor(m, j->op, 0);
    size_t mean = op_tensor(m, j->op, 2), var = op_tensor(m, j->op, 3);
    if (j->p->stat)
        batch_statistics(j, j->p->stat + mean, j->p->stat + var);
    else
        running_statistics(j, m->stat + mean, m->stat + var);
    memcpy(j->row[ROW_BETA], m->param + op_tensor(m, j->op, 1), j->c * sizeof(float));
    for (size_t c = 0; c < j->c; c++)
        j->row[ROW_SCALE][c] = gamma[c] * j->row[ROW_INV_STD][c];
}

static void identity_coefficients(struct job *j)
{
    for (size_t c = 0; c < j->c; c++) {
        j->row[ROW_MEAN][c] = j->row[ROW_BETA][c] = 0;
        j->row[ROW_SCALE][c] = j->row[ROW_INV_STD][c] = 1;
    }
}

static void map_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    size_t at = item * ITEM_PIXELS, all = (size_t)j->p->n * j->h * j->w;
    size_t n = all - at < ITEM_PIXELS ? all - at : ITEM_PIXELS;
    j->k->affine(j->z + at * j->c, n, j->c, &j->map, j->y + at * j->c);
}

static void join_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    size_t at = item * ITEM_PIXELS, all = (size_t)j->p->n * j->h * j->w;
    size_t n = all - at < ITEM_PIXELS ? all - at : ITEM_PIXELS;
    j->k->affine_join(j->z + at * j->c, j->side + at * j->c, n, j->c, &j->map, j->factor,
                      j->y + at * j->c);
}

static void pool_item(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    size_t in = j->h * j->w * j->c, out = in / 4;
    j->k->affine_pool(j->z + image * in, (uint32_t)j->h, (uint32_t)j->w, j->c, &j->map,
                      j->y + image * out, j->p->keep ? j->top + image * out : NULL);
}

static int forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = job_for(p, op);
    size_t pixels = p->n * j.h * j.w;
    if (p->stat && is_norm(op) && pixels == 1)
        return error_set(
            err, ERR_INVALID,
            "layer %s: batch normalisation of one value per channel (a batch of 1 image "
            "and a 1x1 map) has no variance; train with larger batches",
            op->layer->name);
    j.y = net_act(p->net, op->out);
    if (is_norm(op))
        norm_coefficients(&j);
    else
        identity_coefficients(&j);
    if (op->pool) {
        par_run(p->net->par, p->n, pool_item, &j);
        return 0;
    }
    if (op->n_in == 2)
        j.side = net_act(p->net, op->in[1]);
    par_run(p->net->par, (pixels + ITEM_PIXELS - 1) / ITEM_PIXELS, j.side ? join_item : map_item,
            &j);
    return 0;
}

void affine_again(const struct pass *p, const struct op *op)
{
    struct job j = job_for(p, op);
    size_t pixels = p->n * j.h * j.w;
    j.y = net_act(p->net, op->out);
    par_run(p->net->par, (pixels + ITEM_PIXELS - 1) / ITEM_PIXELS, map_item, &j);
}

/* Pixels that are not a window's winner have no gradient, so winners are summed alone. */
static void sums_part(void *arg, size_t part, unsigned worker)
{
    const struct job *j = arg;
    size_t from = split_at(j->pixels, part, j->parts), to = split_at(j->pixels, part + 1, j->parts);
    const float *z = j->top ? j->top : j->z;
    double *sum = j->sums + 2 * part * j->c;
    memset(sum, 0, 2 * j->c * sizeof(*sum));
    j->k->affine_sums(z + from * j->c, j->dy + from * j->c, to - from, j->c, &j->map, sum,
                      sum + j->c);
}

static void join_part(void *arg, size_t part, unsigned worker)
{
    const struct job *j = arg;
    size_t from = split_at(j->pixels, part, j->parts), to = split_at(j->pixels, part + 1, j->parts);
    size_t at = from * j->c;
    double *sum = j->sums + 2 * part * j->c;
    memset(sum, 0, 2 * j->c * sizeof(*sum));
    j->k->join_sums(j->z + at, j->y + at, j->dy + at, to - from, j->c, &j->map, j->factor,
                    j->g + at, sum, sum + j->c);
}

/* With x^ = (z - mean) / std over M pixels and g the gradient of gamma x^ + beta:
 * dgamma = sum g x^, dbeta = sum g, and dz = gamma / std (g - dbeta / M - x^ dgamma / M), or
 * gamma g / std when the statistics are constants (Ioffe & Szegedy 2015, section 3). */
static void norm_slopes(struct job *j, bool through_statistics)
{
    const struct model *m = j->p->m;
    const double count = (double)j->p->n * (double)(j->h * j->w);
    float *dgamma = j->p->grad ? j->p->grad + op_tensor(m, j->op, 0) : NULL;
    float *dbeta = j->p->grad ? j->p->grad + op_tensor(m, j->op, 1) : NULL;
    for (size_t c = 0; c < j->c; c++) {
        double a = (double)j->row[ROW_SCALE][c], inv_std = (double)j->row[ROW_INV_STD][c];
        double sum_g = j->parts ? total(j, 0, c) : 0, sum_gz = j->parts ? total(j, 1, c) : 0;
        j->row[ROW_A][c] = (float)a;
        j->row[ROW_B][c] =
            through_statistics ? (float)(-a * inv_std * inv_std * sum_gz / count) : 0;
        j->row[ROW_C][c] = through_statistics ? (float)(-a * sum_g / count) : 0;
        if (dgamma) {
            dgamma[c] += (float)(sum_gz * inv_std);
            dbeta[c] += (float)sum_g;
        }
    }
}

static void identity_slopes(struct job *j)
{
    for (size_t c = 0; c < j->c; c++) {
        j->row[ROW_A][c] = 1;
        j->row[ROW_B][c] = j->row[ROW_C][c] = 0;
    }
}

static void map_grad_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    size_t at = item * ITEM_PIXELS, all = (size_t)j->p->n * j->h * j->w;
    size_t n = all - at < ITEM_PIXELS ? all - at : ITEM_PIXELS;
    j->k->affine_grad(j->z + at * j->c, j->dy + at * j->c, n, j->c, &j->map, &j->slope,
                      j->dz + at * j->c);
}

static void pool_grad_item(void *arg, size_t image, unsigned worker)
{
    const struct job *j = arg;
    size_t in = j->h * j->w * j->c, out = in / 4;
    j->k->affine_pool_grad(j->z + image * in, j->top + image * out, j->dy + image * out,
                           (uint32_t)j->h, (uint32_t)j->w, j->c, &j->map, &j->slope,
                           j->dz + image * in);
}

static void backward(const struct pass *p, const struct op *op, const float *dy, float *const dx[2])
{
    struct job j = job_for(p, op);
    size_t pixels = p->n * j.h * j.w;
    bool through = p->mode == NET_TRAIN;
    j.dy = dy;
    j.dz = dx[0];
    if (is_norm(op)) {
        if (through || p->grad) {
            set_pixels(&j, op->pool ? pixels / 4 : pixels);
            par_run(p->net->par, j.parts, sums_part, &j);
        }
        norm_slopes(&j, through);
    } else {
        identity_slopes(&j);
    }
    if (!j.dz)
        return;
    if (op->pool)
        par_run(p->net->par, p->n, pool_grad_item, &j);
    else
        par_run(p->net->par, (pixels + ITEM_PIXELS - 1) / ITEM_PIXELS, map_grad_item, &j);
}

/* Without a gradient for the side, g takes the place of dy, which nobody reads again. */
static void join_backward(const struct pass *p, const struct op *op, const float *dy,
                          float *const dx[2])
{
    struct job j = job_for(p, op);
    size_t pixels = p->n * j.h * j.w;
    j.y = net_act(p->net, op->out);
    j.dy = dy;
    j.g = dx[1] ? dx[1] : net_grad(p->net, op->out);
    j.dz = dx[0];
    set_pixels(&j, pixels);
    par_run(p->net->par, j.parts, join_part, &j);
    norm_slopes(&j, p->mode == NET_TRAIN);
    j.dy = j.g;
    j.map.relu = false;
    if (j.dz)
        par_run(p->net->par, (pixels + ITEM_PIXELS - 1) / ITEM_PIXELS, map_grad_item, &j);
}

const struct op_class op_join = {.name = "join",
                                 .needs_in = true,
                                 .needs_out = true,
                                 .has_params = true,
                                 .plan = plan,
                                 .forward = forward,
                                 .backward = join_backward};
const struct op_class op_affine = {.name = "affine",
                                   .needs_in = true,
                                   .has_params = true,
                                   .plan = plan,
                                   .forward = forward,
                                   .backward = backward};
