/* view.c: views are small trees; reading a sample walks from the top to the array it lies in. */
#include "view.h"

#include <string.h>

#include "rng.h"

enum view_kind { FROM_DATASET, FROM_ARRAYS, SUBSET, CONCAT, RELABEL, RELABEL_BY, AUGMENT };

struct view {
    enum view_kind kind;
    enum augment_kind augment;
    size_t n;
    uint32_t shape[3];
    const struct view *base;         /* SUBSET, RELABEL, RELABEL_BY, AUGMENT */
    const uint32_t *rows;            /* (n) FROM_DATASET: pool ids; SUBSET: positions in base */
    const struct dataset *ds;        /* FROM_DATASET */
    const float *x;                  /* (n, C, H, W) FROM_ARRAYS */
    const int32_t *y;                /* (n) FROM_ARRAYS, RELABEL */
    const struct view *const *parts; /* (n_parts) CONCAT */
    const size_t *starts;            /* (n_parts) CONCAT: position of each part's first sample */
    size_t n_parts;
    view_relabel_fn relabel;
    void *relabel_arg;
};

/* Where one sample lies, and what is done to it on the way up. */
struct sample {
    const uint8_t *u8; /* (C, H, W), or NULL */
    const float *f32;  /* (C, H, W), or NULL */
    uint64_t id;
    int32_t y;
    enum augment_kind augment;
};

static struct view *view_new(struct arena *a, enum view_kind kind, size_t n,
                             const uint32_t shape[3])
{
    struct view *v = arena_alloc(a, sizeof *v);
    if (!v)
        return NULL;
    v->kind = kind;
    v->n = n;
    memcpy(v->shape, shape, sizeof v->shape);
    return v;
}

static void *copy_of(struct arena *a, const void *from, size_t bytes)
{
    void *to = arena_alloc(a, bytes);
    return to && bytes > 0 ? memcpy(to, from, bytes) : to;
}

const struct view *view_dataset(struct arena *a, const struct dataset *ds, const uint32_t *rows,
                                size_t n)
{
    const uint32_t shape[3] = {ds->channels, ds->height, ds->width};
    struct view *v = view_new(a, FROM_DATASET, n, shape);
    if (!v || !(v->rows = copy_of(a, rows, n * sizeof *rows)))
        return NULL;
    v->ds = ds;
    return v;
}

/* Subsets of subsets, and of a data set, become one step. */
const struct view *view_subset(struct arena *a, const struct view *v, const uint32_t *rows,
                               size_t n)
{
    bool join = v->kind == FROM_DATASET || v->kind == SUBSET;
    struct view *s = view_new(a, join ? v->kind : SUBSET, n, v->shape);
    uint32_t *mine = s ? copy_of(a, rows, n * sizeof *rows) : NULL;
    if (!mine)
        return NULL;
    for (size_t i = 0; join && i < n; i++)
        mine[i] = v->rows[mine[i]];
    s->rows = mine;
    s->ds = v->ds;
    s->base = join ? v->base : v;
    return s;
}

const struct view *view_concat(struct arena *a, const struct view *const *v, size_t n)
{
    static const uint32_t no_shape[3] = {0, 0, 0};
    struct view *c = view_new(a, CONCAT, 0, n > 0 ? v[0]->shape : no_shape);
    size_t *starts = c ? arena_alloc(a, n * sizeof *starts) : NULL;
    if (!starts || !(c->parts = copy_of(a, v, n * sizeof *v)))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        starts[i] = c->n;
        c->n += v[i]->n;
    }
    c->starts = starts;
    c->n_parts = n;
    return c;
}

const struct view *view_relabel(struct arena *a, const struct view *v, const int32_t *labels)
{
    struct view *r = view_new(a, RELABEL, v->n, v->shape);
    if (!r || !(r->y = copy_of(a, labels, v->n * sizeof *labels)))
        return NULL;
    r->base = v;
    return r;
}

const struct view *view_relabel_by(struct arena *a, const struct view *v, view_relabel_fn fn,
                                   void *arg)
{
    struct view *r = view_new(a, RELABEL_BY, v->n, v->shape);
    if (!r)
        return NULL;
    r->base = v;
    r->relabel = fn;
    r->relabel_arg = arg;
    return r;
}

const struct view *view_arrays(struct arena *a, const float *x, const int32_t *y, size_t n,
                               const uint32_t shape[3])
{
    struct view *v = view_new(a, FROM_ARRAYS, n, shape);
    if (!v)
        return NULL;
    v->x = x;
    v->y = y;
    return v;
}

