/* SPDX-License-Identifier: MIT
 * pgd_l2_nearest.c: AMUN's search for the nearest adversarial example. Projected
 * gradient ascent on the cross-entropy of the sample's label inside an L2 ball,
 * with steps of a tenth of the radius, until the prediction is another class;
 * when the steps of a radius are spent, the radius doubles. A sample that is
 * misclassified from the start is returned unchanged, with the first radius.
 * Paper: Ebrahimpour-Boroojeny et al., ICML 2025. Code read: Ali-E/AMUN 9e341a9,
 * pgdl2_modified.py. Deviations: the number of doublings is capped, and what is
 * not found by then says so (repository: no end); warm_start: false restarts
 * from the clean sample at each radius, as the paper's text has it (repository:
 * keeps the iterate). The guard 1e-10 is added to the norm of the sample's own
 * gradient; the repository adds it to that of the batch's mean loss, so that a
 * sample's path depends on the batch where gradients are tiny. That gradient is
 * p_k in the wrong classes and minus their sum in the label's, which does not
 * round to zero for confident samples. Labels are those of the data set. */
#include <lethe/lethe.h>

enum { P_EPS = 0, P_STEPS, P_DOUBLINGS, P_WARM };

static const lethe_param params[] = {
    LETHE_REAL("eps", 0.04, 1e-6, 1e3, "L2 pixels", "first radius; pixels are in [0, 1]"),
    LETHE_INT("steps", 50, 1, 100000, "steps", "gradient steps per radius"),
    LETHE_INT("max_doublings", 12, 0, 40, "", "doublings of the radius before giving up"),
    LETHE_BOOL("warm_start", 1, "keep the iterate when the radius doubles"),
};

#define NORM_GUARD 1e-10

/* The samples that still search, packed; they share radius and step count. */
struct search {
    const lethe_example_job *job;
    const lethe_batch *clean;
    lethe_example_result *out;
    lethe_batch active; /* x is `x` below */
    float *x;           /* (active.n, size) iterates */
    float *gradient;    /* (active.n, size) */
    float *logits;      /* (active.n, n_classes), then dL/dlogits */
    int32_t *y;         /* (active.n) */
    uint64_t *id;       /* (active.n) */
    uint32_t *row;      /* (active.n) place in the clean batch */
    uint8_t *done;      /* (active.n) found in this round */
    size_t size;        /* pixels of a sample */
    double eps;         /* radius in force */
};

static lethe_status search_init(lethe_ctx *ctx, struct search *s)
{
    uint32_t n = s->clean->n;
    s->size = 1;
    for (uint32_t d = 0; d < s->clean->input.n_dim; d++)
        s->size *= (size_t)s->clean->input.dim[d];
    s->x = lethe_alloc(ctx, (uint64_t)n * s->size, sizeof *s->x);
    s->gradient = lethe_alloc(ctx, (uint64_t)n * s->size, sizeof *s->gradient);
    s->logits = lethe_alloc(ctx, (uint64_t)n * s->job->n_classes, sizeof *s->logits);
    s->y = lethe_alloc(ctx, n, sizeof *s->y);
    s->id = lethe_alloc(ctx, n, sizeof *s->id);
    s->row = lethe_alloc(ctx, n, sizeof *s->row);
    s->done = lethe_alloc(ctx, n, sizeof *s->done);
    if (!s->x || !s->gradient || !s->logits || !s->y || !s->id || !s->row || !s->done)
        return LETHE_E_NOMEM;
    s->active = *s->clean;
    s->active.struct_size = sizeof s->active;
    s->active.x = s->x;
    s->active.y = s->y;
    s->active.id = s->id;
    memcpy(s->x, s->clean->x, n * s->size * sizeof *s->x);
    memcpy(s->y, s->clean->y, n * sizeof *s->y);
    for (uint32_t i = 0; i < n; i++) {
        if (s->y[i] < 0 || (uint32_t)s->y[i] >= s->job->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "label %d is none of the model's %u classes",
                               (int)s->y[i], (unsigned)s->job->n_classes);
        s->row[i] = i;
        s->id[i] = s->clean->id ? s->clean->id[i] : i;
    }
    return LETHE_OK;
}

