#include "trace_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct trace *trace_of(lethe_ctx *ctx)
{
    return (struct trace *)ctx;
}

__attribute__((format(printf, 2, 3))) static void note(lethe_ctx *ctx, const char *format, ...)
{
    struct trace *t = trace_of(ctx);
    size_t used = strlen(t->text);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->text + used, sizeof t->text - used, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof t->text - used);
}

/* ---- data ---- */

static const struct trace_view *view_of(const lethe_view *view)
{
    assert_non_null(view);
    return (const struct trace_view *)view;
}

__attribute__((format(printf, 3, 4))) static struct trace_view *add_view(lethe_ctx *ctx, uint64_t n,
                                                                         const char *format, ...)
{
    struct trace *t = trace_of(ctx);
    assert_true(t->n_views < TRACE_VIEWS);
    struct trace_view *v = &t->view[t->n_views++];
    memset(v, 0, sizeof *v);
    v->n = n;
    va_list args;
    va_start(args, format);
    vsnprintf(v->name, sizeof v->name, format, args);
    va_end(args);
    return v;
}

static uint64_t data_count(lethe_ctx *ctx, const lethe_view *view)
{
    return view_of(view)->n;
}

static lethe_status data_subset(lethe_ctx *ctx, const lethe_view *view, const uint32_t *rows,
                                uint32_t n, const lethe_view **out)
{
    struct trace_view *v = add_view(ctx, n, "%s[", view_of(view)->name);
    for (uint32_t i = 0; i < n; i++)
        snprintf(v->name + strlen(v->name), sizeof v->name - strlen(v->name), i ? ",%u" : "%u",
                 (unsigned)rows[i]);
    snprintf(v->name + strlen(v->name), sizeof v->name - strlen(v->name), "]");
    v->first_id = view_of(view)->first_id;
    *out = (const lethe_view *)v;
    return fake_call(ctx);
}

static lethe_status data_concat(lethe_ctx *ctx, const lethe_view *const *views, uint32_t n,
                                const lethe_view **out)
{
    struct trace_view *v = add_view(ctx, 0, "(");
    assert_true(n >= 1 && n <= 4);
    for (uint32_t i = 0; i < n; i++) {
        v->part[i] = view_of(views[i]);
        v->n += v->part[i]->n;
        snprintf(v->name + strlen(v->name), sizeof v->name - strlen(v->name), i ? "+%s" : "%s",
                 v->part[i]->name);
    }
    snprintf(v->name + strlen(v->name), sizeof v->name - strlen(v->name), ")");
    *out = (const lethe_view *)v;
    return fake_call(ctx);
}

static lethe_status data_relabel_by(lethe_ctx *ctx, const lethe_view *view, lethe_relabel_fn fn,
                                    void *arg, const lethe_view **out)
{
    struct trace_view *v = add_view(ctx, view_of(view)->n, "relabel %s", view_of(view)->name);
    v->first_id = view_of(view)->first_id;
    v->relabel = fn;
    v->arg = arg;
    *out = (const lethe_view *)v;
    return fake_call(ctx);
}

static lethe_status data_arrays(lethe_ctx *ctx, const float *x, const int32_t *y, uint32_t n,
                                const lethe_view **out)
{
    struct trace *t = trace_of(ctx);
    assert_ptr_equal(x, t->adversarial.x);
    assert_ptr_equal(y, t->adversarial.label);
    *out = (const lethe_view *)add_view(ctx, n, "arrays");
    return fake_call(ctx);
}

static lethe_status data_loader(lethe_ctx *ctx, const lethe_view *view,
                                const lethe_loader_opts *opts, lethe_loader **out)
{
    struct trace *t = trace_of(ctx);
    assert_int_equal(opts->struct_size, sizeof *opts);
    t->loading = view_of(view);
    t->order = *opts;
    t->at = 0;
    note(ctx, "epoch %u %s %s %s/%u\n", opts->epoch, opts->shuffle ? "shuffle" : "in order",
         t->loading->name, opts->stream, opts->batch_size);
    *out = (lethe_loader *)t;
    return fake_call(ctx);
}

/* Asks the labels of a whole view, as a host may. */
static void draw_labels(struct trace *t, const struct trace_view *v)
{
    for (int p = 0; p < 4 && v->part[p]; p++)
        draw_labels(t, v->part[p]);
    for (uint64_t i = v->n; v->relabel && i-- > 0;) {
        uint64_t id = v->first_id + i;
        t->drawn[t->order.epoch][id] =
            v->relabel(v->arg, t->order.epoch, id, (int32_t)(id % TRACE_CLASSES));
    }
}

