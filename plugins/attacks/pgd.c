/* SPDX-License-Identifier: MIT
 * pgd.c: projected gradient descent inside a ball of fixed radius, as two
 * attacks: pgd-linf steps along the sign of the loss gradient, pgd-l2 along the
 * gradient divided by its norm. After each step the perturbation goes back into
 * the ball, then the image into its box. Untargeted attacks climb the loss of
 * the label, targeted ones descend that of the target. The last iterate is
 * returned; random starts, restarts (samples that did not reach the goal start
 * again) and early stopping are options.
 * Paper: Madry et al., ICLR 2018. Code read: Harry24k/adversarial-attacks-pytorch
 * pgd.py, pgdl2.py. Deviations: the gradient is that of the sample's own loss,
 * not of the batch's mean, which matters only for the guard 1e-10 of the norm;
 * random draws are named by sample, so that they do not depend on the batch. */
#include <lethe/lethe.h>

enum { P_EPS = 0, P_ALPHA, P_STEPS, P_RANDOM, P_RESTARTS, P_EARLY };

#define NORM_GUARD 1e-10
#define PGD_PARAMS(eps, alpha, unit)                                                               \
    LETHE_REAL("eps", eps, 0, 1e3, unit, "radius of the ball; pixels are in [0, 1]"),              \
        LETHE_REAL("alpha", alpha, 0, 1e3, unit, "length of a step"),                              \
        LETHE_INT("steps", 10, 0, 100000, "steps", "gradient steps of each start"),                \
        LETHE_BOOL("random_start", 1, "start at a random point of the ball"),                      \
        LETHE_INT("restarts", 1, 1, 1000, "", "starts of a sample, until the goal is reached"),    \
        LETHE_BOOL("early_stop", 0, "a sample that reached its goal steps no further")

static const lethe_param linf_params[] = {PGD_PARAMS(8.0 / 255, 2.0 / 255, "Linf pixels")};
static const lethe_param l2_params[] = {PGD_PARAMS(1.0, 0.2, "L2 pixels")};

/* The samples that are still at it, packed. */
struct pgd {
    const lethe_example_job *job;
    const lethe_batch *clean;
    lethe_example_result *out;
    const int32_t *goal; /* (clean->n) label to leave, or target to reach */
    lethe_batch active;  /* x is `x` below */
    float *x;            /* (active.n, size) iterates */
    float *gradient;     /* (active.n, size) */
    float *logits;       /* (active.n, n_classes), then dL/dlogits */
    int32_t *y;          /* (active.n) */
    uint64_t *id;        /* (active.n) */
    uint32_t *row;       /* (active.n) place in the clean batch */
    size_t size;         /* pixels of a sample */
    int32_t norm;
    double eps, alpha; /* alpha < 0: targeted */
};

static lethe_status pgd_init(lethe_ctx *ctx, struct pgd *s)
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
    if (!s->x || !s->gradient || !s->logits || !s->y || !s->id || !s->row)
        return LETHE_E_NOMEM;
    s->active = *s->clean;
    s->active.struct_size = sizeof s->active;
    s->active.x = s->x;
    s->active.y = s->y;
    s->active.id = s->id;
    s->goal = s->job->target ? s->job->target : s->clean->y;
    for (uint32_t i = 0; i < n; i++)
        if (s->goal[i] < 0 || (uint32_t)s->goal[i] >= s->job->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "%s %d is none of the model's %u classes",
                               s->job->target ? "target" : "label", (int)s->goal[i],
                               (unsigned)s->job->n_classes);
    return LETHE_OK;
}

static uint64_t id_of(const struct pgd *s, uint32_t row)
{
    return s->clean->id ? s->clean->id[row] : row;
}

/* x (size) = a random point of the ball around x0, then of the box: uniform in the
 * cube, or a normal direction with a length uniform in [0, eps]. */
static lethe_status random_start(lethe_ctx *ctx, const struct pgd *s, uint32_t row,
                                 uint32_t restart, float *x)
{
    const float *x0 = s->clean->x + row * s->size;
    float lo = (float)s->job->box_lo, hi = (float)s->job->box_hi, share;
    double norm2 = 0, scale;
    lethe_rng rng;
    char name[32];
    snprintf(name, sizeof name, "start-%u", (unsigned)restart);
    LETHE_TRY(ctx->host->rng->stream(ctx, name, id_of(s, row), &rng));
    if (s->norm == LETHE_NORM_LINF) {
        ctx->host->rng->uniform(ctx, &rng, x, s->size);
        for (size_t p = 0; p < s->size; p++)
            x[p] = x0[p] + (float)(s->eps * (2.0 * (double)x[p] - 1));
    } else {
        ctx->host->rng->uniform(ctx, &rng, &share, 1);
        ctx->host->rng->normal(ctx, &rng, x, s->size);
        for (size_t p = 0; p < s->size; p++)
            norm2 += (double)x[p] * x[p];
        scale = norm2 > 0 ? s->eps * (double)share / sqrt(norm2) : 0;
        for (size_t p = 0; p < s->size; p++)
            x[p] = x0[p] + (float)((double)x[p] * scale);
    }
    for (size_t p = 0; p < s->size; p++)
        x[p] = x[p] < lo ? lo : x[p] > hi ? hi : x[p];
    return LETHE_OK;
}

