/* train_watch.h: what a train task keeps of a run beside the model: training.csv, meters, and with
 * spectral_clip in the recipe spectral.csv (epoch,layer,k,value). */
#ifndef SUITE_TRAIN_WATCH_H
#define SUITE_TRAIN_WATCH_H

#include "csv.h"
#include "hosting.h"
#include "task.h"
#include "train.h"

struct train_watch {
    struct events *events; /* NULL: shows no progress */
    struct csv_writer csv, spectral;
    struct meters meters;
    uint32_t epochs, epoch;
    bool has_spectral;
};

void train_watch_init(struct train_watch *w, struct events *events, const struct recipe *r);
void train_watch_release(struct train_watch *w);
struct train_hooks train_watch_hooks(struct train_watch *w);
/* training<suffix>.csv, spectral<suffix>.csv if there is one, meters<suffix>.json in the task's
 * folder. */
int train_watch_save(struct train_watch *w, const struct job *job, const char *suffix,
                     struct error *err);

#endif
