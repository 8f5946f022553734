/* The tasks that a suite asks for, kind by kind: what identifies each. */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"
#include "strbuf.h"
#include "suite_budget.h"
#include "text.h"

/* Raised when the worker's code for a kind of task changes what it computes. */
static const int task_format[TASK_KIND_COUNT] = {1, 1, 1, 1, 1, 1, 2, 1, 1};

json_t *draft_identity(enum task_kind kind)
{
    return json_pack("{s:s,s:i}", "kind", task_kind_name(kind), "format", task_format[kind]);
}

/* Takes value. What cannot be set (no memory) drops the whole identity, which plan_add refuses:
 * half an identity must never be hashed. */
void draft_set(struct draft *d, const char *key, json_t *value)
{
    if (d->identity && value && json_object_set(d->identity, key, value) == 0) {
        json_decref(value);
        return;
    }
    json_decref(value);
    json_decref(d->identity);
    d->identity = NULL;
}

static const char *id_of(const struct planner *b, uint32_t task)
{
    return b->plan->task[task].id;
}

void draft_input(const struct planner *b, struct draft *d, const char *key, uint32_t task)
{
    draft_set(d, key, json_string(id_of(b, task)));
    d->dep[d->n_deps++] = task;
}

void draft_plugin(struct draft *d, const struct plugin_desc *p, const json_t *params)
{
    draft_set(d, "plugin",
              json_pack("{s:s,s:s,s:s,s:O}", "id", p->id, "version", p->version, "sha256",
                        p->sha256, "params", params));
    d->plugin = p;
}

int plan_data(struct planner *b, struct error *err)
{
    json_t *source = NULL;
    TRY(data_spec_identity(&b->suite->data, &source, err));
    struct draft d = {.kind = TASK_DATA, .identity = draft_identity(TASK_DATA), .weight = 500};
    draft_set(&d, "source", source);
    d.title = text_format("read %s", b->suite->data.name);
    return plan_add(b->plan, &d, &b->data, err);
}

int plan_train(struct planner *b, const char *role, int64_t seed, const json_t *forget,
               double share, const char *title, uint32_t *ret, struct error *err)
{
    bool shadow = strcmp(role, "shadow") == 0, original = strcmp(role, "original") == 0;
    if (original && b->recipe->lotos.on)
        return plan_joint(b, seed, title, ret, err);
    struct draft d = {.kind = TASK_TRAIN, .identity = draft_identity(TASK_TRAIN)};
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_set(&d, "arch", json_string(b->arch_text));
    draft_set(&d, "recipe", json_string(b->recipe_text));
    draft_set(&d, "role", json_string(role));
    draft_set(&d, "seed", json_integer(seed));
    if (shadow)
        draft_set(&d, "rows", json_pack("{s:i}", "shadow_bank", 1));
    else if (forget)
        draft_set(&d, "rows", json_pack("{s:O}", "retain", forget));
    else
        draft_set(&d, "rows", json_pack("{s:b}", "all", 1));
    double rows = shadow ? (b->plan->n_train_rows + b->plan->n_test_rows) / 2.0
                         : b->plan->n_train_rows * share;
    d.weight = 3.0 * rows * b->recipe->epochs;
    d.title = text_dup(title);
    return plan_add(b->plan, &d, ret, err);
}

int plan_random(struct planner *b, uint32_t *ret, struct error *err)
{
    struct recipe none = b->suite->train;
    none.spectral.method = CLIP_OFF;
    none.lotos.on = false;
    struct strbuf text;
    char *kept = b->recipe_text;
    none.epochs = 0;
    strbuf_init(&text);
    recipe_text(&none, &text);
    b->recipe_text = text.s;
    int rc = text.failed ? error_nomem(err)
                         : plan_train(b, "random", 1, NULL, 1, "draw a random model", ret, err);
    b->recipe_text = kept;
    strbuf_release(&text);
    return rc;
}

int plan_predict(struct planner *b, uint32_t model, uint32_t *ret, struct error *err)
{
    struct draft d = {.kind = TASK_PREDICT, .identity = draft_identity(TASK_PREDICT)};
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_input(b, &d, "model", model);
    d.weight = b->plan->n_train_rows + b->plan->n_test_rows;
    d.title = text_format("predict with: %s", b->plan->task[model].title);
    return plan_add(b->plan, &d, ret, err);
}

/* Example attacks and audits look at no shadow models. */
static bool has_membership_attack(const struct suite *s)
{
    for (unsigned i = 0; i < s->n_attacks; i++)
        if (s->attack[i].desc && s->attack[i].desc->kind == PLUGIN_MEMBERSHIP_ATTACK)
            return true;
    return false;
}

