/* op_tiles.c: convolution by tiles: Winograd's algorithm for 3x3 kernels of
 * stride 1, columns for the others. The backward pass is the exact adjoint of the forward pass:
 * dm = A dy serves both dfilters += v^T dm and dv = dm filters^T, and dx is the overlap-add of
 * B dv.
 *
 * Every split is fixed by shapes: blocks and groups own what they write, and sums over groups run
 * in their order. */
#include <string.h>

#include "conv_pack.h"
#include "tiling.h"

enum {
    SPAN_FILTER,
    SPAN_V,
    SPAN_M,
    SPAN_BACK_FILTER,
    SPAN_BACK_V,
    SPAN_BACK_M,
    SPAN_GRADIENT,
    SPAN_BIAS
};
/* Tiles that go through all phases together, and tiles of an item of one phase. */
enum { BLOCK_TILES = 64, PHASE_TILES = 16 };
/* Panels of filters that are transformed and used while they are in the cache. */
enum { FILTER_PANELS = 8 };
/* Shares of an input gradient without parameter gradients. */
enum { INPUT_SHARES = 64 };

struct job {
    const struct pass *p;
    const struct op *op;
    struct tiling t;
    struct tile_layout y; /* of a block, or of the batch when phased */
    size_t tiles;         /* of the batch */
    const float *x, *dy;
    float *out, *dx;
    const float *w;    /* (O, I, K, K) */
    float *bias;       /* (out_panels, PANEL) */
    float *filter;     /* transformed, of the panels [first, first + n) when phased */
    float *gradient;   /* of the transformed filters */
    float *v, *m;      /* of the batch, when phased */
    float *w_grad;     /* NULL when not wanted */
    double *bias_sums; /* (groups, O) */
    size_t groups;     /* partial sums of the filters' gradient */
    size_t shares;     /* images of the batch are split into */
    size_t first, n;   /* filter panels */
};

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t pieces(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static size_t line_size(const struct tiling *t)
{
    return max_size(t->in_panels, t->out_panels) * PANEL;
}

/* A worker's memory: pointers, a line of zeros, a line for rubbish, and a block's operands. */
struct work {
    float **at;
    float *zeros, *rubbish, *v, *m;
};

static size_t pointer_floats(const struct tiling *t)
{
    return BLOCK_TILES * t->in_pixels * sizeof(float *) / sizeof(float);
}

static struct work work_of(const struct job *j, unsigned worker)
{
    float *scratch = net_scratch(j->p->net, worker);
    struct work w = {.at = (float **)(void *)scratch};
    w.zeros = scratch + pointer_floats(&j->t);
    w.rubbish = w.zeros + line_size(&j->t);
    w.v = j->t.phased ? j->v : w.rubbish + line_size(&j->t);
    w.m = j->t.phased ? j->m : w.v + j->y.v_size;
    memset(w.zeros, 0, 2 * line_size(&j->t) * sizeof(float));
    return w;
}

static void plan_phased(struct net *net, struct op *op, const struct tiling *t)
{
    struct tile_layout y = tile_layout_of(t, net->max_batch * tiling_per_image(t));
    uint32_t f = op->time, b = op->back_time;
    op->span[SPAN_V] = net_reserve(net, y.v_size * sizeof(float), f, f);
    op->span[SPAN_M] = net_reserve(net, y.m_size * sizeof(float), f, f);
    op->span[SPAN_BACK_V] = net_reserve(net, y.v_size * sizeof(float), b, b);
    op->span[SPAN_BACK_M] = net_reserve(net, y.m_size * sizeof(float), b, b);
}

static void plan(struct net *net, struct op *op)
{
    struct tiling t = tiling_of(net->k, op->layer, op->ties);
    size_t outs = t.phased ? min_size(t.out_panels, FILTER_PANELS) : t.out_panels;
    size_t ins = t.phased ? min_size(t.in_panels, FILTER_PANELS) : t.in_panels;
    size_t scratch = pointer_floats(&t) + 2 * line_size(&t);
    uint32_t f = op->time, b = op->back_time;
    op->groups = t.phased ? 1 : conv_groups(net->max_batch);
    size_t bias = max_size(t.out_panels * PANEL * sizeof(float),
                           conv_groups(net->max_batch) * op->layer->out[0] * sizeof(double));
    op->span[SPAN_FILTER] = net_reserve(net, filters_forward(&t, outs).size * sizeof(float), f, f);
    op->span[SPAN_BACK_FILTER] =
        net_reserve(net, filters_backward(&t, ins).size * sizeof(float), b, b);
    op->span[SPAN_GRADIENT] =
        net_reserve(net, op->groups * filters_gradient(&t, ins).size * sizeof(float), b, b);
    op->span[SPAN_BIAS] = net_reserve(net, bias, f, b);
    if (t.phased) {
        plan_phased(net, op, &t);
    } else {
        struct tile_layout y = tile_layout_of(&t, BLOCK_TILES);
        scratch += y.v_size + y.m_size;
    }
    net_want_scratch(net, scratch * sizeof(float));
}

static struct job job_for(const struct pass *p, const struct op *op)
{
    const struct net *net = p->net;
    struct job j = {.p = p, .op = op, .t = tiling_of(net->k, op->layer, op->ties)};
    j.tiles = p->n * tiling_per_image(&j.t);
    j.y = tile_layout_of(&j.t, j.t.phased ? j.tiles : BLOCK_TILES);
    j.x = net_act(net, op->in[0]);
    j.w = p->m->param + op_tensor(p->m, op, 0);
    j.n = j.t.phased ? FILTER_PANELS : max_size(j.t.in_panels, j.t.out_panels);
    return j;
}

static struct tile_set set_of(const struct job *j, const struct tile_range *r, const struct work *w,
                              bool input)
{
    return (struct tile_set){.at = w->at,
                             .n = r->n,
                             .pixels = input ? j->t.in_pixels : j->t.out_pixels,
                             .channels = input ? j->t.l->in[0] : j->t.l->out[0],
                             .panel = j->y.panel,
                             .plane = input ? j->y.v_plane : j->y.m_plane};
}

/* v = B^T x; `to` holds the range's first tile. */
static void gather(const struct job *j, const struct tile_range *r, const struct work *w, float *to)
{
    struct tile_set set = set_of(j, r, w, true);
    tiling_inputs(&j->t, r, j->x, w->zeros, w->at);
    j->t.k->gather(&set, to);
}

static void gather_adjoint(const struct job *j, const struct tile_range *r, const struct work *w,
                           float *to)
{
    struct tile_set set = set_of(j, r, w, false);
    tiling_outputs(&j->t, r, j->dy, w->zeros, w->at);
    j->t.k->gather_adjoint(&set, to);
}

static void scatter(const struct job *j, const struct tile_range *r, const struct work *w,
                    const float *from)
{
    struct tile_set set = set_of(j, r, w, false);
    tiling_outputs(&j->t, r, j->out, w->rubbish, w->at);
    j->t.k->scatter(&set, from, j->bias);
}

/* Zeroes each image of dx when its first tile comes, unless it adds to what is there. */
static void scatter_adjoint(const struct job *j, const struct tile_range *r, const struct work *w,
                            const float *from)
{
    size_t per = tiling_per_image(&j->t), size = j->p->net->value[j->op->in[0]].size;
    size_t first = pieces(r->first, per), end = pieces(r->first + r->n, per);
    struct tile_set set = set_of(j, r, w, true);
    if (!j->p->add)
        memset(j->dx + first * size, 0, (end - first) * size * sizeof(float));
    tiling_inputs(&j->t, r, j->dx, w->rubbish, w->at);
    j->t.k->scatter_adjoint(&set, from);
}

/* m = v filter, for `rows` tiles and the output panels [first, first + n) of a plane; with columns
 * for all planes in one sum. `filter` begins with output panel `base`. */
static void multiply(const struct job *j, size_t rows, size_t plane, size_t base, size_t first,
                     size_t n, const float *v, float *m)
{
    struct filter_layout f = filters_forward(&j->t, min_size(j->n, j->t.out_panels));
    struct product g = {.rows = rows,
                        .inner = (j->t.winograd ? 1 : j->t.planes) * j->t.in_panels,
                        .columns = n,
                        .a_panel = j->y.panel,
                        .b_panel = f.panel,
                        .c_panel = j->y.panel};
    size_t e = j->t.winograd ? plane : 0;
    j->p->net->k->product(&g, v + e * j->y.v_plane,
                          j->filter + e * f.plane + (first - base) * f.panel,
                          m + e * j->y.m_plane + first * j->y.panel);
}

/* dv = dm filter^T for the input panels [first, first + n) of a plane. */
static void multiply_back(const struct job *j, size_t rows, size_t plane, size_t base, size_t first,
                          size_t n, const float *m, float *v)
{
    struct filter_layout f = filters_backward(&j->t, min_size(j->n, j->t.in_panels));
    struct product g = {.rows = rows,
                        .inner = j->t.out_panels,
                        .columns = n,
                        .a_panel = j->y.panel,
                        .b_panel = f.panel,
                        .c_panel = j->y.panel};
    j->p->net->k->product(&g, m + plane * j->y.m_plane,
                          j->filter + plane * f.plane + (first - base) * f.panel,
                          v + plane * j->y.v_plane + first * j->y.panel);
}

/* dfilter += v^T dm for the input panels [first, first + n) of a plane. */
static void multiply_adjoint(const struct job *j, size_t rows, size_t plane, size_t base,
                             size_t first, size_t n, const float *v, const float *m,
                             float *gradient)
{
    struct filter_layout f = filters_gradient(&j->t, min_size(j->n, j->t.in_panels));
    struct product_adjoint g = {.rows = rows,
                                .a_panels = n,
                                .columns = j->t.out_panels,
                                .a_panel = j->y.panel,
                                .b_panel = j->y.panel,
                                .d_panel = f.panel};
    j->p->net->k->product_adjoint(&g, v + plane * j->y.v_plane + first * j->y.panel,
                                  m + plane * j->y.m_plane,
                                  gradient + plane * f.plane + (first - base) * PANEL * PANEL);
}

static void filter_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct filter_layout f = filters_forward(&j->t, min_size(j->n, j->t.out_panels));
    tiling_filter(&j->t, j->w, j->first + item, &f, j->filter + item * f.panel);
}

