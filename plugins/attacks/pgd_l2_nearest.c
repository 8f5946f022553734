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
#include <lethe/perturb.h>

enum { P_EPS = 0, P_STEPS, P_DOUBLINGS, P_WARM };

static const lethe_param params[] = {
    LETHE_REAL("eps", 0.04, 1e-6, 1e3, "L2 pixels", "first radius; pixels are in [0, 1]"),
    LETHE_INT("steps", 50, 1, 100000, "steps", "gradient steps per radius"),
    LETHE_INT("max_doublings", 12, 0, 40, "", "doublings of the radius before giving up"),
    LETHE_BOOL("warm_start", 1, "keep the iterate when the radius doubles"),
};

struct search {
    lethe_active a; /* the samples that still search; they share radius and step count */
    lethe_example_result *out;
    uint8_t *done; /* (clean->n) found in this round or before */
    double eps;    /* radius in force */
};

/* The answer so far of active sample i: the buffers are valid at any time. */
static void search_write(struct search *s, uint32_t i, int found)
{
    uint32_t row = s->a.row[i];
    memcpy(s->out->x + row * s->a.size, s->a.x + i * s->a.size, s->a.size * sizeof *s->a.x);
    s->out->found[row] = (uint8_t)found;
    s->out->radius[row] = (float)s->eps;
}

/* Predictions of the active samples; marks and writes those that are found. */
static lethe_status search_look(lethe_ctx *ctx, struct search *s, uint32_t *ret_n_done)
{
    uint32_t c = s->a.job->n_classes, n_done = 0;
    LETHE_TRY(lethe_active_forward(ctx, &s->a));
    for (uint32_t i = 0; i < s->a.batch.n; i++) {
        uint32_t row = s->a.row[i];
        s->done[row] = lethe_class_of(s->a.logits + (size_t)i * c, c) != s->a.goal[row];
        n_done += s->done[row];
        if (s->done[row])
            search_write(s, i, 1);
    }
    *ret_n_done = n_done;
    return LETHE_OK;
}

/* A gradient step, a tenth of the radius long, for every active sample that is not done. */
static lethe_status search_climb(lethe_ctx *ctx, struct search *s)
{
    size_t size = s->a.size;
    LETHE_TRY(lethe_active_gradient(ctx, &s->a, s->done));
    for (uint32_t i = 0; i < s->a.batch.n; i++) {
        uint32_t row = s->a.row[i];
        if (s->done[row])
            continue;
        lethe_step_l2(s->a.job, s->a.x + i * size, s->a.clean->x + row * size,
                      s->a.gradient + i * size, size, (float)(s->eps / 10), s->eps);
        s->out->steps[row]++;
    }
    return LETHE_OK;
}

/* The next radius: 0 when there is none. */
static int search_widen(struct search *s, uint32_t *doublings, uint32_t max, int warm)
{
    if (*doublings == max)
        return 0;
    ++*doublings;
    s->eps *= 2;
    for (uint32_t i = 0; i < s->a.batch.n && !warm; i++)
        memcpy(s->a.x + i * s->a.size, s->a.clean->x + s->a.row[i] * s->a.size,
               s->a.size * sizeof *s->a.x);
    return 1;
}

/* One forward pass a round: it checks the last step of a radius and serves the
 * gradient of the next, except after a restart, whose iterate has moved. */
static lethe_status search_run(lethe_ctx *ctx, struct search *s)
{
    uint32_t steps = (uint32_t)lethe_int(ctx, P_STEPS), t = 0, doublings = 0, n_done = 0;
    uint32_t max = (uint32_t)lethe_int(ctx, P_DOUBLINGS);
    int warm = lethe_bool(ctx, P_WARM);
    while (s->a.batch.n > 0) {
        int restarted = 0;
        LETHE_TRY(lethe_check_cancelled(ctx));
        LETHE_TRY(search_look(ctx, s, &n_done));
        if (t == steps) {
            if (n_done == s->a.batch.n || !search_widen(s, &doublings, max, warm))
                break;
            t = 0;
            restarted = !warm;
        }
        if (n_done < s->a.batch.n && !restarted) {
            LETHE_TRY(search_climb(ctx, s));
            t++;
        }
        lethe_active_pack(&s->a, s->done);
    }
    for (uint32_t i = 0; i < s->a.batch.n; i++)
        if (!s->done[s->a.row[i]])
            search_write(s, i, 0);
    return LETHE_OK;
}

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    struct search s = {.out = out, .eps = lethe_real(ctx, P_EPS)};
    if (job->target)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "pgd-l2-nearest has no targeted form; leave the target classes out");
    LETHE_TRY(lethe_active_init(ctx, &s.a, job, clean));
    s.done = lethe_alloc(ctx, clean->n, sizeof *s.done);
    if (!s.done)
        return LETHE_E_NOMEM;
    for (uint32_t i = 0; i < clean->n; i++) {
        lethe_active_add(&s.a, i);
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