static lethe_status data_next(lethe_ctx *ctx, lethe_loader *loader, lethe_batch *out)
{
    static const float x[1];
    static const int32_t y[TRACE_IDS];
    struct trace *t = (struct trace *)loader;
    uint64_t left = t->loading->n - t->at;
    if (t->at == 0)
        draw_labels(t, t->loading);
    out->n = (uint32_t)(left < t->order.batch_size ? left : t->order.batch_size);
    out->x = x;
    out->y = y;
    t->at += out->n;
    return fake_call(ctx);
}

/* ---- model, loss, optimiser ---- */

static uint32_t model_n_classes(lethe_ctx *ctx, const lethe_model *model)
{
    return TRACE_CLASSES;
}

static uint32_t model_n_tensors(lethe_ctx *ctx, const lethe_model *model)
{
    return 1;
}

static lethe_status model_tensor(lethe_ctx *ctx, lethe_model *model, uint32_t index,
                                 lethe_tensor *out)
{
    assert_int_equal(index, 0);
    assert_int_equal(out->struct_size, sizeof *out);
    out->name = "fc.weight";
    out->n = 3;
    out->w = trace_of(ctx)->weight;
    return fake_call(ctx);
}

static lethe_status model_fresh(lethe_ctx *ctx, const lethe_model *like, const char *name,
                                lethe_model **out)
{
    note(ctx, "fresh %s\n", name);
    *out = (lethe_model *)trace_of(ctx)->weight;
    return fake_call(ctx);
}

static lethe_status model_copy(lethe_ctx *ctx, lethe_model *dst, const lethe_model *src)
{
    assert_ptr_equal(dst, trace_of(ctx)->job.model);
    assert_ptr_equal(src, trace_of(ctx)->weight);
    note(ctx, "copy\n");
    return fake_call(ctx);
}

static lethe_status model_zero_grad(lethe_ctx *ctx, lethe_model *model)
{
    return fake_call(ctx);
}

static lethe_status model_forward(lethe_ctx *ctx, const lethe_model *model,
                                  const lethe_batch *batch, int32_t mode, float *logits)
{
    trace_of(ctx)->batch_n = batch->n;
    trace_of(ctx)->mode = mode;
    memset(logits, 0, batch->n * TRACE_CLASSES * sizeof *logits);
    return fake_call(ctx);
}

static lethe_status loss_cross_entropy(lethe_ctx *ctx, const float *logits, const int32_t *y,
                                       uint32_t n, uint32_t c, double *ret_loss, float *dlogits)
{
    struct trace *t = trace_of(ctx);
    assert_int_equal(n, t->batch_n);
    assert_int_equal(c, TRACE_CLASSES);
    *ret_loss = t->n_losses++ == t->nan_loss ? NAN : 1.5;
    for (uint32_t i = 0; i < n * c; i++)
        dlogits[i] = 1;
    return fake_call(ctx);
}

static lethe_status model_backward(lethe_ctx *ctx, lethe_model *model, const float *dlogits,
                                   float *dx)
{
    struct trace *t = trace_of(ctx);
    assert_null(dx);
    t->sign = dlogits[0] > 0 ? 1 : -1;
    for (uint32_t i = 0; i < t->batch_n * TRACE_CLASSES; i++)
        assert_true(dlogits[i] == (float)t->sign);
    return fake_call(ctx);
}

static lethe_status optim_sgd(lethe_ctx *ctx, lethe_model *model, double momentum, double decay,
                              lethe_optim **out)
{
    note(ctx, "sgd %g %g\n", momentum, decay);
    *out = (lethe_optim *)trace_of(ctx);
    return fake_call(ctx);
}

static lethe_status optim_mask(lethe_ctx *ctx, lethe_optim *o, const uint8_t *mask, int32_t restore)
{
    note(ctx, "mask %d%d%d restore %d\n", mask[0], mask[1], mask[2], (int)restore);
    return fake_call(ctx);
}

static lethe_status optim_clip(lethe_ctx *ctx, lethe_optim *o, double max_norm)
{
    note(ctx, "clip %g\n", max_norm);
    return fake_call(ctx);
}

