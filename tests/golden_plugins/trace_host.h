/* trace_host.h: the fake host with samples, a model of a few numbers, losses,
 * optimisers, attacks and a recipe that do nothing but write down, in order, what
 * an unlearner asks for. A test compares the text. */
#ifndef TRACE_HOST_H
#define TRACE_HOST_H

#include "fake_host.h"

enum { TRACE_CLASSES = 5, TRACE_VIEWS = 32, TRACE_EPOCHS = 8, TRACE_IDS = 64 };

/* What a lethe_view of this host points to. */
struct trace_view {
    char name[96];
    uint64_t n;
    uint64_t first_id;        /* ids first_id..first_id + n - 1, in that order */
    lethe_relabel_fn relabel; /* of this view, or NULL */
    void *arg;
    const struct trace_view *part[4]; /* of a concatenation */
};

struct trace {
    struct fake_host fake; /* first */
    lethe_data_api data;
    lethe_model_api model;
    lethe_loss_api loss;
    lethe_optim_api optim;
    lethe_attack_api attack;
    lethe_recipe_api recipe;
    char text[8192]; /* the trace, one line an event */
    struct trace_view view[TRACE_VIEWS];
    uint32_t n_views;
    const struct trace_view *loading; /* the pass in progress */
    lethe_loader_opts order;
    uint64_t at;
    uint32_t batch_n; /* samples of the last forward */
    int32_t mode;     /* its mode */
    int32_t sign;     /* of the last backward */
    int64_t nan_loss; /* the loss call with this number is NaN; -1: none */
    int64_t nan_step; /* the step with this number breaks a weight; -1: none */
    int64_t n_losses, n_steps;
    float weight[3];                        /* the model's only tensor */
    int32_t drawn[TRACE_EPOCHS][TRACE_IDS]; /* labels of relabel_by, -1: not asked */
    lethe_adversarial adversarial;
    lethe_forget_job job;
};

/* Forget set: 3 samples, ids 0..2, label id % 5. Retain set: 6 samples, ids 10..15. */
void trace_init(struct trace *t, const lethe_entry *entry);
/* Runs check, then run; the trace starts anew. */
lethe_status trace_run(struct trace *t);

#endif
