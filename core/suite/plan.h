/* plan.h: a suite as a graph of tasks. Equal tasks are one node, also when two
 * suites, scenarios or methods ask for them. */
#ifndef SUITE_PLAN_H
#define SUITE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "hash.h"
#include "store.h"
#include "suite_file.h"

#define TASK_KIND_MAP(X)                                                                           \
    X(DATA, "data")                                                                                \
    X(TRAIN, "train")                                                                              \
    X(PREDICT, "predict")                                                                          \
    X(ADVERSARIAL, "adversarial")                                                                  \
    X(UNLEARN, "unlearn")                                                                          \
    X(ATTACK, "attack")                                                                            \
    X(EVALUATE, "evaluate") X(METRIC, "metric") X(TRANSFER, "transfer")
enum task_kind {
#define TASK_KIND_X(name, word) TASK_##name,
    TASK_KIND_MAP(TASK_KIND_X)
#undef TASK_KIND_X
        TASK_KIND_COUNT
};
const char *task_kind_name(enum task_kind kind);
enum task_kind task_kind_from_name(const char *name); /* TASK_KIND_COUNT: unknown */

enum task_state {
    TASK_WAITING = 0, /* some input is missing */
    TASK_RUNNING,
    TASK_DONE,   /* in the store */
    TASK_FAILED, /* ran and did not succeed: verdict, reason */
    TASK_SKIPPED /* an input failed: reason names it */
};

struct task {
    enum task_kind kind;
    char id[HASH_HEX_SIZE];
    json_t *identity;
    char *title;             /* for people: "unlearn amun, original 1, random-0.1 seed 1" */
    const char *plugin_path; /* of a plugin task; else NULL */
    char *import_path;       /* of a model made elsewhere; else NULL */
    char *inclusion_path;    /* of imported shadow models; else NULL */
    const struct plugin_desc *attack_plugin; /* an example attack the plugin may call; NULL */
    unsigned *dep;                           /* indices of tasks whose artifacts it reads */
    unsigned n_deps;
    double weight; /* expected work: image passes (forward + backward = 3) */
    bool cached;   /* was in the store before this run */
    enum task_state state;
    enum verdict verdict;
    int signal;
    char *reason; /* FAILED, SKIPPED */
    double wall_s;
    unsigned retries; /* runs again after a corrupt input */
};

#define NO_TASK UINT32_MAX

/* PLAN_SHADOW: never a row of runs.csv; what a shadow model unlearns is put together like one. */
enum plan_row_kind { PLAN_ORIGINAL = 0, PLAN_ORACLE, PLAN_METHOD, PLAN_SHADOW };

/* One row of runs.csv and the tasks that fill it. */
struct plan_row {
    enum plan_row_kind kind;
    unsigned scenario;                             /* index in suite->scenario */
    unsigned entry;                                /* PLAN_METHOD: index in suite->unlearn */
    int64_t seed_model, seed_forget, seed_unlearn; /* -1: does not apply */
    int64_t request;         /* consecutive: after this one (from 1); else -1 */
    uint32_t model;          /* train or unlearn task; NO_TASK: could not be planned */
    uint32_t predict;        /* outputs of model; NO_TASK without a model */
    json_t *forget;          /* identity of the forget set; NULL without a model */
    uint32_t original;       /* PLAN_METHOD: the original's train task */
    uint32_t adversarial[4]; /* PLAN_METHOD: sets it was given */
    unsigned n_adversarial;
    uint32_t *metric;     /* (n_metrics) */
    uint32_t *evaluate;   /* (n_attacks) */
    enum verdict verdict; /* of a row without tasks */
    int signal;
    char *reason;
};

/* One row of transfer.csv: samples perturbed on one original model, shown to another. */
struct plan_transfer {
    unsigned entry;   /* index in suite->transfer */
    unsigned variant; /* index in suite->variant */
    int64_t seed_source, seed_target;
    uint32_t source_model, target_model; /* NO_TASK: not to be had */
    uint32_t task;                       /* NO_TASK: see reason */
    char *reason;                        /* NULL: it is planned */
};

struct plan {
    const struct suite *suite;
    struct task *task;
    unsigned n, cap;
    uint32_t *slot; /* open addressing by id */
    unsigned n_slots;
    struct plan_row *row; /* in the order of runs.csv */
    unsigned n_rows, cap_rows;
    struct plan_transfer *transfer; /* attack, source, target */
    unsigned n_transfer;
    uint32_t n_train_rows, n_test_rows; /* pool */
    json_t *machine;                    /* {"numerics": ..., "version": ...} as workers answered */
    json_t *options; /* {"only": [labels] or null, "scenario": name or null}: what it is restricted
                        to */
};

struct plan_options {
    const char *const *only; /* labels; NULL-ended; NULL: all */
    const char *scenario;    /* name; NULL: all */
};

/* machine: what `lethe-worker info` prints. */
int plan_make(const struct suite *s, const struct plugin_set *plugins, const json_t *machine,
              const struct plan_options *options, struct plan *ret, struct error *err);
void plan_release(struct plan *p);
/* Marks tasks that the store holds as done and cached; discards corrupt ones with a warning. */
int plan_look(struct plan *p, const struct store *store, struct error *err);

/* Was the row's model made elsewhere? *ret_logits: and only its outputs are there. */
bool plan_row_is_imported(const struct suite *s, const struct plan_row *row, bool *ret_logits);
/* Adds the tasks of `from`, which keeps its rows alone; they then name tasks of `to`. On failure
 * both are only good for plan_release. */
int plan_absorb(struct plan *to, struct plan *from, struct error *err);
/* The rows of one plan over the tasks of the other, for gather_results; borrows both. */
struct plan plan_view(const struct plan *tasks, const struct plan *rows);
bool plan_has(const struct plan *p, const char *id);

/* Index of the task with that id; NO_TASK: none. */
uint32_t plan_find(const struct plan *p, const char *id);

/* The job file of one task, for `lethe-worker task FILE`. New reference. */
json_t *plan_job(const struct plan *p, unsigned task, const struct store *store,
                 const char *workspace, unsigned threads);

#endif
