/* consumer.h: a plugin in the common subset of C and C++ that touches what the
 * public headers offer; headers.sh builds it in every language mode. */
#include <lethe/lethe.h>

static const char *const flavours[] = {"plain", "bitter", NULL};
enum { P_ASCEND = LETHE_FIT_N, P_FLAVOUR, P_WEIGHT, P_MASK };
static const lethe_param params[] = {
    LETHE_FIT_PARAMS(1, 0.01, "0.01,0.001"),
    LETHE_BOOL("ascend", 1, "climb"),
    LETHE_CHOICE("flavour", 0, flavours, "of the loss"),
    LETHE_REAL("weight", 0.25, 0, 1, "", "of the forget loss"),
    LETHE_MASK_PARAMS(1),
#ifdef LETHE_STRING
    LETHE_STRING("note", "none", "C++17 cannot declare these"),
#endif
};
static const lethe_preset presets[] = {
    LETHE_PRESET_REAL(1, P_WEIGHT, 0.5),
    LETHE_PRESET_INT(1, P_ASCEND, 0),
};

static lethe_status loss(lethe_ctx *ctx, void *arg, const lethe_batch *batch, const float *logits,
                         uint32_t n_classes, double *ret_loss, float *dlogits)
{
    (void)arg;
    return ctx->host->loss->cross_entropy(ctx, logits, batch->y, batch->n, n_classes, ret_loss,
                                          dlogits);
}

static lethe_status run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    lethe_fit_opts fit;
    (void)state;
    LETHE_TRY(lethe_apply_preset(ctx, params, LETHE_COUNT(params), P_FLAVOUR, presets,
                                 LETHE_COUNT(presets)));
    fit = lethe_fit_params(ctx, job->model);
    fit.lr =
        lethe_real(ctx, P_WEIGHT) * lethe_rate(LETHE_SCHEDULE_COSINE, 0.1, 1, 0.1, 0, fit.epochs);
    fit.pass[0].view = job->forget;
    fit.pass[0].ascend = lethe_bool(ctx, P_ASCEND);
    if (lethe_choice(ctx, P_FLAVOUR) == 1)
        fit.pass[0].loss = loss;
    LETHE_TRY(lethe_fit_mask(ctx, P_MASK, job->forget, &fit));
    if (!LETHE_HAS(lethe_host, ctx->host, extension))
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "host too old: %u", ctx->host->struct_size);
    LETHE_TRY(lethe_fit(ctx, &fit));
    return lethe_check_weights(ctx, job->model);
}

static const lethe_info info = {sizeof(lethe_info),
                                0,
                                "org.example.consumer",
                                "Consumer",
                                "consumer",
                                "1.0",
                                "An author",
                                "MIT",
                                "one line",
                                "doc",
                                "",
                                "",
                                NULL};
static const lethe_unlearner unlearner = {
    sizeof(lethe_unlearner), LETHE_SCENARIO_RANDOM, 0, 0, NULL, NULL, NULL, run, NULL};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS, 0, &unlearner);
