/* plan_internal.h: what plan.c and plan_tasks.c share. */
#ifndef SUITE_PLAN_INTERNAL_H
#define SUITE_PLAN_INTERNAL_H

#include "plan.h"

/* A task while it is put together. */
struct draft {
    enum task_kind kind;
    json_t *identity; /* owned until plan_add */
    char *title;      /* owned until plan_add */
    char *import;     /* path of a model made elsewhere, or NULL; owned until plan_add */
    char *inclusion;  /* path of imported shadow models' inclusion, or NULL; owned likewise */
    uint32_t dep[8];
    unsigned n_deps;
    const uint32_t *more; /* further inputs: shadow models' outputs */
    unsigned n_more;
    const struct plugin_desc *plugin, *attack_plugin;
    double weight;
};

/* Adds a task, or finds the equal one. Takes identity and title in any case. */
int plan_add(struct plan *p, struct draft *d, uint32_t *ret, struct error *err);

/* Moves a task with its memory, or drops it where an equal one is; t is empty afterwards. */
int plan_take(struct plan *p, struct task *t, uint32_t *ret, struct error *err);

json_t *draft_identity(enum task_kind kind);
/* Takes value. What cannot be set (no memory) drops the whole identity, which plan_add refuses. */
void draft_set(struct draft *d, const char *key, json_t *value);
struct planner;
/* A task as an input: its id in the identity, and a dependency. */
void draft_input(const struct planner *b, struct draft *d, const char *key, uint32_t task);
void draft_plugin(struct draft *d, const struct plugin_desc *p, const json_t *params);

/* What the plan needs while it grows. */
struct planner {
    struct plan *plan;
    const struct suite *suite;
    const struct plugin_set *plugins;
    const char *numerics;
    char *arch_text;
    uint32_t data;
    /* Of the variant at hand (plan_variant.c). */
    unsigned variant_at; /* index in suite->variant */
    const struct recipe *recipe;
    char *recipe_text;            /* without lotos, which is for originals */
    char *original_text;          /* of originals */
    uint32_t *shadow;             /* (n_shadow) predictions of the shadow models; NULL: none */
    uint32_t *shadow_model;       /* (n_shadow) the models; NULL: only outputs are known */
    struct plan_variant *variant; /* (suite->n_variants) */
};

/* plan_variant.c: recipes as texts and shadow models, once a variant. */
int plan_variants_make(struct planner *b, struct error *err);
void plan_variants_release(struct planner *b);
/* From now on b plans models of that scenario's variant. */
int plan_variant_use(struct planner *b, unsigned scenario, struct error *err);
int plan_variant_at(struct planner *b, unsigned variant, struct error *err);

/* plan_joint.c: an original that is trained together with those of the other model seeds. */
int plan_joint(struct planner *b, int64_t seed, const char *title, uint32_t *ret,
               struct error *err);

int plan_data(struct planner *b, struct error *err);
/* role: "original", "retrain" or "shadow". forget: NULL, or whose retain set is trained on
 * (borrowed). */
int plan_train(struct planner *b, const char *role, int64_t seed, const json_t *forget,
               double share, const char *title, uint32_t *ret, struct error *err);
/* A network of the suite's architecture that is initialised and never trained. */
int plan_random(struct planner *b, uint32_t *ret, struct error *err);
int plan_predict(struct planner *b, uint32_t model, uint32_t *ret, struct error *err);
int plan_shadows(struct planner *b, struct error *err);
/* The unlearning task of a row and the adversarial sets that it declares. */
int plan_unlearn(struct planner *b, const struct suite_entry *e, const json_t *forget, double share,
                 struct plan_row *row, struct error *err);
/* The same where the declared adversarial sets are of other samples than the forget set. */
int plan_unlearn_on(struct planner *b, const struct suite_entry *e, const json_t *forget,
                    const json_t *attacked, double share, struct plan_row *row, struct error *err);
/* The row's original, trained or imported; *ret is NO_TASK, with row->reason, when the file is not
 * there. */
int plan_original(struct planner *b, struct plan_row *row, uint32_t *ret, struct error *err);
/* The oracle row->seed_model of the row's forget set, likewise; fills row->model. */
int plan_oracle(struct planner *b, const json_t *forget, double share, struct plan_row *row,
                struct error *err);
/* Outputs of shadow models made elsewhere: fills b->shadow. */
int plan_import_shadows(struct planner *b, struct error *err);
/* The model after row->request of a consecutive scenario: all requests are one task, since the
 * plugin keeps its state from one to the next, and each answer is taken from it by another. */
int plan_request(struct planner *b, const struct suite_entry *e, struct plan_row *row,
                 struct error *err);
/* A model made elsewhere instead; row->model is NO_TASK, with a reason, when its file is not there.
 */
int plan_import(struct planner *b, const struct suite_entry *e, struct plan_row *row,
                struct error *err);
/* Share of the training rows, for estimates. */
double plan_forget_share(const struct forget_spec *spec, const struct plan *p);
/* Can the suite's shadow models be unlearned as the row's model was? */
bool plan_has_unlearned_shadows(const struct planner *b, const struct plan_row *row);
/* (n_shadow) outputs of the shadow models after the row's method has made each forget its part of
 * what is judged; of originals and oracles, which unlearned nothing, the shadow models' own.
 * malloc'd. */
int plan_unlearned_shadows(struct planner *b, const struct plan_row *row, const json_t *forget,
                           uint32_t **ret, struct error *err);
/* Predictions of and attacks on row->model. */
int plan_measures(struct planner *b, const json_t *forget, struct plan_row *row, struct error *err);

/* An example attack on test rows of row->model; *ret stays as it is where the row has no model. */
int plan_robust(struct planner *b, const struct suite_entry *e, const json_t *forget,
                const struct plan_row *row, uint32_t *ret, struct error *err);
/* `transfer:`: every original model's perturbed test rows, shown to every original model. */
int plan_transfers(struct planner *b, struct error *err);

/* Metrics and audits of all rows, once all rows are there: they are compared with each other. */
int plan_metrics(struct planner *b, struct error *err);

#endif