static void filter_back_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct filter_layout f = filters_backward(&j->t, min_size(j->n, j->t.in_panels));
    tiling_filter_back(&j->t, j->w, j->first + item, &f, j->filter + item * f.panel);
}

/* An item is an output panel of the filters' gradient. */
static void filter_gradient_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct filter_layout f = filters_gradient(&j->t, min_size(j->n, j->t.in_panels));
    size_t n = min_size(j->n, j->t.in_panels - j->first);
    tiling_filter_gradient(&j->t, j->gradient, j->groups, &f, item, j->first, n, j->w_grad);
}

static void forward_block(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct work w = work_of(j, worker);
    struct tile_range r = {.first = item * BLOCK_TILES};
    r.n = min_size(j->tiles - r.first, BLOCK_TILES);
    gather(j, &r, &w, w.v);
    for (size_t e = 0; e < (j->t.winograd ? j->t.planes : 1); e++)
        multiply(j, r.n, e, 0, 0, j->t.out_panels, w.v, w.m);
    scatter(j, &r, &w, w.m);
}

static struct tile_range phase_range(const struct job *j, size_t item)
{
    struct tile_range r = {.first = item * PHASE_TILES};
    r.n = min_size(j->tiles - r.first, PHASE_TILES);
    return r;
}