static lethe_status optim_step(lethe_ctx *ctx, lethe_optim *o, double rate)
{
    static const char *const modes[] = {"eval", "train", "frozen"};
    struct trace *t = trace_of(ctx);
    if (t->n_steps++ == t->nan_step)
        t->weight[1] = HUGE_VALF;
    note(ctx, "  %u %s %s %g\n", (unsigned)t->batch_n, modes[t->mode], t->sign > 0 ? "down" : "up",
         rate);
    return fake_call(ctx);
}

/* ---- attack and recipe ---- */

static lethe_status attack_declared(lethe_ctx *ctx, uint32_t index, lethe_adversarial *out)
{
    assert_int_equal(out->struct_size, sizeof *out);
    note(ctx, "declared %u\n", (unsigned)index);
    *out = trace_of(ctx)->adversarial;
    return fake_call(ctx);
}

static lethe_status recipe_train(lethe_ctx *ctx, lethe_model *model, const lethe_view *view)
{
    assert_ptr_equal(model, trace_of(ctx)->weight);
    note(ctx, "train %s\n", view_of(view)->name);
    return fake_call(ctx);
}

static void trace_tables(struct trace *t)
{
    t->data = (lethe_data_api){.struct_size = sizeof t->data,
                               .count = data_count,
                               .subset = data_subset,
                               .concat = data_concat,
                               .relabel_by = data_relabel_by,
                               .arrays = data_arrays,
                               .loader = data_loader,
                               .next = data_next};
    t->model = (lethe_model_api){.struct_size = sizeof t->model,
                                 .fresh = model_fresh,
                                 .copy = model_copy,
                                 .n_classes = model_n_classes,
                                 .n_tensors = model_n_tensors,
                                 .tensor = model_tensor,
                                 .forward = model_forward,
                                 .backward = model_backward,
                                 .zero_grad = model_zero_grad};
    t->loss = (lethe_loss_api){.struct_size = sizeof t->loss, .cross_entropy = loss_cross_entropy};
    t->optim = (lethe_optim_api){.struct_size = sizeof t->optim,
                                 .sgd = optim_sgd,
                                 .mask = optim_mask,
                                 .clip = optim_clip,
                                 .step = optim_step};
    t->attack = (lethe_attack_api){.struct_size = sizeof t->attack, .declared = attack_declared};
    t->recipe = (lethe_recipe_api){.struct_size = sizeof t->recipe, .train = recipe_train};
}

void trace_init(struct trace *t, const lethe_entry *entry)
{
    static float x[3];
    static const int32_t label[3] = {3, 1, 4};
    static const uint8_t found[3] = {1, 0, 1};
    static const uint32_t steps[3] = {12, 100, 0};
    memset(t, 0, sizeof *t);
    fake_init(&t->fake, entry);
    trace_tables(t);
    t->fake.host.data = &t->data;
    t->fake.host.model = &t->model;
    t->fake.host.loss = &t->loss;
    t->fake.host.optim = &t->optim;
    t->fake.host.attack = &t->attack;
    t->fake.host.recipe = &t->recipe;
    t->adversarial = (lethe_adversarial){.struct_size = sizeof t->adversarial,
                                         .n = 3,
                                         .x = x,
                                         .label = label,
                                         .found = found,
                                         .steps = steps};
    struct trace_view *forget = add_view(&t->fake.ctx, 3, "forget");
    struct trace_view *retain = add_view(&t->fake.ctx, 6, "retain");
    retain->first_id = 10;
    t->job = (lethe_forget_job){.struct_size = sizeof t->job,
                                .scenario = LETHE_SCENARIO_RANDOM,
                                .model = (lethe_model *)t,
                                .original = (const lethe_model *)&t->job,
                                .forget = (const lethe_view *)forget,
                                .retain = (const lethe_view *)retain};
    t->nan_loss = t->nan_step = -1;
}

lethe_status trace_run(struct trace *t)
{
    const lethe_unlearner *u = t->fake.plugin->iface;
    fake_release(&t->fake); /* memory ends with the call, and so does what points there */
    t->fake.ctx.param = t->fake.param;
    t->text[0] = 0;
    t->n_views = 2;
    t->n_losses = t->n_steps = 0;
    t->fake.calls = 0;
    t->fake.failure[0] = 0;
    memset(t->weight, 0, sizeof t->weight);
    memset(t->drawn, -1, sizeof t->drawn);
    lethe_status status = u->check ? u->check(&t->fake.ctx, &t->job) : LETHE_OK;
    return status < 0 ? status : u->run(&t->fake.ctx, NULL, &t->job);
}
