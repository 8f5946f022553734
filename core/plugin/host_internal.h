/* host_internal.h: one plugin at work, and one call of it. Only host*.c include this: they know
 * the ABI's types and the engine's.
 *
 * A `struct host` lives for one hosting_* call: grants, meters, networks. Each call into the
 * plugin gets a `struct host_ctx` of its own, whose arena and handles end with the call; the
 * context itself stays, filled with traps, so that a pointer kept by the plugin fails loudly. */
#ifndef PLUGIN_HOST_INTERNAL_H
#define PLUGIN_HOST_INTERNAL_H

#include "arena.h"
#include "hosting.h"
#include "plugin_file.h"
#include "rng.h"
#include "view.h"

struct host_ctx;

/* ---- handles of the ABI ---- */

struct lethe_model {
    struct model *m;
    bool writable;
    bool keeps;   /* evaluation passes keep activations, because gradients follow them */
    bool replay;  /* the last pass kept none; a gradient repeats it on x */
    float *x;     /* (n, C, H, W) samples of the last evaluation pass, when replay */
    uint32_t n;   /* samples of the last pass */
    size_t x_cap; /* floats that x holds */
};

struct lethe_view {
    const struct view *now; /* what loaders read */
    const struct view *on;  /* the same with augmentation wherever the suite augments */
    uint32_t n;
};

struct lethe_loader {
    const struct lethe_view *view;
    uint32_t batch, epoch, pos;
    bool done;
    uint32_t *order; /* (view->n) */
    float *x;        /* (batch, C, H, W) */
    int32_t *y;      /* (batch) */
    uint64_t *id;    /* (batch) */
};

struct lethe_optim {
    struct optim *o;
    struct lethe_model *model;
    struct spectral_clip *clip; /* NULL: the recipe does not clip */
};

/* ---- the host ---- */

/* A network with the activations of its owner's last kept pass. */
struct host_net {
    struct host_net *next;
    struct net *net;
    const struct arch *arch; /* that it was planned for */
    uint32_t max_batch;
    const struct lethe_model *owner; /* NULL: free */
    bool pending;                    /* a backward pass may still follow */
};

struct host {
    const struct hosting *h;
    const lethe_plugin *plugin;
    const char *id;
    uint64_t granted;   /* LETHE_CAP_* */
    lethe_value *param; /* in declared order */
    struct meters meters;
    struct meters before;         /* of earlier requests: budgets are for all of them */
    struct host *payer;           /* of an example attack: whose queries its passes are */
    uint32_t shape[3], n_classes; /* of the samples and of the model; 0 where there are none */
    const struct arch *arch;      /* of the model; expanded ones have their own */
    struct host_net *net;         /* all that exist */
    struct net *infer;            /* shared by passes that keep nothing */
    const struct arch *infer_arch;
    uint32_t infer_batch;
    uint64_t n_dropout, n_trainings, n_clips; /* streams drawn so far */
    const struct adversarial *declared;
    uint32_t n_declared;
    uint64_t declared_seen; /* bit i: the cost of set i is counted */
    struct host_emit *emit; /* metrics and audits */
    struct host_ctx *ctx;   /* all that were made */
};

/* Memory given back inside a call: the link lies in the block itself. */
struct host_spare {
    struct host_spare *next;
    size_t bytes;
};

struct host_ctx {
    lethe_ctx head; /* first: what the plugin sees */
    struct host *host;
    struct host_ctx *next;
    lethe_host table; /* head.host points here */
    bool live;
    struct arena *arena;
    struct lethe_optim *stepped;     /* the optimiser that took a step last; NULL: none did */
    struct error why;                /* what failed last */
    double progress_lo, progress_hi; /* share of the task that this call is */
    struct host_spare *spare;
    /* of data->batch: valid until the next one */
    float *x;
    int32_t *y;
    uint64_t *id;
    uint32_t batch_cap;
};

/* host_call.c */
/* Finds the plugin, resolves its parameters, checks needs against `available`. arch: of the models
 * it will work on; NULL without. */
int host_init(struct host *host, const struct hosting *h, uint32_t kind, uint64_t available,
              const struct arch *arch, struct error *err);
void host_release(struct host *host);
int host_call_begin(struct host *host, struct host_ctx **ret, struct error *err);
/* Ends the call and says what became of it: 0, or a code with the plugin's own text. */
int host_call_end(struct host_ctx *c, lethe_status status, struct error *err);
/* Aborts unless the call is still going on. */
struct host_ctx *host_ctx_of(lethe_ctx *ctx);
bool host_granted(const struct host *host, uint64_t cap);

