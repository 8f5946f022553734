/* The data table: views that compose, loaders, and the meter of samples read. */
#include <stdio.h>
#include <string.h>

#include "host_internal.h"

/* ---- reading ---- */

static bool is_held_out(const struct host *host, uint64_t id)
{
    const struct hosting *h = host->h;
    const uint64_t pool = h->ds ? (uint64_t)h->ds->n_train + h->ds->n_test : 0;
    return h->ds && id >= pool && id - pool < h->ds->n_validation;
}

/* Samples that a plugin made itself cost nothing here. */
static void count_read(struct host *host, const uint64_t *id, uint32_t n)
{
    const struct split *split = host->h->split;
    for (uint32_t i = 0; i < n; i++) {
        if (id[i] >= VIEW_MADE_ID)
            continue;
        int role = split && id[i] < split->n ? split->role[id[i]] : ROW_TEST;
        if (role == ROW_FORGET)
            host->meters.read_forget++;
        else if (role == ROW_RETAIN)
            host->meters.read_retain++;
        else if (is_held_out(host, id[i]))
            host->meters.read_validation++;
        else
            host->meters.read_other++;
    }
}

static int check_labels(const struct host *host, const int32_t *y, const uint64_t *id, uint32_t n,
                        struct error *err)
{
    for (uint32_t i = 0; i < n; i++)
        if (y[i] < 0 || (uint32_t)y[i] >= host->n_classes) {
            bool made = id[i] >= VIEW_MADE_ID;
            return error_set(err, ERR_INVALID, "label %d of %s %llu is none of the %u classes",
                             (int)y[i], made ? "the plugin's sample" : "sample",
                             (unsigned long long)(made ? id[i] - VIEW_MADE_ID : id[i]),
                             host->n_classes);
        }
    return 0;
}

int host_load(struct host_ctx *c, const struct view *v, const uint32_t *rows, uint32_t n,
              uint32_t epoch, bool augment, float *x, int32_t *y, uint64_t *id, struct error *err)
{
    view_fill(v, rows, n, epoch, c->host->h->seed, augment, x, y, id);
    count_read(c->host, id, n);
    return check_labels(c->host, y, id, n, err);
}

lethe_shape host_shape(const uint32_t shape[3])
{
    return (lethe_shape){3, 0, {shape[0], shape[1], shape[2]}};
}

/* ---- views ---- */

static struct lethe_view *wrap(struct host_ctx *c, const struct view *now, const struct view *on)
{
    struct lethe_view *v = now && on ? arena_alloc(c->arena, sizeof(*v)) : NULL;
    if (v)
        *v = (struct lethe_view){now, on, (uint32_t)view_count(now)};
    return v;
}

struct lethe_view *host_wrap_rows(struct host_ctx *c, const uint32_t *rows, uint32_t n,
                                  bool training)
{
    const struct recipe *recipe = c->host->h->recipe;
    const struct view *plain = view_dataset(c->arena, c->host->h->ds, rows, n), *on = plain;
    if (plain && training && recipe && recipe->augment)
        on = view_augment(c->arena, plain, AUGMENT_CROP_FLIP);
    return wrap(c, on, on);
}

static lethe_status give_view(struct host_ctx *c, const struct lethe_view *v,
                              const lethe_view **out)
{
    if (!v)
        return host_nomem(c);
    *out = v;
    return LETHE_OK;
}

lethe_status host_need_view(struct host_ctx *c, const lethe_view *v, const char *what)
{
    if (v)
        return LETHE_OK;
    return host_fail(c, ERR_DENIED,
                     "%s: the view is NULL, which means that it was not granted; name the set in "
                     "`needs` (LETHE_CAP_FORGET, _RETAIN, _VALIDATION)",
                     what);
}

static lethe_status check_rows(struct host_ctx *c, const lethe_view *v, const uint32_t *rows,
                               uint32_t n, const char *what)
{
    lethe_status status = host_need_view(c, v, what);
    if (status < 0)
        return status;
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] >= v->n)
            return host_fail(c, ERR_INVALID, "row %u of a view of %u samples", rows[i], v->n);
    return LETHE_OK;
}

