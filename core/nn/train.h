/* train.h: the one training loop, so that originals, oracles, shadow models and
 * a plugin's "retrain" are trained alike. */
#ifndef NN_TRAIN_H
#define NN_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "lotos.h"
#include "model.h"
#include "optim.h"
#include "spectral_clip.h"
#include "strbuf.h"
#include "yaml.h"

enum schedule_kind { SCHEDULE_CONSTANT = 0, SCHEDULE_STEP, SCHEDULE_MULTISTEP, SCHEDULE_COSINE };

struct schedule {
    enum schedule_kind kind;
    uint32_t step; /* step: every so many epochs */
    double gamma;  /* step, multistep: factor */
    uint32_t milestones[16], n_milestones;
    uint32_t warmup; /* epochs of linear warm-up; 0 none */
};

/* The learning rate in epoch e (0-based) of `epochs`: step lr gamma^floor(e/step); cosine
 * lr (1 + cos(pi e / epochs)) / 2, both as PyTorch's schedulers stepped once an epoch. */
double schedule_rate(const struct schedule *s, double lr, uint32_t epoch, uint32_t epochs);

/* A suite's `train:`. */
struct recipe {
    uint32_t epochs, batch;
    struct optim_config optim;
    double lr;
    struct schedule schedule;
    bool shuffle;
    bool augment; /* augment: crop-flip */
    double clip_norm;
    struct clip_config spectral; /* spectral_clip: */
    struct lotos_config lotos;   /* of originals that are trained together; not for train_run */
};

/* Defaults: sgd, lr 0.1, momentum 0, weight_decay 0, batch 128, epochs 1, constant, shuffle. */
void recipe_defaults(struct recipe *r);
/* Reads a `train:` over what *ret holds (set the defaults first); *ret changes only on success.
 * schedule: constant | cosine | {step: 8, gamma: 0.1} | {milestones: [10, 15], gamma: 0.1}
 * | {cosine: true}, each with an optional warmup. */
int recipe_parse(const struct yaml_node *node, struct recipe *ret, struct error *err);
void recipe_text(const struct recipe *r, struct strbuf *out); /* canonical JSON */
int recipe_from_text(const char *text, struct recipe *ret, struct error *err);

/* Where batches come from. fill: samples at positions rows[0..n) for that epoch. */
struct batch_source {
    uint32_t n; /* samples */
    void (*fill)(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x,
                 int32_t *y);
    void *self;
};

/* A training run between two epochs: what the rest of it depends on besides recipe, data and
 * seed. Orders, augmentation and dropout are functions of seed, epoch and step. */
struct train_state {
    uint32_t epochs; /* done */
    uint64_t steps;  /* done */
    size_t n_param, n_stat;
    const float *param, *stat; /* the model's, (n_param) and (n_stat) */
    const float *moment[2];    /* the optimiser's, (n_param) each; NULL where it keeps none */
    const double *spectral;    /* (n_spectral) spectral_clip's; NULL without it */
    size_t n_spectral;
};

struct train_hooks {
    /* After each epoch; a negative return stops training with that code. */
    int (*epoch_done)(void *arg, uint32_t epoch, double mean_loss, double accuracy_percent,
                      struct error *err);
    /* Every few steps, fraction in [0, 1]; a negative return stops. */
    int (*progress)(void *arg, double fraction);
    /* Samples forward and backward, for meters. */
    void (*count)(void *arg, uint32_t n_samples);
    /* Singular values of layers (spectral_clip.h) before the first epoch and after each, epoch 0,
     * 1, ..., if the recipe has spectral_clip; NULL: not wanted. */
    int (*spectral)(void *arg, uint32_t epoch, const char *layer, uint32_t k, double value,
                    struct error *err);
    void *arg;
};

/* Where a run starts, and who keeps its states. */
struct train_checkpoints {
    const struct train_state *from; /* NULL: the beginning */
    /* After each epoch and its epoch_done, if not NULL: the state, valid during the call. A
     * negative return stops. */
    int (*save)(void *arg, const struct train_state *state, struct error *err);
    void *arg;
};

/* Trains in place. The order of epoch e comes from the stream (seed, "shuffle", e). A loss that
 * becomes NaN is ERR_NUMERIC with epoch and step in the text. */
int train_run(struct model *m, const struct recipe *r, const struct batch_source *src,
              uint64_t seed, struct par *par, const struct train_hooks *hooks, struct error *err);
/* The same with checkpoints (NULL: none). A run that starts from a state ends in the same bytes as
 * one without a break; hooks see the remaining epochs. A state that does not fit the model, the
 * optimiser or the recipe is an error and leaves the model alone. */
int train_resume(struct model *m, const struct recipe *r, const struct batch_source *src,
                 uint64_t seed, struct par *par, const struct train_hooks *hooks,
                 const struct train_checkpoints *checkpoints, struct error *err);

/* Evaluation-mode logits (src->n, classes), batch by batch. */
int predict_run(const struct model *m, const struct batch_source *src, uint32_t batch,
                struct par *par, float *logits, struct error *err);

#endif
