/* consumer.h: a plugin in the common subset of C and C++ that touches what the
 * public headers offer; headers.sh builds it in every language mode. */
#include <lethe/lethe.h>

static const char *const flavours[] = {"plain", "bitter", NULL};
static const lethe_param params[] = {
    LETHE_INT("epochs", 1, 0, 10, "epochs", "passes"),
    LETHE_BOOL("ascend", 1, "climb"),
    LETHE_CHOICE("flavour", 0, flavours, "of the loss"),
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
    memset(&fit, 0, sizeof fit);
    fit.model = job->model;
    fit.epochs = (uint32_t)lethe_int(ctx, 0);
    fit.batch = 32;
    fit.lr = lethe_rate(LETHE_SCHEDULE_COSINE, 0.1, 1, 0.1, 0, fit.epochs);
    fit.pass[0].view = job->forget;
    fit.pass[0].ascend = lethe_bool(ctx, 1);
    if (lethe_choice(ctx, 2) == 1)
        fit.pass[0].loss = loss;
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