/* The answer so far of active sample i: the buffers are valid at any time. */
static void search_write(struct search *s, uint32_t i, int found)
{
    uint32_t row = s->row[i];
    memcpy(s->out->x + row * s->size, s->x + i * s->size, s->size * sizeof *s->x);
    s->out->found[row] = (uint8_t)found;
    s->out->radius[row] = (float)s->eps;
}

/* Index of the largest logit of z (c), the lowest one on ties. */
static int32_t argmax(const float *z, uint32_t c)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < c; k++)
        if (z[k] > z[best])
            best = k;
    return (int32_t)best;
}

/* Predictions of the active samples; marks and writes those that are found. */
static lethe_status search_look(lethe_ctx *ctx, struct search *s, uint32_t *ret_n_done)
{
    uint32_t c = s->job->n_classes, n_done = 0;
    LETHE_TRY(ctx->host->model->forward(ctx, s->job->model, &s->active, LETHE_EVAL, s->logits));
    for (uint32_t i = 0; i < s->active.n; i++) {
        const float *z = s->logits + (size_t)i * c;
        for (uint32_t k = 0; k < c; k++)
            if (!isfinite(z[k]))
                return lethe_failf(ctx, LETHE_E_NUMERIC,
                                   "the model's output became NaN or infinite on sample %llu of "
                                   "the batch, radius %g",
                                   (unsigned long long)s->row[i], s->eps);
        s->done[i] = argmax(z, c) != s->y[i];
        n_done += s->done[i];
        if (s->done[i])
            search_write(s, i, 1);
    }
    *ret_n_done = n_done;
    return LETHE_OK;
}

/* z (c) becomes d CE / d z of one sample: softmax(z) - onehot(y). */
static void logit_gradient(float *z, uint32_t c, int32_t y)
{
    double top = z[argmax(z, c)], sum = 0, wrong = 0;
    for (uint32_t k = 0; k < c; k++)
        sum += exp(z[k] - top);
    for (uint32_t k = 0; k < c; k++) {
        double p = exp(z[k] - top) / sum;
        z[k] = (float)p;
        wrong += (int32_t)k == y ? 0 : p;
    }
    z[y] = (float)-wrong;
}

/* One step of sample i: x (size) along g, back into the ball around x0 and into the box. */
static void search_step(const struct search *s, uint32_t i)
{
    float *x = s->x + i * s->size;
    const float *g = s->gradient + i * s->size;
    const float *x0 = s->clean->x + s->row[i] * s->size;
    float lo = (float)s->job->box_lo, hi = (float)s->job->box_hi, alpha = (float)(s->eps / 10);
    double g2 = 0, d2 = 0;
    for (size_t p = 0; p < s->size; p++)
        g2 += (double)g[p] * g[p];
    float norm = (float)(sqrt(g2) + NORM_GUARD);
    for (size_t p = 0; p < s->size; p++) {
        x[p] += alpha * (g[p] / norm);
        d2 += (double)(x[p] - x0[p]) * (x[p] - x0[p]);
    }
    float shrink = d2 > s->eps * s->eps ? (float)(s->eps / sqrt(d2)) : 1.0f;
    for (size_t p = 0; p < s->size; p++) {
        float moved = x0[p] + (x[p] - x0[p]) * shrink;
        x[p] = moved < lo ? lo : moved > hi ? hi : moved;
    }
}

/* A gradient step for every active sample that is not done. */
static lethe_status search_climb(lethe_ctx *ctx, struct search *s)
{
    uint32_t c = s->job->n_classes;
    for (uint32_t i = 0; i < s->active.n; i++) {
        if (s->done[i])
            memset(s->logits + (size_t)i * c, 0, c * sizeof *s->logits);
        else
            logit_gradient(s->logits + (size_t)i * c, c, s->y[i]);
    }
    LETHE_TRY(ctx->host->model->input_gradient(ctx, s->job->model, s->logits, s->gradient));
    for (uint32_t i = 0; i < s->active.n; i++)
        if (!s->done[i]) {
            search_step(s, i);
            s->out->steps[s->row[i]]++;
        }
    return LETHE_OK;
}

/* Drops the samples that are done, keeping the order of the rest. */
static void search_pack(struct search *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->active.n; i++) {
        if (s->done[i])
            continue;
        if (n != i)
            memcpy(s->x + n * s->size, s->x + i * s->size, s->size * sizeof *s->x);
        s->y[n] = s->y[i];
        s->id[n] = s->id[i];
        s->row[n++] = s->row[i];
    }
    s->active.n = n;
}