const struct view *view_augment(struct arena *a, const struct view *v, enum augment_kind kind)
{
    struct view *g = view_new(a, AUGMENT, v->n, v->shape);
    if (!g)
        return NULL;
    g->base = v;
    g->augment = kind;
    return g;
}

size_t view_count(const struct view *v)
{
    return v->n;
}

const uint32_t *view_shape(const struct view *v)
{
    return v->shape;
}

/* Last part that starts at or before pos; empty parts are passed over. */
static size_t part_of(const struct view *v, size_t pos)
{
    size_t lo = 0, hi = v->n_parts;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (v->starts[mid] <= pos)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static size_t pixels_of(const struct view *v)
{
    return (size_t)v->shape[0] * v->shape[1] * v->shape[2];
}

static void find_leaf(const struct view *v, size_t pos, struct sample *ret)
{
    if (v->kind == FROM_DATASET) {
        size_t row = v->rows[pos];
        ret->u8 = v->ds->pixels ? v->ds->pixels + row * pixels_of(v) : NULL;
        ret->f32 = v->ds->pixels ? NULL : v->ds->reals + row * pixels_of(v);
        ret->id = row;
        ret->y = v->ds->labels[row];
    } else {
        ret->u8 = NULL;
        ret->f32 = v->x + pos * pixels_of(v);
        ret->id = VIEW_MADE_ID + pos;
        ret->y = v->y[pos];
    }
    ret->augment = AUGMENT_NONE;
}

/* Labels are replaced from the inside out; the outermost view_augment decides. */
static void find_sample(const struct view *v, size_t pos, uint32_t epoch, struct sample *ret)
{
    switch (v->kind) {
    case FROM_DATASET:
    case FROM_ARRAYS:
        find_leaf(v, pos, ret);
        return;
    case SUBSET:
        find_sample(v->base, v->rows[pos], epoch, ret);
        return;
    case CONCAT: {
        size_t part = part_of(v, pos);
        find_sample(v->parts[part], pos - v->starts[part], epoch, ret);
        return;
    }
    case RELABEL:
        find_sample(v->base, pos, epoch, ret);
        ret->y = v->y[pos];
        return;
    case RELABEL_BY:
        find_sample(v->base, pos, epoch, ret);
        ret->y = v->relabel(v->relabel_arg, epoch, ret->id, ret->y);
        return;
    case AUGMENT:
        find_sample(v->base, pos, epoch, ret);
        ret->augment = v->augment;
        return;
    }
}

static void copy_plain(const struct sample *s, size_t n, float *restrict x)
{
    if (s->u8) {
        const uint8_t *restrict p = s->u8;
        for (size_t i = 0; i < n; i++)
            x[i] = (float)p[i] / 255.0f;
    } else
        memcpy(x, s->f32, n * sizeof *x);
}

/* Finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014): spreads id and epoch over 64 bits. */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return v ^ v >> 31;
}

/* Zero padding of 4, a random crop of the old size, a flip of every other sample. */
static void copy_crop_flip(const struct sample *s, const uint32_t shape[3], struct rng *r,
                           float *restrict x)
{
    enum { PAD = 4 };
    long height = (long)shape[1], width = (long)shape[2];
    long dy = (long)rng_below(r, 2 * PAD + 1) - PAD, dx = (long)rng_below(r, 2 * PAD + 1) - PAD;
    bool flip = rng_u32(r) & 1;
    for (long row = 0; row < (long)shape[0] * height; row++) {
        long from_y = row % height + dy;
        size_t line = (size_t)((row - row % height + from_y) * width);
        for (long i = 0; i < width; i++) {
            long from_x = (flip ? width - 1 - i : i) + dx;
            bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
            size_t at = line + (size_t)from_x;
            *x++ = !inside ? 0.0f : s->u8 ? (float)s->u8[at] / 255.0f : s->f32[at];
        }
    }
}

void view_fill(const struct view *v, const uint32_t *rows, size_t n, uint32_t epoch,
               uint64_t aug_seed, bool augment, float *x, int32_t *y, uint64_t *id)
{
    size_t n_pixels = pixels_of(v);
    for (size_t i = 0; i < n; i++) {
        struct sample s;
        find_sample(v, rows[i], epoch, &s);
        if (y)
            y[i] = s.y;
        if (id)
            id[i] = s.id;
        if (x && augment && s.augment == AUGMENT_CROP_FLIP) {
            struct rng r;
            rng_stream(&r, aug_seed, "augment", mix(s.id + mix((uint64_t)epoch + 1)));
            copy_crop_flip(&s, v->shape, &r, x + i * n_pixels);
        } else if (x)
            copy_plain(&s, n_pixels, x + i * n_pixels);
    }
}
