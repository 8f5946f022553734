/* conv_pack.c: layouts of convolution weights. */
#include "conv_pack.h"

#include <string.h>

enum { MAX_GROUPS = 8 };

struct packing packing_panels(size_t taps)
{
    return (struct packing){.tap = PANEL, .panel = taps * PANEL};
}

struct packing packing_matrix(size_t outputs)
{
    return (struct packing){.tap = outputs, .panel = PANEL};
}

static inline size_t place(struct packing p, size_t tap, size_t output)
{
    return tap * p.tap + output / PANEL * p.panel + output % PANEL;
}

void conv_pack(const struct arch_layer *l, const float *w, struct packing to, float *packed)
{
    size_t n_out = l->out[0], n_in = l->in[0], window = (size_t)l->kernel * l->kernel;
    for (size_t o = 0; o < n_out; o++)
        for (size_t i = 0; i < n_in; i++, w += window)
            for (size_t k = 0; k < window; k++)
                packed[place(to, k * n_in + i, o)] = w[k];
}

void conv_pack_flipped(const struct arch_layer *l, const float *w, struct packing to, float *packed)
{
    size_t n_out = l->out[0], n_in = l->in[0], window = (size_t)l->kernel * l->kernel;
    for (size_t o = 0; o < n_out; o++)
        for (size_t i = 0; i < n_in; i++, w += window)
            for (size_t k = 0; k < window; k++)
                packed[place(to, k * n_out + o, i)] = w[window - 1 - k];
}

void conv_pack_transposed(const struct arch_layer *l, const float *w, struct packing to,
                          float *packed)
{
    size_t n_out = l->out[0], n_in = l->in[0], window = (size_t)l->kernel * l->kernel;
    for (size_t o = 0; o < n_out; o++)
        for (size_t i = 0; i < n_in; i++, w += window)
            for (size_t k = 0; k < window; k++)
                packed[place(to, o, k * n_in + i)] = w[k];
}

struct unpacking {
    const struct arch_layer *l;
    const float *part;
    size_t groups, size;
    struct packing from;
    float *grad;
};

/* All taps of PANEL outputs. */
static void unpack_panel(void *arg, size_t item, unsigned worker)
{
    const struct unpacking *u = arg;
    size_t n_in = u->l->in[0], window = (size_t)u->l->kernel * u->l->kernel;
    size_t first = item * PANEL, left = u->l->out[0] - first, lanes = left < PANEL ? left : PANEL;
    for (size_t k = 0; k < window; k++)
        for (size_t i = 0; i < n_in; i++) {
            const float *from = u->part + place(u->from, k * n_in + i, first);
            double sum[PANEL] = {0};
            for (size_t g = 0; g < u->groups; g++)
                for (size_t o = 0; o < lanes; o++)
                    sum[o] += (double)from[g * u->size + o];
            for (size_t o = 0; o < lanes; o++)
                u->grad[((first + o) * n_in + i) * window + k] += (float)sum[o];
        }
}

void conv_unpack_add(const struct arch_layer *l, const float *part, size_t groups, size_t size,
                     struct packing from, struct par *par, float *grad)
{
    struct unpacking u = {l, part, groups, size, from, grad};
    par_run(par, panels(l->out[0]), unpack_panel, &u);
}

void conv_bias_add(const struct arch_layer *l, const double *part, size_t groups, size_t size,
                   float *grad)
{
    for (size_t o = 0; o < l->out[0]; o++) {
        double sum = 0;
        for (size_t g = 0; g < groups; g++)
            sum += part[g * size + o];
        grad[o] += (float)sum;
    }
}

size_t conv_taps(const struct arch_layer *l)
{
    return (size_t)l->kernel * l->kernel * l->in[0];
}

uint32_t conv_groups(uint32_t images)
{
    return images < MAX_GROUPS ? images : MAX_GROUPS;
}

void conv_pad_image(const float *x, size_t h, size_t w, size_t c, size_t pad, float *padded)
{
    size_t row = (w + 2 * pad) * c, edge = pad * c;
    memset(padded, 0, pad * row * sizeof(float));
    padded += pad * row;
    for (size_t i = 0; i < h; i++, x += w * c, padded += row) {
        memset(padded, 0, edge * sizeof(float));
        memcpy(padded + edge, x, w * c * sizeof(float));
        memset(padded + edge + w * c, 0, edge * sizeof(float));
    }
    memset(padded, 0, pad * row * sizeof(float));
}
