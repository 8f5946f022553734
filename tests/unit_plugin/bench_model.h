/* bench_model.h: a small model on small synthetic data, the same for all tests of the host. */
#ifndef UNIT_PLUGIN_BENCH_MODEL_H
#define UNIT_PLUGIN_BENCH_MODEL_H

#include "hosting.h"

struct bench {
    struct dataset *ds;     /* 160 training and 80 test samples of 10 classes */
    struct split split;     /* a random tenth, or class 3 when class_scenario */
    struct arch *arch;      /* cnn of width 8 */
    struct model *original; /* trained until it knows most of its samples */
    struct recipe recipe;   /* 2 epochs, batch 16, lr 0.05 */
    struct hosting h;       /* ds, split, recipe and seed are set */
};

int bench_init(struct bench *b, unsigned threads, struct error *err);
/* Makes the split that forgets all of class 3. */
int bench_forget_class(struct bench *b, struct error *err);
/* Parameters of h->file's plugin h->plugin_id: its defaults, with changes ("{\"name\": value}") put
 * over them. New reference; NULL on failure. */
json_t *bench_params(const struct hosting *h, const char *changes);
void bench_release(struct bench *b);

#endif