int plan_shadows(struct planner *b, struct error *err)
{
    unsigned n = b->suite->n_shadow;
    if (n == 0 || !has_membership_attack(b->suite))
        return 0;
    b->shadow = malloc(n * sizeof(*b->shadow));
    if (!b->shadow)
        return error_nomem(err);
    if (b->suite->shadows.files)
        return plan_import_shadows(b, err);
    b->shadow_model = malloc(n * sizeof(*b->shadow_model));
    if (!b->shadow_model)
        return error_nomem(err);
    for (unsigned k = 0; k < n; k++) {
        char title[64];
        snprintf(title, sizeof(title), "train shadow model %u", k + 1);
        TRY(plan_train(b, "shadow", k, NULL, 1, title, &b->shadow_model[k], err));
        TRY(plan_predict(b, b->shadow_model[k], &b->shadow[k], err));
    }
    return 0;
}

/* Epochs an unlearner will spend, for estimates: its parameter of that name, else one. */
static double epochs_of(const json_t *params)
{
    const json_t *v = json_object_get(params, "epochs");
    return json_is_number(v) ? json_number_value(v) : 1;
}

static int plan_adversarial(struct planner *b, const json_t *use, const struct suite_entry *e,
                            const json_t *forget, double share, const char *where,
                            struct plan_row *row, const struct plugin_desc **ret_attack,
                            struct error *err)
{
    const char *id;
    json_t *params = NULL;
    TRY(json_get_string(use, e->id, "attack", &id, err));
    const struct plugin_desc *attack = plugins_find(b->plugins, PLUGIN_EXAMPLE_ATTACK, id);
    if (!attack)
        return yaml_error(e->node, err, "%s needs the example attack %s, which is not installed",
                          e->id, id);
    TRY(desc_attack_params(attack, use, e->params, &params, err));
    struct draft d = {.kind = TASK_ADVERSARIAL, .identity = draft_identity(TASK_ADVERSARIAL)};
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_input(b, &d, "model", row->original);
    draft_plugin(&d, attack, params);
    draft_set(&d, "forget", json_incref((json_t *)forget));
    json_decref(params);
    d.weight = 3.0 * 150 * share * b->plan->n_train_rows;
    d.title = text_format("adversarial set %s, %s", id, where);
    *ret_attack = attack;
    return plan_add(b->plan, &d, &row->adversarial[row->n_adversarial++], err);
}

/* A budget can change what a method does; none is no part of the identity. */
static void draft_budget(struct draft *d, const struct budget *budget)
{
    json_t *o = budget_json(budget);
    if (o && json_object_size(o) == 0)
        json_decref(o);
    else
        draft_set(d, "budget", o);
}

int plan_unlearn(struct planner *b, const struct suite_entry *e, const json_t *forget, double share,
                 struct plan_row *row, struct error *err)
{
    return plan_unlearn_on(b, e, forget, forget, share, row, err);
}

int plan_unlearn_on(struct planner *b, const struct suite_entry *e, const json_t *forget,
                    const json_t *attacked, double share, struct plan_row *row, struct error *err)
{
    char where[160];
    const char *of = row->kind == PLAN_SHADOW ? "shadow model" : "original";
    const struct plugin_desc *attack = NULL;
    const json_t *uses = json_object_get(e->desc->json, "attacks");
    size_t i;
    json_t *use;
    snprintf(where, sizeof(where), "%s %lld, %s%s%lld", of, (long long)row->seed_model,
             b->suite->scenario[row->scenario].name, row->seed_forget < 0 ? " " : " seed ",
             (long long)row->seed_forget);
    if (row->seed_forget < 0)
        snprintf(where, sizeof(where), "%s %lld, %s", of, (long long)row->seed_model,
                 b->suite->scenario[row->scenario].name);
    json_array_foreach(uses, i, use)
    {
        if (i >= sizeof(row->adversarial) / sizeof(row->adversarial[0]))
            return yaml_error(e->node, err, "%s declares more than 4 attacks", e->id);
        TRY(plan_adversarial(b, use, e, attacked, share, where, row, &attack, err));
    }
    struct draft d = {.kind = TASK_UNLEARN, .identity = draft_identity(TASK_UNLEARN)};
    draft_set(&d, "numerics", json_string(b->numerics));
    draft_input(b, &d, "data", b->data);
    draft_input(b, &d, "model", row->original);
    draft_plugin(&d, e->desc, e->params);
    draft_set(&d, "forget", json_incref((json_t *)forget));
    draft_set(&d, "seed", json_integer(row->seed_unlearn));
    draft_set(&d, "recipe", json_string(b->recipe_text));
    draft_budget(&d, &e->budget);
    json_t *sets = json_array();
    for (unsigned k = 0; k < row->n_adversarial; k++) {
        json_array_append_new(sets, json_string(id_of(b, row->adversarial[k])));
        d.dep[d.n_deps++] = row->adversarial[k];
    }
    draft_set(&d, "adversarial", sets);
    if (attack)
        draft_set(&d, "attack_plugin", json_string(attack->sha256));
    d.attack_plugin = attack;
    uint32_t requests = b->suite->scenario[row->scenario].requests;
    d.weight = 3.0 * epochs_of(e->params) * b->plan->n_train_rows * (requests ? requests : 1);
    d.title = text_format("unlearn %s, %s", e->label, where);
    return plan_add(b->plan, &d, &row->model, err);
}

