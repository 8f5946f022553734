/* SPDX-License-Identifier: MIT
 * probe_plugin.c: plugins that look at the host from the plugin's side. The parameter `what`
 * chooses the inspection; a finding is a failure whose text says where. What a test must compare
 * itself is left in the trace, which plugin.extension("test.trace") hands out. */
#include <signal.h>
#include <stdlib.h>

#include <lethe/lethe.h>

#include "probe_trace.h"

static struct probe_trace trace;

#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return lethe_failf(ctx, LETHE_E_INTERNAL, "line %d: %s", __LINE__, #cond);             \
    } while (0)
#define EXPECT_STATUS(call, status)                                                                \
    do {                                                                                           \
        lethe_status got_ = (call);                                                                \
        if (got_ != (status))                                                                      \
            return lethe_failf(ctx, LETHE_E_INTERNAL, "line %d: %d: %s", __LINE__, got_, #call);   \
    } while (0)

enum { P_WHAT = 0, P_NUMBER, P_TEXT };

/* ---- random numbers ---- */

static lethe_status look_rng(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_rng_api *api = ctx->host->rng;
    lethe_rng a, b;
    float again[7], ahead[3];
    LETHE_TRY(api->stream(ctx, "numbers", 5, &a));
    api->uniform(ctx, &a, trace.uniform, 7); /* ends inside a block of four */
    b = a;
    trace.below = api->below(ctx, &a, 1000);
    api->normal(ctx, &a, trace.normal, 5);
    EXPECT(api->below(ctx, &b, 1000) == trace.below);
    api->normal(ctx, &b, again, 5);
    EXPECT(memcmp(again, trace.normal, 5 * sizeof(float)) == 0);
    LETHE_TRY(api->stream(ctx, "numbers", 5, &b));
    api->uniform(ctx, &b, ahead, 3);
    api->uniform(ctx, &b, again, 4);
    EXPECT(memcmp(ahead, trace.uniform, sizeof ahead) == 0);
    EXPECT(memcmp(again, trace.uniform + 3, 4 * sizeof(float)) == 0);
    LETHE_TRY(api->stream(ctx, "order", 0, &a));
    api->permute(ctx, &a, trace.order, 10);
    return LETHE_OK;
}

/* ---- views ---- */

static lethe_status view_labels(lethe_ctx *ctx, const lethe_view *v, int32_t *y, uint64_t want)
{
    EXPECT(ctx->host->data->count(ctx, v) == want);
    return ctx->host->data->labels(ctx, v, y);
}

static lethe_status look_composed(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_data_api *data = ctx->host->data;
    uint32_t n = (uint32_t)data->count(ctx, job->forget), rows[2] = {n - 1, 0};
    const lethe_view *subset, *both, *relabelled, *parts[2];
    int32_t *y = lethe_alloc(ctx, n + 2u, sizeof *y), two[2], new_labels[2] = {3, 4};
    EXPECT(y);
    LETHE_TRY(view_labels(ctx, job->forget, y, n));
    LETHE_TRY(data->subset(ctx, job->forget, rows, 2, &subset));
    LETHE_TRY(view_labels(ctx, subset, two, 2));
    EXPECT(two[0] == y[n - 1] && two[1] == y[0]);
    LETHE_TRY(data->relabel(ctx, subset, new_labels, &relabelled));
    parts[0] = job->forget;
    parts[1] = relabelled;
    LETHE_TRY(data->concat(ctx, parts, 2, &both));
    LETHE_TRY(view_labels(ctx, both, y, n + 2u));
    EXPECT(y[n] == 3 && y[n + 1] == 4);
    rows[0] = n;
    EXPECT_STATUS(data->subset(ctx, job->forget, rows, 1, &subset), LETHE_E_INVALID);
    new_labels[1] = 10;
    EXPECT_STATUS(data->relabel(ctx, relabelled, new_labels, &relabelled), LETHE_E_INVALID);
    EXPECT_STATUS(data->concat(ctx, parts, 0, &both), LETHE_E_INVALID);
    return LETHE_OK;
}

static lethe_status look_batches(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_data_api *data = ctx->host->data;
    lethe_batch b = {.struct_size = sizeof b}, made = {.struct_size = sizeof made};
    uint32_t rows[2] = {1, 0};
    const lethe_view *v;
    LETHE_TRY(data->batch(ctx, job->forget, rows, 2, &b));
    EXPECT(b.n == 2 && b.input.n_dim == 3 && b.input.dim[0] == 1 && b.input.dim[1] == 28);
    EXPECT(b.id[0] > b.id[1] && b.x[0] >= 0 && b.x[0] <= 1);
    float *x = lethe_alloc(ctx, 2 * 784, sizeof *x);
    EXPECT(x);
    memcpy(x, b.x, 2 * 784 * sizeof *x);
    int32_t y[2] = {b.y[0], b.y[1]};
    LETHE_TRY(data->arrays(ctx, x, y, 2, &v));
    LETHE_TRY(data->batch(ctx, v, rows, 2, &made));
    EXPECT(made.id[0] == (1ull << 63) + 1 && memcmp(made.x + 784, x, 784 * sizeof *x) == 0);
    made.struct_size = 8;
    EXPECT_STATUS(data->batch(ctx, v, rows, 2, &made), LETHE_E_INVALID);
    return LETHE_OK;
}

/* One pass; ids go to the trace. */
static lethe_status pass(lethe_ctx *ctx, const lethe_view *v, uint32_t batch, uint32_t shuffle,
                         uint32_t epoch)
{
    lethe_loader_opts opts = {sizeof opts, batch, shuffle, epoch, "walk"};
    lethe_batch b = {.struct_size = sizeof b};
    lethe_loader *loader;
    uint32_t n = 0;
    LETHE_TRY(ctx->host->data->loader(ctx, v, &opts, &loader));
    for (;;) {
        LETHE_TRY(ctx->host->data->next(ctx, loader, &b));
        if (b.n == 0)
            break;
        for (uint32_t i = 0; i < b.n && n < PROBE_IDS; i++)
            trace.id[n++] = b.id[i];
        trace.batches++;
    }
    trace.n_ids = n;
    return ctx->host->data->next(ctx, loader, &b);
}

static lethe_status look_loader(lethe_ctx *ctx, const lethe_forget_job *job)
{
    lethe_loader_opts opts = {sizeof opts, 0, 0, 0, NULL};
    lethe_loader *loader;
    EXPECT_STATUS(ctx->host->data->loader(ctx, job->forget, &opts, &loader), LETHE_E_INVALID);
    for (uint32_t e = 0; e < 50; e++) /* buffers are used again: no growth */
        LETHE_TRY(pass(ctx, job->forget, 7, 1, e));
    trace.batches = 0;
    return pass(ctx, job->forget, 7, 1, 2);
}

static int32_t no_class(void *arg, uint32_t epoch, uint64_t id, int32_t y)
{
    return 99;
}

static lethe_status look_labels(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_view *v;
    LETHE_TRY(ctx->host->data->relabel_by(ctx, job->forget, no_class, NULL, &v));
    return pass(ctx, v, 7, 0, 0);
}

/* ---- passes ---- */

static float *gradients(lethe_ctx *ctx, lethe_model *m, uint64_t *ret_n)
{
    const lethe_model_api *api = ctx->host->model;
    uint64_t n = 0;
    float *all = NULL;
    for (int fill = 0; fill < 2; fill++) {
        n = 0;
        for (uint32_t t = 0; t < api->n_tensors(ctx, m); t++) {
            lethe_tensor tensor = {.struct_size = sizeof tensor};
            if (api->tensor(ctx, m, t, &tensor) < 0)
                return NULL;
            if (tensor.g && fill)
                memcpy(all + n, tensor.g, tensor.n * sizeof *all);
            n += tensor.g ? tensor.n : 0;
        }
        if (!fill && !(all = lethe_alloc(ctx, n, sizeof *all)))
            return NULL;
    }
    *ret_n = n;
    return all;
}

enum { N = 8, C = 10 };

struct desk { /* a batch and room for outputs */
    lethe_batch batch;
    uint32_t rows[N];
    float logits[N * C], d[N * C];
};

static lethe_status desk_init(lethe_ctx *ctx, const lethe_view *v, struct desk *k)
{
    memset(k, 0, sizeof *k);
    k->batch.struct_size = sizeof k->batch;
    for (uint32_t i = 0; i < N; i++)
        k->rows[i] = i;
    return ctx->host->data->batch(ctx, v, k->rows, N, &k->batch);
}

static lethe_status forward(lethe_ctx *ctx, struct desk *k, const lethe_model *m, int32_t mode)
{
    LETHE_TRY(ctx->host->model->forward(ctx, m, &k->batch, mode, k->logits));
    return ctx->host->loss->cross_entropy(ctx, k->logits, k->batch.y, N, C, NULL, k->d);
}

/* A teacher's and another student's passes between forward and backward change nothing. */
static lethe_status look_interleaved(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_model_api *api = ctx->host->model;
    struct desk own, other;
    lethe_model *copy, *second;
    uint64_t n = 0;
    LETHE_TRY(desk_init(ctx, job->forget, &own));
    other = own;
    LETHE_TRY(api->clone(ctx, job->model, &copy));
    LETHE_TRY(api->clone(ctx, job->model, &second));
    LETHE_TRY(forward(ctx, &own, copy, LETHE_TRAIN));
    LETHE_TRY(api->backward(ctx, copy, own.d, NULL));
    float *want = gradients(ctx, copy, &n);
    EXPECT(want && n > 0);
    LETHE_TRY(forward(ctx, &own, job->model, LETHE_TRAIN));
    LETHE_TRY(forward(ctx, &other, job->original, LETHE_EVAL)); /* the teacher */
    LETHE_TRY(forward(ctx, &other, second, LETHE_TRAIN));
    LETHE_TRY(api->backward(ctx, second, other.d, NULL));
    LETHE_TRY(api->backward(ctx, job->model, own.d, NULL));
    float *got = gradients(ctx, job->model, &n);
    EXPECT(got && memcmp(got, want, n * sizeof *got) == 0);
    EXPECT_STATUS(api->backward(ctx, job->model, own.d, NULL), LETHE_E_INVALID);
    LETHE_TRY(api->zero_grad(ctx, job->model));
    got = gradients(ctx, job->model, &n);
    for (uint64_t i = 0; i < n; i++)
        EXPECT(got[i] == 0);
    return api->copy(ctx, job->model, job->original);
}

/* The first input gradient repeats the evaluation pass on what the samples were then. */
static lethe_status look_replay(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_model_api *api = ctx->host->model;
    struct desk k;
    float *x = lethe_alloc(ctx, N * 784, sizeof *x), *dx[3];
    LETHE_TRY(desk_init(ctx, job->forget, &k));
    memcpy(x, k.batch.x, N * 784 * sizeof *x);
    k.batch.x = x;
    for (int i = 0; i < 3; i++) {
        dx[i] = lethe_alloc(ctx, N * 784, sizeof *dx[i]);
        EXPECT(x && dx[i]);
        LETHE_TRY(forward(ctx, &k, job->original, LETHE_EVAL));
        if (i == 0)
            memset(x, 0, N * 784 * sizeof *x);
        LETHE_TRY(api->input_gradient(ctx, job->original, k.d, dx[i]));
        if (i == 0) {
            LETHE_TRY(desk_init(ctx, job->forget, &k));
            memcpy(x, k.batch.x, N * 784 * sizeof *x);
            k.batch.x = x;
        }
    }
    EXPECT(memcmp(dx[0], dx[1], N * 784 * sizeof *x) == 0);
    EXPECT(memcmp(dx[0], dx[2], N * 784 * sizeof *x) == 0);
    double sum = 0;
    for (int i = 0; i < N * 784; i++)
        sum += fabs((double)dx[0][i]);
    EXPECT(sum > 0 && isfinite(sum));
    return LETHE_OK;
}

static uint64_t n_trainable(lethe_ctx *ctx, lethe_model *m)
{
    uint64_t n = 0;
    for (uint32_t t = 0; t < ctx->host->model->n_tensors(ctx, m); t++) {
        lethe_tensor tensor = {.struct_size = sizeof tensor};
        if (ctx->host->model->tensor(ctx, m, t, &tensor) == LETHE_OK &&
            (tensor.flags & LETHE_TENSOR_TRAINABLE))
            n += tensor.n;
    }
    return n;
}

/* With restore, masked weights stay bit-identical; the others move. */
static lethe_status look_mask(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_host *host = ctx->host;
    uint64_t n = n_trainable(ctx, job->model), at = 0, moved = 0;
    uint8_t *mask = lethe_alloc(ctx, n, 1);
    struct desk k;
    lethe_optim *optim;
    EXPECT(mask);
    for (uint64_t i = 0; i < n; i++)
        mask[i] = i % 3 == 0;
    LETHE_TRY(host->optim->sgd(ctx, job->model, 0.9, 0.1, &optim));
    LETHE_TRY(host->optim->mask(ctx, optim, mask, 1));
    for (int s = 0; s < 3; s++) {
        LETHE_TRY(desk_init(ctx, job->forget, &k));
        LETHE_TRY(forward(ctx, &k, job->model, LETHE_TRAIN));
        LETHE_TRY(host->model->backward(ctx, job->model, k.d, NULL));
        LETHE_TRY(host->optim->step(ctx, optim, 0.1));
    }
    for (uint32_t t = 0; t < host->model->n_tensors(ctx, job->model); t++) {
        lethe_tensor now = {.struct_size = sizeof now}, before = now;
        LETHE_TRY(host->model->tensor(ctx, job->model, t, &now));
        LETHE_TRY(host->model->tensor(ctx, (lethe_model *)job->original, t, &before));
        for (uint64_t i = 0; (now.flags & LETHE_TENSOR_TRAINABLE) && i < now.n; i++, at++) {
            EXPECT(mask[at] || memcmp(&now.w[i], &before.w[i], sizeof(float)) == 0);
            moved += now.w[i] != before.w[i];
        }
    }
    EXPECT(at == n && moved > n / 4);
    return LETHE_OK;
}

/* ---- models ---- */

static lethe_status look_models(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_model_api *api = ctx->host->model;
    lethe_model *original = (lethe_model *)job->original, *fresh, *again;
    lethe_tensor t = {.struct_size = sizeof t}, u = t, v = t;
    lethe_layer layer = {.struct_size = sizeof layer};
    lethe_optim *optim;
    struct desk k;
    EXPECT(api->n_classes(ctx, original) == C && api->n_layers(ctx, original) > 5);
    LETHE_TRY(api->layer(ctx, original, 0, &layer));
    EXPECT(strcmp(layer.name, "conv1") == 0 && strcmp(layer.kind, "conv") == 0);
    LETHE_TRY(api->tensor(ctx, original, 0, &t));
    EXPECT(strcmp(t.name, "conv1.weight") == 0 && t.w && !t.g && t.shape.n_dim == 4);
    LETHE_TRY(desk_init(ctx, job->forget, &k));
    EXPECT_STATUS(forward(ctx, &k, original, LETHE_TRAIN), LETHE_E_DENIED);
    EXPECT_STATUS(api->copy(ctx, original, job->model), LETHE_E_DENIED);
    EXPECT_STATUS(api->zero_grad(ctx, original), LETHE_E_DENIED);
    EXPECT_STATUS(api->backward(ctx, original, k.d, NULL), LETHE_E_DENIED);
    EXPECT_STATUS(ctx->host->optim->sgd(ctx, original, 0, 0, &optim), LETHE_E_DENIED);
    EXPECT_STATUS(api->tensor(ctx, original, 999, &t), LETHE_E_INVALID);
    LETHE_TRY(api->fresh(ctx, original, "a", &fresh));
    LETHE_TRY(api->fresh(ctx, original, "a", &again));
    LETHE_TRY(api->tensor(ctx, fresh, 0, &u));
    LETHE_TRY(api->tensor(ctx, again, 0, &v));
    EXPECT(memcmp(u.w, v.w, u.n * sizeof(float)) == 0 && memcmp(u.w, t.w, u.n * sizeof(float)));
    float *logits = lethe_alloc(ctx, ctx->host->data->count(ctx, job->forget) * C, sizeof *logits);
    EXPECT(logits);
    LETHE_TRY(api->predict(ctx, original, job->forget, logits));
    LETHE_TRY(forward(ctx, &k, original, LETHE_EVAL));
    for (int i = 0; i < N * C; i++)
        EXPECT(fabsf(k.logits[i] - logits[i]) < 1e-4f);
    return LETHE_OK;
}

/* ---- attacks ---- */

static lethe_status look_attack(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_attack_api *api = ctx->host->attack;
    static const char *const settings[] = {"eps=0.04", "steps=10", NULL};
    static const char *const bad_name[] = {"epz=1", NULL}, *const bad_value[] = {"steps=0", NULL};
    lethe_adversarial a = {.struct_size = sizeof a}, b = a;
    EXPECT_STATUS(api->run(ctx, "nothing", NULL, job->original, job->forget, &a), LETHE_E_DENIED);
    EXPECT_STATUS(api->run(ctx, "pgd-l2-nearest", bad_name, job->original, job->forget, &a),
                  LETHE_E_INVALID);
    EXPECT_STATUS(api->run(ctx, "pgd-l2-nearest", NULL, job->original, NULL, &a), LETHE_E_DENIED);
    EXPECT_STATUS(api->run(ctx, "pgd-l2-nearest", bad_value, job->original, job->forget, &a),
                  LETHE_E_INVALID);
    LETHE_TRY(api->run(ctx, "pgd-l2-nearest", settings, job->original, job->forget, &a));
    LETHE_TRY(api->declared(ctx, 0, &b));
    LETHE_TRY(api->declared(ctx, 0, &b)); /* costs nothing more */
    EXPECT_STATUS(api->declared(ctx, 1, &b), LETHE_E_INVALID);
    EXPECT(a.n == b.n && memcmp(a.x, b.x, a.n * 784 * sizeof(float)) == 0);
    EXPECT(memcmp(a.label, b.label, a.n * sizeof(*a.label)) == 0);
    EXPECT(memcmp(a.steps, b.steps, a.n * sizeof(*a.steps)) == 0);
    return LETHE_OK;
}

/* ---- small things ---- */

static void count_range(void *arg, uint64_t begin, uint64_t end)
{
    uint32_t *hit = arg;
    for (uint64_t i = begin; i < end; i++)
        hit[i]++;
}

static lethe_status look_par(lethe_ctx *ctx, const lethe_forget_job *job)
{
    uint32_t hit[1000] = {0};
    LETHE_TRY(ctx->host->par->range(ctx, 1000, 7, count_range, hit));
    for (int i = 0; i < 1000; i++)
        EXPECT(hit[i] == 1);
    EXPECT(ctx->host->par->n_threads(ctx) >= 1);
    EXPECT_STATUS(ctx->host->par->range(ctx, 10, 0, count_range, hit), LETHE_E_INVALID);
    return LETHE_OK;
}

static lethe_status look_tables(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_host *h = ctx->host;
    EXPECT(h->abi_major == LETHE_ABI_MAJOR && h->struct_size >= sizeof *h);
    EXPECT(h->emit == NULL && h->extension(h, "no.such/1") == NULL);
    EXPECT(job->forget && job->retain && !job->validation);
    EXPECT(h->recipe && h->attack && h->optim);
    lethe_recipe r = {.struct_size = sizeof r};
    LETHE_TRY(h->recipe->get(ctx, &r));
    EXPECT(r.epochs == 2 && r.batch == 16 && r.lr == 0.05);
    EXPECT(lethe_int(ctx, P_NUMBER) == 7 && strcmp(lethe_string(ctx, P_TEXT), "some text") == 0);
    EXPECT(!h->core->cancelled(ctx));
    return LETHE_OK;
}

static lethe_status look_positive(lethe_ctx *ctx, const lethe_forget_job *job)
{
    return 3;
}

static lethe_status look_unknown(lethe_ctx *ctx, const lethe_forget_job *job)
{
    return -77;
}

static lethe_status look_passed_on(lethe_ctx *ctx, const lethe_forget_job *job)
{
    return ctx->host->model->copy(ctx, (lethe_model *)job->original, job->model);
}

static lethe_status look_recovered(lethe_ctx *ctx, const lethe_forget_job *job)
{
    look_passed_on(ctx, job);
    return LETHE_OK;
}

static lethe_status look_memory(lethe_ctx *ctx, const lethe_forget_job *job)
{
    return lethe_alloc(ctx, UINT64_MAX / 2, 16) ? LETHE_OK : LETHE_E_NOMEM;
}

static lethe_status look_crash(lethe_ctx *ctx, const lethe_forget_job *job)
{
    raise(SIGSEGV);
    return LETHE_OK;
}

static lethe_status look_kept(lethe_ctx *ctx, const lethe_forget_job *job)
{
    trace.kept->host->core->log(trace.kept, LETHE_LOG_INFO, "still here?");
    return LETHE_OK;
}

/* A table taken from the context while it lived is no way around the end of its call. */
static lethe_status look_kept_table(lethe_ctx *ctx, const lethe_forget_job *job)
{
    ctx->host->core->alloc(trace.kept, 10);
    return LETHE_OK;
}

static lethe_status look_recipe(lethe_ctx *ctx, const lethe_forget_job *job)
{
    EXPECT_STATUS(ctx->host->recipe->train(ctx, job->model, NULL), LETHE_E_DENIED);
    return ctx->host->recipe->train(ctx, job->model, job->retain);
}

/* Works until it is told to stop. */
static lethe_status look_cancelled(lethe_ctx *ctx, const lethe_forget_job *job)
{
    for (;;)
        LETHE_TRY(ctx->host->core->progress(ctx, 0.5, "waiting to be stopped"));
}

/* clang-format 14 does not come to rest on this list. */
/* clang-format off */
#define LOOKS(X)                                                                                   \
    X(rng)                                                                                         \
    X(composed)                                                                                    \
    X(batches)                                                                                     \
    X(loader) X(labels) X(interleaved) X(replay) X(mask) X(models) X(attack) X(par) X(tables)      \
        X(positive) X(unknown) X(passed_on) X(recovered) X(memory) X(crash) X(kept) X(kept_table)  \
            X(recipe) X(cancelled)
/* clang-format on */

#define LOOK_NAME(name) #name,
#define LOOK_FN(name) look_##name,
static const char *const look_names[] = {LOOKS(LOOK_NAME) NULL};
static lethe_status (*const looks[])(lethe_ctx *, const lethe_forget_job *) = {LOOKS(LOOK_FN)};

static lethe_status probe_check(lethe_ctx *ctx, const lethe_forget_job *job)
{
    trace.calls = trace.calls * 10 + 1;
    return LETHE_OK;
}

static lethe_status probe_prepare(lethe_ctx *ctx, const lethe_forget_job *job, void **state)
{
    trace.calls = trace.calls * 10 + 2;
    trace.scenario = job->scenario;
    trace.n_forget_classes = job->n_forget_classes;
    trace.forget_class = job->n_forget_classes ? job->forget_classes[0] : -1;
    trace.kept = ctx;
    *state = malloc(16);
    return *state ? LETHE_OK : LETHE_E_NOMEM;
}

static lethe_status probe_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    trace.calls = trace.calls * 10 + 3;
    EXPECT(state && ctx != trace.kept);
    return looks[lethe_choice(ctx, P_WHAT)](ctx, job);
}