/* Equal trees stay one object. */
typedef const struct view *(*remake_fn)(struct arena *a, const struct view *v, const void *arg);

static lethe_status remake(struct host_ctx *c, const lethe_view *v, remake_fn fn, const void *arg,
                           const lethe_view **out)
{
    const struct view *now = fn(c->arena, v->now, arg);
    const struct view *on = v->on == v->now ? now : fn(c->arena, v->on, arg);
    return give_view(c, wrap(c, now, on), out);
}

struct subset {
    const uint32_t *rows;
    uint32_t n;
};

static const struct view *make_subset(struct arena *a, const struct view *v, const void *arg)
{
    const struct subset *s = arg;
    return view_subset(a, v, s->rows, s->n);
}

static const struct view *make_relabel(struct arena *a, const struct view *v, const void *arg)
{
    return view_relabel(a, v, arg);
}

struct relabel {
    lethe_relabel_fn fn;
    void *arg;
};

static const struct view *make_relabel_by(struct arena *a, const struct view *v, const void *arg)
{
    const struct relabel *r = arg;
    return view_relabel_by(a, v, r->fn, r->arg);
}

static uint64_t data_count(lethe_ctx *ctx, const lethe_view *v)
{
    host_ctx_of(ctx);
    return v ? v->n : 0;
}

static lethe_status data_subset(lethe_ctx *ctx, const lethe_view *v, const uint32_t *rows,
                                uint32_t n, const lethe_view **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct subset s = {rows, n};
    lethe_status status = check_rows(c, v, rows, n, "subset");
    return status < 0 ? status : remake(c, v, make_subset, &s, out);
}

static lethe_status data_relabel(lethe_ctx *ctx, const lethe_view *v, const int32_t *labels,
                                 const lethe_view **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = host_need_view(c, v, "relabel");
    if (status < 0)
        return status;
    for (uint32_t i = 0; i < v->n; i++)
        if (labels[i] < 0 || (uint32_t)labels[i] >= c->host->n_classes)
            return host_fail(c, ERR_INVALID,
                             "relabel: label %d of row %u is none of the %u classes",
                             (int)labels[i], i, c->host->n_classes);
    return remake(c, v, make_relabel, labels, out);
}

static lethe_status data_relabel_by(lethe_ctx *ctx, const lethe_view *v, lethe_relabel_fn fn,
                                    void *arg, const lethe_view **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct relabel r = {fn, arg};
    lethe_status status = host_need_view(c, v, "relabel_by");
    if (status < 0)
        return status;
    if (!fn)
        return host_fail(c, ERR_INVALID, "relabel_by: the function is NULL");
    return remake(c, v, make_relabel_by, &r, out);
}

static const struct view *join(struct host_ctx *c, const lethe_view *const *views, uint32_t n,
                               bool on)
{
    const struct view **parts = arena_alloc(c->arena, (n + 1ull) * sizeof(*parts));
    for (uint32_t i = 0; parts && i < n; i++)
        parts[i] = on ? views[i]->on : views[i]->now;
    return parts ? view_concat(c->arena, parts, n) : NULL;
}

static lethe_status data_concat(lethe_ctx *ctx, const lethe_view *const *views, uint32_t n,
                                const lethe_view **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        lethe_status status = host_need_view(c, views[i], "concat");
        if (status < 0)
            return status;
        total += views[i]->n;
    }
    if (n == 0 || total > UINT32_MAX)
        return host_fail(c, ERR_INVALID, "concat: %s",
                         n ? "more than 2^32 samples" : "no views were given");
    return give_view(c, wrap(c, join(c, views, n, false), join(c, views, n, true)), out);
}

static lethe_status data_arrays(lethe_ctx *ctx, const float *x, const int32_t *y, uint32_t n,
                                const lethe_view **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    if (n > 0 && (!x || !y))
        return host_fail(c, ERR_INVALID, "arrays: x or y is NULL");
    const struct view *v = view_arrays(c->arena, x, y, n, c->host->shape);
    return give_view(c, wrap(c, v, v), out);
}