/* ---- measures ---- */

/* Does the attack get samples of known membership? Always, or as its population (attack.h). */
static bool is_fitted(const struct suite_entry *e)
{
    const char *population = json_string_value(json_object_get(e->params, "population"));
    return json_is_true(json_object_get(e->desc->json, "wants_fit")) ||
           (json_is_true(json_object_get(e->desc->json, "takes_population")) && population &&
            strcmp(population, "nonmembers") == 0);
}

/* shadow (n_shadow): outputs of shadow models. */
static void draft_shadows(const struct planner *b, struct draft *d, const uint32_t *shadow)
{
    json_t *ids = json_array();
    for (unsigned k = 0; k < b->suite->n_shadow; k++)
        json_array_append_new(ids, json_string(id_of(b, shadow[k])));
    draft_set(d, "references", ids);
    if (b->suite->shadows.files) /* each brings its own row of the inclusion */
        draft_set(d, "inclusion", json_string("imported"));
    else
        draft_set(d, "shadow_bank", json_integer(1));
    d->more = shadow;
    d->n_more = b->suite->n_shadow;
}

/* unlearned: outputs of shadow models that unlearned as the target did; NULL: the attack does not
 * ask for them. */
static int plan_scores(struct planner *b, const struct suite_entry *e, const json_t *forget,
                       uint32_t predict, const char *of, const uint32_t *unlearned,
                       uint32_t *ret_scores, struct error *err)
{
    struct draft d = {.kind = TASK_ATTACK, .identity = draft_identity(TASK_ATTACK)};
    draft_input(b, &d, "data", b->data);
    draft_input(b, &d, "target", predict);
    draft_plugin(&d, e->desc, e->params);
    draft_set(&d, "seed", json_integer(1));
    if (is_fitted(e))
        draft_set(&d, "fit", json_incref((json_t *)forget));
    if (unlearned)
        draft_set(&d, "unlearned", json_incref((json_t *)forget));
    if (desc_has_cap(e->desc, "shadows") && b->shadow)
        draft_shadows(b, &d, unlearned ? unlearned : b->shadow);
    d.weight = 500;
    d.title = text_format("attack %s on: %s", e->label, of);
    return plan_add(b->plan, &d, ret_scores, err);
}

static int plan_attack(struct planner *b, const struct suite_entry *e, const json_t *forget,
                       const struct plan_row *row, const char *of, uint32_t *ret_evaluate,
                       struct error *err)
{
    uint32_t scores, *unlearned = NULL;
    bool wants_unlearned = desc_has_cap(e->desc, "unlearned-shadows");
    if (wants_unlearned && !plan_has_unlearned_shadows(b, row))
        return 0;
    if (wants_unlearned)
        TRY(plan_unlearned_shadows(b, row, forget, &unlearned, err));
    int rc = plan_scores(b, e, forget, row->predict, of, unlearned, &scores, err);
    free(unlearned);
    TRY(rc);
    struct draft v = {.kind = TASK_EVALUATE, .identity = draft_identity(TASK_EVALUATE)};
    draft_input(b, &v, "data", b->data);
    draft_input(b, &v, "scores", scores);
    draft_set(&v, "forget", json_incref((json_t *)forget));
    if (wants_unlearned)
        draft_set(&v, "unlearned", json_true());
    v.weight = 200;
    v.title = text_format("evaluate %s on: %s", e->label, of);
    return plan_add(b->plan, &v, ret_evaluate, err);
}

int plan_measures(struct planner *b, const json_t *forget, struct plan_row *row, struct error *err)
{
    const struct suite *s = b->suite;
    bool logits = false;
    plan_row_is_imported(s, row, &logits);
    if (logits)
        row->predict = row->model; /* outputs are all there is */
    else
        TRY(plan_predict(b, row->model, &row->predict, err));
    row->forget = json_incref((json_t *)forget);
    char *of = text_dup(b->plan->task[row->model].title);
    int rc = of ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < s->n_attacks; i++) {
        const struct suite_entry *e = &s->attack[i];
        if (e->desc && e->desc->kind == PLUGIN_MEMBERSHIP_ATTACK)
            rc = plan_attack(b, e, forget, row, of, &row->evaluate[i], err);
        else if (e->desc && e->desc->kind == PLUGIN_EXAMPLE_ATTACK)
            rc = plan_robust(b, e, forget, row, &row->evaluate[i], err);
    }
    free(of);
    return rc;
}
