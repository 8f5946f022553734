/* hosting.h: running one plugin in this (worker) process: the host tables of
 * the ABI over engine and data, with grants and meters. Only host*.c know both
 * the ABI's types and the engine's. */
#ifndef PLUGIN_HOSTING_H
#define PLUGIN_HOSTING_H

#include <stdint.h>

#include "budget.h"
#include "dataset.h"
#include "error.h"
#include "events.h"
#include "json.h"
#include "model.h"
#include "par.h"
#include "split.h"
#include "train.h"

/* Version of the plugin ABI that this host speaks: "1.0". */
const char *hosting_abi(void);

struct plugin_file;
/* dlopen and every check of the entry and its plugins, each with its own sentence (they name the
 * file without its folder: reasons end up in tables). Never dlclosed, nothing to free. */
int plugin_open(const char *path, struct plugin_file **ret, struct error *err);
/* JSON array of descriptions (desc.h) of everything in the file. New reference. */
int plugin_describe(struct plugin_file *file, const char *path, json_t **ret, struct error *err);

/* Machine-independent costs, counted by the host. read_*: samples handed out, each time; forward,
 * backward: samples through a network, attack_* those of example attacks; bytes_cached: of
 * adversarial sets that were prepared beforehand and handed out. */
#define METERS_MAP(X)                                                                              \
    X(read_forget)                                                                                 \
    X(read_retain)                                                                                 \
    X(read_other)                                                                                  \
    X(forward)                                                                                     \
    X(backward)                                                                                    \
    X(optimizer_steps) X(attack_forward) X(attack_backward) X(read_validation) X(bytes_cached)
struct meters {
#define METERS_X(name) uint64_t name;
    METERS_MAP(METERS_X)
#undef METERS_X
};

/* What one call of a plugin is given. */
struct hosting {
    struct plugin_file *file;
    const char *plugin_id;
    const json_t *params;        /* resolved parameters (desc_params) */
    uint64_t seed;               /* of the run; streams are f(seed, plugin id, name, index) */
    struct par *par;             /* may be NULL */
    struct events *events;       /* progress and log; may be NULL */
    const struct dataset *ds;    /* NULL where the task has no samples */
    const struct split *split;   /* forget, retain, test rows; NULL where none */
    const struct recipe *recipe; /* NULL where none */
    /* Finds the file of an example attack for attack->run; may be NULL. */
    int (*find_attack)(void *arg, const char *id, struct plugin_file **ret, struct error *err);
    void *find_arg;
    const uint32_t *validation; /* (n_validation) pool ids an unlearner may look at; NULL: none */
    uint32_t n_validation;
    const struct budget *budget; /* hosting_unlearn: of all requests together; NULL: no limits */
    const char *scratch;         /* folder for external plugins, whose owner empties it; NULL: a
                                    temporary one of their own */
    const int32_t *targets;      /* hosting_perturb: (n) classes to reach; NULL: untargeted */
    /* The conformance suite (trial.h): access (LETHE_CAP_*) that this task does not grant, and what
     * stands between plugin and host; 0 and NULL elsewhere. */
    uint64_t withheld;
    struct trial *trial;
};

/* An adversarial set (also the content of that task's artifact). */
struct adversarial {
    uint32_t n;
    float *x; /* (n, C, H, W) */
    int32_t *label, *clean_pred;
    uint8_t *found;
    float *radius, *l2, *linf;
    uint32_t *steps;
    struct meters cost;
};
void adversarial_release(struct adversarial *a);

/* Example attack on n samples x (n, C, H, W), y (n), in batches of 128; ids (n) name samples in
 * streams (may be NULL: 0..n-1). Checks box, norm, finite; violations are ERR_OUTPUT. */
int hosting_perturb(const struct hosting *h, const struct model *model, const float *x,
                    const int32_t *y, const uint64_t *ids, uint32_t n, struct adversarial *ret,
                    struct error *err);

struct unlearn_result {
    struct meters meters;
    double prepare_s, run_s;         /* wall seconds of prepare and of run */
    double prepare_cpu_s, run_cpu_s; /* processor seconds, of all threads and child processes */
};
/* model: starts as a copy of original, ends as the answer (checked: finite). declared: adversarial
 * sets of the unlearner's `attacks`, in order (n_declared may be 0). */
int hosting_unlearn(const struct hosting *h, const struct model *original, struct model *model,
                    const struct adversarial *declared, uint32_t n_declared,
                    struct unlearn_result *ret, struct error *err);

/* Deletions that arrive one after another: each split's forget set leaves the training set, its
 * retain set is what stays. */
struct unlearn_request {
    const struct split *split;
    const struct adversarial *declared; /* as above, on this request's forget set */
    uint32_t n_declared;
};
/* The model after each request; may be NULL. */
struct unlearn_hook {
    int (*fn)(void *arg, uint32_t request, const struct model *model, struct error *err);
    void *arg;
};
/* One after another on the same model and the same plugin state; ret (n). h->split is not used. */
int hosting_unlearn_requests(const struct hosting *h, const struct model *original,
                             struct model *model, const struct unlearn_request *request, uint32_t n,
                             struct unlearn_result *ret, const struct unlearn_hook *after,
                             struct error *err);

/* Outputs of a model on a set of samples. */
struct outputs {
    uint32_t n, n_views, n_classes;
    const float *logits; /* (n, n_views, n_classes) */
    const int32_t *y;    /* (n) */
};

struct member_input {
    struct outputs candidates;
    uint32_t n_models; /* references; 0: none */
    const float *const *reference_logits;
    const uint8_t *const *inclusion;
    const struct outputs *known_members, *known_nonmembers; /* NULL unless the plugin asks */
    /* references on those sets, n_models pointers each: [0] members, [1] non-members; NULL: none */
    const float *const *known_reference_logits[2];
    const uint8_t *const *known_inclusion[2];
};
/* Candidates are shuffled inside (stream of the seed), scores put back in order. ret_scores:
 * malloc'd (n_scores, n), column by column; ret_names: malloc'd array of n_scores static names. */
int hosting_member(const struct hosting *h, const struct member_input *in, uint32_t *ret_n_scores,
                   const char ***ret_names, double **ret_scores, struct error *err);

struct model_outputs {
    const struct outputs *forget, *retain, *test, *test_forgotten; /* NULL where absent */
};
struct metric_input {
    uint32_t n_classes;
    uint32_t n_targets, n_references;
    const struct model_outputs *targets, *references;
    const struct model_outputs *original; /* NULL when not granted */
    uint32_t scenario;                    /* 1 random, 2 class */
    /* A task that compares with oracles gives references also when there are none of them:
     * a list of none is not the same as no list. The rest is NULL where it is not granted. */
    const struct model_outputs *random, *adversarial, *source, *source_adversarial;
    const struct model *model, *original_model;
    const struct model *const *reference_models; /* (n_references) */
    const struct meters *cost, *reference_costs; /* the latter (n_references) */
};
/* JSON: {"values": {name: number|null}, "notes": {name: text}, "curves": {name: {"x": [...], "y":
 * [...]}}}. A declared scalar that was not emitted, or lies outside its range, is ERR_OUTPUT. */
int hosting_metric(const struct hosting *h, const struct metric_input *in, json_t **ret,
                   struct error *err);

#endif