static lethe_status data_augment(lethe_ctx *ctx, const lethe_view *v, int32_t on,
                                 const lethe_view **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = host_need_view(c, v, "augment");
    if (status < 0)
        return status;
    const struct view *now = on ? v->on : view_augment(c->arena, v->now, AUGMENT_NONE);
    return give_view(c, wrap(c, now, v->on), out);
}

static lethe_status data_labels(lethe_ctx *ctx, const lethe_view *v, int32_t *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    uint32_t rows[256];
    lethe_status status = host_need_view(c, v, "labels");
    if (status < 0)
        return status;
    for (uint32_t at = 0; at < v->n;) {
        uint32_t n = v->n - at < 256 ? v->n - at : 256;
        for (uint32_t i = 0; i < n; i++)
            rows[i] = at + i;
        view_fill(v->now, rows, n, 0, c->host->h->seed, false, NULL, out + at, NULL);
        at += n;
    }
    return LETHE_OK;
}

static lethe_status data_ids(lethe_ctx *ctx, const lethe_view *v, uint64_t *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    uint32_t rows[256];
    lethe_status status = host_need_view(c, v, "ids");
    if (status < 0)
        return status;
    for (uint32_t at = 0; at < v->n;) {
        uint32_t n = v->n - at < 256 ? v->n - at : 256;
        for (uint32_t i = 0; i < n; i++)
            rows[i] = at + i;
        view_fill(v->now, rows, n, 0, c->host->h->seed, false, NULL, NULL, out + at);
        at += n;
    }
    return LETHE_OK;
}

/* ---- batches ---- */

static lethe_status fill_batch(struct host_ctx *c, const float *x, const int32_t *y,
                               const uint64_t *id, uint32_t n, lethe_batch *out)
{
    out->n = n;
    out->input = host_shape(c->host->shape);
    out->x = x;
    out->y = y;
    out->id = id;
    return LETHE_OK;
}

static lethe_status check_batch(struct host_ctx *c, const lethe_batch *out)
{
    if (out->struct_size < LETHE_SIZE_THROUGH(lethe_batch, id))
        return host_fail(c, ERR_INVALID, "lethe_batch.struct_size is %u; set it with sizeof",
                         out->struct_size);
    return LETHE_OK;
}

/* Buffers of the largest data->batch so far. */
static bool batch_room(struct host_ctx *c, uint32_t n)
{
    if (n <= c->batch_cap)
        return true;
    c->x = arena_alloc(c->arena, n * host_pixels(c->host) * sizeof(*c->x));
    c->y = arena_alloc(c->arena, n * sizeof(*c->y));
    c->id = arena_alloc(c->arena, n * sizeof(*c->id));
    c->batch_cap = c->x && c->y && c->id ? n : 0;
    return c->batch_cap > 0;
}

static lethe_status data_batch(lethe_ctx *ctx, const lethe_view *v, const uint32_t *rows,
                               uint32_t n, lethe_batch *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    lethe_status status = check_batch(c, out);
    if (status == LETHE_OK)
        status = check_rows(c, v, rows, n, "batch");
    if (status < 0)
        return status;
    if (!batch_room(c, n))
        return n ? host_nomem(c) : fill_batch(c, NULL, NULL, NULL, 0, out);
    if (host_load(c, v->now, rows, n, 0, false, c->x, c->y, c->id, &err) < 0)
        return host_pass_on(c, &err);
    return fill_batch(c, c->x, c->y, c->id, n, out);
}

/* ---- loaders ---- */

static size_t bytes_of_x(const struct host_ctx *c, const lethe_loader *l)
{
    return l->batch * host_pixels(c->host) * sizeof(*l->x);
}