static void gather_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct work w = work_of(j, worker);
    struct tile_range r = phase_range(j, item);
    gather(j, &r, &w, j->v + r.first * PANEL);
}

static void gather_adjoint_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct work w = work_of(j, worker);
    struct tile_range r = phase_range(j, item);
    gather_adjoint(j, &r, &w, j->m + r.first * PANEL);
}

static void scatter_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct work w = work_of(j, worker);
    struct tile_range r = phase_range(j, item);
    scatter(j, &r, &w, j->m + r.first * PANEL);
}

/* Whole images: their tiles overlap in dx. */
static size_t phase_images(const struct tiling *t)
{
    return max_size(1, PHASE_TILES / tiling_per_image(t));
}

static void scatter_adjoint_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct work w = work_of(j, worker);
    size_t per = phase_images(&j->t) * tiling_per_image(&j->t);
    struct tile_range r = {.first = item * per};
    r.n = min_size(j->tiles - r.first, per);
    scatter_adjoint(j, &r, &w, j->v + r.first * PANEL);
}

/* Panels of a product of one item when phased: with few planes there must be more items. */
static size_t item_panels(const struct tiling *t)
{
    return t->winograd ? FILTER_PANELS : 2;
}

static size_t block_items(const struct job *j, size_t all_panels)
{
    return pieces(min_size(j->n, all_panels - j->first), item_panels(&j->t));
}

