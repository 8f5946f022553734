/* unlearn_bench.h: running unlearners on the small model of bench_model.h. */
#ifndef UNLEARNERS_UNLEARN_BENCH_H
#define UNLEARNERS_UNLEARN_BENCH_H

#include "plugin_test.h"

#include "bench_model.h"

struct answer {
    struct model *m;
    struct unlearn_result r;
};

/* One of plugins/unlearners or plugins/attacks; the file is the id with _ for -. */
void bench_open(struct bench *b, const char *id);
/* The method `id` with changes ("{\"name\": value}") to its defaults; a failure ends the test. */
struct answer bench_unlearn(struct bench *b, const char *id, const char *changes,
                            const struct adversarial *declared);
/* The same, where it should fail: the status; *err says why. */
int bench_refuse(struct bench *b, const char *id, const char *changes, struct error *err);
/* Adversarial set of a split's forget set under `m`. */
struct adversarial bench_attack(struct bench *b, const struct split *split, const struct model *m);
/* Samples of the pool: x (n, 784), y (n). */
void bench_samples(const struct dataset *ds, const uint32_t *rows, uint32_t n, float *x,
                   int32_t *y);
bool same_model(const struct model *a, const struct model *b);
/* How many parameters differ. */
size_t n_changed(const struct model *a, const struct model *b);
/* Both methods give the same bytes. */
void expect_same(struct bench *b, const char *id, const char *changes, const char *other_id,
                 const char *other_changes);

#endif
