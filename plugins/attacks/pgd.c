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
#include <lethe/perturb.h>

enum { P_EPS = 0, P_ALPHA, P_STEPS, P_RANDOM, P_RESTARTS, P_EARLY };

#define PGD_PARAMS(eps, alpha, unit)                                                               \
    LETHE_REAL("eps", eps, 0, 1e3, unit, "radius of the ball; pixels are in [0, 1]"),              \
        LETHE_REAL("alpha", alpha, 0, 1e3, unit, "length of a step"),                              \
        LETHE_INT("steps", 10, 0, 100000, "steps", "gradient steps of each start"),                \
        LETHE_BOOL("random_start", 1, "start at a random point of the ball"),                      \
        LETHE_INT("restarts", 1, 1, 1000, "", "starts of a sample, until the goal is reached"),    \
        LETHE_BOOL("early_stop", 0, "a sample that reached its goal steps no further")

static const lethe_param linf_params[] = {PGD_PARAMS(8.0 / 255, 2.0 / 255, "Linf pixels")};
static const lethe_param l2_params[] = {PGD_PARAMS(1.0, 0.2, "L2 pixels")};

struct pgd {
    lethe_active a; /* the samples that are still at it */
    lethe_example_result *out;
    int32_t norm;
    double eps, alpha; /* alpha < 0: targeted */
};

static uint64_t id_of(const struct pgd *s, uint32_t row)
{
    return s->a.clean->id ? s->a.clean->id[row] : row;
}

/* x (size) = a random point of the ball around x0, then of the box: uniform in the
 * cube, or a normal direction with a length uniform in [0, eps]. */
static lethe_status random_start(lethe_ctx *ctx, const struct pgd *s, uint32_t row,
                                 uint32_t restart, float *x)
{
    const float *x0 = s->a.clean->x + row * s->a.size;
    float lo = (float)s->a.job->box_lo, hi = (float)s->a.job->box_hi, share;
    double norm2 = 0, scale;
    lethe_rng rng;
    char name[32];
    snprintf(name, sizeof name, "start-%u", (unsigned)restart);
    LETHE_TRY(ctx->host->rng->stream(ctx, name, id_of(s, row), &rng));
    if (s->norm == LETHE_NORM_LINF) {
        ctx->host->rng->uniform(ctx, &rng, x, s->a.size);
        for (size_t p = 0; p < s->a.size; p++)
            x[p] = x0[p] + (float)(s->eps * (2.0 * (double)x[p] - 1));
    } else {
        ctx->host->rng->uniform(ctx, &rng, &share, 1);
        ctx->host->rng->normal(ctx, &rng, x, s->a.size);
        for (size_t p = 0; p < s->a.size; p++)
            norm2 += (double)x[p] * x[p];
        scale = norm2 > 0 ? s->eps * (double)share / sqrt(norm2) : 0;
        for (size_t p = 0; p < s->a.size; p++)
            x[p] = x0[p] + (float)((double)x[p] * scale);
    }
    for (size_t p = 0; p < s->a.size; p++)
        x[p] = x[p] < lo ? lo : x[p] > hi ? hi : x[p];
    return LETHE_OK;
}

/* Samples without success so far become active, each at its start. */
static lethe_status pgd_start(lethe_ctx *ctx, struct pgd *s, uint32_t restart)
{
    int random = lethe_bool(ctx, P_RANDOM);
    s->a.batch.n = 0;
    for (uint32_t i = 0; i < s->a.clean->n; i++) {
        if (restart > 0 && s->out->found[i])
            continue;
        float *x = lethe_active_add(&s->a, i);
        if (random)
            LETHE_TRY(random_start(ctx, s, i, restart, x));
    }
    return LETHE_OK;
}

/* The answer of active sample i as it stands. */
static void pgd_write(struct pgd *s, uint32_t i)
{
    uint32_t row = s->a.row[i], c = s->a.job->n_classes;
    int hit = lethe_class_of(s->a.logits + (size_t)i * c, c) == s->a.goal[row];
    memcpy(s->out->x + row * s->a.size, s->a.x + i * s->a.size, s->a.size * sizeof *s->a.x);
    s->out->found[row] = (uint8_t)(hit == !!s->a.job->target);
}

/* Logits of the active samples and their answers. */
static lethe_status pgd_look(lethe_ctx *ctx, struct pgd *s)
{
    LETHE_TRY(lethe_active_forward(ctx, &s->a));
    for (uint32_t i = 0; i < s->a.batch.n; i++)
        pgd_write(s, i);
    return LETHE_OK;
}

static void step_linf(const struct pgd *s, float *x, const float *x0, const float *g)
{
    float eps = (float)s->eps, alpha = (float)s->alpha;
    float lo = (float)s->a.job->box_lo, hi = (float)s->a.job->box_hi;
    for (size_t p = 0; p < s->a.size; p++) {
        float d = x[p] + alpha * (float)((g[p] > 0) - (g[p] < 0)) - x0[p];
        d = d < -eps ? -eps : d > eps ? eps : d;
        float v = x0[p] + d;
        x[p] = v < lo ? lo : v > hi ? hi : v;
    }
}

/* After pgd_look: one gradient step of every active sample. */
static lethe_status pgd_step(lethe_ctx *ctx, struct pgd *s)
{
    LETHE_TRY(lethe_active_gradient(ctx, &s->a, NULL));
    for (uint32_t i = 0; i < s->a.batch.n; i++) {
        float *x = s->a.x + i * s->a.size;
        const float *x0 = s->a.clean->x + s->a.row[i] * s->a.size,
                    *g = s->a.gradient + i * s->a.size;
        if (s->norm == LETHE_NORM_LINF)
            step_linf(s, x, x0, g);
        else
            lethe_step_l2(s->a.job, x, x0, g, s->a.size, (float)s->alpha, s->eps);
        s->out->steps[s->a.row[i]]++;
    }
    return LETHE_OK;
}

/* With early stopping, samples that have reached their goal leave; the network still holds the
 * whole batch, so that it must look again. */
static lethe_status pgd_run(lethe_ctx *ctx, struct pgd *s)
{
    uint32_t restarts = (uint32_t)lethe_int(ctx, P_RESTARTS);
    int64_t steps = lethe_int(ctx, P_STEPS);
    int early = lethe_bool(ctx, P_EARLY);
    for (uint32_t r = 0; r < restarts; r++) {
        LETHE_TRY(pgd_start(ctx, s, r));
        for (int64_t t = 0; s->a.batch.n > 0; t++) {
            LETHE_TRY(lethe_check_cancelled(ctx));
            LETHE_TRY(pgd_look(ctx, s));
            if (t == steps)
                break;
            if (early && lethe_active_pack(&s->a, s->out->found) && s->a.batch.n > 0)
                LETHE_TRY(pgd_look(ctx, s));
            if (s->a.batch.n > 0)
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
    struct pgd s = {.out = out, .norm = norm};
    s.eps = lethe_real(ctx, P_EPS);
    s.alpha = job->target ? -lethe_real(ctx, P_ALPHA) : lethe_real(ctx, P_ALPHA);
    LETHE_TRY(lethe_active_init(ctx, &s.a, job, clean));
    memcpy(out->x, clean->x, clean->n * s.a.size * sizeof *out->x);
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