/* The next radius: 0 when there is none. */
static int search_widen(struct search *s, uint32_t *doublings, uint32_t max, int warm)
{
    if (*doublings == max)
        return 0;
    ++*doublings;
    s->eps *= 2;
    for (uint32_t i = 0; i < s->active.n && !warm; i++)
        memcpy(s->x + i * s->size, s->clean->x + s->row[i] * s->size, s->size * sizeof *s->x);
    return 1;
}

/* One forward pass a round: it checks the last step of a radius and serves the
 * gradient of the next, except after a restart, whose iterate has moved. */
static lethe_status search_run(lethe_ctx *ctx, struct search *s)
{
    uint32_t steps = (uint32_t)lethe_int(ctx, P_STEPS), t = 0, doublings = 0, n_done = 0;
    uint32_t max = (uint32_t)lethe_int(ctx, P_DOUBLINGS);
    int warm = lethe_bool(ctx, P_WARM);
    while (s->active.n > 0) {
        int restarted = 0;
        LETHE_TRY(lethe_check_cancelled(ctx));
        LETHE_TRY(search_look(ctx, s, &n_done));
        if (t == steps) {
            if (n_done == s->active.n || !search_widen(s, &doublings, max, warm))
                break;
            t = 0;
            restarted = !warm;
        }
        if (n_done < s->active.n && !restarted) {
            LETHE_TRY(search_climb(ctx, s));
            t++;
        }
        search_pack(s);
    }
    for (uint32_t i = 0; i < s->active.n; i++)
        if (!s->done[i])
            search_write(s, i, 0);
    return LETHE_OK;
}

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    struct search s = {.job = job, .clean = clean, .out = out, .eps = lethe_real(ctx, P_EPS)};
    if (job->target)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "pgd-l2-nearest has no targeted form; leave the target classes out");
    LETHE_TRY(search_init(ctx, &s));
    for (uint32_t i = 0; i < clean->n; i++) {
        out->steps[i] = 0;
        search_write(&s, i, 0);
    }
    return search_run(ctx, &s);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "pgd-l2-nearest",
    .name = "Nearest adversarial example (PGD-L2)",
    .short_name = "PGD-L2 near",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "PGD in an L2 ball that doubles until the prediction changes",
    .doc = "AMUN's search for the nearest adversarial example. Projected gradient ascent on the "
           "cross-entropy of the sample's label inside an L2 ball, with steps of a tenth of the "
           "radius, until the prediction is another class; when the steps of a radius are spent, "
           "the radius doubles. A sample that is misclassified from the start is returned "
           "unchanged, with the first radius.\n"
           "Paper: Ebrahimpour-Boroojeny et al., ICML 2025. Code read: Ali-E/AMUN 9e341a9, "
           "pgdl2_modified.py. Deviations: the number of doublings is capped, and what is not "
           "found by then says so (repository: no end); warm_start: false restarts from the clean "
           "sample at each radius, as the paper's text has it (repository: keeps the iterate). The "
           "guard 1e-10 is added to the norm of the sample's own gradient; the repository adds it "
           "to that of the batch's mean loss, so that a sample's path depends on the batch where "
           "gradients are tiny. That gradient is p_k in the wrong classes and minus their sum in "
           "the label's, which does not round to zero for confident samples. Labels are those of "
           "the data set.",
    .citation = "@inproceedings{ebrahimpour2025amun, title={Not All Wrong is Bad: Using "
                "Adversarial Examples for Unlearning}, author={Ebrahimpour-Boroojeny, Ali and "
                "Sundaram, Hari and Chandrasekaran, Varun}, booktitle={International Conference on "
                "Machine Learning}, pages={14950--14971}, year={2025}}",
    .url = "https://proceedings.mlr.press/v267/ebrahimpour-boroojeny25a.html",
};
static const lethe_example_attack attack = {
    .struct_size = sizeof(lethe_example_attack),
    .norm = LETHE_NORM_L2,
    .perturb = perturb,
};
LETHE_SINGLE(LETHE_KIND_EXAMPLE_ATTACK, &info, params, LETHE_COUNT(params), LETHE_CAP_GRADIENTS, 0,
             &attack);