struct item_range {
    size_t plane, first, n; /* panels */
};

static struct item_range item_range(const struct job *j, size_t item, size_t all_panels)
{
    size_t per_plane = block_items(j, all_panels), end = min_size(j->first + j->n, all_panels);
    struct item_range r = {.plane = item / per_plane};
    r.first = j->first + item % per_plane * item_panels(&j->t);
    r.n = min_size(item_panels(&j->t), end - r.first);
    return r;
}

static void multiply_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct item_range r = item_range(j, item, j->t.out_panels);
    multiply(j, j->tiles, r.plane, j->first, r.first, r.n, j->v, j->m);
}

static void zero_gradient(const struct job *j, const struct item_range *r)
{
    struct filter_layout f = filters_gradient(&j->t, min_size(j->n, j->t.in_panels));
    float *at = j->gradient + r->plane * f.plane + (r->first - j->first) * PANEL * PANEL;
    for (size_t p = 0; p < j->t.out_panels; p++, at += f.panel)
        memset(at, 0, r->n * PANEL * PANEL * sizeof(float));
}

/* The gradient of filters first: then dv takes the place of v. */
static void multiply_back_item(void *arg, size_t item, unsigned worker)
{
    const struct job *j = arg;
    struct item_range r = item_range(j, item, j->t.in_panels);
    if (j->w_grad) {
        zero_gradient(j, &r);
        multiply_adjoint(j, j->tiles, r.plane, j->first, r.first, r.n, j->v, j->m, j->gradient);
    }
    if (j->dx)
        multiply_back(j, j->tiles, r.plane, j->first, r.first, r.n, j->m, j->v);
}

static void forward_phased(struct job *j)
{
    struct par *par = j->p->net->par;
    size_t phases = pieces(j->tiles, PHASE_TILES);
    par_run(par, phases, gather_item, j);
    for (; j->first < j->t.out_panels; j->first += j->n) {
        par_run(par, min_size(j->n, j->t.out_panels - j->first), filter_item, j);
        par_run(par, (j->t.winograd ? j->t.planes : 1) * block_items(j, j->t.out_panels),
                multiply_item, j);
    }
    par_run(par, phases, scatter_item, j);
}

static int forward(const struct pass *p, const struct op *op, struct error *err)
{
    const struct net *net = p->net;
    struct job j = job_for(p, op);
    j.out = net_act(net, op->out);
    j.bias = net_at(net, op->span[SPAN_BIAS]);
    j.filter = net_at(net, op->span[SPAN_FILTER]);
    memset(j.bias, 0, j.t.out_panels * PANEL * sizeof(float));
    if (op->layer->bias)
        memcpy(j.bias, p->m->param + op_tensor(p->m, op, 1), op->layer->out[0] * sizeof(float));
    if (j.t.phased) {
        j.v = net_at(net, op->span[SPAN_V]);
        j.m = net_at(net, op->span[SPAN_M]);
        forward_phased(&j);
        return 0;
    }
    par_run(net->par, j.t.out_panels, filter_item, &j);
    par_run(net->par, pieces(j.tiles, BLOCK_TILES), forward_block, &j);
    return 0;
}

static void backward_block(const struct job *j, const struct tile_range *r, const struct work *w,
                           float *gradient)
{
    if (j->w_grad)
        gather(j, r, w, w->v);
    gather_adjoint(j, r, w, w->m);
    for (size_t e = 0; e < j->t.planes; e++) {
        if (j->w_grad)
            multiply_adjoint(j, r->n, e, 0, 0, j->t.in_panels, w->v, w->m, gradient);
        if (j->dx)
            multiply_back(j, r->n, e, 0, 0, j->t.in_panels, w->m, w->v);
    }
    if (j->dx)
        scatter_adjoint(j, r, w, w->v);
}