static void probe_dispose(lethe_ctx *ctx, void *state)
{
    trace.calls = trace.calls * 10 + 4;
    free(state);
}

/* ---- a plugin that was granted next to nothing ---- */

/* Every slot that takes a view, with the retain set that was not granted. */
static lethe_status walk_views(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_data_api *data = ctx->host->data;
    lethe_batch batch = {.struct_size = sizeof batch};
    lethe_loader_opts opts = {sizeof opts, 1, 0, 0, NULL};
    const lethe_view *v = NULL, *parts[2] = {job->forget, job->retain};
    lethe_loader *loader = NULL;
    uint32_t row = 0;
    int32_t y = 0;
    uint64_t id = 0;
    float logits[C];
    EXPECT(data->count(ctx, job->retain) == 0);
    EXPECT_STATUS(data->batch(ctx, job->retain, &row, 1, &batch), LETHE_E_DENIED);
    EXPECT_STATUS(data->labels(ctx, job->retain, &y), LETHE_E_DENIED);
    EXPECT_STATUS(data->ids(ctx, job->retain, &id), LETHE_E_DENIED);
    EXPECT_STATUS(data->subset(ctx, job->retain, &row, 1, &v), LETHE_E_DENIED);
    EXPECT_STATUS(data->concat(ctx, parts, 2, &v), LETHE_E_DENIED);
    EXPECT_STATUS(data->relabel(ctx, job->retain, &y, &v), LETHE_E_DENIED);
    EXPECT_STATUS(data->relabel_by(ctx, job->retain, no_class, NULL, &v), LETHE_E_DENIED);
    EXPECT_STATUS(data->augment(ctx, job->retain, 0, &v), LETHE_E_DENIED);
    EXPECT_STATUS(data->loader(ctx, job->retain, &opts, &loader), LETHE_E_DENIED);
    EXPECT_STATUS(ctx->host->model->predict(ctx, job->model, job->retain, logits), LETHE_E_DENIED);
    row = (uint32_t)data->count(ctx, job->forget); /* no way past the end of what was granted */
    EXPECT_STATUS(data->batch(ctx, job->forget, &row, 1, &batch), LETHE_E_INVALID);
    EXPECT_STATUS(data->subset(ctx, job->forget, &row, 1, &v), LETHE_E_INVALID);
    EXPECT(!v && !loader);
    return LETHE_OK;
}

