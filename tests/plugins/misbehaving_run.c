/* SPDX-License-Identifier: MIT
 * misbehaving_run.c: unlearners that go wrong while they run, one module each:
 * built with -DBEHAVE=<function> -DTEST_ID="test.<name>". Apart from that one
 * thing each is in order, and each reports progress first, so that it goes wrong
 * in mid-run. */
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <lethe/lethe.h>

enum { P_MAX_MIB = 0 };

static const lethe_param params[] = {
    LETHE_INT("max_mib", 1024, 1, 65536, "MiB", "test.hog: most memory it takes"),
};

#define BEHAVIOUR(name)                                                                            \
    __attribute__((unused)) static lethe_status name(lethe_ctx *ctx, void *state,                  \
                                                     const lethe_forget_job *job)

static void sleep_for(time_t seconds)
{
    struct timespec left = {seconds, 0};
    while (nanosleep(&left, &left) < 0)
        ;
}

BEHAVIOUR(noop)
{
    return ctx->host->core->progress(ctx, 1, "nothing to do");
}

/* All weights zero: one class for every input, the numbers finite. */
BEHAVIOUR(wreck)
{
    const lethe_model_api *api = ctx->host->model;
    uint32_t n = api->n_tensors(ctx, job->model);
    for (uint32_t t = 0; t < n; t++) {
        lethe_tensor tensor = {.struct_size = sizeof tensor};
        LETHE_TRY(api->tensor(ctx, job->model, t, &tensor));
        if (tensor.w && (tensor.flags & LETHE_TENSOR_TRAINABLE))
            memset(tensor.w, 0, tensor.n * sizeof *tensor.w);
    }
    return LETHE_OK;
}

BEHAVIOUR(segfault)
{
    volatile int *volatile nowhere = NULL; /* a plain store would be optimised away */
    LETHE_TRY(ctx->host->core->progress(ctx, 0.5, "about to crash"));
    *nowhere = 1;
    return LETHE_OK;
}

BEHAVIOUR(abort_in_run)
{
    LETHE_TRY(ctx->host->core->progress(ctx, 0.5, "about to abort"));
    abort();
}

/* Deaf to cancellation and to SIGTERM's flag. */
BEHAVIOUR(hang)
{
    LETHE_TRY(ctx->host->core->progress(ctx, 0.5, "about to hang"));
    for (;;)
        sleep_for(3600);
}

BEHAVIOUR(exit_in_run)
{
    LETHE_TRY(ctx->host->core->progress(ctx, 0.5, "about to leave"));
    exit(0);
}

BEHAVIOUR(nan_weights)
{
    lethe_tensor tensor = {.struct_size = sizeof tensor};
    LETHE_TRY(ctx->host->model->tensor(ctx, job->model, 0, &tensor));
    if (!tensor.w)
        return lethe_failf(ctx, LETHE_E_DENIED, "no access to the weights");
    tensor.w[tensor.n / 2] = NAN;
    return LETHE_OK;
}

/* Touches memory in pieces of 16 MiB, up to max_mib, and never gives any back. */
BEHAVIOUR(hog)
{
    const size_t piece = (size_t)16 << 20;
    uint64_t mib = 0, most = (uint64_t)lethe_int(ctx, P_MAX_MIB);
    for (; mib < most; mib += 16) {
        volatile char *p = malloc(piece);
        if (!p)
            return lethe_failf(ctx, LETHE_E_NOMEM, "out of memory after %u MiB", (unsigned)mib);
        for (size_t i = 0; i < piece; i += 4096)
            p[i] = 1;
        LETHE_TRY(ctx->host->core->progress(ctx, (double)mib / (double)most, "eating memory"));
    }
    return lethe_failf(ctx, LETHE_E_INTERNAL, "took %u MiB and nobody minded", (unsigned)mib);
}

/* Helps itself to the retain set, which it did not declare. */
BEHAVIOUR(peek)
{
    lethe_loader_opts opts = {.struct_size = sizeof opts, .batch_size = 16, .stream = "peek"};
    lethe_batch batch = {.struct_size = sizeof batch};
    lethe_loader *loader = NULL;
    LETHE_TRY(ctx->host->data->loader(ctx, job->retain, &opts, &loader));
    LETHE_TRY(ctx->host->data->next(ctx, loader, &batch));
    return lethe_failf(ctx, LETHE_E_INTERNAL, "read %u samples of it", batch.n);
}

/* Either the host refuses the tensor, or the write has to crash. */
BEHAVIOUR(write_original)
{
    lethe_tensor tensor = {.struct_size = sizeof tensor};
    LETHE_TRY(ctx->host->model->tensor(ctx, (lethe_model *)job->original, 0, &tensor));
    if (!tensor.w)
        return lethe_failf(ctx, LETHE_E_DENIED, "the original's weights are out of reach");
    tensor.w[0] += 1;
    return LETHE_OK;
}

/* Succeeds and leaves a process behind, which holds every inherited descriptor. */
BEHAVIOUR(grandchild)
{
    pid_t pid = fork();
    if (pid == 0) {
        sleep_for(120);
        _exit(0);
    }
    if (pid < 0)
        return lethe_failf(ctx, LETHE_E_INTERNAL, "fork failed");
    lethe_logf(ctx, LETHE_LOG_INFO, "stray grandchild %ld", (long)pid);
    return LETHE_OK;
}

BEHAVIOUR(fail)
{
    return lethe_failf(ctx, LETHE_E_INVALID, "this plugin always fails, reason %d", 42);
}

/* Fails with what must not become markup in a report. */
BEHAVIOUR(markup)
{
    return lethe_failf(ctx, LETHE_E_INVALID, "%s",
                       "</script><img src=x onerror=\"window.owned=1\"><b>&amp; 'quoted'</b>");
}

/* Fails without saying why. */
BEHAVIOUR(mute)
{
    return LETHE_E_UNSUPPORTED;
}

/* Writes to stdout and stderr, without a newline at the end, and succeeds. */
BEHAVIOUR(noisy)
{
    printf("{\"done\": \"ok\"}\nnoise on stdout");
    fprintf(stderr, "noise on stderr");
    return LETHE_OK;
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = TEST_ID,
    .name = TEST_ID,
    .short_name = "test",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "misbehaves on purpose",
    .doc = "A plugin for tests of the host.",
    .citation = "",
    .url = "",
};
static const lethe_unlearner unlearner = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .run = BEHAVE,
};
LETHE_SINGLE(LETHE_KIND_UNLEARNER, &info, params, LETHE_COUNT(params),
             LETHE_CAP_FORGET | LETHE_CAP_WEIGHTS, 0, &unlearner);
