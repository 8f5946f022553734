/* Example attacks: the host feeds batches, and believes nothing that comes back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"
#include "loss.h"

enum { PERTURB_BATCH = 128 };

void adversarial_release(struct adversarial *a)
{
    if (!a)
        return;
    free(a->x);
    free(a->label);
    free(a->clean_pred);
    free(a->found);
    free(a->radius);
    free(a->l2);
    free(a->linf);
    free(a->steps);
    *a = (struct adversarial){0};
}

static int alloc_set(uint32_t n, size_t pixels, struct adversarial *ret, struct error *err)
{
    size_t k = n + 1u; /* an empty set is a set */
    *ret = (struct adversarial){.n = n,
                                .x = calloc(k * pixels, sizeof(*ret->x)),
                                .label = calloc(k, sizeof(*ret->label)),
                                .clean_pred = calloc(k, sizeof(*ret->clean_pred)),
                                .found = calloc(k, sizeof(*ret->found)),
                                .radius = calloc(k, sizeof(*ret->radius)),
                                .l2 = calloc(k, sizeof(*ret->l2)),
                                .linf = calloc(k, sizeof(*ret->linf)),
                                .steps = calloc(k, sizeof(*ret->steps))};
    if (ret->x && ret->label && ret->clean_pred && ret->found && ret->radius && ret->l2 &&
        ret->linf && ret->steps)
        return 0;
    adversarial_release(ret);
    return error_nomem(err);
}

/* ---- one batch ---- */

struct perturbation { /* a set in the making */
    struct host *host;
    const lethe_example_attack *attack;
    struct model *model; /* protected */
    size_t pixels;
    struct adversarial *out;
    uint32_t start, n; /* the batch */
    float *clean;      /* (batch, C, H, W) the host's own copy */
    float *shown;      /* (batch, C, H, W) what the plugin gets */
    float *logits;     /* (batch, classes) */
    int32_t *y;        /* (batch) */
    uint64_t *id;      /* (batch) */
};

static int check_clean(const struct perturbation *p, struct error *err)
{
    uint32_t classes = p->model->arch->classes;
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->y[i] < 0 || (uint32_t)p->y[i] >= classes)
            return error_set(err, ERR_INVALID, "sample %u has label %d, the model knows %u classes",
                             p->start + i, (int)p->y[i], classes);
        for (size_t k = 0; k < p->pixels; k++) {
            double v = (double)p->clean[i * p->pixels + k];
            if (!(v >= 0 && v <= 1))
                return error_set(err, ERR_INVALID, "sample %u has a pixel %g outside [0, 1]",
                                 p->start + i, v);
        }
    }
    return 0;
}

static int call_plugin(struct perturbation *p, double lo, double hi, struct error *err)
{
    struct host_ctx *c = NULL;
    TRY(host_call_begin(p->host, &c, err));
    c->progress_lo = lo;
    c->progress_hi = hi;
    lethe_batch batch = {.struct_size = sizeof(batch),
                         .n = p->n,
                         .input = host_shape(p->host->shape),
                         .x = p->shown,
                         .y = p->y,
                         .id = p->id};
    lethe_example_job job = {.struct_size = sizeof(job),
                             .n_classes = p->model->arch->classes,
                             .box_hi = 1,
                             .model = host_wrap_model(c, p->model, false),
                             .target = p->host->h->targets ? p->host->h->targets + p->start : NULL};
    lethe_example_result result = {.struct_size = sizeof(result),
                                   .x = p->out->x + p->start * p->pixels,
                                   .found = p->out->found + p->start,
                                   .radius = p->out->radius + p->start,
                                   .steps = p->out->steps + p->start};
    lethe_status status =
        job.model ? p->attack->perturb(&c->head, &job, &batch, &result) : host_nomem(c);
    return host_call_end(c, status, err);
}

struct distance {
    double l0, l1, l2, linf;
};