static lethe_status no_weights(lethe_ctx *ctx, lethe_model *m)
{
    for (uint32_t i = 0; i < ctx->host->model->n_tensors(ctx, m); i++) {
        lethe_tensor t = {.struct_size = sizeof t};
        LETHE_TRY(ctx->host->model->tensor(ctx, m, i, &t));
        EXPECT(!t.w && !t.g && t.n > 0);
    }
    return LETHE_OK;
}

/* Every slot that gives a model, and the original: none shows weights or gradients. */
static lethe_status walk_models(lethe_ctx *ctx, const lethe_forget_job *job)
{
    const lethe_model_api *api = ctx->host->model;
    lethe_model *original = (lethe_model *)job->original, *m;
    LETHE_TRY(no_weights(ctx, job->model));
    LETHE_TRY(no_weights(ctx, original));
    LETHE_TRY(api->clone(ctx, job->model, &m));
    LETHE_TRY(no_weights(ctx, m));
    LETHE_TRY(api->fresh(ctx, original, "bare", &m));
    LETHE_TRY(no_weights(ctx, m));
    LETHE_TRY(api->expand(ctx, original, 1, "bare", &m));
    LETHE_TRY(no_weights(ctx, m));
    EXPECT_STATUS(api->prune(ctx, original, m), LETHE_E_DENIED);
    EXPECT_STATUS(api->copy(ctx, original, job->model), LETHE_E_DENIED);
    EXPECT_STATUS(api->zero_grad(ctx, original), LETHE_E_DENIED);
    return LETHE_OK;
}