static bool loader_room(struct host_ctx *c, lethe_loader *l)
{
    l->order = host_take(c, l->view->n * sizeof(*l->order));
    l->x = host_take(c, bytes_of_x(c, l));
    l->y = host_take(c, l->batch * sizeof(*l->y));
    l->id = host_take(c, l->batch * sizeof(*l->id));
    return l->order && l->x && l->y && l->id;
}

/* A pass that is over gives its buffers to the next: an epoch costs no memory. */
static void loader_end(struct host_ctx *c, lethe_loader *l)
{
    if (l->done)
        return;
    l->done = true;
    host_give(c, l->order, l->view->n * sizeof(*l->order));
    host_give(c, l->x, bytes_of_x(c, l));
    host_give(c, l->y, l->batch * sizeof(*l->y));
    host_give(c, l->id, l->batch * sizeof(*l->id));
}

static lethe_status loader_order(struct host_ctx *c, lethe_loader *l, const lethe_loader_opts *o)
{
    struct rng rng;
    for (uint32_t i = 0; i < l->view->n; i++)
        l->order[i] = i;
    char name[100];
    if (!o->shuffle)
        return LETHE_OK;
    /* Orders are shared: methods that pass over the same samples see the same batches. */
    int n = snprintf(name, sizeof(name), "/%s", o->stream ? o->stream : "shuffle");
    if (n < 0 || (size_t)n >= sizeof(name) || host_stream(c->host, name, o->epoch, &rng) < 0)
        return host_fail(c, ERR_INVALID, "loader: the name of the stream is too long");
    rng_permute(&rng, l->order, l->view->n);
    return LETHE_OK;
}

static lethe_status data_loader(lethe_ctx *ctx, const lethe_view *v, const lethe_loader_opts *o,
                                lethe_loader **out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    lethe_status status = host_need_view(c, v, "loader");
    if (status < 0)
        return status;
    if (o->struct_size < LETHE_SIZE_THROUGH(lethe_loader_opts, stream))
        return host_fail(c, ERR_INVALID, "lethe_loader_opts.struct_size is %u; set it with sizeof",
                         o->struct_size);
    if (o->batch_size == 0)
        return host_fail(c, ERR_INVALID, "loader: batch_size is 0, it must be at least 1");
    lethe_loader *l = host_take(c, sizeof(*l));
    if (!l)
        return host_nomem(c);
    /* A batch is never larger than the view, nor its buffers. */
    uint32_t batch = o->batch_size < v->n ? o->batch_size : v->n ? v->n : 1;
    *l = (lethe_loader){.view = v, .batch = batch, .epoch = o->epoch};
    if (!loader_room(c, l))
        return host_nomem(c);
    status = loader_order(c, l, o);
    if (status == LETHE_OK)
        *out = l;
    return status;
}

static lethe_status data_next(lethe_ctx *ctx, lethe_loader *l, lethe_batch *out)
{
    struct host_ctx *c = host_ctx_of(ctx);
    struct error err = ERROR_INIT;
    lethe_status status = check_batch(c, out);
    if (status < 0)
        return status;
    uint32_t left = l->done ? 0 : l->view->n - l->pos, n = left < l->batch ? left : l->batch;
    if (n == 0) {
        loader_end(c, l);
        return fill_batch(c, NULL, NULL, NULL, 0, out);
    }
    if (host_cancelled())
        return host_fail(c, ERR_CANCELLED, "told to stop");
    if (host_load(c, l->view->now, l->order + l->pos, n, l->epoch, true, l->x, l->y, l->id, &err) <
        0)
        return host_pass_on(c, &err);
    l->pos += n;
    return fill_batch(c, l->x, l->y, l->id, n, out);
}

const lethe_data_api host_data_table = {
    .struct_size = sizeof(lethe_data_api),
    .count = data_count,
    .batch = data_batch,
    .labels = data_labels,
    .subset = data_subset,
    .concat = data_concat,
    .relabel = data_relabel,
    .relabel_by = data_relabel_by,
    .arrays = data_arrays,
    .augment = data_augment,
    .loader = data_loader,
    .next = data_next,
    .ids = data_ids,
};
