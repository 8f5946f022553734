/* SPDX-License-Identifier: MIT
 * host.h: the services of the host, as small tables of functions.
 *
 * Threads: one call at a time per process. The host's kernels use the host's
 * own threads; a plugin starts none, and calls par->range for parallel loops.
 * Functions marked [any thread] may be called inside its body, no others.
 *
 * Determinism: same inputs, same bytes, on any number of threads. Draw random
 * numbers from rng->stream only.
 *
 * Every function may answer E_CANCELLED, E_BUDGET or E_DENIED; pass on what
 * you get. Handles (views, loaders, models, optimisers) and memory from alloc
 * end with the call in which they were made. */
#ifndef LETHE_HOST_H
#define LETHE_HOST_H

#include "model.h"
#include "params.h"

struct lethe_host;

/* Public head of one call in flight; the host keeps more behind it. */
typedef struct lethe_ctx {
    const struct lethe_host *host;
    const lethe_value *param; /* validated values in declared order */
} lethe_ctx;

/* Frozen: never grows. The state of one stream; copy it freely. */
typedef struct lethe_rng {
    uint64_t s[4];
} lethe_rng;

enum { LETHE_LOG_ERROR = 0, LETHE_LOG_WARNING = 1, LETHE_LOG_INFO = 2, LETHE_LOG_DEBUG = 3 };

typedef struct lethe_core_api {
    uint32_t struct_size, reserved;
    /* One line for the task's log. [any thread] */
    void (*log)(lethe_ctx *, int32_t level, const char *text);
    /* Records why the call fails; returns `code`, so: return core->fail(ctx, ...). */
    lethe_status (*fail)(lethe_ctx *, lethe_status code, const char *text);
    /* fraction in [0, 1]; E_CANCELLED when told to stop. */
    lethe_status (*progress)(lethe_ctx *, double fraction, const char *what);
    int32_t (*cancelled)(lethe_ctx *); /* [any thread] */
    /* Zeroed, 64-byte aligned, ends with the call; NULL when out of memory. */
    void *(*alloc)(lethe_ctx *, size_t bytes);
} lethe_core_api;
LETHE_NO_TAIL_PADDING(lethe_core_api, alloc);

typedef struct lethe_rng_api {
    uint32_t struct_size, reserved;
    /* Stream f(seed of the run, plugin id, name, index); a name that begins with "/" is shared:
     * every plugin of the run gets the same stream. [any thread] */
    lethe_status (*stream)(lethe_ctx *, const char *name, uint64_t index, lethe_rng *out);
    void (*uniform)(lethe_ctx *, lethe_rng *, float *out, size_t n); /* in [0, 1) [any thread] */
    void (*normal)(lethe_ctx *, lethe_rng *, float *out, size_t n);  /* N(0, 1) [any thread] */
    uint32_t (*below)(lethe_ctx *, lethe_rng *, uint32_t n); /* unbiased in 0..n-1 [any thread] */
    void (*permute)(lethe_ctx *, lethe_rng *, uint32_t *out, uint32_t n); /* of 0..n-1 */
} lethe_rng_api;
LETHE_NO_TAIL_PADDING(lethe_rng_api, permute);

typedef struct lethe_data_api {
    uint32_t struct_size, reserved;
    uint64_t (*count)(lethe_ctx *, const lethe_view *);
    /* The samples at `rows` (positions in the view), unaugmented. */
    lethe_status (*batch)(lethe_ctx *, const lethe_view *, const uint32_t *rows, uint32_t n,
                          lethe_batch *out);
    /* Labels of the whole view into out (count); not metered as samples read. */
    lethe_status (*labels)(lethe_ctx *, const lethe_view *, int32_t *out);
    lethe_status (*subset)(lethe_ctx *, const lethe_view *, const uint32_t *rows, uint32_t n,
                           const lethe_view **out);
    lethe_status (*concat)(lethe_ctx *, const lethe_view *const *views, uint32_t n,
                           const lethe_view **out);
    /* Fixed labels, one a row (copied). */
    lethe_status (*relabel)(lethe_ctx *, const lethe_view *, const int32_t *labels,
                            const lethe_view **out);
    /* Labels drawn per epoch by a callback that the host runs. */
    lethe_status (*relabel_by)(lethe_ctx *, const lethe_view *, lethe_relabel_fn fn, void *arg,
                               const lethe_view **out);
    /* Images made by the plugin, x (n, C, H, W) and y (n), not copied: they must
     * live as long as the view. Never augmented. Ids are 2^63 + row. */
    lethe_status (*arrays)(lethe_ctx *, const float *x, const int32_t *y, uint32_t n,
                           const lethe_view **out);
    /* Switches the suite's training augmentation on or off for loaders of this
     * view. Training sets start with it on, everything else off. */
    lethe_status (*augment)(lethe_ctx *, const lethe_view *, int32_t on, const lethe_view **out);
    lethe_status (*loader)(lethe_ctx *, const lethe_view *, const lethe_loader_opts *,
                           lethe_loader **out);
    /* Next batch; out->n == 0 at the end of the pass. */
    lethe_status (*next)(lethe_ctx *, lethe_loader *, lethe_batch *out);
    /* Identifiers of the whole view into out (count); not metered as samples read. */
    lethe_status (*ids)(lethe_ctx *, const lethe_view *, uint64_t *out);
} lethe_data_api;
LETHE_NO_TAIL_PADDING(lethe_data_api, ids);

