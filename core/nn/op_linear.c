/* op_linear.c: y = x W^T + b by OpenBLAS, in shares that depend on the shapes
 * alone and own what they write. */
#include <cblas.h>
#include <string.h>

#include "net_internal.h"

/* Rows of the batch, or input features, of a share: OpenBLAS packs the other operand once for
 * each share, so shares are not small. */
enum { SHARE_ROWS = 64, SHARE_FEATURES = 512 };

struct job {
    const struct pass *p;
    const struct arch_layer *l;
    const float *x, *dy; /* (n, in), (n, out) */
    float *y, *dx;
    const float *weight, *bias; /* (out, in), (out) or NULL */
    float *weight_grad;         /* NULL when not wanted */
};

static struct job job_for(const struct pass *p, const struct op *op)
{
    struct job j = {.p = p, .l = op->layer, .x = net_act(p->net, op->in[0])};
    j.weight = p->m->param + op_tensor(p->m, op, 0);
    j.bias = j.l->bias ? p->m->param + op_tensor(p->m, op, 1) : NULL;
    return j;
}

static size_t shares(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static void forward_rows(void *arg, size_t share, unsigned worker)
{
    const struct job *j = arg;
    size_t in = j->l->in[0], out = j->l->out[0], first = share * SHARE_ROWS;
    size_t left = j->p->n - first, rows = left < SHARE_ROWS ? left : SHARE_ROWS;
    float *y = j->y + first * out;
    for (size_t i = 0; j->bias && i < rows; i++)
        memcpy(y + i * out, j->bias, out * sizeof(float));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)out, (blasint)in,
                1, j->x + first * in, (blasint)in, j->weight, (blasint)in, j->bias ? 1 : 0, y,
                (blasint)out);
}

static int forward(const struct pass *p, const struct op *op, struct error *err)
{
    struct job j = job_for(p, op);
    j.y = net_act(p->net, op->out);
    par_run(p->net->par, shares(p->n, SHARE_ROWS), forward_rows, &j);
    return 0;
}

/* A share of the input features: columns of the weights' gradient and of dx. */
static void backward_features(void *arg, size_t share, unsigned worker)
{
    const struct job *j = arg;
    size_t in = j->l->in[0], out = j->l->out[0], n = j->p->n, first = share * SHARE_FEATURES;
    size_t left = in - first, width = left < SHARE_FEATURES ? left : SHARE_FEATURES;
    if (j->weight_grad)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)out, (blasint)width,
                    (blasint)n, 1, j->dy, (blasint)out, j->x + first, (blasint)in, 1,
                    j->weight_grad + first, (blasint)in);
    if (j->dx)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)n, (blasint)width,
                    (blasint)out, 1, j->dy, (blasint)out, j->weight + first, (blasint)in, 0,
                    j->dx + first, (blasint)in);
}

static void add_bias_gradient(const struct job *j, float *grad)
{
    for (size_t o = 0; o < j->l->out[0]; o++) {
        double sum = 0;
        for (size_t i = 0; i < j->p->n; i++)
            sum += (double)j->dy[i * j->l->out[0] + o];
        grad[o] += (float)sum;
    }
}

static void backward(const struct pass *p, const struct op *op, const float *dy, float *const dx[2])
{
    struct job j = job_for(p, op);
    j.dy = dy;
    j.dx = dx[0];
    j.weight_grad = p->grad ? p->grad + op_tensor(p->m, op, 0) : NULL;
    par_run(p->net->par, shares(j.l->in[0], SHARE_FEATURES), backward_features, &j);
    if (p->grad && j.bias)
        add_bias_gradient(&j, p->grad + op_tensor(p->m, op, 1));
}

const struct op_class op_linear = {.name = "linear",
                                   .needs_in = true,
                                   .in_for_params = true,
                                   .has_params = true,
                                   .forward = forward,
                                   .backward = backward};
