/* metric_bench.h: runs a statically linked metric on arrays and keeps what it emits. */
#ifndef METRIC_BENCH_H
#define METRIC_BENCH_H

#include "fake_host.h"

enum { BENCH_OUTPUTS = 64, BENCH_POINTS = 256, BENCH_MODELS = 64 };

struct bench_curve {
    uint32_t n;
    double x[BENCH_POINTS], y[BENCH_POINTS];
};

struct bench {
    struct fake_host host;
    lethe_emit_api emit;
    double value[BENCH_OUTPUTS];
    char note[BENCH_OUTPUTS][160];
    bool given[BENCH_OUTPUTS];
    struct bench_curve curve[BENCH_OUTPUTS];
    lethe_outputs set[2][BENCH_MODELS][4]; /* side, model, set */
    lethe_model_outputs model[2][BENCH_MODELS];
    lethe_model_outputs extra[4];
    lethe_metric_job job;
};

void bench_init(struct bench *b, const lethe_entry *entry, uint32_t n_classes);
void bench_release(struct bench *b);
/* Set s of model m of a side (0: targets, 1: references): logits (n, classes), y (n). */
void bench_set(struct bench *b, int side, uint32_t m, uint32_t s, const float *z, const int32_t *y,
               uint64_t n);
lethe_status bench_run(struct bench *b);
/* By name; an unknown one ends the test. */
double bench_value(const struct bench *b, const char *name);
const char *bench_note(const struct bench *b, const char *name);
const struct bench_curve *bench_points(const struct bench *b, const char *name);
/* The value is within the tolerance; prints case, name and error. */
void bench_near(const struct bench *b, const char *name, double want, double tolerance);

#endif
