/* reference.c: convolution by its definition. */
#include "reference.h"

#include <stdbool.h>
#include <string.h>

/* One multiplication of the sum: output, input and weight positions. */
struct term {
    size_t y, x, w;
};

typedef void term_fn(void *arg, const struct term *t);

size_t reference_out(const struct reference_conv *c, size_t size)
{
    return (size + 2 * c->pad - c->kernel) / c->stride + 1;
}

/* Position of kernel place k under output place o; false in the padding. */
static bool input_place(const struct reference_conv *c, size_t o, size_t k, size_t size,
                        size_t *ret)
{
    size_t at = o * c->stride + k;
    if (at < c->pad || at - c->pad >= size)
        return false;
    *ret = at - c->pad;
    return true;
}

/* All terms that meet in output (h, w) of image n and channel o. */
static void output_terms(const struct reference_conv *c, size_t n, size_t o, size_t h, size_t w,
                         term_fn *fn, void *arg)
{
    struct term t;
    size_t out_h = reference_out(c, c->height), out_w = reference_out(c, c->width), row, col;
    t.y = ((n * c->out + o) * out_h + h) * out_w + w;
    for (size_t i = 0; i < c->in; i++)
        for (size_t r = 0; r < c->kernel; r++)
            for (size_t s = 0; s < c->kernel; s++) {
                if (!input_place(c, h, r, c->height, &row) || !input_place(c, w, s, c->width, &col))
                    continue;
                t.x = ((n * c->in + i) * c->height + row) * c->width + col;
                t.w = ((o * c->in + i) * c->kernel + r) * c->kernel + s;
                fn(arg, &t);
            }
}

static void all_terms(const struct reference_conv *c, term_fn *fn, void *arg)
{
    size_t out_h = reference_out(c, c->height), out_w = reference_out(c, c->width);
    for (size_t n = 0; n < c->n; n++)
        for (size_t o = 0; o < c->out; o++)
            for (size_t h = 0; h < out_h; h++)
                for (size_t w = 0; w < out_w; w++)
                    output_terms(c, n, o, h, w, fn, arg);
}

struct arrays {
    const float *x, *w, *dy;
    double *y, *dx, *dw;
};

static void forward_term(void *arg, const struct term *t)
{
    struct arrays *a = arg;
    a->y[t->y] += (double)a->x[t->x] * (double)a->w[t->w];
}

static void backward_term(void *arg, const struct term *t)
{
    struct arrays *a = arg;
    a->dx[t->x] += (double)a->dy[t->y] * (double)a->w[t->w];
    a->dw[t->w] += (double)a->dy[t->y] * (double)a->x[t->x];
}

void reference_forward(const struct reference_conv *c, const float *x, const float *w,
                       const float *bias, double *y)
{
    struct arrays a = {.x = x, .w = w, .y = y};
    size_t map = reference_out(c, c->height) * reference_out(c, c->width);
    for (size_t i = 0; i < c->n * c->out * map; i++)
        y[i] = bias ? (double)bias[i / map % c->out] : 0;
    all_terms(c, forward_term, &a);
}

void reference_backward(const struct reference_conv *c, const float *x, const float *w,
                        const float *dy, double *dx, double *dw, double *dbias)
{
    struct arrays a = {.x = x, .w = w, .dy = dy, .dx = dx, .dw = dw};
    size_t map = reference_out(c, c->height) * reference_out(c, c->width);
    memset(dx, 0, c->n * c->in * c->height * c->width * sizeof(*dx));
    memset(dw, 0, c->out * c->in * c->kernel * c->kernel * sizeof(*dw));
    memset(dbias, 0, c->out * sizeof(*dbias));
    for (size_t i = 0; i < c->n * c->out * map; i++)
        dbias[i / map % c->out] += (double)dy[i];
    all_terms(c, backward_term, &a);
}