/* Records a failure in the context; returns what the plugin gets to see of its code. */
lethe_status host_fail(struct host_ctx *c, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
lethe_status host_pass_on(struct host_ctx *c, const struct error *err);
lethe_status host_nomem(struct host_ctx *c);
/* Stream f(seed, "<plugin id>/<name>", index); "/name" is the same stream for every plugin. */
int host_stream(const struct host *host, const char *name, uint64_t index, struct rng *ret);
/* Scratch that may be taken again once it is given back; ends with the call. */
void *host_take(struct host_ctx *c, size_t bytes);
void host_give(struct host_ctx *c, void *p, size_t bytes);
bool host_cancelled(void);
/* host_meter.c: ERR_BUDGET, with a text that names the budget and `what` is too dear, when n more
 * samples through a network, or optimiser steps, are more than the budget allows. */
int host_afford_samples(struct host *host, const char *what, uint64_t n, struct error *err);
int host_afford_steps(struct host *host, const char *what, uint64_t n, struct error *err);
int host_afford_queries(struct host *host, const char *what, uint64_t n, struct error *err);

/* host_core.c: progress of this call as a share of the task's; E_CANCELLED when told to stop. */
lethe_status host_progress(struct host_ctx *c, double fraction, const char *what);

/* host_params.c: "name=value" settings, or resolved JSON, as values in declared order (calloc'd).
 */
int host_params_from_json(const lethe_plugin *p, const json_t *params, lethe_value **ret,
                          struct error *err);
int host_params_to_json(const lethe_plugin *p, const char *const *settings, json_t **ret,
                        struct error *err);

/* host_net.c: passes over the networks at hand. */
int host_infer(struct host *host, const struct model *m, const float *x, uint32_t n, float *logits,
               struct error *err);
int host_forward(struct host *host, struct lethe_model *model, const float *x, uint32_t n,
                 enum net_mode mode, float *logits, struct error *err);
int host_backward(struct host *host, struct lethe_model *model, const float *dlogits,
                  bool param_grads, float *dx, struct error *err);
/* The models of a call have ended; their networks serve others. */
void host_nets_disown(struct host *host);
void host_nets_free(struct host *host);

/* host_clip.c: clipping by the recipe goes on in whatever steps an unlearner takes. */
lethe_status host_clip_open(struct host_ctx *c, struct lethe_optim *o);
lethe_status host_clip_step(struct host_ctx *c, struct lethe_optim *o);
/* Before the answer of a call is taken: m, if optimisers have moved anything in it, is brought
 * within the clip value (spectral_clip_finish). */
lethe_status host_clip_finish(struct host_ctx *c, struct model *m);

/* host_model.c: a handle in the call's arena; NULL when out of memory. */
struct lethe_model *host_wrap_model(struct host_ctx *c, struct model *m, bool writable);
/* host_data.c: pool rows as a view; training sets are augmented when the suite augments. */
struct lethe_view *host_wrap_rows(struct host_ctx *c, const uint32_t *rows, uint32_t n,
                                  bool training);
/* E_DENIED for a view that the job left NULL, because it was neither declared nor granted. */
lethe_status host_need_view(struct host_ctx *c, const lethe_view *v, const char *what);
/* Samples at rows[0..n) of a view with labels checked and reading metered. */
int host_load(struct host_ctx *c, const struct view *v, const uint32_t *rows, uint32_t n,
              uint32_t epoch, bool augment, float *x, int32_t *y, uint64_t *id, struct error *err);
lethe_shape host_shape(const uint32_t shape[3]);
size_t host_pixels(const struct host *host); /* floats of one sample */

/* host_protect.c: a copy of a model that nobody can write: its pages are read-only. */
struct protected_model;
int protected_model_new(const struct model *m, struct protected_model **ret, struct error *err);
void protected_model_free(struct protected_model *p); /* accepts NULL */
struct model *protected_model_get(struct protected_model *p);

/* hosting_perturb.c: an example attack on n samples, batch after batch. fill gives samples
 * start..start+n. *ret is complete but for its cost, which lies in host->meters. */
struct perturb_source {
    int (*fill)(void *arg, uint32_t start, uint32_t n, float *x, int32_t *y, uint64_t *id,
                struct error *err);
    void *arg;
    uint32_t n;
};
#define PERTURB_CAPS (LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_LOGITS)
int host_perturb(struct host *host, const struct model *m, const struct perturb_source *from,
                 bool show_progress, struct adversarial *ret, struct error *err);

/* What a metric emitted so far (host_emit.c). */
struct host_emit {
    const void *outputs; /* lethe_output */
    uint32_t n, stride;
    bool *given;          /* (n) */
    struct error refusal; /* the first emission that was refused; code 0: none */
    json_t *result;       /* {"values": ..., "notes": ..., "curves": ...} */
};

/* ---- the tables ---- */

extern const lethe_core_api host_core_table;
extern const lethe_rng_api host_rng_table;
extern const lethe_par_api host_par_table;
extern const lethe_data_api host_data_table;
extern const lethe_model_api host_model_table;
extern const lethe_loss_api host_loss_table;
extern const lethe_optim_api host_optim_table;
extern const lethe_attack_api host_attack_table;
extern const lethe_recipe_api host_recipe_table;
extern const lethe_emit_api host_emit_table;
/* Every function of every table ends the process with a message. */
extern const lethe_host host_trap_table;
__attribute__((noreturn)) void host_trap(void);

#endif