/* x, clean (pixels). False when a pixel is no number or leaves the box. */
static bool measure(const float *x, const float *clean, size_t pixels, struct distance *ret)
{
    struct distance d = {0, 0, 0, 0};
    for (size_t k = 0; k < pixels; k++) {
        double v = (double)x[k], move = fabs(v - (double)clean[k]);
        if (!(v >= 0 && v <= 1))
            return false;
        d.l0 += move > 0;
        d.l1 += move;
        d.l2 += move * move;
        d.linf = fmax(d.linf, move);
    }
    d.l2 = sqrt(d.l2);
    *ret = d;
    return true;
}

static double distance_in(const struct distance *d, int32_t norm)
{
    return norm == LETHE_NORM_L0   ? d->l0
           : norm == LETHE_NORM_L1 ? d->l1
           : norm == LETHE_NORM_L2 ? d->l2
                                   : d->linf;
}

/* The text names the sample of the set, and what is wrong with it. */
static int refuse_pixels(const struct perturbation *p, const float *x, uint32_t sample,
                         struct error *err)
{
    size_t k = 0;
    while (k + 1 < p->pixels && x[k] >= 0 && x[k] <= 1)
        k++;
    if (!isfinite(x[k]))
        return error_set(err, ERR_OUTPUT, "sample %u: pixel %zu became NaN or infinite", sample, k);
    return error_set(err, ERR_OUTPUT, "sample %u: pixel %zu is %.9g, outside the box [0, 1]",
                     sample, k, (double)x[k]);
}

static int check_sample(struct perturbation *p, uint32_t i, struct error *err)
{
    uint32_t at = p->start + i;
    const float *x = p->out->x + at * p->pixels;
    double radius = (double)p->out->radius[at];
    struct distance d;
    if (!measure(x, p->clean + i * p->pixels, p->pixels, &d))
        return refuse_pixels(p, x, at, err);
    if (!(radius >= 0 && isfinite(radius)))
        return error_set(err, ERR_OUTPUT, "sample %u: the radius is %g", at, radius);
    double moved = distance_in(&d, p->attack->norm);
    if (moved > radius * (1 + 1e-5) + 1e-6)
        return error_set(err, ERR_OUTPUT, "sample %u: moved by %.9g, beyond its radius %.9g", at,
                         moved, radius);
    p->out->found[at] = p->out->found[at] != 0;
    p->out->l2[at] = (float)d.l2;
    p->out->linf[at] = (float)d.linf;
    return 0;
}

/* Predictions are the host's own and not metered: the method did not ask for them. */
static int predict(struct perturbation *p, const float *x, int32_t *label, struct error *err)
{
    uint32_t classes = p->model->arch->classes;
    TRY(host_infer(p->host, p->model, x, p->n, p->logits, err));
    for (uint32_t i = 0; i < p->n; i++)
        label[i] = loss_argmax(p->logits + (size_t)i * classes, classes);
    return 0;
}

static int perturb_batch(struct perturbation *p, const struct perturb_source *from,
                         bool show_progress, struct error *err)
{
    float *x = p->out->x + p->start * p->pixels;
    size_t bytes = p->n * p->pixels * sizeof(*x);
    double lo = (double)p->start / from->n, hi = (double)(p->start + p->n) / from->n;
    TRY(from->fill(from->arg, p->start, p->n, p->clean, p->y, p->id, err));
    TRY(check_clean(p, err));
    memcpy(p->shown, p->clean, bytes);
    memcpy(x, p->clean, bytes);
    TRY(call_plugin(p, lo, show_progress ? hi : lo, err));
    for (uint32_t i = 0; i < p->n; i++)
        TRY(check_sample(p, i, err));
    TRY(predict(p, p->clean, p->out->clean_pred + p->start, err));
    return predict(p, x, p->out->label + p->start, err);
}

/* ---- the whole set ---- */

