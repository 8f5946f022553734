#include "metric_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A context is the first member of a fake_host, which is the first member of a bench. */
static struct bench *bench_of(lethe_ctx *ctx)
{
    return (struct bench *)(void *)fake_of(ctx);
}

static const lethe_metric *metric_of(const struct bench *b)
{
    return b->host.plugin->iface;
}

static lethe_status emit_scalar(lethe_ctx *ctx, uint32_t output, double value, const char *note)
{
    struct bench *b = bench_of(ctx);
    const lethe_metric *m = metric_of(b);
    assert_true(output < m->n_outputs && output < BENCH_OUTPUTS);
    const lethe_output *o = &m->outputs[output];
    assert_int_equal(o->shape, LETHE_SHAPE_SCALAR);
    assert_false(b->given[output]);
    assert_false(isinf(value));
    if (isnan(value))
        assert_true(note && *note);
    else if (value < o->lo - 1e-9 || value > o->hi + 1e-9)
        fail_msg("%s is %g, outside %g to %g", o->name, value, o->lo, o->hi);
    b->given[output] = true;
    b->value[output] = value;
    snprintf(b->note[output], sizeof b->note[output], "%s", note ? note : "");
    return fake_call(ctx);
}

static lethe_status emit_curve(lethe_ctx *ctx, uint32_t output, const double *x, const double *y,
                               uint32_t n)
{
    struct bench *b = bench_of(ctx);
    assert_true(output < metric_of(b)->n_outputs && n <= BENCH_POINTS);
    assert_int_equal(metric_of(b)->outputs[output].shape, LETHE_SHAPE_CURVE);
    assert_false(b->given[output]);
    b->given[output] = true;
    b->curve[output].n = n;
    memcpy(b->curve[output].x, x, n * sizeof *x);
    memcpy(b->curve[output].y, y, n * sizeof *y);
    return fake_call(ctx);
}

void bench_init(struct bench *b, const lethe_entry *entry, uint32_t n_classes)
{
    memset(b, 0, sizeof *b);
    fake_init(&b->host, entry);
    b->emit =
        (lethe_emit_api){.struct_size = sizeof b->emit, .scalar = emit_scalar, .curve = emit_curve};
    b->host.host.emit = &b->emit;
    b->job = (lethe_metric_job){.struct_size = sizeof b->job,
                                .scenario = 1,
                                .outputs_stride = sizeof(lethe_model_outputs),
                                .n_classes = n_classes,
                                .targets = b->model[0],
                                .references = b->model[1]};
}

void bench_release(struct bench *b)
{
    fake_release(&b->host);
}

void bench_set(struct bench *b, int side, uint32_t m, uint32_t s, const float *z, const int32_t *y,
               uint64_t n)
{
    assert_true(m < BENCH_MODELS && s < 4);
    lethe_outputs *o = &b->set[side][m][s];
    *o = (lethe_outputs){.struct_size = sizeof *o,
                         .n_classes = b->job.n_classes,
                         .n_views = 1,
                         .n = n,
                         .logits = z,
                         .y = y};
    lethe_model_outputs *model = &b->model[side][m];
    const lethe_outputs **const place[] = {&model->forget, &model->retain, &model->test,
                                           &model->test_forgotten};
    model->struct_size = sizeof *model;
    *place[s] = o;
    uint32_t *count = side ? &b->job.n_references : &b->job.n_targets;
    *count = *count > m + 1 ? *count : m + 1;
}

lethe_status bench_run(struct bench *b)
{
    const lethe_metric *m = metric_of(b);
    memset(b->given, 0, sizeof b->given);
    lethe_status status = m->evaluate(&b->host.ctx, &b->job);
    for (uint32_t i = 0; status == LETHE_OK && i < m->n_outputs; i++)
        if (m->outputs[i].shape == LETHE_SHAPE_SCALAR && !b->given[i])
            fail_msg("%s was not emitted", m->outputs[i].name);
    return status;
}

static uint32_t index_of(const struct bench *b, const char *name)
{
    const lethe_metric *m = metric_of(b);
    for (uint32_t i = 0; i < m->n_outputs; i++)
        if (strcmp(m->outputs[i].name, name) == 0 && b->given[i])
            return i;
    fail_msg("%s gave no %s", b->host.plugin->info->id, name);
    return 0;
}

double bench_value(const struct bench *b, const char *name)
{
    return b->value[index_of(b, name)];
}

const char *bench_note(const struct bench *b, const char *name)
{
    return b->note[index_of(b, name)];
}

const struct bench_curve *bench_points(const struct bench *b, const char *name)
{
    return &b->curve[index_of(b, name)];
}

void bench_near(const struct bench *b, const char *name, double want, double tolerance)
{
    double error = fabs(bench_value(b, name) - want);
    print_message("%s %s: error %.2g, tolerance %.2g\n", b->host.plugin->info->id, name, error,
                  tolerance);
    if (!(error <= tolerance))
        fail_msg("%s is %.17g, expected %.17g", name, bench_value(b, name), want);
}