static lethe_status bare_run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    const lethe_model_api *api = ctx->host->model;
    struct desk k;
    EXPECT(job->forget && !job->retain && !job->validation);
    EXPECT(!ctx->host->optim && !ctx->host->attack && !ctx->host->recipe && !ctx->host->emit);
    LETHE_TRY(walk_views(ctx, job));
    LETHE_TRY(walk_models(ctx, job));
    LETHE_TRY(desk_init(ctx, job->forget, &k));
    LETHE_TRY(forward(ctx, &k, job->model, LETHE_TRAIN));
    EXPECT_STATUS(api->input_gradient(ctx, job->model, k.d, k.logits), LETHE_E_DENIED);
    return api->backward(ctx, job->model, k.d, NULL);
}

/* ---- membership: scores that tell which candidate is which ---- */

static lethe_status member_fit(lethe_ctx *ctx, const lethe_member_job *job, void **state)
{
    EXPECT(job->known_members && job->known_nonmembers && job->known_members->n == 2);
    EXPECT(job->known_members->logits[0] == 5 && job->known_nonmembers->logits[0] == 6);
    *state = malloc(1);
    return LETHE_OK;
}

/* Candidate i has logit i in class 0; its scores are i and what the references say of it. */
static lethe_status member_score(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                                 double *score)
{
    const lethe_outputs *o = job->candidates;
    uint64_t in_place = 0;
    EXPECT(state && job->references && job->references->n_models == 2);
    for (uint64_t i = 0; i < o->n; i++) {
        float z = o->logits[i * o->n_views * o->n_classes];
        score[i] = (double)z;
        EXPECT(o->y[i] == (int32_t)z % 3);
        EXPECT(job->references->logits[1][i * o->n_views * o->n_classes] == 100 + z);
        score[o->n + i] = job->references->inclusion[0][i];
        in_place += (uint64_t)z == i;
    }
    EXPECT(in_place < o->n / 2); /* candidates come shuffled */
    return LETHE_OK;
}