/* Samples without success so far become active, each at its start. */
static lethe_status pgd_start(lethe_ctx *ctx, struct pgd *s, uint32_t restart)
{
    int random = lethe_bool(ctx, P_RANDOM);
    s->active.n = 0;
    for (uint32_t i = 0; i < s->clean->n; i++) {
        uint32_t k = s->active.n;
        if (restart > 0 && s->out->found[i])
            continue;
        s->row[k] = i;
        s->y[k] = s->clean->y[i];
        s->id[k] = id_of(s, i);
        memcpy(s->x + k * s->size, s->clean->x + i * s->size, s->size * sizeof *s->x);
        if (random)
            LETHE_TRY(random_start(ctx, s, i, restart, s->x + k * s->size));
        s->active.n++;
    }
    return LETHE_OK;
}

static int32_t argmax(const float *z, uint32_t c)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < c; k++)
        best = z[k] > z[best] ? k : best;
    return (int32_t)best;
}

/* The answer of active sample i as it stands. */
static void pgd_write(struct pgd *s, uint32_t i)
{
    uint32_t row = s->row[i];
    int hit = argmax(s->logits + (size_t)i * s->job->n_classes, s->job->n_classes) == s->goal[row];
    memcpy(s->out->x + row * s->size, s->x + i * s->size, s->size * sizeof *s->x);
    s->out->found[row] = (uint8_t)(hit == !!s->job->target);
}

/* Logits of the active samples, each of them finite, and their answers. */
static lethe_status pgd_look(lethe_ctx *ctx, struct pgd *s)
{
    uint32_t c = s->job->n_classes;
    LETHE_TRY(ctx->host->model->forward(ctx, s->job->model, &s->active, LETHE_EVAL, s->logits));
    for (uint32_t i = 0; i < s->active.n; i++) {
        for (uint32_t k = 0; k < c; k++)
            if (!isfinite(s->logits[(size_t)i * c + k]))
                return lethe_failf(ctx, LETHE_E_NUMERIC,
                                   "the model's output became NaN or infinite on sample %llu of "
                                   "the batch",
                                   (unsigned long long)s->row[i]);
        pgd_write(s, i);
    }
    return LETHE_OK;
}

/* z (c) becomes d CE / d z of one sample: softmax(z) - onehot(y), exact for sure samples. */
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

static void step_linf(const struct pgd *s, float *x, const float *x0, const float *g)
{
    float eps = (float)s->eps, alpha = (float)s->alpha;
    float lo = (float)s->job->box_lo, hi = (float)s->job->box_hi;
    for (size_t p = 0; p < s->size; p++) {
        float d = x[p] + alpha * (float)((g[p] > 0) - (g[p] < 0)) - x0[p];
        d = d < -eps ? -eps : d > eps ? eps : d;
        float v = x0[p] + d;
        x[p] = v < lo ? lo : v > hi ? hi : v;
    }
}

static void step_l2(const struct pgd *s, float *x, const float *x0, const float *g)
{
    float lo = (float)s->job->box_lo, hi = (float)s->job->box_hi, alpha = (float)s->alpha;
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
        float v = x0[p] + (x[p] - x0[p]) * shrink;
        x[p] = v < lo ? lo : v > hi ? hi : v;
    }
}

/* After pgd_look: one gradient step of every active sample. */
static lethe_status pgd_step(lethe_ctx *ctx, struct pgd *s)
{
    uint32_t c = s->job->n_classes;
    for (uint32_t i = 0; i < s->active.n; i++)
        logit_gradient(s->logits + (size_t)i * c, c, s->goal[s->row[i]]);
    LETHE_TRY(ctx->host->model->input_gradient(ctx, s->job->model, s->logits, s->gradient));
    for (uint32_t i = 0; i < s->active.n; i++) {
        float *x = s->x + i * s->size;
        const float *x0 = s->clean->x + s->row[i] * s->size, *g = s->gradient + i * s->size;
        if (s->norm == LETHE_NORM_LINF)
            step_linf(s, x, x0, g);
        else
            step_l2(s, x, x0, g);
        s->out->steps[s->row[i]]++;
    }
    return LETHE_OK;
}

/* Early stopping: drops samples that have reached their goal. The logits of the rest move with
 * them, but the network still holds the whole batch, so that it must look again. */
static int pgd_pack(struct pgd *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->active.n; i++) {
        if (s->out->found[s->row[i]])
            continue;
        if (n != i)
            memcpy(s->x + n * s->size, s->x + i * s->size, s->size * sizeof *s->x);
        s->y[n] = s->y[i];
        s->id[n] = s->id[i];
        s->row[n++] = s->row[i];
    }
    int dropped = n < s->active.n;
    s->active.n = n;
    return dropped;
}

