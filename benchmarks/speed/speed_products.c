/* speed_products.c: what a training step of a network of linear layers costs at least: its matrix
 * products, one call of OpenBLAS each over the whole batch, on one thread. */
#include <cblas.h>
#include <stdlib.h>

#include "rng.h"
#include "speed_work.h"

struct product {
    uint32_t in, out;
    bool first;    /* needs no input gradient */
    float *x, *dx; /* (batch, in) */
    float *y;      /* (batch, out): outputs and their gradient */
    float *w, *dw; /* (out, in) */
};

struct products {
    uint32_t batch, n;
    struct product *layer;
};

void products_end(void *state)
{
    struct products *p = state;
    if (!p)
        return;
    for (uint32_t i = 0; p->layer && i < p->n; i++) {
        free(p->layer[i].x);
        free(p->layer[i].dx);
        free(p->layer[i].y);
        free(p->layer[i].w);
        free(p->layer[i].dw);
    }
    free(p->layer);
    free(p);
}

static float *random_floats(struct rng *rng, size_t n)
{
    float *v = malloc(n * sizeof(*v));
    if (v)
        rng_fill_uniform(rng, v, n);
    return v;
}

static int add_layer(struct products *p, const struct arch_layer *l, struct rng *rng,
                     struct error *err)
{
    struct product *r = &p->layer[p->n];
    size_t in = l->in[0], out = l->out[0], n = p->batch;
    *r = (struct product){.in = l->in[0], .out = l->out[0], .first = p->n == 0};
    p->n++;
    r->x = random_floats(rng, n * in);
    r->dx = random_floats(rng, n * in);
    r->y = random_floats(rng, n * out);
    r->w = random_floats(rng, in * out);
    r->dw = random_floats(rng, in * out);
    return r->x && r->dx && r->y && r->w && r->dw ? 0 : error_nomem(err);
}

static bool is_matrix_product(enum layer_kind kind)
{
    return kind == LAYER_LINEAR;
}

static bool is_elementwise(enum layer_kind kind)
{
    return kind == LAYER_FLATTEN || kind == LAYER_RELU || kind == LAYER_ELU ||
           kind == LAYER_DROPOUT || kind == LAYER_NORMALIZE;
}

static int fill(struct products *p, const struct bench_options *o, struct error *err)
{
    struct rng rng;
    const struct arch *a = o->arch;
    if (o->threads != 1)
        return error_set(err, ERR_INVALID, "products are timed on one thread; give --threads 1");
    p->layer = calloc(a->n_layers, sizeof(*p->layer));
    if (!p->layer)
        return error_nomem(err);
    rng_stream(&rng, o->seed, "speed/products", 0);
    for (uint32_t i = 0; i < a->n_layers; i++) {
        const struct arch_layer *l = &a->layer[i];
        if (is_matrix_product(l->kind))
            TRY(add_layer(p, l, &rng, err));
        else if (!is_elementwise(l->kind))
            return error_set(err, ERR_INVALID,
                             "layer %s is a %s; --products is for networks of linear layers, such "
                             "as mlp",
                             l->name, layer_kind_name(l->kind));
    }
    return 0;
}

int products_start(const struct bench_options *o, void **ret_state, struct error *err)
{
    struct products *p = calloc(1, sizeof(*p));
    if (!p)
        return error_nomem(err);
    p->batch = o->batch;
    int rc = fill(p, o, err);
    if (rc < 0)
        products_end(p);
    else
        *ret_state = p;
    return rc;
}

/* y = x W^T */
static void forward(const struct product *r, blasint n)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, (blasint)r->out, (blasint)r->in, 1,
                r->x, (blasint)r->in, r->w, (blasint)r->in, 0, r->y, (blasint)r->out);
}

/* dW = dy^T x, dx = dy W; the values do not matter, so y stands for its gradient. */
static void backward(const struct product *r, blasint n)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)r->out, (blasint)r->in, n, 1,
                r->y, (blasint)r->out, r->x, (blasint)r->in, 0, r->dw, (blasint)r->in);
    if (!r->first)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, (blasint)r->in, (blasint)r->out,
                    1, r->y, (blasint)r->out, r->w, (blasint)r->in, 0, r->dx, (blasint)r->in);
}

int products_step(void *state, struct error *err)
{
    const struct products *p = state;
    (void)err;
    for (uint32_t i = 0; i < p->n; i++)
        forward(&p->layer[i], (blasint)p->batch);
    for (uint32_t i = p->n; i-- > 0;)
        backward(&p->layer[i], (blasint)p->batch);
    return 0;
}