static void member_dispose(lethe_ctx *ctx, void *state)
{
    free(state);
}

/* ---- metrics ---- */

static const char *const emissions[] = {"good",  "no_note", "twice", "shape",
                                        "index", "curve",   NULL};
static const lethe_param metric_params[] = {
    LETHE_CHOICE("how", 0, emissions, "what is emitted"),
};

static lethe_status metric_evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_emit_api *emit = ctx->host->emit;
    const double x[2] = {0, 1}, y[2] = {1, lethe_choice(ctx, 0) == 5 ? NAN : 2};
    const lethe_host *h = ctx->host;
    EXPECT(!h->data && !h->model && !h->optim && !h->recipe && !h->attack);
    EXPECT(job->n_targets >= 1 && !job->original && !job->random && !job->adversarial);
    EXPECT(!job->source && !job->source_adversarial && !job->model && !job->original_model);
    EXPECT(!job->reference_models && !job->forget && !job->retain && !job->cost);
    EXPECT(job->targets->forget->n == 2 && !job->targets->test_forgotten);
    EXPECT(!job->references && job->n_references == 0); /* not declared */
    uint32_t how = lethe_choice(ctx, 0);
    if (how == 1)
        return emit->scalar(ctx, 0, NAN, NULL);
    if (how == 3)
        return emit->curve(ctx, 0, x, y, 2);
    if (how == 4)
        return emit->scalar(ctx, 9, 1, NULL);
    LETHE_TRY(emit->scalar(ctx, 0, 0.25, NULL));
    if (how == 2)
        emit->scalar(ctx, 0, 0.5, NULL);
    LETHE_TRY(emit->scalar(ctx, 1, NAN, "nothing to count"));
    emit->curve(ctx, 2, x, y, 2);
    return LETHE_OK;
}

