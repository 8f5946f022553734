/* SPDX-License-Identifier: MIT
 * random_labels.c: random labels. SGD on cross-entropy, from the original
 * weights, over the forget set with random labels and, with retain: true, the
 * retain set with its own. Labels are drawn from all classes or from all but
 * the true one, once or anew each epoch. order: mix shuffles both sets
 * together; seq trains on the forget set first, then on the retain set.
 * Paper: Golatkar et al., CVPR 2020. Code read: Ali-E/AMUN 9e341a9 (defaults:
 * other, epoch, mix), OPTML-Group/Unlearn-Saliency a6e89fd (any, epoch, seq),
 * K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (other, never, mix),
 * shaaaaron/DELETE 60018a1 (any, never, retain: false). Deviations: a constant
 * rate by default (AMUN's repository: schedule step, step 1); "anew" means once
 * an epoch, also where a repository draws at each access. */
#include <lethe/lethe.h>

enum { P_RETAIN = LETHE_FIT_N, P_LABELS, P_REDRAW, P_ORDER };
enum { LABELS_OTHER = 0, LABELS_ANY = 1 };
enum { REDRAW_EPOCH = 0, REDRAW_NEVER = 1 };
enum { ORDER_MIX = 0, ORDER_SEQ = 1 };

static const char *const label_sets[] = {"other", "any", NULL};
static const char *const redraws[] = {"epoch", "never", NULL};
static const char *const orders[] = {"mix", "seq", NULL};
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(10, 0.01, "0.1,0.03,0.01,0.003,0.001"),
    LETHE_BOOL("retain", 1, "train on the retain set too"),
    LETHE_CHOICE("labels", LABELS_OTHER, label_sets,
                 "drawn from all classes but the true one (other) or from all (any)"),
    LETHE_CHOICE("redraw", REDRAW_EPOCH, redraws, "new labels each epoch, or never"),
    LETHE_CHOICE("order", ORDER_MIX, orders,
                 "both sets shuffled together (mix), or forget set first, then retain set (seq)"),
};

struct draw {
    lethe_ctx *ctx;
    uint32_t n_classes;
    int other, fixed;
};

/* The label of epoch e is the e-th draw of the sample's own stream. */
static int32_t draw_label(void *arg, uint32_t epoch, uint64_t id, int32_t y)
{
    const struct draw *d = arg;
    const lethe_rng_api *api = d->ctx->host->rng;
    uint32_t n = d->n_classes - (d->other ? 1 : 0);
    lethe_rng rng;
    if (api->stream(d->ctx, "labels", id, &rng) < 0)
        return -1; /* no class: the host refuses it */
    int32_t label = (int32_t)api->below(d->ctx, &rng, n);
    for (uint32_t e = 0; e < epoch && !d->fixed; e++)
        label = (int32_t)api->below(d->ctx, &rng, n);
    return d->other && label >= y ? label + 1 : label;
}

static lethe_status labels_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    if (lethe_bool(ctx, P_RETAIN) && !job->retain)
        return lethe_failf(ctx, LETHE_E_DENIED, "retain: true needs access to the retain set");
    return LETHE_OK;
}

static lethe_status labels_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    const lethe_data_api *data = ctx->host->data;
    lethe_fit_opts fit = lethe_fit_params(ctx, job->model);
    struct draw draw = {ctx, ctx->host->model->n_classes(ctx, job->model),
                        lethe_choice(ctx, P_LABELS) == LABELS_OTHER,
                        lethe_choice(ctx, P_REDRAW) == REDRAW_NEVER};
    const lethe_view *sets[2] = {job->retain, NULL};
    if (draw.n_classes < 2)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "a model of one class has no other labels");
    LETHE_TRY(data->relabel_by(ctx, job->forget, draw_label, &draw, &sets[1]));
    fit.pass[0].view = sets[1];
    if (lethe_bool(ctx, P_RETAIN) && lethe_choice(ctx, P_ORDER) == ORDER_MIX)
        LETHE_TRY(data->concat(ctx, sets, 2, &fit.pass[0].view));
    else if (lethe_bool(ctx, P_RETAIN))
        fit.pass[1].view = job->retain;
    return lethe_fit(ctx, &fit);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "random-labels",
    .name = "Random labels",
    .short_name = "RL",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "trains the forget set on random labels, the retain set on its own",
    .doc = "Random labels. SGD on cross-entropy, from the original weights, over the forget set "
           "with random labels and, with retain: true, the retain set with its own. Labels are "
           "drawn from all classes or from all but the true one, once or anew each epoch. order: "
           "mix shuffles both sets together; seq trains on the forget set first, then on the "
           "retain set.\n"
           "Paper: Golatkar et al., CVPR 2020. Code read: Ali-E/AMUN 9e341a9 (defaults: other, "
           "epoch, mix), OPTML-Group/Unlearn-Saliency a6e89fd (any, epoch, seq), "
           "K1nght/Unified-Unlearning-w-Remain-Geometry 36bb7f6 (other, never, mix), "
           "shaaaaron/DELETE 60018a1 (any, never, retain: false). Deviations: a constant rate by "
           "default (AMUN's repository: schedule step, step 1); \"anew\" means once an epoch, also "
           "where a repository draws at each access.",
    .citation = "@inproceedings{golatkar2020eternal, title={Eternal Sunshine of the Spotless Net: "
                "Selective Forgetting in Deep Networks}, author={Golatkar, Aditya and Achille, "
                "Alessandro and Soatto, Stefano}, booktitle={IEEE/CVF Conference on Computer "
                "Vision and Pattern Recognition}, year={2020}}",
    .url = "https://arxiv.org/abs/1911.04933",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .check = labels_check,
    .run = labels_run,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, LETHE_CAP_RETAIN,
             &unlearner);
