#include "train_watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "text.h"

static void header(struct csv_writer *w, const char *const *names)
{
    csv_writer_init(w);
    for (size_t i = 0; names[i]; i++)
        csv_cell(w, names[i]);
    csv_end_row(w);
}

void train_watch_init(struct train_watch *w, struct events *events, const struct recipe *r)
{
    static const char *const training[] = {"epoch", "loss", "accuracy", NULL};
    static const char *const spectral[] = {"epoch", "layer", "k", "value", NULL};
    *w = (struct train_watch){
        .events = events, .epochs = r->epochs, .has_spectral = r->spectral.method != CLIP_OFF};
    header(&w->csv, training);
    header(&w->spectral, spectral);
}

void train_watch_release(struct train_watch *w)
{
    csv_writer_release(&w->csv);
    csv_writer_release(&w->spectral);
}

static int epoch_done(void *arg, uint32_t epoch, double loss, double accuracy, struct error *err)
{
    struct train_watch *w = arg;
    csv_cell_int(&w->csv, epoch + 1);
    csv_cell_double(&w->csv, loss);
    csv_cell_double(&w->csv, accuracy);
    csv_end_row(&w->csv);
    w->epoch = epoch + 1;
    return 0;
}

static int progress(void *arg, double fraction)
{
    struct train_watch *w = arg;
    char what[64];
    snprintf(what, sizeof(what), "epoch %u/%u", w->epoch < w->epochs ? w->epoch + 1 : w->epochs,
             w->epochs);
    if (w->events)
        events_progress(w->events, fraction, what);
    return 0;
}

static void count(void *arg, uint32_t n)
{
    struct train_watch *w = arg;
    w->meters.forward += n;
    w->meters.backward += n;
    w->meters.read_retain += n;
    w->meters.optimizer_steps++;
}

static int spectral(void *arg, uint32_t epoch, const char *layer, uint32_t k, double value,
                    struct error *err)
{
    struct train_watch *w = arg;
    csv_cell_int(&w->spectral, epoch);
    csv_cell(&w->spectral, layer);
    csv_cell_int(&w->spectral, k);
    csv_cell_double(&w->spectral, value);
    csv_end_row(&w->spectral);
    return 0;
}

struct train_hooks train_watch_hooks(struct train_watch *w)
{
    return (struct train_hooks){.epoch_done = epoch_done,
                                .progress = progress,
                                .count = count,
                                .spectral = spectral,
                                .arg = w};
}

static int save(const struct job *job, const char *stem, const char *suffix, struct csv_writer *csv,
                struct error *err)
{
    char *name = text_format("%s%s.csv", stem, suffix);
    char *path = name ? job_out(job, name) : NULL;
    int rc = path ? csv_writer_save(csv, path, err) : error_nomem(err);
    free(path);
    free(name);
    return rc;
}

int train_watch_save(struct train_watch *w, const struct job *job, const char *suffix,
                     struct error *err)
{
    TRY(save(job, "training", suffix, &w->csv, err));
    if (w->has_spectral)
        TRY(save(job, "spectral", suffix, &w->spectral, err));
    char *name = text_format("meters%s.json", suffix);
    char *path = name ? job_out(job, name) : NULL;
    int rc = path ? meters_save(&w->meters, path, err) : error_nomem(err);
    free(path);
    free(name);
    return rc;
}