static lethe_status audit_evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_model_outputs *r = job->references;
    EXPECT(job->n_references == 2 && job->outputs_stride == sizeof *r);
    return ctx->host->emit->scalar(ctx, 0, (double)r[1].forget->logits[0], NULL);
}

/* ---- tables ---- */

static const void *probe_extension(const char *id)
{
    return strcmp(id, "test.trace") == 0 ? &trace : NULL;
}

#define INFO(id_)                                                                                  \
    {                                                                                              \
        sizeof(lethe_info), 0, id_, id_, "probe", "1.0.0", "The Lethe authors", "MIT",             \
            "looks at the host", "A plugin for tests of the host.", "", "", NULL                   \
    }
static const lethe_info probe_info = INFO("test.probe"), bare_info = INFO("test.bare");
static const lethe_info greedy_info = INFO("test.greedy"), member_info = INFO("test.member");
static const lethe_info metric_info = INFO("test.metric"), audit_info = INFO("test.audit");
static const lethe_info group_info = INFO("test.group"), random_info = INFO("test.random-only");

static const lethe_param probe_params[] = {
    LETHE_CHOICE("what", 0, look_names, "which inspection"),
    LETHE_INT("number", 1, 0, 9, "", "a whole number"),
    {sizeof(lethe_param),
     LETHE_PARAM_STRING,
     0,
     "text",
     "",
     "a text",
     {.s = "none"},
     {0},
     {0},
     NULL,
     NULL},
};
static const char *const probe_settings[] = {"eps=0.04", "steps=10", NULL};
static const lethe_attack_use probe_attacks[] = {
    {sizeof(lethe_attack_use), 0, "pgd-l2-nearest", probe_settings}};