static lethe_status pgd_run(lethe_ctx *ctx, struct pgd *s)
{
    uint32_t restarts = (uint32_t)lethe_int(ctx, P_RESTARTS);
    int64_t steps = lethe_int(ctx, P_STEPS);
    int early = lethe_bool(ctx, P_EARLY);
    for (uint32_t r = 0; r < restarts; r++) {
        LETHE_TRY(pgd_start(ctx, s, r));
        for (int64_t t = 0; s->active.n > 0; t++) {
            LETHE_TRY(lethe_check_cancelled(ctx));
            LETHE_TRY(pgd_look(ctx, s));
            if (t == steps)
                break;
            if (early && pgd_pack(s) && s->active.n > 0)
                LETHE_TRY(pgd_look(ctx, s));
            if (s->active.n > 0)
                LETHE_TRY(pgd_step(ctx, s));
        }
        if (!lethe_bool(ctx, P_RANDOM))
            break; /* every start would be the same */
    }
    return LETHE_OK;
}

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out, int32_t norm)
{
    struct pgd s = {.job = job, .clean = clean, .out = out, .norm = norm};
    s.eps = lethe_real(ctx, P_EPS);
    s.alpha = job->target ? -lethe_real(ctx, P_ALPHA) : lethe_real(ctx, P_ALPHA);
    LETHE_TRY(pgd_init(ctx, &s));
    memcpy(out->x, clean->x, clean->n * s.size * sizeof *out->x);
    for (uint32_t i = 0; i < clean->n; i++) {
        out->found[i] = 0;
        out->steps[i] = 0;
        out->radius[i] = (float)s.eps;
    }
    return pgd_run(ctx, &s);
}

static lethe_status perturb_linf(lethe_ctx *ctx, const lethe_example_job *job,
                                 const lethe_batch *clean, lethe_example_result *out)
{
    return perturb(ctx, job, clean, out, LETHE_NORM_LINF);
}

static lethe_status perturb_l2(lethe_ctx *ctx, const lethe_example_job *job,
                               const lethe_batch *clean, lethe_example_result *out)
{
    return perturb(ctx, job, clean, out, LETHE_NORM_L2);
}

#define PGD_DOC                                                                                    \
    "Projected gradient descent inside a ball of fixed radius, as two attacks: pgd-linf "          \
    "steps along the sign of the loss gradient, pgd-l2 along the gradient divided by its "         \
    "norm. After each step the perturbation goes back into the ball, then the image into "         \
    "its box. Untargeted attacks climb the loss of the label, targeted ones descend that of "      \
    "the target. The last iterate is returned; random starts, restarts (samples that did "         \
    "not reach the goal start again) and early stopping are options.\n"                            \
    "Paper: Madry et al., ICLR 2018. Code read: Harry24k/adversarial-attacks-pytorch "             \
    "pgd.py, pgdl2.py. Deviations: the gradient is that of the sample's own loss, not of "         \
    "the batch's mean, which matters only for the guard 1e-10 of the norm; random draws are "      \
    "named by sample, so that they do not depend on the batch."
#define PGD_CITATION                                                                               \
    "@inproceedings{madry2018towards, title={Towards Deep Learning Models Resistant to "           \
    "Adversarial Attacks}, author={Madry, Aleksander and Makelov, Aleksandar and Schmidt, "        \
    "Ludwig and Tsipras, Dimitris and Vladu, Adrian}, booktitle={International Conference on "     \
    "Learning Representations}, year={2018}}"

static const lethe_info linf_info = {
    .struct_size = sizeof(lethe_info),
    .id = "pgd-linf",
    .name = "PGD in an L-infinity ball",
    .short_name = "PGD-Linf",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "projected gradient descent in an L-infinity ball",
    .doc = PGD_DOC,
    .citation = PGD_CITATION,
    .url = "https://arxiv.org/abs/1706.06083",
};
static const lethe_info l2_info = {
    .struct_size = sizeof(lethe_info),
    .id = "pgd-l2",
    .name = "PGD in an L2 ball",
    .short_name = "PGD-L2",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "projected gradient descent in an L2 ball of fixed radius",
    .doc = PGD_DOC,
    .citation = PGD_CITATION,
    .url = "https://arxiv.org/abs/1706.06083",
};
static const lethe_example_attack linf = {sizeof(lethe_example_attack), LETHE_NORM_LINF,
                                          perturb_linf};
static const lethe_example_attack l2 = {sizeof(lethe_example_attack), LETHE_NORM_L2, perturb_l2};

#define PGD_PLUGIN(info, params, iface)                                                            \
    {                                                                                              \
        sizeof(lethe_plugin), LETHE_KIND_EXAMPLE_ATTACK, &(info), (params), LETHE_COUNT(params),   \
            sizeof(lethe_param), LETHE_CAP_GRADIENTS, 0, &(iface), NULL                            \
    }
static const lethe_plugin linf_plugin = PGD_PLUGIN(linf_info, linf_params, linf);
static const lethe_plugin l2_plugin = PGD_PLUGIN(l2_info, l2_params, l2);
static const lethe_plugin *const plugins[] = {&linf_plugin, &l2_plugin};
LETHE_ENTRY(plugins, 0);