typedef struct lethe_model_api {
    uint32_t struct_size, reserved;
    lethe_status (*clone)(lethe_ctx *, const lethe_model *, lethe_model **out);
    /* A freshly initialised model of the same architecture (PyTorch's default
     * initialisation), drawn from the stream `name`. */
    lethe_status (*fresh)(lethe_ctx *, const lethe_model *like, const char *name,
                          lethe_model **out);
    /* Parameters and statistics; the architectures must be the same. */
    lethe_status (*copy)(lethe_ctx *, lethe_model *dst, const lethe_model *src);
    uint32_t (*n_classes)(lethe_ctx *, const lethe_model *);
    uint32_t (*n_tensors)(lethe_ctx *, const lethe_model *);
    lethe_status (*tensor)(lethe_ctx *, lethe_model *, uint32_t index, lethe_tensor *out);
    uint32_t (*n_layers)(lethe_ctx *, const lethe_model *);
    lethe_status (*layer)(lethe_ctx *, const lethe_model *, uint32_t index, lethe_layer *out);
    /* logits (n, n_classes). In LETHE_EVAL a const model stays untouched; the
     * other modes answer E_DENIED on a model that must not be written. */
    lethe_status (*forward)(lethe_ctx *, const lethe_model *, const lethe_batch *, int32_t mode,
                            float *logits);
    /* After a forward of the same model, with dlogits (n, n_classes) = dL/dlogits:
     * adds dL/dw into the gradients. dx (n, C, H, W) may be NULL. */
    lethe_status (*backward)(lethe_ctx *, lethe_model *, const float *dlogits, float *dx);
    /* dL/dx alone, after a forward in LETHE_EVAL: no parameter gradients are
     * computed, so it is cheaper and allowed on a const model. */
    lethe_status (*input_gradient)(lethe_ctx *, const lethe_model *, const float *dlogits,
                                   float *dx);
    lethe_status (*zero_grad)(lethe_ctx *, lethe_model *);
    /* Evaluation-mode logits (count, n_classes) of a whole view. */
    lethe_status (*predict)(lethe_ctx *, const lethe_model *, const lethe_view *, float *logits);
    /* The same model with `extra` more classes behind the old ones: their rows of the last linear
     * layer have PyTorch's default initialisation, drawn from the stream `name`. E_UNSUPPORTED
     * where the last layer is not linear. */
    lethe_status (*expand)(lethe_ctx *, const lethe_model *, uint32_t extra, const char *name,
                           lethe_model **out);
    /* Copies a model into one with fewer classes: the last rows of its head are left out. */
    lethe_status (*prune)(lethe_ctx *, lethe_model *dst, const lethe_model *expanded);
} lethe_model_api;
LETHE_NO_TAIL_PADDING(lethe_model_api, prune);

/* Losses and their gradients with respect to the logits. Means over the batch.
 * ret_loss may be NULL; dlogits (n, c) may be NULL or equal to logits' buffer. */
typedef struct lethe_loss_api {
    uint32_t struct_size, reserved;
    /* Cross-entropy to class indices y (n). */
    lethe_status (*cross_entropy)(lethe_ctx *, const float *logits, const int32_t *y, uint32_t n,
                                  uint32_t c, double *ret_loss, float *dlogits);
    /* Cross-entropy to distributions q (n, c): dL/dz = (softmax(z) - q) / n. */
    lethe_status (*soft_cross_entropy)(lethe_ctx *, const float *logits, const float *q, uint32_t n,
                                       uint32_t c, double *ret_loss, float *dlogits);
    /* T^2 KL(softmax(teacher / T) || softmax(logits / T)), Hinton et al. 2015;
     * dL/dz = T (softmax(z / T) - softmax(teacher / T)) / n. */
    lethe_status (*distill)(lethe_ctx *, const float *logits, const float *teacher, double T,
                            uint32_t n, uint32_t c, double *ret_loss, float *dlogits);
} lethe_loss_api;
LETHE_NO_TAIL_PADDING(lethe_loss_api, distill);