static const lethe_unlearner probe_table = {
    .struct_size = sizeof(lethe_unlearner),
    .scenarios = LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
    .n_attacks = 1,
    .attack_stride = sizeof(lethe_attack_use),
    .attacks = probe_attacks,
    .check = probe_check,
    .prepare = probe_prepare,
    .run = probe_run,
    .dispose = probe_dispose,
};
static const lethe_unlearner bare_table = {.struct_size = sizeof(lethe_unlearner),
                                           .scenarios =
                                               LETHE_SCENARIO_RANDOM | LETHE_SCENARIO_CLASS,
                                           .run = bare_run};
static const lethe_unlearner random_table = {
    .struct_size = sizeof(lethe_unlearner), .scenarios = LETHE_SCENARIO_RANDOM, .run = bare_run};
static const lethe_score member_scores[] = {{sizeof(lethe_score), 0, "which", ""},
                                            {sizeof(lethe_score), 0, "included", ""}};
static const lethe_membership_attack member_table = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = 2,
    .score_stride = sizeof(lethe_score),
    .wants_fit = 1,
    .scores = member_scores,
    .fit = member_fit,
    .score = member_score,
    .dispose = member_dispose,
};

#define OUTPUT(shape, name, hi)                                                                    \
    {                                                                                              \
        sizeof(lethe_output), shape, LETHE_BETTER_HIGHER, LETHE_REF_NONE, name, "", "", "", 0, hi, \
            0                                                                                      \
    }
