#include "net_a.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct conv {
    int in, out, size_in, size_out, stride; /* square maps, kernel 3, padding 1 */
};
static const struct conv conv1 = {3, 4, 8, 8, 1}, conv2 = {4, 6, 8, 4, 2};

void net_a_load(struct net_a *net)
{
    memset(net, 0, sizeof *net);
    net->w1 = fixture_load("amun_pgdl2_netA/in_w_conv1_weight");
    net->b1 = fixture_load("amun_pgdl2_netA/in_w_conv1_bias");
    net->w2 = fixture_load("amun_pgdl2_netA/in_w_conv2_weight");
    net->b2 = fixture_load("amun_pgdl2_netA/in_w_conv2_bias");
    net->w3 = fixture_load("amun_pgdl2_netA/in_w_fc_weight");
    net->b3 = fixture_load("amun_pgdl2_netA/in_w_fc_bias");
}

void net_a_free(struct net_a *net)
{
    struct fixture *all[] = {&net->w1, &net->b1, &net->w2, &net->b2, &net->w3, &net->b3};
    for (size_t i = 0; i < 6; i++)
        fixture_free(all[i]);
}

/* Visits every (output o, input i, weight w) triple of a convolution. */
static void conv_visit(const struct conv *c, void (*fn)(void *, int o, int i, int w), void *arg)
{
    for (int f = 0; f < c->out; f++)
        for (int y = 0; y < c->size_out; y++)
            for (int x = 0; x < c->size_out; x++)
                for (int t = 0; t < c->in * 9; t++) {
                    int iy = y * c->stride + t % 9 / 3 - 1, ix = x * c->stride + t % 3 - 1;
                    if (iy >= 0 && iy < c->size_in && ix >= 0 && ix < c->size_in)
                        fn(arg, (f * c->size_out + y) * c->size_out + x,
                           (t / 9 * c->size_in + iy) * c->size_in + ix, f * c->in * 9 + t);
                }
}

struct product {
    const double *w, *in;
    double *out;
};

static void add_forward(void *arg, int o, int i, int w)
{
    struct product *p = arg;
    p->out[o] += p->w[w] * p->in[i];
}

static void add_backward(void *arg, int o, int i, int w)
{
    struct product *p = arg;
    p->out[i] += p->w[w] * p->in[o];
}

static void conv_relu(const struct conv *c, const struct fixture *w, const struct fixture *b,
                      const double *in, double *out)
{
    int area = c->size_out * c->size_out;
    struct product p = {w->v, in, out};
    for (int o = 0; o < c->out * area; o++)
        out[o] = b->v[o / area];
    conv_visit(c, add_forward, &p);
    for (int o = 0; o < c->out * area; o++)
        out[o] = out[o] > 0 ? out[o] : 0;
}

lethe_status net_a_forward(lethe_ctx *ctx, const lethe_model *model, const lethe_batch *batch,
                           int32_t mode, float *logits)
{
    struct net_a *net = (struct net_a *)model;
    assert_int_equal(mode, LETHE_EVAL);
    assert_true(batch->n <= NET_A_BATCH);
    net->n = batch->n;
    net->n_forward += batch->n;
    for (uint32_t s = 0; s < batch->n; s++) {
        double image[NET_A_PIXELS];
        if (net->label)
            assert_int_equal(batch->y[s], net->label[batch->id[s] - 100]);
        for (int p = 0; p < NET_A_PIXELS; p++)
            image[p] = batch->x[s * NET_A_PIXELS + p];
        conv_relu(&conv1, &net->w1, &net->b1, image, net->hidden1[s]);
        conv_relu(&conv2, &net->w2, &net->b2, net->hidden1[s], net->hidden2[s]);
        for (int k = 0; k < NET_A_CLASSES; k++) {
            double z = net->b3.v[k];
            for (int h = 0; h < 96; h++)
                z += net->w3.v[k * 96 + h] * net->hidden2[s][h];
            logits[s * NET_A_CLASSES + k] = (float)z;
        }
    }
    return fake_call(ctx);
}

lethe_status net_a_input_gradient(lethe_ctx *ctx, const lethe_model *model, const float *dlogits,
                                  float *dx)
{
    struct net_a *net = (struct net_a *)model;
    net->n_backward += net->n;
    for (uint32_t s = 0; s < net->n; s++) {
        double d2[96] = {0}, d1[4 * 64] = {0}, d0[NET_A_PIXELS] = {0};
        struct product second = {net->w2.v, d2, d1}, first = {net->w1.v, d1, d0};
        for (int k = 0; k < NET_A_CLASSES; k++)
            for (int h = 0; h < 96; h++)
                d2[h] += net->w3.v[k * 96 + h] * dlogits[s * NET_A_CLASSES + k];
        for (int h = 0; h < 96; h++)
            d2[h] *= net->hidden2[s][h] > 0;
        conv_visit(&conv2, add_backward, &second);
        for (int h = 0; h < 4 * 64; h++)
            d1[h] *= net->hidden1[s][h] > 0;
        conv_visit(&conv1, add_backward, &first);
        for (int p = 0; p < NET_A_PIXELS; p++)
            dx[s * NET_A_PIXELS + p] = (float)d0[p];
    }
    return fake_call(ctx);
}