typedef struct lethe_optim_api {
    uint32_t struct_size, reserved;
    /* PyTorch's SGD: g += decay w; v = momentum v + g (first step v = g); w -= rate v.
     * Decay applies to every trainable tensor. */
    lethe_status (*sgd)(lethe_ctx *, lethe_model *, double momentum, double decay,
                        lethe_optim **out);
    /* PyTorch's Adam with coupled decay (decoupled = 0) or AdamW (decoupled = 1). */
    lethe_status (*adam)(lethe_ctx *, lethe_model *, double beta1, double beta2, double eps,
                         double decay, int32_t decoupled, lethe_optim **out);
    /* mask (number of trainable elements, tensor order): 1 trains, 0 is frozen.
     * restore = 1: frozen weights stay bit-identical; 0: only the gradient is
     * masked, decay and momentum still move them (SalUn before February 2026). */
    lethe_status (*mask)(lethe_ctx *, lethe_optim *, const uint8_t *mask, int32_t restore);
    /* Scales gradients to a global L2 norm of at most max_norm. */
    lethe_status (*clip)(lethe_ctx *, lethe_optim *, double max_norm);
    lethe_status (*step)(lethe_ctx *, lethe_optim *, double rate); /* then zeroes the gradients */
} lethe_optim_api;
LETHE_NO_TAIL_PADDING(lethe_optim_api, step);

/* What an example attack made of a view; memory ends with the call. */
typedef struct lethe_adversarial {
    uint32_t struct_size, n;
    const float *x;            /* (n, C, H, W) */
    const int32_t *label;      /* (n) the model's prediction on x */
    const int32_t *clean_pred; /* (n) its prediction on the clean sample */
    const uint8_t *found;      /* (n) 1 where the attack succeeded */
    const float *radius;       /* (n) the radius in force at the end, norm of the attack */
    const float *l2;           /* (n) ||x - clean||_2, pixels in [0, 1] */
    const uint32_t *steps;     /* (n) gradient steps spent */
} lethe_adversarial;
LETHE_NO_TAIL_PADDING(lethe_adversarial, steps);

typedef struct lethe_attack_api {
    uint32_t struct_size, reserved;
    /* The adversarial set of lethe_unlearner.attacks[index] on job->forget with
     * the original weights: planned by the host as a task of its own and cached. */
    lethe_status (*declared)(lethe_ctx *, uint32_t index, lethe_adversarial *out);
    /* Any example attack on any model and view. settings: NULL-ended "name=value". */
    lethe_status (*run)(lethe_ctx *, const char *attack, const char *const *settings,
                        const lethe_model *, const lethe_view *, lethe_adversarial *out);
} lethe_attack_api;
LETHE_NO_TAIL_PADDING(lethe_attack_api, run);

typedef struct lethe_recipe {
    uint32_t struct_size, epochs, batch, reserved;
    double lr, momentum, weight_decay;
} lethe_recipe;
LETHE_NO_TAIL_PADDING(lethe_recipe, weight_decay);

typedef struct lethe_recipe_api {
    uint32_t struct_size, reserved;
    lethe_status (*get)(lethe_ctx *, lethe_recipe *out);
    /* Trains `model` on `view` exactly as the suite trains its models. */
    lethe_status (*train)(lethe_ctx *, lethe_model *, const lethe_view *);
    /* The recipe's learning rate in epoch e (from 0), whatever its schedule. */
    double (*rate)(lethe_ctx *, uint32_t epoch);
} lethe_recipe_api;
LETHE_NO_TAIL_PADDING(lethe_recipe_api, rate);

typedef struct lethe_par_api {
    uint32_t struct_size, reserved;
    uint32_t (*n_threads)(lethe_ctx *);
    /* fn(arg, begin, end) over fixed pieces of `grain` items; the pieces never
     * depend on the number of threads. */
    lethe_status (*range)(lethe_ctx *, uint64_t n, uint64_t grain,
                          void (*fn)(void *arg, uint64_t begin, uint64_t end), void *arg);
} lethe_par_api;
LETHE_NO_TAIL_PADDING(lethe_par_api, range);

typedef struct lethe_emit_api {
    uint32_t struct_size, reserved;
    /* Output `output` of the metric's or audit's table. NaN means "undefined":
     * give the reason in `note` (else NULL). Infinities are refused. */
    lethe_status (*scalar)(lethe_ctx *, uint32_t output, double value, const char *note);
    lethe_status (*curve)(lethe_ctx *, uint32_t output, const double *x, const double *y,
                          uint32_t n);
} lethe_emit_api;
LETHE_NO_TAIL_PADDING(lethe_emit_api, curve);

typedef struct lethe_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    const char *name, *version;
    const lethe_core_api *core;
    const lethe_rng_api *rng;
    const lethe_data_api *data;   /* NULL where no samples are granted */
    const lethe_model_api *model; /* NULL where no model is granted */
    const lethe_loss_api *loss;
    const lethe_optim_api *optim;   /* NULL unless weights may be written */
    const lethe_attack_api *attack; /* NULL unless LETHE_CAP_ATTACK */
    const lethe_recipe_api *recipe; /* NULL unless LETHE_CAP_RECIPE */
    const lethe_par_api *par;
    const lethe_emit_api *emit; /* NULL outside metrics and audits */
    const void *(*extension)(const struct lethe_host *, const char *id);
} lethe_host;
LETHE_NO_TAIL_PADDING(lethe_host, extension);

#endif