static const lethe_output metric_outputs[] = {OUTPUT(LETHE_SHAPE_SCALAR, "share", 1),
                                              OUTPUT(LETHE_SHAPE_SCALAR, "odd", HUGE_VAL),
                                              OUTPUT(LETHE_SHAPE_CURVE, "line", HUGE_VAL)};
static const lethe_metric metric_table = {.struct_size = sizeof(lethe_metric),
                                          .scope = LETHE_SCOPE_RUN,
                                          .n_outputs = 3,
                                          .output_stride = sizeof(lethe_output),
                                          .outputs = metric_outputs,
                                          .evaluate = metric_evaluate};
static const lethe_metric group_table = {.struct_size = sizeof(lethe_metric),
                                         .scope = LETHE_SCOPE_GROUP,
                                         .n_outputs = 3,
                                         .output_stride = sizeof(lethe_output),
                                         .min_models = 3,
                                         .outputs = metric_outputs,
                                         .evaluate = metric_evaluate};
static const lethe_output audit_outputs[] = {OUTPUT(LETHE_SHAPE_SCALAR, "distance", HUGE_VAL)};
static const lethe_audit audit_table = {.struct_size = sizeof(lethe_audit),
                                        .n_outputs = 1,
                                        .output_stride = sizeof(lethe_output),
                                        .outputs = audit_outputs,
                                        .evaluate = audit_evaluate,
                                        .min_references = 2};

#define ALL_CAPS                                                                                   \
    (LETHE_CAP_FORGET | LETHE_CAP_RETAIN | LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS |               \
     LETHE_CAP_ATTACK | LETHE_CAP_RECIPE)
#define PLUGIN(name, kind, info, params, n, needs, uses, table)                                    \
    static const lethe_plugin name = {sizeof(lethe_plugin), kind,  &info, params, n,               \
                                      sizeof(lethe_param),  needs, uses,  &table, probe_extension}
PLUGIN(probe, LETHE_KIND_UNLEARNER, probe_info, probe_params, 3, LETHE_CAP_FORGET,
       ALL_CAPS | LETHE_CAP_VALIDATION, probe_table);
PLUGIN(bare, LETHE_KIND_UNLEARNER, bare_info, NULL, 0, LETHE_CAP_FORGET, 0, bare_table);
PLUGIN(greedy, LETHE_KIND_UNLEARNER, greedy_info, NULL, 0, LETHE_CAP_SHADOWS, 0, bare_table);
PLUGIN(random_only, LETHE_KIND_UNLEARNER, random_info, NULL, 0, 0, 0, random_table);
PLUGIN(member, LETHE_KIND_MEMBERSHIP_ATTACK, member_info, NULL, 0,
       LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS, 0, member_table);
PLUGIN(metric, LETHE_KIND_METRIC, metric_info, metric_params, 1, LETHE_CAP_LOGITS, 0, metric_table);
PLUGIN(group, LETHE_KIND_METRIC, group_info, metric_params, 1, LETHE_CAP_LOGITS, 0, group_table);
PLUGIN(audit, LETHE_KIND_AUDIT, audit_info, NULL, 0, LETHE_CAP_LOGITS, LETHE_CAP_REFERENCES,
       audit_table);
static const lethe_plugin *const plugins[] = {&probe,  &bare,   &greedy, &random_only,
                                              &member, &metric, &group,  &audit};
LETHE_ENTRY(plugins, 0);