/* A fixed share of the images, block by block, with a gradient of its own. */
static void backward_share(void *arg, size_t share, unsigned worker)
{
    const struct job *j = arg;
    struct work w = work_of(j, worker);
    size_t per = tiling_per_image(&j->t);
    size_t at = split_at(j->p->n, share, j->shares) * per;
    size_t end = split_at(j->p->n, share + 1, j->shares) * per;
    struct filter_layout f = filters_gradient(&j->t, j->t.in_panels);
    float *gradient = j->gradient + share * f.size;
    if (j->w_grad)
        memset(gradient, 0, f.size * sizeof(float));
    while (at < end) {
        struct tile_range r = {at, min_size(end - at, BLOCK_TILES)};
        backward_block(j, &r, &w, gradient);
        at += r.n;
    }
}

static void backward_blocks(struct job *j)
{
    struct par *par = j->p->net->par;
    j->groups = conv_groups(j->p->n);
    j->shares = j->w_grad ? j->groups : min_size(j->p->n, INPUT_SHARES);
    if (j->dx)
        par_run(par, j->t.in_panels, filter_back_item, j);
    par_run(par, j->shares, backward_share, j);
    if (j->w_grad)
        par_run(par, j->t.out_panels, filter_gradient_item, j);
}

static void backward_phased(struct job *j)
{
    struct par *par = j->p->net->par;
    size_t phases = pieces(j->tiles, PHASE_TILES);
    j->groups = 1;
    if (j->w_grad)
        par_run(par, phases, gather_item, j);
    par_run(par, phases, gather_adjoint_item, j);
    for (; j->first < j->t.in_panels; j->first += j->n) {
        size_t panels_here = min_size(j->n, j->t.in_panels - j->first);
        if (j->dx)
            par_run(par, panels_here, filter_back_item, j);
        par_run(par, j->t.planes * block_items(j, j->t.in_panels), multiply_back_item, j);
        if (j->w_grad)
            par_run(par, j->t.out_panels, filter_gradient_item, j);
    }
    if (j->dx)
        par_run(par, pieces(j->p->n, phase_images(&j->t)), scatter_adjoint_item, j);
}

static void bias_group(void *arg, size_t group, unsigned worker)
{
    const struct job *j = arg;
    const struct arch_layer *l = j->t.l;
    size_t map = (size_t)l->out[1] * l->out[2], groups = conv_groups(j->p->n);
    size_t from = split_at(j->p->n, group, groups), to = split_at(j->p->n, group + 1, groups);
    double *sum = j->bias_sums + group * l->out[0];
    memset(sum, 0, l->out[0] * sizeof(*sum));
    j->p->net->k->channel_sums(j->dy + from * map * l->out[0], (to - from) * map, l->out[0], sum);
}

static void bias_gradient(struct job *j)
{
    const struct arch_layer *l = j->t.l;
    size_t groups = conv_groups(j->p->n);
    j->bias_sums = net_at(j->p->net, j->op->span[SPAN_BIAS]);
    par_run(j->p->net->par, groups, bias_group, j);
    conv_bias_add(l, j->bias_sums, groups, l->out[0], j->p->grad + op_tensor(j->p->m, j->op, 1));
}

static void backward(const struct pass *p, const struct op *op, const float *dy, float *const dx[2])
{
    const struct net *net = p->net;
    struct job j = job_for(p, op);
    j.dy = dy;
    j.dx = dx[0];
    j.filter = net_at(net, op->span[SPAN_BACK_FILTER]);
    j.gradient = net_at(net, op->span[SPAN_GRADIENT]);
    j.w_grad = p->grad ? p->grad + op_tensor(p->m, op, 0) : NULL;
    if (j.t.phased) {
        j.v = net_at(net, op->span[SPAN_BACK_V]);
        j.m = net_at(net, op->span[SPAN_BACK_M]);
        backward_phased(&j);
    } else {
        backward_blocks(&j);
    }
    if (p->grad && op->layer->bias)
        bias_gradient(&j);
}

const struct op_class op_tiles = {.name = "conv (tiles)",
                                  .needs_in = true,
                                  .in_for_params = true,
                                  .has_params = true,
                                  .adds = true,
                                  .plan = plan,
                                  .forward = forward,
                                  .backward = backward};