static int alloc_batch(struct perturbation *p, uint32_t batch, struct error *err)
{
    size_t floats = batch * p->pixels + 1;
    p->clean = malloc(floats * sizeof(*p->clean));
    p->shown = malloc(floats * sizeof(*p->shown));
    p->logits = malloc(((size_t)batch * p->model->arch->classes + 1) * sizeof(*p->logits));
    p->y = malloc((batch + 1u) * sizeof(*p->y));
    p->id = malloc((batch + 1u) * sizeof(*p->id));
    return p->clean && p->shown && p->logits && p->y && p->id ? 0 : error_nomem(err);
}

static void free_batch(struct perturbation *p)
{
    free(p->clean);
    free(p->shown);
    free(p->logits);
    free(p->y);
    free(p->id);
}

int host_perturb(struct host *host, const struct model *m, const struct perturb_source *from,
                 bool show_progress, struct adversarial *ret, struct error *err)
{
    struct protected_model *safe = NULL;
    struct adversarial set = {0};
    struct perturbation p = {
        .host = host, .attack = host->plugin->iface, .pixels = host_pixels(host), .out = &set};
    uint32_t batch = from->n < PERTURB_BATCH ? from->n : PERTURB_BATCH;
    TRY(protected_model_new(m, &safe, err));
    p.model = protected_model_get(safe);
    int rc = alloc_set(from->n, p.pixels, &set, err);
    if (rc == 0)
        rc = alloc_batch(&p, batch, err);
    for (; rc == 0 && p.start < from->n; p.start += p.n) {
        p.n = from->n - p.start < batch ? from->n - p.start : batch;
        rc = perturb_batch(&p, from, show_progress, err);
    }
    free_batch(&p);
    protected_model_free(safe);
    if (rc < 0) {
        adversarial_release(&set);
        return rc;
    }
    *ret = set;
    return 0;
}

struct array_source {
    const struct hosting *h;
    const float *x; /* (n, C, H, W) */
    const int32_t *y;
    const uint64_t *ids; /* NULL: positions */
    size_t pixels;
    struct meters *meters;
};

static void count_read(struct array_source *s, uint64_t id)
{
    const struct split *split = s->ids ? s->h->split : NULL;
    int role = split && id < split->n ? split->role[id] : ROW_TEST;
    s->meters->read_forget += role == ROW_FORGET;
    s->meters->read_retain += role == ROW_RETAIN;
    s->meters->read_other += role != ROW_FORGET && role != ROW_RETAIN;
}

static int fill_from_arrays(void *arg, uint32_t start, uint32_t n, float *x, int32_t *y,
                            uint64_t *id, struct error *err)
{
    struct array_source *s = arg;
    memcpy(x, s->x + start * s->pixels, n * s->pixels * sizeof(*x));
    memcpy(y, s->y + start, n * sizeof(*y));
    for (uint32_t i = 0; i < n; i++) {
        id[i] = s->ids ? s->ids[start + i] : start + i;
        count_read(s, id[i]);
    }
    return 0;
}

int hosting_perturb(const struct hosting *h, const struct model *model, const float *x,
                    const int32_t *y, const uint64_t *ids, uint32_t n, struct adversarial *ret,
                    struct error *err)
{
    struct host host;
    int rc = host_init(&host, h, LETHE_KIND_EXAMPLE_ATTACK, PERTURB_CAPS, model->arch, err);
    struct array_source s = {h, x, y, ids, host_pixels(&host), &host.meters};
    struct perturb_source from = {fill_from_arrays, &s, n};
    if (rc == 0)
        rc = host_perturb(&host, model, &from, true, ret, err);
    if (rc == 0) {
        ret->cost = host.meters;
        ret->cost.attack_forward = host.meters.forward;
        ret->cost.attack_backward = host.meters.backward;
        ret->cost.forward = ret->cost.backward = 0;
    }
    host_release(&host);
    return rc;
}
